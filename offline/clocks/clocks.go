// Package clocks is the one place where the program reads the machine's clocks.
//
// The wall clock of a kiosk may say anything: its battery is dead, somebody set it, the network put it right in between.
// So two things are read: what the wall clock says, which is written down as it is and decides nothing alone, and how long
// the machine has been running, which only moves forward. Package store makes the best of both and the platform's signed
// time (Store.Time); the platform corrects what was written under a wrong clock.
//
// Everything that stamps or decides takes a [Clock] in its options; nil there means [System]. Waiting and measuring use
// package time as usual: what a timer does nobody reads later. A test of the house holds that nothing else calls time.Now.
package clocks

import "time"

// Clock tells the time. Its methods may be called from any goroutine.
type Clock interface {
	// Now returns what the wall clock says.
	Now() time.Time
	// Boot returns how long the machine has been running; the zero Boot when that is not known.
	Boot() Boot
}

// Boot tells how long the machine has been running.
type Boot struct {
	ID string        // changes with every start of the machine; "" when unknown
	Up time.Duration // time since the start, sleep included
}

// System returns the machine's clocks.
func System() Clock { return system{} }

// Or returns c, or the machine's clocks when c is nil.
func Or(c Clock) Clock {
	if c == nil {
		return system{}
	}
	return c
}

type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) Boot() Boot { return systemBoot() }

// Wall is a clock that knows the wall's time only: of tests, and of programs that answer for one moment.
type Wall func() time.Time

// Now returns the function's time.
func (w Wall) Now() time.Time { return w() }

// Boot returns the zero Boot.
func (Wall) Boot() Boot { return Boot{} }
