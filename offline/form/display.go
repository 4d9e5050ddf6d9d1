package form

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ErrNoList reports a field without a list, or a list that is not on this machine.
var ErrNoList = errors.New("form: no such list")

// Display returns the answer at path as the citizen reads it: labels instead of codes, 元, 年月日. "" when there is none.
func (s *Session) Display(path Path, lang string) string {
	n, c, pl := s.find(path)
	if c == nil || !c.shown {
		return ""
	}
	if pl.part != "" {
		m, _ := c.value.(map[string]any)
		text, _ := m[pl.part].(string)
		return text
	}
	fd := n.field
	pick := func(zh, en string) string { return Text{zh, en}.In(lang) }
	switch v := c.value.(type) {
	case string:
		switch fd.ValueKind() {
		case KindDate:
			if lang != "en" && len(v) == len(dateLayout) {
				return v[:4] + "年" + strings.TrimPrefix(v[5:7], "0") + "月" + strings.TrimPrefix(v[8:], "0") + "日"
			}
		case KindChoice:
			return s.label(n, v, lang)
		case KindDivision:
			if s.env.Divisions != nil {
				if text, ok := s.env.Divisions(v); ok {
					return text
				}
			}
		}
		return v
	case int64:
		if fd.ValueKind() == KindMoney {
			return pick(grouped(v)+"元", "¥"+grouped(v))
		}
		return strconv.FormatInt(v, 10)
	case bool:
		if fd.Kind == KindConsent {
			return pick("已同意", "agreed")
		}
		if v {
			return pick("是", "yes")
		}
		return pick("否", "no")
	case map[string]any:
		if fd.Kind == KindSignature {
			return pick("已签名", "signed")
		}
		var words []string
		for _, p := range fd.Parts {
			if text, ok := v[p.Name].(string); ok {
				words = append(words, text)
			}
		}
		return strings.Join(words, pick("，", ", "))
	case []any:
		if fd.Kind == KindMaterial {
			return pick(fmt.Sprintf("%d份", len(v)), fmt.Sprintf("%d file(s)", len(v)))
		}
		var words []string
		for _, e := range v {
			code, _ := e.(string)
			words = append(words, s.label(n, code, lang))
		}
		return strings.Join(words, pick("、", ", "))
	}
	return c.raw
}

func (s *Session) label(n *node, code, lang string) string {
	if i, ok := n.codes[code]; ok {
		return n.field.Options[i].Label.In(lang)
	}
	if l, ok := s.rd.list(n.field); ok {
		if t, ok := l.Label(code); ok {
			return t.In(lang)
		}
	}
	return code
}

// grouped writes fen as yuan with commas: 123456700 is "1,234,567.00".
func grouped(fen int64) string {
	text := yuan(fen)
	whole, frac, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + "." + frac
}

// Text returns t in lang with every {field} replaced by what Display shows of it. at is where the text stands: inside a
// row, {row.field} is the same row's field; {data.name} is a fact of the form.
func (s *Session) Text(t Text, lang string, at Path) string {
	text := t.In(lang)
	if !strings.Contains(text, "{") {
		return text
	}
	pl, _ := at.split()
	return placeholder.ReplaceAllStringFunc(text, func(m string) string {
		id := m[1 : len(m)-1]
		if fact, ok := factText(s.p.form, id); ok {
			return fact
		}
		if child, ok := strings.CutPrefix(id, "row."); ok && pl.row >= 0 {
			return s.Display(RowPath(pl.field, pl.row, child), lang)
		}
		return s.Display(Path(id), lang)
	})
}

// SearchOptions returns the choices of the field at path that fit query: rows offset to offset+limit, and how many fit.
// A limit below 1 means all. ErrNoList when the field's list is not on this machine.
func (s *Session) SearchOptions(path Path, query string, offset, limit int) ([]Option, int, error) {
	n, c, _ := s.find(path)
	if c == nil {
		return nil, 0, fmt.Errorf("search options of %s: %w", path, ErrNoList)
	}
	if limit < 1 {
		limit = math.MaxInt32
	}
	if n.codes != nil {
		rows, total := NewList(n.field.Options).Search(query, offset, limit)
		return rows, total, nil
	}
	l, ok := s.rd.list(n.field)
	if n.field.List == "" || !ok {
		return nil, 0, fmt.Errorf("search options of %s: %w", path, ErrNoList)
	}
	rows, total := l.Search(query, offset, limit)
	return rows, total, nil
}

// Lists returns the names of the lists that the form needs, sorted, so that a pack can be checked for them.
func (f *Form) Lists() []string {
	var names []string
	f.Each(func(fd, _ *Field) {
		if fd.List != "" {
			names = append(names, fd.List)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}
