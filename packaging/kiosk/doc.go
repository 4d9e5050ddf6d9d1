// Package kiosk holds what makes a machine a self-service one: a session of systemd with a user of its own, X with a bare
// window manager, rules for the devices, and the script that installs and removes them. docs/kiosk.md explains them.
package kiosk
