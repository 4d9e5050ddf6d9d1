package casefile

import "time"

// Unit says how days are counted.
type Unit string

// The two units in use.
const (
	Workdays    Unit = "workday" // 工作日
	NaturalDays Unit = "day"     // 自然日
)

// Label returns the Chinese word.
func (u Unit) Label() string {
	if u == NaturalDays {
		return "自然日"
	}
	return "工作日"
}

// Limit is a time limit of a service item. Days 0 with Unit "" means none is set; Days 0 with a unit means at once
// (即办).
type Limit struct {
	Days int  `json:"days"`
	Unit Unit `json:"unit"`
}

// IsZero reports whether no limit is set.
func (l Limit) IsZero() bool { return l == Limit{} }

// Pause is a time in which the clock stands (补正, 特别程序). To is 0 while it lasts. The day From was still ours and the
// day To is the citizen's: the days after From up to and including To are not counted.
type Pause struct {
	From, To Day
}

func (p Pause) covers(d Day) bool { return d > p.From && (p.To == 0 || d <= p.To) }

// AskDays is how long the authority may take to ask for everything that is missing, once: 5 days (行政许可法 §32), which
// §82 of the same law makes working days. If it does not ask in time, the case counts as accepted from the day of
// receipt. The day comes from the law, not from a pack.
const AskDays = 5

// maxDays bounds the search for a day: no limit in use is longer.
const maxDays = 4000

// Due returns the last day of a limit. The day of the start is not counted; a limit that would end on a day off ends on
// the next working day (民法典 §201, §203). stopped is true when the clock stands in an open pause: the day returned is
// then what it would be if the pause ended today's day `today`.
func Due(start Day, l Limit, cal *Calendar, pauses []Pause, today Day) (due Day, stopped bool) {
	if start == 0 || l.IsZero() {
		return 0, false
	}
	closed := make([]Pause, 0, len(pauses))
	for _, p := range pauses {
		if p.To == 0 {
			stopped = true
			p.To = max(today, p.From)
		}
		closed = append(closed, p)
	}
	d := start
	for left, steps := l.Days, 0; left > 0 && steps < maxDays; steps++ {
		d++
		if counts(d, l.Unit, cal, closed) {
			left--
		}
	}
	for steps := 0; steps < maxDays && (!cal.IsWorkday(d) || paused(d, closed)); steps++ {
		if d == start && l.Days == 0 {
			break
		}
		d++
	}
	return d, stopped
}

func counts(d Day, u Unit, cal *Calendar, pauses []Pause) bool {
	return !paused(d, pauses) && (u == NaturalDays || cal.IsWorkday(d))
}

func paused(d Day, pauses []Pause) bool {
	for _, p := range pauses {
		if p.covers(d) {
			return true
		}
	}
	return false
}

// Used returns how many days of a limit have been counted from start up to and including today.
func Used(start Day, u Unit, cal *Calendar, pauses []Pause, today Day) int {
	n := 0
	for d := start + 1; d <= today && d-start <= maxDays; d++ {
		if counts(d, u, cal, pauses) {
			n++
		}
	}
	return n
}

// Remaining returns how many days are left until due, counted in unit u and today not included: 0 on the day itself,
// negative when overdue.
func Remaining(due Day, u Unit, cal *Calendar, today Day) int {
	if due >= today {
		return Used(today, u, cal, nil, due)
	}
	return -Used(due, u, cal, nil, today)
}

// Lamp is the alert lamp of a running clock.
type Lamp string

// The four lamps (facts of practice: 正常, 黄, 红, 超期) and none for a case without a running clock.
const (
	LampNone    Lamp = ""
	LampNormal  Lamp = "normal"
	LampYellow  Lamp = "yellow"  // three days or fewer
	LampRed     Lamp = "red"     // the last day or the one before
	LampOverdue Lamp = "overdue" // past
)

// Key returns the translation key: "case.lamp." and the lamp.
func (l Lamp) Key() string { return "case.lamp." + string(l) }

func lampOf(left int) Lamp {
	switch {
	case left < 0:
		return LampOverdue
	case left <= 1:
		return LampRed
	case left <= 3:
		return LampYellow
	}
	return LampNormal
}

// Clock is what the desk shows about time. Days are 0 when they do not apply.
type Clock struct {
	Start     Day  // when counting began: the day at the desk, or the day of the last answer before acceptance
	AskBy     Day  // last day on which the authority may ask for a correction, while it has neither asked nor accepted
	Deemed    bool // AskBy is past with no word: the case counts as accepted since the day of receipt
	AnswerBy  Day  // last day for the answer to an open correction
	Promised  Day  // 承诺办结: the platform's day when it named one
	Statutory Day  // 法定办结
	Stopped   bool // the clock stands: 补正 or 特别程序
	Estimate  bool // a day lies in a year whose holidays are not announced yet
	Left      int  // days left to the next day that counts (AnswerBy, or Promised), in its unit; negative when overdue
	Lamp      Lamp
}

// Clock computes the legal clock of a case at an instant, for the limits of its item.
func (c *Case) Clock(now time.Time, promised, statutory Limit, cal *Calendar) Clock {
	today := DayOf(now)
	k := Clock{}
	if c.State == Draft || c.SubmittedAt == 0 {
		return k
	}
	k.Start = c.clockStart()
	pauses := c.Pauses()
	if c.AcceptedAt == 0 && c.State == TakenIn {
		k.AskBy, _ = Due(c.receivedDay(), Limit{AskDays, Workdays}, cal, nil, today)
		k.Deemed = today > k.AskBy
	}
	k.Promised, k.Stopped = Due(k.Start, promised, cal, pauses, today)
	k.Statutory, _ = Due(k.Start, statutory, cal, pauses, today)
	if c.OfficialDue != 0 && len(pauses) == 0 {
		k.Promised = c.OfficialDue
	}
	if k.Promised == 0 && c.PromisedDue != 0 {
		k.Promised = c.PromisedDue
	}
	k.Stopped = c.State.Stopped()
	for _, d := range []Day{k.Promised, k.Statutory} {
		k.Estimate = k.Estimate || d != 0 && !cal.Covers(d)
	}
	if c.State == CorrectionAsked && c.Correction != nil {
		k.AnswerBy = Day(c.Correction.AnswerBy)
		if k.AnswerBy == 0 {
			k.AnswerBy, _ = Due(DayOfMillis(c.Correction.AskedAt), Limit{AskDays, Workdays}, cal, nil, today)
		}
		k.Left = Remaining(k.AnswerBy, Workdays, cal, today)
		k.Lamp = lampOf(k.Left)
		return k
	}
	if c.State.Closed() || k.Promised == 0 {
		return k
	}
	unit := promised.Unit
	if unit == "" {
		unit = Workdays
	}
	k.Left = Remaining(k.Promised, unit, cal, today)
	if !k.Stopped {
		k.Lamp = lampOf(k.Left)
	}
	return k
}

func (c *Case) receivedDay() Day { return DayOfMillis(c.SubmittedAt) }

// clockStart returns the day from which the limits count: the day at the desk; when the authority asked for a correction
// before it accepted, the day of the last answer before acceptance (the day on which the papers were complete).
func (c *Case) clockStart() Day {
	start := c.receivedDay()
	accepted := false
	for _, s := range c.Timeline {
		switch {
		case s.State == Accepted && !s.Ignored:
			accepted = true
		case s.State == CorrectionDone && !s.Ignored && !accepted:
			start = max(start, DayOfMillis(s.At))
		}
	}
	return start
}

// Pauses returns the times in which the clock stood after clockStart, from the time line.
func (c *Case) Pauses() []Pause {
	var out []Pause
	start := c.clockStart()
	open := false
	for _, s := range c.Timeline {
		if s.Ignored || s.State == "" {
			continue
		}
		day := DayOfMillis(s.At)
		if open && !s.State.Stopped() {
			out[len(out)-1].To = max(day, out[len(out)-1].From)
			open = false
		} else if !open && s.State.Stopped() {
			out = append(out, Pause{From: max(day, start)})
			open = true
		}
	}
	// A correction before acceptance is not a pause: counting begins anew when it is answered.
	for len(out) > 0 && out[0].To != 0 && out[0].To <= start {
		out = out[1:]
	}
	return out
}
