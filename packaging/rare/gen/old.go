package main

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// The bytes FE50 to FEA0 are where GBK had characters that Unicode lacked, under the private-use code points from U+E815 on.
// Two tables of GB 18030 say what the bytes mean: that of golang.org/x/text, which follows the editions of 2000 and 2005 and
// leaves 14 of them in the private-use area, and that of the C library (iconv), which gives all of them characters of Unicode, as
// GB 18030-2022 does for the eight from U+9FB4 to U+9FBB. Where both name a character they must name the same; what the older
// one leaves in the private-use area must be the code point that counting gives.
const (
	gbkPrivate = 0xE815
	gbkLast    = 0xE864
)

// gbk lists the private-use code points of GBK with the characters that their bytes stand for now.
func gbk() (map[rune]rune, error) {
	var raw []byte
	for second := byte(0x50); second <= 0xA0; second++ {
		if second != 0x7F {
			raw = append(raw, 0xFE, second)
		}
	}
	cmd := exec.Command("iconv", "-f", "GB18030", "-t", "UTF-8")
	cmd.Stdin = bytes.NewReader(raw)
	now, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("iconv: %w", err)
	}
	once, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil {
		return nil, err
	}
	std, old := []rune(string(now)), []rune(string(once))
	if want := gbkLast - gbkPrivate + 1; len(std) != want || len(old) != want {
		return nil, fmt.Errorf("%d and %d characters, not %d", len(std), len(old), want)
	}
	out := map[rune]rune{}
	for i, r := range std {
		from := rune(gbkPrivate + i)
		switch {
		case r >= 0xE000 && r <= 0xF8FF:
			return nil, fmt.Errorf("%U: the C library has no standard character", from)
		case old[i] >= 0xE000 && old[i] <= 0xF8FF && old[i] != from:
			return nil, fmt.Errorf("%U: the older table has %U", from, old[i])
		case old[i] < 0xE000 && old[i] != r:
			return nil, fmt.Errorf("%U: one table has %U, the other %U", from, r, old[i])
		}
		out[from] = r
	}
	return out, nil
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
	private, err := gbk()
	if err != nil {
		return nil, err
	}
	for from, std := range private {
		if u, ok := to[std]; ok { // a radical
			std = u
		}
		to[from] = std
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
