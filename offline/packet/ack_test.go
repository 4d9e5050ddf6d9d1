package packet

import (
	"bytes"
	"errors"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

func TestAck(t *testing.T) {
	k := mustKey(t)
	want := Ack{Device: 7, To: 12, Head: suite.Hash([]byte("record 12")), At: 1_795_000_000_000}
	data, err := SignAck(k, want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenAck(suite, k.Public(), data)
	if err != nil || got.Device != 7 || got.To != 12 || got.Head != want.Head || got.At != want.At || !bytes.Equal(got.KID, k.Public().KID()) {
		t.Fatalf("%+v: %v", got, err)
	}
	if _, err := OpenAck(suite, mustKey(t).Public(), data); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("another platform: %v", err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, err := OpenAck(suite, k.Public(), bad); err == nil {
			t.Fatalf("byte %d of an ack may change", i)
		}
	}
	nothing, err := SignAck(k, Ack{Device: 7})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := OpenAck(suite, k.Public(), nothing); err != nil || a.To != 0 {
		t.Errorf("nothing held yet: %v", err)
	}
	for name, a := range map[string]Ack{"to without head": {To: 3}, "head without to": {Head: vault.Hash{1}}} {
		data, err := SignAck(k, a)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenAck(suite, k.Public(), data); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFork(t *testing.T) {
	k := mustKey(t)
	data, err := SignFork(k, Fork{Device: 7, To: 5, Head: vault.Hash{5}, At: 9})
	if err != nil {
		t.Fatal(err)
	}
	if f, err := OpenFork(suite, k.Public(), data); err != nil || f.To != 5 || f.Device != 7 || f.Head != (vault.Hash{5}) {
		t.Fatalf("%+v: %v", f, err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, err := OpenFork(suite, k.Public(), bad); err == nil {
			t.Fatalf("byte %d of a fork may change", i)
		}
	}
	// An ack and a fork have the same fields: only the domain of the signature tells them apart.
	if _, err := OpenAck(suite, k.Public(), data); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("a fork passes for an ack: %v", err)
	}
	ack, err := SignAck(k, Ack{Device: 7, To: 5, Head: vault.Hash{5}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFork(suite, k.Public(), ack); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("an ack passes for a fork: %v", err)
	}
	newer := canon.MustMarshal(Ack{V: 2})
	if _, err := OpenAck(suite, k.Public(), newer); !errors.Is(err, ErrFormat) {
		t.Errorf("a newer ack: %v", err)
	}
	if _, err := OpenFork(suite, k.Public(), newer); !errors.Is(err, ErrFormat) {
		t.Errorf("a newer fork: %v", err)
	}
}

func FuzzAckFork(f *testing.F) {
	k := mustKey(f)
	for i, sign := range []func() ([]byte, error){
		func() ([]byte, error) { return SignAck(k, Ack{Device: 7, To: 5, Head: vault.Hash{5}}) },
		func() ([]byte, error) { return SignAck(k, Ack{Device: 7}) },
		func() ([]byte, error) { return SignFork(k, Fork{Device: 7, To: 5, Head: vault.Hash{5}}) },
	} {
		data, err := sign()
		if err != nil {
			f.Fatalf("seed %d: %v", i, err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := OpenAck(suite, k.Public(), data); err == nil && !bytes.Equal(canon.MustMarshal(a), data) {
			t.Fatalf("ack reads %x, writes %x", data, canon.MustMarshal(a))
		}
		if a, err := OpenFork(suite, k.Public(), data); err == nil && !bytes.Equal(canon.MustMarshal(a), data) {
			t.Fatalf("fork reads %x, writes %x", data, canon.MustMarshal(a))
		}
	})
}
