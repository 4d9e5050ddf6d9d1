package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/durable"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Change says what a restore changes, before it does. What the mirror holds beyond the backup comes back at the next login.
type Change struct {
	From   string   // the backup
	Opens  bool     // the present file opens; else Now is empty
	Now    Contents // the present file
	Backup Contents // the backup

	FromMirror uint64 // records that the mirror adds to the backup
	Lost       uint64 // records of the present file that neither backup nor mirror has
	LostAcked  uint64 // of these, records that the platform holds
	Gained     uint64 // records that the present file does not have
	Events     uint64 // last event afterwards; the platform sends later ones again

	DraftsBack   int // drafts that come back although the present file has dropped them without a trace in the mirror
	DraftsOlder  int // drafts that go back to an older state, as far as the mirror has no newer one
	DraftsMirror int // drafts that come back from the mirror as of their last page change
	DraftsLost   int // drafts that are gone
}

// PlanRestore says what putting a backup in the place of the file would change. It changes nothing. The store must be
// closed; an open one has a method. Errors: ErrNoBackup, ErrForeign, ErrNewer, ErrForked for a backup of another branch,
// ErrBusy.
func PlanRestore(o Options, backup string) (Change, error) {
	s, err := openToReplace(o)
	if err != nil {
		return Change{}, err
	}
	defer s.closeFile()
	c, _, err := s.plan(backup)
	return c, err
}

// Restore puts a backup in the place of the file, sound or not, of a closed store, and returns where the old file was moved
// to. Nothing is deleted. The next Open and Unlock bring back what the mirror has beyond the backup, and write a record
// of it. A crash at any moment leaves the old file or the new one in place. Errors as PlanRestore.
func Restore(o Options, backup string) (aside string, err error) {
	s, err := openToReplace(o)
	if err != nil {
		return "", err
	}
	defer s.closeFile()
	_, dropped, err := s.plan(backup)
	if err != nil {
		return "", err
	}
	if err := s.prepare(backup, dropped); err != nil {
		return "", err
	}
	if !renameOpen {
		s.closeFile()
	}
	return s.place()
}

// PlanRestore is the plan for an open store.
func (s *Store) PlanRestore(backup string) (Change, error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	if err := s.write.act(); err != nil {
		return Change{}, err
	}
	defer s.write.Unlock()
	c, _, err := s.plan(backup)
	return c, err
}

// Restore puts a backup in the place of the file of an open store while nobody is logged in (words backup.loggedIn), and goes
// on with it. See the function Restore.
func (s *Store) Restore(backup string) (aside string, err error) {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	if err := s.write.act(); err != nil {
		return "", err
	}
	defer s.write.Unlock()
	if s.session() != nil {
		return "", words.New("backup.loggedIn", errors.New("store: restore while somebody is logged in"))
	}
	_, dropped, err := s.plan(backup)
	if err != nil {
		return "", err
	}
	if err := s.prepare(backup, dropped); err != nil {
		return "", err
	}
	if !s.db.quiet() {
		return "", words.New("store.busy", fmt.Errorf("%w: a transaction is open", ErrBusy))
	}
	defer s.db.mu.Unlock()
	old := s.db.db
	if !renameOpen {
		if err := old.Close(); err != nil {
			return "", s.fail(err)
		}
	}
	aside, err = s.place()
	if err != nil {
		return "", s.fail(err)
	}
	if err := errors.Join(s.mir.close(), old.Close()); err != nil {
		return aside, s.fail(err)
	}
	o := s.o
	o.Epochs = s.epochs()[1:]
	fresh := newStore(o)
	if err := fresh.openFile(); err != nil {
		return aside, s.fail(err)
	}
	if err := fresh.start(); err != nil {
		return aside, errors.Join(s.fail(err), fresh.Close())
	}
	s.db.change(fresh.db.db, fresh.db.handle)
	s.mir = fresh.mir
	s.epoch.Store(fresh.epoch.Load())
	s.mu.Lock()
	kept := s.kept
	s.state = fresh.state
	s.kept = kept + 1 // whoever reads rows just now reads those of the old file
	s.mu.Unlock()
	return aside, nil
}

// openToReplace takes the folder of a closed store. A damaged file is no hindrance; another program is.
func openToReplace(o Options) (*Store, error) {
	s := newStore(o)
	if _, err := os.Stat(s.path); errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err := s.openFile(); err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	return s, nil
}

// closeFile gives up the file of openToReplace. Nothing was written to it.
func (s *Store) closeFile() {
	if s.db != nil {
		s.db.Close()
		s.db = nil
	}
}

// mirrored is what a walk through the mirror finds for a restore.
type mirrored struct {
	records runs
	events  runs
	drafts  map[string]bool // handles of drafts that are not dropped
	dropped map[string]bool // handles of drafts that were submitted or thrown away
	heads   map[uint64]vault.Hash
}

func (s *Store) readMirror(want uint64) (mirrored, error) {
	f := mirrored{drafts: map[string]bool{}, dropped: map[string]bool{}, heads: map[uint64]vault.Hash{}}
	m := s.newMirror(s.newestEpoch()) // only the folder is shared with the open one
	m.dicts = map[vault.Hash][]byte{}
	if _, err := os.Stat(m.dir); errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	return f, m.walk(func(_ uint32, fr Frame) error {
		switch fr.Kind {
		case FrameRecord:
			f.records = f.records.add(fr.Number)
			if fr.Number == want {
				if p, err := packet.Parse(fr.Payload); err == nil {
					f.heads[want] = p.Head
				}
			}
		case FrameEvent:
			f.events = f.events.add(fr.Number)
		case FrameDraft:
			f.drafts[fr.Label] = true
			delete(f.dropped, fr.Label)
		case FrameDropped:
			f.dropped[fr.Label] = true
			delete(f.drafts, fr.Label)
		}
		return nil
	})
}

// onwards returns how far r goes without a gap after n.
func (r runs) onwards(n uint64) uint64 {
	for _, x := range r {
		if x.From <= n+1 && x.To > n {
			n = x.To
		}
	}
	return n
}

// plan compares the file, the backup and the mirror. dropped are the drafts that the backup must not bring back. Called
// with write held, or on a closed store.
func (s *Store) plan(backup string) (c Change, dropped map[string]bool, err error) {
	c.From = backup
	if c.Backup, err = s.readBackup(backup); err != nil {
		return c, nil, err
	}
	if s.db != nil {
		c.Now, err = within(s.o.OpenLimit, func() (now Contents, err error) {
			return now, s.db.View(func(tx *bolt.Tx) error {
				now, err = s.contents(tx)
				return err
			})
		})
		c.Opens = err == nil
		if errors.Is(err, ErrForeign) || errors.Is(err, ErrNewer) {
			return c, nil, err
		}
	}
	m, err := s.readMirror(c.Backup.Records)
	if err != nil {
		return c, nil, err
	}
	if h, ok := m.heads[c.Backup.Records]; ok && h != c.Backup.head && c.Backup.Device == s.newestEpoch().Device {
		return c, nil, words.New("store.forked", fmt.Errorf("%w: record %d of the backup is another one", ErrForked, c.Backup.Records))
	}
	had, events := c.Backup.Records, c.Backup.Events
	if c.Backup.Device != s.newestEpoch().Device { // its journal moves aside; the later one is all in the mirror
		had, events = 0, 0
	}
	after := m.records.onwards(had)
	c.FromMirror = after - had
	if after < c.Now.Records {
		c.Lost = c.Now.Records - after
		if c.Now.Acked > after {
			c.LostAcked = c.Now.Acked - after
		}
	} else {
		c.Gained = after - c.Now.Records
	}
	c.Events = m.events.onwards(events)
	for h, sum := range c.Backup.drafts {
		switch now, ok := c.Now.drafts[h]; {
		case m.dropped[h]:
		case !ok:
			c.DraftsBack++
		case now != sum:
			c.DraftsOlder++
		}
	}
	for h := range c.Now.drafts {
		if _, ok := c.Backup.drafts[h]; ok {
			continue
		}
		if m.drafts[h] {
			c.DraftsMirror++
		} else {
			c.DraftsLost++
		}
	}
	return c, m.dropped, nil
}

// prepare writes the file that is to take the old one's place beside it: the backup without the drafts that were submitted
// or thrown away since, marked so that the next login takes back what the mirror has.
func (s *Store) prepare(backup string, dropped map[string]bool) error {
	tmp := s.inDir(restoreName)
	err := func() error {
		if err := copyFile(backup, tmp); err != nil {
			return err
		}
		db, err := s.openBolt(tmp, nil, false)
		if err != nil {
			return err
		}
		err = guarded(func() error {
			return db.Update(func(tx *bolt.Tx) error {
				for h := range dropped {
					if err := tx.Bucket([]byte(bucketDrafts)).Delete([]byte(h)); err != nil {
						return err
					}
				}
				return s.box.put(tx, bucketMeta, keyRestored, s.now().UnixMilli())
			})
		})
		return errors.Join(err, db.Close())
	}()
	s.step("prepared")
	switch {
	case errors.Is(err, errNoSpace):
		return errors.Join(noSpace(0, fmt.Errorf("%w: %w", ErrFull, err)), removed(tmp))
	case err != nil:
		return errors.Join(words.New("backup.notRestored", fmt.Errorf("store: restore: %w", err)), removed(tmp))
	}
	return nil
}

// copyFile copies a file and syncs the copy.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// place keeps the old file under another name and gives its own to the prepared one.
func (s *Store) place() (aside string, err error) {
	aside = s.path + ".replaced-" + s.now().UTC().Format("20060102T150405.000")
	switch err := os.Link(s.path, aside); { // so that there is a file under the old name at every moment
	case errors.Is(err, os.ErrNotExist):
		aside = ""
	case err != nil: // a file system without links: between the two renames a crash leaves no file, and the mirror all
		if err := os.Rename(s.path, aside); err != nil {
			return "", words.New("backup.notRestored", fmt.Errorf("store: restore: %w", err))
		}
	}
	s.step("aside")
	if err := os.Rename(s.inDir(restoreName), s.path); err != nil {
		return aside, words.New("backup.notRestored", fmt.Errorf("store: restore: %w", err))
	}
	s.step("placed")
	return aside, durable.SyncDir(filepath.Dir(s.path))
}
