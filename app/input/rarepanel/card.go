package rarepanel

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/offline/pinyin/rare"
)

// Read reads the ID card on a reader, and calls then on the UI goroutine: with the texts on the card that may have rare
// characters, likeliest first, and with words for what went wrong or is in doubt, which may be "".
type Read func(then func(texts []string, doubt string))

// card is the tab 身份证.
type card struct {
	read  Read
	busy  bool
	asked bool // a card was read, or could not be
	found []rare.Char

	row   *fyne.Container
	key   *key
	doubt *look.Text
}

// Card gives the panel a reader of ID cards, and with it the tab that shows the rare characters of the card on it. What was
// read is forgotten with the panel. Call it once, before the panel is shown.
func (p *Panel) Card(read Read) {
	p.card.read = read
	p.addTab(ByCard)
	p.draw()
}

func (p *Panel) makeCard() {
	p.card.key = p.key(look.Word("rare.card.read"), "", p.readCard)
	p.card.key.selectIt(true) // it is what this tab is for
	p.card.doubt = look.NewText("", look.StyleBody, look.RoleWarning)
	p.card.row = look.VStack(look.Gap1, look.HStack(look.Gap1, look.AtLeast(func(m look.Tokens) fyne.Size {
		return fyne.NewSize(m.Title*9, m.Touch)
	}, p.card.key), look.Spring()), p.card.doubt)
}

// readCard reads the card that lies on the reader now. Only one reading is under way.
func (p *Panel) readCard() {
	if p.card.busy || p.card.read == nil {
		return
	}
	p.card.busy, p.card.found = true, nil
	p.card.doubt.SetText("")
	p.search()
	p.card.read(func(texts []string, doubt string) {
		p.card.busy, p.card.asked = false, true
		p.card.doubt.SetText(doubt)
		seen := map[rune]bool{}
		for _, text := range texts {
			for _, r := range rare.Of(text) {
				if c, ok := rare.Load().Info(r); ok && !seen[r] {
					seen[r] = true
					p.card.found = append(p.card.found, c)
				}
			}
		}
		if len(texts) > 0 && len(p.card.found) == 0 && doubt == "" {
			p.card.doubt.SetText(look.Word("rare.card.none"))
		}
		p.search()
	})
}

// drawCard brings the row below the characters up to date.
func (p *Panel) drawCard() {
	p.card.row.Hidden = p.tab != ByCard
	word := "rare.card.read"
	switch {
	case p.card.busy:
		word = "rare.card.reading"
	case p.card.asked:
		word = "rare.card.again"
	}
	p.card.key.word.SetText(look.Word(word))
	p.card.doubt.Hidden = p.card.doubt.Text() == ""
}
