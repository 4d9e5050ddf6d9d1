package photocheck

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os/exec"
	"strings"
	"time"

	"bianmin/offline/ident"
)

// ErrNoOCR reports a machine without a program that reads print; then numbers are not compared.
var ErrNoOCR = errors.New("photocheck: no program that reads print")

// ErrUnread reports a picture in which no ID number could be read: too small, too pale, the other side of the card.
var ErrUnread = errors.New("photocheck: no number was read")

// OCR reads print. The zero value is the machine's tesseract.
type OCR struct {
	// Program is the path of tesseract; "" looks for it.
	Program string
}

// Present reports whether the machine has a program that reads print.
func (o OCR) Present() bool {
	_, err := o.program()
	return err == nil
}

func (o OCR) program() (string, error) {
	if o.Program != "" {
		return o.Program, nil
	}
	at, err := exec.LookPath("tesseract")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoOCR, err)
	}
	return at, nil
}

const (
	ocrSide = 2000 // a card's digits have 40 points then
	ocrTime = 20 * time.Second
	mostOCR = 64 << 10
)

// Number reads the ID number in a picture: eighteen characters whose check character fits, so that a misread digit is no
// number. The picture goes to the program through a pipe and touches no disk. Errors: ErrNoOCR, ErrUnread.
func (o OCR) Number(ctx context.Context, img image.Image) (string, error) {
	program, err := o.program()
	if err != nil {
		return "", err
	}
	var in bytes.Buffer
	if err := png.Encode(&in, gray(img, ocrSide)); err != nil {
		return "", fmt.Errorf("photocheck: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, ocrTime)
	defer cancel()
	for _, layout := range []string{"11", "6"} { // scattered text, then one block
		cmd := exec.CommandContext(ctx, program, "stdin", "stdout", "-l", "eng", "--psm", layout, "-c", "tessedit_char_whitelist=0123456789X")
		cmd.Stdin = bytes.NewReader(in.Bytes())
		var out bytes.Buffer
		cmd.Stdout = &limited{w: &out, left: mostOCR}
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnread, err)
		}
		if n, ok := numberIn(out.String()); ok {
			return n, nil
		}
	}
	return "", ErrUnread
}

// numberIn finds an ID number that checks among what was read, blanks between groups allowed.
func numberIn(text string) (string, bool) {
	for line := range strings.Lines(text) {
		s := ident.Normalize(line)
		for i := 0; i+18 <= len(s); i++ {
			if id, err := ident.ParseIDAt(s[i:i+18], anyDay); err == nil {
				return id.Number, true
			}
		}
	}
	return "", false
}

var anyDay = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// limited takes no more than it has room for, and drops the rest.
type limited struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
