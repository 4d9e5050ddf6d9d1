package look

import (
	"image/color"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"bianmin/assets/icons"
)

// luminance and contrast follow WCAG 2.2, relative luminance and contrast ratio.
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestEveryPairOfColoursCanBeRead(t *testing.T) {
	const readable, visible = 4.5, 3.0
	for _, m := range Modes() {
		for _, p := range Pairs() {
			if got := contrast(m.Color(p.Text), m.Color(p.Ground)); got < readable {
				t.Errorf("%s: role %d on %d has %.2f:1", m, p.Text, p.Ground, got)
			}
		}
		for _, ground := range []Role{RoleBackground, RoleSurface} {
			for _, edge := range []Role{RoleInputBorder, RoleFocus} {
				if got := contrast(m.Color(edge), m.Color(ground)); got < visible {
					t.Errorf("%s: edge role %d on %d has %.2f:1", m, edge, ground, got)
				}
			}
		}
	}
}

func TestMeasuresAreThoseOfTheOldAgeRules(t *testing.T) {
	for _, m := range Modes() {
		k := m.Tokens()
		least := float32(44)
		if m.Elder || m.HighContrast {
			least = 60
		}
		if k.Touch < least || k.Field < k.Touch || k.LineSpacing < 1.3 {
			t.Errorf("%s: touch %.0f, field %.0f, line spacing %.1f", m, k.Touch, k.Field, k.LineSpacing)
		}
		if m.Elder && (k.Body < 18 || k.Label < 18) {
			t.Errorf("%s: text of %.0f and %.0f", m, k.Body, k.Label)
		}
		if ParseMode(m.String()) != m {
			t.Errorf("mode %q does not come back", m)
		}
	}
}

func TestThemeDefinesEveryColour(t *testing.T) {
	app := test.NewTempApp(t)
	for _, m := range Modes() {
		Set(app, m)
		test.AssertAllColorNamesDefined(t, NewTheme(m), m.String())
	}
}

func TestThemeLeaksNoColourOfTheDefaultTheme(t *testing.T) {
	for _, m := range Modes() {
		ours := make(map[string]bool)
		for r := range roleCount {
			c := m.Color(r)
			ours[hexOf(c)] = true
		}
		ours[hexOf(rgb(0x0B1A2B))] = true // shadow
		for _, name := range []fyne.ThemeColorName{
			"background", "button", "disabledButton", "disabled", "error", "focus", "foreground", "foregroundOnError",
			"foregroundOnPrimary", "foregroundOnSuccess", "foregroundOnWarning", "headerBackground", "hover", "hyperlink",
			"innerWindowBorder", "inputBackground", "inputBorder", "menuBackground", "overlayBackground", "placeholder",
			"pressed", "primary", "scrollBar", "scrollBarBackground", "selection", "separator", "shadow", "success", "warning",
			"a name of the future",
		} {
			c, ok := NewTheme(m).Color(name, 0).(color.NRGBA)
			c.A = 0xFF
			if !ok || !ours[hexOf(c)] {
				t.Errorf("%s: %s is %v, no colour of ours", m, name, c)
			}
		}
	}
}

func TestLinesBreakAsChineseIsSet(t *testing.T) {
	byRune := func(s string) float32 {
		var w float32
		for _, r := range s {
			if r < 0x2E80 && !strings.ContainsRune("“”‘’…—", r) {
				w += 0.5
			} else {
				w++
			}
		}
		return w
	}
	for _, test := range []struct {
		name, in string
		width    float32
		want     []string
	}{
		{"anywhere between characters", "石桥村便民服务站", 3, []string{"石桥村", "便民服", "务站"}},
		{"no mark begins a line", "没有联网，已保存。", 4, []string{"没有联", "网，已保", "存。"}},
		{"no opening mark ends a line", "高龄津贴（八十岁）", 5, []string{"高龄津贴", "（八十岁）"}},
		{"numbers stay whole", "电话13800138000请接听", 6, []string{"电话", "13800138000", "请接听"}},
		{"a number wider than the line is cut", "13800138000", 3, []string{"138001", "38000"}},
		{"its last digit does not stand alone", "1380013", 3, []string{"1380", "013"}},
		{"words stay whole", "please try again", 6, []string{"please try", "again"}},
		{"newlines are kept", "一\n\n二", 9, []string{"一", "", "二"}},
		{"nothing", "", 5, []string{""}},
	} {
		if got := breakLines(test.in, test.width, byRune); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := ellipsis("石桥村便民服务站", 4, byRune); got != "石桥村…" {
		t.Errorf("ellipsis: %q", got)
	}
}

func FuzzBreakLines(f *testing.F) {
	f.Add("没有联网，已保存 in 本机（13800138000）。", 7)
	f.Add("  a  b  ", 1)
	measure := func(s string) float32 { return float32(len([]rune(s))) }
	f.Fuzz(func(t *testing.T, text string, width int) {
		if !strings.Contains(text, "\n") && strings.ToValidUTF8(text, "") == text {
			lines := breakLines(text, float32(width%50), measure)
			bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
			if bare(strings.Join(lines, "")) != bare(text) {
				t.Fatalf("%q became %q", text, lines)
			}
		}
	})
}

func TestTextGrowsInHeightWhenItGetsNarrower(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	text := Body(strings.Repeat("石桥村便民服务站", 10))
	box := VStack(Gap1, text, Label("下一行"))
	w := test.NewTempWindow(t, box)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(800, 600))
	wide := text.Size().Height
	w.Resize(fyne.NewSize(300, 600))
	if text.Size().Height <= wide {
		t.Fatalf("height %.0f at 300, %.0f at 800", text.Size().Height, wide)
	}
	if below := box.Objects[1].Position().Y; below < text.Size().Height {
		t.Errorf("the next part begins at %.0f, over the text that ends at %.0f", below, text.Size().Height)
	}
	want := Measures().Body * Measures().LineSpacing
	if got := HeightFor(Body("一行"), 300); math.Abs(float64(got-want)) > 0.01 {
		t.Errorf("line pitch %.2f, want %.2f", got, want)
	}
}

func TestModeAndLanguageSwitchLive(t *testing.T) {
	app := test.NewTempApp(t)
	Set(app, Standard)
	button := PrimaryButton("提交", nil)
	lock := NewTopBar()
	state := TopBarState{Station: "石桥村", Operator: "李桂芳"}
	lock.Set(state)
	w := test.NewTempWindow(t, container.NewVBox(lock, button))
	w.Resize(fyne.NewSize(900, 400))
	if got := button.MinSize().Height; got != 44 {
		t.Errorf("standard button is %.0f high", got)
	}
	Set(app, Elder)
	if got := button.MinSize().Height; got != 60 {
		t.Errorf("button is %.0f high in the old-age look", got)
	}
	if button.label.TextSize != 22 {
		t.Errorf("text of %.0f after switching", button.label.TextSize)
	}
	Set(app, HighContrast)
	if got := button.ground.FillColor; got != HighContrast.Color(RolePrimary) {
		t.Errorf("button is painted %v after switching", got)
	}
	t.Cleanup(func() { SetLang("zh") })
	SetLang("en")
	lock.Set(state)
	if got := lock.lock.Text(); got != "Lock" {
		t.Errorf("lock says %q in English", got)
	}
}

func TestButtonStates(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	taps := 0
	b := PrimaryButton("下一步", func() { taps++ })
	w := test.NewTempWindow(t, container.NewCenter(b))
	w.Resize(fyne.NewSize(300, 200))
	fill := func() color.Color { return b.ground.FillColor }

	test.Tap(b)
	b.MouseIn(nil)
	if fill() != Standard.Color(RolePrimaryHover) {
		t.Error("hover is not shown")
	}
	b.MouseDown(nil)
	if fill() != Standard.Color(RolePrimaryPressed) {
		t.Error("press is not shown")
	}
	b.MouseUp(nil)
	b.MouseOut()
	if fill() != Standard.Color(RolePrimary) {
		t.Error("it does not return to normal")
	}
	w.Canvas().Focus(b)
	if b.ring.Hidden {
		t.Error("focus shows no ring")
	}
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	w.Canvas().Unfocus()
	if !b.ring.Hidden {
		t.Error("the ring stays")
	}
	b.Disable()
	test.Tap(b)
	if taps != 3 {
		t.Errorf("%d taps, want 3", taps)
	}
	if fill() != Standard.Color(RoleDisabledFill) {
		t.Error("disabled is not shown")
	}
}

func TestATapThatTrembledIsStillATap(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	taps := 0
	b := SecondaryButton("好", func() { taps++ })
	b.MouseDown(nil)
	if !TapHeld() || taps != 1 {
		t.Errorf("%d taps after a trembling press", taps)
	}
	b.MouseDown(nil)
	ReleaseHeld()
	if TapHeld() || taps != 1 || b.Pressed() {
		t.Errorf("%d taps after a scroll", taps)
	}
}

func TestStepsTellStateAndShrink(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	s := NewSteps("身份", "信息", "材料", "核对", "签名", "回执")
	went := -1
	s.OnTap = func(i int) { went = i }
	s.SetCurrent(2)
	w := test.NewTempWindow(t, s)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(900, 60))
	for i, want := range []StepState{StepDone, StepDone, StepCurrent, StepTodo, StepTodo, StepTodo} {
		if got := s.StateOf(i); got != want {
			t.Errorf("step %d: %v, want %v", i, got, want)
		}
	}
	if s.cells[0].tick.Hidden || !s.cells[3].tick.Hidden || s.cells[3].number.Hidden {
		t.Error("done steps have ticks, the others numbers")
	}
	test.Tap(s.cells[4])
	if went != -1 {
		t.Error("one cannot go forward by tapping")
	}
	test.Tap(s.cells[1])
	if went != 1 {
		t.Errorf("went to %d", went)
	}
	if s.cells[5].word.Hidden {
		t.Error("words are hidden although there is room")
	}
	w.Resize(fyne.NewSize(420, 60))
	if s.cells[2].word.Hidden || !s.cells[5].word.Hidden {
		t.Error("in a narrow window only the current step keeps its word")
	}
	last := s.cells[5]
	if end := last.Position().X + last.Size().Width; end > 420 {
		t.Errorf("steps end at %.0f", end)
	}
}

func TestFieldFrameSaysWhatIsWrong(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	in := &faultyInput{Entry: widget.NewEntry()}
	f := NewFieldFrame("手机号码", in)
	before := HeightFor(f, 600)
	f.SetError("少了 1 位")
	if !in.faulty || f.Error() != "少了 1 位" || f.fault.Hidden {
		t.Error("the error is not shown")
	}
	if HeightFor(f, 600) <= before {
		t.Error("the error takes no room")
	}
	f.SetError("")
	if in.faulty || !f.fault.Hidden || HeightFor(f, 600) != before {
		t.Error("the error stays")
	}
	f.SetRequired(true)
	f.SetHelp("十一位")
	f.SetSource("公安人口库 · 2026-11-01")
	if f.star.Hidden || f.help.Hidden || f.aside.Hidden || f.source.Word() != "公安人口库 · 2026-11-01" {
		t.Error("star, help or source is missing")
	}
}

type faultyInput struct {
	*widget.Entry
	faulty bool
}

func (f *faultyInput) SetFaulty(on bool) { f.faulty = on }

func TestRailSelectsAndCounts(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	r := NewRail(RailItem{ID: "home", Icon: "home", Word: "首页"}, RailItem{ID: "cases", Icon: "cases", Word: "办件", Mark: 120})
	got := ""
	r.OnSelect = func(id string) { got = id }
	r.Select("cases")
	second, ok := r.column.Objects[1].(*Pressable)
	if !ok || second.fill != RolePrimarySoft {
		t.Fatal("the current place is not marked")
	}
	test.Tap(r.column.Objects[0].(*Pressable))
	if got != "home" {
		t.Errorf("selected %q", got)
	}
}

func TestColumnIsCentredAndLimited(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	inner := NewSurface(RoleSurface, RoleClear)
	c := Column(inner)
	c.Resize(fyne.NewSize(1900, 900))
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(inner)
	if got := inner.Size().Width; got != ColumnWidth-2*Gap3.Size() {
		t.Errorf("column of %.0f (at %v)", got, at)
	}
}

func TestIconsAreOneColourAndReplaceable(t *testing.T) {
	other := regexp.MustCompile(`(?i)(fill|stroke)="(#[0-9a-f]{3,8}|[a-z]+)"`)
	for _, name := range icons.Names() {
		raw, ok := icons.Colored(name, "#123456")
		if !ok {
			t.Fatalf("%s is not there", name)
		}
		for _, m := range other.FindAllStringSubmatch(string(raw), -1) {
			if m[2] != "#123456" && m[2] != "none" {
				t.Errorf("%s has %s", name, m[0])
			}
		}
	}
	if _, ok := icons.Colored("no such drawing", "#000000"); ok {
		t.Error("a drawing that does not exist")
	}
}

func TestEveryStyleIsSetInOurFont(t *testing.T) {
	app := test.NewTempApp(t)
	Set(app, Standard)
	if reflect.DeepEqual(regularFont.Content(), boldFont.Content()) {
		t.Error("bold is regular")
	}
	if NewTheme(Elder).Font(fyne.TextStyle{Monospace: true, Italic: true}) != fyne.Resource(regularFont) {
		t.Error("a style falls back to a font that is not ours")
	}
}

func TestGapsFollowTheGrid(t *testing.T) {
	app := test.NewTempApp(t)
	Set(app, Standard)
	for gap, want := range map[Gap]float32{Gap0: 0, GapH: 4, Gap1: 8, Gap2: 16, Gap3: 24, Gap4: 32} {
		if gap.Size() != want {
			t.Errorf("gap %d is %.0f, want %.0f", gap, gap.Size(), want)
		}
	}
	Set(app, Elder)
	if Gap2.Size() != 24 {
		t.Errorf("two steps of the old-age grid are %.0f", Gap2.Size())
	}
}

func TestPartsLookAsTheirMasters(t *testing.T) {
	app := test.NewTempApp(t)
	Set(app, Standard)
	frame := NewFieldFrame("手机号码", widget.NewEntry())
	frame.SetRequired(true)
	frame.SetHelp("用于通知办理进度。")
	frame.SetError("少了 1 位，请再核对一遍。")
	steps := NewSteps("身份", "信息", "材料")
	steps.SetCurrent(1)
	disabled := SecondaryButton("暂不可用", nil)
	disabled.Disable()
	for name, part := range map[string]fyne.CanvasObject{
		"button":   PrimaryButton("下一步", nil),
		"disabled": disabled,
		"danger":   NewButton(Danger, "撤回申请", "trash", nil),
		"field":    frame,
		"steps":    steps,
		"badge":    NewBadge(StateWarning, "补正"),
		"banner":   NewBanner(StateInfo, "没有联网", "已保存在本机，联网后自动送达。"),
		"keyvalue": KeyValue("姓名", "王秀兰"),
		"tile":     NewTile("service", "办事", "受理群众申请", nil),
		"timeline": Timeline(Moment{When: "14:02", What: "收件", State: StateSuccess}, Moment{What: "办结"}),
	} {
		t.Run(name, func(t *testing.T) {
			w := test.NewTempWindow(t, VStack(Gap0, part))
			w.SetPadded(false)
			w.Resize(fyne.NewSize(420, 260))
			test.AssertRendersToMarkup(t, "master/"+name+".xml", w.Canvas())
		})
	}
}

// A name beside a value may be set on two lines, but no Latin word of it is cut in two, at any width, in any size.
func TestNamesAreNotBrokenInsideAWord(t *testing.T) {
	app := test.NewTempApp(t)
	for _, mode := range Modes() {
		Set(app, mode)
		for _, width := range []float32{240, 300, 420, 500, 900} {
			for _, name := range []string{"Last acknowledgement", "Responsibilities", "上次平台签收"} {
				row := KeyValue(name, "今天 09:31")
				row.Resize(fyne.NewSize(width, HeightFor(row, width)))
				label, _ := row.Objects[0].(*Text)
				value := row.Objects[1]
				words := strings.Fields(name)
				for _, line := range label.linesFor(label.Size().Width) {
					for _, part := range strings.Fields(line) {
						if name[0] < 0x80 && !slices.Contains(words, part) {
							t.Errorf("%v, %v wide: %q is broken at %q", mode, width, name, part)
						}
					}
				}
				if value.Position().X < label.Size().Width && value.Position().Y < label.Size().Height {
					t.Errorf("%v, %v wide: %q covers its value", mode, width, name)
				}
			}
		}
	}
}

// Fyne throws away the renderers of what was not painted for a minute; the new ones must not wait for a change of size.
func TestRenderersMadeAnewHaveTheirSize(t *testing.T) {
	Set(test.NewTempApp(t), Standard)
	size := fyne.NewSize(120, 60)
	for name, w := range map[string]fyne.Widget{
		"surface": NewSurface(RoleSurface, RoleBorder), "text": Body("柳树村"), "icon": NewIcon("home", RolePrimary), "code": NewQR(nil),
		"button": PrimaryButton("下一步", nil), "number": NewBigNumber("3", RoleText),
	} {
		w.Resize(size)
		first, again := test.WidgetRenderer(w).Objects(), w.CreateRenderer().Objects()
		if len(first) != len(again) {
			t.Errorf("%s: %d parts, then %d", name, len(first), len(again))
			continue
		}
		for i := range first {
			if first[i].Size() != again[i].Size() || first[i].Position() != again[i].Position() {
				t.Errorf("%s: part %d is %v at %v, made anew %v at %v", name, i, first[i].Size(), first[i].Position(), again[i].Size(), again[i].Position())
			}
		}
	}
}
