package store

import (
	"strconv"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// eventFrame is an event as the mirror keeps it. Of an erased one it keeps the row, under the machine's seal: no signature
// covers what is left.
func (s *Store) eventFrame(cursor uint64, row eventRow) (Frame, error) {
	if row.gone() {
		value, err := s.box.seal(bucketEvents, seqKey(cursor), canon.MustMarshal(row))
		return Frame{Kind: FrameGone, Number: cursor, Payload: value}, err
	}
	return eventAsSigned(cursor, row), nil
}

func eventAsSigned(cursor uint64, row eventRow) Frame {
	return Frame{Kind: FrameEvent, Label: strconv.FormatUint(row.After, 10), Number: cursor, Payload: row.Event}
}

// eventOf reads an event of the mirror, whole or erased.
func (s *Store) eventOf(f Frame, cursor uint64, told vault.Hash) (journal.Event, eventRow, error) {
	if f.Kind == FrameEvent {
		ev, err := s.checkEvent(f.Payload, cursor, told)
		return ev, eventRow{Event: f.Payload, After: seqLabel(f.Label)}, err
	}
	var row eventRow
	if err := s.box.decode(bucketEvents, seqKey(f.Number), f.Payload, &row); err != nil {
		return journal.Event{}, row, err
	}
	ev, err := journal.ParseEvent(row.Event)
	if err == nil && (ev.Cursor != cursor+1 || ev.Prev != told) {
		err = journal.ErrGap
	}
	return ev, row, err
}

// seqLabel reads the head that an event's frame names; 0 when it names none.
func seqLabel(label string) uint64 {
	n, err := strconv.ParseUint(label, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
