#!/bin/sh
# Makes this machine a self-service machine, or takes that back.
# Usage: packaging/kiosk/kiosk.sh install|remove [--root DIR] [--dry-run]
# --root DIR puts the files below DIR and touches neither users nor services; --dry-run only says what would be done.
# remove leaves the data in /var/lib/bianmin-kiosk: cases that were not delivered are in it. It says so.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

usage() {
	echo "usage: kiosk.sh install|remove [--root DIR] [--dry-run]" >&2
	exit 2
}

act=${1:-}
[ "$act" = install ] || [ "$act" = remove ] || usage
shift
root=""
dry=""
while [ $# -gt 0 ]; do
	case $1 in
	--root) [ $# -ge 2 ] || usage
		root=${2%/}
		shift ;;
	--dry-run) dry=1 ;;
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

# ours are the folders that nobody else puts anything into.
ours="/usr/lib/bianmin/kiosk /usr/lib/bianmin"

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

need_root() {
	[ -n "$root" ] || [ -n "$dry" ] || [ "$(id -u)" = 0 ] || {
		echo "需要管理员权限 / run it as root" >&2
		exit 1
	}
}

install_all() {
	need_root
	if [ -z "$root" ] && [ -z "$dry" ]; then
		for p in xinit openbox bianmin; do
			command -v "$p" >/dev/null 2>&1 || {
				echo "缺少 $p，请先安装：xinit openbox xserver-xorg x11-xserver-utils / $p is missing" >&2
				exit 1
			}
		done
	fi
	files | while read -r file place mode; do
		try install -D -m "$mode" "$here/$file" "$root$place"
	done
	on_machine systemd-sysusers /etc/sysusers.d/bianmin-kiosk.conf
	on_machine systemd-tmpfiles --create /etc/tmpfiles.d/bianmin-kiosk.conf
	on_machine udevadm control --reload
	on_machine udevadm trigger
	on_machine sysctl -q -p /etc/sysctl.d/90-bianmin-kiosk.conf
	on_machine systemctl daemon-reload
	on_machine systemctl set-default graphical.target
	on_machine systemctl enable bianmin-kiosk.service
	say "完成：重启后进入自助服务 / done: self-service begins with the next start of the machine"
}

remove_all() {
	need_root
	on_machine systemctl disable --now bianmin-kiosk.service || true
	files | while read -r _ place _; do
		try rm -f "$root$place"
	done
	for d in $ours /etc/systemd/logind.conf.d; do
		[ ! -d "$root$d" ] || [ -n "$(ls -A "$root$d")" ] || try rmdir "$root$d"
	done
	on_machine systemctl daemon-reload
	on_machine udevadm control --reload
	say "完成。数据仍在 /var/lib/bianmin-kiosk，其中可能有未送达的办件 / done. The data stays in /var/lib/bianmin-kiosk: cases may be in it that were not delivered"
}

if [ "$act" = install ]; then install_all; else remove_all; fi
