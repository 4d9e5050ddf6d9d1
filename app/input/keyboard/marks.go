package keyboard

// fullMarks are the marks of Chinese writing for those on the keys.
var fullMarks = map[rune]string{
	',': "，", '.': "。", '?': "？", '!': "！", ':': "：", ';': "；", '(': "（", ')': "）", '[': "【", ']': "】",
	'<': "《", '>': "》", '\\': "、", '^': "……", '_': "——", '$': "￥", '`': "·", '~': "～", '/': "、",
}

// marks turns marks into those of Chinese writing; quotes open and close in turn.
type marks struct{ double, single bool }

// full returns what r is in Chinese writing behind the character before; false when it stays as it is.
func (m *marks) full(r, before rune) (string, bool) {
	if before >= '0' && before <= '9' && (r == '.' || r == ',' || r == ':' || r == '/') {
		return "", false // 3.5, 1,000, 8:30, 1/2
	}
	if letter(before) && (r == '.' || r == '/' || r == ':' || r == '_') {
		return "", false // a network address
	}
	switch r {
	case '"':
		m.double = !m.double
		if m.double {
			return "“", true
		}
		return "”", true
	case '\'':
		m.single = !m.single
		if m.single {
			return "‘", true
		}
		return "’", true
	}
	text, ok := fullMarks[r]
	return text, ok
}

// letter reports whether r is a Latin letter.
func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
