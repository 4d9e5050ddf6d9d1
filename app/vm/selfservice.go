package vm

import (
	"context"
	"slices"
	"strings"
	"sync"

	"bianmin/app/device/scanner"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// pageProgress is the page on which a person who is alone with the machine sees how far their cases are.
const pageProgress = "progress"

// What begins the argument of the page progress: how the person has shown that the cases are theirs. A link and a card show
// the case; a number alone, which can be guessed, shows its state only.
const (
	ByLink   = "link:"
	ByNumber = "no:"
	ByCard   = "card:"
)

// ScanPublic finds the page for a code that a person who is alone with the machine holds before it. Nothing of anybody else is
// shown: an ID number by itself opens nothing, for everybody may know it. A code that leads nowhere is named by its kind.
func ScanPublic(ctx context.Context, t Texts, c counter.Counter, s counter.Session, text string) Scanned {
	code := scanner.Recognise(text)
	switch code.Kind {
	case scanner.Receipt:
		if v := c.Verify(code.Text); v.State != receipt.Genuine {
			hit := verdict(t, 0, v)
			return Scanned{Kind: hit.State, Text: hit.Title + t.T("selfservice.colon") + hit.Note}
		}
		return Scanned{To: Target{pageProgress, ByLink + code.Text}}
	case scanner.Number:
		if _, ok := caseNumbered(ctx, s, code.Text); ok {
			return Scanned{To: Target{pageProgress, ByNumber + code.Text}}
		}
		return Scanned{Kind: "info", Text: t.T("selfservice.elsewhere", "no", code.Text)}
	case scanner.ID:
		return Scanned{Kind: "info", Text: t.T("selfservice.onlyNumber")}
	case scanner.Credential:
		return credentialPublic(ctx, t, s, code.Text)
	}
	return Scanned{Kind: "warn", Text: t.T("selfservice.unknown", "kind", t.T("scan.kind."+kindName(code.Kind)), "text", short(code.Text))}
}

func kindName(k scanner.Kind) string {
	if k == scanner.Credit {
		return "digits"
	}
	return string(k)
}

// credentialPublic takes an e-credential, which its holder's telephone shows for a minute, for the holder's card.
func credentialPublic(ctx context.Context, t Texts, s counter.Session, text string) Scanned {
	cred, p, err := s.Credential(ctx, text)
	switch {
	case err != nil:
		kind := "warn"
		if key, _ := words.KeyOf(err); key == receipt.ErrCredential.Key {
			kind = "danger"
		}
		return Scanned{Kind: kind, Text: Words(t, err)}
	case p == nil:
		return Scanned{Kind: "info", Text: t.T("selfservice.stranger", "kind", cred.Kind)}
	}
	return Scanned{To: Target{pageProgress, ByCard + p.Number().Number}}
}

// Progress is the state of the page on which somebody sees how far their cases are. Load fills it.
type Progress struct {
	t    Texts
	c    counter.Counter
	s    counter.Session
	how  string // ByLink, ByNumber or ByCard
	what string

	mu    sync.Mutex // guards what follows
	ready bool
	paper *Hit // a genuine receipt of another machine
	cases []*counter.Case
	acked uint64
}

// NewProgress returns the state for an argument of the page progress.
func NewProgress(t Texts, c counter.Counter, s counter.Session, arg string) *Progress {
	p := &Progress{t: t, c: c, s: s}
	for _, how := range []string{ByLink, ByNumber, ByCard} {
		if rest, ok := strings.CutPrefix(arg, how); ok {
			p.how, p.what = how, rest
		}
	}
	return p
}

// ProgressState is what the page shows.
type ProgressState struct {
	Ready bool
	Title string // how many cases there are, or that there is none
	Note  string
	Paper *Hit // what a receipt of another machine says; nil: none
	Cases []ProgressCase
}

// ProgressCase is one case as its owner sees it.
type ProgressCase struct {
	Item, No    string
	Who         string // masked; "" when only the number is known
	State, Tone string
	Explain     string // the state of delivery in a sentence
	Ask         string // what the person has to do, in words; "" for nothing
	Result      string // the deciding officer's words; "" before
	Steps       []CaseStep
	Receipt     Target // to look at the receipt and print it again; zero: not with the number alone
}

// Load finds the cases. Errors: counter.ErrLocked.
func (p *Progress) Load(ctx context.Context) error {
	all, err := p.s.Cases(ctx)
	if err != nil {
		return err
	}
	status, err := p.c.Status(ctx)
	if err != nil {
		return err
	}
	no, paper := p.what, (*Hit)(nil)
	if p.how == ByLink {
		v := p.c.Verify(p.what)
		switch {
		case v.State != receipt.Genuine:
			no = ""
		case v.S1 != nil:
			no = casefile.Number(v.S1.Device, v.S1.Seq)
		case v.S2 != nil:
			no = casefile.Number(v.S2.Device, v.S2.Seq)
		}
		if !slices.ContainsFunc(all, func(c counter.Case) bool { return c.No == no }) {
			hit := verdict(p.t, 0, v)
			paper = &hit
		}
	}
	var found []*counter.Case
	for i := range all {
		if p.how == ByCard && p.what != "" && all[i].IDNumber == p.what || p.how != ByCard && no != "" && all[i].No == no {
			c, err := p.s.Case(ctx, all[i].Reference())
			if err != nil {
				return err
			}
			found = append(found, &c)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready, p.cases, p.paper, p.acked = true, found, paper, status.Acknowledged
	return nil
}

// State returns what to show.
func (p *Progress) State() ProgressState {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.t
	st := ProgressState{Ready: p.ready, Title: t.T("selfservice.progress"), Paper: p.paper}
	switch {
	case !p.ready:
		return st
	case p.paper != nil:
		st.Note = t.T("selfservice.paperNote")
	case len(p.cases) == 0:
		st.Title, st.Note = t.T("selfservice.none"), t.T("selfservice.noneNote")
	case p.how == ByNumber:
		st.Note = t.T("selfservice.numberNote")
	case p.how == ByCard:
		st.Title = t.T("selfservice.count", "n", itoa(len(p.cases)))
	}
	for _, c := range p.cases {
		st.Cases = append(st.Cases, p.oneCase(c))
	}
	return st
}

func (p *Progress) oneCase(c *counter.Case) ProgressCase {
	t := p.t
	out := ProgressCase{
		Item: itemName(t, p.s, c.Service, c.ItemName), No: c.No, State: t.T(c.State.Key()), Tone: stateTone(c.State),
		Explain: t.T("selfservice.explain." + string(c.Delivery)),
	}
	if c.State.Closed() {
		out.Explain = t.T("selfservice.closed")
	}
	if c.State == casefile.CorrectionAsked {
		out.Ask = t.T("selfservice.ask", "day", CivilText(t, c.Clock.AnswerBy))
	}
	if p.how == ByNumber {
		return out
	}
	if c.Applicant != "" {
		out.Who = c.MaskedName()
	}
	if c.State == casefile.CorrectionAsked && c.Correction != nil {
		out.Ask += "\n" + c.Correction.Note
	}
	if c.State.Closed() {
		out.Result = c.Result
	}
	v := CaseDetail{t: t, s: p.s, of: *c, acked: p.acked}
	for _, step := range v.steps() {
		step.Who = "" // who of the staff it was is nobody's business at this screen
		out.Steps = append(out.Steps, step)
	}
	out.Receipt = Target{pageReceipt, utoa(c.Reference())}
	return out
}
