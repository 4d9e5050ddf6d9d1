package input

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// mostBesideIcon is how many bytes of a search are sure to fit beside its picture.
const mostBesideIcon = 48

// NewSecret returns a field for a pass phrase: what is typed is shown as dots, unless Reveal shows it.
func NewSecret() *TextField {
	const most = 128
	t := newTextField(plain(most), false, "", 0).of(Latin)
	t.entry.Password, t.secret = true, true
	return t
}

// Reveal shows what is typed in a field of NewSecret, or hides it again.
func (t *TextField) Reveal(show bool) {
	t.entry.Password = !show
	t.entry.Refresh()
}

// HideHint takes away the pad's own line of what to type, for screens that say it themselves.
func (p *PINPad) HideHint() { p.hint.Hide() }

// NewCode returns a field for a one-time code of at most most letters and digits, shown in groups of four. Full-width
// and small letters become capitals; dashes and blanks go.
func NewCode(most int) *TextField {
	return newTextField(grouped(most, codeRune, 4), false, "", 0).of(Latin)
}

func codeRune(r rune) (rune, bool) {
	r = half(r)
	if r >= 'a' && r <= 'z' {
		r -= 'a' - 'A'
	}
	return r, r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
}

// NewSearch returns a field to search with, a magnifying glass at its start. hint says what can be found.
func NewSearch(hint string) *TextField {
	const most = 600 // a receipt's link may be pasted
	t := newTextField(plain(most), false, "", 0).of(Search)
	t.entry.Icon = theme.SearchIcon()
	t.SetHint(hint)
	short := t.entry.OnChanged
	t.entry.OnChanged = func(text string) {
		// Text that is scrolled inside the field would run over the picture.
		var icon fyne.Resource
		if len(text) <= mostBesideIcon {
			icon = theme.SearchIcon()
		}
		if (icon == nil) != (t.entry.Icon == nil) {
			t.entry.SetIcon(icon)
		}
		short(text)
	}
	return t
}
