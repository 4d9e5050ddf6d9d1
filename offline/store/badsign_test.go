package store

import (
	"errors"
	"testing"

	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// wrongKey signs with one key and shows another: what a fault of memory between the two would do.
type wrongKey struct {
	vault.PrivateKey
	public vault.PublicKey
}

func (k wrongKey) Public() vault.PublicKey { return k.public }

// TestAWrongSignatureStopsTheStore: an act whose packet does not bear the device's signature is not acknowledged, and the doctor
// names it afterwards.
func TestAWrongSignatureStopsTheStore(t *testing.T) {
	r := newRig(t)
	s := r.login()
	r.submit(s, 1)
	other, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	e := *s.epoch.Load()
	e.Signer = wrongKey{other, e.Signer.Public()}
	s.epoch.Store(&e)
	act := Act{Operator: "wang", Kind: journal.KindCaseSubmitted, Body: sampleCase(2), Receipt: fakeReceipt}
	if _, err := s.Commit(ctx, act); !errors.Is(err, ErrFailed) {
		t.Fatalf("acknowledged: %v", err)
	}
	if _, err := s.Commit(ctx, act); !errors.Is(err, ErrFailed) {
		t.Fatalf("goes on: %v", err)
	}
	r.close(s)
	s = r.login()
	named := false
	for _, f := range verified(t, s).Faults {
		named = named || f.Seq == 2
		t.Logf("%v", f)
	}
	if !named {
		t.Error("the doctor does not name it")
	}
	// Its record is whole: a rebuild packs it anew, under the same number and hash, and the line goes on.
	hash := s.headHash
	if err := s.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if s.head != 2 || s.headHash != hash {
		t.Fatalf("head %d is another record", s.head)
	}
	wantClean(t, s)
	packets, _, err := s.Outgoing(ctx, 1, 1<<20)
	if err != nil || len(packets) != 1 {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	p, err := packet.Parse(packets[0])
	if err != nil || p.Head != hash || p.Verify(suite, s.Signer().Public()) != nil {
		t.Fatalf("the packet that leaves: %v", err)
	}
	r.submit(s, 3)
	r.sync(s, 1<<20)
	r.close(s)
	s = r.login()
	wantClean(t, s)
	if s.acked != 3 {
		t.Fatalf("acknowledged to %d", s.acked)
	}
}
