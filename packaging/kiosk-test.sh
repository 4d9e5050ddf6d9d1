#!/bin/sh
# Drives a self-service machine in a real window, under a virtual display: staff open it with a PIN, a person begins a case
# and types, the program is killed, and within ten seconds the same question is on the screen with the same words; keys
# that might lead out lead nowhere; the window cannot be closed.
# Needs bin/bianmin and bin/bianmin-gatewayd; builds nothing. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/.."
name=kiosk-test
. packaging/check.sh

watchdog=""
stop() {
	[ -n "$watchdog" ] || return
	kill -TERM "$watchdog" 2>/dev/null
	wait "$watchdog" 2>/dev/null
}
display_up

# child prints the process of the program, which the watchdog has started.
child() { cat /proc/"$watchdog"/task/*/children 2>/dev/null | tr -d ' '; }
shown() {
	app=$(child)
	[ -n "$app" ] && opened
}
fills_the_screen() { [ "$(xdotool getwindowgeometry "$window" | sed -n 's/.*Geometry: //p')" = 1280x800 ]; }
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
	[ -s "$work/form" ] && kill -KILL "$app" && killed=$(date +%s)
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

start --kiosk
watchdog=$app
check "the window opens" until_ 60 shown
check "it fills the screen" until_ 10 fills_the_screen
check "nobody has opened it yet" until_ 20 status_has '"locked":true'
check "staff open it with their PIN" until_ 20 log_in 369 413
check "a person begins a case and types" type_form
check "the program is killed" kill_typing
check "the watchdog starts another" until_ 10 another
check "the same question with the same words is back within ten seconds" back_in_time
echo "back after $(($(date +%s) - killed)) s"
until_ 10 shown
check "keys that might lead out lead nowhere" keys_lead_nowhere
all_done
