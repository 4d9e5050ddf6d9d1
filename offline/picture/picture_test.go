package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime/debug"
	"testing"

	"bianmin/packaging/bomb"
)

func chunk(name string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, name...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// pngBomb is a picture of zeros: a thousandth of its size in memory.
func pngBomb(t testing.TB, w, h uint32, depth, colour, interlace byte) []byte {
	t.Helper()
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	samples := map[byte]uint64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
	var idat bytes.Buffer
	z := zlib.NewWriter(&idat)
	rows := uint64(h) * (1 + (uint64(w)*samples*uint64(depth)+7)/8)
	if rows > 2*MaxMemory {
		rows = 1 << 20 // it is refused by its head
	}
	block := make([]byte, 1<<16)
	for rows > 0 {
		n := min(rows, uint64(len(block)))
		if _, err := z.Write(block[:n]); err != nil {
			t.Fatal(err)
		}
		rows -= n
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	out := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(head, depth, colour, 0, 0, interlace))...)
	if colour == 3 {
		out = append(out, chunk("PLTE", make([]byte, 3))...)
	}
	out = append(out, chunk("IDAT", idat.Bytes())...)
	return append(out, chunk("IEND", nil)...)
}

func segment(marker byte, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2)), data...)
}

// jpegBomb is a head that announces w by h, and scans that say nothing.
func jpegBomb(w, h uint16, parts int, progressive bool, scans int) []byte {
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, h), w)
	frame = append(frame, byte(parts))
	scan := []byte{byte(parts)}
	for i := range parts {
		frame = append(frame, byte(i+1), 0x11, 0)
		scan = append(scan, byte(i+1), 0)
	}
	marker := byte(0xc0)
	if progressive {
		marker = 0xc2
	}
	table := append(make([]byte, 65), 0)[:65]
	for i := range table[1:] {
		table[i+1] = 1
	}
	huff := append([]byte{0, 1}, append(make([]byte, 15), 0)...)
	acHuff := append([]byte{0x10, 1}, append(make([]byte, 15), 0xe0)...) // one code: the rest of 2^14 blocks is empty
	out := append([]byte{0xff, 0xd8}, segment(0xdb, table)...)
	out = append(append(append(out, segment(marker, frame)...), segment(0xc4, huff)...), segment(0xc4, acHuff)...)
	for i := range scans {
		if progressive && i > 0 {
			out = append(out, segment(0xda, []byte{1, 1, 0, 1, 63, 0})...)
		} else {
			out = append(out, segment(0xda, append(bytes.Clone(scan), 0, 0, 0))...)
		}
		out = append(out, bytes.Repeat([]byte{0}, 64)...)
	}
	return append(out, 0xff, 0xd9)
}

// Small files that announce great pictures, or endless passes, are refused; the largest that is not takes no more than
// it may.
func TestBombs(t *testing.T) {
	refused := map[string][]byte{
		"png 60000 x 60000":            pngBomb(t, 60000, 6000, 8, 2, 0),
		"png 2^31 x 2^31":              pngBomb(t, 1<<31, 0, 8, 6, 0),
		"png 30000 x 2000 of 64 bits":  pngBomb(t, 30000, 2000, 16, 6, 0),
		"png 9000 x 6000, interlaced":  pngBomb(t, 9000, 6000, 8, 2, 1),
		"png 3100 x 3100":              pngBomb(t, 3100, 3100, 8, 6, 0),
		"jpeg 65535 x 65535":           jpegBomb(65535, 65535, 3, false, 1),
		"jpeg 8000 x 7000 progressive": jpegBomb(8000, 7000, 3, true, 1),
		"jpeg 3000 x 2000 progressive": jpegBomb(3000, 2000, 3, true, 1),
		"jpeg 6000 x 4000 in 4 parts":  jpegBomb(6000, 4000, 4, false, 1),
		"jpeg of 20000 passes":         jpegBomb(1600, 1200, 1, true, 20000),
	}
	largest := map[string][]byte{
		"png": pngBomb(t, 3050, 3050, 8, 6, 0), "png of greys": pngBomb(t, 3000, 3000, 8, 0, 0), "png of colours": pngBomb(t, 6000, 6000, 8, 3, 0),
		"png of 64 bits": pngBomb(t, 2100, 2100, 16, 6, 0), "png, interlaced": pngBomb(t, 2400, 2400, 8, 6, 1),
		"jpeg": jpegBomb(3400, 3400, 3, false, 1), "jpeg, progressive": jpegBomb(1500, 1500, 3, true, maxScans),
		"jpeg in 4 parts": jpegBomb(2000, 2000, 4, false, 1),
	}
	bomb.Child(t, func(t *testing.T) {
		for name, data := range refused {
			if _, err := Decode(data); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s (%d bytes): %v", name, len(data), err)
			}
			debug.FreeOSMemory()
		}
		for name, data := range largest {
			if _, err := Decode(data); errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
			debug.FreeOSMemory()
		}
	})
}

func sample(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	return img
}

// What cameras and scanners make is read; a large photograph, too, because its file is large.
func TestHonestPictures(t *testing.T) {
	encode := func(write func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	gray := image.NewGray(image.Rect(0, 0, 2480, 3508)) // A4 at 300 dpi
	pal := image.NewPaletted(image.Rect(0, 0, 40, 30), color.Palette{color.White, color.Black})
	for name, data := range map[string][]byte{
		"scan":       encode(func(b *bytes.Buffer) error { return png.Encode(b, gray) }),
		"palette":    encode(func(b *bytes.Buffer) error { return png.Encode(b, pal) }),
		"photograph": encode(func(b *bytes.Buffer) error { return jpeg.Encode(b, sample(4000, 3000), nil) }),
		"30 million": encode(func(b *bytes.Buffer) error { return jpeg.Encode(b, sample(6000, 5000), &jpeg.Options{Quality: 20}) }),
		"drawing":    encode(func(b *bytes.Buffer) error { return png.Encode(b, sample(600, 240)) }),
	} {
		img, err := Decode(data)
		if err != nil || img.Bounds().Empty() {
			t.Errorf("%s (%d bytes): %v", name, len(data), err)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "gif": []byte("GIF89a......"), "half a head": []byte("\x89PNG\r\n\x1a\n\x00")} {
		if _, err := Decode(data); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No file breaks the reader, and a small one costs little.
func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, sample(4, 4)); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(b.Bytes()))
	b.Reset()
	if err := jpeg.Encode(&b, sample(9, 9), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(jpegBomb(64, 64, 3, true, 3))
	f.Add(pngBomb(f, 64, 64, 8, 6, 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		bomb.Bounded(t, 2*bomb.Limit, func() {
			img, err := Decode(data)
			if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("an error without a name: %v", err)
			}
			if err == nil && img.Bounds().Empty() {
				t.Fatal("an empty picture")
			}
		})
	})
}
