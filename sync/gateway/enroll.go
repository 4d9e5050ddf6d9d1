package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// maxMachine bounds the name a machine gives itself, in characters.
const maxMachine = 64

// NewCode makes a one-time code for a station. ErrNotFound when there is no such station.
func (g *Gateway) NewCode(ctx context.Context, station string, valid time.Duration) (wire.EnrollCode, CodeRow, error) {
	return g.newCode(ctx, station, 0, valid)
}

// NewReplacementCode makes a one-time code for a machine that takes the place of a device's: it gets a number of its own, and
// what the platform holds of that device. ErrNotFound when there is no such device.
func (g *Gateway) NewReplacementCode(ctx context.Context, device uint32, valid time.Duration) (wire.EnrollCode, CodeRow, error) {
	d, _, err := g.Device(ctx, device)
	if err != nil {
		return wire.EnrollCode{}, CodeRow{}, err
	}
	return g.newCode(ctx, d.Station, device, valid)
}

func (g *Gateway) newCode(ctx context.Context, station string, replaces uint32, valid time.Duration) (wire.EnrollCode, CodeRow, error) {
	code, err := wire.NewEnrollCode(g.s, g.keys.Root.Public(), nil)
	if err != nil {
		return code, CodeRow{}, err
	}
	now := g.cfg.Now()
	row := CodeRow{ID: code.ID(g.s), Station: station, Made: now.UnixMilli(), Expires: now.Add(valid).UnixMilli(), Replaces: replaces}
	if row.Secret, err = g.seal(code.Secret[:], codePlace(row.ID)); err != nil {
		return code, row, err
	}
	err = g.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Station(station); err != nil {
			return err
		}
		return tx.AddCode(row)
	})
	return code, row, err
}

func codePlace(id [8]byte) string { return fmt.Sprintf("code %x", id) }

func (g *Gateway) hello(w http.ResponseWriter, r *http.Request) {
	data, err := body(w, r, maxSmall)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	q, err := wire.Decode[wire.Hello](data)
	if err == nil && (q.V != wire.Version || len(q.Nonce) < 16 || len(q.Nonce) > 64) {
		err = &wire.Error{Code: wire.CodeBadRequest, Detail: "hello"}
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	a := wire.HelloReply{Root: g.keys.Root.Public(), Nonce: g.nonce()}
	err = g.store.View(r.Context(), func(tx Tx) error {
		d, err := tx.Doc("pins")
		a.Pins = d.Data
		return err
	})
	if err == nil {
		err = a.Sign(g.keys.Root, q.Nonce)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.answer(w, r, a)
}

func (g *Gateway) enroll(w http.ResponseWriter, r *http.Request) {
	data, err := body(w, r, maxSmall)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	q, err := wire.Decode[wire.Enroll](data)
	if err == nil {
		err = g.checkEnroll(q)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	var grant wire.Grant
	var others []uint32
	err = g.store.Update(r.Context(), func(tx Tx) error {
		grant, others, err = g.admit(tx, q)
		return err
	})
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.hub.wake(others...)
	sealed, err := g.s.SealTo(q.SealKey, canon.MustMarshal(grant))
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	sig, err := vault.Sign(g.keys.Root, "grant", sealed)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.log.InfoContext(r.Context(), "device enrolled", slog.Uint64("device", uint64(grant.Device)), slog.String("station", grant.Station.Division))
	g.answer(w, r, wire.EnrollReply{V: wire.Version, Grant: sealed, Sig: sig})
}

func (g *Gateway) checkEnroll(q wire.Enroll) error {
	switch {
	case q.V != wire.Version, !utf8.ValidString(q.Machine), utf8.RuneCountInString(q.Machine) > maxMachine:
		return &wire.Error{Code: wire.CodeBadRequest, Detail: "enrolment"}
	case !g.fresh(q.Nonce):
		return &wire.Error{Code: wire.CodeNonce}
	case q.Verify(g.s) != nil:
		return &wire.Error{Code: wire.CodeSignature}
	}
	for _, r := range q.Machine {
		if !unicode.IsPrint(r) {
			return &wire.Error{Code: wire.CodeBadRequest, Detail: "machine name"}
		}
	}
	if _, err := vault.PublicKey(q.SealKey).SPKI(); err != nil || equal(q.SealKey, q.SignKey) {
		return &wire.Error{Code: wire.CodeBadRequest, Detail: "sealing key"}
	}
	return nil
}

// admit checks the code and enrols the device. The same machine asking again with a used code, because the answer was
// lost, gets its grant again. It returns the devices that got a new key list.
func (g *Gateway) admit(tx Tx, q wire.Enroll) (wire.Grant, []uint32, error) {
	code, err := tx.Code(q.CodeID)
	if errors.Is(err, ErrNotFound) {
		return wire.Grant{}, nil, &wire.Error{Code: wire.CodeCodeUnknown}
	}
	if err != nil {
		return wire.Grant{}, nil, err
	}
	secret, err := g.open(code.Secret, codePlace(code.ID))
	if err != nil {
		return wire.Grant{}, nil, err
	}
	proof := wire.EnrollProof(g.s, [10]byte(secret), q.Nonce, q.SignKey, q.SealKey)
	if !equal(proof[:], q.Proof[:]) {
		return wire.Grant{}, nil, &wire.Error{Code: wire.CodeCodeUnknown}
	}
	now := g.cfg.Now()
	if code.Used != 0 {
		d, err := tx.Device(code.Device)
		if err != nil {
			return wire.Grant{}, nil, err
		}
		if !equal(d.SignKey, q.SignKey) || !equal(d.SealKey, q.SealKey) || d.Revoked != 0 {
			return wire.Grant{}, nil, &wire.Error{Code: wire.CodeCodeUsed}
		}
		grant, err := g.grant(tx, d)
		return grant, nil, err
	}
	if now.UnixMilli() > code.Expires {
		return wire.Grant{}, nil, &wire.Error{Code: wire.CodeCodeExpired}
	}
	d := DeviceRow{Station: code.Station, Machine: q.Machine, SignKey: q.SignKey, SealKey: q.SealKey, At: now.UnixMilli()}
	if d.Device, err = tx.AddDevice(d); err != nil {
		return wire.Grant{}, nil, err
	}
	if d.SignCert, err = g.keys.deviceCert(g.s, d.Device, d.Station, q.SignKey, smx509.KeyUsageDigitalSignature, now); err != nil {
		return wire.Grant{}, nil, err
	}
	if d.SealCert, err = g.keys.deviceCert(g.s, d.Device, d.Station, q.SealKey, smx509.KeyUsageKeyEncipherment, now); err != nil {
		return wire.Grant{}, nil, err
	}
	if err := tx.SetCerts(d.Device, d.SignCert, d.SealCert); err != nil {
		return wire.Grant{}, nil, err
	}
	if err := tx.UseCode(code.ID, d.Device, now.UnixMilli()); err != nil {
		return wire.Grant{}, nil, err
	}
	if code.Replaces != 0 {
		head, err := tx.Head(code.Replaces)
		if err != nil {
			return wire.Grant{}, nil, err
		}
		if err := tx.AddEpoch(EpochRow{
			Device: d.Device, Former: code.Replaces, To: head.Seq, Head: head.Hash, Fork: g.s.Hash(code.ID[:]), Replaces: true, At: now.UnixMilli(),
		}); err != nil {
			return wire.Grant{}, nil, err
		}
	}
	others, err := g.publishKeys(tx, d.Station, d.Device)
	if err != nil {
		return wire.Grant{}, nil, err
	}
	grant, err := g.grant(tx, d)
	return grant, others, err
}

// publishKeys signs a new key list for a station's county and tells every device of the county but one.
func (g *Gateway) publishKeys(tx Tx, station string, but uint32) ([]uint32, error) {
	row, err := tx.Station(station)
	if err != nil {
		return nil, err
	}
	doc, err := g.putKeyList(tx, row.County)
	if err != nil {
		return nil, err
	}
	return g.announce(tx, row.County, but, journal.EventKeyList, journal.Document{Data: doc.Data})
}

func (g *Gateway) grant(tx Tx, d DeviceRow) (wire.Grant, error) {
	set, err := settings(tx)
	if err != nil {
		return wire.Grant{}, err
	}
	row, err := tx.Station(d.Station)
	if err != nil {
		return wire.Grant{}, err
	}
	st, err := decodeStation(row)
	if err != nil {
		return wire.Grant{}, err
	}
	st.ShortHost = set.ShortHost
	out := wire.Grant{
		V: wire.Version, Device: d.Device, SignCert: d.SignCert, SealCert: d.SealCert, Station: st,
		Platform: wire.Platform{SignKey: g.keys.Sign.Public(), SealKey: g.keys.Seal().Public()},
		Demo:     set.Demo, At: g.cfg.Now().UnixMilli(),
	}
	if out.Operators, err = g.operators(tx, d.Station); err != nil {
		return wire.Grant{}, err
	}
	keys, err := tx.Doc(keysDoc + row.County)
	if err != nil {
		return wire.Grant{}, err
	}
	out.KeyList = keys.Data
	if doc, err := tx.Doc(recoveryDoc); err == nil {
		out.Recovery = doc.Data
	} else if !isNotFound(err) {
		return wire.Grant{}, err
	}
	packs, err := tx.Packs()
	if err != nil {
		return wire.Grant{}, err
	}
	for _, p := range packs {
		out.Packs = append(out.Packs, wire.PackRef{Kind: p.Kind, Version: p.Version, Hash: p.Hash, Size: p.Size})
	}
	return out, nil
}

func operatorPlace(o OperatorRow) string { return "operator " + o.Station + " " + o.ID }

// PutStation adds or changes a station and its operators. Operators that are not named stay.
func (g *Gateway) PutStation(ctx context.Context, st wire.Station, ops []wire.Operator) error {
	st.ShortHost = "" // the county's setting
	return g.store.Update(ctx, func(tx Tx) error {
		if err := tx.PutStation(StationRow{Division: st.Division, County: st.County, Data: canon.MustMarshal(st)}); err != nil {
			return err
		}
		for _, op := range ops {
			row := OperatorRow{Station: st.Division, ID: op.ID}
			var err error
			if row.Data, err = g.seal(canon.MustMarshal(op), operatorPlace(row)); err != nil {
				return err
			}
			if err := tx.PutOperator(row); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stations lists the stations.
func (g *Gateway) Stations(ctx context.Context) (out []wire.Station, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		rows, err := tx.Stations()
		if err != nil {
			return err
		}
		for _, row := range rows {
			st, err := decodeStation(row)
			if err != nil {
				return err
			}
			out = append(out, st)
		}
		return nil
	})
	return out, err
}

// Station returns one station; with division "", the one with most operators, the first of several. ErrNotFound.
func (g *Gateway) Station(ctx context.Context, division string) (out wire.Station, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		if division != "" {
			row, err := tx.Station(division)
			if err == nil {
				out, err = decodeStation(row)
			}
			return err
		}
		rows, err := tx.Stations()
		if err != nil {
			return err
		}
		best := -1
		for _, row := range rows {
			ops, err := tx.Operators(row.Division)
			if err != nil {
				return err
			}
			if len(ops) <= best {
				continue
			}
			best = len(ops)
			if out, err = decodeStation(row); err != nil {
				return err
			}
		}
		if best < 0 {
			return fmt.Errorf("%w: station", ErrNotFound)
		}
		return nil
	})
	return out, err
}
