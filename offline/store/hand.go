package store

import (
	"bytes"
	"errors"

	"bianmin/offline/canon"
	"bianmin/offline/casefile"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

var (
	_ byHand = (*headerRow)(nil)
	_ byHand = (*Row)(nil)
)

// headerFields are the fields that every header row has; a salt of its own may come after them.
const headerFields = 10

var errHeaderShape = errors.New("store: not the fields of a header row")

func (h *headerRow) read(r *canon.Reader) {
	n := r.Map()
	if n != headerFields && n != headerFields+1 {
		r.Refuse(errHeaderShape)
	}
	r.Key(1)
	h.Header = journal.ReadHeader(r)
	r.Key(2)
	h.Period = r.Text()
	r.Key(3)
	copy(h.Sum[:], r.Exactly(vault.HashSize))
	r.Key(4)
	h.Case = r.Uint()
	r.Key(5)
	h.Service = r.Text()
	r.Key(6)
	h.Item = r.Text()
	r.Key(7)
	h.Due = r.Int32()
	r.Key(8)
	h.Urgent = r.Bool()
	r.Key(9)
	h.Receipt = r.Bool()
	r.Key(10)
	h.Purged = r.Bool()
	if n > headerFields {
		r.Key(11)
		h.Salt = bytes.Clone(r.Bytes())
	}
}

// rowFields are the fields that every summary row has; that it is fresh may come after them.
const rowFields = 10

var errRowShape = errors.New("store: not the fields of a summary row")

func (x *Row) read(r *canon.Reader) {
	n := r.Map()
	if n != rowFields && n != rowFields+1 {
		r.Refuse(errRowShape)
	}
	r.Key(1)
	x.Seq = r.Uint()
	r.Key(2)
	x.Service = r.Text()
	r.Key(3)
	x.Item = r.Text()
	r.Key(4)
	x.State = casefile.State(r.Text())
	r.Key(5)
	x.Due = r.Int32()
	r.Key(6)
	x.Urgent = r.Bool()
	r.Key(7)
	x.SubmittedAt = r.Int()
	r.Key(8)
	x.LastSeq = r.Uint()
	r.Key(9)
	x.Accepted = r.Bool()
	r.Key(10)
	x.Quarantined = r.Bool()
	if n > rowFields {
		r.Key(11)
		if x.Fresh = r.Bool(); !x.Fresh {
			r.Refuse(errRowShape)
		}
	}
}
