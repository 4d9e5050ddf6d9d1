package desk

import (
	"slices"
	"sync"

	"bianmin/offline/journal"
)

// announcements are the kinds of events that tell the machine something, rather than a case.
var announcements = []journal.Kind{journal.EventPack, journal.EventKeyList, journal.EventPins, journal.EventFormer}

// announced keeps the announcements among the events in memory: a machine of some years has ten thousands of events about cases
// around them.
type announced struct {
	mu     sync.Mutex // guards the rest
	device uint32     // whose events were read
	cursor uint64     // last event that was read
	events []journal.Event
}

// eachEvent calls fn with the clear body of every event of a kind, one of announcements, the oldest first.
func (d *Desk) eachEvent(kind journal.Kind, fn func(body []byte)) error {
	if err := d.store.FormerEvents(func(ev journal.Event) { // what was announced under a former number still counts
		if ev.Kind == kind && !ev.Sealed {
			fn(ev.Body)
		}
	}); err != nil {
		return err
	}
	events, err := d.announcements()
	if err != nil {
		return err
	}
	for _, ev := range events {
		if ev.Kind == kind {
			fn(ev.Body)
		}
	}
	return nil
}

// announcements reads the events that came since it was called last.
func (d *Desk) announcements() ([]journal.Event, error) {
	const page = 500
	a := &d.announced
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := d.store.Device(); now != a.device {
		a.device, a.cursor, a.events = now, 0, nil
	}
	for {
		list, err := d.store.Events(a.cursor, page)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if !e.Event.Sealed && slices.Contains(announcements, e.Event.Kind) {
				a.events = append(a.events, e.Event)
			}
			a.cursor = e.Event.Cursor
		}
		if len(list) < page {
			return slices.Clip(a.events), nil
		}
	}
}
