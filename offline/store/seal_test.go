package store

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/vault"
)

// Values of both packed versions open; what a block announces is looked at before anything is made room for.
func TestPackedValues(t *testing.T) {
	x := newBox(suite, vault.Key{1}, vault.Period{})
	p := vault.Period{ID: "2026-11", Store: vault.Key{2}}
	keys := func(string) (vault.Period, error) { return p, nil }
	plain := bytes.Repeat([]byte("情况属实。"), 100)
	value, err := x.sealIn(p.ID, p.Store, "b", []byte("k"), plain)
	if err != nil {
		t.Fatal(err)
	}
	if value[0] != valuePacked || len(value) > len(plain)/2 {
		t.Errorf("version %d, %d bytes of %d", value[0], len(value), len(plain))
	}
	// what the program before wrote
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	old := func(version byte, packed []byte) []byte {
		sealed, err := suite.Seal(p.Store, packed, aad("b", []byte("k"), version, p.ID))
		if err != nil {
			t.Fatal(err)
		}
		v := append(append([]byte{version, byte(len(p.ID))}, p.ID...), sealed...)
		return append(v, x.tag("b", []byte("k"), v)...)
	}
	for _, v := range [][]byte{value, old(valueZstd, enc.EncodeAll(plain, nil))} {
		got, err := x.open("b", []byte("k"), v, keys)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("version %d: %d bytes, %v", v[0], len(got), err)
		}
		if got, err = x.openKnown(p, "b", []byte("k"), v); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("version %d, key known: %d bytes, %v", v[0], len(got), err)
		}
	}
	bomb := append(binary.AppendUvarint(nil, maxValue+1), value...)
	if _, err := x.open("b", []byte("k"), old(valuePacked, bomb), keys); err == nil {
		t.Error("a block of more than the bound opens")
	}
	if _, err := x.open("b", []byte("k"), old(9, plain), keys); err == nil {
		t.Error("an unknown version opens")
	}
}
