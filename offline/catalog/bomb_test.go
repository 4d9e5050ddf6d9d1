package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/packaging/bomb"
)

// zeros returns zstd of n zero bytes, made without holding them.
func zeros(t testing.TB, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<16)
	for ; n > 0; n -= len(block) {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sealRaw signs an envelope around bytes that are said to be zstd.
func sealRaw(t testing.TB, key vault.PrivateKey, kind string, packed []byte, announced uint32) []byte {
	t.Helper()
	e := envelope{V: Version, County: "999999", Kind: kind, Version: 1, Plain: announced, Body: packed, KID: key.Public().KID(), Sig: []byte{}}
	var err error
	if e.Sig, err = vault.Sign(key, signDomain, canon.MustMarshal(e)); err != nil {
		t.Fatal(err)
	}
	return canon.MustMarshal(e)
}

// Packs that the platform's key signed, and that still were made to break a machine, are refused whole: a stolen key
// must not stop a county's counters.
func TestPackBombs(t *testing.T) {
	key, err := vault.SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	files := func(entries ...Entry) []byte {
		plain := canon.MustMarshal(body{V: Version, Entries: entries})
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		return sealRaw(t, key, KindCounty, z.EncodeAll(plain, nil), uint32(len(plain)))
	}
	var names []Entry
	for i := range MaxEntries {
		names = append(names, Entry{Name: fmt.Sprintf("lists/%05d.json", i), Data: []byte("[")})
	}
	bombs := map[string][]byte{
		"a gigabyte in a few kilobytes":  sealRaw(t, key, KindCounty, zeros(t, 1<<30), 1<<20),
		"as announced, out of nothing":   sealRaw(t, key, KindCounty, zeros(t, MaxPlain), MaxPlain),
		"a roster out of nothing":        sealRaw(t, key, KindRoster, zeros(t, MaxPlain), MaxPlain),
		"more than may be announced":     sealRaw(t, key, KindRoster, zeros(t, MaxPlain), 1<<32-1),
		"a million fields":               files(Entry{Name: "forms/x.json", Data: []byte(`{"sections":[{"fields":[` + strings.Repeat("{},", 1_000_000) + `{}]}]}`)}),
		"a list of a million rows":       files(Entry{Name: "lists/x.json", Data: []byte(`{"rows":[` + strings.Repeat("{},", 1_000_000) + `{}]}`)}),
		"nested without end":             files(Entry{Name: itemsName, Data: []byte(strings.Repeat("[", 4_000_000))}),
		"members without end":            files(Entry{Name: countyName, Data: []byte(strings.Repeat(`{"a":`, 1_000_000))}),
		"one name of a million letters":  files(Entry{Name: strings.Repeat("x", 1<<20)}),
		"a dictionary that is none":      files(Entry{Name: dictionaryName, Data: bytes.Repeat([]byte{0x37, 0xa4, 0x30, 0xec}, 16<<10)}),
		"a roster that is not a roster":  sealRaw(t, key, KindRoster, zeros(t, 1<<16), 1<<16),
		"as many files as may be, empty": files(names...),
	}
	debug.FreeOSMemory()
	bomb.Child(t, func(t *testing.T) {
		for name, data := range bombs {
			if _, err := Open(data, key.Public()); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrLint) {
				t.Errorf("%s (%d bytes): %v", name, len(data), err)
			}
			if len(data) > MaxPacked {
				t.Errorf("%s: refused only for its %d bytes", name, len(data))
			}
			debug.FreeOSMemory()
		}
	})
}
