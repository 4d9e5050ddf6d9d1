package form

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bianmin/offline/ident"
	"bianmin/offline/words"
)

// Limits for what people type, in characters unless said otherwise.
const (
	textMax       = 200
	longTextMax   = 2000
	materialBytes = 20 << 20
	maxFen        = 1_000_000_000_000_00 // a million million yuan
)

// reader knows what reading a value needs beside the field: the day, the lists, the divisions.
type reader struct {
	now       time.Time
	lists     Lists
	divisions func(code string) (string, bool)
}

// read turns what was typed, scanned or sent into the field's value. value is nil when there is none: nothing given, or
// nothing that can be held. A value with a fault is held (the clerk sees and mends it) when it has the right type.
func (r *reader) read(n *node, v any) (value any, x *fault) {
	fd := n.field
	if b, ok := v.(bool); ok && fd.ValueKind() != KindYesNo && fd.ValueKind() != KindConsent {
		_ = b
		return nil, wrongType("文字", "text")
	}
	if s, ok := v.(string); ok {
		if !utf8.ValidString(s) {
			return nil, &fault{key: "form.text"}
		}
		if strings.TrimSpace(s) == "" {
			return nil, nil
		}
	}
	switch fd.ValueKind() {
	case KindText, KindLongText:
		return readText(fd, v)
	case KindInteger:
		return readInteger(fd, v)
	case KindDecimal:
		return readDecimal(fd, v)
	case KindMoney:
		return readMoney(fd, v)
	case KindDate:
		return readDate(v)
	case KindChoice:
		return r.choice(n, v)
	case KindChoices:
		return r.choices(n, v)
	case KindYesNo, KindConsent:
		if b, ok := v.(bool); ok || v == nil {
			if !ok || fd.Kind == KindConsent && !b {
				return nil, nil
			}
			return b, nil
		}
		return nil, wrongType("是或否", "true or false")
	case KindDivision:
		return r.division(fd, v)
	case KindIDNumber:
		return readString(v, func(s string) (string, error) {
			s = ident.Normalize(s)
			_, err := ident.ParseIDAt(s, r.now)
			return s, err
		})
	case KindPhone:
		return readString(v, normalPhone)
	case KindBankCard:
		return readString(v, func(s string) (string, error) {
			s = ident.Normalize(s)
			return s, ident.CheckBankCard(s)
		})
	case KindPerson:
		value, faults := r.person(fd, v)
		if len(faults) > 0 {
			return value, faults[0]
		}
		return value, nil
	case KindMaterial:
		return readMaterial(fd, v)
	case KindSignature:
		if v == nil {
			return nil, nil
		}
		s, err := ReadSignature(v)
		if err != nil {
			return nil, &fault{key: "form.signature"}
		}
		return s.Value(), nil
	}
	return nil, wrongType("空", "nothing")
}

func wrongType(zh, en string) *fault {
	return &fault{key: "form.kind", args: []string{"want.zh", zh, "want.en", en}}
}

// readString reads a text kind that keeps what was typed even when the check fails.
func readString(v any, fn func(string) (string, error)) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("文字", "text")
	}
	s, err := fn(s)
	if s == "" {
		return nil, nil
	}
	return s, identFault(err)
}

func identFault(err error) *fault {
	if err == nil {
		return nil
	}
	key, _ := words.KeyOf(err)
	return &fault{key: key}
}

func normalPhone(s string) (string, error) {
	n, err := ident.NormalizePhone(s)
	if err != nil {
		return ident.Normalize(s), err
	}
	return n, nil
}

func readText(fd *Field, v any) (any, *fault) {
	most, long := textMax, fd.ValueKind() == KindLongText
	if long {
		most = longTextMax
	}
	if fd.MaxLength > 0 {
		most = fd.MaxLength
	}
	var bad *fault
	got, x := readString(v, func(s string) (string, error) {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.TrimSpace(s)
		switch fd.Format {
		case "name":
			s = ident.NormalizeName(s)
			return s, ident.CheckName(s)
		case "credit":
			s = ident.Normalize(s)
			_, err := ident.ParseCredit(s)
			return s, err
		}
		if strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) && !(long && c == '\n') || c == utf8.RuneError }) {
			bad = &fault{key: "form.text"}
		}
		return s, nil
	})
	if x != nil || bad != nil || got == nil {
		return got, cmpFault(x, bad)
	}
	switch n := utf8.RuneCountInString(got.(string)); {
	case n > most:
		return got, &fault{key: "form.tooLong", args: []string{"max", strconv.Itoa(most)}}
	case n < fd.MinLength:
		return got, &fault{key: "form.tooShort", args: []string{"min", strconv.Itoa(fd.MinLength)}}
	}
	return got, nil
}

func cmpFault(a, b *fault) *fault {
	if a != nil {
		return a
	}
	return b
}

// number returns the plain digits of what was typed: full-width figures, blanks, grouping commas and 元 are forgiven.
func number(s string) string {
	s = ident.Normalize(strings.ReplaceAll(s, "，", ","))
	if strings.Contains(s, ",") && !groupedRight(s) {
		return "?"
	}
	return strings.TrimSuffix(strings.ReplaceAll(s, ",", ""), "元")
}

func groupedRight(s string) bool {
	whole, _, _ := strings.Cut(strings.TrimSuffix(s, "元"), ".")
	parts := strings.Split(whole, ",")
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && (p == "" || len(p) > 3) {
			return false
		}
	}
	return true
}

// signed keeps the minus sign that ident.Normalize takes for a dash.
func signed(s string) (digits string, negative bool) {
	s = strings.TrimSpace(s)
	for _, minus := range []string{"-", "－", "−"} {
		if rest, ok := strings.CutPrefix(s, minus); ok {
			return number(rest), true
		}
	}
	if strings.ContainsAny(s, "-－−") {
		return "?", false
	}
	return number(s), false
}

func limits(fd *Field, n int64, show func(int64) string) *fault {
	if fd.Min != nil && n < *fd.Min {
		return &fault{key: "form.min", args: []string{"min", show(*fd.Min)}}
	}
	if fd.Max != nil && n > *fd.Max {
		return &fault{key: "form.max", args: []string{"max", show(*fd.Max)}}
	}
	return nil
}

func plainInt(n int64) string { return strconv.FormatInt(n, 10) }

func readInteger(fd *Field, v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	if n, ok := asInt(v); ok {
		return n, limits(fd, n, plainInt)
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("整数", "a whole number")
	}
	d, neg := signed(s)
	if neg {
		d = "-" + d
	}
	n, err := strconv.ParseInt(d, 10, 64)
	if err != nil || strings.HasPrefix(d, "+") {
		return nil, &fault{key: "form.integer"}
	}
	return n, limits(fd, n, plainInt)
}

// decimal splits a plain decimal number into its whole and its scaled value; ok is false when it is none.
func decimal(s string, scale int) (scaled int64, ok bool) {
	whole, frac, point := strings.Cut(s, ".")
	frac = strings.TrimRight(frac, "0")
	if whole == "" || point && strings.HasSuffix(s, ".") || len(frac) > scale || len(whole) > 15 {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", scale-len(frac)), 10, 63)
	return int64(n), err == nil && !strings.ContainsAny(whole+frac, "+-_")
}

func (fd *Field) places() int {
	if fd.Scale == 0 {
		return 2
	}
	return fd.Scale
}

func readDecimal(fd *Field, v any) (any, *fault) {
	s, ok := v.(string)
	switch x := v.(type) {
	case nil:
		return nil, nil
	case json.Number:
		s, ok = x.String(), true
	case int64:
		s, ok = strconv.FormatInt(x, 10), true
	case float64:
		s, ok = strconv.FormatFloat(x, 'f', fd.places(), 64), !math.IsNaN(x) && !math.IsInf(x, 0)
	}
	if !ok {
		return nil, wrongType("数字", "a number")
	}
	scale := fd.places()
	d, neg := signed(s)
	n, ok := decimal(d, scale)
	if !ok {
		return nil, &fault{key: "form.decimal", args: []string{"scale", strconv.Itoa(scale)}}
	}
	text := fixed(n, scale)
	unit := int64(math.Pow10(scale))
	if neg && n != 0 {
		n, text = -n, "-"+text
	}
	if fd.Min != nil && n < *fd.Min*unit {
		return text, &fault{key: "form.min", args: []string{"min", plainInt(*fd.Min)}}
	}
	if fd.Max != nil && n > *fd.Max*unit {
		return text, &fault{key: "form.max", args: []string{"max", plainInt(*fd.Max)}}
	}
	return text, nil
}

// fixed writes a scaled number without needless zeros.
func fixed(n int64, scale int) string {
	s := strconv.FormatInt(n, 10)
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	whole, frac := s[:len(s)-scale], strings.TrimRight(s[len(s)-scale:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// readMoney takes a whole number as fen, and text as yuan, the way people type amounts.
func readMoney(fd *Field, v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	n, ok := asInt(v)
	if !ok {
		s, isText := v.(string)
		if !isText {
			return nil, wrongType("整数（分）", "a whole number of fen")
		}
		d, neg := signed(s)
		if n, ok = decimal(d, 2); !ok {
			return nil, &fault{key: "form.money"}
		}
		if neg {
			n = -n
		}
	}
	if n > maxFen || n < -maxFen {
		return nil, &fault{key: "form.money"}
	}
	return n, limits(fd, n, yuan)
}

var dateLayouts = []string{dateLayout, "2006-1-2", "20060102", "2006/1/2", "2006.1.2", "2006年1月2日"}

func readDate(v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("日期", "a date such as 2006-01-02")
	}
	s = strings.Map(func(c rune) rune {
		if c >= '０' && c <= '９' {
			return c - '０' + '0'
		}
		return c
	}, strings.TrimSpace(s))
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1800 && t.Year() <= 2200 {
			return t.Format(dateLayout), nil
		}
	}
	return nil, &fault{key: "form.date"}
}

func (r *reader) list(fd *Field) (List, bool) {
	if r.lists == nil {
		return nil, false
	}
	return r.lists.List(fd.List)
}

func (r *reader) code(n *node, code string) *fault {
	if n.codes != nil {
		if _, ok := n.codes[code]; !ok {
			return &fault{key: "form.option"}
		}
		return nil
	}
	l, ok := r.list(n.field)
	if !ok {
		return &fault{key: "form.listMissing"}
	}
	if _, ok := l.Label(code); !ok {
		return &fault{key: "form.option"}
	}
	return nil
}

func (r *reader) choice(n *node, v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("选项代码", "a code")
	}
	return s, r.code(n, s)
}

func (r *reader) choices(n *node, v any) (any, *fault) {
	var codes []string
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []string:
		codes = append(codes, x...)
	case []any:
		for _, e := range x {
			s, ok := e.(string)
			if !ok || s == "" || !utf8.ValidString(s) {
				return nil, wrongType("选项代码列表", "a list of codes")
			}
			codes = append(codes, s)
		}
	default:
		return nil, wrongType("选项代码列表", "a list of codes")
	}
	sort.Strings(codes)
	codes = slices.Compact(codes)
	if len(codes) == 0 {
		return nil, nil
	}
	var x *fault
	out := make([]any, len(codes))
	for i, c := range codes {
		out[i] = c
		x = cmpFault(x, r.code(n, c))
	}
	return out, cmpFault(x, count(n.field, len(codes)))
}

// count checks how many rows, files or codes there are; none at all is the business of "required".
func count(fd *Field, n int) *fault {
	if fd.Min != nil && int64(n) < *fd.Min {
		return &fault{key: "form.rowsMin", args: []string{"min", plainInt(*fd.Min)}}
	}
	if int64(n) > fd.most() && (fd.Kind != KindChoices || fd.Max != nil) {
		return &fault{key: "form.rowsMax", args: []string{"max", plainInt(fd.most())}}
	}
	return nil
}

func (r *reader) division(fd *Field, v any) (any, *fault) {
	if v == nil {
		return nil, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, wrongType("行政区划代码", "a division code")
	}
	d, err := ident.ParseDivision(s)
	if err != nil {
		return ident.Normalize(s), &fault{key: "form.division"}
	}
	code, least := d.Code(), fd.Level
	if least == 0 {
		least = int(ident.LevelVillage)
	}
	if int(d.Level()) < least {
		l := levelNames[least]
		return code, &fault{key: "form.divisionLevel", args: []string{"level.zh", l.ZH, "level.en", l.EN}}
	}
	if r.divisions != nil {
		if _, ok := r.divisions(code); !ok {
			return code, &fault{key: "form.division"}
		}
	}
	return code, nil
}

// person reads the parts that the field asks for; it returns every part's fault.
func (r *reader) person(fd *Field, v any) (any, []*fault) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, []*fault{wrongType("人员信息", "a person")}
	}
	out := map[string]any{}
	var faults []*fault
	for _, k := range sortedKeys(m) {
		if !slices.ContainsFunc(fd.Parts, func(p Part) bool { return p.Name == k }) {
			faults = append(faults, wrongType("人员信息（没有"+k+"）", "a person without "+k))
		}
	}
	for _, p := range fd.Parts {
		got, x := r.part(p.Name, m[p.Name])
		if x != nil {
			x.part = p.Name
			faults = append(faults, x)
		}
		if got != nil {
			out[p.Name] = got
		}
	}
	if len(out) == 0 {
		return nil, faults
	}
	return out, faults
}

func (r *reader) part(name string, v any) (any, *fault) {
	switch name {
	case "name":
		return readText(&Field{Kind: KindText, Format: "name"}, v)
	case "idno":
		return readString(v, func(s string) (string, error) {
			s = ident.Normalize(s)
			_, err := ident.ParseIDAt(s, r.now)
			return s, err
		})
	case "phone":
		return readString(v, normalPhone)
	}
	return readText(&Field{Kind: KindText}, v)
}

var defaultAccept = []string{"image/jpeg", "image/png", "application/pdf"}

func readMaterial(fd *Field, v any) (any, *fault) {
	var list []any
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []any:
		list = x
	case []BlobRef:
		for _, b := range x {
			list = append(list, b)
		}
	default:
		return nil, wrongType("文件列表", "a list of files")
	}
	if len(list) == 0 {
		return nil, nil
	}
	accept, most := fd.Accept, fd.MaxBytes
	if accept == nil {
		accept = defaultAccept
	}
	if most == 0 {
		most = materialBytes
	}
	out := make([]any, 0, len(list))
	var x *fault
	for _, e := range list {
		b, err := readBlob(e)
		if errors.Is(err, ErrValue) {
			return nil, &fault{key: "form.file"}
		}
		if !slices.Contains(accept, b.MIME) {
			x = cmpFault(x, &fault{key: "form.fileType"})
		}
		if b.Size > most {
			x = cmpFault(x, &fault{key: "form.fileSize", args: []string{"max", strconv.FormatInt(max(most>>20, 1), 10)}})
		}
		out = append(out, b.Value())
	}
	return out, cmpFault(x, count(fd, len(out)))
}
