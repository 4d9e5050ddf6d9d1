package input

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/offline/clocks"
)

// DateField is a field for a day: eight digits typed, or year, month and day stepped with large buttons. There is no
// calendar to aim at. Its Text is "2026-11-22", or the digits typed so far.
type DateField struct {
	look.Composite
	signals
	line  *TextField
	steps *fyne.Container
	parts [3]*look.Text
	now   func() time.Time
}

// NewDate returns a date field. now tells today, where stepping starts in an empty field; nil is the system's clock.
func NewDate(now func() time.Time) *DateField {
	if now == nil {
		now = clocks.System().Now
	}
	d := &DateField{line: newTextField(dated(), false, "", 0).of(Day), now: now}
	d.line.SetHint("2026-11-22")
	d.line.SetOnChanged(func(string) {
		d.draw()
		d.tell(d.Text())
	})
	d.line.SetOnLeave(func() { d.left() })
	step := func(part int, word string, years, months, days int) fyne.CanvasObject {
		d.parts[part] = look.NewText(word, look.StyleBody, look.RoleText).Single().Align(fyne.TextAlignCenter)
		less := look.NewButton(look.Secondary, "", "minus", func() { d.step(-years, -months, -days) })
		more := look.NewButton(look.Secondary, "", "plus", func() { d.step(years, months, days) })
		return look.HStack(look.GapH, less, look.AtLeast(func(m look.Tokens) fyne.Size {
			return fyne.NewSize(m.Body*2, 0)
		}, d.parts[part]), more)
	}
	d.steps = look.Wrap(look.Gap2, step(0, "", 1, 0, 0), step(1, "", 0, 1, 0), step(2, "", 0, 0, 1))
	d.draw()
	box := look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Body*11, 0) }, d.line)
	d.Compose(d, look.Wrap(look.Gap2, box, d.steps))
	return d
}

func (d *DateField) draw() {
	for i, key := range []string{"input.year", "input.month", "input.day"} {
		d.parts[i].SetText(look.Word(key))
	}
}

// Date returns the day; false while it is not a whole, existing one.
func (d *DateField) Date() (time.Time, bool) {
	day, err := time.Parse("20060102", d.line.Text())
	return day, err == nil
}

func (d *DateField) step(years, months, days int) {
	day, ok := d.Date()
	if ok {
		day = stepDay(day, years, months, days)
	} else {
		day = d.now()
	}
	d.line.SetText(day.Format("20060102"))
	d.tell(d.Text())
}

// stepDay moves day; a month without that day of the month gives its last one, so that stepping months from the 31st
// does not skip February.
func stepDay(day time.Time, years, months, days int) time.Time {
	if days != 0 {
		return day.AddDate(0, 0, days)
	}
	y, m, d := day.Date()
	first := time.Date(y+years, m+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1)
}

// Text returns the day as "2026-11-22", what was typed when it is not a day yet, "" when nothing was.
func (d *DateField) Text() string {
	if day, ok := d.Date(); ok {
		return day.Format(time.DateOnly)
	}
	return d.line.Text()
}

// SetText shows a day given as "2026-11-22" or as eight digits.
func (d *DateField) SetText(value string) { d.line.SetText(value) }

// Focusable returns the part that takes the keyboard.
func (d *DateField) Focusable() fyne.Focusable { return d.line.Focusable() }

// SetReadOnly shows the day as fixed text, or lets it be changed again.
func (d *DateField) SetReadOnly(fixed bool) {
	d.line.SetReadOnly(fixed)
	d.steps.Hidden = fixed
	d.Refresh()
}

// SetFaulty draws the edge of a refused value.
func (d *DateField) SetFaulty(faulty bool) { d.line.SetFaulty(faulty) }

// Refresh is called by Fyne; it also follows a change of language.
func (d *DateField) Refresh() {
	d.draw()
	d.Composite.Refresh()
}

// Stepper is a whole number between two limits with large buttons: copies, people in a household.
type Stepper struct {
	look.Composite
	signals
	least, most int
	value       int
	shown       *look.Text
	less, more  *look.Button
}

// NewStepper returns a stepper showing least.
func NewStepper(least, most int) *Stepper {
	s := &Stepper{least: least, most: most, value: least}
	s.shown = look.NewText("", look.StyleTitle, look.RoleText).Single().Align(fyne.TextAlignCenter)
	s.less = look.NewButton(look.Secondary, "", "minus", func() { s.step(-1) })
	s.more = look.NewButton(look.Secondary, "", "plus", func() { s.step(1) })
	s.Compose(s, look.HStack(look.Gap1, s.less, look.AtLeast(func(m look.Tokens) fyne.Size {
		return fyne.NewSize(m.Body*3, m.Field)
	}, look.HStack(look.Gap0, look.Spring(), s.shown, look.Spring())), s.more))
	s.SetValue(least)
	return s
}

func (s *Stepper) step(by int) {
	before := s.value
	s.SetValue(s.value + by)
	if s.value != before {
		s.tell(strconv.Itoa(s.value))
	}
}

// Value returns the number.
func (s *Stepper) Value() int { return s.value }

// SetValue shows n, or the limit it is beyond.
func (s *Stepper) SetValue(n int) {
	s.value = max(s.least, min(n, s.most))
	s.shown.SetText(strconv.Itoa(s.value))
	enable(s.less, s.value > s.least)
	enable(s.more, s.value < s.most)
	s.Refresh()
}

// Pager turns pages with two large buttons and says in words which page it is.
type Pager struct {
	look.Composite
	// OnPage is called with the page, counted from 0; nil does nothing.
	OnPage func(page int)

	page, pages int
	words       *look.Text
	up, down    *look.Button
}

// NewPager returns a pager of one page.
func NewPager() *Pager {
	p := &Pager{pages: 1, words: look.NewText("", look.StyleLabel, look.RoleSecondary).Single()}
	p.up = look.NewButton(look.Secondary, "", "up", func() { p.turn(-1) })
	p.down = look.NewButton(look.Secondary, "", "down", func() { p.turn(1) })
	p.Compose(p, look.HStack(look.Gap1, p.words, look.Spring(), p.up, p.down))
	p.Set(0, 1)
	return p
}

func (p *Pager) turn(by int) {
	p.Set(p.page+by, p.pages)
	if p.OnPage != nil {
		p.OnPage(p.page)
	}
}

// Set shows page, counted from 0, of pages.
func (p *Pager) Set(page, pages int) {
	p.pages = max(1, pages)
	p.page = max(0, min(page, p.pages-1))
	p.words.SetText(look.Word("input.page", "page", p.page+1, "pages", p.pages))
	enable(p.up, p.page > 0)
	enable(p.down, p.page < p.pages-1)
	p.Refresh()
}

// Page returns the page of the moment, counted from 0.
func (p *Pager) Page() int { return p.page }

func enable(b *look.Button, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}
