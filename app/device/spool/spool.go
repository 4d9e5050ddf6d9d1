// Package spool keeps what is to be printed until it is printed. A job names a case and a paper, never a person: the paper is
// laid out in memory when its turn comes, with somebody logged in, and exists nowhere else. So the queue can be read while
// the machine is locked, and there is nothing of a citizen in it.
//
// The states of a job:
//
//	waiting ── its turn ──▶ printing ── paper is out ──▶ done (forgotten after the session)
//	   ▲                       │
//	   │                       └── printer in trouble ──▶ held, with the reason
//	   └── again by itself, when no ink was used; else by a person ──┘
//
// A print is recorded before the first ink, so a job that was interrupted, by a printer or a power cut, never prints again as a
// first copy: once more means a reprint, marked as such.
package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"bianmin/app/device/printer"
	"bianmin/offline/canon"
	"bianmin/offline/clocks"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// What is printed.
const (
	Receipt = "receipt" // of a stage
	Answers = "answers" // the list of answers of a case
	Test    = "test"    // a test page, about nobody
)

// State is where a job stands.
type State string

// States of a job.
const (
	Waiting  State = "waiting"
	Printing State = "printing"
	Held     State = "held" // Cause says why
	Done     State = "done"
)

// Job is one paper to be printed. It names no person.
type Job struct {
	ID      uint64 `cbor:"1,keyasint"`
	What    string `cbor:"2,keyasint"`
	Case    uint64 `cbor:"3,keyasint"` // as the methods of a session take it; 0 for a test page
	Stage   uint8  `cbor:"4,keyasint"` // of a receipt
	No      string `cbor:"5,keyasint"` // receipt number, for the list
	Printer string `cbor:"6,keyasint"` // id
	Lang    string `cbor:"7,keyasint"` // of the paper
	By      string `cbor:"8,keyasint"` // operator id
	At      int64  `cbor:"9,keyasint"` // Unix milliseconds
	State   State  `cbor:"10,keyasint"`
	Cause   string `cbor:"11,keyasint"` // translation key
	Begun   bool   `cbor:"12,keyasint"` // ink was used: part of the paper may be out
}

// queue is what is kept.
type queue struct {
	V    int    `cbor:"1,keyasint"`
	Last uint64 `cbor:"2,keyasint"`
	Jobs []Job  `cbor:"3,keyasint"`
}

const queueVersion = 1

// Limits of the queue.
const (
	most     = 100 // jobs that are kept
	mostDone = 20  // printed ones that are still shown
)

// Source lays papers out: an operator at work. Sheet records the print and returns the paper; it is called once for each time
// a job begins to print, off the UI goroutine.
type Source interface {
	Sheet(ctx context.Context, j Job, dots int) (*paper.Sheet, error)
}

// Keeper keeps the queue; *desk.Desk does, sealed.
type Keeper interface {
	PrintQueue() ([]byte, error)
	KeepPrintQueue(raw []byte) error
}

// Options of Open. Keep and Book are needed.
type Options struct {
	Keep     Keeper
	Book     *printer.Book
	Test     func(j Job, c printer.Config) (*paper.Sheet, error) // lays a test page out
	Printers printer.Options
	Again    time.Duration // pause before a held job is tried again by itself; 0: ten seconds
	Clock    clocks.Clock  // nil: the system's
	Log      *slog.Logger  // nil: discard
	// Changed is called when a job changed, on any goroutine; nil does nothing.
	Changed func()
}

// Spool is the queue of a machine. Its methods may be called from any goroutine; none waits for a printer but Run.
type Spool struct {
	o    Options
	wake chan struct{}

	mu      sync.Mutex // guards what follows
	q       queue
	done    []Job
	source  Source
	next    map[uint64]time.Time // when a held job is tried again
	current uint64               // job that prints; 0: none
	stop    context.CancelFunc   // of it
}

// Open reads the queue. A job that was printing when the program ended is held: nobody knows how much of its paper is out.
func Open(o Options) (*Spool, error) {
	o.Clock = clocks.Or(o.Clock)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Again <= 0 {
		o.Again = 10 * time.Second
	}
	s := &Spool{o: o, wake: make(chan struct{}, 1), next: map[uint64]time.Time{}, q: queue{V: queueVersion}}
	raw, err := o.Keep.PrintQueue()
	if err != nil {
		return nil, err
	}
	if raw != nil {
		if err := canon.Unmarshal(raw, &s.q); err != nil {
			return nil, words.New("print.queueDamaged", fmt.Errorf("spool: %w", err))
		}
	}
	for i := range s.q.Jobs {
		if j := &s.q.Jobs[i]; j.State == Printing {
			j.State, j.Cause, j.Begun = Held, "print.interrupted", true
		} else if j.State == Held && !j.Begun {
			s.next[j.ID] = time.Time{} // once more, at once
		}
	}
	return s, nil
}

// Book returns the printers.
func (s *Spool) Book() *printer.Book { return s.o.Book }

// Unlock lets an operator's papers be laid out; the queue goes on.
func (s *Spool) Unlock(src Source) {
	s.mu.Lock()
	s.source = src
	s.mu.Unlock()
	s.poke()
}

// Lock ends that. What prints is finished; the rest waits.
func (s *Spool) Lock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = nil
}

// Locked reports whether papers about people wait for somebody to log in.
func (s *Spool) Locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.source == nil
}

// Add puts a job into the queue; it is durable when Add returns. Errors: print.noPrinter, print.queueFull, those of the store.
func (s *Spool) Add(j Job) (Job, error) {
	if _, ok := s.o.Book.Get(j.Printer); !ok {
		return j, words.New("print.noPrinter", nil)
	}
	s.mu.Lock()
	if len(s.q.Jobs) >= most {
		s.mu.Unlock()
		return j, words.New("print.queueFull", nil)
	}
	next := s.copy()
	next.Last++
	j.ID, j.At, j.State, j.Cause, j.Begun = next.Last, s.o.Clock.Now().UnixMilli(), Waiting, "", false
	next.Jobs = append(next.Jobs, j)
	err := s.keep(next)
	s.mu.Unlock()
	if err != nil {
		return j, err
	}
	s.changed()
	s.poke()
	return j, nil
}

// Retry lets a held job print again, at once.
func (s *Spool) Retry(id uint64) error {
	err := s.change(id, func(j *Job) {
		if j.State != Printing {
			j.State, j.Cause = Waiting, ""
		}
	})
	s.poke()
	return err
}

// Cancel forgets a job. One that is printing is stopped where it is.
func (s *Spool) Cancel(id uint64) error {
	s.mu.Lock()
	next := s.copy()
	next.Jobs = slices.DeleteFunc(next.Jobs, func(j Job) bool { return j.ID == id })
	delete(s.next, id)
	err := s.keep(next)
	if s.current == id && s.stop != nil {
		s.stop()
	}
	s.mu.Unlock()
	s.changed()
	return err
}

// Clear forgets every job, and what was printed: a kiosk does, when a person leaves.
func (s *Spool) Clear() error {
	s.mu.Lock()
	next := s.copy()
	next.Jobs = nil
	err := s.keep(next)
	s.done = nil
	clear(s.next)
	if s.stop != nil {
		s.stop()
	}
	s.mu.Unlock()
	s.changed()
	return err
}

// Jobs returns what is to be printed, oldest first, and then what was printed in this session.
func (s *Spool) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(slices.Clone(s.q.Jobs), s.done...)
}

// Of returns the newest job about a paper; false when there is none.
func (s *Spool) Of(what string, of uint64, stage uint8) (Job, bool) {
	var out Job
	for _, j := range s.Jobs() {
		if j.What == what && j.Case == of && j.Stage == stage && j.ID > out.ID {
			out = j
		}
	}
	return out, out.ID != 0
}

// Waiting returns how many jobs are not printed.
func (s *Spool) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.q.Jobs)
}

// copy is the queue to change; mu is held.
func (s *Spool) copy() queue {
	next := s.q
	next.Jobs = slices.Clone(next.Jobs)
	return next
}

// keep makes a changed queue durable; mu is held.
func (s *Spool) keep(next queue) error {
	raw, err := canon.Marshal(next)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := s.o.Keep.KeepPrintQueue(raw); err != nil {
		return err
	}
	s.q = next
	return nil
}

// change changes one job; what stays as it is, is not written again. fn is called with mu held.
func (s *Spool) change(id uint64, fn func(*Job)) error {
	s.mu.Lock()
	next := s.copy()
	delete(s.next, id)
	var err error
	if i := slices.IndexFunc(next.Jobs, func(j Job) bool { return j.ID == id }); i >= 0 {
		was := next.Jobs[i]
		if fn(&next.Jobs[i]); next.Jobs[i] != was {
			err = s.keep(next)
		}
	}
	s.mu.Unlock()
	s.changed()
	return err
}

func (s *Spool) changed() {
	if s.o.Changed != nil {
		s.o.Changed()
	}
}

func (s *Spool) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// ErrIdle is returned by Once when no job can be printed now.
var ErrIdle = errors.New("spool: nothing to print now")
