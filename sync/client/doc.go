// Package client is how messages travel to the platform: HTTP over TLS 1.3 with pinned keys, through resty.
//
// What resty must not do here, and does not: repeat a POST by itself (its retry count is 0; the engine decides), keep
// cookies, follow redirects, print bodies (debug stays off, its logger is silent), or read an answer without limit.
//
// TLS trusts a key, not a name and not a date: the certificate's SHA-256 of SubjectPublicKeyInfo must be in the pin set
// the platform root signed. A machine whose clock battery died still reaches its platform, and a certificate authority
// that was fooled helps nobody.
//
// A request has no total time limit, because a village line may need minutes for what a town line does in a second. It
// has a progress limit instead: when no byte moved in either direction for [Config.Stall], it is given up.
//
// Every failure is a *wire.Error: what the gateway refused carries its code, what happened on the way is
// CodeUnreachable, a certificate that is not pinned is CodePinMismatch.
package client
