package desk

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"runtime/debug"
	"testing"

	"bianmin/offline/words"
	"bianmin/packaging/bomb"
)

// What a clerk may choose as a photograph never takes more than it may, kept or refused.
func TestPictureBombs(t *testing.T) {
	flat := func(side int) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, side, side))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	kept, refused := flat(3000), flat(3200)
	debug.FreeOSMemory()
	bomb.Child(t, func(t *testing.T) {
		if out, media, err := clean(kept); err != nil || media != "image/png" || len(out) == 0 {
			t.Errorf("the largest: %v", err)
		}
		debug.FreeOSMemory()
		_, _, err := clean(refused)
		if key, _ := words.KeyOf(err); key != "desk.pictureLarge" {
			t.Errorf("%d bytes that unfold: %v", len(refused), err)
		}
	})
}

// A file of any content is kept clean, or refused in words.
func FuzzClean(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 5, 3))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("%PDF-1.7"))
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		bomb.Bounded(t, 3*bomb.Limit, func() {
			out, media, err := clean(data)
			if key, _ := words.KeyOf(err); err != nil && (key == "" || key == "error.unknown") {
				t.Fatalf("refused without words: %v", err)
			}
			if err == nil && sniff(out) != media {
				t.Fatalf("%s became %q", media, sniff(out))
			}
		})
	})
}

// Strokes of any kind are drawn or refused in words, soon.
func FuzzStrokes(f *testing.F) {
	f.Add([]byte(`[[1,2,300,40],[5,6]]`))
	f.Add([]byte(`[[9223372036854775807,-9223372036854775808,0,0]]`))
	f.Add([]byte(`[[0,0,1048576,1048576,-1048576,0]]`))
	f.Add([]byte(`[[1],[]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var strokes [][]int64
		if json.Unmarshal(data, &strokes) != nil || blank(strokes) {
			return
		}
		out, err := drawStrokes(strokes)
		if key, _ := words.KeyOf(err); err != nil && key != "desk.signatureStrange" {
			t.Fatalf("refused without words: %v", err)
		}
		if err == nil && sniff(out) != "image/png" {
			t.Fatal("not a picture")
		}
	})
}

// A signature of as many points as are allowed is drawn; one more is refused.
func TestManyStrokes(t *testing.T) {
	long := make([]int64, 0, 2*maxStrokePoints+2)
	for i := range maxStrokePoints {
		long = append(long, int64(i*7%1999), int64(i*13%997))
	}
	if _, err := drawStrokes([][]int64{long}); err != nil {
		t.Fatal(err)
	}
	if _, err := drawStrokes([][]int64{append(long, 1, 1)}); err == nil {
		t.Error("more points than allowed")
	}
	if _, err := drawStrokes([][]int64{{0, 0, 1 << 40, 1}}); err == nil {
		t.Error("a point far away")
	}
}
