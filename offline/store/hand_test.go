package store

import (
	"math"
	"reflect"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// TestRowsByHand: rows with a decoder of their own are read as they are written.
func TestRowsByHand(t *testing.T) {
	header := headerRow{
		Header: journal.Header{
			V: 1, Device: math.MaxUint32, Seq: math.MaxUint64, Prev: vault.Hash{1}, At: -5, Operator: "王",
			Clock: journal.Clock{Signed: 1 << 40, Since: -1, Exact: true}, Kind: journal.KindCaseSubmitted, BodyHash: vault.Hash{2},
		},
		Period: "2026-11", Sum: vault.Hash{3}, Case: 7, Service: "gaoling", Item: "高龄津贴", Due: -3, Urgent: true, Receipt: true, Purged: true,
	}
	salted := header
	salted.Salt = []byte{1, 2, 3}
	row := Row{
		Seq: 1, Service: "gaoling", Item: "高龄津贴", State: "accepted", Due: math.MaxInt32, Urgent: true, SubmittedAt: -9, LastSeq: 12,
		Accepted: true, Quarantined: true,
	}
	fresh := row
	fresh.Fresh = true
	for _, c := range []struct{ in, out any }{
		{&headerRow{}, &headerRow{}}, {&header, &headerRow{}}, {&salted, &headerRow{}}, {&Row{}, &Row{}}, {&row, &Row{}}, {&fresh, &Row{}},
	} {
		data := canon.MustMarshal(c.in)
		r := canon.NewReader(data)
		c.out.(byHand).read(r)
		if err := r.Done(); err != nil || !reflect.DeepEqual(c.in, c.out) {
			t.Errorf("%T: %v: got %+v, want %+v", c.in, err, c.out, c.in)
		}
		for i := range data {
			r := canon.NewReader(data[:i])
			if reflect.New(reflect.TypeOf(c.out).Elem()).Interface().(byHand).read(r); r.Done() == nil {
				t.Errorf("%T cut at %d is read", c.in, i)
			}
		}
	}
}
