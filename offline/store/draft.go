package store

import (
	"errors"
	"fmt"
	"log/slog"
	"sort"

	bolt "go.etcd.io/bbolt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Draft is a case that nobody has signed yet.
type Draft struct {
	ID       string `cbor:"1,keyasint"` // made by the caller; not empty
	Service  string `cbor:"2,keyasint"` // item's short id
	Operator string `cbor:"3,keyasint"` // whose work it is
	Field    string `cbor:"4,keyasint"` // where the cursor was
	Step     string `cbor:"5,keyasint"` // which page was open
	CaseSeq  uint64 `cbor:"6,keyasint"` // answer to a correction: the case; 0 otherwise
	Cursor   uint64 `cbor:"7,keyasint"` // answer to a correction: the event that asked
	Updated  int64  `cbor:"8,keyasint"` // Unix milliseconds; set by SaveDraft when 0
	Body     []byte `cbor:"9,keyasint"` // the form's values, as the caller encodes them
	// Checkpoint asks SaveDraft to write the draft to the mirror, too: at every page change. It is not stored.
	Checkpoint bool `cbor:"-"`
}

// LogValue keeps what the citizen said out of logs.
func (d Draft) LogValue() slog.Value {
	return slog.GroupValue(slog.String("service", d.Service), slog.String("step", d.Step))
}

// SaveDraft stores a draft, durable when it returns. It may be called on every change of a field: it costs one small
// transaction, and one more sync with Checkpoint. Errors: ErrLocked, ErrFull, ErrFailed, ErrBehind.
func (s *Store) SaveDraft(d Draft) error {
	if d.ID == "" {
		return errors.New("store: draft without id")
	}
	if err := s.write.act(); err != nil {
		return err
	}
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	u, err := s.needUnlocked()
	if err != nil {
		return err
	}
	if err := s.room(); err != nil {
		return err
	}
	if d.Updated == 0 {
		d.Updated = s.now().UnixMilli()
	}
	checkpoint := d.Checkpoint
	d.Checkpoint = false
	if err := s.update(func(tx *bolt.Tx) error { return (&work{s: s, tx: tx}).putDraft(u, d) }); err != nil {
		return err
	}
	if !checkpoint {
		return nil
	}
	sealed, err := sealToDevice(s.o.Suite, s.o.Ring.SealPublic(), canon.MustMarshal(d))
	if err != nil {
		return fmt.Errorf("store: seal draft: %w", err)
	}
	return s.mirror(Frame{Kind: FrameDraft, Label: string(s.box.handle("draft", d.ID)), Payload: sealed})
}

func (w *work) putDraft(u *vault.Unlocked, d Draft) error {
	p, err := u.Period(w.s.present())
	if err != nil {
		return err
	}
	plain, err := canon.Marshal(d)
	if err != nil {
		return fmt.Errorf("store: draft: %w", err)
	}
	return w.s.box.putIn(w.tx, p, bucketDrafts, w.s.box.handle("draft", d.ID), plain)
}

func (s *Store) draft(key, value []byte) (Draft, error) {
	var d Draft
	plain, err := s.box.open(bucketDrafts, key, value, s.period)
	if err != nil {
		return d, fmt.Errorf("draft: %w", err)
	}
	if err := canon.Unmarshal(plain, &d); err != nil {
		return d, fmt.Errorf("%w: draft: %w", ErrDamaged, err)
	}
	return d, nil
}

// Draft returns one draft. Errors: ErrNotFound, ErrLocked, ErrDamaged.
func (s *Store) Draft(id string) (Draft, error) {
	var d Draft
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		key := s.box.handle("draft", id)
		value := tx.Bucket([]byte(bucketDrafts)).Get(key)
		if value == nil {
			return fmt.Errorf("%w: draft", ErrNotFound)
		}
		d, err = s.draft(key, value)
		return err
	})
	return d, wrapRead(err)
}

// Drafts returns all drafts, the newest first. Drafts that cannot be read are left out and counted in the error,
// which is returned together with the others. Errors: ErrLocked, ErrDamaged.
func (s *Store) Drafts() ([]Draft, error) {
	if _, err := s.needUnlocked(); err != nil {
		return nil, err
	}
	var out []Draft
	var bad error
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketDrafts)).ForEach(func(k, v []byte) error {
			d, err := s.draft(k, v)
			if err != nil {
				bad = errors.Join(bad, err)
				return nil
			}
			out = append(out, d)
			return nil
		})
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Updated > out[j].Updated })
	if err == nil && bad != nil {
		err = words.New("store.damagedValue", bad)
	}
	return out, err
}

// DropDraft throws a draft away. No error when there is none.
func (s *Store) DropDraft(id string) error {
	if err := s.write.act(); err != nil {
		return err
	}
	defer s.write.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	key := s.box.handle("draft", id)
	found := false
	if err := s.update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketDrafts))
		found = b.Get(key) != nil
		return b.Delete(key)
	}); err != nil || !found {
		return err
	}
	return s.mirror(Frame{Kind: FrameDropped, Label: string(key)})
}

// maxMirroredDoc is the size in bytes up to which documents are copied to the mirror: settings and lists, not packs.
const maxMirroredDoc = 512 << 10

// docRow is a document with its name, which the key hides.
type docRow struct {
	Name string `cbor:"1,keyasint"`
	Data []byte `cbor:"2,keyasint"`
}

// PutDoc stores a small document under the machine key: readable while nobody is logged in, so it must name no citizen.
// nil data removes it. It is durable when PutDoc returns. Errors: ErrFull, ErrFailed.
func (s *Store) PutDoc(name string, data []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.putDoc(name, data)
}

// putDoc is PutDoc with write held.
func (s *Store) putDoc(name string, data []byte) error {
	s.mu.RLock()
	failed := s.failed
	s.mu.RUnlock()
	if failed != nil {
		return failed
	}
	if err := s.room(); err != nil {
		return err
	}
	key := s.box.handle("doc", name)
	if data == nil {
		return s.update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(bucketDocs)).Delete(key) })
	}
	value, err := s.box.seal(bucketDocs, key, canon.MustMarshal(docRow{Name: name, Data: data}))
	if err != nil {
		return err
	}
	if err := s.update(func(tx *bolt.Tx) error { return putRaw(tx, bucketDocs, key, value) }); err != nil {
		return err
	}
	if len(value) > maxMirroredDoc {
		return nil
	}
	return s.mirror(Frame{Kind: FrameDoc, Label: string(key), Payload: value})
}

// Doc returns a document. Errors: ErrNotFound, ErrDamaged.
func (s *Store) Doc(name string) ([]byte, error) {
	var row docRow
	err := s.db.View(func(tx *bolt.Tx) error {
		if err := s.box.get(tx, bucketDocs, s.box.handle("doc", name), &row); err != nil {
			return fmt.Errorf("document %s: %w", name, err)
		}
		return nil
	})
	return row.Data, wrapRead(err)
}
