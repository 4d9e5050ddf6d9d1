// Package rarepanel is the panel 生僻字: it finds a character by how it is read, by radical and strokes, by its parts, by its
// code point, or on an ID card, and hands it to the field.
//
// It brings its own letters, radicals, numbers and parts, so it works where there is no other keyboard. Its keys never take
// the keyboard from a field; as Fyne takes it away at a tap on anything else, OnTouch tells after each tap, so that the
// owner can give it back. The panel belongs to the UI goroutine.
package rarepanel

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/offline/glyph"
	"bianmin/offline/pinyin/rare"
)

// Ways to find a character; the tabs.
const (
	ByPinyin = iota
	ByStrokes
	ByParts
	ByCode
	ByCard // only with a reader, see Card
)

// names of the tabs in translation keys.
var names = []string{"pinyin", "strokes", "parts", "code", "card"}

// How much is shown at a time.
const (
	perPage    = 10
	perPad     = 40 // keys of radicals on a page
	mostTyped  = 12
	mostRest   = 24 // strokes beside a radical
	restOffset = -1 // rest while no number was tapped: all
)

// Panel is the panel.
type Panel struct {
	look.Composite
	// OnTouch is called after each tap on the panel; it may be nil.
	OnTouch func()

	insert func(string)
	close  func()

	tab     int
	typed   [ByCard + 1]string // what was tapped on each tab
	radical int                // of ByStrokes, 0: none yet
	rest    int
	group   int // strokes of the radicals that are shown
	found   []rare.Char
	page    int
	pad     int // page of the pad

	card card

	tabs    []*key
	heads   *fyne.Container
	line    *look.Text
	hint    *look.Text
	cells   *fyne.Container
	keys    *fyne.Container
	back    *key
	forward *key
	where   *look.Text
	edit    []*key // what was typed can be changed with these
}

// New returns a panel. insert is called with each character that is chosen, done when the person closes the panel.
func New(insert func(string), done func()) *Panel {
	p := &Panel{insert: insert, close: done, rest: restOffset, group: 1}
	p.heads = look.Grid(look.GapH, tabWidth)
	for tab := range ByCard {
		p.addTab(tab)
	}
	p.line, p.hint = look.NewText("", look.StyleTitle, look.RoleText).Lines(1), look.NewText("", look.StyleLabel, look.RoleSecondary).Lines(1)
	p.where = look.NewText("", look.StyleLabel, look.RoleSecondary).Single()
	p.back = p.key(look.Word("input.page.up"), "", func() { p.turn(-1) })
	p.forward = p.key(look.Word("input.page.down"), "", func() { p.turn(1) })
	p.cells = look.Grid(look.GapH, cellWidth)
	p.keys = look.Grid(look.GapH, keyWidth)
	bar := look.HStack(look.GapH, look.Grow(p.heads), p.key(look.Word("rare.close"), "", func() {
		if p.close != nil {
			p.close()
		}
	}))
	entry := look.HStack(look.Gap1, look.Grow(look.VStack(look.Gap0, p.line, p.hint)), p.where, p.back, p.forward,
		p.typing(p.key(look.Word("rare.back"), "", p.erase)), p.typing(p.key(look.Word("rare.clear"), "", p.Reset)))
	p.makeCard()
	body := look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder).Square(),
		look.Pad(look.Gap1, look.Gap1, look.VStack(look.Gap1, bar, entry, p.cells, look.Line(), p.keys, p.card.row)))
	p.Compose(p, body)
	p.show(ByPinyin)
	return p
}

func cellWidth(m look.Tokens) float32 { return max(m.Touch*1.3, m.PageTitle*2) }
func keyWidth(m look.Tokens) float32  { return m.Touch }
func tabWidth(m look.Tokens) float32  { return m.Title * 4 }

func (p *Panel) addTab(tab int) {
	k := p.key(look.Word("rare.tab."+names[tab]), "", func() { p.show(tab) })
	p.tabs = append(p.tabs, k)
	p.heads.Objects = append(p.heads.Objects, k)
}

// typing makes a key one of those that are there only where something can be typed.
func (p *Panel) typing(k *key) *key {
	p.edit = append(p.edit, k)
	return k
}

// show opens the tab of a way to find a character.
func (p *Panel) show(tab int) {
	p.tab, p.pad = tab, 0
	for i, t := range p.tabs {
		t.selectIt(i == tab)
	}
	p.search()
}

// Add types text as if its keys were tapped: a keyboard with candidates can give parts to the panel.
func (p *Panel) Add(text string) {
	if utf8.RuneCountInString(p.typed[p.tab])+utf8.RuneCountInString(text) <= mostTyped {
		p.typed[p.tab] += text
		p.search()
	}
}

// Reset takes away what was tapped.
func (p *Panel) Reset() {
	p.typed[p.tab], p.pad = "", 0
	if p.tab == ByStrokes {
		p.radical, p.rest, p.group = 0, restOffset, 1
	}
	p.search()
}

func (p *Panel) erase() {
	switch {
	case p.tab != ByStrokes:
		rs := []rune(p.typed[p.tab])
		p.typed[p.tab] = string(rs[:max(0, len(rs)-1)])
	case p.rest != restOffset:
		p.rest = restOffset
	default:
		p.radical = 0
	}
	p.search()
}

// Found returns what the panel offers, likeliest first.
func (p *Panel) Found() []rare.Char { return slices.Clone(p.found) }

func (p *Panel) search() {
	p.found, p.page = nil, 0
	t := rare.Load()
	typed := p.typed[p.tab]
	switch {
	case p.tab == ByStrokes && p.radical > 0:
		p.found = t.ByRadical(p.radical, p.rest)
	case p.tab == ByPinyin && typed != "":
		p.found = t.ByPinyin(typed)
	case p.tab == ByParts && typed != "":
		p.found = t.ByParts(typed)
	case p.tab == ByCode:
		if r, ok := rare.CodePoint("U+" + typed); ok {
			if c, ok := t.Info(r); ok {
				p.found = []rare.Char{c}
			}
		}
	case p.tab == ByCard:
		p.found = p.card.found
	}
	p.draw()
}

func (p *Panel) turn(by int) {
	p.page = min(max(0, p.page+by), max(0, (len(p.found)-1)/perPage))
	p.draw()
}

// draw fills the panel from its state.
func (p *Panel) draw() {
	hint := look.Word("rare.hint." + names[p.tab])
	line := p.typed[p.tab]
	switch {
	case p.tab == ByStrokes && p.radical > 0:
		line = rare.Load().Radicals()[p.radical-1].Forms
		if p.rest != restOffset {
			line += " + " + look.Word("rare.strokes", "count", p.rest)
		}
	case p.tab == ByParts:
		line = strings.Join(strings.Split(line, ""), " + ")
	case p.tab == ByCode && line != "":
		line = "U+" + line
	case p.tab == ByCard:
		line = look.Word("rare.card.title")
	}
	asked := line != "" && p.tab != ByCard && (p.tab != ByCode || len(p.typed[ByCode]) > 3)
	switch {
	case len(p.found) > 0:
		hint = look.Word("rare.found", "count", len(p.found))
	case asked:
		hint = look.Word("rare.none")
	}
	p.line.SetText(line)
	p.hint.SetText(hint)
	from := min(p.page*perPage, len(p.found))
	to := min(from+perPage, len(p.found))
	pages := max(1, (len(p.found)+perPage-1)/perPage)
	p.where.SetText(fmt.Sprintf("%d/%d", p.page+1, pages))
	many := pages > 1
	p.where.Hidden, p.back.Hidden, p.forward.Hidden = !many, !many, !many
	p.cells.Objects = p.cells.Objects[:0]
	for _, c := range p.found[from:to] {
		p.cells.Objects = append(p.cells.Objects, p.cell(c))
	}
	for range perPage - (to - from) { // so that the keys below stay where they are
		p.cells.Objects = append(p.cells.Objects, look.AtLeast(func(m look.Tokens) fyne.Size {
			return fyne.NewSize(0, (m.PageTitle+m.Label)*m.LineSpacing)
		}, look.NewSurface(look.RoleClear, look.RoleClear)))
	}
	p.keys.Objects = p.padKeys()
	p.keys.Hidden = p.tab == ByCard
	for _, k := range p.edit {
		k.Hidden = p.tab == ByCard
	}
	p.drawCard()
	p.Refresh()
}

// cell shows a character large, with how it is read or, when nobody has published that, its code.
func (p *Panel) cell(c rare.Char) *key {
	under := ""
	for _, s := range slices.Backward(c.Pinyin) {
		if under == "" || p.tab != ByPinyin || strings.HasPrefix(rare.Plain(s), p.typed[ByPinyin]) {
			under = s // the first that fits
		}
	}
	if under == "" || !glyph.System().Has(c.Rune) {
		under = fmt.Sprintf("%04X", c.Rune)
	}
	k := p.key(string(c.Rune), under, func() {
		if p.insert != nil {
			p.insert(string(c.Rune))
		}
	})
	k.large()
	return k
}

// padKeys makes the keys of the tab.
func (p *Panel) padKeys() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	add := func(word string, tap func()) *key {
		k := p.key(word, "", tap)
		out = append(out, k)
		return k
	}
	letters := func(s string) {
		for _, r := range s {
			add(string(r), func() { p.Add(string(r)) })
		}
	}
	switch p.tab {
	case ByPinyin:
		letters("qwertyuiopasdfghjklzxcvbnm")
	case ByCode:
		letters("0123456789ABCDEF")
	case ByStrokes:
		if p.radical > 0 {
			add(look.Word("rare.all"), func() { p.rest = restOffset; p.search() }).selectIt(p.rest == restOffset)
			for n := range mostRest {
				add(fmt.Sprint(n), func() { p.rest = n; p.search() }).selectIt(p.rest == n)
			}
			break
		}
		out = append(out, p.groups()...)
		for _, r := range rare.Load().Radicals() {
			if r.Strokes == p.group {
				add(string([]rune(r.Forms)[:1]), func() { p.radical, p.rest = r.Number, restOffset; p.search() })
			}
		}
	case ByParts:
		pages := (utf8.RuneCountInString(parts) + perPad - 1) / perPad
		rs := []rune(parts)
		letters(string(rs[p.pad*perPad : min(len(rs), (p.pad+1)*perPad)]))
		add(look.Word("rare.more"), func() {
			p.pad = (p.pad + 1) % pages
			p.draw()
		})
	}
	return out
}

// groups are the keys that choose how many strokes the radicals have that are shown.
func (p *Panel) groups() []fyne.CanvasObject {
	var out []fyne.CanvasObject
	seen := map[int]bool{}
	for _, r := range rare.Load().Radicals() {
		seen[r.Strokes] = true
	}
	for n := 1; n <= 17; n++ {
		if !seen[n] {
			continue
		}
		k := p.key(look.Word("rare.strokes", "count", n), "", func() { p.group = n; p.draw() })
		k.selectIt(p.group == n)
		out = append(out, k)
	}
	return out
}

// parts are what rare characters of names are made of, the usual ones first; further ones come with the radicals.
const parts = "木水火土金日月口女王石山竹草人心手言玉马鱼鸟车贝丝示衣食辰享喜吉" +
	"禾米虫犬牛羊目耳足走门雨云风页见韦革香音走龙虎鹿龟户方斤戈弓刀力寸大小子文士工己巾广干十又立青其共同各由甲申白皿田生者尚昌奇易永良真原高亨京宣奂宗宛容寅甬甫圭垚圣叔舟舍央朱丰千午主亚全名向次" +
	"先羽老而聿自至色行衣西赤谷豆豕身辛酉里长隹非面首骨鬼黄黑齐"
