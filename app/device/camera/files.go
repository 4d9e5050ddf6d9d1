package camera

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"bianmin/offline/picture"
	"bianmin/offline/words"
)

// Files is a camera that sees the pictures of a folder one after the other, in the order of their names, and the last one for
// good. With Step it stays on a picture until Next is called. Its methods may be called from any goroutine.
type Files struct {
	Dir  string // folder with PNG and JPEG files
	As   string // what it is called; "" is the folder's name
	Step bool

	mu     sync.Mutex
	at     int
	open   int
	frames int
}

var _ Camera = (*Files)(nil)

// Name implements [Camera].
func (f *Files) Name() string {
	if f.As != "" {
		return f.As
	}
	return filepath.Base(f.Dir)
}

// ID implements [Camera].
func (f *Files) ID() string { return "folder:" + f.Dir }

// Next goes on to the next picture.
func (f *Files) Next() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at++
}

// Open implements [Camera].
func (f *Files) Open(context.Context) (Stream, error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, ErrNoCamera
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open > 0 {
		return nil, ErrBusy
	}
	f.open++
	return &fileStream{f: f}, nil
}

// Streams returns how many streams are open, and how many pictures were taken in all.
func (f *Files) Streams() (open, frames int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open, f.frames
}

func (f *Files) names() ([]string, error) {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return nil, words.New(ErrNoCamera.Key, err)
	}
	var out []string
	for _, e := range entries {
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png":
			out = append(out, filepath.Join(f.Dir, e.Name()))
		}
	}
	slices.Sort(out)
	return out, nil
}

func (f *Files) take() ([]byte, error) {
	names, err := f.names()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, ErrNoPicture
	}
	f.mu.Lock()
	name := names[min(f.at, len(names)-1)]
	f.frames++
	if !f.Step {
		f.at++
	}
	f.mu.Unlock()
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, words.New(ErrNoPicture.Key, err)
	}
	return data, nil
}

type fileStream struct {
	f      *Files
	closed bool
}

func (s *fileStream) Frame(ctx context.Context) (image.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed {
		return nil, ErrNoPicture
	}
	data, err := s.f.take()
	if err != nil {
		return nil, err
	}
	img, err := picture.Decode(data)
	if err != nil {
		return nil, words.New(ErrNoPicture.Key, err)
	}
	return img, nil
}

func (s *fileStream) Still(ctx context.Context) ([]byte, error) {
	s.f.mu.Lock()
	step := s.f.Step
	s.f.Step = true // a still is of what was seen last
	if !step && s.f.at > 0 {
		s.f.at--
	}
	s.f.mu.Unlock()
	defer func() {
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		s.f.Step = step
	}()
	img, err := s.Frame(ctx)
	if err != nil {
		return nil, err
	}
	return encode(img)
}

func (s *fileStream) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.open--
	return nil
}

func encode(img image.Image) ([]byte, error) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: jpegQuality}); err != nil {
		return nil, words.New(ErrNoPicture.Key, err)
	}
	return buf.Bytes(), nil
}
