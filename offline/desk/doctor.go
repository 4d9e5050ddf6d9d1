package desk

import (
	"context"
	"fmt"

	"bianmin/offline/counter"
	"bianmin/offline/journal"
	"bianmin/offline/store"
)

// Doctor checks every record, event, mirror frame and attachment. rebuild remakes every projection from the two logs
// first; what names people waits for the next login when nobody is logged in.
func (d *Desk) Doctor(ctx context.Context, rebuild bool, progress func(done, total int)) (counter.Report, error) {
	var r counter.Report
	if err := d.store.Ready(); err != nil {
		return r, err
	}
	if rebuild {
		if err := d.store.Rebuild(ctx, progress); err != nil {
			return r, err
		}
		if _, err := d.store.Commit(ctx, store.Act{Kind: journal.KindRebuilt, Body: journal.Note{What: "projections"}}); err != nil {
			return r, err
		}
		r.Rebuilt, r.Waiting = true, d.store.Locked()
	}
	found, err := d.store.Verify(ctx, progress)
	if err != nil {
		return r, err
	}
	r.Records, r.Events, r.Blobs, r.Deep = found.Records, found.Events, found.Blobs, !found.Locked
	for _, f := range found.Faults {
		detail := f.Key
		if f.Err != nil {
			detail += ": " + f.Err.Error()
		}
		r.Faults = append(r.Faults, counter.Fault{Where: f.Where, Seq: f.Seq, Kind: string(f.Kind), At: f.At.UTC(), Reason: f.What, Detail: detail})
	}
	if d.doctorBook() {
		r.Repaired = append(r.Repaired, "roster")
	}
	bad, err := badPacks(d.cfg.Dir)
	if err != nil {
		return r, err
	}
	for _, n := range bad {
		r.Faults = append(r.Faults, counter.Fault{Where: "packs", Kind: n.kind, Reason: "doctor.pack", Detail: n.file()})
	}
	r.Repaired = append(r.Repaired, d.ring.Repaired()...)
	for _, seq := range d.store.Restored().Mirrored {
		r.Repaired = append(r.Repaired, fmt.Sprintf("mirror %d", seq))
	}
	if r.Repaired == nil {
		r.Repaired = []string{}
	}
	if r.Recovered, err = d.recovered(); err != nil {
		return r, err
	}
	r.FromBackup = d.store.Restored().Backup
	r.Machine, r.Protected = d.ring.MachineName()
	r.Crypto = d.cfg.Suite.Name()
	r.Room = d.store.Room() == nil
	if r.Faults == nil {
		r.Faults = []counter.Fault{}
	}
	return r, nil
}
