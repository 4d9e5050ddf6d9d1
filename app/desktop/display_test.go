package desktop

import (
	"runtime"
	"testing"
)

func TestDisplay(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux asks for a display")
		return
	}
	for name, fails := range map[string]bool{"": true, ":64999": true, "unix:64999.0": true, "station.example:10.0": false} {
		t.Setenv("DISPLAY", name)
		if err := display(); (err != nil) != fails {
			t.Errorf("DISPLAY=%q: %v", name, err)
		}
	}
}
