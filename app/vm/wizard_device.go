package vm

import (
	"context"
	"slices"
	"strings"
	"time"

	"bianmin/app/device/idcard"
	"bianmin/app/device/photocheck"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/people"
)

// PhotoCheck looks at a photo and returns what is wrong with it. It takes up to some seconds.
type PhotoCheck func(ctx context.Context, data []byte, p photocheck.Paper) []photocheck.Fault

// Alone says that the applicant fills in the form without the staff.
func (w *Wizard) Alone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alone = true
}

// CheckPhotos has every photo looked at by check from now on.
func (w *Wizard) CheckPhotos(check PhotoCheck) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.check, w.proof = check, w.number()
}

// number is the applicant's ID number as it is typed now.
func (w *Wizard) number() string {
	n, _ := w.fs.State(form.Path(w.form.Applicant.IDNo)).Value.(string)
	return n
}

// compared reports whether an ID card's photos were compared with the number as it is now.
func (w *Wizard) compared(f *form.Field, files int) bool {
	return w.check == nil || files == 0 || !isIDCard(f) || w.proof == w.number()
}

// MustCompare reports whether the ID number was changed after an ID card was photographed, and Compare is to be called.
// While the number itself is on the screen it may still be typed.
func (w *Wizard) MustCompare() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.step != w.stepOfPath(form.Path(w.form.Applicant.IDNo)) && len(w.uncompared()) > 0
}

// uncompared are the materials whose photos are to be compared with another number.
func (w *Wizard) uncompared() []form.Item {
	var out []form.Item
	w.each(func(it form.Item) {
		if it.Field.Kind != form.KindMaterial || w.fs.State(it.Path).ReadOnly {
			return
		}
		if refs, err := form.Blobs(w.fs.State(it.Path).Value); err == nil && !w.compared(it.Field, len(refs)) {
			out = append(out, it)
		}
	})
	return out
}

// Compare compares the photos of ID cards with the number as it is now. It takes seconds: call it off the screen's goroutine.
func (w *Wizard) Compare(ctx context.Context) error {
	type photo struct {
		path  form.Path
		index int
		ref   form.BlobRef
		other bool // it shows another number
	}
	w.mu.Lock()
	check, number := w.check, w.number()
	var photos []photo
	for _, it := range w.uncompared() {
		refs, err := form.Blobs(w.fs.State(it.Path).Value)
		if err != nil {
			continue // uncompared has read it
		}
		for i, r := range refs {
			photos = append(photos, photo{path: it.Path, index: i, ref: r})
		}
	}
	w.mu.Unlock()
	for i := range photos {
		data, err := w.session.OpenBlob(ctx, photos[i].ref)
		if err != nil {
			return err
		}
		photos[i].other = slices.Contains(check(ctx, data, photocheck.Paper{Number: number}), photocheck.Number)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range photos {
		var faults []string
		for _, j := range w.in.Judged(p.path) {
			if j.Index == p.index {
				faults = slices.DeleteFunc(j.Faults, func(f string) bool { return f == string(photocheck.Number) })
			}
		}
		if p.other {
			faults = append(faults, string(photocheck.Number))
		}
		w.in.Judge(p.path, p.index, faults)
	}
	w.proof = number
	return nil
}

// sourceName returns where a value comes from in the language of the moment; rosters name their sources in Chinese only.
func sourceName(t Texts, name string) string {
	if name == people.CardSource {
		return t.T("idcard.source")
	}
	return name
}

// mayRead reports whether the step asks for who applies, so that a card can fill it in.
func (w *Wizard) mayRead() bool {
	return w.asked == nil && w.step == w.stepOfPath(form.Path(w.form.Applicant.IDNo))
}

// TakeCard puts what a card says into the fields of the case. It returns false when the card was refused; State says why.
func (w *Wizard) TakeCard(c idcard.Card, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken, err := w.in.Take(readingOf(c))
	if err != nil {
		w.card = &WizardNotice{State: "danger", Title: w.t.T("idcard.refused"), Text: Words(w.t, err)}
		return false
	}
	w.wipeSignatures()
	for _, path := range taken.Filled {
		delete(w.faults, path)
		w.left[path] = true
	}
	var doubts []string
	doubt := func(on bool, key string, pairs ...string) {
		if on {
			doubts = append(doubts, w.t.T(key, pairs...))
		}
	}
	doubt(c.Expired(now), "idcard.expired", "day", c.Until.Format(time.DateOnly))
	doubt(c.Early(now), "idcard.early", "day", c.From.Format(time.DateOnly))
	doubt(c.NameFull, "idcard.nameFull")
	doubt(len(c.Private) > 0, "idcard.private", "n", itoa(len(c.Private)))
	doubt(c.Broken > 0, "idcard.broken")
	if len(taken.Differs) > 0 {
		labels := make([]string, len(taken.Differs))
		for i, path := range taken.Differs {
			labels[i] = w.fs.Text(w.fs.State(path).Field.Label, w.t.Lang(), path)
		}
		doubt(true, "idcard.differs", "fields", strings.Join(labels, w.t.T("wizard.and")))
	}
	n := &WizardNotice{State: "ok", Title: w.t.T("idcard.read", "name", c.Name, "n", itoa(len(taken.Filled))), Text: w.about(c)}
	if len(doubts) > 0 {
		n.State, n.Text = "warn", strings.Join(append([]string{n.Text}, doubts...), "\n")
	}
	w.card = n
	return true
}

// about says in a line what the card says beside what the form asks.
func (w *Wizard) about(c idcard.Card) string {
	until := w.t.T("idcard.longTerm")
	if !c.Until.IsZero() {
		until = c.Until.Format(time.DateOnly)
	}
	parts := []string{w.t.T("idcard.kind." + string(c.Kind))}
	if sex := c.Sex; sex != "" {
		parts = append(parts, w.t.T("sex."+sex))
	}
	if c.Nation != "" {
		if list, ok := w.cat.Lists["ethnic"]; ok {
			if label, ok := list.Label(c.Nation); ok {
				parts = append(parts, label.In(w.t.Lang()))
			}
		}
	}
	return strings.Join(append(parts, c.Birth.Format(time.DateOnly), w.t.T("idcard.until", "day", until)), " · ")
}

// CardFault says in words why a card could not be read.
func (w *Wizard) CardFault(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.card = &WizardNotice{State: "warn", Title: w.t.T("idcard.unread"), Text: Words(w.t, err)}
}

// readingOf returns a card as a case takes it.
func readingOf(c idcard.Card) counter.Reading {
	r := counter.Reading{Number: c.Number, Open: map[string]bool{people.Registered: true, people.Residence: true}, Elements: map[string]string{
		people.Name: ident.NormalizeName(c.Name), people.IDNo: c.Number, people.Ethnic: c.Nation, people.Sex: c.Sex,
		people.Birth: c.Birth.Format(time.DateOnly), people.Registered: c.Address, people.IDIssuer: c.Issuer,
	}}
	if !c.From.IsZero() {
		r.Elements[people.IDFrom] = c.From.Format(time.DateOnly)
	}
	if !c.Until.IsZero() {
		r.Elements[people.IDUntil] = c.Until.Format(time.DateOnly)
	}
	if c.Kind == idcard.HMT { // it says where somebody lives; a household registration they have elsewhere
		r.Elements[people.Residence] = c.Address
		delete(r.Elements, people.Registered)
	}
	r.Open[people.Name] = c.NameFull || len(c.Private) > 0 || c.Broken > 0
	return r
}

// lookAt looks at a file before it is added to a material.
func (w *Wizard) lookAt(ctx context.Context, path form.Path, data []byte, camera bool) []string {
	w.mu.Lock()
	check, p := w.check, photocheck.Paper{Camera: camera}
	if f := w.fs.State(path).Field; f != nil && isIDCard(f) {
		p.Number = w.number()
		if len(w.uncompared()) == 0 { // nothing is compared with another one
			w.proof = p.Number
		}
	}
	w.mu.Unlock()
	if check == nil {
		return nil
	}
	var out []string
	for _, f := range check(ctx, data, p) {
		out = append(out, string(f))
	}
	return out
}

// isIDCard reports whether a material is the applicant's ID card.
func isIDCard(f *form.Field) bool { return f.Code == "idcard" }

// cardSides is how many sides of an ID card have to be seen.
const cardSides = 2

// pagesMissing returns how many pages a material still lacks: an ID card has two sides.
func (w *Wizard) pagesMissing(f *form.Field, path form.Path, files int) int {
	if w.check == nil || files == 0 || w.whole[path] {
		return 0
	}
	want := 1
	if f.Min != nil {
		want = int(*f.Min)
	}
	if isIDCard(f) && (f.Max == nil || *f.Max >= cardSides) {
		want = max(want, cardSides)
	}
	return max(want-files, 0)
}

// OnOnePage says for the clerk that all pages of a material are in the files that are there.
func (w *Wizard) OnOnePage(path form.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.whole == nil {
		w.whole = map[form.Path]bool{}
	}
	w.whole[path] = true
	w.in.Judge(path, -1, nil)
}

// fillFaults says what is wrong with a material's photos, and who takes the blame for it.
func (w *Wizard) fillFaults(l *WizardLine, f *form.Field, files int) {
	if l.Fixed {
		return
	}
	open, by := w.faultsOf(f, l.Path, files)
	l.Faults = strings.Join(open, "\n")
	l.OnePage = w.pagesMissing(f, l.Path, files) > 0
	if by != "" {
		l.Waived = w.t.T("photo.waived", "name", by)
	}
}

// faultsOf returns what is wrong in sentences, and the name of who waived the rest.
func (w *Wizard) faultsOf(f *form.Field, path form.Path, files int) (open []string, by string) {
	missing := w.pagesMissing(f, path, files)
	pages := false
	for _, j := range w.in.Judged(path) {
		switch {
		case j.Index < 0 && missing == 0:
			continue // the pages have come since
		case j.Waived != "":
			by = w.operator(j.Waived)
			pages = pages || j.Index < 0
			continue
		case j.Index < 0:
			continue // said below, with the count of now
		}
		for _, fault := range j.Faults {
			text := w.t.T("photo." + fault)
			if files > 1 {
				text = w.t.T("photo.which", "n", itoa(j.Index+1), "text", text)
			}
			open = append(open, text)
		}
	}
	if !w.compared(f, files) {
		open = append(open, w.t.T("photo.compare"))
	}
	if missing > 0 && !pages {
		open = append(open, w.t.T("photo.pageMiss", "n", itoa(missing)))
	}
	return open, by
}

func (w *Wizard) operator(id string) string {
	for _, op := range w.session.Colleagues() {
		if op.ID == id {
			return op.Name
		}
	}
	return id
}

// photoProblems returns a line of the summary for each material with a fault that nobody has waived.
func (w *Wizard) photoProblems(here func(form.Step) bool) []WizardProblem {
	var out []WizardProblem
	for _, b := range w.fs.Visible() {
		for _, it := range b.Items {
			if it.Field.Kind != form.KindMaterial || !here(stepOf(b.Section, it.Field)) {
				continue
			}
			st := w.fs.State(it.Path)
			refs, err := form.Blobs(st.Value)
			if err != nil || st.ReadOnly {
				continue
			}
			if open, _ := w.faultsOf(it.Field, it.Path, len(refs)); len(open) > 0 {
				label := w.fs.Text(it.Field.Label, w.t.Lang(), it.Path)
				out = append(out, WizardProblem{Path: it.Path, Text: w.t.T("photo.problem", "label", label, "text", open[0])})
			}
		}
	}
	return out
}

// Seconds returns who may stand for a material beside the operator: the others of this machine.
func (w *Wizard) Seconds() []Choice {
	var out []Choice
	for _, op := range w.session.Colleagues() {
		if !op.Self && !op.MustChange && !op.Waiting {
			out = append(out, Choice{Value: op.ID, Label: op.Name})
		}
	}
	return out
}

// Waive takes a material in despite its faults, with a second operator's PIN. The error is in words.
func (w *Wizard) Waive(ctx context.Context, path form.Path, operator, pin string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.fs.State(path).Field
	if refs, err := form.Blobs(w.fs.State(path).Value); err == nil && f != nil && w.pagesMissing(f, path, len(refs)) > 0 {
		w.in.Judge(path, -1, []string{string(photocheck.PageMiss)})
	}
	return w.in.Waive(ctx, path, operator, pin)
}
