package printer

import (
	"context"
	"errors"
	"time"

	"bianmin/app/device/escpos"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// thermal is a printer that speaks ESC/POS.
type thermal struct {
	config Config
	o      Options
}

// askEvery is how many bands go out between two questions.
const askEvery = 4

// State asks the printer about itself.
func (t *thermal) State(ctx context.Context) (State, error) {
	l, err := connect(ctx, t.config, t.o)
	if err != nil {
		return State{}, err
	}
	s, known, err := l.status(ctx)
	if err = errors.Join(err, l.Close()); err != nil {
		return State{}, err
	}
	return State{Trouble: s.Trouble(), Low: s.PaperLow, Mute: !known}, nil
}

// Print prints one sheet.
func (t *thermal) Print(ctx context.Context, begin func() (*paper.Sheet, error)) (err error) {
	l, err := connect(ctx, t.config, t.o)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := l.Close(); err == nil && cerr != nil {
			err = started(words.New("print.broke", cerr))
		}
	}()
	s, _, err := l.status(ctx)
	if err != nil {
		return err
	}
	if err := troubleOf(s); err != nil {
		return err
	}
	sheet, err := begin()
	if err != nil {
		return err
	}
	if err := t.send(ctx, l, sheet); err != nil {
		return started(err)
	}
	return nil
}

// send sends the sheet and watches the printer until it must be done.
func (t *thermal) send(ctx context.Context, l *line, sheet *paper.Sheet) error {
	img, err := sheet.Raster()
	if err != nil {
		return err
	}
	bands, err := escpos.Bands(img)
	if err != nil {
		return err
	}
	from := time.Now()
	bands = append(append([][]byte{escpos.Init()}, bands...), escpos.Cut())
	for i, b := range bands {
		if err := l.send(ctx, b); err != nil {
			return t.why(ctx, l, err)
		}
		if i%askEvery == askEvery-1 {
			if _, err := t.watch(ctx, l); err != nil {
				return err
			}
		}
	}
	// The printer took everything, but prints from its memory for a while: paper that ends now must still be noticed. And what it
	// took may lie in this machine's memory, when a printer in the network lost its power: then nobody answers any more.
	end := from.Add(time.Duration(img.Rect.Dy()) * time.Second / time.Duration(t.o.Rows))
	for {
		known, err := t.watch(ctx, l)
		left := time.Until(end)
		switch {
		case err != nil:
			return err
		case l.mute || known && left <= 0:
			return nil
		case left <= -t.o.Write:
			return words.New("print.silent", nil)
		}
		wait := t.o.Poll
		if left > 0 {
			wait = min(left, wait)
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// watch asks whether the printer still prints; known is false when it does not answer now.
func (t *thermal) watch(ctx context.Context, l *line) (known bool, err error) {
	s, known, err := l.status(ctx)
	if err != nil {
		return known, err
	}
	return known, troubleOf(s)
}

// why asks the printer why it takes nothing any more; the error that was noticed when it does not say.
func (t *thermal) why(ctx context.Context, l *line, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if key, _ := words.KeyOf(err); key != "print.stuck" {
		return err
	}
	if s, known, serr := l.status(ctx); serr == nil && known && !s.Ready() {
		return troubleOf(s)
	}
	return err
}
