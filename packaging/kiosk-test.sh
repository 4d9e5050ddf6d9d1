#!/bin/sh
# Drives a self-service machine in a real window, under a virtual display: staff open it with a PIN, a person begins a case
# and types, the program is killed, and within ten seconds the same question is on the screen with the same words; keys
# that might lead out lead nowhere; the window cannot be closed.
# Needs bin/bianmin and bin/bianmin-gatewayd; builds nothing. The last line is "N passed, M failed".
# BIANMIN_BIN names another folder with the two programs.
set -u
cd "$(dirname "$0")/.."
. packaging/display.sh

bin=${BIANMIN_BIN:-$PWD/bin}
passed=0
failed=0
watchdog=""
work=$(mktemp -d)
data=$work/data
export HOME="$work/home" BIANMIN_LANG=zh
unset XDG_DATA_HOME XDG_CONFIG_HOME WAYLAND_DISPLAY FYNE_SCALE FYNE_THEME FYNE_FONT
mkdir "$HOME"
display_up

finish() {
	[ -z "$watchdog" ] || kill -TERM "$watchdog" 2>/dev/null
	[ -z "$watchdog" ] || wait "$watchdog" 2>/dev/null
	display_down
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

check() {
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		printf '%-8s%s\n' ok "$name"
		[ -z "${BIANMIN_SHOTS:-}" ] || import -window root "$BIANMIN_SHOTS/kiosk-$passed.png"
		return
	fi
	failed=$((failed + 1))
	shot=$(mktemp --suffix .png /tmp/bianmin-kiosk-XXXXXX)
	import -window root "$shot"
	printf '%-8s%s\n' FAILED "$name"
	echo "the screen: $shot"
	sed 's/^/  /' "$work"/*.err 2>/dev/null | tail -n 20
	echo "$passed passed, $failed failed"
	exit 1
}

until_() {
	end=$(($(date +%s) + $1))
	shift
	while ! "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

status_has() { "$bin/bianmin" status --json --data "$data" 2>>"$work/command.err" | grep -q "$1"; }
# child prints the process of the program, which the watchdog has started.
child() { cat /proc/"$watchdog"/task/*/children 2>/dev/null | tr -d ' '; }
opened() {
	app=$(child)
	[ -n "$app" ] || return 1
	window=$(display_window 30 "$app")
	[ -n "$window" ]
}
fills_the_screen() { [ "$(xdotool getwindowgeometry "$window" | sed -n 's/.*Geometry: //p')" = 1280x800 ]; }
click() { xdotool mousemove --window "$window" "$1" "$2" click 1; }
log_in() {
	click 369 413
	xdotool type --delay 40 246810
	until_ 4 status_has '"locked":false'
}
look() { import -window root rgba:- | md5sum; }
turned() { [ "$(look)" != "$page" ]; }

# type_form opens the first service, begins it, and types a name and half a number.
type_form() {
	sleep 1
	page=$(look)
	click 614 270 # the second tile: the first service
	until_ 10 turned || return
	sleep 1
	page=$(look)
	xdotool key Return # begin
	until_ 10 turned || return
	sleep 1
	xdotool type --delay 60 "Ma Li"
	xdotool key Tab
	xdotool type --delay 60 9999991941
	until_ 5 status_has '"drafts":1'
}

# form is a mark of the first fields, without the blinking caret.
form() { import -window root -crop 700x260+120+200 rgba:- | md5sum; }
same_form() { form | grep -q -F -x -f "$work/form"; }

kill_typing() {
	sleep 2
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		form
		sleep 0.1
	done | sort -u >"$work/form"
	[ -s "$work/form" ] && kill -KILL "$app" && from=$(date +%s)
}
another() {
	now=$(child)
	[ -n "$now" ] && [ "$now" != "$app" ]
}
back_in_time() { until_ 10 same_form; }

keys_lead_nowhere() {
	for k in alt+F4 alt+Tab super ctrl+alt+Delete ctrl+q ctrl+w alt+space F10 F11 Escape; do
		xdotool key "$k"
	done
	sleep 1
	[ "$(child)" = "$app" ] && [ "$(xdotool search --onlyvisible --pid "$app" | wc -l)" = 1 ] && fills_the_screen
}
"$bin/bianmin" demo --kiosk --data "$data" >"$work/app.out" 2>"$work/app.err" &
watchdog=$!
check "the window opens" until_ 60 opened
check "it fills the screen" until_ 10 fills_the_screen
check "nobody has opened it yet" until_ 20 status_has '"locked":true'
check "staff open it with their PIN" until_ 20 log_in
check "a person begins a case and types" type_form
check "the program is killed" kill_typing
check "the watchdog starts another" until_ 10 another
check "the same question with the same words is back within ten seconds" back_in_time
echo "back after $(($(date +%s) - from)) s"
until_ 10 opened
check "keys that might lead out lead nowhere" keys_lead_nowhere
echo "$passed passed, $failed failed"
