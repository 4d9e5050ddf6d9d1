package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/sync/gateway"
)

// mirror writes what a real machine's mirror holds of its records, one packet each with the dictionary of the packs.
func (m *machine) mirror(path string) {
	m.t.Helper()
	data, err := frame.Append(nil, suite, frame.Frame{Kind: frame.Segment, Number: 1, Payload: []byte{0, 0, 0, byte(m.grant.Device)}})
	if err != nil {
		m.t.Fatal(err)
	}
	for i, r := range m.records {
		p, err := packet.Seal(m.records[i:i+1], packet.Options{
			Suite: suite, Device: m.grant.Device, Signer: m.sign, Codec: packet.CodecZstd, Dict: m.dict,
			Recipients: []vault.PublicKey{m.grant.Platform.SealKey, m.seal.Public()},
		})
		if err != nil {
			m.t.Fatal(err)
		}
		if data, err = frame.Append(data, suite, frame.Frame{Kind: frame.Record, Label: "2026-11", Number: r.Seq, Payload: p}); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// TestImport brings in the mirror of a withdrawn machine beside a running server.
func TestImport(t *testing.T) {
	p := serving(t)
	var code struct{ Code string }
	p.call(&code, exitOK, "enroll")
	m := p.machine(code.Code)
	m.add(journal.KindEnrolled, journal.Note{})
	m.submit("欧阳淑华", "999999194102030021")
	m.exchange(1, 0)
	_, link := m.submit("李秀兰", "999999195001010049")
	m.submit("张建国", "999999195001010030")
	p.call(nil, exitOK, "key", "revoke", "--device", "1", "--reason", "burnt")
	var v struct {
		State  string
		Status gateway.Status
	}
	p.call(&v, exitState, "verify", link)
	if v.State != "withdrawn" || !v.Status.Withdrawn || v.Status.Found {
		t.Fatalf("before: %+v", v)
	}

	dir := filepath.Join(t.TempDir(), "mirror")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if key := p.call(nil, exitNotFound, "import", dir); key != "notFound" {
		t.Fatalf("empty folder: %q", key)
	}
	m.mirror(filepath.Join(dir, "000001.bmp"))
	var rep gateway.ImportReport
	p.call(&rep, exitOK, "import", dir)
	if d := rep.Devices[0]; d.New != 2 || d.Held != 2 || d.Cases != 2 || d.CutFrom != 2 || d.CutTo != 4 || len(rep.Refused) != 0 {
		t.Fatalf("%+v", rep)
	}
	p.call(&rep, exitOK, "import", filepath.Join(dir, "000001.bmp"))
	if d := rep.Devices[0]; d.New != 0 || d.Held != 4 {
		t.Fatalf("again: %+v", rep)
	}
	var list []caseLine
	p.call(&list, exitOK, "case", "list")
	if len(list) != 3 {
		t.Fatalf("%d cases", len(list))
	}
	// Offline nobody calls the key's receipts genuine; the platform's own log knows it now.
	p.call(&v, exitState, "verify", link)
	if v.State != "withdrawn" || v.Status.Withdrawn || !v.Status.Found {
		t.Fatalf("after: %+v", v)
	}

	junk := filepath.Join(dir, "000002.bmp")
	if err := os.WriteFile(junk, []byte(strings.Repeat("no mirror at all ", 40)), 0o600); err != nil {
		t.Fatal(err)
	}
	rep = gateway.ImportReport{}
	p.call(&rep, exitForged, "import", dir)
	if len(rep.Refused) != 1 || rep.Refused[0].Reason != gateway.ImportDamaged || rep.Refused[0].File != "000002.bmp" || rep.Devices[0].Held != 4 {
		t.Fatalf("%+v", rep)
	}
	if key := p.call(nil, exitUsage, "import"); key != "usage" {
		t.Fatalf("no file: %q", key)
	}
}
