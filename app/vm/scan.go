package vm

import (
	"context"
	"slices"
	"strings"

	"bianmin/app/device/scanner"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// Scanned is where a code leads, and what is said about it.
type Scanned struct {
	To   Target // zero: the screen stays
	Kind string // of the message: "ok", "info", "warn" or "danger"
	Text string // "" says nothing: the screen does
}

// FindArg begins the argument of the home page that searches for what follows.
const FindArg = "find:"

const pageHome = "home"

// Scan finds the screen for a code: a receipt's case, a person's services, an enterprise. A code that leads nowhere is named by
// its kind, so that the clerk knows that it was read.
func Scan(ctx context.Context, t Texts, c counter.Counter, s counter.Session, text string) Scanned {
	code := scanner.Recognise(text)
	switch code.Kind {
	case scanner.Receipt:
		return scanReceipt(ctx, t, c, s, code.Text)
	case scanner.Number:
		if seq, ok := caseNumbered(ctx, s, code.Text); ok {
			return Scanned{To: Target{pageCase, utoa(seq)}}
		}
		return Scanned{To: Target{pageHome, FindArg + code.Text}}
	case scanner.ID:
		return scanID(t, s, code.Text)
	case scanner.Credit:
		return Scanned{To: Target{pageHome, FindArg + code.Text}}
	case scanner.Credential:
		return scanCredential(ctx, t, s, code.Text)
	}
	return Scanned{Kind: "warn", Text: t.T("scan.unknown", "kind", t.T("scan.kind."+string(code.Kind)), "text", short(code.Text))}
}

// IsCredential reports whether what was typed or pasted is an e-credential: it is judged at once and never searched for.
func IsCredential(text string) bool { return scanner.Recognise(text).Kind == scanner.Credential }

// scanReceipt leads to the receipt's case when it is one of this machine and genuine; else to what the check says.
func scanReceipt(ctx context.Context, t Texts, c counter.Counter, s counter.Session, link string) Scanned {
	v := c.Verify(link)
	look := Scanned{To: Target{pageHome, FindArg + link}}
	if v.State != receipt.Genuine {
		return look
	}
	var no string
	switch {
	case v.S1 != nil:
		no = casefile.Number(v.S1.Device, v.S1.Seq)
	case v.S2 != nil:
		no = casefile.Number(v.S2.Device, v.S2.Seq)
	}
	seq, ok := caseNumbered(ctx, s, no)
	if !ok {
		return look
	}
	return Scanned{To: Target{pageCase, utoa(seq)}, Kind: "ok", Text: t.T("scan.receipt."+itoa(int(v.Stage)), "no", no)}
}

// caseNumbered returns what a case with a receipt number is reached by.
func caseNumbered(ctx context.Context, s counter.Session, no string) (seq uint64, ok bool) {
	cases, err := s.Cases(ctx)
	if err != nil {
		return 0, false // the session was closed meanwhile
	}
	i := slices.IndexFunc(cases, func(c counter.Case) bool { return c.No == no })
	if i < 0 {
		return 0, false
	}
	return cases[i].Reference(), true
}

func scanID(t Texts, s counter.Session, number string) Scanned {
	found, err := s.FindPeople(number, 1)
	if err != nil {
		return Scanned{Kind: "warn", Text: Words(t, err)}
	}
	if len(found) == 0 { // perhaps a case of somebody who is not on the roster
		return Scanned{To: Target{pageHome, FindArg + number}, Kind: "info", Text: t.T("scan.stranger", "number", ident.MaskID(number))}
	}
	return Scanned{To: Target{pageServices, ForPerson + found[0].ID}, Kind: "ok", Text: t.T("scan.person", "name", found[0].Name())}
}

func scanCredential(ctx context.Context, t Texts, s counter.Session, text string) Scanned {
	c, p, err := s.Credential(ctx, text)
	if err != nil {
		kind := "warn"
		if key, _ := words.KeyOf(err); key == receipt.ErrCredential.Key {
			kind = "danger"
		}
		return Scanned{Kind: kind, Text: Words(t, err)}
	}
	if p == nil {
		return Scanned{To: Target{pageServices, ""}, Kind: "info", Text: t.T("scan.credentialStranger", "kind", c.Kind, "name", c.Name)}
	}
	return Scanned{To: Target{pageServices, ForPerson + p.ID}, Kind: "ok", Text: t.T("scan.credential", "kind", c.Kind, "name", p.Name())}
}

// enterprise answers a unified social credit code: what the code itself says, checked.
func (h *Home) enterprise() (rows []Hit, ok bool) {
	code, err := ident.ParseCredit(h.query)
	if err != nil {
		return nil, false
	}
	parts := []string{h.t.T("scan.credit." + creditKind(code))}
	if cat, err := h.s.Catalog(); err == nil {
		if where := divisionName(cat, code.Division); where != "" {
			parts = append(parts, h.t.T("scan.credit.at", "where", where))
		}
	}
	return []Hit{{Icon: "shield", Title: code.Code, Note: strings.Join(parts, " · "), Word: h.t.T("scan.credit.checks")}}, true
}

// creditKind names who is registered: the first two characters of a code (GB 32100).
func creditKind(c ident.Credit) string {
	switch c.Department + c.Kind {
	case "91":
		return "company"
	case "92":
		return "trader"
	case "93":
		return "farmers"
	case "51", "52", "53":
		return "society"
	case "11", "12", "13":
		return "office"
	}
	return "other"
}

func divisionName(c *catalog.Catalog, county string) string {
	return c.Divisions.FullName(county + "000000")
}
