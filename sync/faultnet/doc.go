// Package faultnet is a network that misbehaves on purpose, for tests only: it cuts connections after a number of bytes,
// delays them, swallows them without a word (a black hole), repeats requests and loses replies. Every fault comes from a
// plan, and [Random] makes plans from a seed, so a failed run can be run again.
//
//	Proxy     sits between client and server as a TCP relay: faults fall anywhere, also inside the TLS handshake
//	Listener  sits between TLS and the HTTP server: bytes are those of the plain answer
//	Repeat    sits in front of the handler: the same request arrives twice
package faultnet
