package desk

import (
	"log/slog"
	"slices"
	"sync"

	"bianmin/offline/canon"
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

// announcedDoc is the document that says where the announcements are among the events.
const announcedDoc = "announced"

// noted is how many events are read before the document is written again.
const noted = 200

type announcedNote struct {
	Device uint32   `cbor:"1,keyasint"`
	Cursor uint64   `cbor:"2,keyasint"` // last event that was looked at
	Events []uint64 `cbor:"3,keyasint"` // cursors of the announcements
}

// announcements reads the events that came since it was called last, and since the document was written.
func (d *Desk) announcements() ([]journal.Event, error) {
	const page = 500
	a := &d.announced
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := d.store.Device(); now != a.device {
		a.device, a.cursor, a.events = now, 0, nil
		d.recall(a)
	}
	from := a.cursor
	for {
		list, err := d.store.Events(a.cursor, page)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if announces(e.Event) {
				a.events = append(a.events, e.Event)
			}
			a.cursor = e.Event.Cursor
		}
		if len(list) < page {
			break
		}
	}
	if a.cursor-from >= noted {
		note := announcedNote{Device: a.device, Cursor: a.cursor, Events: []uint64{}}
		for _, ev := range a.events {
			note.Events = append(note.Events, ev.Cursor)
		}
		if err := d.store.PutDoc(announcedDoc, canon.MustMarshal(note)); err != nil {
			d.cfg.Log.Debug("announcements are looked for again", slog.Any("cause", err))
		}
	}
	return slices.Clip(a.events), nil
}

func announces(ev journal.Event) bool {
	return !ev.Sealed && slices.Contains(announcements, ev.Kind)
}

// recall takes over what the document says, when every event that it names is here and announces something; otherwise all events
// are read.
func (d *Desk) recall(a *announced) {
	data, err := d.store.Doc(announcedDoc)
	if err != nil {
		return
	}
	var note announcedNote
	if err := canon.Unmarshal(data, &note); err != nil || note.Device != a.device {
		return
	}
	if last, err := d.store.Events(note.Cursor-1, 1); err != nil || len(last) != 1 || last[0].Event.Cursor != note.Cursor {
		return // an older copy of the file
	}
	var events []journal.Event
	for _, cursor := range note.Events {
		list, err := d.store.Events(cursor-1, 1)
		if err != nil || len(list) != 1 || list[0].Event.Cursor != cursor || !announces(list[0].Event) {
			return
		}
		events = append(events, list[0].Event)
	}
	a.cursor, a.events = note.Cursor, events
}
