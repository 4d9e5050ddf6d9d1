package scanner

import (
	"log/slog"
	"net/url"
	"strings"
	"time"
	"unicode"

	"bianmin/offline/casefile"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

// Kind is what a code is.
type Kind string

// The kinds of code. What is none of the known ones is still told apart, so that the person reads what was scanned.
const (
	Receipt    Kind = "receipt"    // link of a receipt, either stage
	Number     Kind = "number"     // receipt number
	ID         Kind = "id"         // ID number
	Credit     Kind = "credit"     // unified social credit code
	Credential Kind = "credential" // e-credential of the platform
	Link       Kind = "link"       // any other address
	Goods      Kind = "goods"      // bar code of goods: 8, 12, 13 or 14 digits that check
	Digits     Kind = "digits"
	Text       Kind = "text"
	Nothing    Kind = "nothing"
)

// Known reports whether there is a screen for codes of this kind.
func (k Kind) Known() bool {
	switch k {
	case Receipt, Number, ID, Credit, Credential:
		return true
	}
	return false
}

// Code is a recognised code.
type Code struct {
	Kind Kind
	Text string // in its normal form: an ID number in capitals, a link without what apps append around it
	Host string // of a link
}

// LogValue keeps codes, which may be ID numbers, out of logs.
func (c Code) LogValue() slog.Value { return slog.StringValue("[code: " + string(c.Kind) + "]") }

// String keeps codes out of formatted text.
func (c Code) String() string { return "[code: " + string(c.Kind) + "]" }

// anyDay lies after every birth, so that a wrong clock makes no number unknown.
var anyDay = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// Recognise says what a code is. It judges form and check digits only; whether a receipt is genuine, or a person known,
// others say.
func Recognise(text string) Code {
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) // what scanners put around it
	plain := ident.Normalize(text)
	switch {
	case text == "":
		return Code{Kind: Nothing}
	case receipt.IsCredential(text):
		return Code{Kind: Credential, Text: text}
	case strings.Contains(text, "://"):
		return link(text)
	}
	if id, err := ident.ParseIDAt(plain, anyDay); err == nil {
		return Code{Kind: ID, Text: id.Number}
	}
	if c, err := ident.ParseCredit(plain); err == nil {
		return Code{Kind: Credit, Text: c.Code}
	}
	if device, seq, err := casefile.ParseNumber(text); err == nil {
		return Code{Kind: Number, Text: casefile.Number(device, seq)}
	}
	switch {
	case goods(plain):
		return Code{Kind: Goods, Text: plain}
	case allDigits(plain):
		return Code{Kind: Digits, Text: plain}
	}
	return Code{Kind: Text, Text: text}
}

// link tells receipts from other addresses. Some scanners type everything in capitals: then the scheme and the host are put
// right, and the payload, which has no small letters, is as it was.
func link(text string) Code {
	if head, tail, ok := strings.Cut(text, "#"); ok {
		if host, _, err := receipt.ParseLink(strings.ToLower(head) + "#" + tail); err == nil {
			return Code{Kind: Receipt, Text: strings.ToLower(head) + "#" + tail, Host: host}
		}
	}
	c := Code{Kind: Link, Text: text}
	if u, err := url.Parse(text); err == nil {
		c.Host = strings.ToLower(u.Host)
	}
	if _, _, err := receipt.ParseLink(text); err != nil && strings.Contains(strings.ToLower(text), "/r#") {
		c.Kind = Receipt // the form of a receipt's link with something wrong in it: whoever verifies it says what
	}
	return c
}

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// goods checks the digit of GS1 numbers: from the right, weights 3 and 1 in turn.
func goods(s string) bool {
	switch len(s) {
	case 8, 12, 13, 14:
	default:
		return false
	}
	if !allDigits(s) {
		return false
	}
	sum := 0
	for i := range len(s) {
		weight := 3
		if (len(s)-1-i)%2 == 0 {
			weight = 1
		}
		sum += int(s[i]-'0') * weight
	}
	return sum%10 == 0
}
