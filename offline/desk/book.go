package desk

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"bianmin/offline/catalog"
	"bianmin/offline/durable"
	"bianmin/offline/people"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// A roster pack is read once, when it arrives, into a book beside it: <pack>.book. A town of a hundred thousand persons would
// take seconds and hundreds of megabytes at every login otherwise. The book is sealed page by page, so that one person is
// read without the others; what is held in memory is page 0, the index. See docs/packs.md.
const (
	bookSuffix  = ".book"
	bookMagic   = "BMB1"
	bookKeySize = vault.PublicKeySize + vault.HashSize + vault.KeySize // SM4 key, sealed to the device's encryption key
	bookTail    = 8                                                    // bytes at the end: length of the sealed index
	maxBookHead = 64 << 20                                             // bytes of the sealed index
)

func (d *Desk) bookFile(n packName) string {
	return filepath.Join(d.cfg.Dir, packsFolder, n.file()+bookSuffix)
}

// bookAAD binds a page to its place in the book of one pack, and to the rules by which the pack was looked through.
func bookAAD(pack vault.Hash, no int) []byte {
	aad := binary.BigEndian.AppendUint64([]byte("bianmin/roster-book/v1\x00"), catalog.CheckVersion)
	aad = append(aad, pack[:]...)
	return binary.BigEndian.AppendUint64(aad, uint64(no))
}

// makeBook writes the book of a roster. Nobody need be logged in: it is sealed to the device's encryption key.
func (d *Desk) makeBook(n packName, r *people.Roster) (err error) {
	s := d.cfg.Suite
	key, err := s.NewKey()
	if err != nil {
		return err
	}
	defer clear(key[:])
	sealed, err := s.SealTo(d.ring.SealPublic(), key[:])
	if err != nil {
		return err
	}
	path := d.bookFile(n)
	f, err := os.OpenFile(path+".part", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	defer func() {
		if err != nil {
			err = words.New("desk.folderUnwritable", errors.Join(err, f.Close(), os.Remove(path+".part")))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<18)
	if _, err := w.Write(append([]byte(bookMagic), sealed...)); err != nil {
		return err
	}
	head := 0
	if err := r.Write(func(no int, page []byte) (int, error) {
		out, err := s.Seal(key, page, bookAAD(n.hash, no))
		if err != nil {
			return 0, err
		}
		if no == 0 {
			head = len(out)
		}
		return w.Write(out)
	}); err != nil {
		return err
	}
	if _, err := w.Write(binary.BigEndian.AppendUint64(nil, uint64(head))); err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// sealedPages are the pages of a book file.
type sealedPages struct {
	f     *os.File
	suite vault.Suite
	key   vault.Key
	pack  vault.Hash
}

var _ people.Pages = (*sealedPages)(nil)

// Page implements [people.Pages].
func (p *sealedPages) Page(no int, at int64, n int) ([]byte, error) {
	return p.read(no, int64(len(bookMagic)+bookKeySize)+at, n)
}

func (p *sealedPages) read(no int, at int64, n int) ([]byte, error) {
	buf := make([]byte, n)
	if _, err := p.f.ReadAt(buf, at); err != nil {
		return nil, fmt.Errorf("desk: book page %d: %w", no, err)
	}
	return p.suite.Open(p.key, buf, bookAAD(p.pack, no))
}

// Close implements [people.Pages].
func (p *sealedPages) Close() error {
	clear(p.key[:])
	return p.f.Close()
}

// readBook opens the book of a pack.
func (d *Desk) readBook(n packName, key vault.PrivateKey) (b *people.Book, err error) {
	f, err := os.Open(d.bookFile(n))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	begin := make([]byte, len(bookMagic)+bookKeySize)
	if _, err := io.ReadFull(f, begin); err != nil || string(begin[:len(bookMagic)]) != bookMagic {
		return nil, fmt.Errorf("desk: book: no beginning: %w", errors.Join(people.ErrBook, err))
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	end := info.Size() - bookTail
	tail := make([]byte, bookTail)
	if _, err := f.ReadAt(tail, max(end, 0)); err != nil {
		return nil, fmt.Errorf("desk: book: no end: %w", err)
	}
	head := binary.BigEndian.Uint64(tail)
	if head > maxBookHead || int64(head) > end-int64(len(begin)) {
		return nil, fmt.Errorf("desk: book: index of %d bytes: %w", head, people.ErrBook)
	}
	k, err := key.OpenSealed(begin[len(bookMagic):])
	if err != nil || len(k) != vault.KeySize {
		return nil, fmt.Errorf("desk: book: key: %w", errors.Join(people.ErrBook, err))
	}
	defer clear(k)
	p := &sealedPages{f: f, suite: d.cfg.Suite, key: vault.Key(k), pack: n.hash}
	index, err := p.read(0, end-int64(head), int(head))
	if err != nil {
		return nil, err
	}
	return people.OpenBook(index, p)
}

// openBook opens the book of a roster pack, and makes it first when it is not there, of another version or damaged. A pack
// that does not open is set aside, so that the next exchange fetches it again.
func (d *Desk) openBook(n packName, key vault.PrivateKey) (*people.Book, error) {
	b, err := d.readBook(n, key)
	if err == nil {
		return b, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		d.cfg.Log.Warn("roster book is made again", slog.Any("cause", err))
	}
	p, err := d.openPack(n, key)
	if errors.Is(err, errPackDamaged) {
		if aerr := d.setPackAside(n, err); aerr != nil {
			return nil, aerr
		}
	}
	if err != nil {
		return nil, err
	}
	if err := d.makeBook(n, p.Roster()); err != nil {
		return nil, err
	}
	return d.readBook(n, key)
}

// rosterPack gives the set a roster without reading it: its book is opened after the login, or by the first search.
func (d *Desk) rosterPack(n packName, key vault.PrivateKey) *catalog.Pack {
	return catalog.RosterPack(d.en.Station.County, n.version, n.hash, 0, people.Later(func() (*people.Book, error) {
		return d.openBook(n, key)
	}))
}

// dropBook removes the book of a pack that is gone.
func (d *Desk) dropBook(n packName) {
	if err := os.Remove(d.bookFile(n)); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.cfg.Log.Warn("remove book of a pack", slog.Any("cause", err))
	}
}

// checkBook opens the roster's book after a login, and says in the log what is wrong with it.
func (d *Desk) checkBook(c *catalog.Catalog) {
	codes, err := c.Roster.Divisions()
	if err == nil {
		err = c.CheckRoster(codes)
	}
	if err != nil && !errors.Is(err, people.ErrClosed) {
		d.cfg.Log.Error("roster", slog.Any("cause", err))
	}
}

// closeBook ends the use of a book. d.mu is held.
func (d *Desk) closeBook() {
	if d.catalog == nil {
		return
	}
	if err := d.catalog.Roster.Close(); err != nil {
		d.cfg.Log.Warn("close roster", slog.Any("cause", err))
	}
}

// bookFault gives words to an error of the roster. A book of which a page does not open is dropped: it is made again from its
// pack at once.
func (d *Desk) bookFault(err error) error {
	var w *words.Error
	if err == nil || errors.As(err, &w) || errors.Is(err, people.ErrClosed) {
		return err
	}
	d.cfg.Log.Error("roster", slog.Any("cause", err))
	d.mu.Lock()
	defer d.mu.Unlock()
	held, herr := heldPacks(d.cfg.Dir)
	if n, ok := newestPacks(held)[catalog.KindRoster]; ok && herr == nil && d.unlocked != nil {
		d.closeBook()
		d.dropBook(n)
		d.setCatalog(d.unlocked.SealKey())
	}
	return words.New("desk.packDamaged", err)
}

// doctorBook reads the whole book of the roster, when somebody is logged in. It reports whether the book had to be made again.
func (d *Desk) doctorBook() (again bool) {
	d.mu.Lock()
	c := d.catalog
	d.mu.Unlock()
	if c == nil {
		return false
	}
	err := c.Roster.Each(func(*people.Person) error { return nil })
	return err != nil && !errors.Is(err, people.ErrClosed) && d.bookFault(err) != nil
}
