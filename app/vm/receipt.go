package vm

import (
	"context"
	"errors"

	"bianmin/app/device/spool"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/receipt"
)

// CaseArg returns the argument of a route to a case.
func CaseArg(seq uint64) string { return utoa(seq) }

// slipDots is the paper that receipts are shown on: 58 mm rolls are what stations have.
const slipDots = receipt.Dots58

// Receipt shows a receipt of a case: the slip as it prints, and the code for the citizen's phone. Load is long work.
type Receipt struct {
	t    Texts
	s    counter.Session
	seq  uint64
	pick uint8 // stage asked for; 0 = the newest

	stage uint8
	have  [3]bool // by stage
	r     counter.Receipt
	of    counter.Case
	slips map[slipKey][]byte
	lang  string
	press press
}

type slipKey struct {
	stage uint8
	lang  string
}

// NewReceipt returns the receipt of case seq; stage 0 shows the newest there is.
func NewReceipt(s counter.Session, seq uint64, stage uint8, t Texts) *Receipt {
	return &Receipt{t: t, s: s, seq: seq, pick: stage, slips: map[slipKey][]byte{}}
}

// ReceiptState is what the screen shows.
type ReceiptState struct {
	Ready    bool // Load has succeeded
	Title    string
	Heading  string // 已收件 or 已受理
	Sentence string // how far the case has got
	Delivery casefile.Delivery
	No       string
	Official string
	Scan     string
	Link     string
	Slip     []byte // PNG, as it prints
	File     string // name to save the picture under
	Print    PrintState
	Stages   []ReceiptStage
}

// ReceiptStage is a receipt to switch to; none unless there are two.
type ReceiptStage struct {
	Stage  uint8
	Word   string
	Chosen bool
}

// Load reads case, receipt and slip. The slip is drawn once a stage and language.
func (v *Receipt) Load(ctx context.Context) error {
	c, err := v.s.Case(ctx, v.seq)
	if err != nil {
		return err
	}
	v.of = c
	var found [3]counter.Receipt
	v.have = [3]bool{}
	for _, stage := range []uint8{receipt.StageStation, receipt.StagePlatform} {
		r, err := v.s.Receipt(ctx, v.seq, stage)
		switch {
		case err == nil && len(r.Envelope) > 0:
			found[stage], v.have[stage] = r, true
		case errors.Is(err, counter.ErrLocked):
			return err
		case stage == receipt.StageStation && err != nil:
			return err
		}
	}
	v.stage = receipt.StageStation
	if v.have[receipt.StagePlatform] && v.pick != receipt.StageStation {
		v.stage = receipt.StagePlatform
	}
	v.r, v.lang = found[v.stage], v.t.Lang()
	key := slipKey{v.stage, v.lang}
	if v.slips[key] == nil {
		slip, err := v.s.Slip(ctx, v.seq, v.stage, slipDots, v.lang)
		if err != nil {
			return err
		}
		v.slips[key] = slip
	}
	return nil
}

// Pick chooses the receipt of another stage; Load shows it.
func (v *Receipt) Pick(stage uint8) { v.pick = stage }

// Case returns the case's number in the journal.
func (v *Receipt) Case() uint64 { return v.seq }

// State returns what is shown.
func (v *Receipt) State() ReceiptState {
	s := ReceiptState{Title: v.t.T("receipt.title"), Scan: v.t.T("receipt.scan")}
	if v.r.Link == "" {
		return s
	}
	s.Ready, s.Link, s.No, s.Official, s.Delivery = true, v.r.Link, v.r.No, v.r.Official, v.of.Delivery
	s.Slip = v.slips[slipKey{v.stage, v.lang}]
	s.File = v.t.T("receipt.file", "no", v.r.No) + ".png"
	s.Print = v.press.state(v.t, spool.Receipt, v.seq, v.stage, copiesOf(v.of, v.stage))
	stage := "receipt.1."
	if v.stage == receipt.StagePlatform {
		stage = "receipt.2."
	}
	s.Heading = v.t.T(stage + "heading")
	s.Sentence = v.t.T("receipt.delivery." + string(v.of.Delivery))
	if v.have[receipt.StagePlatform] {
		for _, n := range []uint8{receipt.StageStation, receipt.StagePlatform} {
			key := map[uint8]string{receipt.StageStation: "receipt.1.title", receipt.StagePlatform: "receipt.2.title"}[n]
			s.Stages = append(s.Stages, ReceiptStage{Stage: n, Word: v.t.T(key), Chosen: n == v.stage})
		}
	}
	return s
}
