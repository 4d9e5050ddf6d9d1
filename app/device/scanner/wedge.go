// Package scanner takes what a code scanner reads: from a scanner that types like a keyboard ([Wedge]), and from any text
// ([Recognise], which says what kind of code it is). It knows no window.
package scanner

import "time"

// Target is a part of the screen that text is typed into.
type Target interface {
	// Deliver types a character into the part.
	Deliver(r rune)
	// Insert puts text into the part as it is, past any input method.
	Insert(text string)
	// Mark returns a function that brings the part back to what it is now.
	Mark() (undo func())
}

// Config of a wedge. The zero value takes the defaults; Now and After are needed.
type Config struct {
	// Gap is the time between two characters up to which they are a scanner's, until more is known; 0 is 25 ms. Scanners need 1
	// to 16 ms, a person's fastest pair of keys 40 to 60, a key held down repeats every 33 to 40.
	Gap time.Duration
	// Mean is the mean time between the characters of a code, Enter included, at most; 0 is 25 ms.
	Mean time.Duration
	// Pause is the longest time between two characters of a code; 0 is 250 ms. A window that is slow to draw sees what a scanner
	// types in lumps, with the time of a picture between them.
	Pause time.Duration
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
// end in Enter. The first of a burst goes where the person types; those behind it are held back until it is known what they
// are. If Enter follows it was a code: the part gets back what it had before the first character, and OnCode the text. If not,
// what was held is typed, a moment late. So nothing of a code stays in a field, and nothing that a person typed is lost. It is
// used on one goroutine.
type Wedge struct {
	cfg    Config
	target Target
	undo   func()
	run    []rune // what may be a code, from its first character
	passed int    // so many of run the part has; the others are held back
	first  time.Time
	last   time.Time
	stop   func()
}

// NewWedge returns a wedge.
func NewWedge(cfg Config) *Wedge {
	const gap, pause, least = 25 * time.Millisecond, 250 * time.Millisecond, 8
	if cfg.Gap <= 0 {
		cfg.Gap = gap
	}
	if cfg.Mean <= 0 {
		cfg.Mean = gap
	}
	if cfg.Pause <= 0 {
		cfg.Pause = pause
	}
	if cfg.Least <= 0 {
		cfg.Least = least
	}
	return &Wedge{cfg: cfg}
}

// burst is how many characters held back are surely no person's: three keys are not pressed in 25 ms each.
const burst = 3

// mostRun is the longest code: a QR code of version 40 has 4,296 characters of this alphabet.
const mostRun = 4300

// Rune takes a character on its way into a part. When it is taken, the part gets it later or not at all.
func (w *Wedge) Rune(t Target, r rune) (taken bool) {
	now := w.cfg.Now()
	plain := r >= ' ' && r <= '~' // scanners type ASCII; an input method commits anything, and at once
	gap := now.Sub(w.last)
	if !plain || w.target != t || gap < 0 || gap > w.cfg.Pause || len(w.run) >= mostRun {
		w.flush()
		w.clear()
	}
	switch {
	case !plain:
		return false
	case len(w.run) == 0:
		w.target, w.undo, w.run, w.passed, w.first, w.last = t, t.Mark(), []rune{r}, 1, now, now
		return false
	}
	held := len(w.run) - w.passed
	if gap > w.cfg.Gap && held < burst {
		w.flush()
		w.run, w.passed, w.last = append(w.run, r), w.passed+1, now
		return false
	}
	w.run, w.last = append(w.run, r), now
	w.wait(held + 1)
	return true
}

// mean is the time between two characters of the run if another one came now.
func (w *Wedge) mean(now time.Time) time.Duration {
	return now.Sub(w.first) / time.Duration(max(len(w.run), 1))
}

// Names of the keys that matter, as the window toolkit calls them.
var (
	enters = map[string]bool{"Return": true, "KP_Enter": true}
	edits  = map[string]bool{
		"BackSpace": true, "Delete": true, "Escape": true, "Tab": true, "Left": true, "Right": true, "Up": true, "Down": true, "Home": true,
		"End": true, "Prior": true, "Next": true,
		"Else": true, // a shortcut
	}
)

// Key takes a key on its way to a part; taken when it ended a code.
func (w *Wedge) Key(name string) (taken bool) {
	if !enters[name] && !edits[name] {
		return false // every other key has its character, too, or is a shift
	}
	now := w.cfg.Now()
	gap := now.Sub(w.last)
	if enters[name] && len(w.run) > burst && gap >= 0 && gap <= w.cfg.Pause && w.mean(now) <= w.cfg.Mean {
		text, undo, t := string(w.run), w.undo, w.target
		leads := len(w.run) >= w.cfg.Least
		if w.stop != nil {
			w.stop()
			w.stop = nil
		}
		w.clear()
		undo()
		if leads {
			w.cfg.OnCode(text)
		} else {
			t.Insert(text)
		}
		return leads
	}
	w.flush()
	w.clear()
	return false
}

// wait types what is held once it is too late for a scanner.
func (w *Wedge) wait(held int) {
	if w.stop != nil {
		w.stop()
	}
	d := w.cfg.Gap * 2
	if held >= burst {
		d = w.cfg.Pause + w.cfg.Gap
	}
	w.stop = w.cfg.After(d, w.flush)
}

// flush types what is held. The run goes on: the rest of it may come after a picture that took long to draw.
func (w *Wedge) flush() {
	if w.stop != nil {
		w.stop()
	}
	held := w.run[w.passed:]
	w.stop, w.passed = nil, len(w.run)
	for _, r := range held {
		w.target.Deliver(r)
	}
}

func (w *Wedge) clear() { w.target, w.undo, w.run, w.passed = nil, nil, nil, 0 }
