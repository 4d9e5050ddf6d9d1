package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// left are the code points of the private-use area that GB 18030-2005 still gave to characters, with where GB 18030-2022
// puts them (its table of changed assignments; the six of them that 2022 leaves in place map as Unicode has had them since).
var left = map[rune]rune{
	0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7,
	0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA, 0xE855: 0x241FE, 0xE864: 0x9FBB,
}

// Old lists the code points that old systems wrote for characters, a line each: the old one and the standard one, in hexadecimal.
//   - compatibility ideographs, by their canonical decomposition (UnicodeData.txt);
//   - radicals that are symbols, not characters (EquivalentUnifiedIdeograph.txt);
//   - the private-use area of GBK and GB 18030-2005, by the bytes that wrote it.
func Old(in Inputs) ([]byte, error) {
	to := map[rune]rune{}
	err := eachLine(filepath.Join(in.Unicode, "UnicodeData.txt"), func(line string) error {
		f := strings.Split(line, ";")
		if !strings.HasPrefix(f[1], "CJK COMPATIBILITY IDEOGRAPH-") || f[5] == "" {
			return nil
		}
		return put(to, f[0], f[5])
	})
	if err != nil {
		return nil, err
	}
	err = eachLine(filepath.Join(in.Unicode, "EquivalentUnifiedIdeograph.txt"), func(line string) error {
		from, std, _ := strings.Cut(line, ";")
		first, last, ranged := strings.Cut(strings.TrimSpace(from), "..")
		if !ranged {
			last = first
		}
		a, err := strconv.ParseUint(first, 16, 32)
		if err != nil {
			return err
		}
		b, err := strconv.ParseUint(last, 16, 32)
		if err != nil {
			return err
		}
		for r := a; r <= b; r++ {
			if r >= 0x31C0 && r <= 0x31EF {
				continue // strokes are no characters of names
			}
			if err := put(to, strconv.FormatUint(r, 16), strings.TrimSpace(std)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	// GBK's two-byte codes FE50 to FEA0 were the private-use code points from U+E815 on.
	r := rune(0xE815)
	for second := byte(0x50); second <= 0xA0; second++ {
		if second == 0x7F {
			continue
		}
		std := left[r]
		if std == 0 {
			b, err := simplifiedchinese.GB18030.NewDecoder().Bytes([]byte{0xFE, second})
			if err != nil {
				return nil, err
			}
			std, _ = one(string(b))
		}
		if u, ok := to[std]; ok { // a radical
			std = u
		}
		if std >= 0xE000 && std <= 0xF8FF || std == 0 {
			return nil, fmt.Errorf("FE%02X: no standard character", second)
		}
		to[r] = std
		r++
	}
	var b bytes.Buffer
	for _, r := range slices.Sorted(maps.Keys(to)) {
		fmt.Fprintf(&b, "%04X %04X\n", r, to[r])
	}
	return b.Bytes(), nil
}

func put(to map[rune]rune, from, std string) error {
	a, err := strconv.ParseUint(strings.TrimSpace(from), 16, 32)
	if err != nil {
		return err
	}
	b, err := strconv.ParseUint(strings.TrimSpace(std), 16, 32)
	if err != nil {
		return err
	}
	to[rune(a)] = rune(b)
	return nil
}
