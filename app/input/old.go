package input

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/offline/ident"
)

// oldOffer stands under a field whose text has characters in the code of an old system: it names them and offers the
// standard ones.
type oldOffer struct {
	obj   *fyne.Container
	words *look.Text
	take  *look.Button
}

// newOldOffer returns a hidden offer; take is called on a tap.
func newOldOffer(take func()) *oldOffer {
	o := &oldOffer{words: look.NewText("", look.StyleLabel, look.RoleWarning)}
	o.take = look.SecondaryButton("", take)
	o.obj = look.HStack(look.Gap1, look.Grow(o.words), o.take)
	o.obj.Hide()
	return o
}

// show names what is old in text; it reports whether something changed.
func (o *oldOffer) show(text string) bool {
	old := ident.OldChars(text)
	if len(old) == 0 {
		changed := o.obj.Visible()
		o.obj.Hide()
		return changed
	}
	var chars, standard []string
	for _, c := range old {
		if c.Standard != 0 {
			chars = append(chars, fmt.Sprintf("“%c”", c.Rune))
			standard = append(standard, fmt.Sprintf("“%c”", c.Standard))
		}
	}
	o.take.SetText(look.Word("input.old.take"))
	o.take.Hidden = len(standard) == 0
	words := look.Word("input.old", "chars", strings.Join(chars, ""), "standard", strings.Join(standard, ""))
	if len(standard) == 0 {
		for _, c := range old {
			chars = append(chars, fmt.Sprintf("U+%04X", c.Rune))
		}
		words = look.Word("input.old.private", "chars", strings.Join(chars, " "))
	}
	o.words.SetText(words)
	o.obj.Show()
	return true
}

// offerLayout puts the first objects on top of each other and the last, when it is shown, below them.
type offerLayout struct{}

var _ look.FlowLayout = offerLayout{}

func (offerLayout) split(o []fyne.CanvasObject) (field []fyne.CanvasObject, offer fyne.CanvasObject) {
	return o[:len(o)-1], o[len(o)-1]
}

func (l offerLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	field, offer := l.split(o)
	var size fyne.Size
	for _, f := range field {
		if f.Visible() {
			size = size.Max(f.MinSize())
		}
	}
	if offer.Visible() {
		low := offer.MinSize()
		size = fyne.NewSize(max(size.Width, low.Width), size.Height+look.Measures().Grid/2+low.Height)
	}
	return size
}

func (l offerLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	field, offer := l.split(o)
	h := l.field(field, width)
	if offer.Visible() {
		h += look.Measures().Grid/2 + look.HeightFor(offer, width)
	}
	return h
}

func (offerLayout) field(field []fyne.CanvasObject, width float32) float32 {
	var h float32
	for _, f := range field {
		if f.Visible() {
			h = max(h, look.HeightFor(f, width))
		}
	}
	return h
}

func (l offerLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	field, offer := l.split(o)
	h := size.Height
	if offer.Visible() {
		low := look.HeightFor(offer, size.Width)
		h -= look.Measures().Grid/2 + low
		offer.Move(fyne.NewPos(0, size.Height-low))
		offer.Resize(fyne.NewSize(size.Width, low))
	}
	for _, f := range field {
		f.Move(fyne.NewPos(0, 0))
		f.Resize(fyne.NewSize(size.Width, h))
	}
}
