package store

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// The layout of every sealed value:
//
//	version u8 ‖ n u8 ‖ key id (n bytes) ‖ SM4-GCM ‖ [tag, 16 bytes, when n > 0]
//
// Version 1 holds the value as it is, version 3 an S2 block of it: what names people is text, and half of what a save
// writes is other saves in the same pages. Version 2, one zstd frame, is read only: zstd packs a sixth better, and its
// tables, cold after minutes of typing, took 60 µs of a save. The key id is empty for the machine key and a period's id
// otherwise. The associated data is the bucket, the key, the version and the key id: a value moved elsewhere does not open.
// The tag is an HMAC-SM3 under a key derived from the machine key over bucket, key and value, so that a changed value is
// found while nobody is logged in, too.
const (
	valuePlain  = 1
	valueZstd   = 2
	valuePacked = 3
	macSize     = 16
	leastPacked = 256      // bytes; shorter values are not packed
	maxValue    = 16 << 20 // bytes of an unpacked value
)

// box seals and opens values. Its methods may be called from any goroutine.
type box struct {
	suite   vault.Suite
	machine vault.Key
	mac     []byte // derived from machine
	closed  vault.Period
}

func newBox(s vault.Suite, machine vault.Key, machinePeriod vault.Period) *box {
	m := s.MAC(machine[:], []byte("bianmin/store/mac"))
	return &box{suite: s, machine: machine, mac: m[:], closed: machinePeriod}
}

// tag authenticates a value's place and bytes under the machine's MAC key.
func (x *box) tag(bucket string, key, value []byte) []byte {
	t := x.suite.MAC(x.mac, []byte(bucket), []byte{0}, vault.U64(uint64(len(key))), key, value)
	return t[:macSize]
}

// handle hides an id that may name a person: HMAC-SM3 under the machine's MAC key.
func (x *box) handle(kind, id string) []byte {
	h := x.suite.MAC(x.mac, []byte(kind), []byte{0}, []byte(id))
	return h[:]
}

func aad(bucket string, key []byte, version byte, id string) []byte {
	a := make([]byte, 0, 32+len(bucket)+len(key)+len(id))
	a = append(a, "bianmin/store\x00"...)
	a = append(a, bucket...)
	a = append(a, 0)
	a = append(a, vault.U64(uint64(len(key)))...)
	a = append(a, key...)
	a = append(a, version, byte(len(id)))
	return append(a, id...)
}

// seal makes a value under the machine key.
func (x *box) seal(bucket string, key, plain []byte) ([]byte, error) {
	s, err := x.suite.Seal(x.machine, plain, aad(bucket, key, valuePlain, ""))
	if err != nil {
		return nil, fmt.Errorf("store: seal %s: %w", bucket, err)
	}
	return append([]byte{valuePlain, 0}, s...), nil
}

// sealIn makes a value under k, a key of the period id.
func (x *box) sealIn(id string, k vault.Key, bucket string, key, plain []byte) ([]byte, error) {
	if id == "" || len(id) > 255 {
		return nil, fmt.Errorf("store: seal %s: period id of %d bytes", bucket, len(id))
	}
	version := byte(valuePlain)
	if len(plain) >= leastPacked {
		if packed := s2.Encode(nil, plain); len(packed) < len(plain) {
			version, plain = valuePacked, packed
		}
	}
	s, err := x.suite.Seal(k, plain, aad(bucket, key, version, id))
	if err != nil {
		return nil, fmt.Errorf("store: seal %s: %w", bucket, err)
	}
	v := make([]byte, 0, 2+len(id)+len(s)+macSize)
	v = append(v, version, byte(len(id)))
	v = append(v, id...)
	v = append(v, s...)
	return append(v, x.tag(bucket, key, v)...), nil
}

// split takes a value apart and checks the machine's tag.
func (x *box) split(bucket string, key, value []byte) (id string, sealed []byte, err error) {
	if len(value) < 2 || !knownVersion(value[0]) || len(value) < 2+int(value[1]) {
		return "", nil, fmt.Errorf("%w: %s: value layout", ErrDamaged, bucket)
	}
	n := 2 + int(value[1])
	if n == 2 {
		return "", value[2:], nil
	}
	end := len(value) - macSize
	if end < n || !vault.Equal(x.tag(bucket, key, value[:end]), value[end:]) {
		return "", nil, fmt.Errorf("%w: %s: value does not bear this machine's tag", ErrDamaged, bucket)
	}
	return string(value[2:n]), value[n:end], nil
}

// open opens a value. periods gives the keys of a period; it is not asked for values of the machine.
func (x *box) open(bucket string, key, value []byte, periods func(id string) (vault.Period, error)) ([]byte, error) {
	id, sealed, err := x.split(bucket, key, value)
	if err != nil {
		return nil, err
	}
	k := x.machine
	if id != "" {
		p, err := periods(id)
		if err != nil {
			return nil, err
		}
		k = p.Store
		if bucket == bucketBlobIndex {
			k = p.Blob
		}
	}
	return x.unseal(bucket, k, sealed, key, value[0], id)
}

// unseal opens what split gave, and unpacks it.
func (x *box) unseal(bucket string, k vault.Key, sealed, key []byte, version byte, id string) ([]byte, error) {
	plain, err := x.suite.Open(k, sealed, aad(bucket, key, version, id))
	switch {
	case err != nil:
	case version == valuePacked:
		plain, err = unpack(plain)
	case version == valueZstd:
		plain, err = unzstd().DecodeAll(plain, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, bucket, err)
	}
	return plain, nil
}

func knownVersion(v byte) bool { return v == valuePlain || v == valueZstd || v == valuePacked }

// unpack opens an S2 block of at most maxValue bytes.
func unpack(packed []byte) ([]byte, error) {
	n, err := s2.DecodedLen(packed)
	if err != nil {
		return nil, err
	}
	if n > maxValue {
		return nil, fmt.Errorf("unpacks to %d bytes, at most %d", n, maxValue)
	}
	return s2.Decode(nil, packed)
}

// openKnown opens a value under the key of its period, without looking at the machine's tag: the seal proves the same bytes
// at the same place. The tag is for those who do not have that key.
func (x *box) openKnown(p vault.Period, bucket string, key, value []byte) ([]byte, error) {
	n := 2 + len(p.ID)
	end := len(value) - macSize
	if p.ID == "" || end < n || !knownVersion(value[0]) || int(value[1]) != len(p.ID) || string(value[2:n]) != p.ID {
		return nil, fmt.Errorf("%w: %s: not a value of period %q", ErrDamaged, bucket, p.ID)
	}
	return x.unseal(bucket, p.Store, value[n:end], key, value[0], p.ID)
}

// periodOf tells the key id of a value, unproven; "" when the machine sealed it.
func periodOf(value []byte) string {
	if len(value) < 2 || len(value) < 2+int(value[1]) {
		return ""
	}
	return string(value[2 : 2+int(value[1])])
}

// unzstd unpacks values of version 2. It may be used from any goroutine.
var unzstd = sync.OnceValue(func() *zstd.Decoder {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxValue), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // options are constants
	}
	return dec
})

// put seals v under the machine key and stores it.
func (x *box) put(tx space, bucket string, key []byte, v any) error {
	plain, err := canon.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: encode %s: %w", bucket, err)
	}
	value, err := x.seal(bucket, key, plain)
	if err != nil {
		return err
	}
	return putRaw(tx, bucket, key, value)
}

// putIn seals plain under a key of period p and stores it.
func (x *box) putIn(tx space, p vault.Period, bucket string, key, plain []byte) error {
	k := p.Store
	if bucket == bucketBlobIndex {
		k = p.Blob
	}
	value, err := x.sealIn(p.ID, k, bucket, key, plain)
	if err != nil {
		return err
	}
	return putRaw(tx, bucket, key, value)
}

// get opens a machine-sealed value into v. ErrNotFound when there is none, ErrDamaged when it does not open.
func (x *box) get(tx space, bucket string, key []byte, v any) error {
	value := tx.Bucket([]byte(bucket)).Get(key)
	if value == nil {
		return ErrNotFound
	}
	return x.decode(bucket, key, value, v)
}

// decode opens a machine-sealed value that was read already.
func (x *box) decode(bucket string, key, value []byte, v any) error {
	plain, err := x.open(bucket, key, value, noPeriods)
	if err != nil {
		return err
	}
	if h, ok := v.(byHand); ok {
		r := canon.NewReader(plain)
		h.read(r)
		err = r.Done()
	} else {
		err = canon.Unmarshal(plain, v)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, bucket, err)
	}
	return nil
}

// byHand is a row with a decoder of its own: rows that are read for every record of the journal. It reads what
// canon.Unmarshal would.
type byHand interface{ read(r *canon.Reader) }

// noPeriods is for buckets in which every value is the machine's.
func noPeriods(id string) (vault.Period, error) {
	return vault.Period{}, fmt.Errorf("%w: value of period %q where only the machine writes", ErrDamaged, id)
}

// fill is how full pages are left when they split. Nearly all keys grow, so that a page is never added to again.
const fill = 0.95

func putRaw(tx space, bucket string, key, value []byte) error {
	b := tx.Bucket([]byte(bucket))
	b.FillPercent = fill
	if err := b.Put(key, value); err != nil {
		return fmt.Errorf("store: write %s: %w", bucket, err)
	}
	return nil
}
