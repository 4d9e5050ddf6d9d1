package translations

import (
	"strconv"
	"time"

	"bianmin/offline/ident"
)

// Texts gives the words of the interface in one language.
type Texts interface {
	// T returns the text of key; pairs are placeholder names and values in turn.
	T(key string, pairs ...string) string
	// Lang is "zh" or "en".
	Lang() string
}

// In returns the texts of one language.
func (c *Catalog) In(lang string) Texts { return voice{c, lang} }

type voice struct {
	c    *Catalog
	lang string
}

func (v voice) T(key string, pairs ...string) string {
	args := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return v.c.TS(v.lang, key, args)
}

func (v voice) Lang() string { return v.lang }

// The functions below are how a person reads a moment anywhere in the product: on screens, papers, the command line and
// at the platform's end. The country has one time zone, so the machine's own does not matter.

// DayText returns a date: 2026年11月22日. The zero time gives "".
func DayText(t Texts, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(ident.China)
	month := strconv.Itoa(int(at.Month()))
	if t.Lang() == English {
		month = at.Format("Jan")
	}
	return t.T("time.day", "year", strconv.Itoa(at.Year()), "month", month, "day", strconv.Itoa(at.Day()))
}

// MomentText returns a date with hour and minute: 2026年11月22日 09:31. The zero time gives "".
func MomentText(t Texts, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return DayText(t, at) + " " + ClockText(at)
}

// SecondText returns a date with hour, minute and second. The zero time gives "".
func SecondText(t Texts, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return DayText(t, at) + " " + at.In(ident.China).Format(time.TimeOnly)
}

// ClockText returns hour and minute: 09:31.
func ClockText(at time.Time) string { return at.In(ident.China).Format("15:04") }
