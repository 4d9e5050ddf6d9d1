#!/bin/sh
# Boots a self-service machine and tries to get out of it: a fresh Debian below a folder, kiosk.sh install in it, its own
# systemd in a container, Xorg with the dummy driver on the first console. Staff open it, a person types, keys and clicks look
# for a way out, the program, the watchdog, the window manager and X are killed; then kiosk.sh remove, and what is left.
# Usage: boot-test.sh [DIR]; DIR (made when it is not there) keeps the Debian for the next time.
# Not part of "make test": it needs root, a machine with consoles nobody works at, debootstrap, systemd-container and a mirror.
# Needs bin/bianmin and bin/bianmin-gatewayd. BIANMIN_MIRROR names another mirror. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/../.."
dir=${1:-$(mktemp -d)}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
root=$dir/root
passed=0
failed=0
boot=""

packages=systemd-sysv,udev,dbus,libpam-systemd,procps,kmod,xinit,openbox,xserver-xorg-core,xserver-xorg-legacy,xserver-xorg-video-dummy,xserver-xorg-input-libinput,x11-xserver-utils,xdotool,imagemagick,xclip,libgl1,libgl1-mesa-dri,libxcursor1,libxinerama1,libxrandr2,libxxf86vm1,libxi6
[ -d "$root" ] || debootstrap --variant=minbase --include=$packages bookworm "$root" ${BIANMIN_MIRROR:+"$BIANMIN_MIRROR"} >"$dir/debootstrap.log" 2>&1 || exit 1

# container ARGS... runs systemd-nspawn. Its folder in /run has to be in memory.
container() {
	unshare -m sh -c 'mkdir -p /run/systemd/nspawn && mount -t tmpfs tmpfs /run/systemd/nspawn && exec systemd-nspawn -q --register=no --keep-unit -D "$@"' sh "$root" "$@"
}
# inside ARGS... runs a command in the machine that has booted; kiosk ARGS... as the user of the session.
inside() { nsenter -t "$boot" -m -u -i -n -p -- "$@"; }
kiosk() { inside runuser -u bianmin-kiosk -- env HOME=/var/lib/bianmin-kiosk DISPLAY=:0 "$@"; }

finish() {
	[ -z "$boot" ] || kill -KILL "$boot" 2>/dev/null
}
trap finish EXIT
trap 'exit 1' INT TERM

check() {
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
		printf '%-8s%s\n' ok "$name"
		return
	fi
	failed=$((failed + 1))
	printf '%-8s%s\n' FAILED "$name"
	[ -z "$boot" ] || kiosk import -window root png:- >"$dir/failed-$failed.png"
}
until_() {
	local end # one waits inside another
	end=$(($(date +%s) + $1))
	shift
	while ! "$@"; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# state lists what is installed: every file with owner, mode and content.
state() {
	(
		cd "$root" || exit
		files() {
			find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp -o -path ./var/tmp -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/systemd -o -path ./opt -o -path ./srv -o -path ./root -o -path './etc/*-' -o -path ./etc/machine-id \) -prune -o "$@"
		}
		files \( -type f -o -type d -o -type l \) -printf '%p %y %m %u %g %l\n'
		files -type f -print0 | xargs -0 md5sum
	) | LC_ALL=C sort
}

# what the machine has before: the program, a county to belong to, a screen without a screen
install -m 755 bin/bianmin bin/bianmin-gatewayd "$root/usr/bin/"
rm -rf "$root/opt/kiosk" "$root/srv/county" && cp -r packaging/kiosk "$root/opt/kiosk"
cat >"$root/etc/X11/xorg.conf" <<-'CONF'
	Section "Device"
	 Identifier "d"
	 Driver "dummy"
	 VideoRam 64000
	EndSection
	Section "Monitor"
	 Identifier "m"
	 HorizSync 5-1000
	 VertRefresh 5-200
	 Modeline "1280x800" 83.50 1280 1352 1480 1680 800 803 809 831
	EndSection
	Section "Screen"
	 Identifier "s"
	 Device "d"
	 Monitor "m"
	 DefaultDepth 24
	 SubSection "Display"
	  Depth 24
	  Modes "1280x800"
	 EndSubSection
	EndSection
CONF
cat >"$root/etc/systemd/system/county.service" <<-'UNIT'
	[Service]
	ExecStartPre=/usr/bin/bianmin-gatewayd init --data /srv/county --sample --short-host 127.0.0.1:8443
	ExecStart=/usr/bin/bianmin-gatewayd serve --data /srv/county --addr 127.0.0.1:8443
	[Install]
	WantedBy=multi-user.target
UNIT
container --as-pid2 systemctl -q enable county.service 2>/dev/null
container --as-pid2 /opt/kiosk/kiosk.sh remove --purge >/dev/null 2>&1
state >"$dir/before.list"

installed() { container --as-pid2 /opt/kiosk/kiosk.sh install >"$dir/install.log" 2>&1; }
check "kiosk.sh install" installed
container -b --capability=all --private-network --bind=/dev/tty0 --bind=/dev/tty1 --bind=/dev/tty2 --console=read-only systemd.unified_cgroup_hierarchy=0 >"$dir/boot.log" 2>&1 </dev/null &
outer=$!
booted() { # systemd is the child of the container's runner
	boot=$(pgrep -P "$(pgrep -P $outer systemd-nspawn || echo $outer)" systemd) && [ -n "$boot" ] && inside systemctl is-active -q bianmin-kiosk.service 2>/dev/null
}
check "it boots into the session" until_ 60 booted
check "no unit has failed" sh -c '! nsenter -t "$1" -m -u -i -n -p -- systemctl --failed --no-legend | grep .' sh "$boot"
check "udev takes the rules" sh -c '! nsenter -t "$1" -m -n -p -- udevadm test /sys/class/tty/tty0 2>&1 | grep -i "70-bianmin.*\(invalid\|unknown\)"' sh "$boot"
enrolled() {
	code=$(inside bianmin-gatewayd enroll --data /srv/county --json 2>/dev/null | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')
	[ -n "$code" ] && kiosk bianmin enroll --gateway https://127.0.0.1:8443 --code "$code" >/dev/null
}
check "the user of the session enrols it" until_ 20 enrolled
# pids: of the watchdog and of the program that it has started
watchdog() { inside pgrep -o -x bianmin; }
program() { inside pgrep -n -x bianmin; }
another() { now=$(program) && [ -n "$now" ] && [ "$now" != "$1" ] && [ "$now" != "$(watchdog)" ]; }
kill_program() {
	was=$(program)
	inside kill -KILL "$was"
	until_ 10 another "$was"
}
check "the program is killed and comes back with the machine's folder" kill_program
look() { kiosk import -window root rgba:- | md5sum; }
window() { kiosk timeout 5 xdotool search --sync --onlyvisible --pid "$(program)" 2>/dev/null | head -n 1; }
fills() { [ "$(kiosk xdotool getwindowgeometry "$(window)" 2>/dev/null | sed -n 's/.*Geometry: //p')" = 1280x800 ]; }
check "it fills the screen" until_ 20 fills
has() { kiosk bianmin status --json | grep -q "$1"; }
log_in() {
	kiosk xdotool mousemove 369 433 click 1
	kiosk xdotool type --delay 60 246810
	kiosk xdotool key Return
	until_ 5 has '"locked":false'
}
check "staff open it with their PIN" until_ 30 log_in
type_form() {
	sleep 1
	kiosk xdotool mousemove 614 270 click 1
	sleep 2
	kiosk xdotool key Return
	sleep 2
	kiosk xdotool type --delay 60 "Ma Li"
	kiosk xdotool key Tab
	kiosk xdotool type --delay 60 9999991941
	until_ 10 has '"drafts":1'
}
check "a person begins a case and types" type_form
form() { kiosk import -window root -crop 700x260+120+200 rgba:- | md5sum; }
remember() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do form; sleep 0.1; done | sort -u >"$dir/form"; }
same_form() { form | grep -q -F -x -f "$dir/form"; }
again() { another "$was" && same_form; }
no_way_out() {
	was=$(program)
	for k in alt+F4 alt+Tab alt+Escape super super+d super+e ctrl+alt+t ctrl+alt+Delete ctrl+alt+BackSpace ctrl+alt+F1 ctrl+alt+F2 ctrl+alt+F7 alt+F2 alt+space ctrl+q ctrl+w ctrl+n ctrl+o ctrl+p ctrl+s F11 Print alt+Print Menu; do
		kiosk xdotool key "$k"
	done
	for b in 2 3; do
		kiosk xdotool mousemove 640 30 click $b mousemove 1270 790 click $b mousemove 2 400 click $b
	done
	sleep 1
	[ "$(program)" = "$was" ] && fills && [ "$(kiosk xdotool search --onlyvisible --name . | wc -l)" -le 2 ] && [ "$(inside cat /sys/class/tty/tty0/active)" = tty1 ]
}
sleep 2
remember
for n in 1 2 3 4 5; do
	was=$(program)
	inside kill -KILL "$was"
	from=$(date +%s%N)
	check "killed: the same question with the same words within ten seconds ($n)" until_ 10 again
	echo "        after $((($(date +%s%N) - from) / 1000000)) ms"
done
check "no key and no click leads out" no_way_out
nobody_else() { [ -z "$(inside pgrep -u bianmin-kiosk -l | grep -v -E ' (xinit|session|sh|openbox|bianmin|systemd|\(sd-pam\)|\(sd-pam|sleep)$')" ]; }
check "nothing but the session runs as its user" nobody_else
kill_wm() {
	inside pkill -KILL -x openbox
	sleep 1
	fills
}
check "without the window manager there is still no way out" kill_wm
kill_watchdog() {
	was=$(watchdog)
	inside kill -KILL "$was"
	watched() { now=$(watchdog) && [ "$now" != "$was" ] && [ "$(program)" != "$now" ] && fills; }
	until_ 30 watched
}
check "the watchdog is killed: the session starts another" kill_watchdog
x_again() {
	was=$(inside pgrep -x Xorg)
	inside kill -KILL "$was"
	x_is_back() { now=$(inside pgrep -x Xorg) && [ "$now" != "$was" ] && fills; }
	until_ 30 x_is_back
}
check "X is killed: systemd starts the session again" x_again
inside sh -c '/opt/kiosk/kiosk.sh remove --purge' >"$dir/remove.log" 2>&1
nothing_runs() { ! inside ps -eo user:20,comm | grep -E 'bianmin-kiosk|Xorg|xinit|openbox'; }
check "removal leaves nothing that runs" nothing_runs
kill -KILL "$boot"
wait "$outer" 2>/dev/null
boot=""
state >"$dir/after.list"
nothing_left() { diff "$dir/before.list" "$dir/after.list" >"$dir/left.diff" || { head -n 20 "$dir/left.diff" && return 1; }; }
check "removal leaves no file" nothing_left
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
