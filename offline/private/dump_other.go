//go:build !linux

package private

// NoDumps does nothing here: whether a crash leaves a dump is the system's setting (docs/threats.md).
func NoDumps() error { return nil }
