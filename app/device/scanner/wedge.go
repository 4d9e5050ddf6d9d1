// Package scanner takes what a code scanner reads: from a scanner that types like a keyboard ([Wedge]), and from any text
// ([Recognise], which says what kind of code it is). It knows no window.
package scanner

import "time"

// Target is a part of the screen that text is typed into.
type Target interface {
	// Deliver types a character into the part.
	Deliver(r rune)
	// Mark returns a function that brings the part back to what it is now.
	Mark() (undo func())
}

// Config of a wedge. The zero value takes the defaults; Now and After are needed.
type Config struct {
	// Gap is the longest time between two characters of a scanner, and from the last to Enter; 0 is 30 ms. Scanners need 1
	// to 16 ms, a person's fastest pair of keys 40 to 60.
	Gap time.Duration
	// Least is the length from which a burst is a code; 0 is 8 characters.
	Least int
	// Now reads the clock.
	Now func() time.Time
	// After calls fn once after d, on the goroutine that calls the wedge, unless stopped before.
	After func(d time.Duration, fn func()) (stop func())
	// OnCode is given each code.
	OnCode func(text string)
}

// Wedge tells a scanner that types from a person who does. A scanner's characters follow each other faster than fingers and
// end in Enter. The first of a burst goes where the person types; the second and those behind it are held back until it is
// known what they are. If Enter follows in time it was a code: the part gets back what it had before the first character, and
// OnCode the text. If not, what was held is typed, a moment late. So nothing of a code ever stays in a field, and nothing that
// a person typed is lost. It is used on one goroutine.
type Wedge struct {
	cfg    Config
	target Target
	undo   func()
	run    []rune // the burst so far; all but the first are held back
	last   time.Time
	stop   func()
}

// NewWedge returns a wedge.
func NewWedge(cfg Config) *Wedge {
	if cfg.Gap <= 0 {
		cfg.Gap = 30 * time.Millisecond
	}
	if cfg.Least <= 0 {
		cfg.Least = 8
	}
	return &Wedge{cfg: cfg}
}

// mostRun is the longest code: a QR code of version 40 has 4,296 characters of this alphabet.
const mostRun = 4300

// Rune takes a character on its way into a part. When it is taken, the part gets it later or not at all.
func (w *Wedge) Rune(t Target, r rune) (taken bool) {
	now := w.cfg.Now()
	plain := r >= ' ' && r <= '~' // scanners type ASCII; an input method commits anything, and at once
	if plain && len(w.run) > 0 && w.target == t && w.fast(now) && len(w.run) < mostRun {
		w.run, w.last = append(w.run, r), now
		w.wait()
		return true
	}
	w.flush()
	if plain {
		w.target, w.undo, w.run, w.last = t, t.Mark(), append(w.run[:0], r), now
	}
	return false
}

// Names of the keys that matter, as the window toolkit calls them.
var (
	enters = map[string]bool{"Return": true, "KP_Enter": true}
	edits  = map[string]bool{
		"BackSpace": true, "Delete": true, "Escape": true, "Tab": true, "Left": true, "Right": true, "Up": true, "Down": true, "Home": true,
		"End": true, "Prior": true, "Next": true,
	}
)

// Key takes a key on its way to a part; taken when it ended a code.
func (w *Wedge) Key(name string) (taken bool) {
	switch {
	case enters[name] && len(w.run) >= w.cfg.Least && w.fast(w.cfg.Now()):
		text, undo := string(w.run), w.undo
		w.clear()
		undo()
		w.cfg.OnCode(text)
		return true
	case enters[name], edits[name]:
		w.flush()
	}
	return false // every other key has its character, too, or is a shift
}

func (w *Wedge) fast(now time.Time) bool {
	d := now.Sub(w.last)
	return d >= 0 && d <= w.cfg.Gap
}

// wait types what is held once it is too late for a scanner.
func (w *Wedge) wait() {
	if w.stop != nil {
		w.stop()
	}
	w.stop = w.cfg.After(w.cfg.Gap+w.cfg.Gap/2, w.flush)
}

func (w *Wedge) flush() {
	t, held := w.target, w.run
	w.clear()
	for i, r := range held {
		if i > 0 { // the first is there
			t.Deliver(r)
		}
	}
}

func (w *Wedge) clear() {
	if w.stop != nil {
		w.stop()
	}
	w.target, w.undo, w.run, w.stop = nil, nil, nil, nil
}
