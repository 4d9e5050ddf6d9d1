#!/bin/sh
# Drives a self-service machine in a real window, under a virtual display, through its own session: kiosk.sh install below a
# folder, the session's script with its window manager, a machine that was enrolled at a county beside it. Staff open it with a
# PIN, a person begins a case and types, the program is killed again and again, and within ten seconds the same question is on
# the screen with the same words; keys and clicks that might lead out lead nowhere; when the visit ends nothing of it is left.
# packaging/kiosk/boot-test.sh does more of it, with systemd and Xorg, where there is a machine for that.
# Needs bin/bianmin and bin/bianmin-gatewayd; builds nothing. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/.."
name=kiosk-test
. packaging/check.sh

data=$HOME/.local/share/bianmin # where the session's program has it
county=""
session=""
watchdog=""
stop() {
	[ -z "$session" ] || kill -KILL "$session" $(pgrep -P "$session" -x session) 2>/dev/null # else they start it again
	[ -z "$watchdog" ] || kill -TERM "$watchdog" 2>/dev/null
	[ -z "$watchdog" ] || until_ 10 gone "$watchdog"
	[ -z "$county" ] || kill -TERM "$county" 2>/dev/null
	[ -z "$county" ] || wait "$county" 2>/dev/null
}
gone() { ! kill -0 "$1" 2>/dev/null; }
WITHOUT_WM=1 display_up

# child prints the process of the program, which the watchdog has started.
child() { cat /proc/"$watchdog"/task/*/children 2>/dev/null | tr -d ' '; }
shown() {
	watchdog=$(pgrep -P "$session" -x bianmin) || return
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
	for k in alt+F4 alt+Tab alt+Escape super super+d ctrl+alt+t ctrl+alt+Delete ctrl+alt+BackSpace ctrl+alt+F1 ctrl+alt+F2 alt+F2 \
		ctrl+q ctrl+w ctrl+o ctrl+s ctrl+p alt+space F10 F11 Menu Print; do
		xdotool key "$k"
	done
	for b in 2 3; do # beside all that is tapped
		xdotool mousemove 640 20 click $b mousemove 1278 798 click $b mousemove 2 400 click $b
	done
	sleep 1
	[ "$(child)" = "$app" ] && [ "$(xdotool search --onlyvisible --pid "$app" | wc -l)" = 1 ] && fills_the_screen
}

installed() {
	packaging/kiosk/kiosk.sh install --root "$work/image" >/dev/null && mkdir -p "$work/image/usr/bin" &&
		ln -s "$bin/bianmin" "$work/image/usr/bin/bianmin"
}
enrolled() {
	"$bin/bianmin-gatewayd" init --data "$work/county" --sample --short-host 127.0.0.1:1 >/dev/null 2>>"$work/county.err" || return
	"$bin/bianmin-gatewayd" serve --data "$work/county" --addr 127.0.0.1:0 --ready-file "$work/url" >/dev/null 2>>"$work/county.err" &
	county=$!
	until_ 30 test -s "$work/url" || return
	code=$("$bin/bianmin-gatewayd" enroll --data "$work/county" --json | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')
	bianmin enroll --gateway "$(cat "$work/url")" --code "$code" >/dev/null
}
open_it() {
	click 369 433
	xdotool type --delay 40 246810
	xdotool key Return
	until_ 4 status_has '"locked":false'
}
clipboard_has() { [ "$(timeout 2 xclip -o -selection clipboard 2>/dev/null)" = "$1" ]; }
copied() {
	xdotool key shift+Tab ctrl+a ctrl+c
	until_ 5 clipboard_has "Ma Li" && xdotool key Tab
}
# end_visit taps 结束 and says yes.
end_visit() {
	page=$(look)
	click 1209 32
	until_ 5 turned || return
	xdotool key Return
	until_ 10 status_has '"drafts":0'
}
nothing_left() {
	for s in primary secondary clipboard; do
		[ -z "$(timeout 2 xclip -o -selection $s 2>/dev/null)" ] || return
	done
	! grep -r -a -l -e "Ma Li" -e 9999991941 "$HOME" "$work/session.out" "$work/session.err"
}

check "kiosk.sh installs the session below a folder" installed
check "the machine is enrolled" enrolled
"$work/image/usr/lib/bianmin/kiosk/session" >"$work/session.out" 2>"$work/session.err" &
session=$!
check "the window opens" until_ 60 shown
check "it fills the screen" until_ 10 fills_the_screen
check "nobody has opened it yet" until_ 20 status_has '"locked":true'
check "staff open it with their PIN" until_ 20 open_it
check "a person begins a case and types" type_form
rounds=2
[ -z "${BIANMIN_FULL:-}" ] || rounds=8
n=0
while [ $n -lt $rounds ]; do
	n=$((n + 1))
	check "the program is killed ($n)" kill_typing
	check "the watchdog starts another" until_ 10 another
	check "the same question with the same words is back within ten seconds" back_in_time
	echo "back after $(($(date +%s) - killed)) s"
	until_ 10 shown
done
check "what was typed can be copied" copied
check "keys and clicks that might lead out lead nowhere" keys_lead_nowhere
check "the visit ends" end_visit
check "nothing of the person is left: selections, files, what the program said" nothing_left
all_done
