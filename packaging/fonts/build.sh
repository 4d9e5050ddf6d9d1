#!/bin/sh
# Builds the two interface fonts from Debian's fonts-noto-cjk. Run it again only when the character set in
# subset.py changes: the results are committed, and two runs on the same Debian release give the same bytes.
#
#   apt-get install fonts-noto-cjk python3-fonttools unicode-data
#   packaging/fonts/build.sh
set -eu
python=${PYTHON:-/usr/bin/python3}
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../assets/fonts}
noto=${NOTO_DIR:-/usr/share/fonts/opentype/noto}
unihan=${UNIHAN:-/usr/share/unicode/Unihan_OtherMappings.txt.bz2}

for need in "$noto/NotoSansCJK-Regular.ttc" "$noto/NotoSansCJK-Bold.ttc" "$unihan"; do
	[ -f "$need" ] || { echo "build.sh: $need is missing (see the packages named above)" >&2; exit 1; }
done

# fontTools writes this instant into the head table instead of the current time.
SOURCE_DATE_EPOCH=1577836800
PYTHONHASHSEED=0
export SOURCE_DATE_EPOCH PYTHONHASHSEED

mkdir -p "$out/testdata"
"$python" "$here/subset.py" --unihan "$unihan" --list "$out/testdata/tgh8105.bin.gz" \
	--face "$noto/NotoSansCJK-Regular.ttc" --style Regular --out "$out/BianminSansSC-Regular.otf"
"$python" "$here/subset.py" --unihan "$unihan" \
	--face "$noto/NotoSansCJK-Bold.ttc" --style Bold --out "$out/BianminSansSC-Bold.otf"
(cd "$out" && sha256sum BianminSansSC-*.otf)
