package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
)

// stored reads what the gateway keeps of a device, as bytes.
func (r *rig) stored(device uint32) (packets, copies [][]byte) {
	r.t.Helper()
	db, err := sqlite.Open(context.Background(), filepath.Join(r.dir, "gateway.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(context.Background(), func(tx gateway.Tx) error {
		ps, err := tx.Packets(device, 0, 1000)
		for _, p := range ps {
			packets = append(packets, p.Bytes)
		}
		if err != nil {
			return err
		}
		es, err := tx.Events(device, 0, 1000)
		for _, e := range es {
			copies = append(copies, e.Copy)
		}
		return err
	}); err != nil {
		r.t.Fatal(err)
	}
	return packets, copies
}

// The county does its part when it agrees: packets, copies and case lose what names somebody, the other case stays, the
// journal verifies, and everything can be built again.
func TestErase(t *testing.T) {
	r := newRig(t, autoAccept)
	d := r.enrolled()
	ctx := t.Context()
	one, _ := d.submit("甪蒯一")
	two, _ := d.submit("甪蒯二")
	d.sync()
	no, other := casefile.Number(d.id, one.Seq), casefile.Number(d.id, two.Seq)
	if _, err := r.g.Erase(ctx, no); !errors.Is(err, gateway.ErrState) {
		t.Errorf("an open case: %v", err)
	}
	if _, err := r.g.Decide(ctx, no, "granted", "甪蒯一的意见"); err != nil {
		t.Fatal(err)
	}
	d.sync()
	d.add(journal.KindErased, journal.Erased{Cases: []uint64{one.Seq}, Records: 1, Reason: "本人要求"})
	d.sync()
	asked, err := r.g.ErasuresAsked(ctx)
	if err != nil || len(asked) != 1 || asked[0].Device != d.id || !reflect.DeepEqual(asked[0].Cases, []string{no}) || asked[0].Reason != "本人要求" {
		t.Fatalf("asked: %+v, %v", asked, err)
	}
	if c, err := r.g.Case(ctx, no); err != nil || c.Applicant == "" {
		t.Errorf("a station's word alone erased it: %v", err)
	}
	packets, copies := r.stored(d.id)
	if _, err := r.g.Erase(ctx, no); err != nil {
		t.Fatal(err)
	}
	after, copiesAfter := r.stored(d.id)
	changed := 0
	for i := range packets {
		if !bytes.Equal(packets[i], after[i]) {
			changed++
		}
	}
	for i := range copies {
		if len(copies[i]) > 0 && !bytes.Equal(copies[i], copiesAfter[i]) {
			changed++
		}
	}
	if changed < 2 {
		t.Errorf("%d packets and copies changed", changed)
	}
	for _, old := range append(packets, copies...) {
		found := 0
		for _, now := range append(after, copiesAfter...) {
			if bytes.Equal(old, now) {
				found++
			}
		}
		if found > 0 || len(old) < 48 {
			continue
		}
		if err := filepath.WalkDir(r.dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, old[len(old)-40:]) {
				t.Errorf("%s still holds what was replaced", filepath.Base(path))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		c, err := r.g.Case(ctx, no)
		if err != nil || !c.Purged || c.Applicant != "" || c.IDNumber != "" {
			t.Errorf("the case: %v", err)
		}
		for _, a := range c.Acts {
			if bytes.Contains(a.Body, []byte("甪蒯一")) {
				t.Error("the case still has the reviewer's words")
			}
		}
		if c, err := r.g.Case(ctx, other); err != nil || c.Applicant != "甪蒯二" {
			t.Errorf("the other case: %v", err)
		}
		rep, err := r.g.VerifyJournals(ctx)
		if err != nil || len(rep.Faults) > 0 {
			t.Errorf("journal verify: %+v, %v", rep.Faults, err)
		}
	}
	check()
	if _, _, err := r.g.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	check()
	if asked, err = r.g.ErasuresAsked(ctx); err != nil || len(asked) != 0 {
		t.Errorf("still asked: %+v, %v", asked, err)
	}
	if _, err := r.g.Erase(ctx, no); err != nil {
		t.Errorf("erasing twice: %v", err)
	}
	d.submit("甪蒯三") // the line goes on
	d.sync()
	check()
}
