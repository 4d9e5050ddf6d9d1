// Package engine decides when a device talks to the platform, how much it says, and what it does with the answer.
package engine
