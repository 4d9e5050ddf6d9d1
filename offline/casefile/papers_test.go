package casefile

import (
	"slices"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
)

// Papers that follow are an act of their own: the state stays, and the newest answers win whatever the clocks say.
func TestPapersFollow(t *testing.T) {
	answers := func(keys ...string) []byte {
		m := map[string]any{}
		for _, k := range keys {
			m[k] = int64(1)
		}
		return canon.MustMarshal(m)
	}
	first := record(5, base, journal.KindCaseSubmitted, journal.CaseSubmitted{
		Service: "linshi", ItemName: "临时救助", Answers: answers("name"), Priority: 2, PapersDue: int32(mustDay("2026-12-14")), Papers: []string{"book", "proof"},
	})
	// The desk's clock is ahead: the papers were handed in before the correction was asked, by seq.
	papers := record(7, base+3*day, journal.KindCaseAmended, journal.CaseAmended{Case: 5, Answers: answers("name", "book"), Blobs: []journal.Blob{{Size: 3}}})
	answer := record(9, base+4*day, journal.KindCaseAmended, journal.CaseAmended{Case: 5, Cursor: 2, Answers: answers("name", "book", "phone")})
	want := answers("name", "book", "phone")
	for _, records := range [][]journal.Record{{first, papers, answer}, {answer, first, papers}} {
		c, err := Fold(records, []journal.Event{accepted, correction})
		if err != nil {
			t.Fatal(err)
		}
		if c.State != CorrectionDone || string(c.Answers) != string(want) || !slices.Equal(c.Papers, []string{"proof"}) || c.LastSeq != 9 || len(c.Blobs) != 1 {
			t.Errorf("%s, papers %v, answers %x", c.State, c.Papers, c.Answers)
		}
		if !c.MayHandIn() || c.Priority != 2 || c.PapersDue.String() != "2026-12-14" {
			t.Errorf("priority %d, papers until %s", c.Priority, c.PapersDue)
		}
	}
	c, err := Fold([]journal.Record{first}, []journal.Event{accepted, correction})
	if err != nil || c.MayHandIn() {
		t.Errorf("papers beside an open correction: %v", err)
	}
	c, err = Fold([]journal.Record{first}, []journal.Event{accepted, granted})
	if err != nil || c.MayHandIn() {
		t.Errorf("papers for a closed case: %v", err)
	}
	papers.At = base + 9*day
	if err := c.ApplyRecord(papers); err == nil {
		t.Error("papers for a closed case were taken")
	}
}
