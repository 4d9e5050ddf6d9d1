#!/bin/sh
# Makes a Debian, UOS or Kylin machine a kiosk, or an ordinary machine again.
#   kiosk.sh install [--root DIR]            the session, its user, device rules; begins at the next start
#   kiosk.sh remove  [--root DIR] [--purge]  all of it gone; --purge: the kiosk's data, too
#   kiosk.sh status  [--root DIR]
# --root works on a folder (an image, a test) and starts nothing.
set -eu

from=$(cd "$(dirname "$0")/files" && pwd)
what=${1:-}
[ $# -gt 0 ] && shift
root=
purge=
while [ $# -gt 0 ]; do
	case $1 in
	--root)
		root=${2:?--root DIR}
		shift
		;;
	--purge) purge=1 ;;
	*) what= ;;
	esac
	shift
done

state=$root/var/lib/bianmin-kiosk-install
list=$state/files
data=$root/var/lib/bianmin-kiosk
alias=$root/etc/systemd/system/display-manager.service
cad=$root/etc/systemd/system/ctrl-alt-del.target

say() { printf '%s\n%s\n' "$1" "$2"; }
die() {
	say "$1" "$2" >&2
	exit 1
}

mayWrite() {
	[ -n "$root" ] || [ "$(id -u)" = 0 ] || die "请用管理员身份运行（sudo）。" "Run this as root (sudo)."
}

# makeDir makes a folder under the root, and notes which ones were not there.
makeDir() {
	path=
	for part in $(echo "$1" | tr / ' '); do
		path=$path${path:+/}$part
		[ -d "$root/$path" ] && continue
		mkdir "$root/$path"
		made="$path
$made"
	done
}

install() {
	mayWrite
	made=
	[ ! -e "$list" ] || die "已经安装。要重新安装请先 remove。" "Installed already. To install again, remove first."
	if [ -z "$root" ]; then
		for p in xinit openbox systemd-sysusers chvt; do
			command -v $p >/dev/null || die "缺少 $p。请先安装：apt install xserver-xorg-core xinit openbox x11-xserver-utils libgl1-mesa-dri kbd" \
				"$p is missing. Install first: apt install xserver-xorg-core xinit openbox x11-xserver-utils libgl1-mesa-dri kbd"
		done
		[ -x /usr/bin/bianmin ] || die "没有 /usr/bin/bianmin。请先安装程序。" "There is no /usr/bin/bianmin. Install the program first."
	fi
	# Nothing of others is written over: look first.
	(cd "$from" && find . -type f | sort) | while read -r f; do
		[ ! -e "$root/${f#./}" ] || die "文件已存在，不会覆盖：$root/${f#./}" "This file is there and is not written over: $root/${f#./}"
	done
	makeDir var/lib/bianmin-kiosk-install
	[ ! -L "$alias" ] || readlink "$alias" >"$state/display-manager"
	for f in $(cd "$from" && find . -type f | sort); do
		f=${f#./}
		echo "$f" >>"$list"
		makeDir "$(dirname "$f")"
		mode=644
		[ ! -x "$from/$f" ] || mode=755
		cp "$from/$f" "$root/$f"
		chmod $mode "$root/$f"
	done
	printf %s "$made" >"$state/folders"
	if [ ! -e "$cad" ] && [ ! -L "$cad" ]; then
		ln -s /dev/null "$cad"
		echo etc/systemd/system/ctrl-alt-del.target >>"$list"
	fi
	if [ -z "$root" ]; then
		systemd-sysusers
		systemd-tmpfiles --create /usr/lib/tmpfiles.d/bianmin-kiosk.conf
		sysctl -q -p /etc/sysctl.d/90-bianmin-kiosk.conf || true
		udevadm control --reload && udevadm trigger --subsystem-match=usbmisc --subsystem-match=tty --subsystem-match=hidraw --subsystem-match=video4linux || true
		systemctl daemon-reload
		systemctl enable --force -q bianmin-kiosk.service
		systemctl set-default -q graphical.target
	fi
	say "已安装。重新启动后，本机就是自助服务终端。" "Installed. After the next start this machine is a kiosk."
}

remove() {
	mayWrite
	[ -e "$list" ] || die "没有安装。" "Not installed."
	[ -n "$root" ] || systemctl disable -q bianmin-kiosk.service || true
	while read -r f; do
		rm -f "$root/$f"
	done <"$list"
	if [ -e "$state/display-manager" ]; then
		ln -sfn "$(cat "$state/display-manager")" "$alias"
	fi
	folders=$(cat "$state/folders")
	rm -rf "$state"
	for d in $folders; do # those that were made, when nobody else uses them
		rmdir "$root/$d" 2>/dev/null || true
	done
	if [ -z "$root" ]; then
		udevadm control --reload || true
		systemctl daemon-reload
	fi
	if [ -n "$purge" ]; then
		rm -rf "$data"
		if [ -z "$root" ]; then
			userdel bianmin-kiosk 2>/dev/null || true
			groupdel bianmin-devices 2>/dev/null || true
		fi
		say "已移除，数据也已删除。" "Removed, and the data with it."
	elif [ -e "$data" ]; then
		say "已移除。数据还在 $data；要一并删除请加 --purge（未上报的办件会丢失）。" "Removed. The data is still in $data; --purge removes it, too (cases that were not sent would be lost)."
	else
		say "已移除。" "Removed."
	fi
}

status() {
	[ -e "$list" ] || die "没有安装。" "Not installed."
	bad=0
	while read -r f; do
		if [ -L "$root/$f" ]; then
			continue
		elif ! cmp -s "$from/$f" "$root/$f"; then
			say "被改动或缺失：$root/$f" "Changed or missing: $root/$f"
			bad=1
		fi
	done <"$list"
	[ $bad = 0 ] || exit 1
	say "已安装，文件完好。" "Installed, all files as they were."
}

case $what in
install | remove | status) $what ;;
*)
	sed -n '2,6s/^# \{0,1\}//p' "$0"
	exit 2
	;;
esac
