package input

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
)

// Consent is a declaration to agree to: one large card with the whole text, tapped anywhere. Its Text is "true" or "".
type Consent struct {
	look.Composite
	signals
	card  *optionCard
	edge  *look.Surface
	given bool
}

var _ Field = (*Consent)(nil)

// NewConsent returns a card with the text that is agreed to.
func NewConsent(text string) *Consent {
	c := &Consent{edge: look.NewSurface(look.RoleClear, look.RoleDanger)}
	c.edge.Hide()
	c.card = newOptionCard(Option{Label: text}, true, func() {
		c.set(!c.given)
		c.tell(c.Text())
	})
	c.card.onLeave = c.left
	c.Compose(c, look.Layer(c.card, c.edge))
	return c
}

func (c *Consent) set(given bool) {
	c.given = given
	c.card.set(given)
	c.card.Refresh()
}

// Focusable returns the card.
func (c *Consent) Focusable() fyne.Focusable { return c.card }

// Text returns "true" when it was agreed, else "".
func (c *Consent) Text() string {
	if c.given {
		return "true"
	}
	return ""
}

// SetText shows it as agreed for "true".
func (c *Consent) SetText(value string) { c.set(value == "true") }

// SetReadOnly fixes the card, or lets it be tapped again.
func (c *Consent) SetReadOnly(fixed bool) {
	if fixed {
		c.card.Disable()
	} else {
		c.card.Enable()
	}
}

// SetFaulty draws the edge of something that has to be agreed to.
func (c *Consent) SetFaulty(faulty bool) {
	c.edge.Hidden = !faulty
	c.edge.SetThick(look.Measures().Border + 1)
	c.edge.Refresh()
}
