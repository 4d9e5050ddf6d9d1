package engine

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"bianmin/offline/words"
	"bianmin/sync/wire"
)

// TestTableInDoc compares the table of the package comment with the moves the code allows.
func TestTableInDoc(t *testing.T) {
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	goNames := map[string]State{"Offline": Offline, "Connecting": Connecting, "Sending": Sending, "Idle": Idle, "NeedsAttention": NeedsAttention}
	seen := map[State]bool{}
	for line := range strings.Lines(string(src)) {
		f := strings.Fields(strings.TrimPrefix(line, "//"))
		if !strings.HasPrefix(line, "//\t") || len(f) < 2 {
			continue
		}
		from, ok := goNames[f[0]]
		if !ok {
			continue
		}
		seen[from] = true
		want := map[State]bool{from: true}
		for _, to := range f[1:] {
			s, ok := goNames[to]
			if !ok {
				t.Fatalf("doc.go names a state %q", to)
			}
			want[s] = true
		}
		for _, to := range goNames {
			if legal := checkMove(from, to) == nil; legal != want[to] {
				t.Errorf("%s to %s: legal %v, doc.go says %v", from, to, legal, want[to])
			}
		}
	}
	if len(seen) != len(goNames) {
		t.Fatalf("doc.go has %v", slices.Collect(maps.Keys(seen)))
	}
}

func TestIllegalMove(t *testing.T) {
	if err := checkMove(Offline, Idle); !errors.Is(err, ErrMove) {
		t.Fatalf("err %v", err)
	}
}

func TestBackoffBounds(t *testing.T) {
	for _, rnd := range [][]byte{make([]byte, 1<<16), bytes.Repeat([]byte{0xff}, 1<<16)} {
		var b backoff
		r := bytes.NewReader(rnd)
		now := time.Unix(0, 0)
		var last time.Duration
		for i := range 60 {
			d := b.next(now, r)
			if d <= 0 || d > maxDelay || now.Before(time.Unix(60, 0)) && d > quickDelay {
				t.Fatalf("delay %d at %v: %v", i, now.Unix(), d)
			}
			last = d
			now = now.Add(d)
		}
		if last < maxDelay*3/4 {
			t.Fatalf("late delay %v", last)
		}
		b.reset()
		if d := b.next(now, r); d > firstDelay {
			t.Fatalf("after reset %v", d)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{words.New("store.diskFull", nil), "store.diskFull"},
		{&wire.Error{Code: wire.CodeRevoked}, "wire.revoked"},
		{errors.New("x"), "error.unknown"},
	} {
		if got, _ := KeyOf(c.err); got != c.want {
			t.Errorf("KeyOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Fatal("an engine without a journal")
	}
}
