package corpus

import (
	"bytes"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// TestCases: the same seed gives the same cases, they have the size of the reference corpus, and they pack about as well
// (reference: 3,227 bytes a record, 492 bytes in a batch of 1,000).
func TestCases(t *testing.T) {
	const n = 1000
	a, b := NewCases(1), NewCases(1)
	var all []byte
	for range n {
		x := canon.MustMarshal(a.Next())
		if !bytes.Equal(x, canon.MustMarshal(b.Next())) {
			t.Fatal("equal seeds, different cases")
		}
		if _, err := journal.DecodeBody[journal.CaseSubmitted](x); err != nil {
			t.Fatal(err)
		}
		all = append(all, x...)
	}
	if bytes.Equal(canon.MustMarshal(NewCases(2).Next()), canon.MustMarshal(NewCases(1).Next())) {
		t.Error("different seeds, equal cases")
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	size, packed := len(all)/n, len(enc.EncodeAll(all, nil))/n
	t.Logf("%d bytes a case, %d packed", size, packed)
	if size < 2900 || size > 3500 {
		t.Errorf("%d bytes a case", size)
	}
	if packed < 440 || packed > 620 {
		t.Errorf("%d bytes a case when packed", packed)
	}
}

func TestRoster(t *testing.T) {
	a, b := Roster(1, 2000), Roster(1, 2000)
	x, err := a.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	y, err := b.Marshal()
	if err != nil || !bytes.Equal(x, y) {
		t.Errorf("equal seeds, different rosters: %v", err)
	}
	if faults := a.Check(); len(faults) > 0 {
		t.Errorf("not whole: %v", faults[0])
	}
}
