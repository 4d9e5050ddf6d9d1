package input

import (
	"strings"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// Option is one thing to choose.
type Option struct {
	Value string // what the form keeps
	Label string // what the person reads
	Help  string // a second line on the card, may be empty
	Find  string // more to find it by: pinyin, initials, old names
}

// fewOptions is how many options are shown as cards at once; more go into a list to search.
const fewOptions = 7

// listRows is how many rows of a long list are in view.
const listRows = 6

// choices is what ChoiceOne and ChoiceMany have in common: cards for few options, a searchable list for many.
type choices struct {
	look.Composite
	signals
	many    bool
	options []Option
	index   map[string]int // value to place in options
	picked  map[string]bool
	fixed   bool

	body   *fyne.Container
	cards  []*optionCard
	edge   *look.Surface
	closed *look.Pressable // shows the choice of a long list, opens it
	chosen *look.Text
	hint   *look.Text
	panel  *fyne.Container // search field and list; hidden while closed
	search *TextField
	found  []int // places in options that match the search
	list   *List
	none   *look.Text
	count  *look.Text
	done   *look.Button
}

// ChoiceOne is a field for one of several options: cards when there are up to seven, else a list that opens in place
// and is searched by name, value or initials.
type ChoiceOne struct{ choices }

// ChoiceMany is a field for any number of options. Its Text is their values joined by commas in the order of options.
type ChoiceMany struct{ choices }

// NewChoiceOne returns a field with the given options.
func NewChoiceOne(options ...Option) *ChoiceOne {
	c := &ChoiceOne{}
	c.build(c, false, options)
	return c
}

// NewChoiceMany returns a field with the given options.
func NewChoiceMany(options ...Option) *ChoiceMany {
	c := &ChoiceMany{}
	c.build(c, true, options)
	return c
}

func (c *choices) build(self fyne.Widget, many bool, options []Option) {
	c.many, c.picked = many, make(map[string]bool)
	c.body = look.VStack(look.Gap1)
	c.edge = look.NewSurface(look.RoleClear, look.RoleDanger)
	c.edge.Hide()
	c.SetOptions(options)
	c.Compose(self, look.Layer(c.body, c.edge))
}

// SetOptions changes what there is to choose; what was chosen and is still there stays chosen.
func (c *choices) SetOptions(options []Option) {
	c.options = options
	c.index = make(map[string]int, len(options))
	for i, o := range options {
		c.index[o.Value] = i
	}
	for v := range c.picked {
		if _, ok := c.index[v]; !ok {
			delete(c.picked, v)
		}
	}
	if len(options) <= fewOptions {
		c.buildCards()
	} else {
		c.buildList()
	}
	c.draw()
}

func (c *choices) buildCards() {
	c.panel, c.list = nil, nil
	c.cards = make([]*optionCard, len(c.options))
	grid := make([]fyne.CanvasObject, len(c.options))
	for i, o := range c.options {
		c.cards[i] = newOptionCard(o, c.many, func() { c.toggle(o.Value) })
		c.cards[i].onLeave = c.left
		grid[i] = c.cards[i]
	}
	widest := 0
	for _, o := range c.options {
		widest = max(widest, len([]rune(o.Label)))
	}
	c.body.Objects = []fyne.CanvasObject{look.Grid(look.Gap1, func(m look.Tokens) float32 {
		return min(m.Body*(float32(widest)+5), m.Body*22)
	}, grid...)}
}

func (c *choices) buildList() {
	c.cards = nil
	c.chosen, c.hint = look.Body(""), look.NewText("", look.StyleBody, look.RolePrimary).Single()
	c.closed = look.NewPressable(look.AtLeast(fieldHeight, look.Pad(look.Gap2, look.GapH, look.HStack(look.Gap1,
		look.Grow(c.chosen), c.hint, look.NewIcon("down", look.RolePrimary)))), func() { c.open(!c.panel.Visible()) }).AsInput()
	c.search = NewText(50).of(Search)
	c.search.SetOnChanged(func(string) { c.filter() })
	c.search.SetOnEnter(func() {
		if len(c.found) > 0 && c.search.Text() != "" {
			c.toggle(c.options[c.found[0]].Value)
		}
	})
	c.count, c.none = look.Label("").Single(), look.NewText("", look.StyleBody, look.RoleSecondary)
	c.none.Hide()
	c.list = NewList(func() int { return len(c.found) },
		func() fyne.CanvasObject {
			return look.HStack(look.Gap1, look.NewIcon("check", look.RoleClear), look.Grow(look.Body("").Lines(1)),
				look.Label("").Single())
		}, c.showRow, func(i int) { c.toggle(c.options[c.found[i]].Value) })
	up := look.NewButton(look.Secondary, "", "up", func() { c.list.PageBy(-1) })
	down := look.NewButton(look.Secondary, "", "down", func() { c.list.PageBy(1) })
	c.done = look.SecondaryButton("", func() { c.open(false) })
	c.panel = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap2, look.Gap2, look.VStack(look.Gap1,
		c.search, c.none, look.AtLeast(func(m look.Tokens) fyne.Size {
			return fyne.NewSize(0, rowHeight(m).Height*listRows)
		}, c.list), look.HStack(look.Gap1, c.count, look.Spring(), up, down, c.done))))
	c.panel.Hide()
	c.body.Objects = []fyne.CanvasObject{c.closed, c.panel}
	c.filter()
}

func (c *choices) showRow(i int, content fyne.CanvasObject) {
	row, ok := content.(*fyne.Container)
	if !ok || i >= len(c.found) {
		return
	}
	o := c.options[c.found[i]]
	mark, _ := row.Objects[0].(*look.Icon)
	grow, _ := row.Objects[1].(*fyne.Container)
	label, _ := grow.Objects[0].(*look.Text)
	code, _ := row.Objects[2].(*look.Text)
	if c.picked[o.Value] {
		mark.Set("check", look.RolePrimary)
	} else {
		mark.Set("check", look.RoleClear)
	}
	label.SetText(o.Label)
	code.SetText(o.Help)
}

// open shows or hides the list of a long choice.
func (c *choices) open(open bool) {
	if c.panel == nil || c.fixed && open {
		return
	}
	c.panel.Hidden = !open
	if open {
		c.search.SetText("")
		c.filter()
		for i, place := range c.found {
			if c.picked[c.options[place].Value] {
				c.list.Reveal(i)
				break
			}
		}
	} else {
		c.left()
	}
	c.draw()
	c.Refresh()
}

// Open reports whether the list of a long choice is open.
func (c *choices) Open() bool { return c.panel != nil && c.panel.Visible() }

// Search opens the list of a long choice and shows what matches text.
func (c *choices) Search(text string) {
	c.open(true)
	if c.search != nil {
		c.search.SetText(text)
		c.filter()
	}
}

// Found returns the options the list shows at the moment.
func (c *choices) Found() []Option {
	out := make([]Option, len(c.found))
	for i, place := range c.found {
		out[i] = c.options[place]
	}
	return out
}

func (c *choices) filter() {
	text := strings.ToLower(strings.TrimSpace(c.search.Text()))
	c.found = c.found[:0]
	var inside []int // matches at the start of something come first
	for i := range c.options {
		o := &c.options[i]
		switch {
		case text == "", strings.HasPrefix(o.Label, text), strings.HasPrefix(o.Value, text), strings.HasPrefix(o.Find, text):
			c.found = append(c.found, i)
		case strings.Contains(strings.ToLower(o.Label), text), strings.Contains(strings.ToLower(o.Find), text),
			strings.Contains(strings.ToLower(o.Value), text):
			inside = append(inside, i)
		}
	}
	c.found = append(c.found, inside...)
	c.none.Hidden = len(c.found) > 0
	c.none.SetText(look.Word("input.search.none", "text", c.search.Text()))
	c.count.SetText(look.Word("input.count", "count", len(c.found)))
	c.list.Top()
	c.list.Refresh()
}

func (c *choices) toggle(value string) {
	if c.fixed {
		return
	}
	if c.many {
		if c.picked[value] {
			delete(c.picked, value)
		} else {
			c.picked[value] = true
		}
	} else {
		if c.picked[value] && c.panel == nil {
			return
		}
		c.picked = map[string]bool{value: true}
	}
	if !c.many && c.Open() {
		c.open(false)
	}
	c.draw()
	c.Refresh()
	c.tell(c.Text())
}

func (c *choices) draw() {
	for _, card := range c.cards {
		card.set(c.picked[card.option.Value])
		if c.fixed {
			card.Disable()
		} else {
			card.Enable()
		}
	}
	if c.panel == nil {
		return
	}
	c.search.SetHint(look.Word("input.search"))
	c.done.SetText(look.Word("input.pin.enter"))
	c.done.Hidden = !c.many
	word, hint := look.Word("input.choose"), ""
	if labels := c.labels(); len(labels) > 0 {
		word, hint = strings.Join(labels, "、"), look.Word("input.change")
	}
	c.chosen.SetText(word)
	c.hint.SetText(hint)
	if len(c.picked) == 0 {
		c.chosen.SetRole(look.RoleSecondary)
	} else {
		c.chosen.SetRole(look.RoleText)
	}
	if c.fixed {
		c.closed.Disable()
	} else {
		c.closed.Enable()
	}
	c.list.Refresh()
}

func (c *choices) labels() []string {
	var out []string
	for _, v := range c.values() {
		out = append(out, c.options[c.index[v]].Label)
	}
	return out
}

func (c *choices) values() []string {
	if len(c.picked) == 0 {
		return nil
	}
	var out []string
	for _, o := range c.options {
		if c.picked[o.Value] {
			out = append(out, o.Value)
		}
	}
	return out
}

// Text returns the chosen value; of ChoiceMany all of them, joined by commas.
func (c *choices) Text() string { return strings.Join(c.values(), ",") }

// Values returns the chosen values in the order of the options.
func (c *choices) Values() []string { return c.values() }

// SetText chooses a value; in ChoiceMany values joined by commas. Values that are no option are left out.
func (c *choices) SetText(value string) {
	c.picked = make(map[string]bool)
	parts := []string{value}
	if c.many {
		parts = strings.Split(value, ",")
	}
	for _, v := range parts {
		if _, ok := c.index[v]; ok {
			c.picked[v] = true
		}
	}
	c.draw()
	c.Refresh()
}

// Focusable returns the chosen card, else the first; of a long choice the search field when it is open.
func (c *choices) Focusable() fyne.Focusable {
	for _, card := range c.cards {
		if card.Selected() {
			return card
		}
	}
	switch {
	case len(c.cards) > 0:
		return c.cards[0]
	case c.panel == nil:
		return nil
	case c.panel.Visible():
		return c.search.Focusable()
	default:
		return c.closed
	}
}

// SetReadOnly shows the choice as fixed, or lets it be changed again.
func (c *choices) SetReadOnly(fixed bool) {
	c.fixed = fixed
	if fixed && c.panel != nil {
		c.panel.Hide()
	}
	c.draw()
	c.Refresh()
}

// SetFaulty draws the edge of a refused value.
func (c *choices) SetFaulty(faulty bool) {
	c.edge.Hidden = !faulty
	c.edge.SetThick(look.Measures().Border + 1)
	c.edge.Refresh()
}

// Refresh is called by Fyne; it also follows a change of language.
func (c *choices) Refresh() {
	c.draw()
	c.Composite.Refresh()
}

// optionCard is one option as a large card: a round or square mark, the word, a line of help.
type optionCard struct {
	*look.Pressable
	option  Option
	many    bool
	mark    *look.Surface
	tick    *look.Icon
	onLeave func()
}

func newOptionCard(o Option, many bool, onTap func()) *optionCard {
	c := &optionCard{option: o, many: many}
	c.mark = look.NewSurface(look.RoleSurface, look.RoleInputBorder)
	if !many {
		c.mark.Circle()
	}
	c.tick = look.NewIconSized("check", look.RoleOnPrimary, func(m look.Tokens) float32 { return m.Icon * 0.8 })
	box := look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Icon, m.Icon) },
		look.Layer(c.mark, c.tick))
	words := []fyne.CanvasObject{look.Body(o.Label)}
	if o.Help != "" {
		words = append(words, look.Label(o.Help))
	}
	c.Pressable = look.NewPressable(look.AtLeast(fieldHeight, look.Pad(look.Gap2, look.Gap1,
		look.HStack(look.Gap1, box, look.Grow(look.VStack(look.Gap0, words...))))), onTap).AsInput()
	c.Within(c)
	c.Pressable.OnLeave = func() {
		if c.onLeave != nil {
			c.onLeave()
		}
	}
	c.set(false)
	return c
}

func (c *optionCard) set(picked bool) {
	c.tick.Hidden = !picked
	if picked {
		c.mark.SetRoles(look.RolePrimary, look.RolePrimary)
	} else {
		c.mark.SetRoles(look.RoleSurface, look.RoleInputBorder)
	}
	c.SetSelected(picked)
}
