package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"bianmin/offline/canon"
	"bianmin/offline/durable"
	"bianmin/offline/frame"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// defaultSegment is the size in bytes after which a new segment is begun.
const defaultSegment = 16 << 20

// maxSegmentFile bounds what is read into memory for one segment.
const maxSegmentFile = 64 << 20

// run is a stretch of consecutive numbers, both ends included.
type run struct {
	_    struct{} `cbor:",toarray"`
	From uint64
	To   uint64
}

// runs is an ordered set of numbers.
type runs []run

func (r runs) has(n uint64) bool {
	i := sort.Search(len(r), func(i int) bool { return r[i].To >= n })
	return i < len(r) && r[i].From <= n
}

func (r runs) last() uint64 {
	if len(r) == 0 {
		return 0
	}
	return r[len(r)-1].To
}

func (r runs) add(n uint64) runs {
	if len(r) > 0 && r[len(r)-1].To+1 == n { // by far the most frequent
		r[len(r)-1].To = n
		return r
	}
	return r.join(run{From: n, To: n})
}

// join puts a stretch in its place and closes up what touches.
func (r runs) join(x run) runs {
	i := sort.Search(len(r), func(i int) bool { return r[i].From > x.From })
	r = append(r, run{})
	copy(r[i+1:], r[i:])
	r[i] = x
	out := r[:1]
	for _, x := range r[1:] {
		p := &out[len(out)-1]
		if x.From <= p.To || x.From-1 == p.To {
			p.To = max(p.To, x.To)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// through returns the last number that follows n without a gap; n when the next one is missing.
func (r runs) through(n uint64) uint64 {
	for _, x := range r {
		if x.From <= n+1 && x.To > n {
			return x.To
		}
	}
	return n
}

// missing returns the numbers of 1..to that are not in r.
func (r runs) missing(to uint64) []uint64 {
	var out []uint64
	next := uint64(1)
	for _, x := range r {
		for ; next < x.From && next <= to; next++ {
			out = append(out, next)
		}
		if x.To >= to {
			return out
		}
		next = max(next, x.To+1)
	}
	for ; next <= to; next++ {
		out = append(out, next)
	}
	return out
}

// segment is what the index knows of one closed segment file.
type segment struct {
	Size     int64 `cbor:"1,keyasint"`
	Records  runs  `cbor:"2,keyasint"`
	Events   runs  `cbor:"3,keyasint"`
	Bad      int64 `cbor:"4,keyasint"` // bytes in which no frame was found
	Receipts runs  `cbor:"5,keyasint"`
}

// mirror is the second copy of everything that must not be lost: an append-only run of segment files. It is used by one
// goroutine at a time.
type mirror struct {
	dir    string
	suite  vault.Suite
	box    *box
	device uint32
	limit  int64
	sync   func(*os.File) error
	dict   []byte

	no       uint32 // number of the open segment; 0 when there is none yet
	file     *os.File
	size     int64
	open     segment
	closed   map[uint32]segment
	records  runs // of all segments
	receipts runs
	bad      int64 // bytes in which no frame was found, the torn tail included
	events   runs
	dicts    map[vault.Hash][]byte
	inOpen   map[string]bool // dictionaries in the open segment, by name
	newest   []byte          // last record frame's packet in the open segment
	torn     int64           // bytes cut off at the end of the last segment when it was opened
}

func segmentName(no uint32) string { return fmt.Sprintf("%06d.bmp", no) }

// segments lists the numbers of the segment files, ascending.
func (m *mirror) segments() ([]uint32, error) {
	list, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, fmt.Errorf("store: list mirror: %w", err)
	}
	var nos []uint32
	for _, e := range list {
		base, ok := strings.CutSuffix(e.Name(), ".bmp")
		if n, err := strconv.ParseUint(base, 10, 32); ok && err == nil && n > 0 {
			nos = append(nos, uint32(n))
		}
	}
	sort.Slice(nos, func(i, j int) bool { return nos[i] < nos[j] })
	return nos, nil
}

// read returns the bytes of a segment.
func (m *mirror) read(no uint32) ([]byte, error) {
	path := filepath.Join(m.dir, segmentName(no))
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("store: mirror: %w", err)
	}
	if info.Size() > maxSegmentFile {
		return nil, fmt.Errorf("%w: mirror segment %d has %d bytes", ErrDamaged, no, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("store: mirror: %w", err)
	}
	return data, nil
}

// scan walks one segment, collecting its dictionaries on the way.
func (m *mirror) scan(no uint32, fn func(off int64, f Frame) error) (data []byte, end int64, bad []frame.Span, err error) {
	if data, err = m.read(no); err != nil {
		return nil, 0, nil, err
	}
	end, bad, err = frame.Scan(data, m.suite, func(off int64, f Frame) error {
		if f.Kind == FrameDict {
			m.learn(f)
		}
		if fn == nil {
			return nil
		}
		return fn(off, f)
	})
	return data, end, bad, err
}

// dictFrame seals a dictionary under the machine key: it was made of form words, but of sample values, too.
func (m *mirror) dictFrame(dict []byte) (Frame, error) {
	name := m.suite.Hash(dict)
	sealed, err := m.box.seal(bucketMirror, name[:], dict)
	return Frame{Kind: FrameDict, Label: string(name[:]), Payload: sealed}, err
}

// learn keeps the dictionary of a frame, when it opens. Packets that need one that does not are named by their own fault.
func (m *mirror) learn(f Frame) {
	if len(f.Label) != vault.HashSize || m.dicts[vault.Hash([]byte(f.Label))] != nil {
		return
	}
	if dict, err := m.box.open(bucketMirror, []byte(f.Label), f.Payload, noPeriods); err == nil {
		m.dicts[vault.Hash([]byte(f.Label))] = dict
	}
}

// walk goes through every frame of every segment in order.
func (m *mirror) walk(fn func(no uint32, f Frame) error) error { return m.walkFrom(0, fn) }

// walkFrom is walk from a segment on.
func (m *mirror) walkFrom(from uint32, fn func(no uint32, f Frame) error) error {
	nos, err := m.segments()
	if err != nil {
		return err
	}
	for _, no := range nos {
		if no < from {
			continue
		}
		if _, _, _, err := m.scan(no, func(_ int64, f Frame) error { return fn(no, f) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *mirror) include(g segment) {
	for _, r := range g.Records {
		m.records = m.records.join(r)
	}
	for _, r := range g.Events {
		m.events = m.events.join(r)
	}
	for _, r := range g.Receipts {
		m.receipts = m.receipts.join(r)
	}
	m.bad += g.Bad
}

// rescan reads every segment again and believes no index.
func (m *mirror) rescan() error {
	nos, err := m.segments()
	if err != nil {
		return err
	}
	m.records, m.events, m.receipts, m.bad = nil, nil, nil, 0
	for _, no := range nos {
		var g segment
		data, end, bad, err := m.scan(no, func(_ int64, f Frame) error { g.note(f); return nil })
		if err != nil {
			return err
		}
		g.Size, g.Bad = int64(len(data)), int64(len(data))-end
		for _, b := range bad {
			g.Bad += b.To - b.From
		}
		m.include(g)
		if no == m.no {
			m.open = g
		} else {
			m.closed[no] = g
		}
	}
	return nil
}

func (g *segment) note(f Frame) {
	switch f.Kind {
	case FrameRecord:
		g.Records = g.Records.add(f.Number)
	case FrameEvent, FrameGone:
		g.Events = g.Events.add(f.Number)
	case FrameReceipt:
		g.Receipts = g.Receipts.add(f.Number)
	}
}

// openMirror reads the folder. known is the index of closed segments; segments it does not know, or whose size
// differs, are read. A torn tail of the last segment is kept aside as .torn and cut off.
func openMirror(m *mirror, known map[uint32]segment) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("store: mirror: %w", err)
	}
	m.closed, m.dicts, m.inOpen = map[uint32]segment{}, map[vault.Hash][]byte{}, map[string]bool{}
	nos, err := m.segments()
	if err != nil {
		return err
	}
	for i, no := range nos {
		last := i == len(nos)-1
		info, err := os.Stat(filepath.Join(m.dir, segmentName(no)))
		if err != nil {
			return fmt.Errorf("store: mirror: %w", err)
		}
		g, ok := known[no]
		if last || !ok || g.Size != info.Size() {
			g = segment{}
			data, end, bad, err := m.scan(no, func(_ int64, f Frame) error {
				g.note(f)
				switch {
				case last && f.Kind == FrameDict:
					m.inOpen[f.Label] = true
				case last && f.Kind == FrameRecord:
					m.newest = bytes.Clone(f.Payload) // the segment is not kept for it
				}
				return nil
			})
			if err != nil {
				return err
			}
			if last && end < int64(len(data)) {
				if err := m.cut(no, data, end); err != nil {
					return err
				}
				m.torn = int64(len(data)) - end
				m.bad += m.torn
				data = data[:end]
			}
			g.Size = int64(len(data))
			for _, b := range bad {
				g.Bad += b.To - b.From
			}
			g.Bad += g.Size - end
		}
		m.include(g)
		if !last {
			m.closed[no] = g
			continue
		}
		f, err := os.OpenFile(filepath.Join(m.dir, segmentName(no)), os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("store: mirror: %w", err)
		}
		m.no, m.file, m.size, m.open = no, f, g.Size, g
	}
	return nil
}

// cut drops a torn tail after keeping a copy beside the segment: it may be evidence.
func (m *mirror) cut(no uint32, data []byte, end int64) error {
	path := filepath.Join(m.dir, segmentName(no))
	if err := os.WriteFile(path+".torn", data[end:], 0o600); err != nil {
		return fmt.Errorf("store: keep torn tail: %w", err)
	}
	if err := os.Truncate(path, end); err != nil {
		return fmt.Errorf("store: cut torn tail: %w", err)
	}
	return nil
}

// begin starts the next segment. The segment carries the dictionary its packets need.
func (m *mirror) begin() error {
	if m.file != nil {
		m.open.Size = m.size
		m.closed[m.no] = m.open
		if err := m.file.Close(); err != nil {
			return fmt.Errorf("store: close mirror segment: %w", err)
		}
		m.file = nil
	}
	no := m.no + 1
	f, err := os.OpenFile(filepath.Join(m.dir, segmentName(no)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("store: begin mirror segment: %w", err)
	}
	m.no, m.file, m.size, m.open = no, f, 0, segment{}
	frames := []Frame{{Kind: FrameSegment, Number: uint64(no), Payload: binary.BigEndian.AppendUint32(nil, m.device)}}
	m.inOpen = map[string]bool{}
	if len(m.dict) > 0 {
		f, err := m.dictFrame(m.dict)
		if err != nil {
			return err
		}
		frames = append(frames, f)
	}
	if err := m.write(frames); err != nil {
		return err
	}
	return durable.SyncDir(m.dir)
}

// setDict makes packets from now on readable: the dictionary goes into the mirror before them.
func (m *mirror) setDict(dict []byte) error {
	m.dict = dict
	if name := m.suite.Hash(dict); len(dict) == 0 || m.file == nil || m.inOpen[string(name[:])] {
		return nil
	}
	f, err := m.dictFrame(dict)
	if err != nil {
		return err
	}
	return m.write([]Frame{f})
}

// append writes the frames behind one another and returns when they are on the disk. rotated is true when a segment was
// closed before. After an error the mirror must not be written to again.
func (m *mirror) append(frames ...Frame) (rotated bool, err error) {
	if len(frames) == 0 {
		return false, nil
	}
	if m.file == nil || m.size >= m.limit {
		rotated = m.file != nil
		if err := m.begin(); err != nil {
			return rotated, err
		}
	}
	return rotated, m.write(frames)
}

func (m *mirror) write(frames []Frame) error {
	var buf []byte
	var err error
	for _, f := range frames {
		if buf, err = frame.Append(buf, m.suite, f); err != nil {
			return err
		}
	}
	if _, err := m.file.WriteAt(buf, m.size); err != nil {
		return fmt.Errorf("store: write mirror: %w", err)
	}
	if err := m.sync(m.file); err != nil {
		return fmt.Errorf("store: sync mirror: %w", err)
	}
	m.size += int64(len(buf))
	m.open.Size = m.size
	for _, f := range frames {
		m.open.note(f)
		switch f.Kind {
		case FrameRecord:
			m.records = m.records.add(f.Number)
		case FrameEvent, FrameGone:
			m.events = m.events.add(f.Number)
		case FrameReceipt:
			m.receipts = m.receipts.add(f.Number)
		case FrameDict:
			m.learn(f)
			m.inOpen[f.Label] = true
		}
	}
	return nil
}

func (m *mirror) close() error {
	if m.file == nil {
		return nil
	}
	err := m.file.Close()
	m.file = nil
	return err
}

// packets returns the newest one-record packets of the records from..to, in order. A record that is not in the mirror
// is an error.
func (m *mirror) packets(from, to uint64) ([][]byte, error) {
	found := make(map[uint64][]byte, to-from+1)
	nos, err := m.segments()
	if err != nil {
		return nil, err
	}
	for _, no := range nos {
		if g, ok := m.closed[no]; ok && !g.touches(from, to) {
			continue
		}
		if _, _, _, err := m.scan(no, func(_ int64, f Frame) error {
			if f.Kind == FrameRecord && f.Number >= from && f.Number <= to {
				found[f.Number] = f.Payload
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	out := make([][]byte, 0, len(found))
	for n := from; n <= to; n++ {
		p, ok := found[n]
		if !ok {
			return nil, fmt.Errorf("%w: record %d is not in the mirror", ErrDamaged, n)
		}
		out = append(out, p)
	}
	return out, nil
}

func (g segment) touches(from, to uint64) bool {
	for _, r := range g.Records {
		if r.From <= to && r.To >= from {
			return true
		}
	}
	return false
}

// envelope is something sealed to the device's encryption key: a random key under SM2, the rest under SM4-GCM.
type envelope struct {
	_    struct{} `cbor:",toarray"`
	V    uint8
	Key  []byte
	Body []byte
}

var envelopeAAD = []byte("bianmin/mirror/v1\x00")

func sealToDevice(s vault.Suite, pub vault.PublicKey, plain []byte) ([]byte, error) {
	p, err := packet.Prepare(s, []vault.PublicKey{pub})
	if err != nil {
		return nil, err
	}
	return sealPrepared(s, p, plain)
}

// sealPrepared seals under a key that was sealed to this device alone; used up, it is an error.
func sealPrepared(s vault.Suite, p *packet.Prepared, plain []byte) ([]byte, error) {
	k, keys, ok := p.Take()
	if !ok || len(keys) != 1 {
		return nil, errors.New("store: no fresh key")
	}
	defer clear(k[:])
	e := envelope{V: 1, Key: keys[0].Sealed}
	var err error
	if e.Body, err = s.Seal(k, plain, envelopeAAD); err != nil {
		return nil, err
	}
	return canon.Marshal(e)
}

func openAtDevice(s vault.Suite, key vault.PrivateKey, data []byte) ([]byte, error) {
	var e envelope
	if err := canon.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	raw, err := key.OpenSealed(e.Key)
	if err != nil {
		return nil, err
	}
	if e.V != 1 || len(raw) != vault.KeySize {
		return nil, errors.New("store: mirror envelope of an unknown version")
	}
	return s.Open(vault.Key(raw), e.Body, envelopeAAD)
}
