// Package private keeps what the program holds in memory out of files that nobody asked for: core dumps of a crash, and
// memory that other programs of the same user could read.
//
// It is called first thing in main. What it cannot keep from is said in docs/threats.md: swap, hibernation, and whoever
// is administrator of the running machine.
package private
