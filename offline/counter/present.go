package counter

import (
	"context"
	"log/slog"

	"bianmin/offline/form"
	"bianmin/offline/words"
)

// Errors of what devices bring to a case.
var (
	// ErrOtherPerson reports a card of somebody else than the case is for.
	ErrOtherPerson = words.New("present.otherPerson", nil)
	// ErrSamePerson reports a second person who is the first one.
	ErrSamePerson = words.New("present.samePerson", nil)
	// ErrNothingWaived reports a material with nothing wrong.
	ErrNothingWaived = words.New("present.nothing", nil)
)

// Reading is what a machine read of the applicant's card.
type Reading struct {
	Number string // as it is on the card
	// Elements are the facts by the names of package people: "name", "idno", "ethnic", "sex", "birth", "hukouAddress",
	// "idIssuer", "idFrom", "idUntil".
	Elements map[string]string
	// Open names the elements that the clerk may change: a name that may be cut off on the card, an address that was written
	// on it years ago.
	Open map[string]bool
}

// LogValue keeps readings out of logs.
func (Reading) LogValue() slog.Value { return slog.StringValue("[reading of a card]") }

// String keeps readings out of formatted text.
func (Reading) String() string { return "[reading of a card]" }

// Taken is what became of a reading.
type Taken struct {
	Filled  []form.Path // fields that have the card's value now
	Differs []form.Path // fields that a better source has locked with another value; they stay
}

// PhotoFaults is what is wrong with a material.
type PhotoFaults struct {
	Index  int      // of the file, -1: the material as a whole
	Faults []string // as package photocheck names them
	Waived string   // id of the second operator who took it in all the same; "" when nobody did
}

// Presenter is the part of an [Intake] that devices bring something to.
type Presenter interface {
	// Take puts what a card says into the fields that ask for it. Fields that a roster has locked keep their value.
	// ErrOtherPerson when the case is for somebody with another number; then nothing is changed.
	Take(r Reading) (Taken, error)
	// Judge keeps what a check found wrong with a file of a material; nothing when it is good. index -1 is the material as a
	// whole.
	Judge(path form.Path, index int, faults []string)
	// Judged returns what is wrong with the files that the material has now.
	Judged(path form.Path) []PhotoFaults
	// Waive takes a material in despite its faults: a second operator gives their PIN for it, and the case's record names
	// both. Errors: ErrSamePerson, ErrNothingWaived, and those of a login.
	Waive(ctx context.Context, path form.Path, operator, pin string) error
}
