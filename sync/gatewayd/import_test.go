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
	"bianmin/sync/wire"
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

// TestBranches: what a fork leaves at the platform, on the command line, and a code for a machine that replaces another.
func TestBranches(t *testing.T) {
	p := serving(t)
	var code struct{ Code, Station string }
	p.call(&code, exitOK, "enroll")
	m := p.machine(code.Code)
	m.add(journal.KindEnrolled, journal.Note{})
	m.exchange(1, 0)
	clone := *m
	clone.records = append([]journal.Record{}, m.records...)
	m.submit("欧阳淑华", "999999194102030021")
	m.exchange(2, 0)
	var list []gateway.Branch
	p.call(&list, exitOK, "journal", "branches")
	if len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	clone.submit("李秀兰", "999999195001010049")
	packed, err := packet.Seal(clone.records[1:], packet.Options{
		Suite: suite, Device: m.grant.Device, Signer: m.sign, Recipients: []vault.PublicKey{m.grant.Platform.SealKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := clone.dev.Exchange(t.Context(), wire.Request{Packets: [][]byte{packed}})
	if err != nil || len(reply.Fork) == 0 {
		t.Fatalf("fork of %d bytes, %v", len(reply.Fork), err)
	}
	p.call(&list, exitOK, "journal", "branches")
	if len(list) != 1 || list[0].Device != 0 || list[0].Former != 1 || list[0].Evidence != 1 {
		t.Fatalf("%+v", list)
	}
	fresh, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	ask := wire.Epoch{Fork: reply.Fork, To: 1, Head: clone.records[0].Hash(suite)}
	wrong := ask
	wrong.Head = clone.records[1].Hash(suite)
	if _, err := clone.dev.Epoch(t.Context(), m.root, m.seal.Public(), wrong, fresh); wire.CodeOf(err) != wire.CodeBadRequest {
		t.Fatalf("a record that is not in common: %v", err)
	}
	grant, err := clone.dev.Epoch(t.Context(), m.root, m.seal.Public(), ask, fresh)
	if err != nil || grant.Device != 2 || grant.Former != 1 || grant.To != 1 {
		t.Fatalf("%+v, %v", grant, err)
	}
	again, err := clone.dev.Epoch(t.Context(), m.root, m.seal.Public(), ask, fresh)
	if err != nil || again.Device != grant.Device {
		t.Fatalf("asked again: %+v, %v", again, err)
	}
	another, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := clone.dev.Epoch(t.Context(), m.root, m.seal.Public(), ask, another); wire.CodeOf(err) != wire.CodeBadRequest {
		t.Fatalf("one notice for two keys: %v", err)
	}
	forged := ask
	forged.Fork = append([]byte{}, ask.Fork...)
	forged.Fork[len(forged.Fork)-1] ^= 1
	if _, err := clone.dev.Epoch(t.Context(), m.root, m.seal.Public(), forged, another); wire.CodeOf(err) != wire.CodeBadRequest {
		t.Fatalf("a forged notice: %v", err)
	}
	var shown struct{ Branches []gateway.Branch }
	p.call(&shown, exitOK, "journal", "list", "--device", "1")
	if len(shown.Branches) != 1 || shown.Branches[0].Device != 2 || shown.Branches[0].To != 1 {
		t.Fatalf("%+v", shown)
	}
	if key := p.call(nil, exitNotFound, "journal", "branches", "--device", "9"); key != "notFound" {
		t.Fatalf("no such device: %q", key)
	}
	p.call(&code, exitOK, "enroll", "--replaces", "1")
	if key := p.call(nil, exitNotFound, "enroll", "--replaces", "9"); key != "notFound" {
		t.Fatalf("replacing nobody: %q", key)
	}
	r := p.machine(code.Code)
	p.call(&list, exitOK, "journal", "branches", "--device", "1")
	if len(list) != 2 || !list[1].Replaces || list[1].Device != r.grant.Device {
		t.Fatalf("%+v", list)
	}
	snap, err := r.dev.Snapshot(t.Context(), 0, 0, vault.Hash{}, 0)
	if err != nil || snap.Of != 1 || len(snap.Packets) == 0 || len(snap.Events) == 0 {
		t.Fatalf("snapshot of %d: %d packets, %d events, %v", snap.Of, len(snap.Packets), len(snap.Events), err)
	}
	if _, err := m.dev.Snapshot(t.Context(), r.grant.Device, 0, vault.Hash{}, 0); wire.CodeOf(err) != wire.CodeBadRequest {
		t.Fatalf("the snapshot of a stranger: %v", err)
	}
	if snap, err := m.dev.Snapshot(t.Context(), 0, 0, vault.Hash{}, 0); err != nil || snap.Of != 0 || len(snap.Packets) != 0 {
		t.Fatalf("a device that goes on for nobody: %+v, %v", snap, err)
	}
}
