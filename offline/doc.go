// Package offline holds no code: everything below it works with no network and no window.
//
//	canon     the one binary encoding
//	journal   the two logs: records, events, chain
//	packet    runs of records, signed and sealed
//	vault     keys: operators, device, periods; the primitives
//	store     the logs on disk: one bbolt file, its mirror, blobs
//	frame     the form of a mirror segment
//	form      form definitions, values, logic
//	catalog   service items and packs
//	casefile  what a case is: states, legal clock, number
//	people    persons and households
//	receipt   the two-stage receipt
//	ident     ID numbers, credit codes, divisions, names
//	pinyin    Chinese text found by what people type
//	words     errors for people
//	clocks    the machine's clocks, read in one place
//
// # The file
//
// Package store keeps one bbolt file, store.db, schema 2. Every bucket is at the top; a number in a key is 8 bytes
// big-endian, so cursor order is log order; a handle is an HMAC-SM3 under a key derived from the machine key, so that no
// key says anything about a person. Every value is sealed with SM4-GCM bound to bucket, key, layout and key id, by the
// machine key (readable while nobody is logged in) or by a key of the period in which it was written. A test compares
// this drawing with a full store.
//
//	bucket      key                  value                                            sealed by
//	├ meta        name                 schema, identity, head, clock, applied, restored machine
//	├ headers     seq                  header, period, SM3 of the sealed body, item     machine
//	├ bodies      seq                  canonical CBOR of the body                       period
//	├ bodies      seq, 1               COSE envelope of the desk as signed              period
//	├ receipts    seq, 2               COSE envelope of the platform as signed          machine
//	├ outbox      seq                  one-record packet, until acknowledged            machine
//	├ acks        name                 newest ack; fork, when there is one              machine
//	├ events      cursor               event as signed, head of the journal then        machine
//	├ opened      cursor               plain body of a sealed event                     period
//	├ cases       seq                  casefile.Case, once more came than the submission period
//	├ summaries   seq                  state, item, due day, delivery, urgent           machine
//	├ unapplied   mark, number         why a record (r) or event (e) is not projected   machine
//	├ quarantine  seq                  event that refused the record                    machine
//	├ drafts      handle               Draft                                            period
//	├ docs        handle               name, bytes                                      machine
//	├ blobs       address              sealed size, time, whether the platform has it   machine
//	├ blobindex   handle               journal.Blob of the same plain bytes             period (blob key)
//	├ uploads     address              sealed size, order; of a blob to be fetched its case machine
//	└ mirror      segment              size and runs of a closed mirror segment         machine
//
// A machine that goes on for another number (a fork, a replacement) also has the bucket former, with one bucket for each
// such number: the buckets of its journal under their own names, lineage, and followed.
// While projections are made again, a bucket rebuild holds the new ones.
//
// Beside it lie mirror/NNNNNN.bmp, the second copy of the logs, and blobs/ab/<64 hex digits>, the sealed attachments.
// See docs/store.md.
package offline
