package casefile

import (
	"bytes"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// TestCarry: what a record of a branch becomes in a new epoch, in which submission 6 is record 3.
func TestCarry(t *testing.T) {
	moved := func(seq uint64) (uint64, bool) { return 3, seq == 6 }
	header := func(kind journal.Kind) journal.Header {
		return journal.Header{V: journal.Version, Device: 17, Seq: 8, Prev: [32]byte{1}, At: 99, Operator: "wang", Kind: kind}
	}
	for _, c := range []struct {
		name string
		kind journal.Kind
		body any
		want any // nil: as it is
	}{
		{"a submission", journal.KindCaseSubmitted, journal.CaseSubmitted{Service: "gaoling"}, nil},
		{"a login", journal.KindLogin, journal.Note{What: "desk"}, nil},
		{"an answer on the branch", journal.KindCaseAmended, journal.CaseAmended{Case: 6, Note: "n"}, journal.CaseAmended{Case: 3, Note: "n"}},
		{"a withdrawal on the branch", journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 6, Reason: "r"}, journal.CaseWithdrawn{Case: 3, Reason: "r"}},
		{"a print on the branch", journal.KindReceiptPrinted, journal.ReceiptPrinted{Case: 6, Stage: 1}, journal.ReceiptPrinted{Case: 3, Stage: 1}},
		{"a withdrawal of a delivered case", journal.KindCaseWithdrawn, journal.CaseWithdrawn{Case: 2}, journal.KindFormerAct},
		{"a print of a delivered case", journal.KindReceiptPrinted, journal.ReceiptPrinted{Case: 2, Stage: 2}, journal.KindFormerAct},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := journal.Record{Header: header(c.kind), Body: canon.MustMarshal(c.body)}
			kind, body, err := Carry(rec, moved)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == journal.KindFormerAct {
				a, err := journal.DecodeBody[journal.FormerAct](body)
				if err != nil || kind != journal.KindFormerAct || a.Device != 17 || !bytes.Equal(a.Body, rec.Body) {
					t.Fatalf("%s %+v, %v", kind, a, err)
				}
				again, err := a.Record(journal.FormerRef(23, 4))
				if err != nil || again.Kind != c.kind || again.At != 99 || again.Operator != "wang" || again.Device != 17 {
					t.Fatalf("%+v, %v", again, err)
				}
				return
			}
			if c.want == nil {
				c.want = c.body
			}
			if kind != c.kind || !bytes.Equal(body, canon.MustMarshal(c.want)) {
				t.Fatalf("%s, %x", kind, body)
			}
		})
	}
	if _, _, err := Carry(journal.Record{Header: header(journal.KindCaseWithdrawn), Body: []byte{0xff}}, moved); err != nil {
		t.Fatalf("a body that says nothing goes as it is: %v", err)
	}
	if d, n := journal.SplitRef(journal.FormerRef(23, 4)); d != 23 || n != 4 {
		t.Fatalf("%d, %d", d, n)
	}
	if d, n := journal.SplitRef(4); d != 0 || n != 4 {
		t.Fatalf("%d, %d", d, n)
	}
}
