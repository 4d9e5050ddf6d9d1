package receipt

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"strings"
)

// messageDots is the size of a module of a message's code, in dots: it is shown on a screen or printed by any printer.
const messageDots = 6

// MessagePicture draws a text of capitals and digits, without its line breaks, as a QR code and returns a PNG file: how a
// recovery message crosses where no wire does. It was read back once.
func MessagePicture(text string) ([]byte, error) {
	c, err := QR(strings.ReplaceAll(text, "\n", ""), LevelM)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, c.Image(messageDots, QuietZone)); err != nil {
		return nil, fmt.Errorf("receipt: draw message: %w", err)
	}
	return out.Bytes(), nil
}

// ReadMessage returns the text of a message that came as a file: the text itself, or a picture of its code.
func ReadMessage(data []byte) (string, error) {
	text, err := ScanPicture(data)
	if errors.Is(err, ErrPicture) {
		return string(data), nil
	}
	return text, err
}
