package desk_test

import (
	"testing"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/offline/desk/desktest"
)

// A village whose machine wakes up in 1970, or in 2036, takes in cases as on any other day: the form knows how old the citizen
// is, the due day is of this year, and the clerk sees how well the clock is known.
func TestDeadBatteryStopsNobody(t *testing.T) {
	m := desktest.New(t)
	m.Clock.Running = clocks.Boot{ID: "first", Up: time.Hour}
	d, s := m.Login(t)
	if err := d.Store().TakeTime(t.Context(), desktest.Day.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Time{time.Unix(5, 0), time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC)} {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		m.Clock.T, m.Clock.Running = at, clocks.Boot{ID: at.String(), Up: time.Minute}
		d, s = m.Login(t)
		if i == 1 { // the platform is reached: nothing else can tell a clock that is ahead
			if err := d.Store().TakeTime(t.Context(), desktest.Day.Add(time.Hour).UnixMilli()); err != nil {
				t.Fatal(err)
			}
		}
		in := start(t, s)
		fillGaoling(t, in)
		if problems := in.Ready(true); len(problems) > 0 {
			t.Fatalf("%v: %v", at, problems)
		}
		got, err := in.Submit(t.Context())
		if err != nil {
			t.Fatalf("%v: %v", at, err)
		}
		rec, err := d.Store().Record(got.Case)
		if err != nil || rec.At != at.UnixMilli() || rec.Clock.Quality() != uint8(1+i) {
			t.Errorf("%v: record says %v, quality %d, %v", at, time.UnixMilli(rec.At), rec.Clock.Quality(), err)
		}
		c, err := d.Store().Case(got.Case)
		if err != nil {
			t.Fatal(err)
		}
		if today := casefile.DayOf(desktest.Day); c.PromisedDue < today || c.PromisedDue > today+120 {
			t.Errorf("%v: promised for %v", at, c.PromisedDue)
		}
		if st, err := d.Status(t.Context()); err != nil || st.Clock.Quality != [...]string{"at-least", "confirmed"}[i] {
			t.Errorf("%v: status says %+v, %v", at, st.Clock, err)
		}
	}
}
