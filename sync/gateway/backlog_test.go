package gateway

import (
	"testing"
	"time"

	"bianmin/offline/journal"
)

// TestBacklog: what a device sent waits until the device listens, is silent for a while, or has sent for long; memory is
// bounded, and nothing is lost by that.
func TestBacklog(t *testing.T) {
	many := func(from, n, size int) []journal.Record {
		out := make([]journal.Record, n)
		for i := range out {
			out[i] = journal.Record{Header: journal.Header{Seq: uint64(from + i)}, Body: make([]byte, size)}
		}
		return out
	}
	start := time.Unix(1_795_000_000, 0)
	a, b := DeviceRow{Device: 1}, DeviceRow{Device: 2}
	var x backlog
	if x.put(a, many(1, leastBacklog, 10), start) {
		t.Error("taken while nobody works on it")
	}
	x.open()
	defer x.close()
	if x.put(a, many(1, leastBacklog-1, 10), start) || x.put(a, nil, start) {
		t.Error("a few records are taken")
	}
	if !x.put(a, many(1, leastBacklog, 10), start) || !x.has(1) || x.has(2) {
		t.Error("a backlog is not taken")
	}
	if !x.put(a, many(leastBacklog+1, 1, 10), start.Add(time.Second)) {
		t.Error("a record behind a backlog is not taken")
	}
	if _, ok, again := x.next(start.Add(2 * time.Second)); ok || again != time.Second {
		t.Errorf("begun before the device is silent, or looked at again after %v", again)
	}
	w, ok, _ := x.next(start.Add(3 * time.Second))
	if !ok || w.device.Device != 1 || len(w.records) != leastBacklog+1 || w.stored {
		t.Errorf("silent device: %v, %d records", ok, len(w.records))
	}
	x.put(a, many(leastBacklog+2, 1, 10), start.Add(3*time.Second))
	x.done(1, start.Add(4*time.Second))
	if !x.has(1) {
		t.Error("what came meanwhile is forgotten")
	}
	x.wait(t.Context(), 1, 0) // the device listens
	if w, ok, _ := x.next(start.Add(4 * time.Second)); !ok || len(w.records) != 1 {
		t.Errorf("listening device: %v, %d records", ok, len(w.records))
	}
	x.done(1, start.Add(4*time.Second))
	if x.has(1) || x.bytes != 0 {
		t.Errorf("%d bytes are left", x.bytes)
	}
	for s := 0; s < int(maxSettle/time.Second)+1; s++ {
		x.put(b, many(1+s*leastBacklog, leastBacklog, 1<<14), start.Add(time.Duration(s)*time.Second))
	}
	x.put(b, many(10_000, leastBacklog, maxBacklogBytes/leastBacklog), start.Add(maxSettle))
	x.put(b, many(20_000, 1, 1), start.Add(maxSettle))
	w, ok, _ = x.next(start.Add(maxSettle))
	if !ok || !w.stored || len(w.records) != (int(maxSettle/time.Second)+1)*leastBacklog {
		t.Errorf("a device that never ends: %v, %d records, others in the store: %v", ok, len(w.records), w.stored)
	}
	if x.done(2, start.Add(maxSettle)); x.has(2) || x.bytes != 0 {
		t.Error("done is not done")
	}
}
