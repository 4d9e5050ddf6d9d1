package idcard

import (
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// Sim is a card reader in software. It answers the frames that a real one answers, on any line, and has its faults.
// Its methods may be called from any goroutine.
type Sim struct {
	mu       sync.Mutex
	card     *Card
	text     []byte // instead of the card's, when set
	found    bool   // the card was found and not taken away since
	selected bool
	faults   Faults
}

// Faults are what a reader does wrong. The zero value does nothing wrong.
type Faults struct {
	Noise     []byte        // sent before each answer
	Slow      time.Duration // between one byte and the next
	Cut       int           // answers to a read end after so many bytes; 0: whole
	Garbled   int           // so many answers have a wrong checksum
	Silent    int           // so many commands get no answer
	Status    byte          // for every select and read, instead of what is so
	PullAfter int           // the card is taken away after so many commands; 0: it stays
}

// Put lays a card on the reader, in place of one that is there; nil takes it away.
func (s *Sim) Put(c *Card) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.card, s.text, s.found, s.selected = c, nil, false, false
}

// PutText lays a card on the reader that has this text block, whatever is in it.
func (s *Sim) PutText(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.card, s.text, s.found, s.selected = &Card{}, text, false, false
}

// Fail sets what goes wrong from now on.
func (s *Sim) Fail(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Serve answers commands until the line ends, and returns why it did.
func (s *Sim) Serve(line io.ReadWriter) error {
	var in splitter
	buf := make([]byte, 256)
	for {
		n, err := line.Read(buf)
		if err != nil {
			return err
		}
		in.add(buf[:n])
		for {
			body, err := in.next()
			if err != nil {
				if _, werr := line.Write(answer(swChecksum, nil)); werr != nil {
					return werr
				}
				continue
			}
			if body == nil {
				break
			}
			if err := s.send(line, s.reply(body)); err != nil {
				return err
			}
		}
	}
}

// send writes an answer with the faults of the moment.
func (s *Sim) send(line io.Writer, out []byte) error {
	s.mu.Lock()
	noise, slow := s.faults.Noise, s.faults.Slow
	s.mu.Unlock()
	if out == nil {
		return nil
	}
	out = append(append([]byte{}, noise...), out...)
	if slow <= 0 {
		_, err := line.Write(out)
		return err
	}
	tick := time.NewTicker(slow)
	defer tick.Stop()
	for i := range out {
		if _, err := line.Write(out[i : i+1]); err != nil {
			return err
		}
		<-tick.C
	}
	return nil
}

// reply returns the frame that answers a command; nil for none.
func (s *Sim) reply(body []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.faults
	if f.Silent > 0 {
		f.Silent--
		return nil
	}
	if len(body) < 2 {
		return answer(swLength, nil)
	}
	cmd := binary.BigEndian.Uint16(body)
	out := s.answerTo(cmd)
	if f.PullAfter > 0 {
		if f.PullAfter--; f.PullAfter == 0 {
			s.card, s.found, s.selected = nil, false, false
		}
	}
	if f.Garbled > 0 {
		f.Garbled--
		out[len(out)-1] ^= 0x55
	}
	if f.Cut > 0 && f.Cut < len(out) && cmd&0xFF00 == cmdRead&0xFF00 {
		out = out[:f.Cut]
	}
	return out
}

func (s *Sim) answerTo(cmd uint16) []byte {
	if s.faults.Status != 0 && (cmd == cmdSelect || cmd == cmdRead || cmd == cmdReadFull) {
		return answer(s.faults.Status, nil)
	}
	switch cmd {
	case cmdStatus:
		return answer(swDone, nil)
	case cmdFind:
		if s.card == nil || s.found {
			return answer(swNotFound, nil)
		}
		s.found = true
		return answer(swFound, make([]byte, 4))
	case cmdSelect:
		if s.card == nil {
			return answer(swNotSelected, nil)
		}
		s.selected = true
		return answer(swDone, make([]byte, 8))
	case cmdRead, cmdReadFull:
		if s.card == nil || !s.selected {
			return answer(swReadFailed, nil)
		}
		return answer(swDone, s.data(cmd == cmdReadFull))
	}
	return answer(swCommand, nil)
}

func (s *Sim) data(full bool) []byte {
	text := s.text
	if text == nil {
		text = s.card.encode()
	}
	photo, finger := make([]byte, photoSize), []byte(nil)
	copy(photo, s.card.Photo)
	out := binary.BigEndian.AppendUint16(nil, uint16(len(text)))
	out = binary.BigEndian.AppendUint16(out, uint16(len(photo)))
	if full {
		finger = s.card.Finger
		out = binary.BigEndian.AppendUint16(out, uint16(len(finger)))
	}
	return append(append(append(out, text...), photo...), finger...)
}
