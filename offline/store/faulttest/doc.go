// Package faulttest holds tests only: what becomes of a machine's folder when the ground under it gives way. A writer runs
// as a child of the test, saves drafts, attachments and cases as fast as it can and says so after each is durable; then
// the disk refuses a call, the power goes, the stick is pulled out, or the file system has no byte left.
//
// The oracle is the same each time: the folder opens, every acknowledged save is there, the chain verifies, nothing is
// half and nothing is twice, and the next case can be taken in.
//
// The rigs need Linux. Where strace may not trace, or loop mounts are not allowed, the tests say so and are skipped.
package faulttest
