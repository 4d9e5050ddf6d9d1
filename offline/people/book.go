package people

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
	"bianmin/offline/pinyin"
)

// ErrBook reports a book that is not of this version, or not what was written. It is made again from the roster.
var ErrBook = errors.New("people: book does not open")

// Pages is where a book lies. Page 0 holds the index, every other page a person or a household. Pages are read from any
// goroutine.
type Pages interface {
	// Page returns what was written as page no, or an error when it is not that any more. The pages behind the first lie one
	// after another: at is the sum of the sizes that [Roster.Write] was told of those before, and n the size of this one.
	Page(no int, at int64, n int) ([]byte, error)
	io.Closer
}

// Book is a roster as a station reads it. It knows by heart who is found by which name, number and telephone, and looks
// persons up in its pages. It may be used from any goroutine. The zero Book is of nobody.
type Book struct {
	once sync.Once
	open func() (*Book, error) // nil: this book is open
	err  error

	mu     sync.RWMutex // guards closed, and pages against being closed while they are read
	closed bool
	pages  Pages
	index
}

// index is page 0: what a search needs.
type index struct {
	source, asOf string
	divisions    []string // of the households
	persons      int
	ends         []uint32 // of the pages of persons, then of households
	names        *pinyin.Index
	number       []uint64 // ID numbers without their check character
	tail         []uint16 // their last four characters
	phone        []uint64 // hashes of telephone numbers; 0: none
	id           []uint64 // hashes of roster ids of persons, then of households

	byNumber, byTail, byPhone, byID []uint32 // rows in the order of the columns above
}

// LogValue keeps the book to its size.
func (b *Book) LogValue() slog.Value { return slog.GroupValue(slog.Int("persons", b.Len())) }

// Later returns a book that is opened by its first use, or by Wait. Every error of open is told by every use.
func Later(open func() (*Book, error)) *Book { return &Book{open: open} }

// Wait opens the book, if it is not yet.
func (b *Book) Wait() error {
	if b == nil {
		return nil
	}
	b.once.Do(func() {
		if b.open == nil {
			return
		}
		o, err := b.open()
		b.open = nil // it may hold keys
		if err != nil {
			b.err = err
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.closed {
			b.err = errors.Join(ErrClosed, o.Close())
			return
		}
		b.pages, b.index = o.pages, o.index
	})
	return b.err
}

// ErrClosed reports a book that was closed.
var ErrClosed = fmt.Errorf("%w: closed", ErrBook)

// Close forgets the book.
func (b *Book) Close() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.pages == nil {
		return nil
	}
	return b.pages.Close()
}

// Len returns the number of persons; 0 of a book that does not open.
func (b *Book) Len() int {
	if b.Wait() != nil || b == nil {
		return 0
	}
	return b.persons
}

// Divisions returns the codes of the villages that households live in.
func (b *Book) Divisions() ([]string, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	return b.divisions, nil
}

// page reads the page of person or household i.
func (b *Book) page(i int) (*canon.Reader, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return nil, ErrClosed
	}
	from := uint32(0)
	if i > 0 {
		from = b.ends[i-1]
	}
	data, err := b.pages.Page(i+1, int64(from), int(b.ends[i]-from))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBook, err)
	}
	return canon.NewReader(data), nil
}

func (b *Book) person(i int) (*Person, error) {
	r, err := b.page(i)
	if err != nil {
		return nil, err
	}
	p := readPerson(r)
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: person %d: %w", ErrBook, i, err)
	}
	p.source, p.asOf = b.source, b.asOf
	return &p, nil
}

// Each gives every person in the roster's order to fn.
func (b *Book) Each(fn func(p *Person) error) error {
	if err := b.Wait(); err != nil || b == nil {
		return err
	}
	for i := range b.persons {
		p, err := b.person(i)
		if err == nil {
			err = fn(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Person returns the person with a roster id, or nil.
func (b *Book) Person(id string) (*Person, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	for _, i := range equal(b.byID, b.id, sum(id)) {
		if int(i) >= b.persons {
			continue
		}
		if p, err := b.person(int(i)); err != nil || p.ID == id {
			return p, err
		}
	}
	return nil, nil
}

// Household returns the household with an id, or nil.
func (b *Book) Household(id string) (*Household, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	for _, i := range equal(b.byID, b.id, sum(id)) {
		if int(i) < b.persons {
			continue
		}
		r, err := b.page(int(i))
		if err != nil {
			return nil, err
		}
		h := readHousehold(r)
		if err := r.Done(); err != nil {
			return nil, fmt.Errorf("%w: household %d: %w", ErrBook, i, err)
		}
		if h.ID == id {
			return &h, nil
		}
	}
	return nil, nil
}

// ByNumber returns the person with an ID number as typed or read from the card, or nil.
func (b *Book) ByNumber(number string) (*Person, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	found, err := b.withNumber(ident.Normalize(number))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func (b *Book) withNumber(q string) ([]*Person, error) {
	n, ok := digits17(q)
	if !ok {
		return nil, nil
	}
	return b.those(equal(b.byNumber, b.number, n), 1, func(p *Person) bool { return p.Elements[IDNo].Value == q })
}

// those reads persons, at most limit of them (0: all), and keeps the ones that fit.
func (b *Book) those(list []uint32, limit int, fits func(*Person) bool) ([]*Person, error) {
	var out []*Person
	for _, i := range list {
		if limit > 0 && len(out) == limit {
			break
		}
		p, err := b.person(int(i))
		if err != nil {
			return nil, err
		}
		if fits(p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// WithNumber returns the person whose ID number fits, nil when nobody's does. fits is called for every number of the roster
// until one does; it must not keep them.
func (b *Book) WithNumber(fits func(number string) bool) (*Person, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	for i, n := range b.number {
		if n == 0 {
			continue
		}
		whole, ok := ident.Complete(fmt.Sprintf("%017d", n))
		if !ok || !fits(whole) {
			continue
		}
		return b.person(i)
	}
	return nil, nil
}

// Find returns the persons that a query names, best first, at most limit of them (0: all): a name or part of one, its
// pinyin or initials, a whole ID number, its last four characters, or a telephone number. An empty query finds nobody:
// a roster is not for browsing.
func (b *Book) Find(query string, limit int) ([]*Person, error) {
	if err := b.Wait(); err != nil || b == nil {
		return nil, err
	}
	q := ident.Normalize(query)
	if q == "" || b.persons == 0 {
		return nil, nil
	}
	if len(q) == 18 {
		if found, err := b.withNumber(q); err != nil || len(found) > 0 {
			return found, err
		}
	}
	if t, ok := tailOf(q); ok && len(q) == 4 {
		return b.those(equal(b.byTail, b.tail, t), limit, func(*Person) bool { return true })
	}
	if len(q) >= 10 {
		found, err := b.those(equal(b.byPhone, b.phone, sum(q)), limit, func(p *Person) bool {
			return ident.Normalize(p.Elements[Phone].Value) == q
		})
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	if strings.ContainsAny(q, "0123456789") {
		return nil, nil // part of a number names nobody, and must not become a way to guess
	}
	hits := b.names.Search(query, limit)
	list := make([]uint32, len(hits))
	for i, h := range hits {
		list[i] = uint32(h.ID)
	}
	return b.those(list, limit, func(*Person) bool { return true })
}

// equal returns the numbers, out of order, of the rows whose column holds v.
func equal[T cmp.Ordered](order []uint32, column []T, v T) []uint32 {
	from, _ := slices.BinarySearchFunc(order, v, func(i uint32, v T) int { return cmp.Compare(column[i], v) })
	to := from
	for to < len(order) && column[order[to]] == v {
		to++
	}
	return order[from:to]
}

// digits17 reads the first 17 digits of an ID number.
func digits17(q string) (n uint64, ok bool) {
	if len(q) != 18 {
		return 0, false
	}
	for _, c := range []byte(q[:17]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// tailOf reads the last four characters of a number.
func tailOf(q string) (t uint16, ok bool) {
	if len(q) < 4 {
		return 0, false
	}
	q = q[len(q)-4:]
	for _, c := range []byte(q[:3]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		t = t*10 + uint16(c-'0')
	}
	switch c := q[3]; {
	case c == 'X':
		return t*11 + 10, true
	case c >= '0' && c <= '9':
		return t*11 + uint16(c-'0'), true
	}
	return 0, false
}

// sum hashes what is compared again when the person is read: FNV-1a, never 0.
func sum(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return max(h, 1)
}
