package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/catalog"
	"bianmin/offline/form"
)

// lineView is one line of a step as a widget.
type lineView struct {
	line   vm.WizardLine
	obj    fyne.CanvasObject
	field  input.Field // nil for what is no input
	update func(old, now vm.WizardLine)
}

// fieldEms is how wide a step's fields get at most, in characters: longer lines are hard to follow.
const fieldEms = 48

func newLineView(w *Wizard, l vm.WizardLine) *lineView {
	v := &lineView{line: l}
	switch l.Kind {
	case vm.LineFact:
		v.fact(l)
	case vm.LineNote:
		v.note(l)
	case vm.LineHead:
		v.heading(l)
	case vm.LineRow:
		v.row(w, l)
	case vm.LineAdd:
		add := look.NewButton(look.Secondary, l.Label, "plus", func() { w.addRow(l.Group) })
		v.obj = look.HStack(look.Gap0, add)
		v.update = func(_, now vm.WizardLine) { enable(add, now.Can) }
		enable(add, l.Can)
	case vm.LineKind(form.KindMaterial):
		m := newMaterialView(w, l)
		v.obj, v.update = m, func(_, now vm.WizardLine) { m.show(now) }
	default:
		v.input(w, l)
	}
	return v
}

func enable(b *look.Button, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}

func (v *lineView) fact(l vm.WizardLine) {
	name, value := look.NewText(l.Label, look.StyleBody, look.RoleSecondary), look.Strong("")
	set := func(l vm.WizardLine) {
		name.SetText(l.Label)
		value.SetText(l.Shown)
		if l.Absent {
			value.SetStyle(look.StyleBody)
			value.SetRole(look.RoleSecondary)
		} else {
			value.SetStyle(look.StyleStrong)
			value.SetRole(look.RoleText)
		}
	}
	set(l)
	v.obj = look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Body*2) }, look.Named(name, value))
	v.update = func(_, now vm.WizardLine) { set(now) }
}

func (v *lineView) note(l vm.WizardLine) {
	b := look.NewBanner(look.StateInfo, "", l.Shown)
	v.obj = b
	v.update = func(_, now vm.WizardLine) { b.Set(look.StateInfo, "", now.Shown) }
}

func (v *lineView) heading(l vm.WizardLine) {
	title, help, fault := look.Strong(""), look.Label(""), look.NewText("", look.StyleBody, look.RoleDanger)
	set := func(l vm.WizardLine) {
		title.SetText(l.Label)
		help.SetText(l.Help)
		fault.SetText(l.Error)
		help.Hidden, fault.Hidden = l.Help == "", l.Error == ""
	}
	set(l)
	v.obj = look.VStack(look.Gap0, title, help, fault)
	v.update = func(_, now vm.WizardLine) { set(now) }
}

func (v *lineView) row(w *Wizard, l vm.WizardLine) {
	title := look.Strong(l.Label)
	remove := look.QuietButton(w.env.T("wizard.removeRow"), "trash", func() { w.removeRow(v.line) })
	remove.Hidden = !l.Can
	v.obj = look.HStack(look.Gap1, look.Grow(title), remove)
	v.update = func(_, now vm.WizardLine) {
		title.SetText(now.Label)
		remove.Hidden = !now.Can
	}
}

// input builds the widget of a form's kind in its frame.
func (v *lineView) input(w *Wizard, l vm.WizardLine) {
	path := l.Path
	v.field = newInput(w, l)
	v.field.SetOnChanged(func(value string) { w.changed(path, value) })
	v.field.SetOnLeave(func() { w.leftField(path) })
	if l.Kind == vm.LineKind(form.KindConsent) {
		v.consent(l)
		return
	}
	frame := look.NewFieldFrame(l.Label, v.field)
	v.obj = frame
	set := func(old, now vm.WizardLine, fresh bool) {
		if fresh || now.Value != old.Value {
			if path != w.typing && (fresh && now.Value != "" || !fresh && v.field.Text() != now.Value) {
				v.field.SetText(now.Value)
			}
		}
		if now.Fixed != old.Fixed {
			v.field.SetReadOnly(now.Fixed)
		}
		if now.Label != old.Label && !fresh {
			frame.SetLabel(now.Label)
		}
		if now.Required != old.Required {
			frame.SetRequired(now.Required)
		}
		if now.Mark != old.Mark {
			frame.SetMark(now.Mark)
		}
		if now.Help != old.Help {
			frame.SetHelp(now.Help)
		}
		if now.Source != old.Source {
			frame.SetSource(now.Source)
		}
		if now.Error != old.Error {
			frame.SetError(now.Error)
		}
	}
	set(vm.WizardLine{}, l, true)
	v.update = func(old, now vm.WizardLine) { set(old, now, false) }
	if t, ok := v.field.(*input.TextField); ok && l.Kind != vm.LineKind(form.KindLongText) {
		t.SetOnEnter(func() { w.advance(path) })
	}
	if t, ok := v.field.(*input.MoneyField); ok {
		t.SetOnEnter(func() { w.advance(path) })
	}
}

// consent is a declaration: its card has the text, so that nothing stands above it.
func (v *lineView) consent(l vm.WizardLine) {
	why := look.NewText("", look.StyleBody, look.RoleDanger)
	fault := look.HStackTop(look.GapH, look.NewIcon("danger", look.RoleDanger), look.Grow(why))
	set := func(l vm.WizardLine) {
		if v.field.Text() != l.Value {
			v.field.SetText(l.Value)
		}
		v.field.SetReadOnly(l.Fixed)
		v.field.SetFaulty(l.Error != "")
		why.SetText(l.Error)
		fault.Hidden = l.Error == ""
	}
	set(l)
	stack := look.VStack(look.GapH, v.field, fault)
	v.obj = stack
	v.update = func(_, now vm.WizardLine) {
		set(now)
		stack.Refresh()
	}
}

func newInput(w *Wizard, l vm.WizardLine) input.Field {
	switch form.Kind(l.Kind) {
	case form.KindLongText:
		return input.NewLongText(l.Most)
	case form.KindInteger:
		return input.NewNumber(0, "")
	case form.KindDecimal:
		return input.NewNumber(l.Places, "")
	case form.KindMoney:
		return input.NewMoney()
	case form.KindDate:
		return input.NewDate(nil)
	case form.KindChoice, form.KindYesNo:
		return input.NewChoiceOne(options(w, l.Path)...)
	case form.KindChoices:
		return input.NewChoiceMany(options(w, l.Path)...)
	case form.KindConsent:
		return input.NewConsent(l.Label)
	case form.KindDivision:
		return input.NewDivisionPicker(divisions{w.vm.Divisions()}, l.Level)
	case form.KindIDNumber:
		return input.NewID()
	case form.KindPhone:
		return input.NewPhone()
	case form.KindBankCard:
		return input.NewBankCard()
	}
	text := input.NewText(l.Most)
	text.SetPurpose(map[vm.Asks]input.Purpose{
		vm.AsksText: input.Prose, vm.AsksName: input.PersonName, vm.AsksPlace: input.Place, vm.AsksCode: input.Latin,
	}[l.Asks])
	return text
}

func options(w *Wizard, path form.Path) []input.Option {
	all := w.vm.Options(path)
	out := make([]input.Option, len(all))
	for i, o := range all {
		out[i] = input.Option{Value: o.Code, Label: o.Label, Find: o.Find}
	}
	return out
}

// divisions lets a picker choose from the catalogue.
type divisions struct{ d *catalog.Divisions }

func (s divisions) Children(code string) []input.Division { return pickable(s.d.Children(code)) }
func (s divisions) Path(code string) []input.Division     { return pickable(s.d.Path(code)) }

func (s divisions) Search(q string, n int) []input.Division { return pickable(s.d.Search(q, n)) }

func pickable(all []catalog.Division) []input.Division {
	out := make([]input.Division, len(all))
	for i, d := range all {
		out[i] = input.Division{Code: d.Code, Name: d.Name}
	}
	return out
}

func (w *Wizard) addRow(group string) {
	w.turn(func() bool {
		w.vm.AddRow(group)
		return true
	})
}

func (w *Wizard) removeRow(l vm.WizardLine) {
	w.env.Confirm(w.env.T("wizard.removeRow.ask", "label", l.Label), w.env.T("wizard.removeRow.lost"), w.env.T("wizard.removeRow"), true,
		func() {
			w.unfocus()
			w.vm.RemoveRow(l.Group, l.Row)
			w.update()
			w.save()
		})
}

// reviewCards shows the answers in large type, a card a section.
func reviewCards(blocks []vm.ReviewBlock, edit func(block string)) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, b := range blocks {
		head := []fyne.CanvasObject{look.Grow(look.Title(b.Title))}
		if b.Edit != "" {
			head = append(head, look.QuietButton(b.Edit, "pen", func() { edit(b.ID) }))
		}
		rows := []fyne.CanvasObject{look.HStack(look.Gap2, head...)}
		for _, r := range b.Rows {
			rows = append(rows, reviewRow(r))
		}
		out = append(out, look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder),
			look.Pad(look.Gap3, look.Gap2, look.VStack(look.GapH, rows...))))
	}
	return out
}

func reviewRow(r vm.ReviewRow) fyne.CanvasObject {
	switch {
	case r.Head:
		return look.VStack(look.Gap1, look.Line(), look.Strong(r.Label))
	case r.Label == "":
		return look.NewBanner(look.StateInfo, "", r.Value)
	}
	value := look.NewText(r.Value, look.StyleTitle, look.RoleText)
	if r.Absent {
		value = look.NewText(r.Value, look.StyleBody, look.RoleSecondary)
	}
	var object fyne.CanvasObject = value
	if r.Mark != "" {
		object = look.HStack(look.Gap2, look.Grow(value), look.NewBadge(look.StateWarning, r.Mark))
	}
	return look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Title*1.9) },
		look.Named(look.NewText(r.Label, look.StyleBody, look.RoleSecondary), object))
}
