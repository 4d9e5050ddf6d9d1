#!/bin/sh
# Starts the built program under a virtual display, without a graphics card, and prints how long it takes to the window and
# to the login (the folder is open then), what the program holds in memory: with the display's own drawing code, which is
# large when the processor paints, and its own memory alone; and what it computes while nobody touches it. The first start
# makes the sample county, too. Then the machine gets a town's roster of 100,000 persons and 20,000 cases, sends them, and is started
# again. The floor is a bare window of the same program, before and after.
set -eu
cd "$(dirname "$0")/.."
. packaging/display.sh

bin=${BIANMIN_BIN:-$PWD/bin}
dir=$(mktemp -d)
CGO_ENABLED=0 go build -tags no_emoji,migrated_fynedo,test,nowindow -o "$dir/town" ./packaging/corpus/fill
export HOME="$dir"
display_up
trap 'display_down; rm -rf "$dir"' EXIT

since() { echo $((($(date +%s%N) - $1) / 1000000)); }
memory() { awk -v k="$1:" '$1 == k {print int($2 / 1024)}' "/proc/$2/status"; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # hundredths of a second of processor time
status() { "$bin/bianmin" status --data "$dir/data" --json 2>/dev/null; }

# idle lets the program settle, and prints what it then computes in ten seconds, in thousandths of one processor.
idle() { # pid
	sleep 5
	from=$(ticks "$1")
	sleep 10
	echo $(($(ticks "$1") - from))
}

begin() {
	"$bin/bianmin" demo --data "$dir/data" >"$dir/out" 2>&1 &
	pid=$!
	display_window 60 "$pid" >/dev/null
}

end() {
	kill -TERM "$pid"
	wait "$pid" || true
}

# until_true SECONDS COMMAND...
until_true() {
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || { cat "$dir/out" >&2; exit 1; }
		sleep 0.05
	done
}

at_login() { status | grep -q '"locked":true'; }
all_sent() { status | grep -q '"pending":0[,}]'; }
has_book() { ls "$dir"/data/packs/roster-*.book 2>/dev/null | grep -q -- "roster-$1-"; }

one() { # name, measure idling too
	from=$(date +%s%N)
	begin
	window=$(since "$from")
	until_true 30 at_login
	login=$(since "$from")
	cpu=$(($(ticks "$pid") * 10))
	sleep 2 # what goes on behind the screen has had its time
	printf 'Start/%s\t%d ms to the window\t%d ms to the login (%d of the processor)\t%d MiB resident\t%d MiB its own' "$1" "$window" \
		"$login" "$cpu" "$(memory VmRSS "$pid")" "$(memory RssAnon "$pid")"
	[ -z "${2:-}" ] || printf '\t%d ‰ of a processor when idle' "$(idle "$pid")"
	printf '\n'
	end
}

# floor is a bare window of the same program, with the same theme and font.
floor() { # measure idling too
	from=$(date +%s%N)
	"$bin/bianmin" hello >"$dir/out" 2>&1 &
	pid=$!
	display_window 60 "$pid" >/dev/null
	window=$(since "$from")
	sleep 2
	printf 'Start/floor\t%d ms to a bare window\t%d MiB resident\t%d MiB its own' "$window" "$(memory VmRSS "$pid")" \
		"$(memory RssAnon "$pid")"
	[ -z "${1:-}" ] || printf '\t%d ‰ of a processor when idle' "$(idle "$pid")"
	printf '\n'
	end
}

floor
one first
one second
one empty idle
"$dir/town" -data "$dir/data" -gateway "$bin/bianmin-gatewayd" \
	-persons "${BIANMIN_PERSONS:-100000}" -cases "${BIANMIN_CASES:-20000}" 2>"$dir/fill" || { cat "$dir/fill" >&2; exit 1; }
begin
until_true 300 all_sent
until_true 120 has_book 2
end
one town
one town idle
floor idle
