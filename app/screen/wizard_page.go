package screen

import (
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/form"
)

func itoa(n int) string { return strconv.Itoa(n) }

// formPage is a step of the wizard as widgets. Lines live as long as their step, by the path of their field.
type formPage struct {
	w        *Wizard
	box      *fyne.Container
	lines    map[string]*lineView
	sections map[string]*sectionView
	blocks   []vm.WizardBlock
	layout   string // which lines stand where
}

type sectionView struct {
	title, hint *look.Text
	body        *fyne.Container
	root        fyne.CanvasObject
}

func newFormPage(w *Wizard) *formPage {
	p := &formPage{w: w, box: look.VStack(look.Gap2), lines: map[string]*lineView{}, sections: map[string]*sectionView{}}
	p.box.Hide() // until there is something on it
	return p
}

// pathKey finds the input of a field among the lines of a step.
func pathKey(path form.Path) string { return "in " + string(path) }

// keyOf is how a line is kept: inputs and facts of a field are one place, so that a computed field stays itself.
func keyOf(l vm.WizardLine) string {
	switch l.Kind {
	case vm.LineHead, vm.LineRow, vm.LineAdd, vm.LineNote:
		return l.Key()
	}
	return pathKey(l.Path)
}

// show brings the page to the given blocks. rebuilt says that lines came or went; changed are the lines whose height
// differs now.
func (p *formPage) show(blocks []vm.WizardBlock) (rebuilt bool, changed []fyne.CanvasObject) {
	var layout strings.Builder
	for _, b := range blocks {
		layout.WriteString("§" + b.ID)
		for i := range b.Lines {
			layout.WriteString("\n" + b.Lines[i].Card + "|" + string(b.Lines[i].Kind) + "|" + keyOf(b.Lines[i]))
			if v := p.line(b.Lines[i]); v != nil {
				changed = append(changed, v)
			}
		}
	}
	p.blocks = blocks
	if layout.String() == p.layout {
		return false, changed
	}
	p.layout = layout.String()
	p.arrange()
	return true, nil
}

// line shows a line; it returns the object when its height differs now.
func (p *formPage) line(l vm.WizardLine) fyne.CanvasObject {
	key := keyOf(l)
	v := p.lines[key]
	if v == nil || v.line.Kind != l.Kind {
		p.lines[key] = newLineView(p.w, l)
		return nil
	}
	if v.line == l {
		return nil
	}
	old := v.line
	v.line = l
	v.update(old, l)
	if size := v.obj.Size(); size.Width > 0 && look.HeightFor(v.obj, size.Width) != size.Height {
		return v.obj
	}
	return nil
}

// arrange puts lines into sections and frames. Widgets stay; only containers are made.
func (p *formPage) arrange() {
	p.box.Objects = nil
	keep := map[string]bool{}
	for _, b := range p.blocks {
		s := p.sections[b.ID]
		if s == nil {
			s = newSectionView()
			p.sections[b.ID] = s
		}
		s.title.SetText(b.Title)
		s.hint.SetText(b.Hint)
		s.hint.Hidden = b.Hint == ""
		s.body.Objects = p.objects(b.Lines, "")
		p.box.Objects = append(p.box.Objects, s.root)
		for _, l := range b.Lines {
			keep[keyOf(l)] = true
		}
	}
	p.box.Hidden = len(p.blocks) == 0
	for key := range p.lines {
		if !keep[key] {
			delete(p.lines, key)
		}
	}
}

// objects returns the lines of one frame, with frames inside for rows and persons, and facts side by side in one panel.
func (p *formPage) objects(lines []vm.WizardLine, card string) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for i := 0; i < len(lines); {
		j := i + 1
		switch {
		case lines[i].Card != card:
			for j < len(lines) && lines[j].Card == lines[i].Card {
				j++
			}
			out = append(out, look.Layer(look.NewSurface(look.RoleBackground, look.RoleBorder),
				look.Pad(look.Gap2, look.Gap2, look.VStack(look.Gap2, p.objects(lines[i:j], lines[i].Card)...))))
		case lines[i].Kind == vm.LineFact:
			for j < len(lines) && lines[j].Kind == vm.LineFact && lines[j].Card == card {
				j++
			}
			var facts []fyne.CanvasObject
			for _, l := range lines[i:j] {
				facts = append(facts, p.lines[keyOf(l)].obj)
			}
			out = append(out, look.Layer(look.NewSurface(look.RoleSunken, look.RoleClear),
				look.Pad(look.Gap2, look.Gap1, look.VStack(look.GapH, facts...))))
		default:
			out = append(out, p.lines[keyOf(lines[i])].obj)
		}
		i = j
	}
	return out
}

func newSectionView() *sectionView {
	s := &sectionView{title: look.Title(""), hint: look.Label(""), body: look.VStack(look.Gap2)}
	s.root = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap3, look.Gap3,
		look.Aside(look.VStack(look.GapH, s.title, s.hint),
			look.AtMost(func(m look.Tokens) float32 { return m.Body * fieldEms }, s.body))))
	return s
}

// inputs calls fn for every input of the step in reading order until it returns false.
func (p *formPage) inputs(fn func(path form.Path, v *lineView) bool) {
	for _, b := range p.blocks {
		for _, l := range b.Lines {
			if v := p.lines[keyOf(l)]; v != nil && v.field != nil && !l.Fixed && v.field.Focusable() != nil && !fn(l.Path, v) {
				return
			}
		}
	}
}

// firstOpen returns the first input that is wrong or empty and has to be filled in; else none.
func (p *formPage) firstOpen() form.Path {
	var found form.Path
	p.inputs(func(path form.Path, v *lineView) bool {
		if v.line.Error != "" || v.line.Required && v.line.Value == "" {
			found = path
		}
		return found == ""
	})
	return found
}

// after returns the input behind path.
func (p *formPage) after(path form.Path) form.Path {
	var found form.Path
	seen := false
	p.inputs(func(at form.Path, _ *lineView) bool {
		if seen {
			found = at
		}
		seen = seen || at == path
		return found == ""
	})
	return found
}

// pathOf returns the field that obj is a part of.
func (p *formPage) pathOf(obj fyne.CanvasObject) form.Path {
	for _, b := range p.blocks {
		for _, l := range b.Lines {
			if v := p.lines[keyOf(l)]; v != nil && v.field != nil && look.Contains(v.obj, obj) {
				return l.Path
			}
		}
	}
	return ""
}
