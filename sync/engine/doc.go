// Package engine decides when a device talks to the platform, how much it says, and what it does with the answer.
//
// One goroutine, [Engine.Run], owns all of it. It reads the journal (interface [Journal], a store knows nothing of this
// package), knocks through a [Platform], and tells the program one thing at a time through Config.OnEvent. [Engine.Once]
// does one round and ends; while Run is running it waits for Run's next round instead.
//
// A round: exchange until the platform's ack is the journal's head and no event waits; then packs; then blobs, the
// smallest first. After each pack and each part of a blob the journal is looked at again, so a new record never waits
// behind a photo. What is sent is bounded by a budget that doubles while the line is quick and halves when it breaks:
// a line that drops every few seconds still gets records across.
//
// Between rounds the engine holds a long poll, so an event of the platform arrives at once. [Engine.Wake] ends the poll:
// there is something to send. When nobody answers it knocks again after 1, 2, 4, 5, 5… seconds for the first minute, then
// after 10, 20… seconds up to 5 minutes; a wake, or a change of the machine's network addresses, starts that over. When the
// platform says "later" it is not asked before, whoever wakes.
//
// States, and the only moves between them:
//
//	from             to
//	Offline          Connecting
//	Connecting       Sending  Idle  Offline  NeedsAttention
//	Sending          Idle  Offline  NeedsAttention
//	Idle             Sending  Connecting  Offline  NeedsAttention
//	NeedsAttention   Connecting  Sending  Idle  Offline
//
// A state may follow itself: the figures changed. Any other move is an error, ErrMove, and ends Run.
package engine
