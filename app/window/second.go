package window

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// PINs of a second person have as many digits as those of a login.
const (
	leastPIN = 4
	mostPIN  = 12
)

// seconder is a sheet on which a second operator gives a PIN for something that one alone may not do.
type seconder struct {
	widget.BaseWidget
	s    *Shell
	who  string
	try  func(operator, pin string) error
	done func()

	veil   *canvas.Rectangle
	people map[string]*look.Pressable
	fault  *look.Text
	pad    *input.PINPad
	phrase *input.TextField
	card   fyne.CanvasObject
}

var _ fyne.Tappable = (*seconder)(nil)

// second asks one of the operators for a PIN. try runs off the UI goroutine; done follows when it succeeded.
func (s *Shell) second(title, text string, who []vm.Choice, try func(operator, pin string) error, done func()) {
	if len(who) == 0 {
		s.say("warn", s.T("second.nobody"))
		return
	}
	q := &seconder{s: s, try: try, done: done, veil: canvas.NewRectangle(veil), people: map[string]*look.Pressable{}}
	var cards []fyne.CanvasObject
	for _, c := range who {
		p := look.NewPressable(look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch*2, m.Touch) },
			look.Pad(look.Gap2, look.Gap1, look.HStack(look.Gap1, look.NewIcon("user", look.RolePrimary), look.Strong(c.Label).Single()))), func() { q.choose(c.Value) })
		q.people[c.Value] = p
		cards = append(cards, p)
	}
	q.fault = look.NewText("", look.StyleBody, look.RoleDanger)
	q.pad = input.NewPINPad(leastPIN, mostPIN)
	q.pad.OnDone = q.enter
	q.phrase = input.NewSecret()
	q.phrase.SetOnEnter(q.typed)
	box := look.HStack(look.Gap2, look.Grow(q.phrase), look.PrimaryButton(s.T("login.enter"), q.typed))
	q.pad.Hidden, box.Hidden = s.keep.Phrase, !s.keep.Phrase
	// Beside each other: in large type there is no room for one above the other.
	q.card = look.Card(look.Grid(look.Gap3, func(m look.Tokens) float32 { return m.Body * 17 }, look.VStack(look.Gap2,
		look.HStackTop(look.Gap2, look.NewIconSized("people", look.RolePrimary, func(m look.Tokens) float32 { return m.TileIcon * 0.8 }),
			look.Grow(look.VStack(look.GapH, look.Title(title), look.Body(text)))),
		look.Wrap(look.Gap1, cards...), q.fault, look.Wrap(look.Gap1, look.SecondaryButton(s.T("window.no"), s.dropSheet))),
		look.VStack(look.Gap2, q.pad, box)))
	q.ExtendBaseWidget(q)
	q.choose(who[0].Value)
	s.showSheet(q)
	if s.keep.Phrase {
		s.win.Canvas().Focus(q.phrase.Focusable())
	} else {
		s.win.Canvas().Focus(q.pad)
	}
}

func (q *seconder) choose(id string) {
	q.who = id
	for each, p := range q.people {
		p.SetSelected(each == id)
	}
	q.pad.Clear()
	q.say("")
}

func (q *seconder) say(text string) {
	q.fault.SetText(text)
	q.fault.Hidden = text == ""
	q.Refresh()
}

func (q *seconder) typed() {
	pin := q.phrase.Text()
	q.phrase.SetText("")
	q.enter(pin)
}

func (q *seconder) enter(pin string) {
	q.pad.Disable()
	who := q.who
	q.s.o.Work(func() {
		err := q.try(who, pin)
		q.s.o.Post(func() {
			q.pad.Enable()
			if q.s.sheet != fyne.CanvasObject(q) {
				return // it was left meanwhile
			}
			if err != nil {
				q.say(vm.Words(q.s, err))
				return
			}
			q.s.dropSheet()
			q.done()
		})
	})
}

// closed is called when the sheet goes away: nothing of a PIN stays.
func (q *seconder) closed() {
	q.pad.Clear()
	q.phrase.SetText("")
}

// Content is what the card says, to be read aloud.
func (q *seconder) Content() fyne.CanvasObject { return q.card }

// Tapped is called by Fyne: a tap beside the card does nothing.
func (q *seconder) Tapped(*fyne.PointEvent) {}

// CreateRenderer is called by Fyne.
func (q *seconder) CreateRenderer() fyne.WidgetRenderer { return &overlay{q.veil, q.card, false, 52} }

// overlay lays a card over a veil: as large as the window lets it, or as tall as it needs.
type overlay struct {
	veil  *canvas.Rectangle
	card  fyne.CanvasObject
	large bool
	wide  float32 // how wide a card that is not large is, in heights of the text
}

// Destroy is called by Fyne.
func (o *overlay) Destroy() {}

// Objects is called by Fyne.
func (o *overlay) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{o.veil, o.card} }

// MinSize is called by Fyne.
func (o *overlay) MinSize() fyne.Size { return o.card.MinSize() }

// Layout is called by Fyne.
func (o *overlay) Layout(size fyne.Size) {
	o.veil.Resize(size)
	margin := look.Gap3.Size()
	width, height := min(look.ColumnWidth, size.Width-2*margin), size.Height-2*margin
	if !o.large {
		width = min(look.Measures().Body*o.wide, size.Width-2*margin)
		height = min(look.HeightFor(o.card, width), size.Height)
	}
	o.card.Resize(fyne.NewSize(width, height))
	o.card.Move(fyne.NewPos((size.Width-width)/2, (size.Height-height)/2))
}

// Refresh is called by Fyne.
func (o *overlay) Refresh() {
	o.Layout(o.veil.Size())
	o.veil.Refresh()
	o.card.Refresh()
}
