# Sourced by tests that drive the built program in a real window, from the top of the project: the programs, a folder of its own, a
# home, and what counts the checks. The test sets name before, and may define stop, which ends what it started. BIANMIN_BIN names another folder with the two programs; BIANMIN_SHOTS a folder for pictures.
. packaging/display.sh

bin=${BIANMIN_BIN:-$PWD/bin}
passed=0
failed=0
from=$(date +%s)
for p in bianmin bianmin-gatewayd; do
	if [ ! -x "$bin/$p" ]; then
		echo "$name: $bin/$p is not there; run \"make build\" first"
		echo "0 passed, 1 failed"
		exit 1
	fi
done
work=$(mktemp -d)
data=$work/data
export HOME="$work/home" BIANMIN_LANG=zh
unset XDG_DATA_HOME XDG_CONFIG_HOME WAYLAND_DISPLAY FYNE_SCALE FYNE_THEME FYNE_FONT
mkdir "$HOME"

stop() { :; }
finish() {
	stop
	display_down
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '%-8s%s\n' "$1" "$2"; }

# picture NAME keeps what is on the screen, when somebody wants it.
picture() {
	[ -z "${BIANMIN_SHOTS:-}" ] || import -window root "$BIANMIN_SHOTS/$1.png"
}

# check NAME COMMAND... counts. What fails leaves a picture of the screen and ends the test: nothing after it would hold.
check() {
	what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		say ok "$what"
		picture "$name-$passed"
		return
	fi
	failed=$((failed + 1))
	shot=$(mktemp --suffix .png "/tmp/bianmin-$name-XXXXXX")
	import -window root "$shot"
	say FAILED "$what"
	echo "the screen: $shot"
	sed 's/^/  /' "$work"/*.err 2>/dev/null | tail -n 20
	echo "$passed passed, $failed failed"
	exit 1
}

# until_ SECONDS COMMAND... tries until it succeeds.
until_() {
	local end # one waits inside another
	end=$(($(date +%s) + $1))
	shift
	while ! "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# all_done prints the last lines.
all_done() {
	echo "$name: $(($(date +%s) - from)) s"
	echo "$passed passed, $failed failed"
}

# start OPTION... opens the program's window, opened waits for it and finds it.
start() {
	"$bin/bianmin" demo --data "$data" "$@" >"$work/app.out" 2>"$work/app.err" &
	app=$!
}
opened() {
	window=$(display_window 30 "$app")
	[ -n "$window" ]
}
bianmin() { "$bin/bianmin" "$@" --data "$data" 2>>"$work/command.err"; }
status_has() { bianmin status --json | grep -q "$1"; }
click() { xdotool mousemove --window "$window" "$1" "$2" click 1; }

# log_in X Y clicks on a name and types the PIN. The list of names comes a moment after the window: click until it takes.
log_in() {
	click "$1" "$2"
	xdotool type --delay 40 246810
	until_ 4 status_has '"locked":false'
}
