package screen

import (
	"context"
	"errors"
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/form"
)

// Wizard is the screen 办理: one case step by step, 身份 → 信息 → 材料 → 核对 → 签名, or the answer to a correction.
//
// A keystroke changes only the lines whose state differs: widgets are kept by the path of their field, so that focus and
// scroll stay where they are when sections come and go. Only the current step exists as widgets.
type Wizard struct {
	env *Env
	vm  *vm.Wizard

	state  vm.WizardState
	lang   string
	typing form.Path // field whose change is being shown: its input already has the text
	busy   bool
	saving bool

	steps    *look.Steps
	notice   *look.Banner
	warning  *look.Banner
	heading  *look.Text
	summary  *wizardSummary
	cards    *cardReader
	page     *formPage
	review   *fyne.Container
	read     *fyne.Container // reads the review aloud
	sign     *signPanel
	column   *fyne.Container
	scroll   *input.Scroll
	saved    *look.StatusDot
	mark     look.State
	back     *look.Button
	next     *look.Button
	head     *fyne.Container
	foot     *fyne.Container
	waiting  *fyne.Container
	waits    *look.Text
	root     fyne.CanvasObject
	thumbs   map[string]image.Image
	reveal   form.Path // to be scrolled into view once there is a size
	released bool
}

var (
	_ View    = (*Wizard)(nil)
	_ Focuser = (*Wizard)(nil)
	_ Primary = (*Wizard)(nil)
	_ Ticker  = (*Wizard)(nil)
)

// NewWizard returns the screen of an intake's wizard, on the step where it was left.
func NewWizard(env *Env, m *vm.Wizard) *Wizard {
	w := &Wizard{env: env, vm: m, thumbs: map[string]image.Image{}, head: look.VStack(look.Gap0)}
	w.notice, w.warning = look.NewBanner(look.StateWarning, "", ""), look.NewBanner(look.StateDanger, "", "")
	w.heading = look.PageTitle("")
	w.summary = newWizardSummary(w.jump)
	w.cards = newCardReader(w)
	w.review = look.VStack(look.Gap2)
	w.read = look.HStack(look.Gap0, look.Spring(), readButton(env, func() []string { return look.Reading(w.review) }))
	w.sign = newSignPanel(w)
	w.column = look.VStack(look.Gap2)
	w.scroll = input.NewScroll(look.Column(w.column))
	w.saved = look.NewStatusDot(look.StateSuccess, "")
	w.back = look.SecondaryButton("", w.goBack)
	w.next = look.PrimaryButton("", w.TapPrimary)
	w.waits = look.NewText("", look.StyleTitle, look.RoleText).Single()
	w.waiting = look.Layer(newBlocker(), look.Centered(look.Layer(look.NewSurface(look.RoleSurface, look.RolePrimary),
		look.Pad(look.Gap4, look.Gap3, look.HStack(look.Gap1, look.NewIcon("clock", look.RolePrimary), w.waits)))))
	w.waiting.Hide()
	w.foot = look.VStack(look.Gap0, look.ActionBar([]fyne.CanvasObject{w.back, w.saved}, w.next))
	w.root = look.Layer(look.Page(w.head, w.scroll, w.foot), w.waiting)
	w.rebuild()
	return w
}

// Title is the page title in the top bar.
func (w *Wizard) Title() string {
	if w.vm.Completing() {
		return w.env.T("wizard.title.papers", "item", w.state.Title)
	}
	if _, yes := w.vm.Correcting(); yes {
		return w.env.T("wizard.title.correct", "item", w.state.Title)
	}
	return w.state.Title
}

// Object is the screen's content.
func (w *Wizard) Object() fyne.CanvasObject { return w.root }

// Refresh shows the newest state; a change of language builds the step anew.
func (w *Wizard) Refresh() {
	if w.lang != w.env.Lang() {
		w.rebuild()
		return
	}
	w.update()
}

// Leave saves what was typed and where the clerk is. The draft stays.
func (w *Wizard) Leave() {
	if w.released {
		return
	}
	w.released = true
	if err := w.vm.Close(context.Background()); err != nil {
		w.env.Fail(err)
	}
}

// rebuild makes the current step from nothing.
func (w *Wizard) rebuild() {
	w.lang = w.env.Lang()
	w.state = vm.WizardState{ID: w.state.ID}
	w.page, w.steps, w.column.Objects = newFormPage(w), nil, nil
	w.summary.shown = nil
	w.Show(w.vm.State())
}

// update shows the newest state of the view model.
func (w *Wizard) update() {
	w.Show(w.vm.State())
	if !w.busy && !w.released && w.vm.MustCompare() {
		w.work("photo.comparing", func() error { return w.vm.Compare(context.Background()) }, w.update)
	}
}

// Show shows s. Only what differs from before is touched.
func (w *Wizard) Show(s vm.WizardState) {
	old := w.state
	w.state = s
	turned := old.ID != s.ID
	if turned {
		w.page = newFormPage(w)
		w.sign.clear()
	}
	if w.steps == nil || len(old.Steps) != len(s.Steps) || w.steps.Current() != s.Step || turned {
		w.steps = look.NewSteps(s.Steps...)
		w.steps.SetCurrent(s.Step)
		w.steps.OnTap = func(i int) { w.turn(func() bool { return w.vm.GoTo(i) }) }
		replace(w.head, look.Head(w.steps))
	}
	back := s.Back
	if s.Step == 0 {
		back = w.env.T("wizard.leave")
		if w.env.public() { // the public has nowhere to go on with a draft
			back = w.env.T("selfservice.leave")
		}
	}
	if back != w.back.Text() || s.Next != w.next.Text() {
		w.back.SetText(back)
		w.next.SetText(s.Next)
		w.foot.Refresh()
	}
	w.showMark(s.Saved, s.Unsaved)
	w.heading.SetText(s.Heading)

	grown := showNotice(w.notice, s.Notice)
	grown = showNotice(w.warning, s.Warning) || grown
	grown = w.summary.show(w.env, s.Summary, s.Problems) || grown
	grown = w.cards.show(s) || grown
	rebuilt, changed := w.page.show(s.Blocks)
	if turned || len(old.Review) > 0 || len(s.Review) > 0 {
		w.review.Objects = reviewCards(s.Review, w.edit)
	}
	w.review.Hidden = len(s.Review) == 0
	w.read.Hidden = w.review.Hidden
	if turned && s.ID == form.StepSignature && s.Signer >= 0 {
		speak(w.env, w.env.T("speech.sign"))
	}
	if turned && s.ID == vm.StepReview {
		speak(w.env, w.env.T("speech.check"))
	}
	grown = w.sign.show(s) || grown
	if turned || len(w.column.Objects) == 0 {
		w.column.Objects = []fyne.CanvasObject{w.heading, w.notice, w.warning, w.summary, w.cards, w.page.box, w.read, w.review, w.sign}
		grown = true
	}
	switch {
	case turned:
		w.column.Refresh()
		w.scroll.Refresh()
		w.scroll.Top()
	case rebuilt || grown:
		w.column.Refresh()
		w.scroll.Refresh()
	case len(changed) > 0:
		look.Relay(w.column, changed...)
		w.scroll.Refresh()
	}
}

func showNotice(b *look.Banner, n *vm.WizardNotice) (changed bool) {
	was := b.Hidden
	b.Hidden = n == nil
	if n != nil {
		b.Set(stateOf(n.State), n.Title, n.Text)
	}
	return was != b.Hidden
}

func (w *Wizard) showMark(text string, failed bool) {
	state := look.StateSuccess
	if failed {
		state = look.StateWarning
	}
	if w.saved.Word() == text && state == w.mark {
		return
	}
	longer := len(w.saved.Word()) != len(text)
	w.mark = state
	w.saved.Set(state, text)
	if longer {
		w.foot.Refresh()
	}
}

// changed takes what was typed into a field.
func (w *Wizard) changed(path form.Path, value string) {
	if w.busy {
		return
	}
	before := w.state.Agreed
	w.vm.Set(path, value)
	w.typing = path
	w.update()
	w.typing = ""
	if w.state.Agreed && !before && w.state.Signer >= 0 {
		w.scroll.Reveal(w.sign.frame) // nothing is left to read: the whole pad with its buttons comes into view
	}
}

// leftField is called when the keyboard leaves a field: the moment to check it and to save.
func (w *Wizard) leftField(path form.Path) {
	if w.busy || w.released {
		return
	}
	w.vm.Left(path)
	w.update()
	w.save()
}

// save brings the draft to the disk off the UI goroutine; one save at a time.
func (w *Wizard) save() {
	if w.saving || w.released {
		return
	}
	w.saving = true
	w.env.Work(func() {
		err := w.vm.Save(context.Background())
		w.env.Post(func() {
			w.saving = false
			if err != nil && !w.released {
				w.update() // the warning says what is not saved
				return
			}
			w.showMark(w.vm.Saved())
		})
	})
}

// Tick notes where the keyboard is and shows when the last change was saved. The window calls it each second.
func (w *Wizard) Tick() {
	if w.busy || w.released {
		return
	}
	if w.reveal != "" && w.scroll.Size().Height > 0 {
		path := w.reveal
		w.reveal = ""
		w.focusField(canvasOf(w.root), path)
	}
	if path := w.focused(); path != "" && path != w.vm.Field() {
		w.vm.At(path)
		w.save()
	}
	text, failed := w.vm.Saved()
	if failed != w.state.Unsaved {
		w.update()
		return
	}
	w.showMark(text, failed)
}

// focused returns the field that has the keyboard.
func (w *Wizard) focused() form.Path {
	c := canvasOf(w.root)
	if c == nil {
		return ""
	}
	obj, ok := c.Focused().(fyne.CanvasObject)
	if !ok {
		return ""
	}
	return w.page.pathOf(obj)
}

// FocusFirst puts the keyboard on the field where the draft was left, else on the first that is not filled in.
func (w *Wizard) FocusFirst(c fyne.Canvas) {
	path := w.vm.Field()
	if w.page.lines[pathKey(path)] != nil {
		w.focusField(c, path)
		return
	}
	// A step that is new is read from its top: the keyboard goes to the first open field only if that is in view.
	l := w.page.lines[pathKey(w.page.firstOpen())]
	if l == nil || l.field == nil || c == nil {
		return
	}
	driver := fyne.CurrentApp().Driver()
	bottom := driver.AbsolutePositionForObject(l.obj).Y + l.obj.Size().Height - driver.AbsolutePositionForObject(w.scroll).Y
	if w.scroll.Size().Height > 0 && bottom < w.scroll.Size().Height {
		focusOn(c, l.field.Focusable())
	}
}

func (w *Wizard) focusField(c fyne.Canvas, path form.Path) {
	l := w.page.lines[pathKey(path)]
	if l == nil || path == "" {
		return
	}
	if w.scroll.Size().Height <= 0 {
		w.reveal = path
		return
	}
	w.scroll.Refresh()
	w.scroll.Reveal(l.obj)
	if l.field != nil && !l.line.Fixed {
		focusOn(c, l.field.Focusable())
	}
}

// advance moves the keyboard to the next input of the step; after the last one it goes on.
func (w *Wizard) advance(path form.Path) {
	if next := w.page.after(path); next != "" {
		w.focusField(canvasOf(w.root), next)
		return
	}
	w.TapPrimary()
}

// turn runs a change of step and shows where it led.
func (w *Wizard) turn(fn func() bool) bool {
	if w.busy {
		return true
	}
	w.unfocus()
	if !fn() {
		return false
	}
	w.update()
	w.save()
	if c := canvasOf(w.root); c != nil {
		w.FocusFirst(c)
	}
	return true
}

func (w *Wizard) unfocus() {
	if c := canvasOf(w.root); c != nil {
		c.Unfocus()
	}
}

// Back goes one step back; false when this is the first. The window calls it for Esc.
func (w *Wizard) Back() bool { return w.turn(w.vm.Back) }

func (w *Wizard) goBack() {
	if w.Back() {
		return
	}
	if t := w.env.T; w.env.public() {
		w.env.Confirm(t("kiosk.endTitle"), t("kiosk.endText"), t("kiosk.end"), false, w.env.End)
		return
	}
	w.work("wizard.submitting", func() error { return w.vm.Save(context.Background()) }, func() {
		w.env.Back()
		w.env.Say("ok", w.env.T("wizard.draftKept"))
	})
}

func (w *Wizard) jump(path form.Path) {
	w.turn(func() bool {
		w.vm.Jump(path)
		return true
	})
}

func (w *Wizard) edit(block string) {
	w.turn(func() bool {
		w.vm.Edit(block)
		return true
	})
}

// TapPrimary is the button at the lower right: on, or sign, or submit.
func (w *Wizard) TapPrimary() {
	if w.busy {
		return
	}
	w.unfocus()
	switch w.vm.Next() {
	case vm.Moved:
		w.turn(func() bool { return true })
	case vm.Signs:
		w.update()
		w.sign.take()
	case vm.Submit:
		w.submit()
	default:
		w.update()
		w.scroll.Top()
	}
}

func (w *Wizard) submit() {
	seq, correcting := w.vm.Correcting()
	unchanged := false
	w.work("wizard.submitting", func() error {
		out, err := w.vm.Submit(context.Background())
		if unchanged = errors.Is(err, counter.ErrUnchanged); unchanged {
			return nil
		}
		if err == nil {
			seq = out.Case
		}
		return err
	}, func() {
		if unchanged {
			w.env.Confirm(w.env.T("wizard.unchanged"), w.env.T("wizard.unchanged.why"), w.env.T("wizard.unchanged.yes"), false, func() {
				w.vm.Affirm()
				w.submit()
			})
			return
		}
		w.released = true
		if correcting {
			w.env.Go(Route{PageCase, vm.CaseArg(seq)})
			done := "wizard.corrected.done"
			if w.vm.Completing() {
				done = "wizard.papers.done"
			}
			w.env.Say("ok", w.env.T(done))
			return
		}
		w.env.Go(Route{PageReceipt, vm.CaseArg(seq)})
		speak(w.env, w.env.T("speech.saved"))
	})
}

// work runs fn off the UI goroutine with the page covered; then follows when it succeeded. Errors are shown in words.
func (w *Wizard) work(key string, fn func() error, then func()) {
	if w.busy {
		return
	}
	w.unfocus()
	w.busy = true
	w.waits.SetText(w.env.T(key))
	w.waiting.Show()
	w.env.Work(func() {
		err := fn()
		w.env.Post(func() {
			w.busy = false
			w.waiting.Hide()
			if err != nil {
				w.update()
				w.env.Fail(err)
				return
			}
			then()
		})
	})
}

// wizardSummary is the list at the top of a step of what is missing; a tap leads to the field.
type wizardSummary struct {
	look.Composite
	title *look.Text
	hint  *look.Text
	rows  *fyne.Container
	jump  func(form.Path)
	shown []vm.WizardProblem
}

func newWizardSummary(jump func(form.Path)) *wizardSummary {
	s := &wizardSummary{title: look.NewText("", look.StyleStrong, look.RoleDanger), hint: look.Label(""), rows: look.VStack(look.GapH), jump: jump}
	s.Compose(s, look.Layer(look.NewSurface(look.RoleDangerSoft, look.RoleDanger), look.Pad(look.Gap2, look.Gap2, look.VStack(look.Gap1,
		look.HStack(look.Gap1, look.NewIcon("danger", look.RoleDanger), look.Grow(look.VStack(look.Gap0, s.title, s.hint))), s.rows))))
	s.Hide()
	return s
}

func (s *wizardSummary) show(env *Env, title string, problems []vm.WizardProblem) (changed bool) {
	if len(problems) == len(s.shown) {
		same := true
		for i := range problems {
			same = same && problems[i] == s.shown[i]
		}
		if same {
			return false
		}
	}
	s.shown = problems
	s.Hidden = len(problems) == 0
	s.title.SetText(title)
	s.hint.SetText(env.T("wizard.problems.hint"))
	s.rows.Objects = nil
	for _, p := range problems {
		s.rows.Objects = append(s.rows.Objects, look.NewPressable(look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Touch) },
			look.Pad(look.Gap1, look.GapH, look.HStack(look.Gap1, look.Grow(look.Body(p.Text)), look.NewIcon("right", look.RoleDanger)))),
			func() { s.jump(p.Path) }))
	}
	return true
}

// blocker is an invisible cover that takes all taps while work is under way.
type blocker struct{ look.Touch }

func newBlocker() *blocker {
	b := &blocker{}
	b.Extend(b, nil)
	return b
}

// CreateRenderer is called by Fyne.
func (b *blocker) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(look.Color(look.RoleClear)))
}
