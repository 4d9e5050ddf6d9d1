package screen

import (
	"context"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/input/ink"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/form"
)

// signaturePixels is the width of the picture that goes with the strokes.
const signaturePixels = 600

// signPanel takes the signatures one after the other, the signer's name in large type over a pad as wide as the page.
type signPanel struct {
	look.Composite
	w       *Wizard
	list    *fyne.Container
	frame   *fyne.Container
	name    *look.Text
	what    *look.Text
	pad     *input.SignaturePad
	fault   *look.Banner
	helper  *look.Button
	reason  *input.TextField
	why     *look.FieldFrame
	helping bool
	signer  form.Path
	shown   []vm.WizardSigner
	lang    string
}

func newSignPanel(w *Wizard) *signPanel {
	s := &signPanel{w: w, list: look.VStack(look.Gap0), name: look.PageTitle(""), what: look.NewText("", look.StyleBody, look.RoleSecondary)}
	s.pad = input.NewSignaturePad(nil)
	s.pad.SetOnChanged(func(string) { s.fail("") })
	s.fault = look.NewBanner(look.StateDanger, "", "")
	s.helper = look.QuietButton("", "people", func() {
		s.helping = !s.helping
		s.words()
		s.w.column.Refresh()
		s.w.scroll.Refresh()
		if s.helping {
			s.w.scroll.Reveal(s.why)
			focusOn(canvasOf(s.w.root), s.reason.Focusable())
		}
	})
	s.reason = input.NewText(200)
	s.reason.SetOnChanged(func(string) { s.why.SetError("") })
	s.why = look.NewFieldFrame("", s.reason)
	s.frame = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap3, look.Gap2, look.VStack(look.Gap2,
		look.VStack(look.Gap0, s.name, s.what), s.fault, s.pad, s.why, look.HStack(look.Gap0, s.helper))))
	s.Compose(s, look.VStack(look.Gap2, s.list, s.frame))
	s.Hide()
	return s
}

// clear forgets what is on the pad, when the step is left.
func (s *signPanel) clear() {
	s.signer, s.shown, s.helping = "", nil, false
	s.pad.Clear()
	s.reason.SetText("")
	s.fail("")
}

func (s *signPanel) words() {
	t := s.w.env.T
	s.why.SetLabel(t("wizard.helper.reason"))
	s.why.SetHelp(t("wizard.helper.help"))
	s.why.SetRequired(true)
	s.why.Hidden = !s.helping
	s.helper.SetText(t(map[bool]string{true: "wizard.helper.off", false: "wizard.helper"}[s.helping]))
}

// show shows who has signed, who signs now and who comes next. It reports whether the height may differ.
func (s *signPanel) show(st vm.WizardState) (changed bool) {
	if st.ID != form.StepSignature || len(st.Signers) == 0 {
		changed = !s.Hidden
		s.Hide()
		return changed
	}
	s.Hidden = false
	same := len(st.Signers) == len(s.shown) && s.lang == s.w.lang
	for i := range st.Signers {
		same = same && st.Signers[i].Path == s.shown[i].Path && st.Signers[i].Name == s.shown[i].Name && st.Signers[i].Signed == s.shown[i].Signed
	}
	if same {
		return false
	}
	s.shown, s.lang = st.Signers, s.w.lang
	s.words()
	s.frame.Hidden = st.Signer < 0
	if st.Signer >= 0 {
		g := st.Signers[st.Signer]
		if g.Path != s.signer {
			s.pad.Clear()
			s.reason.SetText("")
			s.helping = false
			s.words()
		}
		s.signer = g.Path
		s.name.SetText(s.w.env.T("wizard.signer", "name", g.Name))
		s.what.SetText(g.Label)
	}
	s.rows(st)
	return true
}

// rows lists the signers; of a single one only the finished signature is shown.
func (s *signPanel) rows(st vm.WizardState) {
	t := s.w.env.T
	var rows []fyne.CanvasObject
	for i, g := range st.Signers {
		if len(st.Signers) == 1 && !g.Signed {
			continue
		}
		lines := []fyne.CanvasObject{look.Strong(g.Name), look.Label(g.Label)}
		if g.Helper != "" {
			lines = append(lines, look.Label(g.Helper))
		}
		row := []fyne.CanvasObject{look.Grow(look.VStack(look.Gap0, lines...))}
		switch {
		case g.Signed:
			row = append(row, signaturePicture(g), look.NewBadge(look.StateSuccess, t("wizard.signed")),
				look.QuietButton(t("wizard.resign"), "pen", func() { s.again(g.Path) }))
		case i == st.Signer:
			row = append(row, look.NewBadge(look.StateInfo, t("wizard.now")))
		default:
			row = append(row, look.NewBadge(look.StateNone, t("wizard.waits")))
		}
		rows = append(rows, look.Pad(look.Gap2, look.Gap1, look.HStack(look.Gap2, row...)))
	}
	s.list.Objects = nil
	if len(rows) > 0 {
		s.list.Objects = []fyne.CanvasObject{look.RowsCard(rows...)}
	}
	s.list.Hidden = len(rows) == 0
}

func (s *signPanel) again(path form.Path) {
	s.w.turn(func() bool {
		s.w.vm.Unsign(path)
		return true
	})
}

func (s *signPanel) fail(text string) {
	hidden := s.fault.Hidden
	s.fault.Hidden = text == ""
	s.fault.Set(look.StateDanger, "", text)
	if hidden != s.fault.Hidden {
		s.w.relayout()
	}
}

// relayout places everything anew after a part of the page came or went.
func (w *Wizard) relayout() {
	if w.column == nil || w.scroll == nil {
		return
	}
	w.column.Refresh()
	w.scroll.Refresh()
}

// take brings what is on the pad to the case, then asks the next signer, or submits after the last.
func (s *signPanel) take() {
	strokes, t := s.pad.Strokes(), s.w.env.T
	if strokes.Blank() {
		s.fail(t("wizard.blank"))
		s.w.scroll.Reveal(s.pad)
		return
	}
	g := counter.Signature{Helper: s.helping, Reason: s.reason.Text()}
	g.Strokes, g.Times = wholePixels(strokes)
	if s.helping && g.Reason == "" {
		s.why.SetError(t("wizard.helper.missing"))
		s.w.relayout()
		s.w.scroll.Reveal(s.why)
		return
	}
	picture, err := strokes.PNG(signaturePixels)
	if err != nil {
		s.w.env.Fail(err)
		return
	}
	g.PNG = picture
	var left int
	signer := s.signer
	s.w.work("wizard.submitting", func() error {
		var err error
		left, err = s.w.vm.Sign(context.Background(), signer, g)
		return err
	}, func() {
		if left == 0 {
			s.w.submit()
			return
		}
		s.w.update()
		s.w.scroll.Reveal(s.frame)
	})
}

// wholePixels returns the strokes as the case keeps them: pixels of the pad, without points that are the same, and when each
// point was drawn. The toolkit does not say how hard the pen was pressed.
func wholePixels(s input.Strokes) (strokes, times [][]int64) {
	const tenths = 10
	for _, line := range s.Lines {
		var st, at []int64
		for _, p := range line {
			x, y := int64(p[0]+tenths/2)/tenths, int64(p[1]+tenths/2)/tenths
			if n := len(st); n >= 2 && st[n-2] == x && st[n-1] == y {
				continue
			}
			st, at = append(st, x, y), append(at, int64(p[2]))
		}
		strokes, times = append(strokes, st), append(times, at)
	}
	return strokes, times
}

// signaturePicture draws a kept signature small, black on white in every look.
func signaturePicture(g vm.WizardSigner) fyne.CanvasObject {
	var s ink.Strokes
	for _, st := range g.Strokes {
		var line []ink.Point
		for i := 0; i+1 < len(st); i += 2 {
			x, y := int32(st[i])*10, int32(st[i+1])*10
			s.Width, s.Height = max(s.Width, x), max(s.Height, y)
			line = append(line, ink.Point{x, y, 0})
		}
		s.Lines = append(s.Lines, line)
	}
	s.Width, s.Height = s.Width+100, s.Height+100
	raw, err := s.PNG(signaturePixels / 2)
	if err != nil {
		return look.NewIcon("pen", look.RoleSecondary)
	}
	return pngPicture(raw, func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch*2.5, m.Touch) })
}
