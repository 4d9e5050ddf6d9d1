package engine

import (
	"errors"
	"fmt"
	"time"

	"bianmin/offline/words"
	"bianmin/sync/wire"
)

// ErrMove reports a move between states that the table in the package comment does not have: a fault of this package.
var ErrMove = errors.New("engine: illegal move between states")

// State is what the line to the platform is doing.
type State uint8

// States. The zero value is Offline.
const (
	// Offline: nobody answers, or the platform asked for patience; everything is safe on this machine.
	Offline State = iota
	// Connecting: the first knock after Offline or NeedsAttention.
	Connecting
	// Sending: the platform answers, and records, packs or blobs are on their way.
	Sending
	// Idle: the platform holds everything, and all it had to say was heard.
	Idle
	// NeedsAttention: a person has to do something; Event.Key says what. The engine goes on with what it can.
	NeedsAttention
)

var stateNames = [...]string{"offline", "connecting", "sending", "idle", "attention"}

// String returns the stable lower-case name, also the last part of the translation key "sync.<name>".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

var moves = [...][]State{
	Offline:        {Offline, Connecting},
	Connecting:     {Connecting, Sending, Idle, Offline, NeedsAttention},
	Sending:        {Sending, Idle, Offline, NeedsAttention},
	Idle:           {Idle, Sending, Connecting, Offline, NeedsAttention},
	NeedsAttention: {NeedsAttention, Connecting, Sending, Idle, Offline},
}

func checkMove(from, to State) error {
	for _, s := range moves[from] {
		if s == to {
			return nil
		}
	}
	return fmt.Errorf("%w: %s to %s", ErrMove, from, to)
}

// Event is one thing worth showing. It holds nothing personal.
type Event struct {
	State     State
	At        time.Time     // this machine's clock
	Head      uint64        // last record on this machine
	Acked     uint64        // last record the platform acknowledged
	Pending   uint64        // Head − Acked: records waiting
	Blobs     int           // attachments waiting
	BlobBytes int64         // their sealed bytes not yet at the platform
	Sent      int64         // bytes sent since the state became Sending
	Left      time.Duration // time left for what waits, from the line's speed; 0 when not known
	LastAck   time.Time     // last acknowledgement heard since the program started, this machine's clock; zero: none yet
	News      int           // platform events stored just now
	NextTry   time.Time     // Offline and NeedsAttention: when the engine knocks by itself; zero otherwise
	Err       error         // cause, for logs; nil when all is well
	Key       string        // translation key for people; "" when Err is nil
	Args      map[string]string
}

// Result is what a round did.
type Result struct {
	Head    uint64 // last record on this machine
	Acked   uint64 // last record acknowledged
	Sent    uint64 // records newly acknowledged in this round
	Events  int    // platform events stored
	Packs   int    // packs fetched
	Blobs   int    // attachments the platform now holds
	Back    int    // attachments that came back
	LastAck time.Time
}

// Pending returns the number of records the platform has not acknowledged.
func (r Result) Pending() uint64 { return r.Head - min(r.Head, r.Acked) }

// KeyOf returns the translation key and arguments of an error of this package: the words of the journal's own errors, or
// "wire.<code>" for what happened on the line.
func KeyOf(err error) (key string, args map[string]string) {
	if err == nil {
		return "", nil
	}
	var w *words.Error
	if errors.As(err, &w) {
		return w.Key, w.Args
	}
	if c := wire.CodeOf(err); c != "" {
		return "wire." + string(c), nil
	}
	return words.KeyOf(err)
}

// needsPerson reports whether waiting alone will not mend err.
func needsPerson(err error) bool {
	switch wire.CodeOf(err) {
	case "":
		return true // the journal's own fault: disk, signature, fork
	case wire.CodePinMismatch:
		return true // a log-in page of the network, or somebody in between
	}
	return wire.Permanent(err)
}
