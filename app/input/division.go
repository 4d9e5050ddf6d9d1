package input

import (
	"strings"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// Division is one administrative division: its statistical code (12 digits, GB/T 2260 and below) and its name.
type Division struct {
	Code string
	Name string
}

// Divisions is where the picker gets divisions from; a pack implements it. Code "" is the whole country.
type Divisions interface {
	// Children returns the divisions directly below code, in the order to show.
	Children(code string) []Division
	// Path returns code's division and those above it, the highest first; none when code is unknown.
	Path(code string) []Division
	// Search returns at most n divisions whose name, code or initials match q, best first.
	Search(q string, n int) []Division
}

var levelKeys = []string{
	"input.division.province", "input.division.city", "input.division.county", "input.division.town", "input.division.village",
}

// DivisionPicker is a field for a place: province, city, county, township, village one after the other as large
// buttons, or found by name or initials. Its Text is the code of the lowest division chosen.
type DivisionPicker struct {
	look.Composite
	signals
	source Divisions
	level  int // how many levels have to be chosen
	code   string
	at     string // whose children are shown
	fixed  bool

	closed *look.Pressable
	chosen *look.Text
	hint   *look.Text
	panel  *fyne.Container
	search *TextField
	crumbs *fyne.Container
	ask    *look.Text
	grid   *fyne.Container
	edge   *look.Surface
}

// mostShown is how many divisions the search shows.
const mostShown = 24

// NewDivisionPicker returns a field that asks for level levels: 5 down to the village, 3 down to the county. A
// division without anything below it is taken at any level.
func NewDivisionPicker(source Divisions, level int) *DivisionPicker {
	p := &DivisionPicker{source: source, level: max(1, min(level, len(levelKeys)))}
	p.chosen, p.hint = look.Body(""), look.NewText("", look.StyleBody, look.RolePrimary).Single()
	p.closed = look.NewPressable(look.AtLeast(fieldHeight, look.Pad(look.Gap2, look.GapH, look.HStack(look.Gap1,
		look.NewIcon("visit", look.RoleSecondary), look.Grow(p.chosen), p.hint, look.NewIcon("down", look.RolePrimary)))),
		func() { p.open(!p.panel.Visible()) }).AsInput()
	p.search = NewText(20).of(Search)
	p.search.SetOnChanged(func(string) { p.fill() })
	p.crumbs = look.Wrap(look.GapH)
	p.ask = look.Label("")
	p.grid = look.Grid(look.Gap1, func(m look.Tokens) float32 { return m.Body * 8.5 })
	p.panel = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap2, look.Gap2,
		look.VStack(look.Gap1, p.search, p.crumbs, p.ask, p.grid)))
	p.panel.Hide()
	p.edge = look.NewSurface(look.RoleClear, look.RoleDanger)
	p.edge.Hide()
	p.draw()
	p.Compose(p, look.Layer(look.VStack(look.Gap1, p.closed, p.panel), p.edge))
	return p
}

func (p *DivisionPicker) open(open bool) {
	if open && p.fixed {
		return
	}
	p.panel.Hidden = !open
	if open {
		p.at = ""
		if path := p.source.Path(p.code); len(path) > 1 {
			p.at = path[len(path)-2].Code
		}
		p.search.SetText("")
		p.fill()
	} else {
		p.left()
	}
	p.draw()
	p.Refresh()
}

// Open reports whether the divisions are shown.
func (p *DivisionPicker) Open() bool { return p.panel.Visible() }

// Shown returns the divisions offered at the moment.
func (p *DivisionPicker) Shown() []Division {
	if q := strings.TrimSpace(p.search.Text()); q != "" {
		return p.source.Search(q, mostShown)
	}
	return p.source.Children(p.at)
}

func (p *DivisionPicker) fill() {
	searching := strings.TrimSpace(p.search.Text()) != ""
	shown := p.Shown()
	p.grid.Objects = p.grid.Objects[:0]
	for _, d := range shown {
		name := d.Name
		if searching {
			name = p.name(d.Code)
		}
		card := look.NewPressable(look.Pad(look.Gap1, look.GapH, look.HStack(look.Gap0, look.Grow(
			look.Body(name).Align(fyne.TextAlignCenter)))), func() { p.Choose(d.Code) }).AsInput()
		card.SetSelected(d.Code == p.code)
		p.grid.Objects = append(p.grid.Objects, card)
	}
	path := p.source.Path(p.at)
	p.crumbs.Objects = p.crumbs.Objects[:0]
	if len(path) > 0 && !searching {
		p.crumbs.Objects = append(p.crumbs.Objects, look.QuietButton(look.Word("input.division.back"), "left", func() { p.up() }))
		for _, d := range path {
			p.crumbs.Objects = append(p.crumbs.Objects, look.QuietButton(d.Name, "", func() {
				p.at = d.Code
				p.fill()
				p.Refresh()
			}))
		}
	}
	p.crumbs.Hidden = len(p.crumbs.Objects) == 0
	switch {
	case len(shown) == 0 && searching:
		p.ask.SetText(look.Word("input.search.none", "text", p.search.Text()))
	case len(shown) == 0:
		p.ask.SetText(look.Word("input.division.none"))
	case searching:
		p.ask.SetText(look.Word("input.count", "count", len(shown)))
	default:
		p.ask.SetText(look.Word(levelKeys[min(len(path), len(levelKeys)-1)]))
	}
	p.grid.Refresh()
	p.crumbs.Refresh()
}

func (p *DivisionPicker) up() {
	path := p.source.Path(p.at)
	p.at = ""
	if len(path) > 1 {
		p.at = path[len(path)-2].Code
	}
	p.fill()
	p.Refresh()
}

// Choose takes the division when it is low enough, or goes on to those below it.
func (p *DivisionPicker) Choose(code string) {
	path := p.source.Path(code)
	if p.fixed || len(path) == 0 {
		return
	}
	if len(path) < p.level && len(p.source.Children(code)) > 0 {
		p.at = code
		p.search.SetText("")
		p.panel.Show()
		p.fill()
		p.draw()
		p.Refresh()
		return
	}
	p.code = code
	p.open(false)
	p.tell(code)
}

func (p *DivisionPicker) name(code string) string {
	var b strings.Builder
	for _, d := range p.source.Path(code) {
		b.WriteString(d.Name)
	}
	return b.String()
}

func (p *DivisionPicker) draw() {
	p.search.SetHint(look.Word("input.search"))
	if name := p.name(p.code); name != "" {
		p.chosen.SetText(name)
		p.chosen.SetRole(look.RoleText)
		p.hint.SetText(look.Word("input.change"))
	} else {
		p.chosen.SetText(look.Word("input.choose"))
		p.chosen.SetRole(look.RoleSecondary)
		p.hint.SetText("")
	}
	if p.fixed {
		p.closed.Disable()
		p.hint.SetText("")
	} else {
		p.closed.Enable()
	}
}

// Text returns the code of the chosen division, "" when none is.
func (p *DivisionPicker) Text() string { return p.code }

// SetText shows the division of the given code; an unknown one shows as not chosen.
func (p *DivisionPicker) SetText(code string) {
	p.code = code
	if len(p.source.Path(code)) == 0 {
		p.code = ""
	}
	p.draw()
	p.Refresh()
}

// Focusable returns the closed field, or the search field while it is open.
func (p *DivisionPicker) Focusable() fyne.Focusable {
	if p.panel.Visible() {
		return p.search.Focusable()
	}
	return p.closed
}

// SetReadOnly shows the place as fixed, or lets it be changed again.
func (p *DivisionPicker) SetReadOnly(fixed bool) {
	p.fixed = fixed
	if fixed {
		p.panel.Hide()
	}
	p.draw()
	p.Refresh()
}

// SetFaulty draws the edge of a refused value.
func (p *DivisionPicker) SetFaulty(faulty bool) {
	p.edge.Hidden = !faulty
	p.edge.SetThick(look.Measures().Border + 1)
	p.edge.Refresh()
}

// Refresh is called by Fyne; it also follows a change of language.
func (p *DivisionPicker) Refresh() {
	p.draw()
	p.Composite.Refresh()
}
