// Package device holds what a counter has beside keyboard and screen: the reader for ID cards, scanners, cameras. Each
// is a package with a small interface, a real driver, and a simulator that speaks the same protocol; none knows a window.
// docs/devices.md has the shapes of the frames, the units, the errors, and where each rule comes from.
package device
