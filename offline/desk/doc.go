// Package desk is the counter's work with no network and no window: who may work here, what can be applied for, taking
// a case in, answering a correction, receipts, and whether the machine's records are whole.
//
// Screens and the command line both stand on it, so they cannot differ. A machine's folder looks so:
//
//	keys.a keys.b tries.a tries.b machine.*     the key ring (package vault)
//	recovering                                  a request to the county that waits for its answer; else absent
//	wiped                                       the order by which the keys were destroyed; else absent
//	enrolment                                   what the platform granted this machine, sealed
//	packs/                                      signed packs, sealed to this machine
//	enrolling                                   the keys of an enrolment that is not through, sealed; else absent
//	store.db mirror/ blobs/                     the two logs and what follows from them (package store)
//	run.sock                                    the process that holds the folder (package control)
//
// [Open] takes the folder at machine level: enough to send, to count and to check. Names, answers and packs open only in
// a [Session], which needs an operator's PIN.
package desk
