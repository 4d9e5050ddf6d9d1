package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"bianmin/offline/words"
)

// ErrTask reports an act that would have to wait for a rebuild or a check (words store.rebuilding, store.checking). Nothing was
// written; reading goes on, and the act is possible again when Task says that nothing is under way.
var ErrTask = errors.New("store: a long task is under way")

// Kinds of tasks.
const (
	TaskRebuild = "rebuild" // projections are made anew
	TaskCheck   = "check"   // everything is verified
)

// patience is how long acts wait for a task that may be short, before they are refused.
const patience = time.Second

// Task is what keeps acts waiting: how many records, events and values are done, and how many there are.
type Task struct {
	Kind  string
	Done  int
	Total int // 0: not known yet
}

// percent is how far it is, 0 to 99: what is done is no task any more.
func (t Task) percent() int {
	if t.Total <= 0 {
		return 0
	}
	return min(99, t.Done*100/t.Total)
}

// turns lets one act write at a time. Who stands before a person does not queue behind a long task.
type turns struct {
	one chan struct{} // holds something while somebody writes

	mu    sync.Mutex // guards what follows
	tasks []*running // under way or waiting for their turn, oldest first
}

// running is a task. Its fields are guarded by turns.mu.
type running struct {
	t      *turns
	task   Task
	full   chan struct{} // closed when acts are refused
	closed bool
	stop   func() // gives it up; nil when it cannot be
	timer  *time.Timer
}

func newTurns() *turns { return &turns{one: make(chan struct{}, 1)} }

// Lock waits for its turn, however long it takes: what the line to the platform and the housekeeping do can wait.
func (t *turns) Lock() { t.one <- struct{}{} }

// Unlock ends a turn.
func (t *turns) Unlock() { <-t.one }

// act waits for its turn, but not for a long task: then it returns an error in words.
func (t *turns) act() error {
	for {
		if task, ok := t.long(); ok {
			return refused(task)
		}
		t.mu.Lock()
		var full chan struct{} // of none it never tells
		if len(t.tasks) > 0 {
			full = t.tasks[0].full
		}
		t.mu.Unlock()
		look := time.NewTimer(patience) // a task may have begun since
		select {
		case t.one <- struct{}{}:
			look.Stop()
			return nil
		case <-full:
		case <-look.C:
		}
		look.Stop()
	}
}

// long returns the task that acts are refused for.
func (t *turns) long() (Task, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.tasks {
		if r.closed {
			return r.task, true
		}
	}
	return Task{}, false
}

func refused(t Task) error {
	if t.Kind == TaskCheck {
		return words.New("store.checking", fmt.Errorf("%w: %d of %d", ErrTask, t.Done, t.Total), "percent", strconv.Itoa(t.percent()))
	}
	return words.New("store.rebuilding", fmt.Errorf("%w: %d of %d", ErrTask, t.Done, t.Total), "percent", strconv.Itoa(t.percent()))
}

// begin says that a task begins; acts are refused at once, or after the patience of those that wait. end must be called.
func (t *turns) begin(kind string, atOnce bool, stop func()) *running {
	r := &running{t: t, task: Task{Kind: kind}, full: make(chan struct{}), stop: stop}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tasks = append(t.tasks, r)
	if atOnce {
		r.close()
	} else {
		r.timer = time.AfterFunc(patience, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			r.close()
		})
	}
	return r
}

// close lets acts be refused. Called with mu held.
func (r *running) close() {
	if !r.closed {
		r.closed = true
		close(r.full)
	}
}

// tell notes how far the task is.
func (r *running) tell(done, total int) {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.task.Done, r.task.Total = done, total
}

// end says that the task is over.
func (r *running) end() {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
	}
	r.t.tasks = slices.DeleteFunc(r.t.tasks, func(o *running) bool { return o == r })
	r.close() // those who wait look again
}

// giveUp ends the tasks that can be given up: the machine is to be locked, or the program to end.
func (t *turns) giveUp() {
	t.mu.Lock()
	var stops []func()
	for _, r := range t.tasks {
		if r.stop != nil {
			stops = append(stops, r.stop)
		}
	}
	t.mu.Unlock()
	for _, stop := range stops {
		stop()
	}
}

// Task returns the long task that acts are refused for now. It never waits.
func (s *Store) Task() (Task, bool) { return s.write.long() }

// Ready returns nil when acts may begin, else why not: words store.rebuilding or store.checking. It never waits.
func (s *Store) Ready() error {
	if t, ok := s.Task(); ok {
		return refused(t)
	}
	return nil
}

// errGivenUp reports a task that was given up because the machine was locked or the program ended.
func errGivenUp(err error) error {
	return words.New("store.givenUp", fmt.Errorf("store: task given up: %w", err))
}

// stoppable lets a task be given up. The error of a task that was is in words.
func stoppable(ctx context.Context) (own context.Context, stop func(), asked func(err error) error) {
	own, cancel := context.WithCancelCause(ctx)
	return own, func() { cancel(errStop) }, func(err error) error {
		if err != nil && errors.Is(context.Cause(own), errStop) {
			return errGivenUp(err)
		}
		return err
	}
}

var errStop = errors.New("store: asked to stop")
