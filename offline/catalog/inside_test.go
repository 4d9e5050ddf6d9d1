package catalog

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Plain returns the unpacked body of a pack, for tests that look for what must not be in it.
func Plain(t testing.TB, data []byte) []byte {
	t.Helper()
	e, err := parseEnvelope(data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.unpack()
	if err != nil {
		t.Fatal(err)
	}
	return canon.MustMarshal(b)
}

// sealBody signs any plain bytes as a pack, as a careless or hostile platform could.
func sealBody(t testing.TB, key vault.PrivateKey, plain []byte, announced uint32) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	e := envelope{V: Version, County: "999999", Kind: KindRoster, Version: 1, Plain: announced, Body: z.EncodeAll(plain, nil), KID: key.Public().KID(), Sig: []byte{}}
	if e.Sig, err = vault.Sign(key, signDomain, canon.MustMarshal(e)); err != nil {
		t.Fatal(err)
	}
	return canon.MustMarshal(e)
}

func TestBombs(t *testing.T) {
	key, err := vault.SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 32<<20)
	tests := []struct {
		name      string
		plain     []byte
		announced uint32
	}{
		{"more than announced", big, 100},
		{"less than announced", make([]byte, 100), 101},
		{"announced over the limit", make([]byte, 100), MaxPlain + 1},
		{"no body at all", nil, 0},
		{"not CBOR", []byte{0xff}, 1},
		{"an unknown version", canon.MustMarshal(body{V: 9}), uint32(len(canon.MustMarshal(body{V: 9})))},
	}
	for _, tt := range tests {
		if _, err := Open(sealBody(t, key, tt.plain, tt.announced), key.Public()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	many := body{V: Version}
	for range MaxEntries + 1 {
		many.Entries = append(many.Entries, Entry{Name: "x"})
	}
	for name, b := range map[string]body{
		"too many files":      many,
		"files unordered":     {V: Version, Entries: []Entry{{Name: "b"}, {Name: "a"}}},
		"a file twice":        {V: Version, Entries: []Entry{{Name: "a"}, {Name: "a"}}},
		"a path that goes up": {V: Version, Entries: []Entry{{Name: "../a"}}},
	} {
		plain := canon.MustMarshal(b)
		if _, err := Open(sealBody(t, key, plain, uint32(len(plain))), key.Public()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]body{
		"no file":        {V: Version},
		"a foreign file": {V: Version, Entries: []Entry{{Name: "run.sh", Data: []byte("x")}}},
		"a bad roster":   {V: Version, Entries: []Entry{{Name: rosterName, Data: []byte{1}}}},
	} {
		plain := canon.MustMarshal(b)
		var le *LintError
		if _, err := Open(sealBody(t, key, plain, uint32(len(plain))), key.Public()); !errors.As(err, &le) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzEnvelope(f *testing.F) {
	key, err := vault.SM(nil).GenerateKey()
	if err != nil {
		f.Fatal(err)
	}
	plain := canon.MustMarshal(body{V: Version, Entries: []Entry{{Name: rosterName, Media: "application/cbor", Data: []byte{0xa0}}}})
	f.Add(sealBody(f, key, plain, uint32(len(plain))))
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := Open(data, key.Public()); err == nil {
			t.Fatal("a pack that nobody built was opened")
		}
		e, err := parseEnvelope(data)
		if err != nil {
			return
		}
		if !bytes.Equal(canon.MustMarshal(e), data) {
			t.Fatal("an envelope does not read back to its bytes")
		}
		if b, err := e.unpack(); err == nil && len(canon.MustMarshal(b)) != int(e.Plain) {
			t.Fatal("a body does not read back to its size")
		}
	})
}

func FuzzFiles(f *testing.F) {
	f.Add("items.json", []byte(`[{"id":"x","name":{"zh":"一","en":"one"}}]`))
	f.Add("divisions.json", []byte(`[{"code":"999999000000","name":"县"}]`))
	f.Add("calendar.json", []byte(`{"years":[2026],"holidays":[{"from":"2026-01-01","to":"2026-01-02","name":"x"}],"workdays":[]}`))
	f.Add("lists/bank.json", []byte(`{"title":{"zh":"银","en":"b"},"rows":[{"code":"1","label":{"zh":"一","en":"one"}}]}`))
	f.Add("forms/x.json", []byte(`{"id":"x"}`))
	f.Add("county.json", []byte(`{"code":"999999","stations":[{"code":"999999101201"}]}`))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		entries := []Entry{
			{"calendar.json", "", []byte(`{"years":[2026],"holidays":[{"from":"2026-01-01","to":"2026-01-01","name":"x"}],"workdays":[]}`)},
			{"county.json", "", []byte(`{"code":"999999","name":{"zh":"县","en":"c"},"shortHost":"a","telephone":"12345","stations":[]}`)},
			{"divisions.json", "", []byte(`[{"code":"990000000000","name":"a"},{"code":"999900000000","name":"b"},{"code":"999999000000","name":"c"}]`)},
			{"institutions.json", "", []byte(`[]`)},
			{"items.json", "", []byte(`[]`)},
		}
		for i := range entries {
			if entries[i].Name == name {
				entries[i].Data = data
				name = ""
			}
		}
		if name != "" {
			entries = append(entries, Entry{name, "", data})
		}
		if _, faults := read(KindCounty, "999999", entries, false); len(faults) == 0 {
			t.Fatal("a pack without items and dictionary has no fault")
		}
	})
}
