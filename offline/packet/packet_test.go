package packet

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

var suite = vault.SM(nil)

func mustKey(t testing.TB) vault.PrivateKey {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var testSalt = [32]byte(bytes.Repeat([]byte{0x3c}, 32))

// chain makes n records of device 7 after (seq, head), about as large as cases are.
func chain(t testing.TB, n int, seq uint64, head vault.Hash) []journal.Record {
	t.Helper()
	rnd := rand.New(rand.NewPCG(uint64(n), seq))
	out := make([]journal.Record, n)
	at := int64(1_790_000_000_000)
	for i := range out {
		at += rnd.Int64N(600_000)
		body := canon.MustMarshal(journal.CaseSubmitted{
			Service: "gaoling", ItemCode: "11330000000000000033201100100012", ItemName: "高龄津贴", FormID: "gaoling",
			FormVersion: 3, Applicant: fmt.Sprintf("样本%d", rnd.Int32()), IDNumber: fmt.Sprintf("999901194%08d", rnd.IntN(1e8)),
			Answers: bytes.Repeat([]byte(fmt.Sprintf("answer %d;", rnd.IntN(1e9))), 60), Division: "999901001001",
		})
		r, err := journal.Next(suite, 7, seq, head, testSalt[:], at, journal.Clock{Signed: 1_789_999_000_000, Since: at - 1_789_999_000_000, Exact: i%2 == 0}, "op1", journal.KindCaseSubmitted, body)
		if err != nil {
			t.Fatal(err)
		}
		out[i], seq, head = r, r.Seq, r.Hash(suite)
	}
	return out
}

func options(device vault.PrivateKey, to ...vault.PrivateKey) Options {
	o := Options{Suite: suite, Device: 7, Signer: device, Salt: testSalt}
	for _, k := range to {
		o.Recipients = append(o.Recipients, k.Public())
	}
	return o
}

func mustSeal(t testing.TB, records []journal.Record, o Options) []byte {
	t.Helper()
	data, err := Seal(records, o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustParse(t testing.TB, data []byte) *Packet {
	t.Helper()
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPacketRoundTrip(t *testing.T) {
	device, platform, mirror := mustKey(t), mustKey(t), mustKey(t)
	dict := bytes.Repeat([]byte("高龄津贴 gaoling 999901 answer "), 40)
	long := chain(t, 40, 0, vault.Hash{})
	purged := append([]journal.Record{}, long[:5]...)
	purged[2].Body = nil
	empty, err := journal.Next(suite, 7, 9, long[8].Hash(suite), testSalt[:], -5, journal.Clock{}, "", journal.KindLocked, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		records []journal.Record
		codec   uint8
		dict    []byte
	}{
		{"one plain", long[:1], CodecPlain, nil},
		{"run plain", long, CodecPlain, nil},
		{"suffix", long[17:30], CodecZstd, nil},
		{"one with dictionary", long[3:4], CodecZstd, dict},
		{"run with dictionary", long, CodecZstd, dict},
		{"tombstone", purged, CodecZstd, dict},
		{"only a tombstone", purged[2:3], CodecPlain, nil},
		{"empty body", []journal.Record{empty}, CodecZstd, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(device, platform, mirror)
			o.Codec, o.Dict = c.codec, c.dict
			p := mustParse(t, mustSeal(t, c.records, o))
			last := c.records[len(c.records)-1]
			if p.Device != 7 || p.From != c.records[0].Seq || p.To != last.Seq || p.Prev != c.records[0].Prev ||
				p.Head != last.Hash(suite) || p.Codec != c.codec || p.Dict.IsZero() != (c.dict == nil) || len(p.Keys) != 2 {
				t.Fatalf("description: %+v", p)
			}
			if err := p.Verify(suite, device.Public()); err != nil {
				t.Fatal(err)
			}
			dicts := map[vault.Hash][]byte{suite.Hash(dict): dict}
			for _, k := range []vault.PrivateKey{platform, mirror} {
				got, salt, err := p.Open(suite, k, dicts)
				if err != nil {
					t.Fatal(err)
				}
				if salt != testSalt || !reflect.DeepEqual(got, c.records) {
					t.Fatal("records differ")
				}
			}
			if _, _, err := p.Open(suite, mustKey(t), dicts); !errors.Is(err, ErrNotForUs) {
				t.Errorf("another key: %v", err)
			}
			if _, _, err := p.Open(suite, platform, nil); (c.dict != nil) != errors.Is(err, ErrNeedDict) {
				t.Errorf("without the dictionary: %v", err)
			}
		})
	}
}

// Nothing of the records is in clear, and little beside them is sent.
func TestPacketHides(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	records := chain(t, 1, 0, vault.Hash{})
	data := mustSeal(t, records, options(device, platform))
	for what, s := range map[string][]byte{
		"body": records[0].Body[:24], "kind": []byte(records[0].Kind), "operator": []byte("op1"), "salt": testSalt[:8],
	} {
		if bytes.Contains(data, s) {
			t.Errorf("%s in clear", what)
		}
	}
	if over := len(data) - len(records[0].Body); over > 480 {
		t.Errorf("%d bytes beside the body", over)
	}
}

func TestExtremeTimesSurvive(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	var records []journal.Record
	var head vault.Hash
	for i, at := range []int64{math.MaxInt64, math.MinInt64, 0, -1, math.MaxInt64, 1} {
		r, err := journal.Next(suite, 7, uint64(i), head, testSalt[:], at, journal.Clock{Signed: -at, Since: at}, "", journal.KindClockJump, []byte{0xa0})
		if err != nil {
			t.Fatal(err)
		}
		records, head = append(records, r), r.Hash(suite)
	}
	got, _, err := mustParse(t, mustSeal(t, records, options(device, platform))).Open(suite, platform, nil)
	if err != nil || !reflect.DeepEqual(got, records) {
		t.Fatalf("extreme clocks: %v", err)
	}
}

func TestSealRefuses(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	records := chain(t, 4, 0, vault.Hash{})
	change := func(f func(r []journal.Record)) []journal.Record {
		r := append([]journal.Record{}, records...)
		f(r)
		return r
	}
	many := make([]journal.Record, MaxRecords+1)
	var big []journal.Record
	var head vault.Hash
	noise := make([]byte, journal.MaxBody)
	if err := suite.Random(noise); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		r, err := journal.Next(suite, 7, uint64(i), head, testSalt[:], 0, journal.Clock{}, "", journal.KindSettings, noise)
		if err != nil {
			t.Fatal(err)
		}
		big, head = append(big, r), r.Hash(suite)
	}
	for _, c := range []struct {
		name    string
		records []journal.Record
		change  func(*Options)
		want    error
	}{
		{"none", nil, nil, nil},
		{"too many", many, nil, ErrTooLarge},
		{"too many bytes", big, nil, ErrTooLarge},
		{"gap", []journal.Record{records[0], records[2]}, nil, journal.ErrGap},
		{"order", []journal.Record{records[1], records[0]}, nil, journal.ErrGap},
		{"other device", records, func(o *Options) { o.Device = 8 }, journal.ErrGap},
		{"record zero", change(func(r []journal.Record) { r[0].Seq = 0 }), nil, journal.ErrGap},
		{"version", change(func(r []journal.Record) { r[3].V = 2 }), nil, journal.ErrFormat},
		{"body changed", change(func(r []journal.Record) { r[1].Body = []byte("x") }), nil, journal.ErrBody},
		{"salt of another period", records, func(o *Options) { o.Salt[0]++ }, journal.ErrBody},
		{"no recipients", records, func(o *Options) { o.Recipients = nil }, nil},
		{"too many recipients", records, func(o *Options) { o.Recipients = make([]vault.PublicKey, MaxRecipients+1) }, nil},
		{"bad recipient", records, func(o *Options) { o.Recipients = []vault.PublicKey{make([]byte, 65)} }, vault.ErrKey},
		{"codec", records, func(o *Options) { o.Codec = 2 }, ErrCodec},
		{"dictionary without codec", records, func(o *Options) { o.Dict = make([]byte, 100) }, ErrCodec},
		{"tiny dictionary", records, func(o *Options) { o.Codec, o.Dict = CodecZstd, []byte{1} }, nil},
		{"broken dictionary", records, func(o *Options) { o.Codec, o.Dict = CodecZstd, append(bytes.Clone(zstdDictMagic), make([]byte, 90)...) }, nil},
	} {
		o := options(device, platform)
		if c.change != nil {
			c.change(&o)
		}
		if _, err := Seal(c.records, o); err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Changing any byte of a packet is noticed by the form, the signature, or both.
func TestEveryByteIsSigned(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	data := mustSeal(t, chain(t, 2, 0, vault.Hash{}), options(device, platform))
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if p, err := Parse(bad); err == nil && p.Verify(suite, device.Public()) == nil {
			t.Fatalf("byte %d of %d may change", i, len(data))
		}
	}
	if err := mustParse(t, data).Verify(suite, platform.Public()); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("another signer: %v", err)
	}
}

// resign changes a packet's clear part and signs it again, as a device with evil software could.
func resign(t *testing.T, data []byte, device vault.PrivateKey, change func(*wire)) []byte {
	t.Helper()
	var w wire
	if err := canon.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	change(&w)
	body, err := w.unsigned()
	if err != nil {
		t.Fatal(err)
	}
	if w.Sig, err = vault.Sign(device, "packet", body); err != nil {
		t.Fatal(err)
	}
	return canon.MustMarshal(w)
}

func TestParseLimits(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	data := mustSeal(t, chain(t, 2, 0, vault.Hash{}), options(device, platform))
	for name, change := range map[string]func(*wire){
		"version":                func(w *wire) { w.V = 2 },
		"from zero":              func(w *wire) { w.From = 0 },
		"backwards":              func(w *wire) { w.From, w.Prev = 9, vault.Hash{1} },
		"too many":               func(w *wire) { w.To = MaxRecords + 1 },
		"wrap around":            func(w *wire) { w.To = math.MaxUint64 },
		"first with predecessor": func(w *wire) { w.Prev = vault.Hash{1} },
		"later without":          func(w *wire) { w.From, w.To = 2, 3 },
		"dictionary name":        func(w *wire) { w.Codec, w.Dict = 1, []byte{1} },
		"zero dictionary":        func(w *wire) { w.Codec, w.Dict = 1, make([]byte, 32) },
		"dictionary for plain":   func(w *wire) { w.Dict = bytes.Repeat([]byte{1}, 32) },
		"no recipients":          func(w *wire) { w.Keys = nil },
		"many recipients":        func(w *wire) { w.Keys = make([]Key, MaxRecipients+1) },
		"short kid":              func(w *wire) { w.Keys[0].KID = w.Keys[0].KID[:3] },
		"short key":              func(w *wire) { w.Keys[0].Sealed = w.Keys[0].Sealed[:100] },
		"no body":                func(w *wire) { w.Body = w.Body[:27] },
	} {
		if _, err := Parse(resign(t, data, device, change)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse(make([]byte, MaxBytes+1)); !errors.Is(err, ErrFormat) {
		t.Errorf("too long: %v", err)
	}
	if _, err := Parse(append(bytes.Clone(data), 0)); !errors.Is(err, ErrFormat) {
		t.Errorf("trailing byte: %v", err)
	}
	p := mustParse(t, resign(t, data, device, func(w *wire) { w.Codec = 9 }))
	if _, _, err := p.Open(suite, platform, nil); !errors.Is(err, ErrCodec) {
		t.Errorf("codec of the future: %v", err)
	}
}

// The clear part is bound to the ciphertext: a signed lie about range, chain or codec does not open.
func TestClearPartIsBound(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	data := mustSeal(t, chain(t, 2, 0, vault.Hash{}), options(device, platform))
	for name, change := range map[string]func(*wire){
		"device": func(w *wire) { w.Device++ }, "to": func(w *wire) { w.To++ }, "head": func(w *wire) { w.Head[0]++ },
		"codec": func(w *wire) { w.Codec = 1 },
		"range": func(w *wire) { w.From, w.To, w.Prev = 5, 6, vault.Hash{1} },
	} {
		p := mustParse(t, resign(t, data, device, change))
		if _, _, err := p.Open(suite, platform, nil); !errors.Is(err, vault.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// sealRaw makes a validly signed packet around any plaintext, as a device with evil software could.
func sealRaw(t *testing.T, device vault.PrivateKey, to vault.PublicKey, w wire, plain []byte) *Packet {
	t.Helper()
	content, err := suite.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	aad, err := w.aad()
	if err != nil {
		t.Fatal(err)
	}
	if w.Body, err = suite.Seal(content, plain, aad); err != nil {
		t.Fatal(err)
	}
	sealed, err := suite.SealTo(to, content[:])
	if err != nil {
		t.Fatal(err)
	}
	w.Keys = []Key{{KID: to.KID(), Sealed: sealed}}
	body, err := w.unsigned()
	if err != nil {
		t.Fatal(err)
	}
	if w.Sig, err = vault.Sign(device, "packet", body); err != nil {
		t.Fatal(err)
	}
	return mustParse(t, canon.MustMarshal(w))
}

func TestHostileContent(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	records := chain(t, 2, 0, vault.Hash{})
	good := newRun(records, testSalt)
	w := wire{V: Version, Device: 7, From: 1, To: 2, Head: records[1].Hash(suite)}
	bomb, err := compress(suite, make([]byte, MaxPlain+1), vault.Hash{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	runWith := func(change func(*run)) []byte {
		r := good
		r.Rows = append([]row{}, good.Rows...)
		change(&r)
		b, err := r.marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name  string
		codec uint8
		plain []byte
		want  error
	}{
		{"bomb", CodecZstd, bomb, ErrFormat},
		{"not zstd", CodecZstd, []byte("not zstd"), ErrFormat},
		{"nothing", CodecZstd, nil, ErrFormat},
		{"not CBOR", CodecPlain, []byte{0xff}, ErrFormat},
		{"a record less", CodecPlain, runWith(func(r *run) { r.Rows = r.Rows[:1] }), ErrContent},
		{"no record", CodecPlain, runWith(func(r *run) { r.Rows = nil }), ErrFormat},
		{"another body", CodecPlain, runWith(func(r *run) { r.Rows[0].Body = []byte{1} }), ErrContent},
		{"another time", CodecPlain, runWith(func(r *run) { r.Rows[1].At++ }), ErrContent},
		{"another salt", CodecPlain, runWith(func(r *run) { r.Salt[0]++ }), ErrContent},
		{"tombstone and body", CodecPlain, runWith(func(r *run) { r.Rows[0].Gone = make([]byte, 32) }), ErrFormat},
		{"short tombstone", CodecPlain, runWith(func(r *run) { r.Rows[0].Gone, r.Rows[0].Body = make([]byte, 31), nil }), ErrFormat},
		{"large body", CodecPlain, runWith(func(r *run) { r.Rows[0].Body = make([]byte, journal.MaxBody+1) }), ErrFormat},
	} {
		w.Codec = c.codec
		if _, _, err := sealRaw(t, device, platform.Public(), w, c.plain).Open(suite, platform, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	// A dictionary under a false name is refused rather than kept for later.
	name := suite.Hash([]byte("a name"))
	w.Codec, w.Dict = CodecZstd, name[:]
	p := sealRaw(t, device, platform.Public(), w, []byte{0})
	if _, _, err := p.Open(suite, platform, map[vault.Hash][]byte{name: make([]byte, 100)}); err == nil {
		t.Error("dictionary under a false name")
	}
}

// A key whose hint collides with ours must not hide our own.
func TestKIDIsOnlyAHint(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	other, err := suite.SealTo(mustKey(t).Public(), make([]byte, vault.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	records := chain(t, 1, 0, vault.Hash{})
	data := mustSeal(t, records, options(device, platform))
	p := mustParse(t, resign(t, data, device, func(w *wire) {
		w.Keys = append([]Key{{KID: platform.Public().KID(), Sealed: other}}, w.Keys...)
	}))
	if got, _, err := p.Open(suite, platform, nil); err != nil || len(got) != 1 {
		t.Errorf("colliding hint: %v", err)
	}
	p = mustParse(t, resign(t, data, device, func(w *wire) { w.Keys[0].Sealed = other }))
	if _, _, err := p.Open(suite, platform, nil); !errors.Is(err, vault.ErrOpen) {
		t.Errorf("our hint on another's key: %v", err)
	}
}

func TestCodersAreBounded(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	records := chain(t, 1, 0, vault.Hash{})
	for i := range maxCoders + 4 {
		o := options(device, platform)
		o.Codec, o.Dict = CodecZstd, bytes.Repeat([]byte(fmt.Sprintf("dictionary %d ", i)), 10)
		mustSeal(t, records, o)
	}
	coderMu.Lock()
	defer coderMu.Unlock()
	if len(coders) != maxCoders {
		t.Errorf("%d coders kept", len(coders))
	}
}

func BenchmarkSeal(b *testing.B) {
	device, platform, mirror := mustKey(b), mustKey(b), mustKey(b)
	dict := bytes.Repeat([]byte("高龄津贴 gaoling 999901 answer "), 2000)
	for _, n := range []int{1, 200} {
		records := chain(b, n, 0, vault.Hash{})
		o := options(device, platform, mirror)
		o.Codec, o.Dict = CodecZstd, dict
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			size := 0
			for b.Loop() {
				size = len(mustSeal(b, records, o))
			}
			b.ReportMetric(float64(size)/float64(n), "B/record")
		})
		data := mustSeal(b, records, o)
		dicts := map[vault.Hash][]byte{suite.Hash(dict): dict}
		b.Run(fmt.Sprintf("open/records=%d", n), func(b *testing.B) {
			for b.Loop() {
				p := mustParse(b, data)
				if err := p.Verify(suite, device.Public()); err != nil {
					b.Fatal(err)
				}
				if _, _, err := p.Open(suite, platform, dicts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
