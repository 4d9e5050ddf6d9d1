#!/bin/sh
# Runs the tests of what decides on Windows under Wine: keys and DPAPI, database and mirror, erasing, the line, the gateway.
# Wine is not Windows: what it shows is that the program's Windows code does what it says (sealing by DPAPI, files that are open and
# cannot be replaced, folders that cannot be synced, locks). Not run here: the control socket (this Wine has no AF_UNIX), windows,
# printers, and what asks for other programs (OpenSSL, zbarimg, node).
# Needs wine and gcc-mingw-w64-x86-64-win32 (make windows-test installs them), and some minutes. The last line is "N passed, M failed".
# Usage: packaging/windows/test.sh [package...]
set -u
cd "$(dirname "$0")/../.."

all="offline/vault offline/store offline/desk offline/canon offline/casefile offline/catalog offline/clocks offline/form offline/frame
offline/ident offline/journal offline/packet offline/people offline/picture offline/private offline/receipt
sync/wire sync/client sync/engine sync/faultnet sync/link sync/gateway sync/gateway/sqlite"
skip='OpenSSL|TestSlip'

work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG=-all LANG=C.UTF-8 GOTOOLCHAIN=local
unset DISPLAY WAYLAND_DISPLAY
finish() {
	wineserver -k 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

wine wineboot -i >"$work/boot.log" 2>&1
system="$WINEPREFIX/drive_c/windows/system32"
[ -d "$system" ] || {
	cat "$work/boot.log"
	echo "0 passed, 1 failed"
	exit 1
}
if [ ! -f "$system/bcryptprimitives.dll" ]; then
	x86_64-w64-mingw32-gcc -shared -O2 -s -o "$system/bcryptprimitives.dll" packaging/windows/bcryptprimitives.c || exit 1
fi

# This Wine answers STATUS_NOT_IMPLEMENTED to the newest way of removing a file; Go then does not try the older one, and no test
# could clear its folder. The overlay lets it.
root=$(go env GOROOT)
removing=$root/src/internal/syscall/windows/at_windows.go
sed 's|^\tcase STATUS_INVALID_INFO_CLASS,|\tcase NTStatus(0xC0000002), STATUS_INVALID_INFO_CLASS,|' "$removing" >"$work/at_windows.go"
printf '{"Replace":{"%s":"%s"}}\n' "$removing" "$work/at_windows.go" >"$work/overlay.json"

passed=0
failed=0
for p in ${*:-$all}; do
	from=$(date +%s)
	exe=$work/$(echo "$p" | tr / _).exe
	if ! GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go test -c -overlay "$work/overlay.json" -tags no_emoji,migrated_fynedo,test,nowindow -o "$exe" "./$p"; then
		printf 'FAILED  %s does not build\n' "$p"
		failed=$((failed + 1))
		continue
	fi
	[ -f "$exe" ] || continue # no tests
	if (cd "$p" && timeout 900 wine "$exe" -test.skip "$skip" -test.v) >"$work/log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok      %-24s %4d tests %4d s\n' "$p" "$(grep -c '^--- PASS' "$work/log")" $(($(date +%s) - from))
	else
		failed=$((failed + 1))
		printf 'FAILED  %s\n' "$p"
		grep -v -E '^(=== RUN|=== PAUSE|=== CONT|--- PASS|    --- PASS)' "$work/log" | tail -n 40
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
