package clocks

import (
	"runtime"
	"testing"
	"time"
)

func TestClocks(t *testing.T) {
	at := time.Unix(0, 0)
	if c := Or(Wall(func() time.Time { return at })); !c.Now().Equal(at) || c.Boot() != (Boot{}) {
		t.Errorf("wall clock of a test: %v %v", c.Now(), c.Boot())
	}
	c := Or(nil)
	a, b := c.Boot(), c.Boot()
	if a.ID != b.ID || b.Up < a.Up {
		t.Errorf("running time went from %v to %v", a, b)
	}
	if runtime.GOOS == "linux" && (a.ID == "" || a.Up <= 0) {
		t.Errorf("running time %v", a)
	}
	if d := time.Since(System().Now()); d < 0 || d > time.Minute {
		t.Errorf("the system's clock is %v off", d)
	}
}
