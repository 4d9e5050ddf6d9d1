package casefile

import (
	"fmt"
	"time"

	"bianmin/offline/ident"
)

// Day is a civil date in China as days since 1970-01-01. The zero value means no day.
type Day int32

// DayOf returns the civil date in China at an instant.
func DayOf(t time.Time) Day { return Day(ident.Today(t).Unix() / 86400) }

// DayOfMillis is DayOf for Unix milliseconds; zero gives no day.
func DayOfMillis(ms int64) Day {
	if ms == 0 {
		return 0
	}
	return DayOf(time.UnixMilli(ms))
}

// ParseDay reads "2006-01-02".
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("casefile: date %q: %w", s, err)
	}
	return Day(t.Unix() / 86400), nil
}

// Time returns midnight UTC of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String returns "2006-01-02", or "" for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Time().Format(time.DateOnly)
}

// Calendar knows working days. The zero value knows weekends only. It is immutable once filled.
type Calendar struct {
	Years    []int          // years whose holidays were announced and are listed
	Holidays map[Day]string // days off, with the name of the holiday
	Workdays map[Day]bool   // Saturdays and Sundays on which work is made up (调休上班)
	Sample   bool           // true for the sample county: the lists are an example, not an announcement
}

// IsWorkday reports whether offices work on d.
func (c *Calendar) IsWorkday(d Day) bool {
	if c != nil {
		if c.Workdays[d] {
			return true
		}
		if _, off := c.Holidays[d]; off {
			return false
		}
	}
	switch d.Time().Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	return true
}

// Covers reports whether the holidays of d's year are known. A due day outside is an estimate and should be shown so.
func (c *Calendar) Covers(d Day) bool {
	if c == nil {
		return false
	}
	y := d.Time().Year()
	for _, n := range c.Years {
		if n == y {
			return true
		}
	}
	return false
}

// Check reports what is wrong with a calendar: no years, a day outside them, a make-up day on a weekday, a day that is
// both, or a year with no holiday at all.
func (c *Calendar) Check() error {
	if len(c.Years) == 0 {
		return fmt.Errorf("casefile: the calendar lists no year")
	}
	seen := make(map[int]bool)
	for d := range c.Holidays {
		if !c.Covers(d) {
			return fmt.Errorf("casefile: holiday %s lies outside the listed years", d)
		}
		if c.Workdays[d] {
			return fmt.Errorf("casefile: %s is both a holiday and a working day", d)
		}
		seen[d.Time().Year()] = true
	}
	for d := range c.Workdays {
		if !c.Covers(d) {
			return fmt.Errorf("casefile: working day %s lies outside the listed years", d)
		}
		if w := d.Time().Weekday(); w != time.Saturday && w != time.Sunday {
			return fmt.Errorf("casefile: made-up working day %s is a %s", d, w)
		}
	}
	for _, y := range c.Years {
		if !seen[y] {
			return fmt.Errorf("casefile: year %d has no holidays", y)
		}
	}
	return nil
}
