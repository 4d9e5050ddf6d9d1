#!/bin/sh
# Starts the built program three times under a virtual display, without a graphics card, and prints how long it takes to
# the window and to the login (the folder is open then), and what the program holds in memory: with the display's own
# drawing code, which is large when the processor paints, and its own memory alone. The first start makes the sample
# county, too. The floor is a bare window of the same program.
set -eu
cd "$(dirname "$0")/.."
. packaging/display.sh

bin=${BIANMIN_BIN:-$PWD/bin}
dir=$(mktemp -d)
export HOME="$dir"
display_up
trap 'display_down; rm -rf "$dir"' EXIT

since() { echo $((($(date +%s%N) - $1) / 1000000)); }
memory() { awk -v k="$1:" '$1 == k {print int($2 / 1024)}' "/proc/$2/status"; }

one() { # name
	from=$(date +%s%N)
	"$bin/bianmin" demo --data "$dir/data" >"$dir/out" 2>&1 &
	pid=$!
	display_window 60 "$pid" >/dev/null
	window=$(since "$from")
	tries=600
	until "$bin/bianmin" status --data "$dir/data" --json 2>/dev/null | grep -q '"locked":true'; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { cat "$dir/out" >&2; exit 1; }
		sleep 0.05
	done
	printf 'Start/%s\t%d ms to the window\t%d ms to the login\t%d MiB resident\t%d MiB its own\n' "$1" "$window" \
		"$(since "$from")" "$(memory VmRSS "$pid")" "$(memory RssAnon "$pid")"
	kill -TERM "$pid"
	wait "$pid" || true
}

# floor is a bare window of the same program, with the same theme and font.
floor() {
	from=$(date +%s%N)
	"$bin/bianmin" hello >"$dir/out" 2>&1 &
	pid=$!
	display_window 60 "$pid" >/dev/null
	printf 'Start/floor\t%d ms to a bare window\t%d MiB resident\t%d MiB its own\n' "$(since "$from")" "$(memory VmRSS "$pid")" \
		"$(memory RssAnon "$pid")"
	kill -TERM "$pid"
	wait "$pid" || true
}

floor
one first
one second
one third
