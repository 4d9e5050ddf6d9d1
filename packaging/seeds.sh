#!/bin/sh
# Keeps a small part of what long fuzzing found: packaging/seeds.sh [N]. For each target it copies at most N (12) inputs of
# at most 2 KB from Go's cache, spread over their sizes, into the package's testdata/fuzz, where every test runs them.
set -eu
cd "$(dirname "$0")/.."
most=${1:-12}
cache=$(go env GOCACHE)/fuzz/bianmin
for file in $(grep -rlE '^func Fuzz' --include='*_test.go' app offline sync assets | sort); do
	dir=$(dirname "$file")
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9]+)\(.*/\1/p' "$file"); do
		from=$cache/$dir/$name
		[ -d "$from" ] || continue
		to=$dir/testdata/fuzz/$name
		list=$(find "$from" -type f -size -2048c -printf '%s %f\n' | sort -n -k1,1 -k2,2 | cut -d' ' -f2)
		count=$(echo "$list" | grep -c . || true)
		[ "$count" -gt 0 ] || continue
		mkdir -p "$to"
		step=$(((count + most - 1) / most))
		echo "$list" | awk -v step="$step" 'NR % step == 0' | while read -r seed; do
			cp "$from/$seed" "$to/$seed"
		done
	done
done
du -sh --total $(find app offline sync assets -path '*testdata/fuzz' -type d) | tail -n 1
