package casefile

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"bianmin/offline/journal"
)

// cal2026 is a part of a year: a long holiday with made-up Saturdays.
func cal2026() *Calendar {
	c := &Calendar{Years: []int{2026}, Holidays: map[Day]string{}, Workdays: map[Day]bool{mustDay("2026-09-20"): true, mustDay("2026-10-10"): true}}
	for d := mustDay("2026-10-01"); d <= mustDay("2026-10-07"); d++ {
		c.Holidays[d] = "国庆节"
	}
	return c
}

func TestDue(t *testing.T) {
	cal := cal2026()
	tests := []struct {
		name, start string
		limit       Limit
		pauses      []Pause
		today, want string
		stopped     bool
	}{
		{"five working days", "2026-11-16", Limit{5, Workdays}, nil, "2026-11-16", "2026-11-23", false},
		{"over a holiday with a made-up Saturday", "2026-09-30", Limit{3, Workdays}, nil, "2026-09-30", "2026-10-10", false},
		{"a made-up Sunday counts", "2026-09-18", Limit{1, Workdays}, nil, "2026-09-18", "2026-09-20", false},
		{"natural days", "2026-11-16", Limit{3, NaturalDays}, nil, "2026-11-16", "2026-11-19", false},
		{"natural days ending on a Saturday", "2026-11-16", Limit{5, NaturalDays}, nil, "2026-11-16", "2026-11-23", false},
		{"natural days ending in the holiday", "2026-09-28", Limit{5, NaturalDays}, nil, "2026-09-28", "2026-10-08", false},
		{"at once", "2026-11-16", Limit{0, Workdays}, nil, "2026-11-16", "2026-11-16", false},
		{"at once on a Sunday", "2026-11-15", Limit{0, Workdays}, nil, "2026-11-15", "2026-11-15", false},
		{"no limit", "2026-11-16", Limit{}, nil, "2026-11-16", "", false},
		{"a pause of two days", "2026-11-16", Limit{5, Workdays}, []Pause{{mustDay("2026-11-17"), mustDay("2026-11-19")}}, "2026-11-20", "2026-11-25", false},
		{"a pause over the weekend", "2026-11-16", Limit{5, Workdays}, []Pause{{mustDay("2026-11-20"), mustDay("2026-11-22")}}, "2026-11-23", "2026-11-23", false},
		{"asked and answered on one day", "2026-11-16", Limit{5, Workdays}, []Pause{{mustDay("2026-11-17"), mustDay("2026-11-17")}}, "2026-11-18", "2026-11-23", false},
		{"an open pause", "2026-11-16", Limit{5, Workdays}, []Pause{{mustDay("2026-11-17"), 0}}, "2026-11-19", "2026-11-25", true},
		{"two pauses", "2026-11-16", Limit{2, Workdays}, []Pause{{mustDay("2026-11-16"), mustDay("2026-11-17")}, {mustDay("2026-11-18"), mustDay("2026-11-19")}}, "2026-11-20", "2026-11-20", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			due, stopped := Due(mustDay(tt.start), tt.limit, cal, tt.pauses, mustDay(tt.today))
			if due.String() != tt.want || stopped != tt.stopped {
				t.Fatalf("due %s (stopped %v), want %s", due, stopped, tt.want)
			}
		})
	}
}

// TestDueAgainstCounting compares Due with plain counting of days over many starts.
func TestDueAgainstCounting(t *testing.T) {
	cal := cal2026()
	for start := mustDay("2026-09-01"); start < mustDay("2026-11-30"); start++ {
		for days := 1; days < 25; days++ {
			due, _ := Due(start, Limit{days, Workdays}, cal, nil, start)
			if n := Used(start, Workdays, cal, nil, due); n != days || !cal.IsWorkday(due) {
				t.Fatalf("%s + %d: %s has %d working days", start, days, due, n)
			}
			if r := Remaining(due, Workdays, cal, start); r != days {
				t.Fatalf("remaining %d of %d", r, days)
			}
		}
	}
	if r := Remaining(mustDay("2026-11-16"), Workdays, cal, mustDay("2026-11-18")); r != -2 {
		t.Errorf("two days late: %d", r)
	}
}

func TestCalendar(t *testing.T) {
	cal := cal2026()
	if err := cal.Check(); err != nil {
		t.Fatal(err)
	}
	for d, want := range map[string]bool{"2026-10-01": false, "2026-10-08": true, "2026-10-10": true, "2026-10-11": false, "2026-11-21": false, "2026-11-23": true} {
		if cal.IsWorkday(mustDay(d)) != want {
			t.Errorf("%s: %v", d, !want)
		}
	}
	if !cal.Covers(mustDay("2026-12-31")) || cal.Covers(mustDay("2027-01-01")) || (*Calendar)(nil).Covers(mustDay("2026-12-31")) {
		t.Error("Covers")
	}
	if !(*Calendar)(nil).IsWorkday(mustDay("2026-11-23")) || (&Calendar{}).IsWorkday(mustDay("2026-11-22")) {
		t.Error("without a calendar weekends are off and weekdays on")
	}
	bad := []func(*Calendar){
		func(c *Calendar) { c.Years = nil },
		func(c *Calendar) { c.Workdays[mustDay("2026-10-12")] = true },
		func(c *Calendar) { c.Holidays[mustDay("2027-01-01")] = "元旦" },
		func(c *Calendar) { c.Workdays[mustDay("2027-01-02")] = true },
		func(c *Calendar) { c.Holidays[mustDay("2026-10-10")] = "又放" },
		func(c *Calendar) { c.Years = append(c.Years, 2027) },
	}
	for i, f := range bad {
		c := cal2026()
		f(c)
		if c.Check() == nil {
			t.Errorf("fault %d passed", i)
		}
	}
}

func TestDays(t *testing.T) {
	if d := DayOf(time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)); d.String() != "2026-11-23" {
		t.Errorf("one in the morning in China is %s", d)
	}
	if DayOfMillis(0) != 0 || Day(0).String() != "" {
		t.Error("no day")
	}
	if _, err := ParseDay("2026-02-30"); err == nil {
		t.Error("30 February")
	}
}

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, time.FixedZone("CST", 8*3600))
	if err != nil {
		panic(err)
	}
	return t
}

func TestClock(t *testing.T) {
	cal := cal2026()
	promised, statutory := Limit{10, Workdays}, Limit{20, Workdays}
	c, _ := Fold([]journal.Record{submitted(5)}, nil)
	k := c.Clock(at("2026-11-18 09:00"), promised, statutory, cal)
	if k.Start.String() != "2026-11-16" || k.AskBy.String() != "2026-11-23" || k.Deemed || k.Promised.String() != "2026-11-30" ||
		k.Statutory.String() != "2026-12-14" || k.Left != 8 || k.Lamp != LampNormal || k.Stopped || k.Estimate {
		t.Errorf("unplugged, two days on: %+v", k)
	}
	if k = c.Clock(at("2026-11-24 00:00"), promised, statutory, cal); !k.Deemed || k.Left != 4 {
		t.Errorf("nobody asked in five days: %+v", k)
	}
	for when, lamp := range map[string]Lamp{"2026-11-25 12:00": LampYellow, "2026-11-27 12:00": LampRed, "2026-11-30 23:00": LampRed, "2026-12-01 00:00": LampOverdue} {
		if k = c.Clock(at(when), promised, statutory, cal); k.Lamp != lamp {
			t.Errorf("%s: %s with %d left, want %s", when, k.Lamp, k.Left, lamp)
		}
	}
	// A correction before acceptance: counting begins when it is answered.
	early := correction
	early.Cursor = 2
	c, _ = Fold([]journal.Record{submitted(5)}, []journal.Event{early})
	k = c.Clock(at("2026-11-18 09:00"), promised, statutory, cal)
	if k.AnswerBy.String() != "2026-11-24" || !k.Stopped || k.Left != 4 || k.AskBy != 0 {
		t.Errorf("asked: %+v", k)
	}
	if err := c.ApplyRecord(amended); err != nil {
		t.Fatal(err)
	}
	k = c.Clock(at("2026-11-18 12:00"), promised, statutory, cal)
	if k.Start.String() != "2026-11-18" || k.Promised.String() != "2026-12-02" || k.Stopped {
		t.Errorf("answered: %+v", k)
	}
	// A correction after acceptance: the clock pauses.
	c, _ = Fold([]journal.Record{submitted(5), amended}, []journal.Event{accepted, correction})
	k = c.Clock(at("2026-11-19 12:00"), promised, statutory, cal)
	if k.Start.String() != "2026-11-16" || k.Promised.String() != "2026-12-01" {
		t.Errorf("paused one day: %+v", k)
	}
	// The platform's own day wins while nothing has paused.
	c, _ = Fold([]journal.Record{submitted(5)}, []journal.Event{accepted})
	if k = c.Clock(at("2026-11-19 12:00"), promised, statutory, cal); k.Promised.String() != "2026-12-14" {
		t.Errorf("official day: %+v", k)
	}
	// Nothing runs in a closed case.
	c, _ = Fold([]journal.Record{submitted(5)}, []journal.Event{accepted, granted})
	if k = c.Clock(at("2027-01-19 12:00"), promised, statutory, cal); k.Lamp != LampNone || k.Left != 0 {
		t.Errorf("closed: %+v", k)
	}
}

func TestNumber(t *testing.T) {
	if Number(17, 342) != "17-342-05" {
		t.Errorf("%s", Number(17, 342))
	}
	for _, n := range []struct {
		d uint32
		s uint64
	}{{1, 1}, {17, 342}, {4294967295, 18446744073709551615}, {100, 1}, {10, 1}, {1, 97}} {
		text := Number(n.d, n.s)
		for _, typed := range []string{text, strings.ReplaceAll(text, "-", " "), strings.ReplaceAll(text, "-", "－"), "  " + strings.ReplaceAll(text, "-", " — ")} {
			d, s, err := ParseNumber(typed)
			if err != nil || d != n.d || s != n.s {
				t.Errorf("%q: %d %d %v", typed, d, s, err)
			}
		}
		// The definition, with whole numbers: n·100 + check leaves 1 modulo 97.
		whole, _ := new(big.Int).SetString(fmt.Sprintf("%d%020d%s", n.d, n.s, text[len(text)-2:]), 10)
		if whole.Mod(whole, big.NewInt(97)).Int64() != 1 {
			t.Errorf("%s does not satisfy ISO 7064", text)
		}
	}
	for _, bad := range []string{"", "17-342", "17-342-06", "17-342-5", "017-342-05", "17-0342-05", "0-342-05", "17-342-05-1", "17-342-xx", "99999999999-1-01", "1-99999999999999999999-01", "+17-342-05", "173-42-05", "1-7342-05"} {
		if _, _, err := ParseNumber(bad); !errors.Is(err, ErrNumber) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestNumberFindsSlips(t *testing.T) {
	good := Number(1234, 56789)
	for i := range good {
		if good[i] == '-' {
			continue
		}
		for c := byte('0'); c <= '9'; c++ {
			bad := good[:i] + string(c) + good[i+1:]
			if _, _, err := ParseNumber(bad); bad != good && err == nil {
				t.Errorf("%s passed for %s", bad, good)
			}
		}
		if i+1 < len(good) && good[i+1] != '-' && good[i] != good[i+1] {
			bad := good[:i] + string(good[i+1]) + string(good[i]) + good[i+2:]
			if _, _, err := ParseNumber(bad); err == nil {
				t.Errorf("swap %s passed for %s", bad, good)
			}
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"17-342-05", "１７－３４２－０５", "1 1 1", "--", "9-9-99"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, n, err := ParseNumber(s)
		if err != nil {
			return
		}
		text := Number(d, n)
		if d2, n2, err := ParseNumber(text); err != nil || d2 != d || n2 != n {
			t.Fatalf("%q gives %s, which does not read back", s, text)
		}
	})
}

func FuzzParseCase(f *testing.F) {
	c, err := Fold([]journal.Record{submitted(5), amended}, []journal.Event{accepted, correction})
	if err != nil {
		f.Fatal(err)
	}
	data, _ := c.Marshal()
	f.Add(data)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		if again, err := c.Marshal(); err != nil || string(again) != string(b) {
			t.Fatal("a stored case does not read back to its bytes")
		}
	})
}
