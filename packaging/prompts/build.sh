#!/bin/sh
# Records the phrases of assets/prompts/phrases.tsv in Mandarin, Cantonese and English with espeak-ng, as WAV files in
# IMA ADPCM (16 kHz, one channel, 8 kB a second). Needs espeak-ng, sox and Go. The result is committed.
# BIANMIN_PROMPTS names another folder for the recordings: a test compares them with the committed ones.
set -eu
cd "$(dirname "$0")/../.."
phrases=assets/prompts/phrases.tsv
out=${BIANMIN_PROMPTS:-assets/prompts}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# record VOICE FILE: speaks stdin into a file, without silence at the ends.
record() {
	espeak-ng -v "$1" -s 145 -g 1 --stdin -w "$work/raw.wav"
	sox -q "$work/raw.wav" -r 16000 -c 1 -e ima-adpcm "$2" silence 1 0.02 0.3% reverse silence 1 0.05 0.3% reverse pad 0.02 0.06 norm -3
}

go build -o "$work/pinyin" ./packaging/prompts/pinyin
for voice in cmn yue en; do
	rm -rf "${out:?}/$voice"
	mkdir "$out/$voice"
done
while IFS="$(printf '\t')" read -r id zh en; do
	# The Mandarin voice of Debian's espeak-ng knows no characters: it gets pinyin.
	printf '%s\n' "$zh" | "$work/pinyin" | record cmn-latn-pinyin "$out/cmn/$id.wav"
	printf '%s\n' "$zh" | record yue "$out/yue/$id.wav"
	printf '%s\n' "$en" | record en "$out/en/$id.wav"
done <"$phrases"
du -sh "$out"
