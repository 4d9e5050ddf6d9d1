package packet

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/packaging/bomb"
)

// evil seals bytes of its own choice as an enrolled device with other software could: signature and sealing are right.
func evil(t testing.TB, device, platform vault.PrivateKey, codec uint8, inside []byte, to uint64) []byte {
	t.Helper()
	content, keys, ok := mustPrepare(t, platform).Take()
	if !ok {
		t.Fatal("no key")
	}
	w := wire{V: Version, Device: 7, From: 1, To: to, Head: vault.Hash{1}, Codec: codec, Dict: []byte{}}
	aad, err := w.aad()
	if err != nil {
		t.Fatal(err)
	}
	if w.Body, err = suite.Seal(content, inside, aad); err != nil {
		t.Fatal(err)
	}
	w.Keys = keys
	body, err := w.unsigned()
	if err != nil {
		t.Fatal(err)
	}
	if w.Sig, err = vault.Sign(device, "packet", body); err != nil {
		t.Fatal(err)
	}
	return canon.MustMarshal(w)
}

func mustPrepare(t testing.TB, platform vault.PrivateKey) *Prepared {
	p, err := Prepare(suite, []vault.PublicKey{platform.Public()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// zeros returns zstd of n zero bytes, made without holding them.
func zeros(t testing.TB, prefix []byte, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(prefix); err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<16)
	for n > 0 {
		m := min(n, len(block))
		if _, err := z.Write(block[:m]); err != nil {
			t.Fatal(err)
		}
		n -= m
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Packets of a few kilobytes that unfold without end, or into more records than a packet holds, are refused; sealed and
// signed rightly, by a device whose software is not ours.
func TestBombs(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	window := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00} // a frame that asks for a window of 2 TB
	rows := []byte{0x82, 0x58, 0x20}
	rows = append(append(rows, make([]byte, 32)...), 0x9a, 0, 1, 0, 0) // 65536 rows
	one := newRun([]journal.Record{{Header: journal.Header{Kind: "note"}, Body: []byte{}}}, testSalt)
	plain, err := canon.Marshal(one.Rows[0])
	if err != nil {
		t.Fatal(err)
	}
	largest := make([]journal.Record, 15)
	for i := range largest {
		largest[i] = journal.Record{Body: make([]byte, journal.MaxBody)}
	}
	full, err := newRun(largest, testSalt).marshal()
	if err != nil {
		t.Fatal(err)
	}
	bombs := map[string]struct {
		codec  uint8
		inside []byte
		to     uint64
	}{
		"a gigabyte of zeros":           {CodecZstd, zeros(t, nil, 1<<30), 1},
		"just under the limit":          {CodecZstd, zeros(t, nil, MaxPlain-1), 1},
		"a body of 30 MB of zeros":      {CodecZstd, zeros(t, append(rows[:35:35], 0x81, 0x88, 0, 0, 0, 0xf4, 0x60, 0x60, 0x5a, 1, 0xe0, 0, 0), 30<<20), 1},
		"15 records of zeros":           {CodecZstd, mustCompress(t, full), 15},
		"a great window":                {CodecZstd, window, 1},
		"65536 rows of nothing":         {CodecPlain, append(bytes.Clone(rows), make([]byte, 1<<16)...), 5000},
		"65536 rows, packed":            {CodecZstd, mustCompress(t, append(bytes.Clone(rows), bytes.Repeat(plain, 1<<16)...)), 5000},
		"rows that are not there":       {CodecPlain, rows, 5000},
		"a frame in a frame":            {CodecZstd, mustCompress(t, zeros(t, nil, 1<<28)), 1},
		"many frames behind each other": {CodecZstd, bytes.Repeat(zeros(t, nil, 1<<20), 200), 1},
	}
	packets := map[string][]byte{}
	for name, b := range bombs {
		packets[name] = evil(t, device, platform, b.codec, b.inside, b.to)
		if len(packets[name]) > MaxBytes {
			t.Fatalf("%s: %d bytes", name, len(packets[name]))
		}
	}
	bombs, largest, full = nil, nil, nil
	bomb.Child(t, func(t *testing.T) {
		for name, data := range packets {
			p, err := Parse(data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := p.Verify(suite, device.Public()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, _, err := p.Open(suite, platform, nil); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrContent) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func mustCompress(t testing.TB, plain []byte) []byte {
	t.Helper()
	out, err := compress(suite, plain, vault.Hash{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
