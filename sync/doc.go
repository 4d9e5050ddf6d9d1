// Package sync is the way to the platform. It holds no code: the protocol is told here, the parts are below.
//
// A device knocks with one request that does all: POST /v1/exchange carries how far it has heard (cursor), and the
// records the platform has not acknowledged, as signed and sealed packets. The answer carries a signed ack (or how to
// go on), the events after the cursor, the signed time and a fresh nonce. A lost answer costs nothing: the device asks
// again, and what the platform already holds with equal hashes is ignored.
//
//	wire      the messages, their limits, their errors
//	client    how they travel: resty, pinned TLS 1.3
//	engine    when they travel: one run loop
//	faultnet  a network that cuts, delays and repeats, for tests
//	gateway   the platform's end, and gatewayd, its program
//
// Enrolment: the one-time code holds an 80-bit secret and an 80-bit fingerprint of the platform root. The device first
// asks for the root and the pin set it signs (POST /v1/enroll/hello), compares both with the code and with the TLS
// certificate it talks to, and only then proves the secret (POST /v1/enroll). The secret itself never travels.
package sync
