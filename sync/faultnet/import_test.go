package faultnet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bianmin/offline/frame"
	"bianmin/offline/packet"
	"bianmin/sync/gateway"
)

// mirrorOf reads the mirror of a machine whose other files are gone.
func mirrorOf(t testing.TB, dir string) []gateway.MirrorFile {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "mirror", "*.bmp"))
	must(t, err)
	var out []gateway.MirrorFile
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(t, err)
		out = append(out, gateway.MirrorFile{Name: filepath.Base(name), Data: data})
	}
	if len(out) == 0 {
		t.Fatal("no mirror")
	}
	return out
}

func (p *platform) doImport(t testing.TB, files ...gateway.MirrorFile) gateway.ImportReport {
	t.Helper()
	rep, err := p.g.Import(t.Context(), files)
	must(t, err)
	return rep
}

// submissions returns the submitted records of a device that are cases at the platform, ascending.
func (p *platform) submissions(t testing.TB, device uint32) []uint64 {
	t.Helper()
	var out []uint64
	must(t, p.db.View(t.Context(), func(tx gateway.Tx) error {
		all, err := tx.Cases("", 0)
		for _, c := range all {
			if c.Device == device {
				out = append(out, c.Seq)
			}
		}
		return err
	}))
	slices.Sort(out)
	return out
}

func (p *platform) sound(t testing.TB) {
	t.Helper()
	rep, err := p.g.VerifyJournals(t.Context())
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Fatalf("journals: %+v", rep.Faults)
	}
}

// TestImportDeadMachine: operators, keys and database of a machine are gone; its mirror lies in the county's hands. Some
// of its records had been delivered.
func TestImportDeadMachine(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	cases := count(200)
	var want []uint64
	for n := range cases {
		seq, err := s.save(n)
		must(t, err)
		want = append(want, seq)
		if n == cases/3 {
			s.drain(3)
		}
	}
	_, head, acked, _, err := s.st.Position(t.Context())
	must(t, err)
	s.close()
	for _, gone := range []string{"store.db", "keys.a", "keys.b", "machine.key", "machine.key.b"} {
		must(t, os.Remove(filepath.Join(s.dir, gone)))
	}
	mirror := mirrorOf(t, s.dir)
	rep := p.doImport(t, mirror...)
	if len(rep.Devices) != 1 || len(rep.Refused) != 0 {
		t.Fatalf("%+v", rep)
	}
	d := rep.Devices[0]
	if d.Seq != head || d.New != int(head-acked) || d.Held != int(acked) || len(d.Lost) != 0 || d.Frames != int(head) {
		t.Fatalf("%+v; head %d, delivered before %d", d, head, acked)
	}
	if got := p.submissions(t, s.grant.Device); !slices.Equal(got, want) {
		t.Fatalf("cases %v, submitted %v", got, want)
	}
	again := p.doImport(t, mirror...).Devices[0]
	if again.New != 0 || again.Held != int(head) || again.Seq != head {
		t.Fatalf("again: %+v", again)
	}
	p.sound(t)
}

// TestImportMovesTheCut: the device was withdrawn when its machine was lost, and the mirror is found later.
func TestImportMovesTheCut(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	other := p.enrol(t, "")
	s.login()
	for n := range 6 {
		_, err := s.save(n)
		must(t, err)
		if n == 2 {
			s.drain(3)
		}
	}
	s.close()
	row, err := p.g.Revoke(t.Context(), s.grant.Device, "lost")
	must(t, err)
	if row.CutSeq != 3 {
		t.Fatalf("cut at %d", row.CutSeq)
	}
	other.drain(3)
	before, err := p.g.KeyLists(t.Context())
	must(t, err)
	d := p.doImport(t, mirrorOf(t, s.dir)...).Devices[0]
	if !d.Revoked || d.CutFrom != 3 || d.CutTo != 6 || d.New != 3 || d.Cases != 3 {
		t.Fatalf("%+v", d)
	}
	row, head, err := p.g.Device(t.Context(), s.grant.Device)
	must(t, err)
	if row.CutSeq != 6 || row.CutHash != head.Hash || row.Revoked == 0 {
		t.Fatalf("cut at %d, head at %d", row.CutSeq, head.Seq)
	}
	after, err := p.g.KeyLists(t.Context())
	must(t, err)
	if after[0].Version != before[0].Version+1 {
		t.Fatalf("key list %d, was %d", after[0].Version, before[0].Version)
	}
	for _, k := range after[0].Keys {
		if k.Device == s.grant.Device && (k.CutSeq != 6 || !k.Revoked) {
			t.Fatalf("key list cuts at %d", k.CutSeq)
		}
	}
	r, err := other.e.Once(t.Context())
	must(t, err)
	if r.Events == 0 {
		t.Fatal("the county's other device does not hear of the new cut")
	}
	p.sound(t)
}

// TestImportRefuses: forged, foreign and damaged frames are named, and everything else is taken.
func TestImportRefuses(t *testing.T) {
	p := newPlatform(t)
	s := p.enrol(t, "")
	s.login()
	const cases = 12
	for n := range cases {
		_, err := s.save(n)
		must(t, err)
	}
	s.close()
	mirror := mirrorOf(t, s.dir)[0]
	type at struct {
		off int64
		f   frame.Frame
	}
	var frames []at
	_, _, err := frame.Scan(mirror.Data, suite, func(off int64, f frame.Frame) error {
		f.Payload = bytes.Clone(f.Payload)
		frames = append(frames, at{off, f})
		return nil
	})
	must(t, err)
	record := func(seq uint64) int {
		return slices.IndexFunc(frames, func(a at) bool { return a.f.Kind == frame.Record && a.f.Number == seq })
	}
	write := func(name string, list []at) gateway.MirrorFile {
		var data []byte
		for _, a := range list {
			data, err = frame.Append(data, suite, a.f)
			must(t, err)
		}
		return gateway.MirrorFile{Name: name, Data: data}
	}

	stranger := newPlatform(t)
	x := stranger.enrol(t, "")
	for range 6 { // until its number is one that p never gave
		if x.grant.Device > s.grant.Device {
			break
		}
		x = stranger.enrol(t, "")
	}
	x.login()
	_, err = x.save(1)
	must(t, err)
	x.close()
	foreign := mirrorOf(t, x.dir)[0]
	foreign.Name = "foreign.bmp"

	forged := slices.Clone(frames)
	pk, err := packet.Parse(forged[record(4)].f.Payload)
	must(t, err)
	flipped := bytes.Clone(pk.Bytes())
	flipped[len(flipped)-1] ^= 1 // the last byte of the signature
	forged[record(4)].f.Payload = flipped

	t.Run("a segment alone waits for the one before", func(t *testing.T) {
		rep := p.doImport(t, write("000002.bmp", frames[record(3):]))
		if d := rep.Devices[0]; d.New != 0 || d.Seq != 0 || len(rep.Refused) == 0 {
			t.Fatalf("%+v", rep)
		}
		for _, r := range rep.Refused {
			if r.Reason != gateway.ImportWaiting {
				t.Fatalf("%+v", r)
			}
		}
	})
	t.Run("foreign", func(t *testing.T) {
		rep := p.doImport(t, foreign)
		if len(rep.Devices) != 0 || len(rep.Refused) == 0 || rep.Refused[0].Reason != gateway.ImportForeign {
			t.Fatalf("%+v", rep)
		}
	})
	t.Run("forged and damaged", func(t *testing.T) {
		file := write("000001.bmp", forged)
		for _, seq := range []uint64{8, 9} {
			file.Data[bytes.Index(file.Data, frames[record(seq)].f.Payload[:64])+70] ^= 4
		}
		file.Data = file.Data[:len(file.Data)-9] // torn in the last frame
		rep := p.doImport(t, file)
		d := rep.Devices[0]
		if !slices.Equal(d.Lost, []uint64{4, 8, 9}) || d.Seq != cases-1 || d.New != cases-4 {
			t.Fatalf("%+v", rep)
		}
		var reasons []string
		for _, r := range rep.Refused {
			reasons = append(reasons, strings.TrimPrefix(r.Reason, "import."))
		}
		slices.Sort(reasons)
		if !slices.Equal(reasons, []string{"damaged", "damaged", "forged"}) {
			t.Fatalf("refused %v", reasons)
		}
		want := []uint64{1, 2, 3, 5, 6, 7, 10, 11}
		if got := p.submissions(t, s.grant.Device); !slices.Equal(got, want) {
			t.Fatalf("cases %v, want %v", got, want)
		}
		p.sound(t)
		if _, _, err := p.g.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := p.submissions(t, s.grant.Device); !slices.Equal(got, want) {
			t.Fatalf("rebuilt cases %v, want %v", got, want)
		}
		// The whole mirror is found after all: its last record comes in, and the lost ones take their places.
		rep = p.doImport(t, mirror)
		if d := rep.Devices[0]; d.Seq != cases || d.New != 4 || d.Cases != 4 || len(d.Lost) != 0 || len(rep.Refused) != 0 {
			t.Fatalf("%+v", rep)
		}
		want = []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		if got := p.submissions(t, s.grant.Device); !slices.Equal(got, want) {
			t.Fatalf("cases %v, want %v", got, want)
		}
		p.sound(t)
		if _, _, err := p.g.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := p.submissions(t, s.grant.Device); !slices.Equal(got, want) {
			t.Fatalf("rebuilt cases %v, want %v", got, want)
		}
	})
}
