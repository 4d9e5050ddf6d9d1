package store

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/offline/clocks"
	"bianmin/offline/vault"
)

var update = flag.Bool("update", false, "write the fixture of a schema that has none yet")

func fixturePath(schema int) string {
	return filepath.Join("testdata", fmt.Sprintf("schema-%d.zip", schema))
}

// fixtureNote is what a fixture's opener must know, and what it must find.
type fixtureNote struct {
	Sign, Seal []byte            // the platform's public keys
	Now        time.Time         // when it was written
	Head       uint64            // records
	Plain      map[string]string // SM3 of every opened projection and receipt, by bucket and key
}

func sums(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = suite.Hash([]byte(v)).String()
	}
	return out
}

// TestEveryReleasedSchemaOpens opens a folder written by each released schema, with records, events, receipts, a draft, a
// document and an attachment, brings it to the present one, and finds everything. A schema without a fixture is not ready
// to be released: go test ./offline/store -run Released -update writes it. A fixture is never written again.
func TestEveryReleasedSchemaOpens(t *testing.T) {
	if _, err := os.Stat(fixturePath(Schema())); err != nil && *update {
		writeFixture(t, fixturePath(Schema()))
	}
	for v := 1; v <= Schema(); v++ {
		t.Run(fmt.Sprint("schema ", v), func(t *testing.T) { openFixture(t, v) })
	}
}

func writeFixture(t *testing.T, path string) {
	r := newRig(t)
	s := r.login()
	r.populate(s, 3)
	note := fixtureNote{Sign: r.plat.sign.Public(), Seal: r.plat.seal.Public(), Now: r.clock, Head: s.head, Plain: sums(plain(t, s))}
	if ok, err := s.Compact(ctx, true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	r.close(s)
	raw, err := json.Marshal(note)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "fixture.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	if err := w.AddFS(os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes", path, out.Len())
}

func openFixture(t *testing.T, schema int) {
	z, err := zip.OpenReader(fixturePath(schema))
	if err != nil {
		t.Fatalf("no fixture of schema %d: %v", schema, err)
	}
	defer z.Close()
	dir := filepath.Join(t.TempDir(), "data")
	if err := fs.WalkDir(z, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || strings.Contains(name, "..") {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if e.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		data, err := fs.ReadFile(z, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o600)
	}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "fixture.json"))
	if err != nil {
		t.Fatal(err)
	}
	var note fixtureNote
	if err := json.Unmarshal(raw, &note); err != nil {
		t.Fatal(err)
	}
	r := newRig(t) // its clock, platform and options; the folder and its keys are the fixture's
	r.dir, r.keys, r.clock = dir, filepath.Join(dir, "keys"), note.Now
	if r.ring, err = vault.OpenRing(r.keys, suite, vault.KeyFile(filepath.Join(r.keys, "machine")), vault.OpenOptions{Demo: true, Clock: clocks.Wall(r.now)}); err != nil {
		t.Fatal(err)
	}
	r.o.Dir, r.o.Ring, r.o.Platform = dir, r.ring, Platform{SignKey: note.Sign, SealKey: note.Seal}
	before, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	s := r.login()
	if schema < Schema() {
		aside, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%s.before-%d", fileName, Schema())))
		if err != nil || len(aside) < len(before)/2 {
			t.Fatalf("the old file was not copied aside: %d bytes, %v", len(aside), err)
		}
	}
	if s.head != note.Head {
		t.Fatalf("head %d, want %d", s.head, note.Head)
	}
	got := sums(plain(t, s))
	for k, want := range note.Plain {
		if got[k] != want {
			t.Errorf("%s is not what was written", k)
		}
	}
	if d, err := s.Doc("settings"); err != nil || string(d) != `{"lang":"zh"}` {
		t.Errorf("document %q, %v", d, err)
	}
	if d, err := s.Draft("d1-" + canaryName); err != nil || string(d.Body) != canaryDraft {
		t.Errorf("draft %q, %v", d.Body, err)
	}
	rec, err := s.Record(1)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.OpenBlob(blobsOf(rec)[0]); err != nil || string(b) != canaryBlob+canaryName {
		t.Errorf("attachment %q, %v", b, err)
	}
	wantClean(t, s)
	r.submit(s, 9)
	wantClean(t, s)
}
