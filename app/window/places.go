package window

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"bianmin/app/input"
	"bianmin/app/look"
)

// Kinds of a [Place].
const (
	PlaceTap    = "tap"    // is tapped
	PlaceField  = "field"  // is typed into
	PlacePaper  = "paper"  // is signed on
	PlaceScroll = "scroll" // what is inside moves up and down, and is seen no further than this
	PlaceText   = "text"
	PlaceGroup  = "group"
)

// Place is something that the window shows, and where, in Fyne's pixels. Texts and groups have no measures.
type Place struct {
	Kind string  `json:"kind"`
	ID   string  `json:"id,omitempty"`   // of a key of the keyboard on the screen
	Text string  `json:"text,omitempty"` // its words, or what stands in a field; of a secret nothing
	Off  bool    `json:"off,omitempty"`  // cannot be tapped now
	On   bool    `json:"on,omitempty"`   // is chosen
	X    float32 `json:"x,omitempty"`
	Y    float32 `json:"y,omitempty"`
	W    float32 `json:"w,omitempty"`
	H    float32 `json:"h,omitempty"`
	In   []Place `json:"in,omitempty"`
}

// Places tells where everything stands that the window shows, or the question over it when there is one. It is for programs
// that click in a real window. UI goroutine only.
func (s *Shell) Places() Place {
	var root fyne.CanvasObject = s.root
	if s.sheet != nil {
		root = s.sheet
	}
	p, _ := placeOf(root)
	return p
}

// placeOf reports false for what shows nothing.
func placeOf(o fyne.CanvasObject) (Place, bool) {
	if o == nil || !o.Visible() {
		return Place{}, false
	}
	p := Place{Kind: PlaceGroup}
	at := o
	switch o := o.(type) {
	case *canvas.Text:
		p.Kind, p.Text = PlaceText, o.Text
	case *look.Text:
		p.Kind, p.Text = PlaceText, o.Text()
	case *input.TextField:
		p.Text = o.Spoken()
		if f, ok := o.Focusable().(fyne.CanvasObject); ok && f != nil {
			p.Kind, at = PlaceField, f
			return measured(p, at), true
		}
		p.Kind = PlaceText
	case *input.SignaturePad:
		p.Kind, at = PlacePaper, o.Paper()
	case *input.Scroll:
		p.Kind = PlaceScroll
	case *input.PINPad:
		p.Kind, p.Text = PlaceTap, strings.Repeat("•", o.Digits())
	case fyne.Tappable:
		p.Kind = PlaceTap
		if c, ok := o.(interface{ Selected() bool }); ok {
			p.On = c.Selected()
		}
		if b, ok := o.(interface{ Text() string }); ok {
			p.Text = b.Text()
		}
		if k, ok := o.(interface {
			ID() string
			Label() string
		}); ok {
			p.ID, p.Text = k.ID(), k.Label()
		}
		if d, ok := o.(fyne.Disableable); ok {
			p.Off = d.Disabled()
		}
	}
	for _, c := range look.Inside(o) {
		if in, ok := placeOf(c); ok {
			p.In = append(p.In, in)
		}
	}
	if p.Kind == PlaceGroup {
		if len(p.In) == 1 {
			return p.In[0], true
		}
		return p, len(p.In) > 0
	}
	if p.Kind == PlaceText {
		return p, p.Text != ""
	}
	return measured(p, at), true
}

func measured(p Place, o fyne.CanvasObject) Place {
	at, size := fyne.CurrentApp().Driver().AbsolutePositionForObject(o), o.Size()
	p.X, p.Y, p.W, p.H = at.X, at.Y, size.Width, size.Height
	return p
}
