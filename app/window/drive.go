package window

// Tick does what the window does once a second, for a driver of its own: countdowns, the idle lock, the clock.
func (s *Shell) Tick() { s.tick() }
