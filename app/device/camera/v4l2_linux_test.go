package camera

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestChoose(t *testing.T) {
	small, large, ok := choose([]mode{
		{fourYUYV, 320, 240}, {fourYUYV, 640, 480}, {fourMJPG, 640, 480}, {fourYUYV, 2592, 1944}, {fourMJPG, 1280, 720}, {fourMJPG, 2592, 1944},
	})
	if !ok || small != (mode{fourMJPG, 640, 480}) || large != (mode{fourMJPG, 2592, 1944}) {
		t.Errorf("%v and %v", small, large)
	}
	small, large, ok = choose([]mode{{fourYUYV, 160, 120}, {fourYUYV, 320, 240}})
	if !ok || small.w != 320 || large.w != 320 {
		t.Errorf("%v and %v", small, large)
	}
	if _, _, ok := choose(nil); ok {
		t.Error("chosen from nothing")
	}
}

func TestNoCamera(t *testing.T) {
	file := filepath.Join(t.TempDir(), "video0")
	if err := os.WriteFile(file, []byte("no camera"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(t.TempDir(), "none"), "/dev/null"} {
		if c, err := Find(path); !errors.Is(err, ErrNoCamera) {
			t.Errorf("%s: %v, %v", path, c, err)
		}
	}
}
