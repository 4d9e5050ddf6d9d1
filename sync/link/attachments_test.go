package link_test

import (
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/form"
	"bianmin/offline/words"
)

// attachments opens every attachment of every case on the screen, and returns how many there are and how many are not here.
func (m *machine) attachments(t testing.TB) (all, missing int) {
	t.Helper()
	for _, c := range m.cases(t) {
		full, err := m.s.Case(t.Context(), c.Reference())
		must(t, err)
		for _, b := range full.Blobs {
			all++
			_, err := m.s.OpenBlob(t.Context(), form.BlobRef{Addr: b.Addr[:], Key: b.Key[:], Plain: b.Plain[:], MIME: b.Media, Size: b.Size, Name: b.Name})
			if key, _ := words.KeyOf(err); key == "store.blobMissing" {
				missing++
				continue
			}
			must(t, err)
		}
	}
	return all, missing
}

// TestAttachmentsComeBack: the disk is gone with file, mirror and attachments. What was acknowledged comes back from the platform
// with its attachments; until they are there the screen says how many are not.
func TestAttachmentsComeBack(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.used(t).machine
	for _, name := range []string{"store.db", "mirror", "blobs"} {
		must(t, os.RemoveAll(filepath.Join(m.dir, name)))
	}
	m.reopen(t)
	m.login()
	must(t, p.hide(t)) // the county's folder of attachments is away for a while
	_, _ = m.l.Once(t.Context())
	_, _ = m.l.Once(t.Context())
	all, missing := m.attachments(t)
	if all < 3 || missing != all {
		t.Fatalf("%d attachments, %d of them missing", all, missing)
	}
	st, err := m.d.Status(t.Context())
	must(t, err)
	if st.Recovered == nil || st.Recovered.Blobs == 0 {
		t.Fatalf("the screen does not say what is missing: %+v", st.Recovered)
	}
	rep, err := m.d.Doctor(t.Context(), false, nil)
	must(t, err)
	if len(rep.Faults) == 0 {
		t.Fatal("the doctor says nothing")
	}
	must(t, p.show(t))
	m.close()
	m.open() // what was left aside is asked for at once
	m.sync(t)
	m.login()
	if all, missing := m.attachments(t); missing != 0 {
		t.Fatalf("%d of %d attachments did not come back", missing, all)
	}
	st, err = m.d.Status(t.Context())
	must(t, err)
	if st.Recovered.Blobs != 0 {
		t.Fatalf("said to be missing: %+v", st.Recovered)
	}
	rep, err = m.d.Doctor(t.Context(), false, nil)
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Fatalf("doctor: %+v", rep.Faults)
	}
}

// TestDamagedAttachmentComesBack: one file is damaged, one is gone; the doctor names them, and takes them back from the platform.
func TestDamagedAttachmentComesBack(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, nil)
	m := p.enrol(t)
	m.login()
	m.take("赵建国")
	m.sync(t)
	found, err := filepath.Glob(filepath.Join(m.dir, "blobs", "*", "*"))
	must(t, err)
	if len(found) == 0 {
		t.Fatal("no attachments")
	}
	data, err := os.ReadFile(found[0])
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(found[0], data, 0o600))
	for _, name := range found[1:] {
		must(t, os.Remove(name))
	}
	rep, err := m.d.Doctor(t.Context(), true, nil)
	must(t, err)
	if len(rep.Faults) == 0 {
		t.Fatal("the doctor says nothing")
	}
	m.sync(t)
	if all, missing := m.attachments(t); missing != 0 || all == 0 {
		t.Fatalf("%d of %d attachments did not come back", missing, all)
	}
	rep, err = m.d.Doctor(t.Context(), false, nil)
	must(t, err)
	if len(rep.Faults) > 0 {
		t.Fatalf("doctor: %+v", rep.Faults)
	}
}

// hide and show move the platform's attachments away and back.
func (p *platform) hide(t testing.TB) error {
	t.Helper()
	return os.Rename(filepath.Join(p.dir, "blobs"), filepath.Join(p.dir, "away"))
}

func (p *platform) show(t testing.TB) error {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(p.dir, "blobs")))
	return os.Rename(filepath.Join(p.dir, "away"), filepath.Join(p.dir, "blobs"))
}
