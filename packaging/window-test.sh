#!/bin/sh
# Drives the built program in a real window, under a virtual display, by clicks and keys alone: log in, take a case in
# beside the open window, find it, read its receipt's code from the screen, type into a form, kill the program in the
# middle, and find the case, the draft and the field again.
# Needs bin/bianmin and bin/bianmin-gatewayd; builds nothing. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/.."
name=window-test
. packaging/check.sh

answers=offline/desk/testdata/gaoling.json
app=""
stop() { [ -z "$app" ] || kill -KILL "$app" 2>/dev/null; }
display_up

active() { [ "$(xdotool getactivewindow 2>/dev/null)" = "$window" ]; }
shown() { opened && until_ 10 active; }

take_in() {
	cp "$answers" "$work/answers.json"
	tr -d '\n' <"$work/answers.json" >"$work/answers.jsonl"
	convert -size 320x200 xc:white "$work/card.png"
	mv "$work/card.png" "$work/card.jpg" # what counts is what is in it
	echo 246810 >"$work/pin"
	line=$(cd "$work" && bianmin intake --operator wang --pin-file pin --service gaoling --answers answers.jsonl)
	no=$(printf %s "$line" | sed -n 's/.*"no":"\([^"]*\)".*/\1/p')
	link=$(printf %s "$line" | sed -n 's/.*"link":"\([^"]*\)".*/\1/p')
	[ -n "$no" ] && [ -n "$link" ]
}

second_start() {
	xdotool windowminimize "$window"
	until_ 5 inactive && timeout 20 "$bin/bianmin" demo --data "$data" 2>>"$work/second.err" && until_ 5 active
}
inactive() { ! active; }

# holders counts the processes that have the database open.
holders() {
	n=0
	for fd in /proc/[0-9]*/fd; do
		if readlink "$fd"/* 2>/dev/null | grep -q "^$data/store.db"; then n=$((n + 1)); fi
	done
	echo "$n"
}
one_holder() { [ "$(holders)" = 1 ]; }

# title is a mark of the page's name, as it is painted at the top.
title() { import -window root -crop 300x60+60+22 rgba:- | md5sum; }
turned() { [ "$(title)" != "$page" ]; }
# turn presses Enter and waits for another page.
turn() {
	page=$(title)
	xdotool key Return
	until_ 10 turned
}

# open_receipt searches the receipt number on 首页, opens the only hit, then the receipt: that case's primary button.
open_receipt() {
	xdotool key ctrl+f
	xdotool type --delay 30 "$no"
	turn && turn && until_ 10 code_on_screen
}

# code_on_screen reads the code. A case that the platform has taken shows its second receipt first: click on the first.
code_on_screen() {
	import -window root "$work/screen.png"
	seen=$(zbarimg --quiet --raw -Sdisable -Sqrcode.enable "$work/screen.png" 2>/dev/null)
	[ "$seen" = "$link" ] && return
	[ -z "$seen" ] || click 208 269
	return 1
}

# gateway prints the process of the sample county, which is the program's only child.
gateway() { cat /proc/"$app"/task/*/children | tr -d ' '; }
ended() { [ -z "$(tr -d '\0' 2>/dev/null </proc/"$1"/cmdline)" ]; } # a zombie has no command line
kill_app() {
	county=$(gateway)
	[ -n "$county" ] && ! ended "$county" || return
	kill -KILL "$app"
	wait "$app" 2>/dev/null
	app=""
	until_ 10 ended "$county"
}

# type_form begins a case for somebody who is not in the roster, types a name, goes on to the ID number and types half of it.
type_form() {
	xdotool key Escape Escape Escape # back to 首页
	xdotool key ctrl+f
	xdotool type --delay 40 gljt
	turn || return             # the guide
	xdotool key Return         # whom it is for: the search has the keyboard
	sleep 1
	page=$(title)
	xdotool key Tab Tab Return # 返回, then 不在名册
	until_ 10 turned || return
	sleep 1
	xdotool type --delay 60 "Ma Li"
	xdotool key Tab
	xdotool type --delay 60 9999991941
	until_ 5 draft_kept
}
draft_kept() { status_has '"drafts":1'; }

# form is a mark of what stands in the first two fields and which of them has the keyboard, without the blinking caret:
# the right half of the fields' frames, and what was typed.
form() { import -window root -crop 790x200+410+240 rgba:- | md5sum; }
same_form() { form | grep -q -F -x -f "$work/form"; }

# kill_typing kills the program a second after the last key: what is older than that is never lost.
kill_typing() {
	sleep 1
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do # the caret is there, or not
		form
		sleep 0.1
	done | sort -u >"$work/form"
	[ -s "$work/form" ] && kill_app
}

# resume opens the draft from 首页 with one click and looks for the form as it was.
resume() {
	click 940 490
	until_ 4 same_form
}

start
check "the window opens and has the keyboard" shown
check "the folder is held, nobody is logged in" until_ 20 status_has '"locked":true'
check "a click on the name and the PIN log in" until_ 20 log_in 369 413
check "a case is taken in beside the open window" take_in
check "a second start raises the window and ends" second_start
check "one process holds the folder" one_holder
check "the platform takes the case" until_ 20 status_has '"accepted":1'
check "the case is found and its receipt's code is on the screen" open_receipt
check "a form is begun and typed into" type_form
check "the program is killed while typing, and the sample county ends with it" kill_typing
start
check "the window opens again" shown
check "a click on the name and the PIN log in again" until_ 20 log_in 369 413
check "the draft is back, with the same words and the keyboard in the same field" until_ 20 resume
check "the case is still there" until_ 20 status_has '"accepted":1'
all_done
