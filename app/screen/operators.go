package screen

import (
	"context"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Operators is the screen 操作员: who may log in here, who waits to be admitted, and what can be done about it.
type Operators struct {
	env *Env
	vm  *vm.Operators

	result  *look.Banner
	list    *fyne.Container
	buttons []*look.Button // of the list
	name    *input.TextField
	id      *input.TextField
	role    *input.ChoiceOne
	add     *look.Button
	rotate  *look.Button
	form    fyne.CanvasObject
	scroll  *input.Scroll
	root    fyne.CanvasObject
}

var _ View = (*Operators)(nil)

// longest texts of a new operator, in characters.
const (
	mostName = 50
	mostID   = 32
)

// NewOperators builds the screen.
func NewOperators(env *Env, m *vm.Operators) *Operators {
	s := &Operators{env: env, vm: m, result: look.NewBanner(look.StateSuccess, "", ""), list: look.VStack(look.Gap1)}
	t, st := env.T, m.State()
	s.name, s.id = input.NewText(mostName), input.NewText(mostID)
	s.name.SetPurpose(input.PersonName)
	s.id.SetPurpose(input.Latin)
	options := make([]input.Option, len(st.Roles))
	for i, r := range st.Roles {
		options[i] = input.Option{Value: r.Value, Label: r.Label}
	}
	s.role = input.NewChoiceOne(options...)
	s.role.SetText(st.Roles[0].Value)
	s.add = look.NewButton(look.Secondary, t("operators.addYes"), "user", s.invite)
	s.rotate = look.NewButton(look.Secondary, t("operators.rotate"), "key", func() { s.ask(m.Rotate(), "") })
	id := look.NewFieldFrame(t("operators.id"), s.id)
	id.SetHelp(t("operators.idHelp"))
	s.form = look.VStack(look.Gap3,
		look.Card(look.Title(t("operators.add")), look.NewFieldFrame(t("operators.name"), s.name), id,
			look.NewFieldFrame(t("operators.role"), s.role), look.HStack(look.Gap2, s.add, look.Spring())),
		look.Card(look.Title(t("operators.rotate")), look.Body(t("operators.rotateText")), look.HStack(look.Gap2, s.rotate, look.Spring())))
	s.scroll = input.NewScroll(look.Column(look.VStack(look.Gap3, s.result, look.Body(st.Note), s.list, s.form)))
	s.root = look.Page(nil, s.scroll, look.ActionBar([]fyne.CanvasObject{look.NewButton(look.Secondary, t("case.back"), "left", env.Back)}))
	s.Show(st)
	return s
}

// ask asks before an act, and does it on yes.
func (s *Operators) ask(a vm.OperatorAct, id string) {
	s.env.Confirm(a.Title, a.Text, a.Yes, a.Danger, func() {
		s.do(func() { s.vm.Do(context.Background(), a.Act, id) })
	})
}

// do does something off the UI goroutine and shows what came of it.
func (s *Operators) do(fn func()) {
	if !s.vm.Begin() {
		return
	}
	s.Refresh()
	s.env.Work(func() {
		fn()
		s.env.Post(func() {
			s.Refresh()
			s.scroll.Reveal(s.result)
		})
	})
}

func (s *Operators) invite() {
	name, id, role := s.name.Text(), s.id.Text(), s.role.Text()
	s.do(func() {
		if s.vm.Add(context.Background(), name, id, role) {
			s.env.Post(func() {
				s.name.SetText("")
				s.id.SetText("")
			})
		}
	})
}

// Show shows st.
func (s *Operators) Show(st vm.OperatorsState) {
	s.result.Hidden = st.Result == ""
	s.result.Set(stateOf(st.Result), st.Title, st.Text)
	s.buttons = nil
	var cards []fyne.CanvasObject
	for _, row := range st.Rows {
		cells := []fyne.CanvasObject{
			look.NewIconSized("user", look.RolePrimary, func(m look.Tokens) float32 { return m.TileIcon * 0.8 }),
			look.Grow(look.VStack(look.GapH, look.Title(row.Name), look.Label(row.Role), look.NewStatusDot(stateOf(row.Kind), row.State))),
		}
		var acts []fyne.CanvasObject
		for _, a := range row.Acts {
			kind := look.Secondary
			if a.Danger {
				kind = look.Quiet
			}
			b := look.NewButton(kind, a.Word, "", func() { s.ask(a, row.ID) })
			setEnabled(b, !st.Busy)
			s.buttons = append(s.buttons, b)
			acts = append(acts, b)
		}
		body := []fyne.CanvasObject{look.HStack(look.Gap2, cells...)}
		if len(acts) > 0 {
			body = append(body, look.Wrap(look.Gap2, acts...))
		}
		cards = append(cards, look.Card(body...))
	}
	replace(s.list, cards...)
	s.form.(*fyne.Container).Hidden = !st.MayAdd
	setEnabled(s.add, !st.Busy)
	setEnabled(s.rotate, !st.Busy)
	s.scroll.Refresh()
}

// Title is the page title.
func (s *Operators) Title() string { return s.env.T("operators.title") }

// Object is the screen.
func (s *Operators) Object() fyne.CanvasObject { return s.root }

// Refresh shows the newest state.
func (s *Operators) Refresh() { s.Show(s.vm.State()) }

// Leave forgets what was typed.
func (s *Operators) Leave() {
	s.name.SetText("")
	s.id.SetText("")
}
