package dict

import "fmt"

// Names is how people are named: which surnames there are, which characters given names are made of, by sex, and which
// given names are usual. Costs are −64·ln(probability), as everywhere.
type Names struct {
	_        struct{} `cbor:",toarray"`
	Surnames []Surname
	Given    []Given
	Usual    []UsualGiven
	Single   uint16 // cost of a given name of one character
	Double   uint16 // cost of a given name of two characters
}

// Surname is a surname with its own reading.
type Surname struct {
	_    struct{} `cbor:",toarray"`
	Text string
	Syl  []uint16
	Cost uint16
}

// Given is a character of given names: what it costs as the first of two, the second of two, and alone, for men and women.
type Given struct {
	_      struct{} `cbor:",toarray"`
	Char   string
	Syl    uint16
	First  [2]uint16
	Second [2]uint16
	Alone  [2]uint16
}

// UsualGiven is a given name that is more frequent than its characters make it.
type UsualGiven struct {
	_    struct{} `cbor:",toarray"`
	Text string
	Cost uint16
}

func (n *Names) check(d *Dict) error {
	for _, s := range n.Surnames {
		if len(s.Syl) == 0 || len(s.Syl) > 2 {
			return fmt.Errorf("%w: surname %s", ErrFormat, s.Text)
		}
	}
	for _, g := range n.Given {
		if int(g.Syl) >= len(d.Syllables) {
			return fmt.Errorf("%w: given name %s", ErrFormat, g.Char)
		}
	}
	return nil
}
