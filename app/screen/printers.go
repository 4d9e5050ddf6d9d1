package screen

import (
	"context"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// longest texts of a printer, in characters.
const (
	mostPrinterName = 30
	mostAddress     = 200
)

// Printers is the screen 打印机: the printers of this machine, how they are, and the queue of what is to be printed.
type Printers struct {
	env *Env
	vm  *vm.Printers

	list   *fyne.Container
	form   *fyne.Container
	jobs   *fyne.Container
	name   *input.TextField
	where  *input.TextField
	scroll *input.Scroll
	root   fyne.CanvasObject
	asking bool
}

var _ View = (*Printers)(nil)

// NewPrinters builds the screen and asks the printers how they are.
func NewPrinters(env *Env, m *vm.Printers) *Printers {
	s := &Printers{env: env, vm: m, list: look.VStack(look.Gap1), form: look.VStack(look.Gap0), jobs: look.VStack(look.Gap1)}
	s.name, s.where = input.NewText(mostPrinterName), input.NewText(mostAddress)
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3, look.Body(m.State().Note), s.list, s.form, s.jobs)))
	add := look.NewButton(look.Primary, env.T("printers.add"), "plus", func() { s.edit("") })
	s.root = look.Page(nil, s.scroll, look.ActionBar([]fyne.CanvasObject{look.NewButton(look.Secondary, env.T("case.back"), "left", env.Back)}, add))
	s.Show(m.State())
	s.ask()
	return s
}

// ask asks every printer, off the UI goroutine.
func (s *Printers) ask() {
	if s.asking {
		return
	}
	s.asking = true
	s.env.Work(func() {
		s.vm.Ask(context.Background())
		s.env.Post(func() {
			s.asking = false
			s.Show(s.vm.State())
		})
	})
}

func (s *Printers) edit(id string) {
	s.vm.Edit(id)
	st := s.vm.State()
	s.name.SetText(st.Name)
	s.where.SetText(st.Address)
	s.Show(st)
	s.scroll.Reveal(s.form)
	focusOn(canvasOf(s.scroll), s.name.Focusable())
}

// work writes to the disk off the UI goroutine and shows what came of it.
func (s *Printers) work(fn func() error, then func()) {
	s.env.Work(func() {
		err := fn()
		s.env.Post(func() {
			if err != nil {
				s.env.Fail(err)
			} else if then != nil {
				then()
			}
			s.Show(s.vm.State())
		})
	})
}

// Show shows st.
func (s *Printers) Show(st vm.PrintersState) {
	t := s.env.T
	cards := make([]fyne.CanvasObject, 0, len(st.Rows)+1)
	for _, r := range st.Rows {
		cards = append(cards, s.card(r))
	}
	if len(cards) == 0 {
		cards = append(cards, look.Card(look.Body(st.Empty)))
	}
	replace(s.list, append([]fyne.CanvasObject{look.Title(t("printers.list"))}, cards...)...)
	s.form.Hidden = !st.Form
	if st.Form {
		s.showForm(st)
	}
	jobs := []fyne.CanvasObject{look.Title(t("printers.queue"))}
	for _, j := range st.Jobs {
		jobs = append(jobs, look.Card(jobRow(s.env, j, true, s.vm.Retry, s.vm.Cancel)))
	}
	if len(st.Jobs) == 0 {
		jobs = append(jobs, look.Card(look.Body(st.NoJob)))
	}
	replace(s.jobs, jobs...)
	s.scroll.Refresh()
}

// card is one printer.
func (s *Printers) card(r vm.PrinterRow) fyne.CanvasObject {
	t := s.env.T
	head := []fyne.CanvasObject{
		look.NewIconSized("print", look.RolePrimary, func(m look.Tokens) float32 { return m.TileIcon * 0.8 }),
		look.Grow(look.VStack(look.GapH, look.Title(r.Name), look.Label(r.Note), look.NewStatusLine(stateOf(r.Tone), r.State))),
	}
	if r.First {
		head = append(head, look.NewBadge(look.StateInfo, t("printers.isFirst")))
	}
	acts := look.Wrap(look.Gap2, look.NewButton(look.Secondary, t("printers.test"), "print", func() {
		s.work(func() error { return s.vm.Test(r.ID) }, func() { s.env.Say("info", t("printers.tested")) })
	}), look.NewButton(look.Secondary, t("printers.ask"), "sync", s.ask))
	if !r.First {
		acts.Objects = append(acts.Objects, look.NewButton(look.Secondary, t("printers.first"), "check", func() {
			s.work(func() error { return s.vm.SetFirst(r.ID) }, nil)
		}))
	}
	acts.Objects = append(acts.Objects, look.QuietButton(t("printers.edit"), "pen", func() { s.edit(r.ID) }),
		look.QuietButton(t("printers.remove"), "trash", func() {
			s.env.Confirm(t("printers.removeTitle", "name", r.Name), t("printers.removeText"), t("printers.remove"), true, func() {
				s.work(func() error { return s.vm.Remove(r.ID) }, nil)
			})
		}))
	return look.Card(look.HStack(look.Gap2, head...), acts)
}

// showForm shows the form of a printer. The fields keep what is typed.
func (s *Printers) showForm(st vm.PrintersState) {
	t := s.env.T
	name, where := look.NewFieldFrame(t("printers.name"), s.name), look.NewFieldFrame(t("printers.address"), s.where)
	name.SetHelp(t("printers.nameHelp"))
	where.SetHelp(st.Hint)
	parts := []fyne.CanvasObject{look.Title(st.Title), name, s.chips("printers.kind", "kind", st.Kinds), where}
	if len(st.Found) > 0 {
		parts = append(parts, s.chips("printers.found", "found", st.Found))
	}
	if len(st.Widths) > 0 {
		parts = append(parts, s.chips("printers.width", "width", st.Widths))
	}
	if len(st.Bauds) > 0 {
		parts = append(parts, s.chips("printers.baud", "baud", st.Bauds))
	}
	if st.Fault != "" {
		parts = append(parts, look.NewBanner(look.StateDanger, st.Fault, ""))
	}
	save := look.NewButton(look.Secondary, t("printers.save"), "check", s.save)
	parts = append(parts, look.Wrap(look.Gap2, save, look.QuietButton(t("printers.close"), "cross", func() {
		s.vm.Close()
		s.Show(s.vm.State())
	})))
	replace(s.form, look.Card(parts...))
}

// chips are the choices of one line of the form.
func (s *Printers) chips(label, what string, all []vm.Choice) fyne.CanvasObject {
	row := look.Wrap(look.Gap1)
	for _, c := range all {
		chip := newPickChip(c.Label, func() {
			s.vm.Typed(s.name.Text(), s.where.Text())
			s.vm.Choose(what, c.Value)
			st := s.vm.State()
			s.where.SetText(st.Address)
			s.Show(st)
		})
		chip.set(c.On)
		row.Objects = append(row.Objects, chip)
	}
	return look.VStack(look.GapH, look.Label(s.env.T(label)), row)
}

func (s *Printers) save() {
	s.vm.Typed(s.name.Text(), s.where.Text())
	s.env.Work(func() {
		saved := s.vm.Save()
		s.env.Post(func() {
			s.Show(s.vm.State())
			if saved {
				s.ask()
			}
		})
	})
}

// Title is the page title.
func (s *Printers) Title() string { return s.env.T("printers.title") }

// Object is the screen.
func (s *Printers) Object() fyne.CanvasObject { return s.root }

// Refresh shows the newest state.
func (s *Printers) Refresh() { s.Show(s.vm.State()) }

// Leave has nothing to save.
func (s *Printers) Leave() {}
