package form

import (
	"strconv"
	"strings"
)

// Path names one answer: "idno", "adults[2].idno" (row 2, counted from 0), "helper.phone" (a part of a person),
// "adults[2].spouse.name", or "adults[2]" (the row itself).
type Path string

// RowPath returns the path of a field in a row of a group; of the row itself when field is empty.
func RowPath(group string, row int, field string) Path {
	p := group + "[" + strconv.Itoa(row) + "]"
	if field != "" {
		p += "." + field
	}
	return Path(p)
}

// place is a path taken apart: field, and row and child for what is inside a group.
type place struct {
	field string
	row   int // -1 outside a group
	child string
	part  string
}

func (p Path) split() (place, bool) {
	s := string(p)
	pl := place{row: -1}
	if open := strings.IndexByte(s, '['); open >= 0 {
		end := strings.IndexByte(s, ']')
		if end < open {
			return pl, false
		}
		n, err := strconv.Atoi(s[open+1 : end])
		if err != nil || n < 0 || strconv.Itoa(n) != s[open+1:end] {
			return pl, false
		}
		pl.field, pl.row = s[:open], n
		rest := s[end+1:]
		if rest == "" {
			return pl, pl.field != ""
		}
		if rest[0] != '.' {
			return pl, false
		}
		pl.child, pl.part, _ = strings.Cut(rest[1:], ".")
		return pl, pl.field != "" && pl.child != ""
	}
	pl.field, pl.part, _ = strings.Cut(s, ".")
	return pl, pl.field != ""
}
