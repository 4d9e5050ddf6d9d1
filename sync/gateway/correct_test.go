package gateway_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"

	sample "bianmin/assets/county"
	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/form"
	"bianmin/offline/journal"
	"bianmin/sync/gateway"
)

// aCase submits 高龄津贴 on the published form, by the elder herself.
func aCase(t *testing.T, r *rig, d *device) (no string, seq uint64, answers map[string]any) {
	t.Helper()
	src, err := fs.ReadFile(sample.FS(), "forms/gaoling.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	sub := submission("刘玉珍")
	sub.FormHash, sub.FormVersion = f.Hash(), uint32(f.Version)
	answers = map[string]any{
		"name": "刘玉珍", "idno": "999999194102030021", "way": "self", "applyType": "first", "contactPhone": "13800000000", "sameHome": true,
	}
	sub.Answers = canon.MustMarshal(answers)
	rec := d.add(journal.KindCaseSubmitted, sub)
	d.sync()
	return casefile.Number(d.id, rec.Seq), rec.Seq, answers
}

func TestCorrectRefusesWhatNobodyCanCorrect(t *testing.T) {
	r := newRig(t, autoAccept)
	ctx := context.Background()
	if _, err := r.g.LoadCounty(ctx, sample.FS(), 1, gateway.Settings{AutoAccept: true}); err != nil {
		t.Fatal(err)
	}
	d := r.enrolled()
	no, _, _ := aCase(t, r, d)
	told := len(d.events)
	for _, tt := range []struct {
		field, key string
	}{
		{"nothingLikeIt", "case.fields"},
		{"amount", "case.fieldComputed"},
		{"amountNote", "case.fieldNote"},
		{"agentName", "case.fieldHidden"},
		{"agentPhoto", "case.fieldHidden"},
		{"live", "case.fieldHidden"},
	} {
		_, err := r.g.Correct(ctx, no, journal.Correction{Fields: []string{"contactPhone", tt.field}, Note: "请改"})
		var why *gateway.FieldsError
		if !errors.Is(err, gateway.ErrFields) || !errors.As(err, &why) || len(why.Faults) != 1 {
			t.Errorf("%s: %v", tt.field, err)
			continue
		}
		if f := why.Faults[0]; f.Key != tt.key || f.Args["field"] != tt.field {
			t.Errorf("%s: %s %v", tt.field, f.Key, f.Args)
		}
		if len(why.Fields) == 0 || slices.Contains(why.Fields, "amount") || slices.Contains(why.Fields, "amountNote") || !slices.Contains(why.Fields, "way") {
			t.Errorf("what may be corrected: %v", why.Fields)
		}
	}
	d.sync()
	if len(d.events) != told {
		t.Errorf("%d events of refused corrections", len(d.events)-told)
	}
}

// The answer may hold what follows from the field that was asked for.
func TestAmendmentMayHoldWhatFollows(t *testing.T) {
	r := newRig(t, autoAccept)
	ctx := context.Background()
	if _, err := r.g.LoadCounty(ctx, sample.FS(), 1, gateway.Settings{AutoAccept: true}); err != nil {
		t.Fatal(err)
	}
	d := r.enrolled()
	no, seq, answers := aCase(t, r, d)
	if _, err := r.g.Correct(ctx, no, journal.Correction{Fields: []string{"way"}, Note: "是代办"}); err != nil {
		t.Fatal(err)
	}
	d.sync()
	asked := d.last(journal.EventCorrection)
	answers["way"], answers["agentName"], answers["agentPhone"] = "agent", "刘建军", "13900000000"
	d.add(journal.KindCaseAmended, journal.CaseAmended{Case: seq, Cursor: asked.Cursor, Answers: canon.MustMarshal(answers)})
	d.sync()
	c, err := r.g.Case(ctx, no)
	if err != nil || c.State != casefile.CorrectionDone || c.Quarantine != "" {
		t.Fatalf("%+v, %v", c, err)
	}
	v, err := form.DecodeValues(c.Answers)
	if err != nil || v["agentName"] != "刘建军" {
		t.Errorf("the case has %v, %v", v, err)
	}
	if _, err := r.g.Decide(ctx, no, "granted", "同意"); err != nil {
		t.Error(err)
	}
}

// Papers that were allowed to follow come in without being asked for again, and change neither state nor receipt.
func TestPapersFollowAtTheGateway(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	sub := submission("刘玉珍")
	sub.Priority, sub.PapersDue, sub.Papers = 2, 20810, []string{"hukouBook", "hardshipProof"}
	rec := d.add(journal.KindCaseSubmitted, sub)
	d.sync()
	no := casefile.Number(d.id, rec.Seq)
	answers := canon.MustMarshal(map[string]any{"name": "刘玉珍", "hukouBook": []any{int64(1)}})
	d.add(journal.KindCaseAmended, journal.CaseAmended{Case: rec.Seq, Answers: answers})
	d.sync()
	c, err := r.g.Case(context.Background(), no)
	if err != nil || c.State != casefile.Accepted || c.Quarantine != "" || c.Priority != 2 || !slices.Equal(c.Papers, []string{"hardshipProof"}) {
		t.Fatalf("%+v, %v", c, err)
	}
	if e := d.last(journal.EventAccepted); e.Seq != rec.Seq {
		t.Errorf("accepted %d", e.Seq)
	}
}
