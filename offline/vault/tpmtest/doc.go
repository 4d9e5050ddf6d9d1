//go:build !linux

// Package tpmtest gives tests a TPM 2.0 of their own; it does so on Linux only.
package tpmtest
