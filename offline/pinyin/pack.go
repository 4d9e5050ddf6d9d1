package pinyin

import (
	"errors"

	"bianmin/offline/canon"
)

// errPacked reports bytes that are not a packed index.
var errPacked = errors.New("pinyin: not an index")

// Append appends the index in a form that Read takes: to read it is a tenth of the work of building it. The form may change
// with any version of this program.
func (x *Index) Append(b []byte) []byte {
	b = canon.AppendUint(b, uint64(x.entries))
	b = canon.AppendList(b, len(x.toks))
	for _, t := range x.toks {
		b = canon.AppendUint(b, uint64(t.r))
		b = canon.AppendBool(b, t.han)
		b = canon.AppendList(b, len(t.py))
		for _, py := range t.py {
			b = canon.AppendText(b, py)
		}
	}
	b = canon.AppendList(b, len(x.texts))
	for i, t := range x.texts {
		b = canon.AppendUint(b, uint64(t.entry))
		b = canon.AppendBool(b, t.other)
		seq := x.tokensOf(i)
		b = canon.AppendList(b, len(seq))
		for _, id := range seq {
			b = canon.AppendUint(b, uint64(id))
		}
	}
	return b
}

// Read reads an index that Append wrote.
func Read(r *canon.Reader) (*Index, error) {
	x := &Index{entries: int(r.Below(1 << 31))}
	x.toks = make([]token, r.List())
	for i := range x.toks {
		t := &x.toks[i]
		t.r, t.han = rune(r.Below(1<<31)), r.Bool()
		if n := r.List(); n > 0 {
			t.py = make([]string, n)
			for k := range t.py {
				if t.py[k] = r.Text(); t.py[k] == "" && r.Err() == nil {
					return nil, errPacked
				}
			}
		}
	}
	x.texts = make([]text, r.List())
	x.seq = make([]uint32, 0, 3*len(x.texts))
	last := uint32(0)
	for i := range x.texts {
		t := text{entry: uint32(r.Below(uint64(max(x.entries, 1)))), other: r.Bool(), at: uint32(len(x.seq))}
		for range r.List() {
			x.seq = append(x.seq, uint32(r.Below(uint64(max(len(x.toks), 1)))))
		}
		if t.entry < last || r.Err() != nil {
			return nil, errPacked
		}
		last = t.entry
		x.texts[i] = t
	}
	if r.Err() != nil {
		return nil, errPacked
	}
	x.post()
	return x, nil
}
