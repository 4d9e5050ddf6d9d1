package input

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input/ink"
	"bianmin/app/look"
	"bianmin/offline/clocks"
)

// SignaturePad takes a signature by finger, pen or mouse: black on white in every look, as it will be printed. Its
// Text is the compact JSON of the strokes, "" while it is blank.
type SignaturePad struct {
	look.Composite
	signals
	paper *paper
	hint  *look.Text
	clear *look.Button
	edge  *look.Surface
	fixed bool
}

// NewSignaturePad returns an empty pad. now gives the times of the strokes; nil is the system's clock.
func NewSignaturePad(now func() time.Time) *SignaturePad {
	if now == nil {
		now = clocks.System().Now
	}
	s := &SignaturePad{hint: look.Label(""), edge: look.NewSurface(look.RoleClear, look.RoleInputBorder)}
	s.paper = newPaper(now)
	s.paper.onStroke = func() {
		s.draw()
		s.tell(s.Text())
	}
	s.clear = look.NewButton(look.Secondary, "", "trash", func() {
		s.paper.wipe()
		s.draw()
		s.tell("")
	})
	s.draw()
	s.Compose(s, look.VStack(look.Gap1, look.Layer(s.paper, s.edge), look.HStack(look.Gap1, look.Grow(s.hint), s.clear)))
	return s
}

func (s *SignaturePad) draw() {
	s.clear.SetText(look.Word("input.clear"))
	enable(s.clear, !s.fixed && len(s.paper.strokes.Lines) > 0)
	s.clear.Hidden = s.fixed
	s.paper.word = look.Word("input.sign.here")
	if s.Blank() {
		s.hint.SetText(look.Word("input.sign.hint"))
	} else {
		s.hint.SetText(look.Word("input.sign.done"))
	}
}

// Blank reports whether there is no signature: nothing, a dot, or a touch.
func (s *SignaturePad) Blank() bool { return s.paper.strokes.Blank() }

// Strokes returns the signature; it shares nothing with the pad.
func (s *SignaturePad) Strokes() Strokes { return s.paper.strokes.Clone() }

// SetStrokes shows a signature without telling OnChanged.
func (s *SignaturePad) SetStrokes(strokes Strokes) {
	s.paper.set(strokes.Clone())
	s.draw()
	s.Refresh()
}

// Paper is what one writes on.
func (s *SignaturePad) Paper() fyne.CanvasObject { return s.paper }

// PNG returns the signature black on white, width pixels wide.
func (s *SignaturePad) PNG(width int) ([]byte, error) { return s.paper.strokes.PNG(width) }

// Clear wipes the pad without telling OnChanged.
func (s *SignaturePad) Clear() {
	s.paper.wipe()
	s.draw()
}

// Text returns the compact JSON of the strokes, "" while the pad is blank.
func (s *SignaturePad) Text() string {
	if s.Blank() {
		return ""
	}
	return string(s.paper.strokes.Encode())
}

// SetText shows strokes given as compact JSON; "" and anything else wipes the pad.
func (s *SignaturePad) SetText(value string) {
	strokes, err := ink.Parse([]byte(value))
	if value == "" || err != nil {
		s.Clear()
		return
	}
	s.SetStrokes(strokes)
}

// Focusable returns nil: one does not sign with a keyboard.
func (s *SignaturePad) Focusable() fyne.Focusable { return nil }

// SetReadOnly fixes the signature, or lets it be written again.
func (s *SignaturePad) SetReadOnly(fixed bool) {
	s.fixed, s.paper.fixed = fixed, fixed
	s.draw()
	s.Refresh()
}

// SetFaulty draws the edge of a refused signature.
func (s *SignaturePad) SetFaulty(faulty bool) {
	if faulty {
		s.edge.SetRoles(look.RoleClear, look.RoleDanger)
		s.edge.SetThick(look.Measures().Border + 1)
		return
	}
	s.edge.SetRoles(look.RoleClear, look.RoleInputBorder)
	s.edge.SetThick(0)
}

// Refresh is called by Fyne; it also follows a change of language.
func (s *SignaturePad) Refresh() {
	s.draw()
	s.Composite.Refresh()
}

// paper is what is written on. Strokes keep the size the paper had at the first one; later sizes only change how they
// are drawn.
type paper struct {
	widget.BaseWidget
	now      func() time.Time
	onStroke func()
	strokes  ink.Strokes
	start    time.Time
	fixed    bool
	down     bool
	word     string

	mask  *image.Alpha // what is drawn so far, in pixels of the screen
	drawn int          // points of the last line already in mask
	lines int          // lines wholly in mask
}

var (
	_ fyne.Draggable    = (*paper)(nil)
	_ desktop.Mouseable = (*paper)(nil)
)

func newPaper(now func() time.Time) *paper {
	p := &paper{now: now}
	p.ExtendBaseWidget(p)
	return p
}

func (p *paper) set(strokes ink.Strokes) {
	p.strokes, p.down, p.mask = strokes, false, nil
	p.start = p.now()
	if n := len(strokes.Lines); n > 0 {
		last := strokes.Lines[n-1]
		p.start = p.start.Add(-time.Duration(last[len(last)-1][2]) * time.Millisecond)
	}
	p.Refresh()
}

func (p *paper) wipe() { p.set(ink.Strokes{}) }

// MouseDown is called by Fyne.
func (p *paper) MouseDown(e *desktop.MouseEvent) { p.begin(e.Position) }

// MouseUp is called by Fyne.
func (p *paper) MouseUp(*desktop.MouseEvent) { p.end() }

// Dragged is called by Fyne.
func (p *paper) Dragged(e *fyne.DragEvent) {
	if !p.down {
		p.begin(e.Position.Subtract(fyne.NewPos(e.Dragged.DX, e.Dragged.DY)))
	}
	p.point(e.Position)
}

// DragEnd is called by Fyne.
func (p *paper) DragEnd() { p.end() }

// Cursor is called by Fyne.
func (p *paper) Cursor() desktop.Cursor { return desktop.CrosshairCursor }

func (p *paper) begin(at fyne.Position) {
	if p.fixed || p.down || len(p.strokes.Lines) >= ink.MaxLines {
		return
	}
	if len(p.strokes.Lines) == 0 {
		size := p.Size()
		p.strokes.Width, p.strokes.Height = tenths(size.Width), tenths(size.Height)
		p.start = p.now()
	}
	p.down = true
	p.strokes.Lines = append(p.strokes.Lines, nil)
	p.point(at)
}

func (p *paper) point(at fyne.Position) {
	if p.fixed || !p.down || p.strokes.Points() >= ink.MaxPoints {
		return
	}
	scale, dx, dy := p.fit(p.Size())
	q := ink.Point{
		clamp((at.X-dx)/scale, p.strokes.Width), clamp((at.Y-dy)/scale, p.strokes.Height),
		int32(min(p.now().Sub(p.start).Milliseconds(), math.MaxInt32)),
	}
	line := &p.strokes.Lines[len(p.strokes.Lines)-1]
	if n := len(*line); n > 0 {
		last := (*line)[n-1]
		if last[0] == q[0] && last[1] == q[1] {
			return
		}
	}
	q[2] = max(q[2], p.lastTime())
	*line = append(*line, q)
	p.Refresh()
}

// lastTime returns the time of the last point, so that a clock set back does not run the signature backwards.
func (p *paper) lastTime() int32 {
	for i := len(p.strokes.Lines) - 1; i >= 0; i-- {
		if line := p.strokes.Lines[i]; len(line) > 0 {
			return line[len(line)-1][2]
		}
	}
	return 0
}

func (p *paper) end() {
	if !p.down {
		return
	}
	p.down = false
	p.Refresh()
	if p.onStroke != nil {
		p.onStroke()
	}
}

// fit returns pixels of the paper for a tenth of a pixel of the strokes, and where the strokes' corner is.
func (p *paper) fit(size fyne.Size) (scale, dx, dy float32) {
	if p.strokes.Width <= 0 || p.strokes.Height <= 0 {
		return 0.1, 0, 0
	}
	scale = min(size.Width/float32(p.strokes.Width), size.Height/float32(p.strokes.Height))
	if scale <= 0 {
		return 0.1, 0, 0
	}
	return scale, (size.Width - scale*float32(p.strokes.Width)) / 2, (size.Height - scale*float32(p.strokes.Height)) / 2
}

// mostPaper keeps the pad, its buttons and the signer's name together on a screen of 800 pixels, also in large type.
const mostPaper = 240

// HeightFor returns the height of the paper: the width of a slip in its proportions, within what a screen has.
func (p *paper) HeightFor(width float32) float32 {
	touch := look.Measures().Touch
	return min(max(width*0.3, touch*3), mostPaper)
}

// paint returns the ink at the size of the screen. It draws only what is new since the last time.
func (p *paper) paint(w, h int) image.Image {
	if p.mask == nil || p.mask.Rect.Dx() != w || p.mask.Rect.Dy() != h {
		p.mask, p.drawn, p.lines = image.NewAlpha(image.Rect(0, 0, w, h)), 0, 0
	}
	out := image.NewNRGBA(p.mask.Rect)
	size := p.Size()
	if size.Width <= 0 || len(p.strokes.Lines) == 0 {
		return out
	}
	scale, dx, dy := p.fit(size)
	perPixel := float32(w) / size.Width
	// The pen draws into the part of the mask the strokes cover; offsets are whole pixels.
	ox, oy := int(dx*perPixel), int(dy*perPixel)
	sub, _ := p.mask.SubImage(image.Rect(ox, oy, w, h)).(*image.Alpha)
	shifted := &image.Alpha{Pix: sub.Pix, Stride: sub.Stride, Rect: sub.Rect.Sub(sub.Rect.Min)}
	pen := ink.NewPen(shifted, float64(scale*perPixel))
	for ; p.lines < len(p.strokes.Lines); p.lines++ {
		line := p.strokes.Lines[p.lines]
		open := p.down && p.lines == len(p.strokes.Lines)-1
		for ; p.drawn < len(line); p.drawn++ {
			pen.Extend(line[:p.drawn+1])
		}
		if open {
			break
		}
		if len(line) <= 2 {
			pen.Line(line)
		}
		pen.Finish(line)
		p.drawn = 0
	}
	for i, a := range p.mask.Pix {
		if a > 0 {
			c := out.Pix[i*4 : i*4+4 : i*4+4]
			c[0], c[1], c[2], c[3] = ink.Ink.R, ink.Ink.G, ink.Ink.B, a
		}
	}
	return out
}

// CreateRenderer is called by Fyne.
func (p *paper) CreateRenderer() fyne.WidgetRenderer {
	r := &paperRenderer{p: p, ground: canvas.NewRectangle(color.White), line: canvas.NewLine(guide), word: canvas.NewText("", guide)}
	r.ink = canvas.NewRaster(p.paint)
	r.line.StrokeWidth = 1
	r.Refresh()
	return r
}

// guide is the colour of the line to write on and the word above it; the paper is white in every look.
var guide = color.NRGBA{R: 0x5A, G: 0x68, B: 0x78, A: 0xFF}

type paperRenderer struct {
	p      *paper
	ground *canvas.Rectangle
	line   *canvas.Line
	word   *canvas.Text
	ink    *canvas.Raster
}

func (r *paperRenderer) Destroy() {}

func (r *paperRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.line, r.word, r.ink}
}

func (r *paperRenderer) MinSize() fyne.Size {
	t := look.Measures().Touch
	return fyne.NewSize(t*4, r.p.HeightFor(r.p.Size().Width))
}

func (r *paperRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.ink.Resize(size)
	side := look.Gap4.Size()
	y := size.Height * 0.78
	r.line.Position1, r.line.Position2 = fyne.NewPos(side, y), fyne.NewPos(size.Width-side, y)
	word := r.word.MinSize()
	r.word.Move(fyne.NewPos((size.Width-word.Width)/2, (y-word.Height)/2))
	r.word.Resize(word)
}

func (r *paperRenderer) Refresh() {
	r.ground.CornerRadius = look.Measures().Radius
	r.word.Text, r.word.TextSize = r.p.word, look.Measures().Title
	r.word.Hidden = len(r.p.strokes.Lines) > 0
	r.Layout(r.p.Size())
	r.ground.Refresh()
	r.word.Refresh()
	r.ink.Refresh()
}

func tenths(pixels float32) int32 { return int32(pixels * 10) }

func clamp(v float32, most int32) int32 {
	return max(0, min(int32(v+0.5), most))
}

func number(n int) string { return strconv.Itoa(n) }

// String keeps signatures out of logs.
func (p *paper) String() string { return fmt.Sprintf("signature of %d points", p.strokes.Points()) }
