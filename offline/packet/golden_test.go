package packet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// golden is testdata/packets-v1.json. Runs are exact bytes; packets, whose keys and signatures are random, are read.
type golden struct {
	Device   string         `json:"device_public_key"`
	Platform string         `json:"platform_private_scalar"`
	Salt     string         `json:"salt_key"`
	Dicts    []string       `json:"dictionaries"` // of packets 3 and 4: raw bytes, zstd's own format
	Headers  []string       `json:"headers"`      // of records 1 to 4
	Bodies   []string       `json:"bodies"`       // of records 1 to 4
	Run      string         `json:"run"`          // the four records as packet 1 encrypts them
	Packets  []goldenPacket `json:"packets"`
	Ack      string         `json:"ack"`  // to record 4, signed by the platform scalar
	Fork     string         `json:"fork"` // after record 2
}

type goldenPacket struct {
	Name   string `json:"name"`
	Codec  uint8  `json:"codec"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Purged uint64 `json:"purged"` // seq of the record whose body is gone; 0: none
	Packet string `json:"packet"`
}

const goldenFile = "testdata/packets-v1.json"

func goldenRecords(t testing.TB) []journal.Record {
	t.Helper()
	var out []journal.Record
	var head vault.Hash
	for i := range 4 {
		body := canon.MustMarshal(journal.Note{What: "样本", From: "a", To: string(rune('b' + i)), Count: int64(i) - 2})
		r, err := journal.Next(suite, 1_000_001, uint64(i), head, testSalt[:], 1_795_000_000_000+int64(i*i)*1000,
			journal.Clock{Signed: int64(i/2) * 1_794_000_000_000, Since: int64(i) * 500, Exact: i == 3}, "op1", journal.KindSettings, body)
		if err != nil {
			t.Fatal(err)
		}
		out, head = append(out, r), r.Hash(suite)
	}
	return out
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	if os.Getenv("BIANMIN_WRITE_GOLDEN") == "1" {
		writeGolden(t)
	}
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	records := goldenRecords(t)
	for i, r := range records {
		if hex.EncodeToString(canon.MustMarshal(r.Header)) != g.Headers[i] || hex.EncodeToString(r.Body) != g.Bodies[i] {
			t.Errorf("record %d changed", i+1)
		}
	}
	run, err := newRun(records, testSalt).marshal()
	if err != nil || hex.EncodeToString(run) != g.Run {
		t.Errorf("run: %x, want %s (%v)", run, g.Run, err)
	}
	platform, err := suite.ParsePrivateKey(unhex(t, g.Platform))
	if err != nil {
		t.Fatal(err)
	}
	dicts := map[vault.Hash][]byte{}
	for _, d := range g.Dicts {
		dicts[suite.Hash(unhex(t, d))] = unhex(t, d)
	}
	if len(g.Packets) != 5 || len(dicts) != 2 {
		t.Fatalf("%d packets, %d dictionaries", len(g.Packets), len(dicts))
	}
	for _, c := range g.Packets {
		p := mustParse(t, unhex(t, c.Packet))
		if p.Codec != c.Codec || p.From != c.From || p.To != c.To || p.Device != 1_000_001 {
			t.Errorf("%s: %+v", c.Name, p)
		}
		if err := p.Verify(suite, unhex(t, g.Device)); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		got, salt, err := p.Open(suite, platform, dicts)
		if err != nil || hex.EncodeToString(salt[:]) != g.Salt {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for i, r := range got {
			want := records[c.From-1+uint64(i)]
			if r.Header != want.Header || r.Seq == c.Purged && r.Body != nil || r.Seq != c.Purged && !bytes.Equal(r.Body, want.Body) {
				t.Errorf("%s: record %d", c.Name, r.Seq)
			}
		}
	}
	if a, err := OpenAck(suite, platform.Public(), unhex(t, g.Ack)); err != nil || a.To != 4 || a.Head != records[3].Hash(suite) {
		t.Errorf("ack: %+v %v", a, err)
	}
	if f, err := OpenFork(suite, platform.Public(), unhex(t, g.Fork)); err != nil || f.To != 2 || f.Head != records[1].Hash(suite) {
		t.Errorf("fork: %+v %v", f, err)
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	device, platform := mustKey(t), mustKey(t)
	records := goldenRecords(t)
	scalar, err := platform.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	dicts := [][]byte{bytes.Repeat([]byte("样本 settings op1 "), 6), zstdDict(t)}
	run, err := newRun(records, testSalt).marshal()
	if err != nil {
		t.Fatal(err)
	}
	g := golden{
		Device: hex.EncodeToString(device.Public()), Platform: hex.EncodeToString(scalar), Salt: hex.EncodeToString(testSalt[:]),
		Dicts: []string{hex.EncodeToString(dicts[0]), hex.EncodeToString(dicts[1])}, Run: hex.EncodeToString(run),
	}
	for _, r := range records {
		g.Headers = append(g.Headers, hex.EncodeToString(canon.MustMarshal(r.Header)))
		g.Bodies = append(g.Bodies, hex.EncodeToString(r.Body))
	}
	purged := append([]journal.Record{}, records...)
	purged[1].Body = nil
	for _, c := range []struct {
		name    string
		records []journal.Record
		codec   uint8
		dict    []byte
		purged  uint64
	}{
		{"plain", records, CodecPlain, nil, 0},
		{"zstd", records[2:], CodecZstd, nil, 0},
		{"zstd with a raw dictionary", records[:1], CodecZstd, dicts[0], 0},
		{"zstd with a trained dictionary", records, CodecZstd, dicts[1], 0},
		{"a purged body", purged, CodecZstd, dicts[0], 2},
	} {
		o := options(device, mustKey(t), platform)
		o.Device, o.Codec, o.Dict = 1_000_001, c.codec, c.dict
		data := mustSeal(t, c.records, o)
		g.Packets = append(g.Packets, goldenPacket{
			c.name, c.codec, c.records[0].Seq, c.records[len(c.records)-1].Seq, c.purged, hex.EncodeToString(data),
		})
	}
	ack, err := SignAck(platform, Ack{Device: 1_000_001, To: 4, Head: records[3].Hash(suite), At: 1_795_000_200_000})
	if err != nil {
		t.Fatal(err)
	}
	fork, err := SignFork(platform, Fork{Device: 1_000_001, To: 2, Head: records[1].Hash(suite), At: 1_795_000_200_000})
	if err != nil {
		t.Fatal(err)
	}
	g.Ack, g.Fork = hex.EncodeToString(ack), hex.EncodeToString(fork)
	b, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzPacket feeds bytes to the outer form, and to the inside as a device with evil software could.
func FuzzPacket(f *testing.F) {
	device, platform := mustKey(f), mustKey(f)
	records := goldenRecords(f)
	for _, c := range []uint8{CodecPlain, CodecZstd} {
		o := options(device, platform)
		o.Device, o.Codec = 1_000_001, c
		f.Add(mustSeal(f, records, o))
	}
	plain, err := newRun(records, testSalt).marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	small, err := compress(suite, plain, vault.Hash{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small)
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Parse(data); err == nil {
			if !bytes.Equal(canon.MustMarshal(p.wire), data) || !bytes.Equal(p.Bytes(), data) {
				t.Fatalf("packet reads %x, writes %x", data, canon.MustMarshal(p.wire))
			}
			// A sound packet opens; any other ends in an error, not in a crash.
			if got, _, err := p.Open(suite, platform, nil); err == nil && uint64(len(got)) != p.To-p.From+1 {
				t.Fatal("opened to another number of records")
			}
		}
		plain, err := decompress(suite, data, vault.Hash{}, nil)
		if err == nil && len(plain) > MaxPlain {
			t.Fatalf("decompressed to %d bytes", len(plain))
		}
		for _, in := range [][]byte{data, plain} {
			r, err := parseRun(in)
			var by run
			if uerr := canon.Unmarshal(in, &by); err != nil && uerr == nil && len(by.Rows) > 0 && len(by.Rows) <= MaxRecords &&
				!slices.ContainsFunc(by.Rows, func(x row) bool { return x.check() != nil }) {
				t.Fatalf("run %x refused: %v", in, err)
			}
			if err != nil {
				continue
			}
			p := &Packet{Device: 1, From: 1, To: uint64(len(r.Rows))}
			got, _, err := r.records(suite, p)
			if err != nil {
				t.Fatalf("run reads but gives no records: %v", err)
			}
			again, err := newRun(got, r.Salt).marshal()
			if err != nil || !bytes.Equal(again, in) || !bytes.Equal(canon.MustMarshal(r), in) {
				t.Fatalf("run reads %x, writes %x (%v)", in, again, err)
			}
		}
	})
}

// zstdDict builds a dictionary in zstd's own format from cases like those of chain.
func zstdDict(t testing.TB) []byte {
	t.Helper()
	var contents [][]byte
	var history []byte
	for i := range 60 {
		run, err := newRun(chain(t, 1+i%3, uint64(i+1), vault.Hash{1}), testSalt).marshal()
		if err != nil {
			t.Fatal(err)
		}
		contents = append(contents, run)
		if len(history) < 2000 {
			history = append(history, run[:min(700, len(run))]...)
		}
	}
	d, err := zstd.BuildDict(zstd.BuildDictOptions{ID: 41, Contents: contents, History: history[:2000], Offsets: [3]int{1, 4, 8}, Level: zstd.SpeedBetterCompression})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(d, zstdDictMagic) {
		t.Fatal("not in zstd's own format")
	}
	return d
}

func TestTrainedDictionary(t *testing.T) {
	device, platform := mustKey(t), mustKey(t)
	records := chain(t, 3, 0, vault.Hash{})
	o := options(device, platform)
	o.Codec = CodecZstd
	without := mustSeal(t, records[:1], o)
	o.Dict = zstdDict(t)
	with := mustSeal(t, records[:1], o)
	if len(with) >= len(without) {
		t.Errorf("%d bytes with the dictionary, %d without", len(with), len(without))
	}
	got, _, err := mustParse(t, with).Open(suite, platform, map[vault.Hash][]byte{suite.Hash(o.Dict): o.Dict})
	if err != nil || len(got) != 1 || got[0].Header != records[0].Header {
		t.Errorf("%v", err)
	}
}
