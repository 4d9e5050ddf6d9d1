package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/frame"
	"bianmin/packaging/bomb"
)

// A mirror segment that was made to keep the processor busy, or to fill the memory, is refused: what a stick carries
// comes from anywhere.
func TestSegmentBombs(t *testing.T) {
	// A frame that says it is whole, at every 27th byte: each would be hashed to its end.
	many := bytes.Repeat(append([]byte("BMF1R\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x3f\x00\x00"), make([]byte, 8)...), 320_000)
	over := append([]byte("BMF1R\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"), make([]byte, 1<<16)...)
	magic := bytes.Repeat([]byte("BMF1"), 1<<20)
	dir := t.TempDir()
	large := filepath.Join(dir, segmentName(1))
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 8<<30); err != nil { // a sparse file
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	bomb.Child(t, func(t *testing.T) {
		none := func(int64, Frame) error { t.Error("a frame"); return nil }
		if _, _, err := frame.Scan(many, suite, none); !errors.Is(err, frame.ErrHostile) {
			t.Errorf("frames that overlap: %v", err)
		}
		for name, data := range map[string][]byte{"a length over the limit": over, "magic alone": magic} {
			if end, _, err := frame.Scan(data, suite, none); err != nil || end != 0 {
				t.Errorf("%s: %d, %v", name, end, err)
			}
		}
		m := &mirror{dir: dir, suite: suite}
		if _, err := m.read(1); !errors.Is(err, ErrDamaged) {
			t.Errorf("a segment of 8 GiB: %v", err)
		}
	})
}

// Honest damage in a segment of many frames is not taken for a bomb.
func TestManyDamagedFramesAreWalked(t *testing.T) {
	var data []byte
	var err error
	for i := range 400 {
		if data, err = frame.Append(data, suite, Frame{Kind: FrameRecord, Number: uint64(i + 1), Payload: bytes.Repeat([]byte{byte(i)}, 40<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	size := len(data) / 400
	for i := range 400 {
		if i%2 == 0 {
			data[i*size+size/2] ^= 1
		}
	}
	found := 0
	if _, bad, err := frame.Scan(data, suite, func(int64, Frame) error { found++; return nil }); err != nil || found != 200 || len(bad) != 200 {
		t.Errorf("%d frames, %d gaps, %v", found, len(bad), err)
	}
}

// FuzzSegment feeds whole segment files to what reads a mirror: it never breaks, and what it finds is what is there.
func FuzzSegment(f *testing.F) {
	r := newRig(f)
	x := newBox(suite, r.ring.MachineKey(), r.ring.MachinePeriod())
	sealed, err := sealToDevice(suite, r.ring.SealPublic(), []byte("envelope"))
	if err != nil {
		f.Fatal(err)
	}
	var seed []byte
	for _, fr := range []Frame{
		{Kind: FrameSegment, Number: 1, Payload: binary.BigEndian.AppendUint32(nil, testDevice)},
		{Kind: FrameDict, Label: string(bytes.Repeat([]byte{1}, 32)), Payload: sealed},
		{Kind: FrameRecord, Label: "machine", Number: 1, Payload: sealed},
		{Kind: FrameReceipt, Number: 1, Payload: sealed},
		{Kind: FrameEvent, Label: "1", Number: 1, Payload: sealed},
		{Kind: FrameDraft, Label: "d", Payload: sealed},
		{Kind: FrameDropped, Label: "d"},
	} {
		if seed, err = frame.Append(seed, suite, fr); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-3])
	f.Add([]byte("BMF1"))
	dir := f.TempDir()
	key := newKey(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		bomb.Bounded(t, bomb.Limit, func() {
			m := &mirror{dir: dir, suite: suite, box: x, device: testDevice, sync: dataSync}
			if err := openMirror(m, nil); err != nil {
				return
			}
			defer m.close()
			frames := 0
			if err := m.walk(func(_ uint32, f Frame) error {
				frames++
				if _, err := openAtDevice(suite, key, f.Payload); err == nil {
					t.Error("an envelope opens with a key that it is not for")
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if m.size > int64(len(data)) || frames == 0 && len(m.records) > 0 {
				t.Fatalf("%d frames in %d bytes of %d", frames, m.size, len(data))
			}
		})
	})
}

// Envelopes of the mirror that are none are refused within memory.
func TestEnvelopeBombs(t *testing.T) {
	key := newKey(t)
	bombs := [][]byte{
		bytes.Repeat([]byte{0x83}, 1<<20),
		{0x83, 1, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		canon.MustMarshal(envelope{V: 1, Key: make([]byte, 1<<20), Body: make([]byte, 1<<20)}),
	}
	bomb.Child(t, func(t *testing.T) {
		for i, data := range bombs {
			if _, err := openAtDevice(suite, key, data); err == nil {
				t.Errorf("bomb %d opens", i)
			}
		}
	})
}
