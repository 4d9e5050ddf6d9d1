package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"bianmin/offline/journal"
)

func contextDone() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }

func TestBlobs(t *testing.T) {
	r := newRig(t)
	s := r.login()
	photo := bytes.Repeat([]byte("photo"), 5000)
	b, err := s.PutBlob(photo, "image/jpeg", "/home/x/户口本.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if b.Name != "户口本.jpg" || b.Size != int64(len(photo)) {
		t.Fatalf("blob %+v", b)
	}
	again, err := s.PutBlob(photo, "image/jpeg", "second.jpg")
	if err != nil || again.Addr != b.Addr || again.Name != "second.jpg" {
		t.Fatalf("the same bytes were kept twice: %v", err)
	}
	small, err := s.PutBlob([]byte("small"), "text/plain", "s")
	if err != nil || small.Addr == b.Addr {
		t.Fatal(err)
	}
	if addrs, _, err := s.PendingBlobs(ctx); err != nil || len(addrs) != 0 {
		t.Fatalf("%d blobs pending before a record names them, %v", len(addrs), err)
	}
	c := sampleCase(1)
	c.Blobs = []journal.Blob{b, small}
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: c}); err != nil {
		t.Fatal(err)
	}
	r.close(s)
	s = r.open()
	addrs, sizes, err := s.PendingBlobs(ctx)
	if err != nil || len(addrs) != 2 || addrs[0] != small.Addr || sizes[0] >= sizes[1] {
		t.Fatalf("pending %d, %v, %v", len(addrs), sizes, err)
	}
	rd, done, err := s.BlobReader(ctx, b.Addr)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := io.ReadAll(rd)
	if err != nil || done.Close() != nil || suite.Hash(sealed) != b.Addr || int64(len(sealed)) != sizes[1] {
		t.Fatalf("sealed bytes: %d, %v", len(sealed), err)
	}
	if plain, err := UnsealBlob(suite, b, sealed); err != nil || !bytes.Equal(plain, photo) {
		t.Fatalf("the platform cannot open it: %v", err)
	}
	for _, a := range addrs {
		if err := s.BlobSent(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.BlobSent(ctx, [32]byte{1}); !errors.Is(err, ErrNotFound) {
		t.Fatalf("unknown blob: %v", err)
	}
	r.unlock(s)
	c.Blobs = []journal.Blob{b} // named again: the platform has it
	if _, err := s.Commit(ctx, Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: c}); err != nil {
		t.Fatal(err)
	}
	if addrs, _, err = s.PendingBlobs(ctx); err != nil || len(addrs) != 0 {
		t.Fatalf("%d pending after all were sent, %v", len(addrs), err)
	}
	if plain, err := s.OpenBlob(b); err != nil || !bytes.Equal(plain, photo) {
		t.Fatalf("open: %v", err)
	}
	wantClean(t, s)

	flipAll(t, s.blobPath(b.Addr), sealed[100:200], 5)
	if _, err := s.OpenBlob(b); !errors.Is(err, ErrDamaged) {
		t.Fatalf("damaged blob: %v", err)
	}
	if rep := verified(t, s); len(rep.Faults) != 1 || rep.Faults[0].Where != "blob" || rep.Faults[0].Seq != 1 {
		t.Fatalf("faults %v", rep.Faults)
	}
	if err := os.Remove(s.blobPath(b.Addr)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenBlob(b); !errors.Is(err, ErrNotFound) {
		t.Fatalf("missing blob: %v", err)
	}
	if rep := verified(t, s); len(rep.Faults) != 1 || rep.Faults[0].What != "doctor.blobMissing" {
		t.Fatalf("faults %v", rep.Faults)
	}
	if fresh, err := s.PutBlob(photo, "image/jpeg", "again"); err != nil || fresh.Addr == b.Addr {
		t.Fatalf("a lost blob was handed out again: %v", err)
	}
	s.Lock()
	if _, err := s.PutBlob(photo, "", ""); !errors.Is(err, ErrLocked) {
		t.Fatalf("blob while locked: %v", err)
	}
}
