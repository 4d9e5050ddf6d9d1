package translations

import (
	"testing"
	"time"
)

func TestMomentsAreReadInChina(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 19, 6, 5, 0, time.FixedZone("", 1800)) // 18:36 UTC, the 25th in China
	for _, test := range []struct{ lang, day, moment, second string }{
		{Chinese, "2026年11月25日", "2026年11月25日 02:36", "2026年11月25日 02:36:05"},
		{English, "25 Nov 2026", "25 Nov 2026 02:36", "25 Nov 2026 02:36:05"},
	} {
		v := c.In(test.lang)
		if d, m, s := DayText(v, at), MomentText(v, at), SecondText(v, at); d != test.day || m != test.moment || s != test.second {
			t.Errorf("%s: %q, %q, %q", test.lang, d, m, s)
		}
		if DayText(v, time.Time{})+MomentText(v, time.Time{})+SecondText(v, time.Time{}) != "" {
			t.Errorf("%s: the zero time has a text", test.lang)
		}
	}
}
