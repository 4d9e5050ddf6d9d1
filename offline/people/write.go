package people

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
	"bianmin/offline/pinyin"
)

// bookVersion is the layout of a book. A book of another version is made again from its roster.
const bookVersion = 1

// Write makes a book of the roster, which must be whole: put is given the pages 1, 2, 3 … and at last page 0. It says how
// many bytes each takes where it lies.
func (r *Roster) Write(put func(no int, page []byte) (size int, err error)) error {
	x := index{source: r.Source, asOf: r.AsOf, persons: len(r.Persons)}
	var names pinyin.Builder
	var room []byte
	end := 0
	page := func() error {
		n, err := put(len(x.ends)+1, room)
		if end += n; err == nil && end > math.MaxUint32 {
			err = fmt.Errorf("people: book of %d bytes", end)
		}
		x.ends = append(x.ends, uint32(end))
		return err
	}
	for i := range r.Persons {
		p := &r.Persons[i]
		var err error
		if room, err = p.append(room[:0]); err == nil {
			err = page()
		}
		if err != nil {
			return err
		}
		names.AddName(p.Name())
		id := p.Elements[IDNo].Value
		number, whole := digits17(id)
		tail, short := tailOf(id)
		if !whole || !short {
			return fmt.Errorf("%w: persons[%d]: ID number", ErrRoster, i)
		}
		phone := uint64(0)
		if tel := ident.Normalize(p.Elements[Phone].Value); tel != "" {
			phone = sum(tel)
		}
		x.number, x.tail, x.phone, x.id = append(x.number, number), append(x.tail, tail), append(x.phone, phone), append(x.id, sum(p.ID))
	}
	for i := range r.Households {
		h := &r.Households[i]
		data, err := canon.Marshal(h)
		if err != nil {
			return err
		}
		room = append(room[:0], data...)
		if err := page(); err != nil {
			return err
		}
		x.id = append(x.id, sum(h.ID))
	}
	x.divisions = r.Divisions()
	x.names = names.Index()
	x.byNumber, x.byTail, x.byPhone, x.byID = order(x.number), order(x.tail), order(x.phone), order(x.id)
	_, err := put(0, x.append(nil))
	return err
}

// order returns the rows in the order of a column, equal ones as they stand.
func order[T cmp.Ordered](column []T) []uint32 {
	out := make([]uint32, len(column))
	for i := range out {
		out[i] = uint32(i)
	}
	slices.SortStableFunc(out, func(a, b uint32) int { return cmp.Compare(column[a], column[b]) })
	return out
}

func (x *index) append(b []byte) []byte {
	b = canon.AppendUint(b, bookVersion)
	b = canon.AppendText(canon.AppendText(b, x.source), x.asOf)
	b = canon.AppendList(b, len(x.divisions))
	for _, d := range x.divisions {
		b = canon.AppendText(b, d)
	}
	b = canon.AppendUint(b, uint64(x.persons))
	b = canon.AppendUint(b, uint64(len(x.ends)))
	for _, c := range [][]uint32{x.ends, x.byNumber, x.byTail, x.byPhone, x.byID} {
		b = canon.AppendBytes(b, column(c, 4, func(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }))
	}
	for _, c := range [][]uint64{x.number, x.phone, x.id} {
		b = canon.AppendBytes(b, column(c, 8, func(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }))
	}
	b = canon.AppendBytes(b, column(x.tail, 2, func(b []byte, v uint16) { binary.LittleEndian.PutUint16(b, v) }))
	return x.names.Append(b)
}

func column[T any](c []T, size int, put func([]byte, T)) []byte {
	b := make([]byte, size*len(c))
	for i, v := range c {
		put(b[i*size:], v)
	}
	return b
}

func readColumn[T any](r *canon.Reader, n, size int, get func([]byte) T) []T {
	b := r.Exactly(n * size)
	if r.Err() != nil {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i] = get(b[i*size:])
	}
	return out
}

// OpenBook opens a book whose page 0 is given. ErrBook reports one that is not of this version.
func OpenBook(page0 []byte, pages Pages) (*Book, error) {
	r := canon.NewReader(page0)
	if v := r.Uint(); v != bookVersion {
		return nil, fmt.Errorf("%w: version %d", ErrBook, v)
	}
	var x index
	x.source, x.asOf = r.Text(), r.Text()
	x.divisions = make([]string, r.List())
	for i := range x.divisions {
		x.divisions[i] = r.Text()
	}
	x.persons = int(r.Below(MaxPersons + 1))
	all := int(r.Below(4 * MaxPersons))
	for i, c := range []*[]uint32{&x.ends, &x.byNumber, &x.byTail, &x.byPhone, &x.byID} {
		n := x.persons
		if i == 0 || i == 4 {
			n = all
		}
		*c = readColumn(r, n, 4, binary.LittleEndian.Uint32)
		for _, v := range *c {
			if i > 0 && int(v) >= n {
				r.Refuse(ErrBook)
			}
		}
	}
	x.number = readColumn(r, x.persons, 8, binary.LittleEndian.Uint64)
	x.phone = readColumn(r, x.persons, 8, binary.LittleEndian.Uint64)
	x.id = readColumn(r, all, 8, binary.LittleEndian.Uint64)
	x.tail = readColumn(r, x.persons, 2, binary.LittleEndian.Uint16)
	if r.Err() != nil || all < x.persons || !slices.IsSorted(x.ends) {
		return nil, fmt.Errorf("%w: index", ErrBook)
	}
	var err error
	if x.names, err = pinyin.Read(r); err != nil || r.Done() != nil || x.names.Len() != x.persons {
		return nil, fmt.Errorf("%w: names", ErrBook)
	}
	return &Book{pages: pages, index: x}, nil
}

// memory is the pages of a small book.
type memory struct{ pages [][]byte }

// Page implements [Pages].
func (m *memory) Page(no int, _ int64, _ int) ([]byte, error) { return m.pages[no], nil }

// Close implements [Pages].
func (m *memory) Close() error { return nil }

// Book returns a book in memory, for a small roster or a short time.
func (r *Roster) Book() (*Book, error) {
	m := &memory{pages: make([][]byte, 1)}
	err := r.Write(func(no int, page []byte) (int, error) {
		page = slices.Clone(page)
		if no == 0 {
			m.pages[0] = page
		} else {
			m.pages = append(m.pages, page)
		}
		return len(page), nil
	})
	if err != nil {
		return nil, err
	}
	return OpenBook(m.pages[0], m)
}
