package look

import (
	"fyne.io/fyne/v2"
)

// State is what a badge, a dot or a banner tells.
type State int

// States, each with its own colour and shape.
const (
	StateNone    State = iota // nothing special
	StateInfo                 // good to know
	StateSuccess              // done, genuine, delivered
	StateWarning              // needs attention soon
	StateDanger               // wrong, refused, overdue
)

func (s State) ink() Role {
	switch s {
	case StateInfo:
		return RolePrimary
	case StateSuccess:
		return RoleSuccess
	case StateWarning:
		return RoleWarning
	case StateDanger:
		return RoleDanger
	default:
		return RoleSecondary
	}
}

func (s State) ground() Role {
	switch s {
	case StateInfo:
		return RolePrimarySoft
	case StateSuccess:
		return RoleSuccessSoft
	case StateWarning:
		return RoleWarningSoft
	case StateDanger:
		return RoleDangerSoft
	default:
		return RoleSunken
	}
}

// icon is the shape that goes with the colour, for those who cannot tell colours apart.
func (s State) icon() string {
	switch s {
	case StateInfo:
		return "info"
	case StateSuccess:
		return "success"
	case StateWarning:
		return "warn"
	case StateDanger:
		return "danger"
	default:
		return "clock"
	}
}

// Badge is a small chip that tells a state: a shape and a word in its colour.
type Badge struct {
	Composite
	ground *Surface
	mark   *Icon
	word   *Text
}

// NewBadge returns a chip with the word.
func NewBadge(state State, word string) *Badge {
	b := &Badge{
		ground: NewSurface(state.ground(), RoleClear).Round(),
		mark:   NewIconSized(state.icon(), state.ink(), labelIcon),
		word:   NewText(word, StyleLabel, state.ink()).Single(),
	}
	b.Compose(b, Layer(b.ground, Pad(Gap1, Gap0, AtLeast(
		func(t Tokens) fyne.Size { return fyne.NewSize(0, t.Label*1.75) },
		HStack(GapH, b.mark, b.word)))))
	b.Set(state, word)
	return b
}

// Set changes state and word.
func (b *Badge) Set(state State, word string) {
	edge := RoleClear
	if state == StateNone {
		edge = RoleBorder
	}
	if Current().HighContrast {
		edge = state.ink()
	}
	b.ground.SetRoles(state.ground(), edge)
	b.mark.Set(state.icon(), state.ink())
	b.word.SetRole(state.ink())
	b.word.SetText(word)
}

// Word returns the word on the chip.
func (b *Badge) Word() string { return b.word.Text() }

func labelIcon(t Tokens) float32 { return t.Label * 1.15 }

// StatusDot is a state in one line of text: a shape and a word, without ground. The top bar tells the line's state so.
type StatusDot struct {
	Composite
	mark *Icon
	word *Text
}

// NewStatusDot returns the line.
func NewStatusDot(state State, word string) *StatusDot {
	d := &StatusDot{
		mark: NewIconSized(state.icon(), state.ink(), labelIcon),
		word: NewText(word, StyleLabel, state.ink()).Single(),
	}
	d.Compose(d, HStack(GapH, d.mark, d.word))
	return d
}

// NewStatusLine returns a status dot whose words go on in a second line where one has no room.
func NewStatusLine(state State, words string) *StatusDot {
	d := &StatusDot{mark: NewIconSized(state.icon(), state.ink(), labelIcon), word: NewText(words, StyleLabel, state.ink())}
	d.Compose(d, HStackTop(GapH, d.mark, Grow(d.word)))
	return d
}

// Set changes state and word.
func (d *StatusDot) Set(state State, word string) {
	d.mark.Set(state.icon(), state.ink())
	d.word.SetRole(state.ink())
	d.word.SetText(word)
}

// SetIcon shows another drawing than the state's own.
func (d *StatusDot) SetIcon(name string, state State) { d.mark.Set(name, state.ink()) }

// Word returns the word.
func (d *StatusDot) Word() string { return d.word.Text() }

// Banner is a message across the page: what happened, what is safe, what to do.
type Banner struct {
	Composite
	ground  *Surface
	mark    *Icon
	title   *Text
	text    *Text
	actions *fyne.Container
}

// NewBanner returns a message; text may be empty, actions are buttons at the right.
func NewBanner(state State, title, text string, actions ...fyne.CanvasObject) *Banner {
	b := &Banner{
		ground:  NewSurface(state.ground(), RoleClear),
		mark:    NewIcon(state.icon(), state.ink()),
		title:   Strong(title),
		text:    Body(text),
		actions: HStack(Gap1, actions...),
	}
	b.Compose(b, Layer(b.ground, Pad(Gap2, Gap2, HStack(Gap2,
		Arrange(&topIconLayout{}, b.mark), Grow(VStack(GapH, b.title, b.text)), b.actions))))
	b.Set(state, title, text)
	return b
}

// Set changes state and words.
func (b *Banner) Set(state State, title, text string) {
	b.ground.SetRoles(state.ground(), state.ink())
	b.mark.Set(state.icon(), state.ink())
	b.title.Hidden, b.text.Hidden = title == "", text == ""
	b.title.SetRole(state.ink())
	b.title.SetText(title)
	b.text.SetText(text)
}

// SetActions changes the buttons.
func (b *Banner) SetActions(actions ...fyne.CanvasObject) {
	b.actions.Objects = actions
	b.actions.Hidden = len(actions) == 0
	b.Refresh()
}

// topIconLayout centres an icon on the first line of the text beside it.
type topIconLayout struct{}

func (topIconLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (topIconLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Resize(o[0].MinSize())
	o[0].Move(fyne.NewPos(0, max(0, (size.Height-o[0].MinSize().Height)/2)))
}

// EmptyState fills a list or page that has nothing to show: it says so, and what to do.
func EmptyState(icon, title, text string, actions ...fyne.CanvasObject) *fyne.Container {
	rows := []fyne.CanvasObject{
		Centered(NewIconSized(icon, RoleSecondary, func(t Tokens) float32 { return t.TileIcon })),
		VStack(GapH, NewText(title, StyleTitle, RoleText).Align(fyne.TextAlignCenter),
			NewText(text, StyleBody, RoleSecondary).Align(fyne.TextAlignCenter)),
	}
	if len(actions) > 0 {
		rows = append(rows, Centered(HStack(Gap1, actions...)))
	}
	return Pad(Gap3, Gap4, VStack(Gap2, rows...))
}

// Busy says in words that something takes a moment. Nothing moves: a spinning picture costs the processor of a small
// machine and says nothing.
func Busy(what string) *fyne.Container {
	if what == "" {
		what = Word("look.busy")
	}
	return Pad(Gap3, Gap4, Centered(HStack(Gap1, NewIcon("clock", RoleSecondary),
		NewText(what, StyleBody, RoleSecondary).Single())))
}
