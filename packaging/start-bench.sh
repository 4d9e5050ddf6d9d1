#!/bin/sh
# Starts the built program under a virtual display and prints how long its first screen takes and what it holds in
# memory, empty and with the sample county. Prints one line a figure.
set -eu
cd "$(dirname "$0")/.."
. packaging/display.sh

display_up
dir=$(mktemp -d)
trap 'display_down; rm -rf "$dir"' EXIT

one() { # name, arguments
	name=$1
	shift
	from=$(date +%s%N)
	bin/bianmin "$@" --data "$dir" >"$dir/$name.out" 2>&1 &
	pid=$!
	display_window 60 >/dev/null
	to=$(date +%s%N)
	rss=$(awk '/VmRSS/{print int($2/1024)}' /proc/$pid/status)
	printf 'Start/%s\t%d ms to the window\t%d MiB resident\n' "$name" $(((to - from) / 1000000)) "$rss"
	kill -TERM "$pid"
	wait "$pid" || true
}

one first-start-with-county demo
one second-start demo
one third-start demo
