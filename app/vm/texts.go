// Package vm holds the state and the decisions of each screen: what is shown, in final words, and what a person may do.
// It knows no window toolkit, so all of it is tested without one.
//
// A view model is made for one screen and lives as long as its place in the history. Its methods may be called from any
// goroutine unless said otherwise; State returns a value that the caller may keep.
package vm

import (
	"strconv"
	"time"

	"bianmin/assets/translations"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/words"
)

// Texts gives the words of the interface in the language of the moment.
type Texts = translations.Texts

// Target is where a tap leads: a page of package screen and its argument.
type Target struct{ Page, Arg string }

// Pages that view models lead to; the same names as in package screen.
const (
	pageServices = "services"
	pageGuide    = "guide"
	pageWizard   = "wizard"
	pageCases    = "cases"
	pageCase     = "case"
	pageSync     = "sync"
	pageSettings = "settings"
	pagePrinters = "printers"
)

// Words returns an error as a person should read it.
func Words(t Texts, err error) string {
	key, args := words.KeyOf(err)
	return t.T(key, pairs(args)...)
}

// itemName returns the name of a service in the language of the moment. recorded is the Chinese name that its cases were
// taken in under, which is shown when the packs have no other.
func itemName(t Texts, s counter.Session, service, recorded string) string {
	if t.Lang() != translations.English {
		return recorded
	}
	if cat, err := s.Catalog(); err == nil {
		if it, ok := cat.Item(service); ok && it.Name.EN != "" {
			return it.Name.EN
		}
	}
	return recorded
}

func pairs(args map[string]string) []string {
	out := make([]string, 0, 2*len(args))
	for k, v := range args {
		out = append(out, k, v)
	}
	return out
}

// DayText returns a date as people read it: 2026年11月22日. The zero time gives "".
func DayText(t Texts, at time.Time) string { return translations.DayText(t, at) }

// CivilText returns a civil date as people read it; no day gives "".
func CivilText(t Texts, d casefile.Day) string {
	if d == 0 {
		return ""
	}
	return DayText(t, d.Time().Add(-8*time.Hour)) // midnight in China
}

// MomentText returns a date with hour and minute. The zero time gives "".
func MomentText(t Texts, at time.Time) string { return translations.MomentText(t, at) }

// ClockText returns hour and minute in China: 09:31.
func ClockText(at time.Time) string { return translations.ClockText(at) }

// WeekdayText returns the day of the week.
func WeekdayText(t Texts, at time.Time) string {
	return t.T("time.weekday." + strconv.Itoa(int(at.In(ident.China).Weekday())))
}

// DayOrTime returns the time of today's moments, and the date of others.
func DayOrTime(t Texts, at, now time.Time) string {
	if casefile.DayOf(at) == casefile.DayOf(now) {
		return t.T("time.today", "time", ClockText(at))
	}
	return MomentText(t, at)
}
