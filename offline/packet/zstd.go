package packet

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/vault"
)

// Settings of codec 1. The window bounds what an encoder keeps, MaxPlain what a decoder returns. The next level saves
// 2% of bytes for three times the memory (10 MB against 33 MB for an encoder that has seen a large run).
const (
	rawDictID  = 0 // of a dictionary not in zstd's own format: frames name none, as zstd's own program expects
	leastDict  = 16
	window     = 1 << 20
	small      = 32 << 10 // bytes; up to here the quick level is smaller too, as setting up the tables is most of the work
	coderLimit = 2        // runs compressed or decompressed at the same time, per dictionary
	maxCoders  = 8        // dictionaries whose coders are kept
)

var zstdDictMagic = []byte{0x37, 0xa4, 0x30, 0xec}

// coder is an encoder and a decoder for one dictionary. Both may be used from any goroutine; making them is what costs,
// so they are kept.
type coder struct {
	name  vault.Hash
	enc   *zstd.Encoder
	quick *zstd.Encoder // for small input
	dec   *zstd.Decoder
}

var (
	coderMu sync.Mutex // protects coders
	coders  []*coder   // most recently used last
)

// coderFor returns the coder of a dictionary (nil: none), whose SM3 is name.
func coderFor(s vault.Suite, name vault.Hash, dict []byte) (*coder, error) {
	coderMu.Lock()
	defer coderMu.Unlock()
	for i, c := range coders {
		if c.name == name {
			coders = append(append(coders[:i:i], coders[i+1:]...), c)
			return c, nil
		}
	}
	if len(dict) > 0 && s.Hash(dict) != name {
		return nil, errors.New("packet: dictionary is not the one of that name")
	}
	c, err := newCoder(name, dict)
	if err != nil {
		return nil, err
	}
	if len(coders) >= maxCoders {
		coders = coders[1:] // in use or not: the collector frees it when it is not
	}
	coders = append(coders, c)
	return c, nil
}

func newCoder(name vault.Hash, dict []byte) (*coder, error) {
	eo := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(coderLimit), zstd.WithWindowSize(window),
		zstd.WithEncoderCRC(false), // the GCM tag guards the bytes
	}
	do := []zstd.DOption{
		zstd.WithDecoderConcurrency(coderLimit), zstd.WithDecoderMaxMemory(MaxPlain), zstd.WithDecoderMaxWindow(MaxPlain),
		zstd.WithDecodeAllCapLimit(true),
	}
	switch {
	case len(dict) == 0:
	case len(dict) < leastDict || len(dict) > MaxDict:
		return nil, fmt.Errorf("packet: dictionary of %d bytes", len(dict))
	case bytes.HasPrefix(dict, zstdDictMagic):
		eo, do = append(eo, zstd.WithEncoderDict(dict)), append(do, zstd.WithDecoderDicts(dict))
	default:
		eo, do = append(eo, zstd.WithEncoderDictRaw(rawDictID, dict)), append(do, zstd.WithDecoderDictRaw(rawDictID, dict))
	}
	enc, err := zstd.NewWriter(nil, eo...)
	if err != nil {
		return nil, fmt.Errorf("packet: zstd: %w", err)
	}
	quick, err := zstd.NewWriter(nil, append(eo, zstd.WithEncoderLevel(zstd.SpeedFastest))...)
	if err != nil {
		return nil, fmt.Errorf("packet: zstd: %w", err)
	}
	dec, err := zstd.NewReader(nil, do...)
	if err != nil {
		return nil, fmt.Errorf("packet: zstd: %w", err)
	}
	return &coder{name, enc, quick, dec}, nil
}

func compress(s vault.Suite, plain []byte, name vault.Hash, dict []byte) ([]byte, error) {
	c, err := coderFor(s, name, dict)
	if err != nil {
		return nil, err
	}
	if len(plain) <= small {
		return c.quick.EncodeAll(plain, nil), nil
	}
	return c.enc.EncodeAll(plain, nil), nil
}

// unsized is how many bytes a frame may hold that does not say how many: those of less than 256 do not.
const unsized = 4 << 10

// plainSize returns how many bytes data announces: they are allocated once, and not one more.
func plainSize(data []byte) (uint64, error) {
	var h zstd.Header
	switch err := h.Decode(data); {
	case err != nil:
		return 0, fmt.Errorf("%w: zstd: %w", ErrFormat, err)
	case !h.HasFCS:
		return unsized, nil
	case h.FrameContentSize > MaxPlain:
		return 0, fmt.Errorf("%w: records of %d bytes", ErrFormat, h.FrameContentSize)
	}
	return h.FrameContentSize, nil
}

func decompress(s vault.Suite, data []byte, name vault.Hash, dict []byte) ([]byte, error) {
	c, err := coderFor(s, name, dict)
	if err != nil {
		return nil, err
	}
	room, err := plainSize(data)
	if err != nil {
		return nil, err
	}
	plain, err := c.dec.DecodeAll(data, make([]byte, 0, room))
	switch {
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return nil, fmt.Errorf("%w: %w", ErrNeedDict, err)
	case err != nil:
		return nil, fmt.Errorf("%w: zstd: %w", ErrFormat, err)
	}
	return plain, nil
}
