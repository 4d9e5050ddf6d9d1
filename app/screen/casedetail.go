package screen

import (
	"context"
	"image"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// CaseDetail is the screen of one case: where it stands, what is asked, what happened, what was said and handed in.
type CaseDetail struct {
	env *Env
	vm  *vm.CaseDetail

	body    *fyne.Container
	primary *look.Button
	scroll  *input.Scroll
	root    fyne.CanvasObject
	st      vm.CaseDetailState
	photos  map[string]*casePhoto // by label and address of the sealed file
	large   *casePhoto            // shown large; nil: none
	load    oneAtATime
	prints  *printBox
}

var (
	_ View    = (*CaseDetail)(nil)
	_ Primary = (*CaseDetail)(nil)
)

// NewCaseDetail builds the screen and reads the case.
func NewCaseDetail(env *Env, m *vm.CaseDetail) *CaseDetail {
	s := &CaseDetail{env: env, vm: m, body: look.VStack(look.Gap3), photos: map[string]*casePhoto{}}
	s.primary = look.NewButton(look.Primary, env.T("case.openReceipt"), "", s.TapPrimary)
	s.primary.Disable()
	s.prints = newPrintBox(env, func(id string) { m.PickPrinter(id); s.Show(m.State()) }, m.RetryPrint, m.CancelPrint)
	s.scroll = input.NewScroll(look.Column(s.body))
	s.root = look.Page(nil, s.scroll, look.ActionBar([]fyne.CanvasObject{look.NewButton(look.Secondary, env.T("case.back"), "back", env.Back)}, s.primary))
	s.Show(m.State())
	s.Refresh()
	return s
}

// Refresh reads the case anew and shows it.
func (s *CaseDetail) Refresh() {
	s.load.run(s.env, func() error { return s.vm.Load(context.Background()) }, func(err error) {
		if err != nil {
			if !vm.HomeError(err) {
				s.env.Fail(err)
			}
			return
		}
		s.Show(s.vm.State())
	})
}

// Show shows st. The page stays where it was scrolled to.
func (s *CaseDetail) Show(st vm.CaseDetailState) {
	s.st = st
	if !st.Ready {
		replace(s.body, look.Card(look.Busy(s.env.T("case.loading"))))
		return
	}
	s.primary.SetText(st.Primary)
	s.primary.SetIcon("")
	if st.Correction != nil {
		s.primary.SetIcon("next")
	}
	s.primary.Enable()
	parts := []fyne.CanvasObject{s.header(st)}
	if st.Correction != nil {
		parts = append(parts, s.correction(st.Correction))
	}
	if st.Trouble != "" {
		parts = append(parts, look.NewBanner(look.StateDanger, s.env.T("case.troubleTitle"), st.Trouble))
	}
	if st.Result != "" {
		parts = append(parts, look.NewBanner(stateOf(st.ResultTone), st.ResultTitle, st.Result))
	}
	wide := func(m look.Tokens) float32 { return m.Body * 23 }
	parts = append(parts, look.Grid(look.Gap3, wide, s.timeline(st), look.VStack(look.Gap3, s.receipts(st), s.about(st))))
	if st.AnswersFault != "" {
		parts = append(parts, look.NewBanner(look.StateWarning, s.env.T("case.answers"), st.AnswersFault))
	}
	if len(st.Sections) > 0 {
		parts = append(parts, s.answers(st))
	}
	if len(st.Papers) > 0 {
		parts = append(parts, s.papers(st))
	}
	replace(s.body, parts...)
	s.scroll.Refresh()
}

// header says what the case is and how it stands: with the authority, and how far its data got.
func (s *CaseDetail) header(st vm.CaseDetailState) fyne.CanvasObject {
	badges := look.Wrap(look.Gap1, look.NewBadge(stateOf(st.StateTone), st.State), look.NewBadge(stateOf(st.DeliveryTone), st.Delivery))
	if st.Days != "" && st.Correction == nil {
		days := look.NewStatusDot(stateOf(st.DaysTone), st.Days)
		badges.Objects = append(badges.Objects, look.Pad(look.GapH, look.Gap0, days))
	}
	cells := make([]fyne.CanvasObject, len(st.Numbers))
	for i, f := range st.Numbers {
		cells[i] = look.VStack(look.Gap0, look.Label(f.Name), look.Strong(f.Value))
	}
	numbers := look.Grid(look.Gap3, func(m look.Tokens) float32 { return m.Body * 13 }, cells...)
	return look.Card(look.VStack(look.GapH, look.PageTitle(st.Who+" · "+st.Item), look.NewText(st.Explain, look.StyleBody, look.RoleSecondary)),
		badges, look.Line(), numbers)
}

// correction is the card with the reviewer's words. Its edge and its shape say that it is the clerk's turn.
func (s *CaseDetail) correction(c *vm.CaseCorrection) fyne.CanvasObject {
	t := s.env.T
	asked := look.VStack(look.GapH, look.Label(t("case.correctionFields")))
	for _, f := range c.Fields {
		asked.Objects = append(asked.Objects, look.HStackTop(look.Gap1, look.NewIcon("pen", look.RoleWarning), look.Grow(look.Strong(f))))
	}
	asked.Hidden = len(c.Fields) == 0
	rows := []fyne.CanvasObject{
		look.HStack(look.Gap2, look.NewIconSized("warn", look.RoleWarning, func(m look.Tokens) float32 { return m.Icon * 1.2 }),
			look.Grow(look.VStack(look.Gap0, look.Title(t("case.correction")), look.Body(c.By))), look.NewBadge(stateOf(c.DaysTone), c.Days)),
		quoted(c.Note), asked,
	}
	var foot []fyne.CanvasObject
	if c.From != "" {
		foot = append(foot, look.KeyValue(t("case.correctionFrom"), c.From))
	}
	if c.Basis != "" {
		foot = append(foot, look.KeyValue(t("case.correctionBasis"), c.Basis))
	}
	if len(foot) > 0 {
		rows = append(rows, look.VStack(look.GapH, foot...))
	}
	return look.Layer(look.NewSurface(look.RoleWarningSoft, look.RoleWarning), look.Pad(look.Gap3, look.Gap3, look.VStack(look.Gap2, rows...)))
}

// quoted is somebody's own words: on a surface of their own, larger than the page around them.
func quoted(words string) fyne.CanvasObject {
	c := look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap2, look.Gap2, look.Title(words)))
	c.Hidden = words == ""
	return c
}

func (s *CaseDetail) timeline(st vm.CaseDetailState) fyne.CanvasObject {
	moments := make([]look.Moment, len(st.Steps))
	for i, step := range st.Steps {
		m := look.Moment{What: step.What, When: step.When, More: step.Note, State: stateOf(step.Tone)}
		switch {
		case m.When == "":
			m.When = step.Who
		case step.Who != "":
			m.When += " · " + step.Who
		}
		moments[i] = m
	}
	return look.Card(look.Title(s.env.T("case.timeline")), look.Timeline(moments...))
}

func (s *CaseDetail) receipts(st vm.CaseDetailState) fyne.CanvasObject {
	rows := make([]fyne.CanvasObject, len(st.Receipts))
	for i, r := range st.Receipts {
		rows[i] = linkRow("file", r.Word, r.Note, func() { goTo(s.env, r.To) })
	}
	return look.RowsCard(rows...)
}

func (s *CaseDetail) about(st vm.CaseDetailState) fyne.CanvasObject {
	rows := []fyne.CanvasObject{look.HStack(look.Gap1, look.Grow(look.Title(s.env.T("case.about"))),
		look.QuietButton(st.Reveal, "idcard", func() {
			s.vm.ToggleReveal()
			s.Show(s.vm.State())
		}))}
	for _, f := range st.Facts {
		rows = append(rows, look.KeyValue(f.Name, f.Value))
	}
	return look.Card(rows...)
}

// answers shows what was said, by the sections of the form, in two columns where they fit.
func (s *CaseDetail) answers(st vm.CaseDetailState) fyne.CanvasObject {
	s.prints.show(st.Print)
	parts := []fyne.CanvasObject{look.Title(s.env.T("case.answers")), s.printAnswers(st.Print), s.prints.box}
	for i, sec := range st.Sections {
		if i > 0 {
			parts = append(parts, look.Line())
		}
		parts = append(parts, look.NewText(sec.Title, look.StyleStrong, look.RolePrimary))
		var cells []fyne.CanvasObject
		flush := func() {
			if len(cells) > 0 {
				parts = append(parts, look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 22 }, cells...))
				cells = nil
			}
		}
		for _, a := range sec.Rows {
			switch {
			case a.Heading:
				flush()
				parts = append(parts, look.Strong(a.Label))
			case a.Agreed:
				flush()
				parts = append(parts, look.HStackTop(look.Gap1, look.NewIcon("success", look.RoleSuccess), look.Grow(look.VStack(look.Gap0, look.Body(a.Label), look.Label(a.Value)))))
			default:
				cells = append(cells, look.KeyValue(a.Label, a.Value))
			}
		}
		flush()
	}
	return look.Card(parts...)
}

// printAnswers is what can be done with the list of answers: on paper, or as a file.
func (s *CaseDetail) printAnswers(st vm.PrintState) fyne.CanvasObject {
	t := s.env.T
	word := t("case.printAnswers")
	if st.Note != "" {
		word = t("case.printAgain")
	}
	row := look.Wrap(look.Gap1, look.NewButton(look.Secondary, word, "print", func() {
		printNow(s.env, s.st.Print, s.vm.PrintAnswers, func() { s.Show(s.vm.State()) })
	}))
	if s.env.SaveFile != nil {
		row.Objects = append(row.Objects, look.QuietButton(t("case.pdfAnswers"), "file", func() {
			saveMade(s.env, func() (string, []byte, error) { return s.vm.AnswersPDF(context.Background()) })
		}))
	}
	return row
}

func (s *CaseDetail) papers(st vm.CaseDetailState) fyne.CanvasObject {
	cells := make([]fyne.CanvasObject, len(st.Papers))
	for i, p := range st.Papers {
		key := p.Label + string(p.Blob.Addr) // one picture may have been handed in for two things
		photo := s.photos[key]
		if photo == nil {
			photo = newCasePhoto(s, p)
			s.photos[key] = photo
		}
		photo.paper = p
		photo.draw()
		cells[i] = photo
	}
	parts := []fyne.CanvasObject{
		look.Title(s.env.T("case.papers")),
		look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 12 }, cells...),
	}
	if s.large != nil {
		image := &canvas.Image{Image: s.large.image.Image, FillMode: canvas.ImageFillContain}
		parts = append(parts, look.HStack(look.Gap1, look.Grow(look.Strong(s.large.paper.Label)),
			look.QuietButton(s.env.T("case.paperSmaller"), "cross", func() { s.enlarge(nil) })),
			look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Body*32) },
				look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder), look.Pad(look.Gap1, look.Gap1, image))))
	}
	return look.Card(parts...)
}

// enlarge shows one picture large below the others; nil takes it away.
func (s *CaseDetail) enlarge(p *casePhoto) {
	if s.large == p {
		p = nil
	}
	s.large = p
	s.Show(s.st)
}

// casePhoto is one file of a case: a small picture that a tap makes large, its name, and a line about it.
type casePhoto struct {
	look.Composite
	press  *look.Pressable // nil for what is no picture
	screen *CaseDetail
	paper  vm.CasePaper
	image  *canvas.Image
	blank  *fyne.Container
	label  *look.Text
	note   *look.Text
	broken bool
}

// pictureEdge is the size in pixels at which pictures are decoded, once for small and large.
const pictureEdge = 1200

func newCasePhoto(s *CaseDetail, p vm.CasePaper) *casePhoto {
	c := &casePhoto{screen: s, paper: p, image: &canvas.Image{FillMode: canvas.ImageFillContain}, label: look.Strong("").Lines(2), note: look.Label("")}
	icon := "file"
	if p.Picture {
		icon = "image"
	}
	c.blank = look.HStack(look.Gap0, look.Spring(), look.NewIconSized(icon, look.RoleSecondary,
		func(m look.Tokens) float32 { return m.TileIcon }), look.Spring())
	c.image.Hide()
	frame := look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Body*8) },
		look.Layer(look.NewSurface(look.RoleSunken, look.RoleClear), look.Layer(c.blank, c.image)))
	content := look.Pad(look.Gap1, look.Gap1, look.VStack(look.Gap1, frame, look.VStack(look.Gap0, c.label, c.note)))
	if !p.Picture {
		c.Compose(c, look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), content))
		return c
	}
	c.press = look.NewPressable(content, func() { s.enlarge(c) })
	c.press.Disable() // until there is something to make larger
	c.Compose(c, c.press)
	c.read()
	return c
}

// draw shows the words: what the file is, or that it cannot be opened.
func (c *casePhoto) draw() {
	t, note := c.screen.env.T, c.paper.Note
	switch {
	case c.broken:
		note = t("case.paperBroken")
	case !c.paper.Picture:
		note = t("case.paperFile") + " · " + note
	case c.image.Image != nil:
		note += " · " + t("case.paperLarger")
	}
	c.label.SetText(c.paper.Label)
	c.note.SetText(note)
	if c.press != nil {
		c.press.SetSelected(c.screen.large == c)
	}
}

// read opens and decodes the picture, off the UI goroutine.
func (c *casePhoto) read() {
	env, m, blob := c.screen.env, c.screen.vm, c.paper.Blob
	env.Work(func() {
		raw, err := m.Paper(context.Background(), blob)
		var small image.Image
		if err == nil {
			small, err = input.Thumbnail(raw, pictureEdge)
		}
		env.Post(func() {
			if err != nil {
				c.broken = true
			} else {
				c.image.Image = onWhite(small)
				c.image.Show()
				c.blank.Hide()
				c.press.Enable()
			}
			c.draw()
			c.Refresh()
		})
	})
}

// onWhite puts a picture on white: a signature is dark ink on nothing, which black looks would swallow.
func onWhite(p image.Image) image.Image {
	out := image.NewRGBA(p.Bounds())
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, p, p.Bounds().Min, draw.Over)
	return out
}

// Title is the page title.
func (s *CaseDetail) Title() string { return s.env.T("case.title") }

// Object is the screen.
func (s *CaseDetail) Object() fyne.CanvasObject { return s.root }

// Leave has nothing to save.
func (s *CaseDetail) Leave() {}

// TapPrimary answers the correction that is asked, or opens the newest receipt.
func (s *CaseDetail) TapPrimary() {
	if s.st.Ready {
		goTo(s.env, s.st.PrimaryTo)
	}
}
