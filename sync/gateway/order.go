package gateway

import (
	"context"
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/sync/wire"
)

// Order tells one device, by a signed event, what it has to obey with nobody logged in: journal.EventDeviceLocked,
// EventDeviceUnlocked, EventDeviceWiped or EventDeviceLease. A revoked device hears nothing, so it is ErrState. ErrNotFound.
func (g *Gateway) Order(ctx context.Context, device uint32, kind journal.Kind, o journal.Order) error {
	switch kind {
	case journal.EventDeviceLocked, journal.EventDeviceUnlocked, journal.EventDeviceWiped, journal.EventDeviceLease:
	default:
		return fmt.Errorf("gateway: %q is no order", kind)
	}
	err := g.store.Update(ctx, func(tx Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return err
		}
		if d.Revoked != 0 {
			return fmt.Errorf("%w: device %d was revoked and hears no more", ErrState, device)
		}
		_, err = g.emit(tx, d, kind, 0, o)
		return err
	})
	if err == nil {
		g.hub.wake(device)
	}
	return err
}

// Orders returns the kinds of the orders a device was given, oldest first, and the last record by which it said that it
// carried one out.
func (g *Gateway) Orders(ctx context.Context, device uint32) (given []journal.Kind, kept int64, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		h, err := tx.Head(device)
		if err != nil {
			return err
		}
		for cursor := uint64(0); cursor < h.Cursor; {
			rows, err := tx.Events(device, cursor, wire.MaxEvents)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, e := range rows {
				switch k := journal.Kind(e.Kind); k {
				case journal.EventDeviceLocked, journal.EventDeviceUnlocked, journal.EventDeviceWiped, journal.EventDeviceLease:
					given = append(given, k)
				}
				cursor = e.Cursor
			}
		}
		headers, err := tx.Headers(device, 1, h.Seq)
		for _, r := range headers {
			if r.Kind == string(journal.KindOrderKept) {
				kept = r.At
			}
		}
		return err
	})
	return given, kept, err
}

// GrantOperator adds an operator to a station, for machines enrolled from now on, and invites them on every machine it has:
// there the person logs in with the one-time code and waits until a colleague admits them. ErrNotFound, ErrExists.
func (g *Gateway) GrantOperator(ctx context.Context, station string, op wire.Operator) error {
	op.OneTime = true
	return g.changeOperator(ctx, station, op.ID, journal.EventOperator, journal.OperatorGranted{
		ID: op.ID, Name: op.Name, Role: op.Role, Division: op.Division, Code: op.Activation,
	}, func(held *wire.Operator) ([]byte, error) {
		if held != nil {
			return nil, fmt.Errorf("%w: operator %s", ErrExists, op.ID)
		}
		return canon.Marshal(op)
	})
}

// WithdrawOperator takes an operator off a station: its machines refuse the person from the moment a colleague logs in, and
// rotate their master. ErrNotFound.
func (g *Gateway) WithdrawOperator(ctx context.Context, station, id string) error {
	return g.changeOperator(ctx, station, id, journal.EventOperatorWithdraw, journal.OperatorGranted{ID: id},
		func(held *wire.Operator) ([]byte, error) {
			if held == nil {
				return nil, fmt.Errorf("%w: operator %s", ErrNotFound, id)
			}
			return []byte{}, nil // what is empty is withdrawn
		})
}

func (g *Gateway) changeOperator(ctx context.Context, station, id string, kind journal.Kind, body any, fn func(held *wire.Operator) ([]byte, error)) error {
	var told []uint32
	err := g.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Station(station); err != nil {
			return err
		}
		ops, err := g.operators(tx, station)
		if err != nil {
			return err
		}
		var held *wire.Operator
		for _, op := range ops {
			if op.ID == id {
				held = &op
			}
		}
		plain, err := fn(held)
		if err != nil {
			return err
		}
		row := OperatorRow{Station: station, ID: id}
		if row.Data, err = g.seal(plain, operatorPlace(row)); err != nil {
			return err
		}
		if err := tx.PutOperator(row); err != nil {
			return err
		}
		devices, err := tx.Devices(station)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if d.Revoked != 0 {
				continue
			}
			if _, err := g.emit(tx, d, kind, 0, body); err != nil {
				return err
			}
			told = append(told, d.Device)
		}
		return nil
	})
	if err == nil {
		g.hub.wake(told...)
	}
	return err
}

// StationOperators lists who may log in at a station, without codes. ErrNotFound.
func (g *Gateway) StationOperators(ctx context.Context, station string) (ops []wire.Operator, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		if _, err := tx.Station(station); err != nil {
			return err
		}
		ops, err = g.operators(tx, station)
		return err
	})
	for i := range ops {
		ops[i].Activation = ""
	}
	return ops, err
}

// operators returns who may log in at a station; those withdrawn are left out.
func (g *Gateway) operators(tx Tx, station string) ([]wire.Operator, error) {
	rows, err := tx.Operators(station)
	if err != nil {
		return nil, err
	}
	var out []wire.Operator
	for _, o := range rows {
		plain, err := g.open(o.Data, operatorPlace(o))
		if err != nil {
			return nil, err
		}
		if len(plain) == 0 {
			continue
		}
		var op wire.Operator
		if err := canon.Unmarshal(plain, &op); err != nil {
			return nil, fmt.Errorf("gateway: operator: %w", err)
		}
		out = append(out, op)
	}
	return out, nil
}
