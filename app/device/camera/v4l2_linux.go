package camera

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/blackjack/webcam"

	"bianmin/offline/words"
)

// Sizes of pictures: the preview is the smallest that is at least this wide, a still the largest that is not over the limit.
const (
	previewWidth = 640
	stillWidth   = 3264
	stillHeight  = 2448
	settle       = 4 // pictures thrown away after a change of size: light and focus are found anew
	frameWait    = 1 // seconds
	mostWaits    = 5
)

// Devices returns the cameras of the machine. Those that cannot be opened, or give no format that is read here, are not
// among them.
func Devices() []Camera {
	paths, err := filepath.Glob("/dev/video*")
	if err != nil {
		return nil // the pattern is well formed
	}
	slices.Sort(paths)
	var out []Camera
	for _, path := range paths {
		if c, err := Find(path); err == nil {
			out = append(out, c)
		}
	}
	return out
}

// Find returns the camera at a path such as /dev/video0.
func Find(path string) (Camera, error) {
	w, err := open(path)
	if err != nil {
		return nil, err
	}
	d := &device{path: path, name: path}
	if name, err := w.GetName(); err == nil && name != "" {
		d.name = name
	}
	_, _, ok := modes(w)
	if err := w.Close(); err != nil {
		return nil, words.New(ErrNoCamera.Key, err)
	}
	if !ok {
		return nil, words.New(ErrNoCamera.Key, fmt.Errorf("camera: %s has no format that is read here", path))
	}
	return d, nil
}

func open(path string) (*webcam.Webcam, error) {
	w, err := webcam.Open(path)
	switch {
	case errors.Is(err, syscall.EBUSY):
		return nil, words.New(ErrBusy.Key, err)
	case err != nil:
		return nil, words.New(ErrNoCamera.Key, err)
	}
	return w, nil
}

type device struct{ path, name string }

// Name implements [Camera].
func (d *device) Name() string { return d.name }

// ID implements [Camera].
func (d *device) ID() string { return d.path }

// Open implements [Camera].
func (d *device) Open(context.Context) (Stream, error) {
	w, err := open(d.path)
	if err != nil {
		return nil, err
	}
	small, large, ok := modes(w)
	if !ok {
		return nil, words.New(ErrNoCamera.Key, errors.Join(errors.ErrUnsupported, w.Close()))
	}
	s := &stream{w: w, small: small, large: large}
	if err := s.start(small); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return s, nil
}

// mode is a format and a size.
type mode struct {
	format uint32
	w, h   uint32
}

// modes returns the modes for looking and for stills. JPEG is preferred: more points fit through the cable.
func modes(w *webcam.Webcam) (small, large mode, ok bool) {
	var all []mode
	for f := range w.GetSupportedFormats() {
		format := uint32(f)
		if format != fourMJPG && format != fourJPEG && format != fourYUYV {
			continue
		}
		for _, size := range w.GetSupportedFrameSizes(f) {
			m := mode{format, min(size.MaxWidth, stillWidth), min(size.MaxHeight, stillHeight)}
			if size.StepWidth == 0 && (size.MaxWidth > stillWidth || size.MaxHeight > stillHeight) || m.w == 0 || m.h == 0 {
				continue
			}
			all = append(all, m)
		}
	}
	return choose(all)
}

func choose(all []mode) (small, large mode, ok bool) {
	rank := func(m mode) int {
		if m.format == fourYUYV {
			return 0
		}
		return 1
	}
	for _, m := range all {
		if !ok || m.w*m.h > large.w*large.h || m.w*m.h == large.w*large.h && rank(m) > rank(large) {
			large = m
		}
		wide := m.w >= previewWidth
		switch {
		case !ok, wide && small.w < previewWidth, wide && m.w*m.h < small.w*small.h, !wide && small.w < m.w && small.w < previewWidth,
			m.w*m.h == small.w*small.h && rank(m) > rank(small):
			small = m
		}
		ok = true
	}
	return small, large, ok
}

type stream struct {
	w            *webcam.Webcam
	small, large mode
	now          mode
	running      bool
}

func (s *stream) start(m mode) error {
	f, w, h, err := s.w.SetImageFormat(webcam.PixelFormat(m.format), m.w, m.h)
	if err != nil {
		return words.New(ErrNoPicture.Key, err)
	}
	s.now = mode{uint32(f), w, h} // what the camera made of it
	if err := s.w.StartStreaming(); err != nil {
		if errors.Is(err, syscall.EBUSY) {
			return words.New(ErrBusy.Key, err)
		}
		return words.New(ErrNoPicture.Key, err)
	}
	s.running = true
	return nil
}

func (s *stream) stop() error {
	if !s.running {
		return nil
	}
	s.running = false
	return s.w.StopStreaming()
}

// Frame implements [Stream].
func (s *stream) Frame(ctx context.Context) (image.Image, error) {
	for range mostWaits {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := s.w.WaitForFrame(frameWait)
		var late *webcam.Timeout
		switch {
		case errors.As(err, &late):
			continue
		case err != nil:
			return nil, words.New(ErrNoPicture.Key, err)
		}
		frame, err := s.w.ReadFrame()
		if err != nil {
			return nil, words.New(ErrNoPicture.Key, err)
		}
		if len(frame) == 0 {
			continue
		}
		img, err := decode(s.now.format, int(s.now.w), int(s.now.h), frame)
		if err != nil {
			continue // cameras cut a frame now and then
		}
		return img, nil
	}
	return nil, ErrNoPicture
}

// Still implements [Stream]. Whatever becomes of the picture, one can go on looking through the camera.
func (s *stream) Still(ctx context.Context) (data []byte, err error) {
	if s.large == s.small {
		img, err := s.Frame(ctx)
		if err != nil {
			return nil, err
		}
		return encode(img)
	}
	defer func() {
		if rerr := errors.Join(s.stop(), s.start(s.small)); err == nil && rerr != nil {
			err = words.New(ErrNoPicture.Key, rerr)
		}
	}()
	if err := s.stop(); err != nil {
		return nil, words.New(ErrNoPicture.Key, err)
	}
	if err := s.start(s.large); err != nil {
		return nil, err
	}
	var img image.Image
	for range settle {
		if img, err = s.Frame(ctx); err != nil {
			return nil, err
		}
	}
	return encode(img)
}

// Close implements [Stream].
func (s *stream) Close() error { return errors.Join(s.stop(), s.w.Close()) }
