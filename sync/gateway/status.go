package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/receipt"
)

// Text is one sentence in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Status is what the citizen page is told about a receipt. It names nobody.
type Status struct {
	// Found says that the platform's own log has what the receipt says.
	Found bool `json:"found"`
	// Withdrawn says that the receipt does not stand: its key was withdrawn before, or the log says otherwise.
	Withdrawn bool `json:"withdrawn"`
	// Stage is 1 (the station took it in) or 2 (the platform accepted it), as far as the case is now.
	Stage      int    `json:"stage"`
	State      string `json:"state"` // casefile.State
	StateText  Text   `json:"stateText"`
	No         string `json:"no"`         // receipt number
	OfficialNo string `json:"officialNo"` // 办件编号; "" before acceptance
	Item       string `json:"item"`
	Due        string `json:"due"` // 2006-01-02; "" when none
	Telephone  string `json:"telephone"`
	Station    string `json:"station"`
	At         string `json:"at"`       // when the case came into this state, RFC 3339
	Received   string `json:"received"` // when the station took it in, by its clock, RFC 3339
	// Branch says that the record is on a branch of the station's journal, not in the main one: it was taken in on a folder
	// that had been copied or restored. BranchNo is its receipt number in the epoch that goes on with it; "" before.
	Branch   bool   `json:"branch"`
	BranchNo string `json:"branchNo"`
}

var stateEN = map[casefile.State]string{
	casefile.Draft: "Draft", casefile.TakenIn: "Received at the station", casefile.CorrectionAsked: "More is needed: ask at the station",
	casefile.CorrectionDone: "Corrections received", casefile.Accepted: "Accepted", casefile.Refused: "Not accepted",
	casefile.Processing: "In progress", casefile.Special: "Special procedure", casefile.Decided: "Decided",
	casefile.Granted: "Decided: granted", casefile.Denied: "Decided: not granted", casefile.Returned: "Decided: returned",
	casefile.Withdrawn: "Withdrawn by the applicant", casefile.Void: "Void", casefile.Delivered: "Delivered", casefile.Rated: "Rated",
}

// status answers a receipt's own signed bytes.
func (g *Gateway) status(w http.ResponseWriter, r *http.Request) {
	envelope, err := body(w, r, maxSmall)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	lists, err := g.KeyLists(r.Context())
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	_, st, err := g.judge(r.Context(), envelope, lists)
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(st)
}

// judge verifies an envelope and compares it with the log.
func (g *Gateway) judge(ctx context.Context, envelope []byte, lists []receipt.KeyList) (receipt.Verdict, Status, error) {
	v := receipt.VerifyAt(g.s, envelope, g.cfg.Now(), lists...)
	if v.Key == nil { // forged, or nobody we know
		return v, Status{}, nil
	}
	var st Status
	err := g.store.View(ctx, func(tx Tx) (err error) {
		if v.S1 != nil {
			st, err = g.statusOf(tx, v, v.S1.Device, v.S1.Seq)
		} else {
			st, err = g.statusOf(tx, v, v.S2.Device, v.S2.Seq)
		}
		return err
	})
	return v, st, err
}

func (g *Gateway) statusOf(tx Tx, v receipt.Verdict, device uint32, seq uint64) (Status, error) {
	st := Status{Stage: int(v.Stage), No: casefile.Number(device, seq)}
	d, err := tx.Device(device)
	if isNotFound(err) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	if row, err := tx.Station(d.Station); err == nil {
		s, err := decodeStation(row)
		if err != nil {
			return st, err
		}
		st.Station, st.Telephone = s.Name, s.Telephone
	} else if !isNotFound(err) {
		return st, err
	}
	head, err := tx.Head(device)
	if err != nil {
		return st, err
	}
	if v.S1 != nil {
		if same, err := inLog(tx, *v.S1); err != nil || !same {
			if err != nil {
				return st, err
			}
			if br, ok, err := g.branched(tx, v); err != nil || ok {
				br.Station, br.Telephone = st.Station, st.Telephone
				return br, err
			}
		}
	}
	if d.Revoked != 0 && seq > d.CutSeq {
		st.Withdrawn = true
		return st, nil
	}
	if seq > head.Seq {
		return st, nil // genuine, perhaps, and not here yet
	}
	if v.S1 != nil {
		same, err := inLog(tx, *v.S1)
		if err != nil || !same {
			st.Withdrawn = err == nil
			return st, err
		}
	}
	row, err := tx.Case(device, seq)
	if isNotFound(err) { // here, and not worked on yet or not usable
		st.Found, st.State, st.StateText = v.S1 != nil, string(casefile.TakenIn), stateText(casefile.TakenIn)
		st.Withdrawn = v.S2 != nil
		return st, nil
	}
	if err != nil {
		return st, err
	}
	c, err := g.openCase(row)
	if err != nil {
		return st, err
	}
	if v.S2 != nil && v.S2.OfficialNo != c.OfficialNo {
		st.Withdrawn = true
		return st, nil
	}
	st.Found, st.State, st.StateText = true, string(c.State), stateText(c.State)
	st.OfficialNo, st.Item, st.Due = c.OfficialNo, c.ItemName, dueOf(c).String()
	st.Stage = receipt.StageStation
	if c.AcceptedAt != 0 {
		st.Stage = receipt.StagePlatform
	}
	st.Received = time.UnixMilli(c.SubmittedAt).UTC().Format(time.RFC3339)
	at := c.SubmittedAt
	for _, s := range c.Timeline {
		if s.State != "" && !s.Ignored {
			at = s.At
		}
	}
	st.At = time.UnixMilli(at).UTC().Format(time.RFC3339)
	return st, nil
}

// inLog compares a stage-1 receipt with the record it names and the one before.
func inLog(tx Tx, s receipt.Stage1) (bool, error) {
	rows, err := tx.Headers(s.Device, max(s.Seq, 2)-1, s.Seq)
	if err != nil {
		return false, err
	}
	var prev [8]byte
	for _, r := range rows {
		switch r.Seq {
		case s.Seq - 1:
			prev = [8]byte(r.Hash[:8])
		case s.Seq:
			if r.At/1000 != s.At {
				return false, nil
			}
		}
	}
	return len(rows) > 0 && prev == s.Prev, nil
}

func stateText(s casefile.State) Text { return Text{ZH: s.Label(), EN: stateEN[s]} }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
