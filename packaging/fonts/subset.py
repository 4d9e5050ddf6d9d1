#!/usr/bin/env python3
"""Cuts one weight of Noto Sans CJK SC down to what the Bianmin interface shows.

Kept: all 8105 characters of the Table of General Standard Chinese Characters (Unihan property kTGH, read at
build time, never copied by hand), ASCII, Latin-1, pinyin vowels, Chinese and general punctuation, full-width
forms, arrows, shapes and the few symbols the screens use. Outlines stay CFF: the toolkit holds TrueType outlines
at three to four times their file size and CFF at little more than one.

Line metrics are set to 1.03 em above and 0.27 em below the baseline, 1.3 em together: the least line spacing the
old-age rules ask for, with Chinese characters in the optical middle of the line.
"""

import argparse
import bz2
import gzip
import re
import struct

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

FACE_NAME = "Noto Sans CJK SC"
FAMILY = "Bianmin Sans SC"
ASCENT_PER_MILLE = 1030
DESCENT_PER_MILLE = 270
FONT_REVISION = 1.0

RANGES = [
    (0x0020, 0x007E),  # ASCII
    (0x00A0, 0x00FF),  # Latin-1, with the middle dot of minority names (U+00B7) and the yen sign
    (0x2010, 0x2027),  # dashes, quotes, ellipsis
    (0x2030, 0x203B),  # per mille, primes, reference mark
    (0x2160, 0x216B),  # Roman numerals
    (0x2190, 0x2199),  # arrows
    (0x2460, 0x2473),  # circled numbers
    (0x2500, 0x257F),  # box drawing
    (0x3000, 0x3017),  # Chinese punctuation and brackets
    (0xFF01, 0xFF5E),  # full-width forms
    (0xFFE0, 0xFFE5),  # full-width signs
]
SYMBOLS = (
    "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹ"
    "■□▲△▶▷▼▽◀◁◆◇○◎●★☆✓✔✗✘♀♂〇℃℉℡№™€×÷±≈≠≤≥∞√∑∠㎡㎏㎜㎝㎞㊣〾〡〢〣〤〥〦〧〨〩"
)


def standard_characters(path):
    """Code points with a kTGH value: the 8105 standard characters."""
    line = re.compile(r"^U\+([0-9A-F]{4,6})\tkTGH\t")
    found = set()
    with bz2.open(path, "rt", encoding="utf-8") as table:
        for text in table:
            match = line.match(text)
            if match:
                found.add(int(match.group(1), 16))
    if len(found) != 8105:
        raise SystemExit(f"subset.py: {path} lists {len(found)} standard characters, not 8105")
    return sorted(found)


def write_list(path, points):
    """Big-endian 32-bit code points, gzip without name or time."""
    raw = b"".join(struct.pack(">I", p) for p in points)
    with open(path, "wb") as out:
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=9) as packed:
            packed.write(raw)


def pick_face(path):
    """The simplified-Chinese face of the collection, as a font of its own."""
    for index, font in enumerate(TTCollection(path, lazy=True).fonts):
        if font["name"].getDebugName(1) == FACE_NAME or font["name"].getDebugName(16) == FACE_NAME:
            return TTFont(path, fontNumber=index)
    raise SystemExit(f"subset.py: {path} has no face {FACE_NAME}")


def rename(font, style):
    """Names the cut font after the product, keeping copyright and licence records."""
    post = FAMILY.replace(" ", "") + "-" + style
    names = {
        1: FAMILY,
        2: style,
        3: f"{FONT_REVISION:.3f};{post}",
        4: f"{FAMILY} {style}",
        5: f"Version {FONT_REVISION:.3f}",
        6: post,
    }
    table = font["name"]
    table.names = [n for n in table.names if n.nameID in (0, 13, 14) and n.langID == 0x409]
    for name_id, text in names.items():
        table.setName(text, name_id, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [post]
    top[0].FullName = f"{FAMILY} {style}"
    top[0].FamilyName = FAMILY


def set_line_metrics(font):
    """Gives every table that a renderer may ask the same line height."""
    em = font["head"].unitsPerEm
    up, down = em * ASCENT_PER_MILLE // 1000, em * DESCENT_PER_MILLE // 1000
    font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = up, -down, 0
    os2 = font["OS/2"]
    os2.sTypoAscender, os2.sTypoDescender, os2.sTypoLineGap = up, -down, 0
    os2.usWinAscent, os2.usWinDescent = up, down


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--unihan", required=True)
    args.add_argument("--face", required=True)
    args.add_argument("--style", required=True)
    args.add_argument("--out", required=True)
    args.add_argument("--list", help="also write the 8105 code points here")
    opt = args.parse_args()

    standard = standard_characters(opt.unihan)
    if opt.list:
        write_list(opt.list, standard)
    wanted = set(standard) | {ord(c) for c in SYMBOLS}
    for first, last in RANGES:
        wanted.update(range(first, last + 1))

    font = pick_face(opt.face)
    missing = [hex(p) for p in standard if p not in font.getBestCmap()]
    if missing:
        raise SystemExit(f"subset.py: the source font lacks {missing}")

    options = subset.Options()
    options.layout_features = ["kern"]
    options.layout_scripts = ["DFLT", "latn", "hani"]
    options.hinting = False
    options.desubroutinize = False
    options.notdef_outline = True
    options.name_IDs = ["*"]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted)
    cutter.subset(font)
    rename(font, opt.style)
    set_line_metrics(font)
    font["head"].fontRevision = FONT_REVISION
    font.recalcTimestamp = True
    font.save(opt.out)
    print(f"{opt.out}: {len(font.getGlyphOrder())} glyphs, {len(standard)} standard characters")


if __name__ == "__main__":
    main()
