//go:build !linux

package camera

// Devices returns the cameras of the machine: none here, where there is no Video4Linux.
func Devices() []Camera { return nil }

// Find returns the camera at a path; there is none here.
func Find(string) (Camera, error) { return nil, ErrNoCamera }
