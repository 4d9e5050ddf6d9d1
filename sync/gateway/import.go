package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"slices"

	"bianmin/offline/frame"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// KindLost stands in a header row for a record that is in no copy any more: its frame was damaged, and the machine is
// dead. Its hash is known when the record after it is here, else it is zero.
const KindLost = "lost"

// Reasons why a frame of an imported mirror was not taken, translation keys of the program bianmin-gatewayd.
const (
	ImportForeign = "import.foreign" // of a device that this platform does not know
	ImportForged  = "import.forged"  // not signed by the device that it names
	ImportDamaged = "import.damaged" // bytes that are no frame, or a frame that holds no packet
	ImportSealed  = "import.sealed"  // does not open with the platform's keys
	ImportDict    = "import.dict"    // needs a dictionary that no published pack has
	ImportForked  = "import.forked"  // contradicts what the platform holds, and follows nothing that is here; kept as evidence
	ImportWaiting = "import.waiting" // the records before it are in another segment, which was not given
)

// MirrorFile is one segment file of a mirror.
type MirrorFile struct {
	Name string
	Data []byte
}

// ImportRefused is a stretch of a mirror, or a record, that was not taken.
type ImportRefused struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
	Device uint32 `json:"device"` // 0 when it cannot be told
	Seq    uint64 `json:"seq"`    // 0 when it cannot be told
	Reason string `json:"reason"` // one of the Import… keys
	Detail string `json:"detail"`
}

// ImportedDevice is what an import did for one device.
type ImportedDevice struct {
	Device  uint32   `json:"device"`
	Station string   `json:"station"`
	Frames  int      `json:"frames"`  // genuine record frames, duplicates counted once
	Held    int      `json:"held"`    // of them held before, with equal hashes
	Carried int      `json:"carried"` // of them on a branch that went on in a new epoch: held there
	New     int      `json:"new"`     // of them new
	Cases   int      `json:"cases"`   // of the new ones submissions
	Lost    []uint64 `json:"lost"`    // records in no copy: their frames are damaged
	Seq     uint64   `json:"seq"`     // the platform's last record afterwards
	Revoked bool     `json:"revoked"`
	// CutFrom and CutTo say how the cut of a withdrawn device moved; equal when it did not.
	CutFrom uint64 `json:"cutFrom"`
	CutTo   uint64 `json:"cutTo"`
}

// ImportReport is what Import did.
type ImportReport struct {
	Files   int              `json:"files"`
	Devices []ImportedDevice `json:"devices"`
	Refused []ImportRefused  `json:"refused"`
}

// importer is one import while it runs.
type importer struct {
	g       *Gateway
	files   []MirrorFile
	numbers []uint64             // of the segments; 0 when it cannot be told
	frames  map[uint32][]frameOf // genuine or not, by the device they name
	rep     ImportReport
	forked  []forkedFrame
}

// forkedFrame is a record that contradicts the journal, and where it stands among those refused.
type forkedFrame struct {
	at int
	l  *load
}

// frameOf is one record frame of a mirror, with where it was.
type frameOf struct {
	file   int
	offset int64
	size   int64
	l      *load
}

// Import takes the mirror of a machine that cannot speak for itself any more. Records that are new are stored as if the
// device had sent them, in order and once; those that are held with equal hashes are counted. A frame that is foreign,
// forged or damaged is named in the report, and the rest is taken: a record whose only frame is damaged leaves a gap
// (KindLost), when the frames around it show that nothing but damage is missing. Records that contradict the journal are a
// branch, and get an epoch of their own. For a withdrawn device the cut moves to
// the last record imported. The error is for what stopped the import; importing again goes on where it stopped.
func (g *Gateway) Import(ctx context.Context, files []MirrorFile) (ImportReport, error) {
	m := &importer{g: g, files: files, numbers: make([]uint64, len(files)), frames: map[uint32][]frameOf{}}
	m.rep = ImportReport{Files: len(files), Devices: []ImportedDevice{}, Refused: []ImportRefused{}}
	for i := range files {
		if err := m.read(i); err != nil {
			return m.rep, err
		}
	}
	for _, n := range slices.Sorted(maps.Keys(m.frames)) {
		d, _, err := g.Device(ctx, n)
		if errors.Is(err, ErrNotFound) {
			for _, f := range m.frames[n] {
				m.refuse(f, ImportForeign, "")
			}
			continue
		}
		if err != nil {
			return m.rep, err
		}
		done, err := m.device(ctx, d)
		if err != nil {
			return m.rep, fmt.Errorf("gateway: import device %d: %w", n, err)
		}
		m.rep.Devices = append(m.rep.Devices, done)
	}
	if err := m.carryBranches(ctx); err != nil {
		return m.rep, fmt.Errorf("gateway: import branches: %w", err)
	}
	return m.rep, m.settleForked(ctx)
}

// settleForked takes back what was said about records of a branch that went on in a new epoch: they are held there.
func (m *importer) settleForked(ctx context.Context) error {
	gone := map[int]bool{}
	err := m.g.store.View(ctx, func(tx Tx) error {
		for _, f := range m.forked {
			r := m.rep.Refused[f.at]
			rows, err := tx.Carried(r.Device, r.Seq)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(rows, func(c CarriedRow) bool { return c.FormerHash == f.l.rows[0].Hash }) {
				continue
			}
			gone[f.at] = true
			for i := range m.rep.Devices {
				if m.rep.Devices[i].Device == r.Device {
					m.rep.Devices[i].Carried++
				}
			}
		}
		return nil
	})
	left := []ImportRefused{}
	for i, r := range m.rep.Refused {
		if !gone[i] {
			left = append(left, r)
		}
	}
	m.rep.Refused = left
	return err
}

func (m *importer) refuse(f frameOf, reason, detail string) {
	r := ImportRefused{File: m.files[f.file].Name, Offset: f.offset, Bytes: f.size, Reason: reason, Detail: detail}
	if f.l != nil {
		r.Device, r.Seq = f.l.p.Device, f.l.p.From
	}
	m.rep.Refused = append(m.rep.Refused, r)
}

// read collects the record frames of one segment file.
func (m *importer) read(no int) error {
	file := m.files[no]
	if n, err := fmt.Sscanf(path.Base(file.Name), "%06d.bmp", &m.numbers[no]); n != 1 || err != nil {
		m.numbers[no] = 0
	}
	end, spans, err := frame.Scan(file.Data, m.g.s, func(off int64, f frame.Frame) error {
		if f.Kind == frame.Segment {
			m.numbers[no] = f.Number
		}
		if f.Kind != frame.Record {
			return nil
		}
		at := frameOf{file: no, offset: off, size: int64(len(f.Payload))}
		p, err := packet.Parse(bytes.Clone(f.Payload))
		if err != nil {
			m.refuse(at, ImportDamaged, err.Error())
			return nil
		}
		at.l = &load{p: p}
		m.frames[p.Device] = append(m.frames[p.Device], at)
		return nil
	})
	if tail := int64(len(file.Data)); end < tail {
		spans = append(spans, frame.Span{From: end, To: tail})
	}
	for _, s := range spans {
		m.refuse(frameOf{file: no, offset: s.From, size: s.To - s.From}, ImportDamaged, "")
	}
	return err
}

// device verifies the frames of one device and stores what is new.
func (m *importer) device(ctx context.Context, d DeviceRow) (ImportedDevice, error) {
	g, frames := m.g, m.frames[d.Device]
	done := ImportedDevice{Device: d.Device, Station: d.Station, Lost: []uint64{}, Revoked: d.Revoked != 0, CutFrom: d.CutSeq, CutTo: d.CutSeq}
	errs := make([]error, len(frames))
	each(len(frames), func(i int) {
		if errs[i] = frames[i].l.p.Verify(g.s, d.SignKey); errs[i] == nil {
			g.unpack(frames[i].l)
		}
	})
	var good []frameOf
	for i, f := range frames {
		switch {
		case errs[i] != nil:
			m.refuse(f, ImportForged, errs[i].Error())
		case f.l.need == "dict":
			m.refuse(f, ImportDict, f.l.p.Dict.String())
		case f.l.need != "" || f.l.err != nil:
			m.refuse(f, ImportSealed, f.l.need)
		default:
			good = append(good, f)
		}
	}
	// All frames of one record have one hash, unless the journal forked.
	slices.SortStableFunc(good, func(a, b frameOf) int { return cmp.Compare(a.l.p.From, b.l.p.From) })
	good = slices.CompactFunc(good, func(a, b frameOf) bool { return a.l.p.From == b.l.p.From && a.l.p.Head == b.l.p.Head })
	done.Frames = len(good)
	good, err := m.fill(ctx, d, &done, good)
	if err != nil {
		return done, err
	}
	for len(good) > 0 {
		_, head, err := g.Device(ctx, d.Device)
		if err != nil {
			return done, err
		}
		n := 1
		if m.branches(good[0]) {
			m.refuseForked(good[0], "")
		} else if good[0].l.p.From > head.Seq+1 {
			err = m.gap(ctx, d, &done, head, good[0])
		} else {
			n, err = m.run(ctx, d, &done, good)
		}
		if err == nil {
			err = g.CatchUp(ctx)
		}
		if err != nil {
			return done, err
		}
		good = good[n:]
	}
	return done, m.moveCut(ctx, d, &done)
}

// fill puts records that an earlier import had to call lost in their places: the chain confirms them from behind. It returns
// the frames that are left.
func (m *importer) fill(ctx context.Context, d DeviceRow, done *ImportedDevice, good []frameOf) ([]frameOf, error) {
	var lost []HeaderRow
	if err := m.g.store.View(ctx, func(tx Tx) (err error) {
		lost, err = tx.Lost(d.Device)
		return err
	}); err != nil || len(lost) == 0 {
		return good, err
	}
	var expect vault.Hash // of the record before the one that was filled last
	var next uint64
	for _, row := range lost {
		if row.Hash.IsZero() && next == row.Seq+1 {
			row.Hash = expect
		}
		i := slices.IndexFunc(good, func(f frameOf) bool { return f.l.p.From == row.Seq && f.l.p.To == row.Seq && f.l.p.Head == row.Hash })
		if i < 0 {
			continue
		}
		l := good[i].l
		err := m.g.store.Update(ctx, func(tx Tx) error {
			if err := tx.FillLost(m.g.packetRow(l.p, m.g.cfg.Now().UnixMilli()), l.rows[0]); err != nil {
				return err
			}
			p := projector{g: m.g, tx: tx, d: d, live: true}
			return p.record(l.records[0])
		})
		if err != nil {
			return good, err
		}
		expect, next = l.p.Prev, row.Seq
		done.count(step{records: l.records})
		good = slices.Delete(good, i, i+1)
	}
	return good, nil
}

// branches reports whether a record follows the last one that contradicted the journal.
func (m *importer) branches(f frameOf) bool {
	if len(m.forked) == 0 {
		return false
	}
	last, p := m.forked[len(m.forked)-1].l.p, f.l.p
	return p.Device == last.Device && p.From == last.To+1 && p.Prev == last.Head
}

func (m *importer) refuseForked(f frameOf, detail string) {
	m.forked = append(m.forked, forkedFrame{len(m.rep.Refused), f.l})
	m.refuse(f, ImportForked, detail)
}

// run stores the next frames, as many as one transaction takes, and returns how many it has dealt with.
func (m *importer) run(ctx context.Context, d DeviceRow, done *ImportedDevice, good []frameOf) (int, error) {
	n := 1
	for n < len(good) && n < wire.MaxPackets && good[n].l.p.From <= good[n-1].l.p.To+1 {
		n++
	}
	loads := make([]*load, n)
	for i := range loads {
		loads[i] = good[i].l
	}
	plan, err := m.g.plan(ctx, d, loads)
	if err != nil {
		return 0, err
	}
	held := n
	if plan.fork != nil { // what was planned before it counts; the packet itself is kept as evidence
		n = 1 + slices.IndexFunc(loads, func(l *load) bool { return l.p == plan.evidence[0] })
		held = n - 1
	}
	err = m.g.keep(ctx, d, plan)
	if errors.Is(err, ErrMoved) {
		return 0, nil // the device is alive after all, and was quicker
	}
	if err != nil {
		return 0, err
	}
	if plan.fork != nil {
		m.refuseForked(good[n-1], fmt.Sprintf("after record %d", plan.fork.To))
	}
	for _, s := range plan.steps {
		held -= len(s.records)
		done.count(s)
	}
	done.Held += held
	return n, nil
}

func (done *ImportedDevice) count(s step) {
	done.New += len(s.records)
	for _, r := range s.records {
		if r.Kind == journal.KindCaseSubmitted {
			done.Cases++
		}
	}
}

// gap takes a record whose predecessors are in no frame. When damaged bytes in the files given explain that, the gap is
// written as lost; else the frame waits for the segment that is missing.
func (m *importer) gap(ctx context.Context, d DeviceRow, done *ImportedDevice, head Head, f frameOf) error {
	p := f.l.p
	if !m.explained(f, head.Seq) {
		m.refuse(f, ImportWaiting, fmt.Sprintf("records %d to %d", head.Seq+1, p.From-1))
		return nil
	}
	var rows []HeaderRow
	for seq := head.Seq + 1; seq < p.From; seq++ {
		row := HeaderRow{Seq: seq, Kind: KindLost}
		if seq == p.From-1 {
			row.Hash = p.Prev
		}
		rows = append(rows, row)
		done.Lost = append(done.Lost, seq)
	}
	s := step{p: p, records: f.l.records, rows: f.l.rows}
	err := m.g.store.Update(ctx, func(tx Tx) error {
		return tx.AddPacket(m.g.packetRow(p, m.g.cfg.Now().UnixMilli()), append(rows, s.rows...), head.Seq, head.Hash, p.Head)
	})
	if err != nil {
		return err
	}
	m.g.log.WarnContext(ctx, "imported past lost records", slog.Uint64("device", uint64(d.Device)), slog.Uint64("from", head.Seq+1), slog.Uint64("to", p.From-1))
	done.count(s)
	return nil
}

// explained reports whether damage explains the gap before a frame: something before it in its file, or in the segment
// before, was refused, and that stretch of the mirror begins with a record that is held, or with the mirror itself.
// Without that, what is missing may lie whole in a segment that was not given.
func (m *importer) explained(f frameOf, held uint64) bool {
	near := func(file int, off int64) bool {
		before := m.numbers[f.file] > 1 && m.numbers[file] == m.numbers[f.file]-1 &&
			path.Dir(m.files[file].Name) == path.Dir(m.files[f.file].Name)
		return file == f.file && off < f.offset || before
	}
	damaged := slices.ContainsFunc(m.rep.Refused, func(r ImportRefused) bool {
		if r.Reason == ImportForked || r.Reason == ImportWaiting {
			return false
		}
		i := slices.IndexFunc(m.files, func(x MirrorFile) bool { return x.Name == r.File })
		return near(i, r.Offset)
	})
	whole := m.numbers[f.file] == 1 || slices.ContainsFunc(m.frames[f.l.p.Device], func(o frameOf) bool {
		return near(o.file, o.offset) && (o.l.p.From <= held || m.numbers[o.file] == 1)
	})
	return damaged && whole
}

// moveCut moves the cut of a withdrawn device behind what was imported, and tells the county's other devices.
func (m *importer) moveCut(ctx context.Context, d DeviceRow, done *ImportedDevice) error {
	g := m.g
	var told []uint32
	err := g.store.Update(ctx, func(tx Tx) error {
		head, err := tx.Head(d.Device)
		if err != nil {
			return err
		}
		done.Seq = head.Seq
		if d.Revoked == 0 || head.Seq <= d.CutSeq {
			return nil
		}
		if err := tx.RevokeDevice(d.Device, d.Revoked, d.Reason, head.Seq, head.Hash); err != nil {
			return err
		}
		done.CutTo = head.Seq
		told, err = g.publishKeys(tx, d.Station, d.Device)
		return err
	})
	if err != nil {
		return err
	}
	g.hub.wake(told...)
	return nil
}

// bridge moves a projection over lost records: there is nothing to project.
func (g *Gateway) bridge(ctx context.Context, device uint32, from, to uint64) error {
	return g.store.Update(ctx, func(tx Tx) error {
		rows, err := tx.Headers(device, from+1, to)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Kind != KindLost {
				return fmt.Errorf("gateway: no packet of device %d holds record %d", device, r.Seq)
			}
		}
		return tx.SetProjected(device, from, to)
	})
}

// lostBefore reports whether all records after seq and before a packet are lost, and the last one is what the packet
// follows.
func lostBefore(tx Tx, device uint32, seq uint64, p PacketRow, prev vault.Hash) (bool, error) {
	rows, err := tx.Headers(device, seq+1, p.From-1)
	if err != nil || uint64(len(rows)) != p.From-1-seq {
		return false, err
	}
	for _, r := range rows {
		if r.Kind != KindLost {
			return false, nil
		}
	}
	return rows[len(rows)-1].Hash == prev, nil
}
