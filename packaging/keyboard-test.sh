#!/bin/sh
# Types into a form of the built program in a real window, under a virtual display, by clicks on the keyboard on the screen
# alone, in the standard look, in 长辈版 on a small screen and in 长辈版 on an upright one; then with keys that are pressed.
# What the fields hold is read back through the clipboard.
# Needs bin/bianmin and bin/bianmin-gatewayd; builds nothing. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/.."
name=keyboard-test
. packaging/check.sh

app=""
stop() { [ -z "$app" ] || kill -KILL "$app" 2>/dev/null; }

# begin LOOK WIDTH HEIGHT TOUCH GAP: a display and a window of that size; TOUCH and GAP are the keyboard's measures there.
begin() {
	look=$1 width=$2 height=$3 touch=$4 gap=$5
	data=$work/$look-$width/data
	export HOME="$work/$look-$width/home"
	mkdir -p "$data" "$HOME"
	printf '{"look":"%s","lang":"zh"}\n' "$look" >"$data/settings.json"
	display_up "${width}x$((height + 40))"
	start
}

shown() { opened && until_ 15 fitted; }
# fitted makes the window as large as asked, and tells when it has stayed so for a second.
fitted() {
	sized && sleep 1 && sized && return
	xdotool windowsize "$window" "$width" "$height" windowmove "$window" 0 0
	return 1
}
sized() { xdotool getwindowgeometry "$window" | grep -q "${width}x$height"; }

# key K prints where a key of the full keyboard is, pad K where one of the pads of digits is.
key() { place "$1" full; }
pad() { place "$1" pad; }
place() {
	awk -v k="$1" -v pad="$2" -v W="$width" -v H="$height" -v t="$touch" -v g="$gap" 'BEGIN {
		top = H - (4 * (t + g) + g)
		if (pad == "pad") {
			w = W - 2 * g; if (w > 9 * t) w = 9 * t
			left = (W - w) / 2; unit = (w + g) / 4
			at = index("123456789X0", k) - 1
			x = left + (at % 3 + 0.5) * unit - g / 2; y = top + int(at / 3) * (t + g) + t / 2
		} else {
			w = W - 2 * g; if (w > 26 * t) w = 26 * t
			left = (W - w) / 2; unit = (w + g) / 10
			split("qwertyuiop asdfghjkl zxcvbnm", rows, " "); off[1] = 0; off[2] = 0.5; off[3] = 1.5
			for (r = 1; r <= 3; r++) if (length(k) == 1 && (p = index(rows[r], k))) {
				x = left + (off[r] + p - 0.5) * unit - g / 2; y = top + (r - 1) * (t + g) + t / 2
			}
			if (k == "space") { x = left + 6.75 * unit; y = top + 3 * (t + g) + t / 2 }
			if (k == "back") { x = left + 9.25 * unit; y = top + 2 * (t + g) + t / 2 }
			if (k == "close") { x = left + w - t / 2; y = top - g - t / 2 }
		}
		printf "%d %d\n", x, y
	}'
}

# taps LAYOUT KEY... clicks on keys one after the other.
taps() {
	layout=$1
	shift
	for k in "$@"; do
		click $($layout "$k")
		sleep 0.12
	done
}

# holds TEXT: the field that has the keyboard holds the text. It gets the caret at its end back.
holds() {
	xdotool key ctrl+a ctrl+c End
	sleep 0.2
	[ "$(timeout 2 xclip -o -selection clipboard 2>/dev/null)" = "$1" ]
}

# open_form goes to the first step of 高龄津贴 for somebody who is not in the roster.
open_form() {
	xdotool key ctrl+f
	xdotool type --delay 60 gljt
	sleep 1
	xdotool key Return
	sleep 2
	xdotool key Return
	sleep 2
	xdotool key Tab Tab Return
	until_ 10 status_has '"drafts":1' || sleep 2
}

name_by_keys() {
	click "$1" "$2"
	sleep 1
	taps key z h a n g d a n i a n
	picture "$look-${width}x$height-pinyin"
	taps key space
	until_ 5 holds 张大年
}

# long_press holds the delete key until the field is empty, then types a name again: the field still has the keyboard.
long_press() {
	xdotool mousemove --window "$window" $(key back) mousedown 1
	sleep 4 # repetitions come with frames, which a busy machine paints slowly
	xdotool mouseup 1
	sleep 0.3
	taps key l i u y u z h e n space
	until_ 5 holds 刘玉珍
}

# id_by_keys closes the keyboard, goes to the top of the page, clicks on the field for the ID number and types it.
id_by_keys() {
	taps key close
	sleep 0.5
	xdotool mousemove --window "$window" 600 400 click --repeat 12 --delay 30 4
	sleep 0.3
	click "$1" "$2"
	sleep 1
	picture "$look-${width}x$height-id"
	taps pad 1 1 0 1 0 1 1 9 4 1 0 2 0 3 0 0 2 X
	until_ 5 holds "110101 19410203 002X"
}

# by_hand closes the keyboard and types with keys that are pressed, Shift toggling 中 and 英.
by_hand() {
	xdotool key shift+Tab
	sleep 0.5
	taps key close
	sleep 0.5
	xdotool key ctrl+a BackSpace
	xdotool type --delay 80 wangxiuying
	sleep 0.3
	picture "$look-${width}x$height-strip"
	xdotool key 1
	until_ 5 holds 王秀英 || return 1
	xdotool key BackSpace BackSpace Shift_L
	xdotool type --delay 80 ma
	xdotool key Shift_L
	until_ 5 holds 王ma || return 1
	xdotool key BackSpace BackSpace
	xdotool type --delay 80 xiu
	xdotool key Escape
	until_ 5 holds 王
}

end() {
	kill -KILL "$app"
	wait "$app" 2>/dev/null
	app=""
	display_down
}

# form LOOK WIDTH HEIGHT TOUCH GAP, then where one clicks: the operator, the name, the ID number.
form() {
	begin "$1" "$2" "$3" "$4" "$5"
	on="$1 $2x$3"
	check "$on: the window opens" shown
	check "$on: log in" until_ 20 log_in "$6" "$7"
	check "$on: a form is begun" open_form
	check "$on: a name by clicks on the keys" name_by_keys "$8" "$9"
	check "$on: a long press deletes, the field keeps the keyboard" long_press
	shift 9
	check "$on: an ID number by the pad" id_by_keys "$1" "$2"
	check "$on: composed with keys that are pressed" by_hand
	end
}

form standard 1280 800 50 4 369 413 800 275 600 363
form elder 1024 768 60 6 264 413 600 432 400 560
form elder 1080 1880 78 6 264 963 600 432 400 560
all_done
