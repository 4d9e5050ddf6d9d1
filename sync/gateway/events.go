package gateway

import (
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// clearKinds are events whose bodies name nobody and travel in clear; every other body is sealed to the device.
var clearKinds = map[journal.Kind]bool{
	journal.EventAccepted: true, journal.EventPack: true, journal.EventKeyList: true, journal.EventPins: true,
	journal.EventDeviceLocked: true, journal.EventDeviceUnlocked: true, journal.EventDeviceWiped: true, journal.EventDeviceLease: true,
	journal.EventRecovery: true, journal.EventTimed: true, journal.EventFormer: true,
}

// emit writes an event into a device's inbox within tx and returns it with its body open, as projections read it.
func (g *Gateway) emit(tx Tx, d DeviceRow, kind journal.Kind, seq uint64, content any) (journal.Event, error) {
	head, err := tx.NextEvent(d.Device)
	if err != nil {
		return journal.Event{}, err
	}
	plain, err := canon.Marshal(content)
	if err != nil {
		return journal.Event{}, err
	}
	e := journal.Event{
		V: journal.Version, Device: d.Device, Cursor: head.Cursor + 1, Prev: head.EventHash, At: g.cfg.Now().UnixMilli(),
		Kind: kind, Seq: seq, Body: plain, Sealed: !clearKinds[kind],
	}
	row := EventRow{Device: d.Device, Cursor: e.Cursor, Kind: string(kind), Seq: seq, At: e.At}
	if e.Sealed {
		if e.Body, err = g.s.SealTo(d.SealKey, plain); err != nil {
			return journal.Event{}, err
		}
		if row.Copy, err = g.seal(plain, eventPlace(row)); err != nil {
			return journal.Event{}, err
		}
	}
	if err := e.Sign(g.keys.Sign); err != nil {
		return journal.Event{}, err
	}
	row.Hash, row.Bytes = e.Hash(g.s), e.Marshal()
	if err := tx.AddEvent(row); err != nil {
		return journal.Event{}, err
	}
	if kind != journal.EventFormer && kind != journal.EventKeyList && kind != journal.EventPack { // those all devices are told
		if err := g.tellHeirs(tx, d.Device, journal.FormerTold{Device: d.Device, Cursor: e.Cursor}); err != nil {
			return journal.Event{}, err
		}
	}
	e.Body, e.Sealed = plain, false
	return e, nil
}

func eventPlace(e EventRow) string { return fmt.Sprintf("event %d %d", e.Device, e.Cursor) }

// openEvent reads a stored event with its body open.
func (g *Gateway) openEvent(row EventRow) (journal.Event, error) {
	e, err := journal.ParseEvent(row.Bytes)
	if err != nil {
		return e, err
	}
	if e.Sealed {
		if e.Body, err = g.open(row.Copy, eventPlace(row)); err != nil {
			return e, fmt.Errorf("gateway: event %d of device %d: %w", row.Cursor, row.Device, err)
		}
		e.Sealed = false
	}
	return e, nil
}

// announce writes one event to every device in force of a county ("" all), but one, and returns their numbers.
func (g *Gateway) announce(tx Tx, county string, but uint32, kind journal.Kind, content any) ([]uint32, error) {
	stations, err := tx.Stations()
	if err != nil {
		return nil, err
	}
	var told []uint32
	for _, st := range stations {
		if county != "" && st.County != county {
			continue
		}
		devices, err := tx.Devices(st.Division)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			if d.Revoked != 0 || d.Device == but {
				continue
			}
			if _, err := g.emit(tx, d, kind, 0, content); err != nil {
				return nil, err
			}
			told = append(told, d.Device)
		}
	}
	return told, nil
}

// tellHeirs tells the devices in force that go on for one, also by several steps, that there is something new about it. They
// ask for it themselves.
func (g *Gateway) tellHeirs(tx Tx, device uint32, news journal.FormerTold) error {
	heirs, err := tx.Epochs(device)
	if err != nil {
		return err
	}
	for _, e := range heirs {
		d, err := tx.Device(e.Device)
		if err != nil {
			return err
		}
		if d.Revoked == 0 {
			if _, err := g.emit(tx, d, journal.EventFormer, 0, news); err != nil {
				return err
			}
			g.hub.wake(d.Device)
		}
		if err := g.tellHeirs(tx, e.Device, news); err != nil {
			return err
		}
	}
	return nil
}
