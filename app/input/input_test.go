package input

import (
	"bytes"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/look"
)

// window shows obj in the standard look.
func window(t *testing.T, obj fyne.CanvasObject) fyne.Window {
	t.Helper()
	look.Set(test.NewTempApp(t), look.Standard)
	w := test.NewTempWindow(t, obj)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(800, 600))
	return w
}

func TestFieldsFormatWhatIsTyped(t *testing.T) {
	for _, test0 := range []struct {
		name               string
		field              func() *TextField
		typed, shown, want string
	}{
		{"mobile number", NewPhone, "13800138000", "138 0013 8000", "13800138000"},
		{"full-width digits", NewPhone, "１３８００１３８０００", "138 0013 8000", "13800138000"},
		{"landline", NewPhone, "0553-1234567", "0553-1234567", "0553-1234567"},
		{"ID number with small x", NewID, "11010519491231002x", "110105 19491231 002X", "11010519491231002X"},
		{"ID number pasted with spaces", NewID, "110105 19491231 002X", "110105 19491231 002X", "11010519491231002X"},
		{"too long an ID number", NewID, "1101051949123100211", "110105 19491231 0021", "110105194912310021"},
		{"bank card", NewBankCard, "6222020001112223334", "6222 0200 0111 2223 334", "6222020001112223334"},
		{"letters in a card number", NewBankCard, "62a2", "622", "622"},
		{"amount", func() *TextField { return NewMoney().TextField }, "1234567.8", "1,234,567.8", "1234567.8"},
		{"too exact an amount", func() *TextField { return NewMoney().TextField }, "5.678", "5.67", "5.67"},
		{"amount with full-width point", func() *TextField { return NewMoney().TextField }, "０５。５", "5.5", "5.5"},
		{"no negative amounts", func() *TextField { return NewMoney().TextField }, "-5", "5", "5"},
		{"number", func() *TextField { return NewNumber(1, "") }, "-3.25", "-3.2", "-3.2"},
		{"whole number", func() *TextField { return NewNumber(0, "") }, "3.5", "35", "35"},
		{"text", func() *TextField { return NewText(4) }, "石桥村便民", "石桥村便", "石桥村便"},
		{"long text", func() *TextField { return NewLongText(0) }, "一二", "一二", "一二"},
	} {
		t.Run(test0.name, func(t *testing.T) {
			f := test0.field()
			window(t, f)
			last := "unset"
			f.SetOnChanged(func(v string) { last = v })
			test.Type(f.Focusable(), test0.typed)
			if f.Shown() != test0.shown || f.Text() != test0.want || last != test0.want {
				t.Errorf("shows %q, value %q, told %q; want %q and %q", f.Shown(), f.Text(), last, test0.shown, test0.want)
			}
		})
	}
}

func TestTypingInTheMiddleKeepsTheCaret(t *testing.T) {
	f := NewPhone()
	window(t, f)
	f.SetText("138001800")
	f.entry.CursorColumn = 6 // behind 138 00
	test.Type(f.Focusable(), "13")
	if f.Shown() != "138 0013 1800" {
		t.Errorf("shows %q", f.Shown())
	}
	if f.entry.CursorColumn != 8 {
		t.Errorf("caret at %d of %q, want 8", f.entry.CursorColumn, f.Shown())
	}
	for range 3 {
		f.Focusable().TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	}
	if f.Text() != "13801800" {
		t.Errorf("after three backspaces %q", f.Text())
	}
}

func TestSetTextDoesNotTell(t *testing.T) {
	division := NewDivisionPicker(county{}, 5)
	for name, f := range map[string]Field{
		"text": NewText(0), "date": NewDate(noon), "one": NewChoiceOne(banks(3)...), "many": NewChoiceMany(banks(9)...),
		"division": division, "signature": NewSignaturePad(noon),
	} {
		t.Run(name, func(t *testing.T) {
			window(t, f)
			f.SetOnChanged(func(v string) { t.Errorf("told %q", v) })
			value := map[string]string{
				"text": "甲", "date": "2026-11-22", "one": "B00001", "many": "B00001,B00007", "division": "999999101201",
				"signature": string(signature().Encode()),
			}[name]
			f.SetText(value)
			if f.Text() != value {
				t.Errorf("value %q, want %q", f.Text(), value)
			}
			f.SetText("")
			if f.Text() != "" {
				t.Errorf("value %q after emptying", f.Text())
			}
		})
	}
}

func TestFocusStaysThroughRefreshThemeAndLanguage(t *testing.T) {
	field := NewPhone()
	frame := look.NewFieldFrame("手机号码", field)
	page := NewScroll(look.Column(look.VStack(look.Gap2, look.NewFieldFrame("姓名", NewText(0)), frame)))
	w := window(t, page)
	left := 0
	field.SetOnLeave(func() { left++ })
	w.Canvas().Focus(field.Focusable())
	test.Type(field.Focusable(), "138")
	frame.SetError("少了 8 位")
	field.SetFaulty(true)
	w.Content().Refresh()
	look.Set(fyne.CurrentApp(), look.Elder)
	t.Cleanup(func() { look.SetLang("zh") })
	look.SetLang("en")
	w.Content().Refresh()
	if w.Canvas().Focused() != field.Focusable() || left != 0 {
		t.Fatalf("the focus went away (left %d times)", left)
	}
	w.Canvas().Focused().TypedRune('0')
	if field.Text() != "1380" {
		t.Errorf("value %q", field.Text())
	}
	w.Canvas().Unfocus()
	if left != 1 {
		t.Errorf("left %d times, want 1", left)
	}
}

func TestReadOnlyFieldsTakeNothing(t *testing.T) {
	f := NewPhone()
	w := window(t, f)
	f.SetText("13800138000")
	f.SetReadOnly(true)
	if f.words.Text() != "138 0013 8000" {
		t.Errorf("shows %q", f.words.Text())
	}
	w.Canvas().FocusNext()
	if w.Canvas().Focused() != nil {
		t.Error("the keyboard reaches a fixed field")
	}
	long := NewLongText(0)
	long.SetText(strings.Repeat("石桥村便民服务站", 40))
	long.SetReadOnly(true)
	if narrow, wide := look.HeightFor(long, 300), look.HeightFor(long, 900); narrow < wide+100 {
		t.Errorf("fixed text is %.0f high at 300 and %.0f at 900: some of it cannot be read", narrow, wide)
	}
	one := NewChoiceOne(banks(3)...)
	window(t, one)
	one.SetReadOnly(true)
	test.Tap(one.cards[0])
	if one.Text() != "" {
		t.Error("a fixed choice changed")
	}
}

func TestMoneyIsExact(t *testing.T) {
	for _, test := range []struct {
		yuan string
		fen  int64
		ok   bool
	}{
		{"0.1", 10, true},
		{"1234.56", 123456, true},
		{"7", 700, true},
		{"0.29", 29, true},
		{"999999999999.99", 99999999999999, true},
		{"", 0, false},
		{"1.234", 0, false},
		{"-1", 0, false},
		{"a", 0, false},
		{".5", 0, false},
	} {
		fen, ok := ParseFen(test.yuan)
		if fen != test.fen || ok != test.ok {
			t.Errorf("ParseFen(%q) = %d, %v", test.yuan, fen, ok)
		}
	}
	m := NewMoney()
	window(t, m)
	m.SetFen(123456789)
	if fen, ok := m.Fen(); !ok || fen != 123456789 || m.Shown() != "1,234,567.89" {
		t.Errorf("%d, shows %q", fen, m.Shown())
	}
	if FormatFen(-5) != "-0.05" {
		t.Errorf("FormatFen(-5) = %q", FormatFen(-5))
	}
}

func TestDateIsTypedOrStepped(t *testing.T) {
	d := NewDate(noon)
	window(t, d)
	var told []string
	d.SetOnChanged(func(v string) { told = append(told, v) })
	test.Type(d.Focusable(), "19410203")
	if d.line.Shown() != "1941-02-03" || d.Text() != "1941-02-03" {
		t.Errorf("shows %q, value %q", d.line.Shown(), d.Text())
	}
	if last := told[len(told)-1]; last != "1941-02-03" {
		t.Errorf("told %q", last)
	}
	d.step(0, 0, -3)
	if d.Text() != "1941-01-31" {
		t.Errorf("three days back %q", d.Text())
	}
	d.step(0, 1, 0)
	if d.Text() != "1941-02-28" {
		t.Errorf("a month on from the 31st %q", d.Text())
	}
	d.SetText("20260230")
	if _, ok := d.Date(); ok || d.Text() != "20260230" {
		t.Errorf("30 February is a day: %q", d.Text())
	}
	d.SetText("")
	d.step(1, 0, 0)
	if d.Text() != "2026-11-22" {
		t.Errorf("stepping from nothing starts at %q", d.Text())
	}
	day, _ := time.Parse(time.DateOnly, "2024-02-29")
	if got := stepDay(day, 1, 0, 0).Format(time.DateOnly); got != "2025-02-28" {
		t.Errorf("a year on from 29 February: %s", got)
	}
}

func TestChoiceByCards(t *testing.T) {
	c := NewChoiceOne(Option{Value: "self", Label: "本人"}, Option{Value: "helper", Label: "代办"})
	w := window(t, c)
	var told []string
	c.SetOnChanged(func(v string) { told = append(told, v) })
	test.Tap(c.cards[1])
	test.Tap(c.cards[1])
	if c.Text() != "helper" || !c.cards[1].Selected() || c.cards[0].Selected() {
		t.Errorf("value %q", c.Text())
	}
	w.Canvas().FocusNext()
	w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	if c.Text() != "self" || !slices.Equal(told, []string{"helper", "self"}) {
		t.Errorf("value %q, told %v", c.Text(), told)
	}
	many := NewChoiceMany(banks(3)...)
	window(t, many)
	test.Tap(many.cards[2])
	test.Tap(many.cards[0])
	if many.Text() != "B00000,B00002" {
		t.Errorf("value %q", many.Text())
	}
	test.Tap(many.cards[2])
	if many.Text() != "B00000" {
		t.Errorf("value %q", many.Text())
	}
}

func TestLongChoiceStaysQuick(t *testing.T) {
	const rows = 20_000
	options := banks(rows)
	c := NewChoiceOne(options...)
	w := window(t, NewScroll(look.Column(c)))
	start := time.Now()
	c.open(true)
	w.Content().Refresh()
	opened := time.Since(start)
	start = time.Now()
	test.Type(c.search.Focusable(), "qszd199")
	typed := time.Since(start) / 7
	if opened > time.Second || typed > 250*time.Millisecond {
		t.Errorf("%d rows: opened in %v, %v a key", rows, opened, typed)
	}
	found := c.Found()
	if len(found) == 0 || len(found) > 200 || !strings.Contains(found[0].Find, "qszd199") {
		t.Fatalf("found %d", len(found))
	}
	told := ""
	c.SetOnChanged(func(v string) { told = v })
	c.search.Focusable().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if told != found[0].Value || c.Open() || c.chosen.Text() != found[0].Label {
		t.Errorf("chose %q, open %v, shows %q", told, c.Open(), c.chosen.Text())
	}
	c.Search("没有这一家")
	if !c.none.Visible() || !strings.Contains(c.none.Text(), "没有这一家") {
		t.Error("nothing found is not said")
	}
}

func TestDivisionIsPickedLevelByLevel(t *testing.T) {
	p := NewDivisionPicker(county{}, 5)
	window(t, NewScroll(look.Column(p)))
	told := ""
	p.SetOnChanged(func(v string) { told = v })
	test.Tap(p.closed)
	for _, code := range []string{"99", "9999", "999999", "999999101"} {
		p.Choose(code)
		if told != "" || !p.Open() {
			t.Fatalf("%s ended the choice", code)
		}
	}
	if got := len(p.Shown()); got != 3 || p.ask.Text() != "村（社区）" {
		t.Errorf("%d villages, asks for %q", got, p.ask.Text())
	}
	p.up()
	if p.at != "999999" {
		t.Errorf("one level up is %q", p.at)
	}
	p.search.SetText("石桥")
	p.fill()
	card, ok := p.grid.Objects[0].(*look.Pressable)
	if !ok {
		t.Fatal("nothing found")
	}
	test.Tap(card)
	if told != "999999101201" || p.Open() || p.chosen.Text() != "样本省样本市石桥县清水镇石桥村" {
		t.Errorf("chose %q, shows %q", told, p.chosen.Text())
	}
	p.SetText("123456789012")
	if p.Text() != "" || p.chosen.Text() != "请选择" {
		t.Errorf("an unknown code shows %q", p.chosen.Text())
	}
	short := NewDivisionPicker(county{}, 3)
	window(t, short)
	short.Choose("999999")
	if short.Text() != "999999" {
		t.Error("a picker for counties asks for more")
	}
	short.Choose("9998")
	if short.Text() != "9998" {
		t.Error("a division with nothing below it is not taken")
	}
}

func TestPageFollowsTheFinger(t *testing.T) {
	taps := 0
	button := look.SecondaryButton("好", func() { taps++ })
	field := NewPhone()
	rows := []fyne.CanvasObject{button, field}
	for range 40 {
		rows = append(rows, look.Body("一行"))
	}
	s := NewScroll(look.VStack(look.Gap2, rows...))
	window(t, s)
	pull := func(d fyne.Draggable, dy float32, steps int) {
		for range steps {
			d.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, dy)})
		}
		d.DragEnd()
	}
	button.MouseDown(nil)
	pull(s, -2, 4)
	if s.Offset() != 0 || taps != 1 {
		t.Errorf("a trembling tap: offset %.0f, %d taps", s.Offset(), taps)
	}
	button.MouseDown(nil)
	pull(s, -10, 10)
	if s.Offset() != 100 || taps != 1 {
		t.Errorf("a pull: offset %.0f, %d taps", s.Offset(), taps)
	}
	pull(s, 500, 2)
	if s.Offset() != 0 {
		t.Errorf("above the top: %.0f", s.Offset())
	}
	pull(field.entry, -10, 5)
	if s.Offset() != 50 {
		t.Errorf("a pull that begins in a field: %.0f", s.Offset())
	}
	s.Reveal(rows[len(rows)-1])
	bottom := s.Offset()
	if bottom <= 50 {
		t.Error("the last row is not revealed")
	}
	s.PageBy(5)
	s.Reveal(button)
	if s.Offset() != 0 {
		t.Errorf("the first row is not revealed: %.0f", s.Offset())
	}
}

func TestPhotoCard(t *testing.T) {
	p := NewPhotoCard(true)
	window(t, p)
	did := ""
	p.OnAdd, p.OnTake, p.OnRemove = func() { did += "a" }, func() { did += "t" }, func() { did += "r" }
	if p.Filled() || p.remove.Visible() || p.name.Text() != "尚未添加" {
		t.Errorf("empty card shows %q", p.name.Text())
	}
	var raw bytes.Buffer
	if err := png.Encode(&raw, sample()); err != nil {
		t.Fatal(err)
	}
	small, err := Thumbnail(raw.Bytes(), 100)
	if err != nil {
		t.Fatal(err)
	}
	if b := small.Bounds(); b.Dx() != 100 || b.Dy() != 68 {
		t.Errorf("thumbnail %v", b)
	}
	p.SetPhoto(small, "户口簿.jpg", "1.2 MB")
	test.Tap(p.add)
	test.Tap(p.take)
	test.Tap(p.remove)
	if did != "atr" || p.add.Text() != "更换" {
		t.Errorf("did %q, button %q", did, p.add.Text())
	}
	p.SetReadOnly(true)
	if p.add.Visible() || p.take.Visible() || p.remove.Visible() {
		t.Error("a fixed card has buttons")
	}
	if _, err := Thumbnail([]byte("not a picture"), 100); err == nil {
		t.Error("text is a picture")
	}
}

func TestStepperAndPagerStopAtTheirLimits(t *testing.T) {
	s := NewStepper(1, 3)
	window(t, s)
	told := ""
	s.SetOnChanged(func(v string) { told += v })
	for range 4 {
		test.Tap(s.more)
	}
	test.Tap(s.less)
	if told != "232" || s.Value() != 2 {
		t.Errorf("told %q, value %d", told, s.Value())
	}
	p := NewPager()
	window(t, p)
	p.Set(0, 2)
	var pages []int
	p.OnPage = func(n int) { pages = append(pages, n) }
	test.Tap(p.up)
	test.Tap(p.down)
	test.Tap(p.down)
	if !slices.Equal(pages, []int{1}) || p.words.Text() != "第 2 页，共 2 页" {
		t.Errorf("pages %v, says %q", pages, p.words.Text())
	}
}

func TestListShowsTapsAndScrolls(t *testing.T) {
	tapped := -1
	l := NewList(func() int { return 500 }, func() fyne.CanvasObject { return look.Body("") },
		func(i int, o fyne.CanvasObject) { o.(*look.Text).SetText(fmt.Sprint("第", i)) }, func(i int) { tapped = i })
	w := window(t, l)
	test.TapCanvas(w.Canvas(), fyne.NewPos(100, RowHeight()*2.5))
	if tapped != 2 {
		t.Errorf("tapped %d, want 2", tapped)
	}
	for range 10 {
		l.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, -30)})
	}
	l.DragEnd()
	if l.inner.GetScrollOffset() < 200 {
		t.Errorf("offset %.0f after a pull of 300", l.inner.GetScrollOffset())
	}
	l.Reveal(400)
	before := l.inner.GetScrollOffset()
	l.PageBy(-1)
	if l.inner.GetScrollOffset() >= before {
		t.Error("a page up does not go up")
	}
}

func FuzzRetype(f *testing.F) {
	f.Add("138 0013 8000", 5)
	f.Add("１２。３４-5,x", 3)
	formats := []format{
		plain(5), grouped(18, idRune, 6, 8, 4), grouped(19, digit, 4), phone(), decimal(12, 2, true, false),
		decimal(15, 3, false, true), dated(),
	}
	f.Fuzz(func(t *testing.T, typed string, caret int) {
		for i, f := range formats {
			shown, at, value := f.retype(typed, caret)
			if at < 0 || at > len([]rune(shown)) {
				t.Fatalf("format %d: caret %d of %q", i, at, shown)
			}
			again, _, same := f.retype(shown, at)
			if again != shown || same != value {
				t.Fatalf("format %d: %q gives %q (%q), which gives %q (%q)", i, typed, shown, value, again, same)
			}
		}
	})
}
