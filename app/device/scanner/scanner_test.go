package scanner

import (
	"strings"
	"testing"
	"time"
)

// screen is a part that text is typed into, and a clock that stands until it is moved.
type screen struct {
	text  string
	now   time.Time
	due   time.Time
	timer func()
	codes []string
	whole []string // texts that came at once
	w     *Wedge
}

func (s *screen) Insert(text string) {
	s.text += text
	s.whole = append(s.whole, text)
}

func (s *screen) Deliver(r rune) { s.text += string(r) }

func (s *screen) Mark() func() {
	was := s.text
	return func() { s.text = was }
}

func newScreen() *screen {
	s := &screen{now: time.Unix(1_795_000_000, 0)}
	s.w = NewWedge(Config{
		Now: func() time.Time { return s.now },
		After: func(d time.Duration, fn func()) func() {
			s.due, s.timer = s.now.Add(d), fn
			return func() { s.timer = nil }
		},
		OnCode: func(text string) { s.codes = append(s.codes, text) },
	})
	return s
}

// pass lets time go by.
func (s *screen) pass(d time.Duration) {
	s.now = s.now.Add(d)
	if s.timer != nil && !s.now.Before(s.due) {
		fn := s.timer
		s.timer = nil
		fn()
	}
}

// typed types text with a pause before each character, then what ends it.
func (s *screen) typed(text string, gap time.Duration, end string) {
	for _, r := range text {
		s.pass(gap)
		s.w.Key(strings.ToUpper(string(r))) // the toolkit says the key, too
		if !s.w.Rune(s, r) {
			s.Deliver(r)
		}
	}
	if end != "" {
		s.pass(gap)
		if !s.w.Key(end) && end == "Return" {
			s.text += "⏎"
		}
	}
}

const id = "999999194403081228"

func TestWedge(t *testing.T) {
	const fast, slow, long = 8 * time.Millisecond, 60 * time.Millisecond, 400 * time.Millisecond
	for _, c := range []struct {
		name string
		do   func(s *screen)
		text string // what the part holds in the end
		want string // codes, joined
	}{
		{"a scan", func(s *screen) { s.typed(id, fast, "Return") }, "", id},
		{"a scan by the number pad's Enter", func(s *screen) { s.typed(id, fast, "KP_Enter") }, "", id},
		{"a scan into a field with text", func(s *screen) { s.text = "高兰英"; s.typed(id, fast, "Return") }, "高兰英", id},
		{"a person", func(s *screen) { s.typed(id, slow, "Return") }, id + "⏎", ""},
		{"a person, then a scan", func(s *screen) { s.typed("abc", slow, ""); s.pass(long); s.typed(id, fast, "Return") }, "abc", id},
		{"a scan right behind a person", func(s *screen) {
			s.typed("abc", slow, "")
			s.pass(251 * time.Millisecond)
			s.typed(id, 2*time.Millisecond, "Return")
		}, "abc", id},
		{"two scans", func(s *screen) { s.typed(id, fast, "Return"); s.pass(slow); s.typed("12345678", fast, "Return") }, "", id + " 12345678"},
		{"a short burst", func(s *screen) { s.typed("1234567", fast, "Return") }, "1234567⏎", ""},
		{"two keys at once", func(s *screen) { s.typed("ab", fast, ""); s.pass(slow) }, "ab", ""},
		{"a burst without Enter", func(s *screen) { s.typed(id, fast, ""); s.pass(long) }, id, ""},
		{"Enter comes late", func(s *screen) { s.typed(id, fast, ""); s.pass(long); s.typed("", 0, "Return") }, id + "⏎", ""},
		{"two scans without Enter between", func(s *screen) { s.typed(id[:9], fast, ""); s.pass(long); s.typed(id[9:], fast, "Return") }, id[:9], id[9:]},
		{"a slow window: lumps", func(s *screen) {
			for at := 0; at < len(id); at += 6 {
				s.pass(90 * time.Millisecond)
				s.typed(id[at:at+6], 0, "")
			}
			s.typed("", 0, "Return")
		}, "", id},
		{"a slow window: the first character alone", func(s *screen) { s.typed(id[:1], 0, ""); s.pass(90 * time.Millisecond); s.typed(id[1:], 0, "Return") }, "", id},
		{"a slow window: a lump, then a timer before the next", func(s *screen) { s.typed(id[:3], 0, ""); s.pass(120 * time.Millisecond); s.typed(id[3:], 1, "Return") }, "", id},
		{"a slow window: a fast person", func(s *screen) {
			for at := 0; at < len(id); at += 2 {
				s.pass(160 * time.Millisecond)
				s.typed(id[at:at+2], 0, "")
			}
			s.pass(160 * time.Millisecond)
			s.typed("", 0, "Return")
		}, id + "⏎", ""},
		{"a key held down", func(s *screen) { s.typed("aaaaaaaaaaaaaaaaaaaa", 33*time.Millisecond, "Return") }, "aaaaaaaaaaaaaaaaaaaa⏎", ""},
		{"a tool that types", func(s *screen) { s.typed(id, 30*time.Millisecond, "Return") }, id + "⏎", ""},
		{"an input method commits", func(s *screen) { s.typed("清水镇河湾村三组十二号", 0, ""); s.pass(long) }, "清水镇河湾村三组十二号", ""},
		{"mixed text is pasted", func(s *screen) { s.typed("a1村b2", 0, ""); s.pass(long) }, "a1村b2", ""},
		{"Backspace in a burst", func(s *screen) { s.typed("abcdefghij", fast, "BackSpace") }, "abcdefghij", ""},
		{"the clock goes back", func(s *screen) { s.typed("abcdefgh", -fast, "Return") }, "abcdefgh⏎", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScreen()
			c.do(s)
			if s.text != c.text || strings.Join(s.codes, " ") != c.want {
				t.Errorf("text %q and codes %q, want %q and %q", s.text, s.codes, c.text, c.want)
			}
		})
	}
}

// At no moment of a scan has a field more of it than the first character.
// TestAShortScanComesWhole holds that a code too short to lead anywhere comes as it is: an input method never gets its letters.
func TestAShortScanComesWhole(t *testing.T) {
	const fast, slow = 8 * time.Millisecond, 60 * time.Millisecond
	for _, c := range []struct {
		name string
		do   func(s *screen)
		want string
	}{
		{"a short code", func(s *screen) { s.typed("wang12", fast, "Return") }, "wang12"},
		{"a short code in lumps", func(s *screen) { s.typed("w", 0, ""); s.pass(90 * time.Millisecond); s.typed("ang123", 0, "Return") }, "wang123"},
		{"a person", func(s *screen) { s.typed("wang12", slow, "Return") }, ""},
		{"two keys at once", func(s *screen) { s.typed("wa", fast, "Return") }, ""},
		{"no Enter", func(s *screen) { s.typed("wang12", fast, ""); s.pass(time.Second) }, ""},
		{"a code that leads somewhere", func(s *screen) { s.typed(id, fast, "Return") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScreen()
			s.text = "高"
			c.do(s)
			if got := strings.Join(s.whole, " "); got != c.want {
				t.Errorf("at once came %q, want %q", got, c.want)
			}
			if c.want != "" && s.text != "高"+c.want+"⏎" {
				t.Errorf("the part holds %q", s.text)
			}
		})
	}
}

func TestNeverHalfAScan(t *testing.T) {
	s := newScreen()
	s.text = "高"
	for _, r := range id {
		s.pass(5 * time.Millisecond)
		if !s.w.Rune(s, r) {
			s.Deliver(r)
		}
		if len([]rune(s.text)) > 2 {
			t.Fatalf("the field shows %q", s.text)
		}
	}
	s.pass(5 * time.Millisecond)
	if !s.w.Key("Return") || s.text != "高" {
		t.Errorf("the field has %q afterwards", s.text)
	}
}

func TestAnotherPartEndsABurst(t *testing.T) {
	a, b := newScreen(), newScreen()
	b.w = a.w
	a.w.Rune(a, '1')
	if !a.w.Rune(a, '2') {
		t.Fatal("not held")
	}
	if a.w.Rune(b, '3') {
		t.Error("held for another part")
	}
	if a.text != "2" {
		t.Errorf("the part has %q", a.text)
	}
}

func TestRecognise(t *testing.T) {
	const payload = "6BF0IVC21*UB00"
	for _, c := range []struct {
		text string
		kind Kind
		want string
	}{
		{"https://fw.shifan.example/r#" + payload, Receipt, "https://fw.shifan.example/r#" + payload},
		{"HTTPS://FW.SHIFAN.EXAMPLE/R#" + payload, Receipt, "https://fw.shifan.example/r#" + payload},
		{"https://fw.shifan.example/r#" + payload + "&appinstall=0", Receipt, "https://fw.shifan.example/r#" + payload + "&appinstall=0"},
		{"https://fw.shifan.example/r#abc", Receipt, "https://fw.shifan.example/r#abc"},
		{id, ID, id},
		{"９９９９９９ １９４４０３０８ １２２８", ID, id},
		{"11010519491231002x", ID, "11010519491231002X"},
		{"91350100M000100Y43", Credit, "91350100M000100Y43"},
		{"BMC1ABCDE", Credential, "BMC1ABCDE"},
		{"https://u.wechat.com/abc", Link, "https://u.wechat.com/abc"},
		{"6901234567892", Goods, "6901234567892"},
		{"6901234567893", Digits, "6901234567893"},
		{"999999194403081221", Digits, "999999194403081221"}, // an ID number with a wrong check digit
		{"你好", Text, "你好"},
		{" \x00", Nothing, ""},
	} {
		got := Recognise(c.text)
		if got.Kind != c.kind || got.Text != c.want {
			t.Errorf("%q is %s %q, want %s %q", c.text, got.Kind, got.Text, c.kind, c.want)
		}
	}
	if s := Recognise(id).String() + Recognise(id).LogValue().String(); strings.Contains(s, id) {
		t.Errorf("printed: %s", s)
	}
}

func FuzzRecognise(f *testing.F) {
	for _, s := range []string{id, "https://a/r#0", "BMC1", "6901234567892", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := Recognise(text)
		if again := Recognise(c.Text); c.Kind.Known() && again != c {
			t.Fatalf("%v, read again %v", c, again)
		}
	})
}
