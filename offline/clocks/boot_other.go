//go:build !linux

package clocks

// systemBoot knows no boot id here: after a restart the clock is "at least".
func systemBoot() Boot { return Boot{} }
