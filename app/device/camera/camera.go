// Package camera takes pictures of papers with a camera or a document camera. [Devices] lists those of the machine
// (Video4Linux), [Files] is one made of pictures in files. A [Preview] shows what a camera sees, ten times a second at most,
// and stops when nobody looks. It knows no window.
package camera

import (
	"context"
	"image"
	"time"

	"bianmin/offline/words"
)

// Errors that callers branch on. Each has words for the person at the counter.
var (
	// ErrNoCamera reports a camera that is not there, or cannot be opened.
	ErrNoCamera = words.New("camera.none", nil)
	// ErrBusy reports a camera that another program uses.
	ErrBusy = words.New("camera.busy", nil)
	// ErrNoPicture reports a camera that gives no picture, or one that cannot be read.
	ErrNoPicture = words.New("camera.noPicture", nil)
)

// Camera is one camera.
type Camera interface {
	// Name is what people know it by.
	Name() string
	// ID finds it again, for example "/dev/video0".
	ID() string
	// Open starts it. Only one stream of a camera is open at a time.
	Open(ctx context.Context) (Stream, error)
}

// Stream is a camera that runs. It is used by one goroutine at a time.
type Stream interface {
	// Frame returns the next picture, of a size for looking at.
	Frame(ctx context.Context) (image.Image, error)
	// Still returns a picture as fine as the camera gives, as a JPEG file.
	Still(ctx context.Context) ([]byte, error)
	Close() error
}

// MostFPS is how many pictures a second a preview shows at most.
const MostFPS = 10

// Quality of stills.
const jpegQuality = 92

// Pace makes a channel that ticks, and what stops it; time.NewTicker in the program.
type Pace func(d time.Duration) (tick <-chan time.Time, stop func())

// Ticker is the pace of the program.
func Ticker(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTicker(d)
	return t.C, t.Stop
}

// Preview shows a stream until ctx ends or the stream fails, and returns why. Each picture is given to show, at most
// [MostFPS] a second; the next is not taken before show returns, so that a slow screen slows the camera and nothing piles up.
// Run it on a goroutine of its own. still asks for stills between two pictures: what it sends is answered on the channel sent.
func Preview(ctx context.Context, s Stream, pace Pace, show func(image.Image), still <-chan chan<- Still) error {
	tick, stop := pace(time.Second / MostFPS)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case to := <-still:
			data, err := s.Still(ctx)
			to <- Still{data, err}
			continue
		case <-tick:
		}
		img, err := s.Frame(ctx)
		if err != nil {
			return err
		}
		if ctx.Err() == nil {
			show(img)
		}
	}
}

// Still is a picture that was taken, as a JPEG file.
type Still struct {
	JPEG []byte
	Err  error
}
