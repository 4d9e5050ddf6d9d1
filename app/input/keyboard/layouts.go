package keyboard

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
)

// Layouts that are no choice of a person: the field, or a key, brings them.
const (
	latinKeys  = "latin"
	symbolKeys = "symbols"
	numberKeys = "numbers"
	digitPad   = "digits"
	idPad      = "id"
	phonePad   = "phone"
	dayPad     = "day"
	moneyPad   = "decimal"
)

// cell is a key at its place, in units of the layout's grid.
type cell struct {
	x, y, w, h float32
	face       face
}

// board is a layout: keys on a grid.
type grid struct {
	columns, rows float32
	cells         []cell
	widest        float32 // the keyboard gets no wider, in touch targets; 0: as wide as the window
}

// row adds keys side by side, beginning at x, each as wide as w.
func (g *grid) row(x, y, w float32, faces ...face) float32 {
	for _, f := range faces {
		g.put(x, y, w, f)
		x += w
	}
	return x
}

func (g *grid) put(x, y, w float32, f face) { g.cells = append(g.cells, cell{x, y, w, 1, f}) }

func (p *Panel) word(id, key string, act func()) face {
	return face{id: id, label: look.Word(key), tone: otherKey, act: act}
}

// typeKey types a character as if it came from a key that is pressed.
func (p *Panel) typeKey(r rune) face {
	return face{id: string(r), label: string(r), act: func() { p.board.strike(r) }}
}

// markKey puts a mark in as it is.
func (p *Panel) markKey(text string) face {
	return face{id: text, label: text, act: func() { p.board.put(text) }}
}

func (p *Panel) backKey() face {
	return face{id: "back", icon: "backspace", tone: otherKey, repeat: true, act: p.board.backspace}
}

func (p *Panel) enterKey() face {
	return face{id: "enter", label: look.Word("keyboard.enter"), tone: mainKey, act: p.board.enter}
}

func (p *Panel) spaceKey() face {
	return face{id: "space", label: look.Word("keyboard.space"), repeat: true, act: p.board.space}
}

func (p *Panel) goKey(id, key, layout string) face {
	return p.word(id, key, func() { p.use(layout) })
}

// langKey switches between 中 and 英; it shows which it is.
func (p *Panel) langKey() face {
	f := p.word("lang", "keyboard.chinese", p.board.Toggle)
	if !p.board.chinese {
		f.label = look.Word("keyboard.latin")
	}
	return f
}

func (p *Panel) caretKeys() []face {
	move := func(id, icon string, name fyne.KeyName) face {
		return face{id: id, icon: icon, tone: otherKey, repeat: true, act: func() { p.board.caret(name) }}
	}
	return []face{move("left", "left", fyne.KeyLeft), move("right", "right", fyne.KeyRight)}
}

// letters are the rows of a full keyboard.
var letters = [3]string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

// full is the keyboard with 26 letters, for pinyin and for Latin.
func (p *Panel) full() grid {
	g := grid{columns: 10, rows: 4, widest: 26}
	chinese := p.layout == FullKeys
	row := func(x, y float32, s string) {
		for _, r := range s {
			shown := r
			if p.shift && !chinese {
				shown -= 'a' - 'A'
			}
			x = g.row(x, y, 1, p.typeKey(shown))
		}
	}
	row(0, 0, letters[0])
	row(0.5, 1, letters[1])
	if chinese {
		g.put(0, 2, 1.5, face{id: "'", label: "'", small: look.Word("keyboard.cut"), tone: otherKey, act: func() { p.board.strike('\'') }})
	} else {
		g.put(0, 2, 1.5, face{id: "shift", icon: "up", tone: otherKey, on: p.shift, act: func() {
			p.shift = !p.shift
			p.arrange()
		}})
	}
	row(1.5, 2, letters[2])
	g.put(8.5, 2, 1.5, p.backKey())
	comma, stop := p.markKey(","), p.markKey(".")
	if chinese {
		comma, stop = p.markKey("，"), p.markKey("。")
	}
	x := g.row(0, 3, 1.25, p.goKey("symbols", "keyboard.symbols", symbolKeys), p.goKey("numbers", "keyboard.numbers", numberKeys))
	if p.purpose.Composes() {
		g.put(x, 3, 1, p.langKey())
	} else {
		g.put(x, 3, 1, p.markKey("@"))
	}
	g.put(x+1, 3, 1, comma)
	g.put(x+2, 3, 2.5, p.spaceKey())
	g.put(x+4.5, 3, 1, stop)
	g.put(x+5.5, 3, 2, p.enterKey())
	return g
}

// nineNames are the letters on the keys 2 to 9.
var nineNames = [...]string{"ABC", "DEF", "GHI", "JKL", "MNO", "PQRS", "TUV", "WXYZ"}

// nine is 九宫格: at the left the syllables that the first keys may be, to choose from.
func (p *Panel) nine() grid {
	g := grid{columns: 6, rows: 4, widest: 16}
	for i, f := range p.readings(3) {
		g.put(0, float32(i), 1, f)
	}
	cut := face{id: "1", label: "'", small: look.Word("keyboard.cut"), tone: otherKey, act: func() { p.board.stroke(NineKeys, '\'') }}
	g.put(1, 0, 1.25, cut)
	for i, name := range nineNames {
		digit := rune('2' + i)
		g.put(1+1.25*float32((i+1)%3), float32((i+1)/3), 1.25, face{
			id: string(digit), label: name, small: string(digit), act: func() { p.board.stroke(NineKeys, digit) },
		})
	}
	side := float32(1 + 3*1.25)
	g.put(side, 0, 1.25, p.backKey())
	g.put(side, 1, 1.25, p.word("clear", "keyboard.again", p.board.again))
	g.put(side, 2, 1.25, p.goKey("numbers", "keyboard.numbers", numberKeys))
	g.put(0, 3, 1, p.goKey("symbols", "keyboard.symbols", symbolKeys))
	g.put(1, 3, 1.25, p.langKey())
	g.put(2.25, 3, 2.5, p.spaceKey())
	g.put(side, 3, 1.25, p.enterKey())
	return g
}

// readings returns the column at the left of the nine keys: syllables while composing, else marks.
func (p *Panel) readings(rows int) []face {
	var all []string
	if b := p.board; b.mode == NineKeys && b.src != nil {
		all = b.src.Readings()
	}
	var out []face
	if len(all) == 0 {
		for _, m := range []string{"，", "。", "？"} {
			f := p.markKey(m)
			f.tone = otherKey
			out = append(out, f)
		}
		return out
	}
	if p.reading >= len(all) {
		p.reading = 0
	}
	shown := rows
	if len(all) > rows {
		shown = rows - 1
	}
	for _, s := range all[p.reading:min(len(all), p.reading+shown)] {
		out = append(out, face{id: "read-" + s, label: s, tone: otherKey, act: func() {
			p.board.src.Read(s)
			p.reading = 0
			p.board.fresh()
		}})
	}
	if len(all) > rows {
		out = append(out, face{id: "more-readings", icon: "down", tone: otherKey, act: func() {
			p.reading += shown
			p.show()
		}})
	}
	return out
}

// stroke is 笔画: five strokes and the one that stands for any.
func (p *Panel) strokeGrid() grid {
	g := grid{columns: 6, rows: 4, widest: 16}
	names := [...]string{"heng", "shu", "pie", "dian", "zhe", "any"}
	for i, name := range names {
		r := rune('1' + i)
		if i == 5 {
			r = '*'
		}
		g.put(1+1.25*float32(i%3), float32(i/3), 1.25, face{
			id: "stroke-" + string(r), icon: "stroke-" + name, small: look.Word("keyboard.stroke." + name), act: func() { p.board.stroke(StrokeKeys, r) },
		})
	}
	for i, m := range []string{"，", "。", "？"} {
		f := p.markKey(m)
		f.tone = otherKey
		g.put(0, float32(i), 1, f)
	}
	for i, m := range []string{"、", "：", "！"} {
		g.put(1+1.25*float32(i), 2, 1.25, p.markKey(m))
	}
	side := float32(1 + 3*1.25)
	g.put(side, 0, 1.25, p.backKey())
	g.put(side, 1, 1.25, p.word("clear", "keyboard.again", p.board.again))
	g.put(side, 2, 1.25, p.goKey("numbers", "keyboard.numbers", numberKeys))
	g.put(0, 3, 1, p.goKey("symbols", "keyboard.symbols", symbolKeys))
	g.put(1, 3, 1.25, p.langKey())
	g.put(2.25, 3, 2.5, p.spaceKey())
	g.put(side, 3, 1.25, p.enterKey())
	return g
}

// Marks of the page of symbols, Chinese and Latin.
var (
	fullSymbols  = [3]string{"，。、？！：；…—·", "“”‘’（）《》【】", "￥％＋－×÷＝＃"}
	latinSymbols = [3]string{",.?!:;'\"-_", "@#$%&*()/\\", "+=<>[]{}|~"}
)

func (p *Panel) symbols() grid {
	g := grid{columns: 10, rows: 4, widest: 26}
	set := latinSymbols
	if p.board.chinese {
		set = fullSymbols
	}
	for y, line := range set {
		for x, r := range []rune(line) {
			g.put(float32(x), float32(y), 1, p.markKey(string(r)))
		}
	}
	g.put(0, 3, 1.5, p.word("return", "keyboard.return", p.home))
	g.put(1.5, 3, 1.5, p.goKey("numbers", "keyboard.numbers", numberKeys))
	if p.board.chinese {
		g.put(8, 2, 2, p.backKey())
		g.put(3, 3, 5, p.spaceKey())
	} else {
		g.put(3, 3, 3.5, p.spaceKey())
		g.put(6.5, 3, 1.5, p.backKey())
	}
	g.put(8, 3, 2, p.enterKey())
	return g
}

// pad is three columns of digits with extra keys: the last of them stand beside 0.
func (p *Panel) pad(left, right string, extra ...face) grid {
	g := grid{columns: 4, rows: 4, widest: 9}
	for i := range 9 {
		g.put(float32(i%3), float32(i/3), 1, p.digitKey(rune('1'+i)))
	}
	put := func(x float32, s string) {
		if s != "" {
			g.put(x, 3, 1, p.markKey(s))
		}
	}
	put(0, left)
	g.put(1, 3, 1, p.digitKey('0'))
	put(2, right)
	side := append([]face{p.backKey()}, extra...)
	side = append(side, p.enterKey())
	for i, f := range side {
		y := float32(i)
		if i == len(side)-1 {
			y = 3
		}
		g.put(3, y, 1, f)
	}
	return g
}

func (p *Panel) digitKey(r rune) face {
	return face{id: string(r), label: string(r), act: func() { p.board.put(string(r)) }}
}

// arranged returns the keys of the layout of the moment.
func (p *Panel) arranged() grid {
	caret := p.caretKeys()
	switch p.layout {
	case NineKeys:
		return p.nine()
	case StrokeKeys:
		return p.strokeGrid()
	case symbolKeys:
		return p.symbols()
	case numberKeys:
		return p.pad(".", "-", p.word("return", "keyboard.return", p.home), face{id: "/", label: "/", act: func() { p.board.put("/") }})
	case digitPad:
		return p.pad("", "", caret...)
	case dayPad:
		return p.pad("", "", caret...)
	case idPad:
		return p.pad("X", "", caret...)
	case phonePad:
		return p.pad("+", "-", caret...)
	case moneyPad:
		return p.pad(".", "-", caret...)
	}
	return p.full()
}

// suited returns the layout that a field begins with.
func (p *Panel) suited() string {
	switch p.purpose {
	case input.Latin:
		return latinKeys
	case input.Decimal:
		return moneyPad
	case input.Digits:
		return digitPad
	case input.IDNumber:
		return idPad
	case input.Phone:
		return phonePad
	case input.Day:
		return dayPad
	}
	if !p.board.chinese {
		return latinKeys
	}
	if l := p.board.settings.Layout; l == NineKeys || l == StrokeKeys {
		return l
	}
	return FullKeys
}

// chosen are the layouts of the strip above the keys.
func (p *Panel) tabs() []face {
	if !p.purpose.Composes() {
		return nil
	}
	var out []face
	for _, l := range []string{FullKeys, NineKeys, StrokeKeys, latinKeys} {
		f := p.word("layout-"+l, "keyboard.layout."+l, func() { p.choose(l) })
		f.on = p.layout == l
		out = append(out, f)
	}
	return out
}
