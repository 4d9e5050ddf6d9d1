#!/bin/sh
# Installs what is missing to build, run and test on a Debian-like machine. Does nothing when all is there.
# Usage: packaging/setup.sh run|test|windows
set -eu

build="espeak-ng gcc pkg-config libgl1-mesa-dev xorg-dev libxkbcommon-dev libwayland-dev libgl1-mesa-dri fonts-hanazono"
test="xvfb openbox xdotool xclip imagemagick zbar-tools openssl jq xxd zstd binutils chromium fonts-noto-cjk python3-fonttools unicode-data nodejs npm strace e2fsprogs xfsprogs swtpm cups-ipp-utils dbus-daemon poppler-utils tesseract-ocr sox x11-xserver-utils"

windows="wine wine64 gcc-mingw-w64-x86-64-win32" # some 700 MB; only for the tests of the Windows code

case "${1:-run}" in
run) want=$build ;;
windows) want=$windows ;;
*) want="$build $test" ;;
esac

missing=""
for p in $want; do
	case $p in
	nodejs | npm) command -v "$(echo "$p" | sed s/nodejs/node/)" >/dev/null 2>&1 && continue ;;
	openssl | chromium) command -v "$p" >/dev/null 2>&1 && continue ;;
	esac
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "缺少软件包，请先安装：$missing" >&2
	echo "These packages are missing and apt-get is not here to install them:$missing" >&2
	exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "需要管理员权限安装：$missing / root or sudo is needed to install:$missing" >&2
		exit 1
	}
	sudo=sudo
fi
echo "正在安装 / installing:$missing"
$sudo env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null"
