#!/bin/sh
# Runs every fuzz target of the project for so long: packaging/fuzz.sh 10s, or so many inputs: packaging/fuzz.sh 300x.
# With a second argument N every Nth target only, others on other days: packaging/fuzz.sh 5s 10.
# What it finds stands in the package's testdata/fuzz and fails every later test until it is mended.
set -eu
cd "$(dirname "$0")/.."
for_each=${1:-10s}
every=${2:-1}
turn=$(($(date +%s) / 86400))
passed=0
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for file in $(grep -rlE '^func Fuzz' --include='*_test.go' app offline sync assets | sort); do
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$file"); do
		turn=$((turn + 1))
		[ $((turn % every)) = 0 ] || continue
		if CGO_ENABLED=0 go test -tags "${HTAGS:-no_emoji,migrated_fynedo,test,nowindow}" -run '^$' -fuzz "^$name\$" -fuzztime "$for_each" \
			-fuzzminimizetime 5x "./$(dirname "$file")" >"$out" 2>&1; then
			passed=$((passed + 1))
		elif grep -q '^    context deadline exceeded$' "$out" && ! grep -qE 'Failing input|panic:|--- FAIL: .*/' "$out"; then
			passed=$((passed + 1)) # the tool takes its own deadline for a failure now and then; no input failed
		else
			failed=$((failed + 1))
			echo "$(dirname "$file") $name:"
			tail -n 30 "$out"
		fi
	done
done
echo "fuzz: $passed passed, $failed failed"
[ "$failed" = 0 ]
