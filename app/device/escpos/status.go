package escpos

// Question is one of the statuses of DLE EOT.
type Question byte

// The questions, in the order in which a printer is asked.
const (
	AskPrinter Question = 1 // online, waiting to be set online
	AskOffline Question = 2 // why it is offline: cover, paper end, error
	AskError   Question = 3 // which error
	AskPaper   Question = 4 // paper sensors
)

// Questions are all of them.
var Questions = []Question{AskPrinter, AskOffline, AskError, AskPaper}

// Status is what a printer says about itself.
type Status struct {
	Offline   bool // takes no data
	CoverOpen bool
	PaperOut  bool
	PaperLow  bool // goes on printing; change the roll soon
	Cutter    bool // the blade is stuck
	Hot       bool // the head cools down; goes on by itself
	Broken    bool // an error that only switching off and on, or a technician, ends
}

// Bits of the answers; bits 1 and 4 are always set, 0 and 7 never.
const (
	fixedMask  = 0x93
	fixedValue = 0x12

	bitOffline   = 0x08 // of AskPrinter
	bitCover     = 0x04 // of AskOffline
	bitPaperStop = 0x20 // of AskOffline: printing stopped at the paper's end
	bitCutter    = 0x08 // of AskError
	bitBroken    = 0x20 // of AskError
	bitHot       = 0x40 // of AskError
	bitsPaperLow = 0x0c // of AskPaper
	bitsPaperEnd = 0x60 // of AskPaper
)

// Answer reports whether b can be an answer to DLE EOT: its fixed bits are what they must be.
func Answer(b byte) bool { return b&fixedMask == fixedValue }

// Read takes the answer to a question into the status. Bytes that are no answer change nothing and give false.
func (s *Status) Read(q Question, b byte) bool {
	if !Answer(b) {
		return false
	}
	switch q {
	case AskPrinter:
		s.Offline = b&bitOffline != 0
	case AskOffline:
		s.CoverOpen = b&bitCover != 0
		s.PaperOut = s.PaperOut || b&bitPaperStop != 0
	case AskError:
		s.Cutter, s.Broken, s.Hot = b&bitCutter != 0, b&bitBroken != 0, b&bitHot != 0
	case AskPaper:
		s.PaperLow = b&bitsPaperLow == bitsPaperLow
		s.PaperOut = s.PaperOut || b&bitsPaperEnd == bitsPaperEnd
	}
	return true
}

// Byte is the answer of a printer in this state: what the simulator says.
func (s Status) Byte(q Question) byte {
	b := byte(fixedValue)
	set := func(on bool, bits byte) {
		if on {
			b |= bits
		}
	}
	switch q {
	case AskPrinter:
		set(s.Offline || s.CoverOpen || s.PaperOut || s.Cutter || s.Broken || s.Hot, bitOffline)
	case AskOffline:
		set(s.CoverOpen, bitCover)
		set(s.PaperOut, bitPaperStop)
		set(s.Cutter || s.Broken || s.Hot, 0x40)
	case AskError:
		set(s.Cutter, bitCutter)
		set(s.Broken, bitBroken)
		set(s.Hot, bitHot)
	case AskPaper:
		set(s.PaperLow, bitsPaperLow)
		set(s.PaperOut, bitsPaperEnd)
	}
	return b
}

// Ready reports whether the printer prints now.
func (s Status) Ready() bool { return s.Trouble() == "" }

// Trouble names what keeps the printer from printing: a translation key, the most telling first; "" when nothing does.
func (s Status) Trouble() string {
	switch {
	case s.CoverOpen:
		return "print.coverOpen"
	case s.PaperOut:
		return "print.paperOut"
	case s.Cutter:
		return "print.cutter"
	case s.Hot:
		return "print.hot"
	case s.Broken:
		return "print.broken"
	case s.Offline:
		return "print.offline"
	}
	return ""
}
