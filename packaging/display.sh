# Sourced by scripts that need a display: a virtual one with a window manager (windows get no focus without).

# display_up [WIDTHxHEIGHT]; with WITHOUT_WM set who calls brings a window manager of its own.
display_up() {
	DISPLAY_DIR=$(mktemp -d)
	mkfifo "$DISPLAY_DIR/number"
	Xvfb -displayfd 3 -screen 0 "${1:-1280x800}x24" -nolisten tcp 3>"$DISPLAY_DIR/number" >"$DISPLAY_DIR/xvfb.log" 2>&1 &
	XVFB_PID=$!
	read -r number <"$DISPLAY_DIR/number"
	export DISPLAY=":$number" LANG=C.UTF-8 LIBGL_ALWAYS_SOFTWARE=1
	OPENBOX_PID=""
	[ -n "${WITHOUT_WM:-}" ] && return
	openbox >"$DISPLAY_DIR/openbox.log" 2>&1 &
	OPENBOX_PID=$!
}

display_down() {
	kill $OPENBOX_PID "$XVFB_PID" 2>/dev/null || true
	wait $OPENBOX_PID "$XVFB_PID" 2>/dev/null || true
	rm -rf "$DISPLAY_DIR"
}

# display_window SECONDS PID prints the id of the process's window as soon as it is shown.
display_window() {
	timeout "$1" xdotool search --sync --onlyvisible --pid "$2" | head -n 1
}
