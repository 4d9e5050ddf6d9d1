package input

import (
	"math"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/offline/clocks"
)

// How a page runs on when a finger has flung it. The way is that of the telephones people know: the speed falls by the
// same share in equal times.
const (
	glideDecay   = 325 * time.Millisecond // in this time the speed falls to 37 %
	glideWindow  = 100 * time.Millisecond // the speed is that of the last movements, no older than this
	glideRest    = 80 * time.Millisecond  // a finger that lay still this long means the page to stay
	glideLeast   = 60                     // pixels a second; slower is no fling, and where running on ends
	glideFastest = 6000                   // pixels a second
	glideLongest = 3 * time.Second        // no page runs longer
)

// glide moves what a finger has flung. It belongs to the UI goroutine, as what it moves does.
type glide struct {
	by  func(dy float32) // moves the page; downwards is positive, as a finger moves
	now func() time.Time
	// frames calls tick once a frame until tick returns false; the function that it returns ends that at once. It returns
	// nil when there are no frames here.
	frames func(tick func() (more bool)) (stop func())

	track []movement
	halt  func() // ends the frames; nil while nothing moves
}

type movement struct {
	at time.Time
	dy float32
}

// moving is the page that runs on; nil for none. A finger flings one page at a time.
var moving *glide

func newGlide(by func(dy float32)) *glide {
	return &glide{by: by, now: clocks.System().Now, frames: animated}
}

// animated is frames on Fyne's own clock for moving pictures. Where these are switched off there is only a last frame,
// and pages stay where the finger leaves them: then it returns nil.
func animated(tick func() bool) func() {
	var a *fyne.Animation
	started, none := false, false
	a = fyne.NewAnimation(glideLongest, func(done float32) {
		if none = none || done >= 1 && !started; none {
			return
		}
		started = true
		if !tick() {
			a.Stop()
		}
	})
	a.Curve = fyne.AnimationLinear
	a.Start()
	if none {
		return nil
	}
	return a.Stop
}

// follow moves the page with the finger.
func (g *glide) follow(dy float32) {
	g.stop()
	g.track = append(g.track, movement{g.now(), dy})
	g.by(dy)
}

// release lets the page run on with the speed that the finger had.
func (g *glide) release() {
	speed := g.speed()
	g.track = g.track[:0]
	if math.Abs(speed) < glideLeast {
		return
	}
	from, gone := g.now(), 0.0
	whole := speed * glideDecay.Seconds() // as far as it would run
	moving = g
	halted := false
	halt := g.frames(func() bool {
		if halted {
			return false
		}
		t := g.now().Sub(from)
		left := math.Exp(-t.Seconds() / glideDecay.Seconds())
		way := whole * (1 - left)
		g.by(float32(way - gone))
		gone = way
		if math.Abs(speed)*left >= glideLeast && t < glideLongest {
			return true
		}
		halted = true
		g.ended()
		return false
	})
	if halt == nil || halted { // no frames, or all of them already
		g.ended()
		return
	}
	g.halt = func() {
		halted = true
		halt()
	}
}

// speed is that of the finger's last movements, in pixels a second.
func (g *glide) speed() float64 {
	now := g.now()
	n := len(g.track)
	if n < 2 || now.Sub(g.track[n-1].at) > glideRest {
		return 0
	}
	i := n - 1
	var way float32
	for ; i > 0 && now.Sub(g.track[i-1].at) <= glideWindow; i-- {
		way += g.track[i].dy
	}
	took := g.track[n-1].at.Sub(g.track[i].at).Seconds()
	if took <= 0 {
		return 0
	}
	return max(-glideFastest, min(glideFastest, float64(way)/took))
}

// stop ends running on and reports whether the page did.
func (g *glide) stop() bool {
	if g.halt == nil {
		return false
	}
	halt := g.halt
	g.ended()
	halt()
	return true
}

func (g *glide) ended() {
	g.halt = nil
	if moving == g {
		moving = nil
	}
}

// stopMoving ends the running on of whichever page does: a finger came down. It reports whether one did; then that
// finger meant to stop it and nothing else.
func stopMoving() bool { return moving != nil && moving.stop() }
