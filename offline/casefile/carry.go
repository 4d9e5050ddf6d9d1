package casefile

import (
	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// Carry returns kind and body under which a record of a branch goes into a new epoch. moved tells the new number of a
// submission of the branch. An act about a case of the branch names its new number; an act about a case that the former
// device had delivered becomes a journal.FormerAct; everything else stays as it is.
func Carry(rec journal.Record, moved func(seq uint64) (uint64, bool)) (journal.Kind, []byte, error) {
	of, about := CaseOf(rec)
	if !about || rec.Kind == journal.KindCaseSubmitted {
		return rec.Kind, rec.Body, nil
	}
	to, ok := moved(of)
	if !ok {
		body, err := canon.Marshal(journal.FormerAct{Device: rec.Device, Header: canon.MustMarshal(rec.Header), Body: rec.Body})
		return journal.KindFormerAct, body, err
	}
	var body any
	var err error
	switch rec.Kind {
	case journal.KindCaseAmended:
		var b journal.CaseAmended
		b, err = journal.DecodeBody[journal.CaseAmended](rec.Body)
		b.Case = to
		body = b
	case journal.KindCaseWithdrawn:
		var b journal.CaseWithdrawn
		b, err = journal.DecodeBody[journal.CaseWithdrawn](rec.Body)
		b.Case = to
		body = b
	case journal.KindReceiptPrinted:
		var b journal.ReceiptPrinted
		b, err = journal.DecodeBody[journal.ReceiptPrinted](rec.Body)
		b.Case = to
		body = b
	default:
		return rec.Kind, rec.Body, nil
	}
	if err != nil {
		return rec.Kind, nil, err
	}
	data, err := canon.Marshal(body)
	return rec.Kind, data, err
}
