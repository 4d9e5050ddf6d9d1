package desk

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/vault"
)

// What an input method learned of an operator's typing names people. It is kept in a file of its own for each operator,
// sealed to the device's encryption key, which nobody has before somebody has logged in; not in the database and its mirror,
// where wiping would leave copies behind.
const learnedFolder = "learned"

// mostLearned bounds such a file, in bytes: the 2,000 words of package ime are far shorter.
const mostLearned = 1 << 20

// learnedState is the sealed content: whose it is, so that files cannot be exchanged.
type learnedState struct {
	_        struct{} `cbor:",toarray"`
	Operator string
	Key      []byte // of Data, sealed to the device
	Data     []byte
}

func (d *Desk) learnedFile(operator string) string {
	key := d.ring.MachineKey()
	h := d.cfg.Suite.MAC(key[:], []byte("learned words of\x00"), []byte(operator))
	return filepath.Join(d.cfg.Dir, learnedFolder, hex.EncodeToString(h[:16]))
}

// learnedAAD binds the data to the operator.
func learnedAAD(operator string) []byte { return []byte("bianmin learned words\x00" + operator) }

// LearnedWords returns what an input method learned of this operator's typing; nil for nothing. What cannot be read, or is
// somebody else's, is an error.
func (s *Session) LearnedWords() ([]byte, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(s.d.learnedFile(s.op.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("desk: learned words: %w", err)
	}
	var st learnedState
	if err := canon.Unmarshal(raw, &st); err != nil {
		return nil, fmt.Errorf("desk: learned words: %w", err)
	}
	device := s.keys.SealKey()
	if device == nil {
		return nil, counter.ErrLocked
	}
	k, err := device.OpenSealed(st.Key)
	if err != nil {
		return nil, fmt.Errorf("desk: learned words: %w", err)
	}
	defer clear(k)
	var key vault.Key
	if len(k) != len(key) || st.Operator != s.op.ID {
		return nil, errors.New("desk: learned words: not this operator's")
	}
	copy(key[:], k)
	defer clear(key[:])
	data, err := s.d.cfg.Suite.Open(key, st.Data, learnedAAD(s.op.ID))
	if err != nil {
		return nil, fmt.Errorf("desk: learned words: %w", err)
	}
	return data, nil
}

// KeepLearned stores what was learned, durable when it returns; nil wipes it. After an erasure what a session still has from
// before it is not taken any more: it may name who was erased.
func (s *Session) KeepLearned(_ context.Context, data []byte) error {
	if err := s.open(); err != nil {
		return err
	}
	path := s.d.learnedFile(s.op.ID)
	if data == nil {
		return removeLearned(path)
	}
	if len(data) > mostLearned {
		return fmt.Errorf("desk: learned words: %d bytes", len(data))
	}
	if s.erasures != s.d.erasures.Load() {
		return nil
	}
	key, err := s.d.cfg.Suite.NewKey()
	if err != nil {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	defer clear(key[:])
	st := learnedState{Operator: s.op.ID}
	if st.Data, err = s.d.cfg.Suite.Seal(key, data, learnedAAD(s.op.ID)); err != nil {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	if st.Key, err = s.d.cfg.Suite.SealTo(s.d.ring.SealPublic(), key[:]); err != nil {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	return writeFile(path, canon.MustMarshal(st))
}

// forgetLearned wipes what was learned of everybody's typing: an erased person's name may be among it.
func (d *Desk) forgetLearned() error {
	d.erasures.Add(1)
	if err := os.RemoveAll(filepath.Join(d.cfg.Dir, learnedFolder)); err != nil {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	return nil
}

func removeLearned(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("desk: learned words: %w", err)
	}
	return nil
}
