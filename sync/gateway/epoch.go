package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// EpochRow is a device that goes on for another one.
type EpochRow struct {
	Device uint32
	Former uint32
	To     uint64     // last record of Former that both have in common
	Head   vault.Hash // its hash
	Fork   vault.Hash // SM3 of the fork notice, or of the enrolment code, that was used
	// Replaces says that Former's machine is gone: no branch is carried over.
	Replaces bool
	At       int64 // Unix milliseconds
}

// CarriedRow says what a record of a new epoch was in the former journal.
type CarriedRow struct {
	Device     uint32
	Seq        uint64
	Former     uint32
	FormerSeq  uint64
	FormerPrev vault.Hash
	FormerHash vault.Hash
	FormerAt   int64 // Unix milliseconds
}

// EpochTx keeps which device goes on for which, and what was carried over.
type EpochTx interface {
	// AddEpoch stores a device's epoch; ErrExists when it has one, or when its fork notice was used before.
	AddEpoch(e EpochRow) error
	// Epochs lists the devices that go on for a former one (0: all), by number.
	Epochs(former uint32) ([]EpochRow, error)
	// Epoch returns the epoch of a device that goes on for another; ErrNotFound.
	Epoch(device uint32) (EpochRow, error)
	// PutCarried notes what a record was before. Part of the projection: DropCases removes it.
	PutCarried(c CarriedRow) error
	// Carried finds what became of a record of a former journal's branches.
	Carried(former uint32, seq uint64) ([]CarriedRow, error)
	// CarriedInto lists what was carried into a device's journal, by record.
	CarriedInto(device uint32) ([]CarriedRow, error)
	// Lost lists the header rows of a device of kind KindLost, the last first.
	Lost(device uint32) ([]HeaderRow, error)
	// FillLost puts a record in the place of a lost one; ErrMoved when it is not lost any more.
	FillLost(p PacketRow, row HeaderRow) error
}

// epoch gives a device whose journal forked a new number, with certificates over its new signing key.
func (g *Gateway) epoch(w http.ResponseWriter, r *http.Request) {
	data, err := body(w, r, maxSmall)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	q, err := wire.Decode[wire.Epoch](data)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	d, err := g.device(r.Context(), q.Device, q.Nonce, func(k vault.PublicKey) error { return q.Verify(g.s, k) })
	if err == nil {
		err = g.checkFork(q)
	}
	var grant wire.EpochGrant
	var told []uint32
	if err == nil {
		err = g.store.Update(r.Context(), func(tx Tx) (err error) {
			grant, told, err = g.renew(tx, d, q)
			return err
		})
	}
	if err == nil {
		err = grant.Sign(g.keys.Root)
	}
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	g.hub.wake(told...)
	g.log.WarnContext(r.Context(), "device goes on in a new epoch", slog.Uint64("former", uint64(d.Device)), slog.Uint64("device", uint64(grant.Device)), slog.Uint64("common", grant.To))
	g.answer(w, r, grant)
}

// checkFork checks that the request rests on our own notice.
func (g *Gateway) checkFork(q wire.Epoch) error {
	if q.Lost {
		if equal(q.SignKey, nil) {
			return &wire.Error{Code: wire.CodeBadRequest, Detail: "signing key"}
		}
		return nil // renew compares heads
	}
	f, err := packet.OpenFork(g.s, g.keys.Sign.Public(), q.Fork)
	switch {
	case err != nil || f.Device != q.Device:
		return &wire.Error{Code: wire.CodeBadRequest, Detail: "fork notice", Cause: err}
	case equal(q.SignKey, nil):
		return &wire.Error{Code: wire.CodeBadRequest, Detail: "signing key"}
	}
	return nil
}

// renew makes the new device, or finds the one that this key was given before.
func (g *Gateway) renew(tx Tx, former DeviceRow, q wire.Epoch) (wire.EpochGrant, []uint32, error) {
	grant := wire.EpochGrant{Former: former.Device, To: q.To, Head: q.Head, At: g.cfg.Now().UnixMilli()}
	devices, err := tx.Devices(former.Station)
	if err != nil {
		return grant, nil, err
	}
	for _, d := range devices {
		if !equal(d.SignKey, q.SignKey) {
			continue
		}
		e, err := tx.Epoch(d.Device)
		if err != nil || e.Former != former.Device || d.Revoked != 0 {
			return grant, nil, &wire.Error{Code: wire.CodeBadRequest, Detail: "signing key is in use", Cause: err}
		}
		grant.Device, grant.To, grant.Head, grant.SignCert, grant.SealCert = d.Device, e.To, e.Head, d.SignCert, d.SealCert
		return grant, nil, nil
	}
	fork := g.s.Hash(q.Fork)
	if q.Lost { // there is no branch: the new number follows all that is here
		head, err := tx.Head(former.Device)
		if err != nil {
			return grant, nil, err
		}
		if head.Seq != q.To || head.Hash != q.Head {
			return grant, nil, &wire.Error{Code: wire.CodeBadRequest, Detail: fmt.Sprintf("record %d is not the last one", q.To)}
		}
		fork = g.s.Hash(append([]byte("lost\x00"), q.SignKey...))
	}
	if q.To > 0 {
		rows, err := tx.Headers(former.Device, q.To, q.To)
		if err != nil {
			return grant, nil, err
		}
		if len(rows) != 1 || rows[0].Hash != q.Head {
			return grant, nil, &wire.Error{Code: wire.CodeBadRequest, Detail: fmt.Sprintf("record %d is not in common", q.To)}
		}
	}
	now := g.cfg.Now()
	d := DeviceRow{Station: former.Station, Machine: former.Machine, SignKey: q.SignKey, SealKey: former.SealKey, At: now.UnixMilli()}
	if d.Device, err = tx.AddDevice(d); err != nil {
		return grant, nil, err
	}
	if d.SignCert, err = g.keys.deviceCert(g.s, d.Device, d.Station, d.SignKey, smx509.KeyUsageDigitalSignature, now); err != nil {
		return grant, nil, err
	}
	if d.SealCert, err = g.keys.deviceCert(g.s, d.Device, d.Station, d.SealKey, smx509.KeyUsageKeyEncipherment, now); err != nil {
		return grant, nil, err
	}
	if err := tx.SetCerts(d.Device, d.SignCert, d.SealCert); err != nil {
		return grant, nil, err
	}
	err = tx.AddEpoch(EpochRow{Device: d.Device, Former: former.Device, To: q.To, Head: q.Head, Fork: fork, At: now.UnixMilli()})
	if errors.Is(err, ErrExists) {
		return grant, nil, &wire.Error{Code: wire.CodeBadRequest, Detail: "fork notice was used before"}
	}
	if err != nil {
		return grant, nil, err
	}
	grant.Device, grant.SignCert, grant.SealCert = d.Device, d.SignCert, d.SealCert
	told, err := g.publishKeys(tx, d.Station, 0) // the device itself hears of it, too: it was not given a list
	return grant, told, err
}

// ReasonBranch is a quarantine reason: the act is about a case of a former device that is not here.
const ReasonBranch = "quarantine.branch"

// carried notes what the records after it were.
func (p *projector) carried(r journal.Record) error {
	b, err := journal.DecodeBody[journal.Carried](r.Body)
	if err != nil || len(b.Headers) > journal.MaxCarried || b.First != r.Seq+1 {
		return p.quarantine(nil, r, ReasonBody, "")
	}
	e, err := p.tx.Epoch(p.d.Device)
	if err != nil && !isNotFound(err) {
		return err
	}
	var last vault.Hash
	for i, raw := range b.Headers {
		h, herr := journal.ParseHeader(raw)
		switch {
		case herr != nil:
			return p.quarantine(nil, r, ReasonBody, herr.Error())
		case err != nil, h.Device != e.Former, h.Seq == e.To+1 && h.Prev != e.Head, i > 0 && h.Prev != last:
			return p.quarantine(nil, r, ReasonBranch, "")
		}
		last = h.Hash(p.g.s)
		row := CarriedRow{
			Device: p.d.Device, Seq: b.First + uint64(i), Former: h.Device, FormerSeq: h.Seq, FormerPrev: h.Prev,
			FormerHash: last, FormerAt: h.At,
		}
		if err := p.tx.PutCarried(row); err != nil {
			return err
		}
	}
	return nil
}

// formerAct applies an act to a case that the former device delivered. What comes of it is told to the former device; what
// is wrong with it, to the one that sent it.
func (p *projector) formerAct(r journal.Record) error {
	b, err := journal.DecodeBody[journal.FormerAct](r.Body)
	if err != nil {
		return p.quarantine(nil, r, ReasonBody, err.Error())
	}
	act, err := b.Record(journal.FormerRef(r.Device, r.Seq))
	if err != nil {
		return p.quarantine(nil, r, ReasonBody, err.Error())
	}
	e, err := p.tx.Epoch(p.d.Device)
	if isNotFound(err) || err == nil && e.Former != b.Device {
		return p.quarantine(nil, r, ReasonBranch, "")
	}
	if err != nil {
		return err
	}
	d, err := p.tx.Device(b.Device)
	if err != nil {
		return err
	}
	former := projector{g: p.g, tx: p.tx, d: d, live: p.live, set: p.set, from: p, fromRec: r}
	if err := former.about(act); err != nil {
		return err
	}
	if former.told {
		p.also = append(p.also, d.Device)
	}
	return nil
}

// branched finds what became of a receipt whose record is not in the main journal: it was carried into a new epoch, or lies
// in a packet that is kept as evidence.
func (g *Gateway) branched(tx Tx, v receipt.Verdict) (st Status, ok bool, err error) {
	s := *v.S1
	rows, err := tx.Carried(s.Device, s.Seq)
	if err != nil {
		return st, false, err
	}
	for _, row := range rows {
		if row.FormerAt/1000 != s.At || [8]byte(row.FormerPrev[:8]) != s.Prev {
			continue
		}
		st, err := g.statusOf(tx, receipt.Verdict{State: v.State, Stage: v.Stage, Key: v.Key}, row.Device, row.Seq)
		st.Branch, st.BranchNo = true, casefile.Number(row.Device, row.Seq)
		st.No, st.Found, st.Withdrawn = casefile.Number(s.Device, s.Seq), true, false
		return st, true, err
	}
	found, at, err := g.inEvidence(tx, s)
	if err != nil || !found {
		return st, false, err
	}
	st = Status{
		Stage: receipt.StageStation, No: casefile.Number(s.Device, s.Seq), Found: true, Branch: true, Item: s.Item,
		State: string(casefile.TakenIn), StateText: stateText(casefile.TakenIn), Received: time.UnixMilli(at).UTC().Format(time.RFC3339),
	}
	return st, true, nil
}

// inEvidence looks for a receipt's record in the packets that contradict the journal.
func (g *Gateway) inEvidence(tx Tx, s receipt.Stage1) (bool, int64, error) {
	rows, err := tx.Evidence(s.Device)
	if err != nil {
		return false, 0, err
	}
	for _, row := range rows {
		if s.Seq < row.From || s.Seq > row.To {
			continue
		}
		records, err := g.recordsAfter(row, s.Seq-1)
		if err != nil {
			g.log.Warn("evidence does not open", slog.Uint64("device", uint64(s.Device)), slog.Any("cause", err))
			continue
		}
		if len(records) > 0 && records[0].Seq == s.Seq && records[0].At/1000 == s.At && [8]byte(records[0].Prev[:8]) == s.Prev {
			return true, records[0].At, nil
		}
	}
	return false, 0, nil
}

// Branch is one branch of a device's journal: what is in a new epoch, or lies as evidence.
type Branch struct {
	Device   uint32 `json:"device"` // the epoch that goes on with it; 0: nobody has yet
	Former   uint32 `json:"former"`
	To       uint64 `json:"to"`       // last record in common
	Head     string `json:"head"`     // its hash
	At       string `json:"at"`       // when the epoch was given, RFC 3339
	Carried  int    `json:"carried"`  // records of the branch that arrived in the epoch
	From     uint64 `json:"from"`     // first record of the branch in the former journal; 0 when none arrived
	Last     uint64 `json:"last"`     // the last one
	Evidence int    `json:"evidence"` // packets of the former device kept as evidence
	Replaces bool   `json:"replaces"` // no branch: the former machine is gone, and this one took its place
}

// Branches lists the branches of a device's journal (0: of all), by former device.
func (g *Gateway) Branches(ctx context.Context, device uint32) ([]Branch, error) {
	out := []Branch{}
	err := g.store.View(ctx, func(tx Tx) error {
		devices, err := tx.Devices("")
		if err != nil {
			return err
		}
		if _, err := tx.Device(device); device != 0 && err != nil {
			return err
		}
		for _, d := range devices {
			if device != 0 && d.Device != device {
				continue
			}
			evidence, err := tx.Evidence(d.Device)
			if err != nil {
				return err
			}
			epochs, err := tx.Epochs(d.Device)
			if err != nil {
				return err
			}
			for _, e := range epochs {
				rows, err := tx.CarriedInto(e.Device)
				if err != nil {
					return err
				}
				b := Branch{Device: e.Device, Former: e.Former, To: e.To, Head: e.Head.String(), At: time.UnixMilli(e.At).UTC().Format(time.RFC3339), Carried: len(rows), Evidence: len(evidence), Replaces: e.Replaces}
				if len(rows) > 0 {
					b.From, b.Last = rows[0].FormerSeq, rows[len(rows)-1].FormerSeq
				}
				out = append(out, b)
			}
			if len(epochs) == 0 && len(evidence) > 0 {
				out = append(out, Branch{Former: d.Device, Evidence: len(evidence)})
			}
		}
		return nil
	})
	return out, err
}

// CaseBranch tells how a case stands to the branches of a journal.
type CaseBranch struct {
	FormerNo string   `json:"formerNo"` // receipt number on the branch, when the case was carried into a new epoch
	Others   []string `json:"others"`   // numbers of cases that bear this case's number on another branch
}

// CaseBranches returns it for a case; nil when its journal never forked there.
func (g *Gateway) CaseBranches(ctx context.Context, device uint32, seq uint64) (*CaseBranch, error) {
	var out *CaseBranch
	err := g.store.View(ctx, func(tx Tx) error {
		b := CaseBranch{Others: []string{}}
		into, err := tx.CarriedInto(device)
		if err != nil {
			return err
		}
		for _, row := range into {
			if row.Seq == seq {
				b.FormerNo = casefile.Number(row.Former, row.FormerSeq)
			}
		}
		rows, err := tx.Carried(device, seq)
		for _, row := range rows {
			b.Others = append(b.Others, casefile.Number(row.Device, row.Seq))
		}
		if b.FormerNo != "" || len(b.Others) > 0 {
			out = &b
		}
		return err
	})
	return out, err
}
