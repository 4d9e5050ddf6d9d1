package desk

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/people"
	"bianmin/offline/receipt"
)

// shown is what devices saw of the person and the papers of a draft.
type shown struct {
	Card   string   `cbor:"1,keyasint,omitempty"` // number of the card that was read; "" when none was
	Code   int64    `cbor:"2,keyasint,omitempty"` // when the person showed an e-credential, Unix milliseconds; 0 when not
	Photos []judged `cbor:"3,keyasint,omitempty"` // files that something is wrong with
}

// judged is a file, or a material as a whole, with something wrong.
type judged struct {
	Field  string   `cbor:"1,keyasint"`
	Addr   []byte   `cbor:"2,keyasint"` // of the blob; empty for the material as a whole
	Faults []string `cbor:"3,keyasint"`
	By     string   `cbor:"4,keyasint,omitempty"` // who took it in all the same
	At     int64    `cbor:"5,keyasint,omitempty"`
}

// CardSource is the name under which values that a machine read from an ID card stand as prefilled.
const CardSource = people.CardSource

// cardElements are facts that a card fills in also where the form names no source for them.
var cardElements = map[string]bool{
	people.Ethnic: true, people.Sex: true, people.Birth: true, people.IDIssuer: true, people.IDFrom: true, people.IDUntil: true,
}

// elementOf returns which fact of the applicant a field asks for; "" when none that a card has.
func elementOf(f *form.Field) string {
	if name, ok := strings.CutPrefix(f.Source, "person."); ok {
		return name
	}
	if name, ok := strings.CutPrefix(f.Element, "person."); ok && f.Source == "" && cardElements[name] {
		return name
	}
	return ""
}

// Take puts what a card says into the fields that ask for it; see [counter.Presenter].
func (in *Intake) Take(r counter.Reading) (counter.Taken, error) {
	number := ident.Normalize(r.Number)
	idno := in.fs.State(form.Path(in.form.Applicant.IDNo))
	held, _ := idno.Value.(string)
	if in.person != nil && in.person.Elements[people.IDNo].Value != number || held != "" && held != number && idno.ReadOnly {
		return counter.Taken{}, counter.ErrOtherPerson
	}
	today, err := time.Parse(time.DateOnly, in.fs.Today())
	if err != nil {
		return counter.Taken{}, err
	}
	var out counter.Taken
	in.form.Each(func(f, group *form.Field) {
		name := elementOf(f)
		v, ok := r.Elements[name]
		if name == "" || !ok || v == "" || group != nil || f.Kind == form.KindComputed {
			return
		}
		path := form.Path(f.ID)
		st := in.fs.State(path)
		if st.ReadOnly && (st.Source == nil || st.Source.Name != CardSource) {
			if st.Value != nil && st.Value != any(v) {
				out.Differs = append(out.Differs, path)
			}
			return
		}
		in.fs.SetPrefill(path, v, form.Source{Name: CardSource, AsOf: today, Locked: !r.Open[name]})
		out.Filled = append(out.Filled, path)
	})
	in.shown.Card = number
	in.changed()
	return out, in.saver.flush()
}

// identity is how surely it is known who applies.
func (in *Intake) identity() journal.Identity {
	number, _ := in.fs.State(form.Path(in.form.Applicant.IDNo)).Value.(string)
	switch {
	case in.shown.Code != 0:
		return journal.IdentityCode
	case number != "" && number == in.shown.Card:
		return journal.IdentityCard
	}
	return journal.IdentityTyped
}

// machineRead returns the fields that have what a machine read from the card.
func (in *Intake) machineRead() []string {
	var out []string
	in.form.Each(func(f, group *form.Field) {
		if group != nil {
			return
		}
		if st := in.fs.State(form.Path(f.ID)); st.Relevant && st.Source != nil && st.Source.Name == CardSource {
			out = append(out, f.ID)
		}
	})
	return out
}

// Judge keeps what a check found; see [counter.Presenter].
func (in *Intake) Judge(path form.Path, index int, faults []string) {
	addr, ok := in.addrOf(path, index)
	if !ok {
		return
	}
	at := slices.IndexFunc(in.shown.Photos, func(j judged) bool { return j.Field == string(path) && bytes.Equal(j.Addr, addr) })
	switch {
	case at >= 0 && slices.Equal(in.shown.Photos[at].Faults, faults), at < 0 && len(faults) == 0:
		return
	case at >= 0 && len(faults) == 0:
		in.shown.Photos = slices.Delete(in.shown.Photos, at, at+1)
	case at >= 0:
		in.shown.Photos[at] = judged{Field: string(path), Addr: addr, Faults: faults}
	default:
		in.shown.Photos = append(in.shown.Photos, judged{Field: string(path), Addr: addr, Faults: faults})
	}
	in.changed()
}

// addrOf returns where a file of a material lies; nothing for the material as a whole.
func (in *Intake) addrOf(path form.Path, index int) (addr []byte, ok bool) {
	if index < 0 {
		return []byte{}, in.fs.State(path).Field != nil
	}
	refs, err := form.Blobs(in.fs.State(path).Value)
	if err != nil || index >= len(refs) {
		return nil, false
	}
	return refs[index].Addr, true
}

// Judged returns what is wrong with the files that are there; see [counter.Presenter].
func (in *Intake) Judged(path form.Path) []counter.PhotoFaults {
	var out []counter.PhotoFaults
	in.eachJudged(path, func(j *judged, index int) {
		out = append(out, counter.PhotoFaults{Index: index, Faults: slices.Clone(j.Faults), Waived: j.By})
	})
	return out
}

// eachJudged visits what is wrong with a material. Files that were taken out again are left out.
func (in *Intake) eachJudged(path form.Path, fn func(j *judged, index int)) {
	refs, err := form.Blobs(in.fs.State(path).Value)
	if err != nil {
		return
	}
	for i := range in.shown.Photos {
		j := &in.shown.Photos[i]
		if j.Field != string(path) {
			continue
		}
		index := slices.IndexFunc(refs, func(r form.BlobRef) bool { return bytes.Equal(r.Addr, j.Addr) })
		if index >= 0 || len(j.Addr) == 0 {
			fn(j, index)
		}
	}
}

// Waive takes a material in despite its faults; see [counter.Presenter].
func (in *Intake) Waive(ctx context.Context, path form.Path, operator, pin string) error {
	open := 0
	in.eachJudged(path, func(j *judged, _ int) {
		if j.By == "" {
			open++
		}
	})
	if open == 0 {
		return counter.ErrNothingWaived
	}
	if err := in.s.vouch(ctx, operator, pin); err != nil {
		return err
	}
	now := in.s.d.cfg.Now().UnixMilli()
	in.eachJudged(path, func(j *judged, _ int) {
		if j.By == "" {
			j.By, j.At = operator, now
		}
	})
	in.changed()
	return in.saver.flush()
}

// vouch checks the PIN of a second operator, who stays logged out. Wrong PINs count and are recorded as at a login.
func (s *Session) vouch(ctx context.Context, operator, pin string) error {
	if err := s.open(); err != nil {
		return err
	}
	if operator == s.op.ID {
		return counter.ErrSamePerson
	}
	other, err := s.d.Login(ctx, operator, pin)
	if err != nil {
		return err
	}
	return other.Close(ctx)
}

// waived is what the record says about materials that were taken in despite a fault.
func (in *Intake) waived() []journal.Waiver {
	var out []journal.Waiver
	seen := map[form.Path]bool{}
	for _, p := range in.shown.Photos {
		path := form.Path(p.Field)
		if seen[path] {
			continue
		}
		seen[path] = true
		in.eachJudged(path, func(j *judged, _ int) {
			if j.By != "" {
				out = append(out, journal.Waiver{Field: j.Field, Addr: j.Addr, Faults: j.Faults, By: j.By, At: j.At})
			}
		})
	}
	return out
}

// codeLife is how long a shown e-credential speaks for a case that is begun.
const codeLife = 30 * time.Minute

// Credential judges an e-credential; see [counter.Session].
func (s *Session) Credential(ctx context.Context, text string) (receipt.Credential, *people.Person, error) {
	if err := s.open(); err != nil {
		return receipt.Credential{}, nil, err
	}
	c, err := receipt.OpenCredential(s.d.cfg.Suite, text, s.d.store.Time(), s.d.keyLists()...)
	if err != nil {
		return receipt.Credential{}, nil, err
	}
	b, err := s.book()
	if err != nil {
		return c, nil, err
	}
	p, err := b.WithNumber(func(number string) bool { return c.Of(s.d.cfg.Suite, number) })
	if err != nil || p == nil {
		return c, nil, err
	}
	found, err := s.seen(b, p)
	if err != nil || len(found) == 0 { // of another division
		return c, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.codes == nil {
		s.codes = map[string]int64{}
	}
	s.codes[p.ID] = s.d.cfg.Now().UnixMilli()
	return c, found[0], nil
}

// presented returns when a person showed an e-credential, if that still counts; 0 else.
func (s *Session) presented(p *people.Person) int64 {
	if p == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.codes[p.ID]
	if d := s.d.cfg.Now().UnixMilli() - at; !ok || d < 0 || d > codeLife.Milliseconds() {
		return 0
	}
	return at
}
