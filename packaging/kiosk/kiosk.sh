#!/bin/sh
# Makes this machine a self-service machine, or takes that back.
# Usage: packaging/kiosk/kiosk.sh install|remove [--root DIR] [--dry-run] [--purge]
# --root DIR puts the files below DIR and touches neither users nor services; --dry-run only says what would be done.
# remove leaves the data in /var/lib/bianmin-kiosk, with the user it belongs to: cases that were not delivered are in it. It
# says so. With --purge, or where there is no data, nothing is left at all.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

usage() {
	echo "usage: kiosk.sh install|remove [--root DIR] [--dry-run] [--purge]" >&2
	exit 2
}

act=${1:-}
[ "$act" = install ] || [ "$act" = remove ] || usage
shift
root=""
dry=""
purge=""
while [ $# -gt 0 ]; do
	case $1 in
	--root) [ $# -ge 2 ] || usage
		root=${2%/}
		shift ;;
	--dry-run) dry=1 ;;
	--purge) purge=1 ;;
	*) usage ;;
	esac
	shift
done

# file, place, mode
files() {
	cat <<-LIST
		bianmin-kiosk.service /etc/systemd/system/bianmin-kiosk.service 644
		session /usr/lib/bianmin/kiosk/session 755
		openbox.xml /usr/lib/bianmin/kiosk/openbox.xml 644
		10-bianmin-kiosk.conf /etc/X11/xorg.conf.d/10-bianmin-kiosk.conf 644
		70-bianmin-devices.rules /etc/udev/rules.d/70-bianmin-devices.rules 644
		bianmin-kiosk.sysusers /etc/sysusers.d/bianmin-kiosk.conf 644
		bianmin-kiosk.tmpfiles /etc/tmpfiles.d/bianmin-kiosk.conf 644
		90-bianmin-kiosk.sysctl /etc/sysctl.d/90-bianmin-kiosk.conf 644
		logind.conf /etc/systemd/logind.conf.d/bianmin-kiosk.conf 644
	LIST
}

# ours are the folders that nobody else puts anything into; kept is where what was there before is noted for remove.
ours="/usr/lib/bianmin/kiosk /usr/lib/bianmin"
kept=/usr/lib/bianmin/kiosk/before
home=/var/lib/bianmin-kiosk

say() { echo "$*"; }
try() {
	say "$*"
	[ -n "$dry" ] || "$@"
}

# on_machine runs what only the machine itself has: users, services, rules.
on_machine() {
	[ -z "$root" ] || return 0
	try "$@"
}

# live runs what changes the running system. Where the system that is being set up does not run (an image, a chroot) there
# is nothing to change: it begins with its next start.
live() {
	[ -z "$root" ] || return 0
	[ -n "$dry" ] || [ -d /run/systemd/system ] || return 0
	say "$*"
	[ -n "$dry" ] || "$@" || say "没有成功，重启后生效 / it failed and takes effect with the next start: $*"
}

need_root() {
	[ -n "$root" ] || [ -n "$dry" ] || [ "$(id -u)" = 0 ] || {
		echo "需要管理员权限 / run it as root" >&2
		exit 1
	}
}

# note keeps what install is about to change: the target of the start, the desktop's own login, the magic keys. A second
# install finds the note of the first and leaves it.
note() {
	[ -z "$root" ] && [ -z "$dry" ] && [ ! -e "$kept" ] || return 0
	{
		echo "target=$(systemctl get-default 2>/dev/null || true)"
		login=$(readlink /etc/systemd/system/display-manager.service || true)
		echo "login=${login##*/}"
		echo "sysrq=$(cat /proc/sys/kernel/sysrq 2>/dev/null || true)"
	} >"$kept"
}

# before NAME prints what was noted.
before() { sed -n "s/^$1=//p" "$kept" 2>/dev/null || true; }

install_all() {
	need_root
	if [ -z "$root" ] && [ -z "$dry" ]; then
		for p in X xinit openbox xset bianmin; do
			command -v "$p" >/dev/null 2>&1 || {
				echo "缺少 $p，请先安装：xinit openbox xserver-xorg x11-xserver-utils / $p is missing" >&2
				exit 1
			}
		done
	fi
	files | while read -r file place mode; do
		try install -D -m "$mode" "$here/$file" "$root$place"
	done
	note
	on_machine systemd-sysusers /etc/sysusers.d/bianmin-kiosk.conf
	on_machine systemd-tmpfiles --create /etc/tmpfiles.d/bianmin-kiosk.conf
	live udevadm control --reload
	live udevadm trigger
	live sysctl -q -p /etc/sysctl.d/90-bianmin-kiosk.conf
	live systemctl daemon-reload
	[ -z "$(before login)" ] || on_machine systemctl disable "$(before login)"
	[ "$(before target)" = graphical.target ] || on_machine systemctl set-default graphical.target
	on_machine systemctl enable bianmin-kiosk.service
	say "完成：重启后进入自助服务 / done: self-service begins with the next start of the machine"
}

remove_all() {
	need_root
	live systemctl stop bianmin-kiosk.service
	if [ -n "$dry" ] || [ -e "$root/etc/systemd/system/bianmin-kiosk.service" ]; then
		on_machine systemctl disable bianmin-kiosk.service
	fi
	[ -z "$(before login)" ] || on_machine systemctl enable "$(before login)"
	case $(before target) in
	"" | graphical.target) ;;
	*) on_machine systemctl set-default "$(before target)" ;;
	esac
	[ -z "$(before sysrq)" ] || live sysctl -q -w "kernel.sysrq=$(before sysrq)"
	files | while read -r _ place _; do
		try rm -f "$root$place"
	done
	try rm -f "$root$kept"
	for d in $ours /etc/systemd/logind.conf.d /etc/X11/xorg.conf.d /etc/sysusers.d; do
		[ ! -d "$root$d" ] || [ -n "$(ls -A "$root$d")" ] || try rmdir "$root$d"
	done
	live systemctl daemon-reload
	live udevadm control --reload
	live udevadm trigger
	if [ -z "$root" ] && { [ -n "$purge" ] || [ -z "$(ls -A "$home" 2>/dev/null)" ]; }; then
		forget
		say "完成，什么都没有留下 / done, and nothing is left"
		return
	fi
	say "完成。数据仍在 $home，其中可能有未送达的办件 / done. The data stays in $home: cases may be in it that were not delivered"
}

# forget takes the user, the groups and the data away.
forget() {
	live loginctl terminate-user bianmin-kiosk
	if [ -z "$dry" ] && [ -d /run/systemd/system ]; then
		for _ in 1 2 3 4 5 6 7 8 9 10; do # a user at work cannot be taken away
			pgrep -u bianmin-kiosk >/dev/null 2>&1 || break
			sleep 1
		done
	fi
	try rm -rf "$home"
	if getent passwd bianmin-kiosk >/dev/null; then try userdel bianmin-kiosk; fi
	for g in bianmin-kiosk bianmin-devices; do
		if getent group "$g" >/dev/null; then try groupdel "$g"; fi
	done
}

if [ "$act" = install ]; then install_all; else remove_all; fi
