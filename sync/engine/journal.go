package engine

import (
	"context"
	"io"

	"bianmin/sync/wire"
)

// Journal is the device's side of the exchange: offline/store satisfies it without knowing this package, so the
// methods use basic types only.
//
// All methods may be called while nobody is logged in, are called from one goroutine at a time, and return only when
// what they took is durable. An error that people can do something about is (or wraps) a *words.Error; the engine shows
// its key, keeps what was not sent, and asks again later. No method waits for the network.
type Journal interface {
	// Position returns the device number, the last record written both to the store and to the mirror (head), the last
	// record the platform acknowledged (acked ≤ head), and the last event held (cursor).
	Position(ctx context.Context) (device uint32, head, acked, cursor uint64, err error)

	// Outgoing returns signed packets that carry the records after+1, after+2… in order, each packet starting where the
	// one before ended, together at most maxBytes (but at least one packet when there is a record), and the last record
	// covered. Never more than is in both the store and the mirror. No record: nil, after, nil.
	Outgoing(ctx context.Context, after uint64, maxBytes int) (packets [][]byte, last uint64, err error)

	// Need tells how the platform wants the packets after acked: "codec 0", "codec 1" or "dict" (it does not hold the
	// dictionary). It holds until the next Need or until the store is opened again.
	Need(ctx context.Context, need string) error

	// TakeAck takes packet.Ack bytes: checks the platform's signature, the device number, and that the ack's head is
	// the hash of its own record at that number, and returns the acknowledged number afterwards. An older or equal ack
	// changes nothing and is no error; an ack beyond head, or with another hash, is words "store.ackForeign".
	TakeAck(ctx context.Context, ack []byte) (acked uint64, err error)

	// TakeFork takes packet.Fork bytes, checks the signature and keeps them as evidence. The engine sends no more
	// records after it.
	TakeFork(ctx context.Context, fork []byte) error

	// TakeEvents takes journal.Event bytes in order, checks signatures and chain, and stores them; it returns the
	// cursor afterwards. Events up to the cursor already held are ignored when their hashes are equal. When one does
	// not verify, those before it stay stored and the error is returned.
	TakeEvents(ctx context.Context, events [][]byte) (cursor uint64, err error)

	// TakeTime takes the platform's clock in Unix milliseconds. The signature and its binding to the request were
	// checked; the value is at most the length of one request old.
	TakeTime(ctx context.Context, at int64) error

	// PendingBlobs returns addresses and sealed sizes in bytes of the blobs the platform does not hold yet, of records
	// already committed only.
	PendingBlobs(ctx context.Context) (addrs [][32]byte, sizes []int64, err error)

	// BlobReader opens the sealed bytes of a blob. The caller closes it.
	BlobReader(ctx context.Context, addr [32]byte) (*io.SectionReader, io.Closer, error)

	// BlobSent marks a blob as held by the platform.
	BlobSent(ctx context.Context, addr [32]byte) error

	// WantedBlobs returns the attachments that this disk lost and the platform gives back: their addresses, sealed sizes in bytes, and
	// device number and submission of the case that each belongs to. The slices have equal lengths.
	WantedBlobs(ctx context.Context) (addrs [][32]byte, sizes []int64, devices []uint32, cases []uint64, err error)

	// TakeBlob keeps the sealed bytes of an attachment that came back; its hash was checked.
	TakeBlob(ctx context.Context, addr [32]byte, sealed []byte) error
}

// Packs is the taker of packs. It is apart from Journal because packs are read by offline/catalog; one value may be both.
type Packs interface {
	// WantedPacks returns kind, version, SM3 and size in bytes of the packs that were announced and are not held yet.
	// The slices have equal lengths.
	WantedPacks(ctx context.Context) (kinds []string, versions []uint32, hashes [][32]byte, sizes []int64, err error)

	// TakePack takes the bytes of one pack, whose hash was checked. A pack that is refused for its signature or its
	// content is an error once, and not wanted again.
	TakePack(ctx context.Context, hash [32]byte, data []byte) error
}

// Recovery goes on where the journal and the platform have parted. Its methods are called from one goroutine at a time and
// may use the network; what must wait (for a login, for the line) is an error, and is asked for again with every round.
type Recovery interface {
	// Forked reports whether the journal keeps a fork notice that was not dealt with yet, in this run or an earlier one.
	Forked(ctx context.Context) (bool, error)
	// Renew gets a new number from the platform and moves the journal to it. After nil, Position tells the new one.
	Renew(ctx context.Context) error
	// Lost reports whether records that the platform holds are gone here. Nothing is sent or taken then.
	Lost(ctx context.Context) (bool, error)
	// Restore gets them back. ack is the platform's word that it holds more than this journal, nil when Lost says so. After
	// nil the journal goes on; a journal that turns out to be another one is left as it is, and forks when it sends.
	Restore(ctx context.Context, ack []byte) error
	// Follow gets what is new about the numbers that this machine goes on for. It is called when everything else was heard.
	Follow(ctx context.Context) error
}

// Platform is the other end. client.Device satisfies it; tests use a platform in memory.
type Platform interface {
	// Exchange fills in nonce and signature, sends, and returns the answer, whose time was checked. Errors are
	// *wire.Error.
	Exchange(ctx context.Context, r wire.Request) (wire.Reply, error)
	// PutBlob uploads sealed bytes and resumes where an earlier try ended. progress gets the bytes the platform holds.
	PutBlob(ctx context.Context, addr [32]byte, size int64, r io.ReaderAt, progress func(held int64)) error
	// Blob fetches the sealed bytes of an attachment of a case, checked.
	Blob(ctx context.Context, addr [32]byte, device uint32, seq uint64, size int64) ([]byte, error)
	// Pack fetches a pack by its hash, checked.
	Pack(ctx context.Context, ref wire.PackRef) ([]byte, error)
}
