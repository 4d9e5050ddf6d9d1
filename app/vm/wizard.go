package vm

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/ident"
)

// StepReview is the wizard's own step between the form's: everything once more, as the citizen will sign it.
const StepReview form.Step = "review"

var wizardSteps = []form.Step{form.StepIdentity, form.StepDetails, form.StepMaterials, StepReview, form.StepSignature}

// Wizard takes in one case, or the answer to a correction, step by step. It decides which steps there are, when a fault
// is shown, who signs next and when the case may be submitted. Long work (Attach, Replace, Save, Sign, Submit) is to be
// called off the UI goroutine; the methods may be called from any goroutine.
type Wizard struct {
	t       Texts
	session counter.Session

	mu    sync.Mutex // guards what follows, the intake included
	in    counter.Intake
	fs    *form.Session
	cat   *catalog.Catalog
	asked *counter.Case // the case being corrected, or whose papers are handed in; nil for a new one
	form  *form.Form

	step    form.Step
	field   form.Path
	unsaved bool               // step or field is not noted in the draft yet
	left    map[form.Path]bool // fields the person has been on
	tried   map[form.Step]bool // steps the person wanted to leave, so that everything missing is named
	faults  map[form.Path]string
	editing bool // came here from the review for one change
	voided  bool // signatures were wiped because an answer changed after signing
	noRoom  string
	done    bool

	check PhotoCheck         // nil: photos are not looked at
	proof string             // ID number that photos were last compared with
	card  *WizardNotice      // what came of reading a card; nil before
	whole map[form.Path]bool // materials whose pages are all in the files that are there, as the clerk says
	alone bool               // the applicant is alone with the machine
}

// NewWizard returns the wizard of an intake that was started, resumed or opened for a correction. It begins where the
// intake was left. Errors are those of reading the catalogue and the case being corrected.
func NewWizard(ctx context.Context, s counter.Session, in counter.Intake, t Texts) (*Wizard, error) {
	cat, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	w := &Wizard{
		t: t, session: s, in: in, fs: in.Form(), cat: cat, form: in.Form().Program().Form(),
		left: map[form.Path]bool{}, tried: map[form.Step]bool{}, faults: map[form.Path]string{},
	}
	if in.CaseSeq() != 0 {
		c, err := s.Case(ctx, in.CaseSeq())
		if err != nil {
			return nil, err
		}
		w.asked = &c
	}
	step, field := in.Place()
	w.step, w.field = form.Step(step), field
	if !slices.Contains(w.steps(), w.step) {
		w.step, w.field = w.steps()[0], ""
	}
	w.each(func(it form.Item) { // what was typed before was left long ago
		if it.Path != w.field && w.fs.State(it.Path).Touched {
			w.left[it.Path] = true
		}
	})
	return w, nil
}

// WizardState is what the wizard shows.
type WizardState struct {
	Title    string // name of the service item
	Steps    []string
	Step     int
	ID       form.Step
	Heading  string // what is done on this step, in a sentence
	Notice   *WizardNotice
	Card     *WizardNotice // what came of reading the ID card
	MayRead  bool          // the step asks for who applies: a card may be read
	Warning  *WizardNotice // what stands in the way: no room on the disk, a signature to be made again
	Saved    string        // 已保存 14:02:31
	Unsaved  bool          // the last save failed; Warning says why
	Problems []WizardProblem
	Summary  string // heading of the problems
	Agreed   bool   // signature step: every statement is agreed to, so that what is left is to sign
	Blocks   []WizardBlock
	Review   []ReviewBlock
	Signers  []WizardSigner
	Signer   int // index of who signs now; -1 when nobody has to
	Next     string
	Back     string
}

// WizardNotice is a message over the step; State is "info", "warn" or "danger".
type WizardNotice struct{ State, Title, Text string }

// WizardProblem is a line of the summary; a tap leads to the field.
type WizardProblem struct {
	Path    form.Path
	Text    string
	Missing bool // nothing was given; else what was given is wrong
}

// ProblemsText counts what is missing and what is wrong, each in its own words.
func ProblemsText(t Texts, problems []WizardProblem) string {
	missing := 0
	for _, p := range problems {
		if p.Missing {
			missing++
		}
	}
	wrong := len(problems) - missing
	say := func(key string, n int) string {
		if n == 1 {
			key += "One"
		}
		return t.T(key, "n", itoa(n))
	}
	switch {
	case wrong == 0:
		return say("wizard.missing", missing)
	case missing == 0:
		return say("wizard.wrong", wrong)
	}
	return t.T("wizard.missingAndWrong", "missing", say("wizard.missing", missing), "wrong", say("wizard.wrong", wrong))
}

// WizardBlock is a section of the form on this step.
type WizardBlock struct {
	ID, Title, Hint string
	Lines           []WizardLine
}

// LineKind says how a line is shown: a form's kind for inputs, or one of the kinds below.
type LineKind string

// Kinds of lines that are no input.
const (
	LineFact LineKind = "fact" // a name and what it is: computed, or not open to change
	LineNote LineKind = "note" // text to read
	LineKept LineKind = "kept" // a choice or place that a source has locked: Value is text to read
	LineHead LineKind = "head" // begins the inputs of a person
	LineRow  LineKind = "row"  // begins a row of a group; Removable says whether it may go
	LineAdd  LineKind = "add"  // ends a group: adds a row
)

// Asks says what a text field is to hold, for whoever types into it.
type Asks int

// What a text may be.
const (
	AsksText  Asks = iota
	AsksName       // a person's name
	AsksPlace      // an address
	AsksCode       // letters and digits
)

// WizardLine is one line of a step. Lines are comparable: equal lines look the same.
type WizardLine struct {
	Path     form.Path
	Kind     LineKind
	Card     string // lines with the same card stand in one frame: a row, a person; "" for none
	Label    string
	Help     string
	Mark     string // 选填
	Source   string // 公安人口库 · 2026-11-01
	Error    string
	Value    string // as the input takes it
	Shown    string // as people read it
	Group    string
	Row      int
	Most     int // characters, or files; 0 = no limit
	Places   int // digits behind the point
	Level    int // of a division
	Files    string
	Asks     Asks   // what a line of text is to be
	Faults   string // material: what is wrong with its photos, a line each; nothing once it is waived
	Waived   string // material: who took it in despite its faults, in a sentence
	OnePage  bool   // material: pages are missing, and may be in the files that are there
	Absent   bool   // LineFact: Shown says that there is nothing
	Required bool
	Fixed    bool // may not be changed
	Can      bool // LineRow: may be removed; LineAdd: may be added; material: takes one more file
}

// Key identifies the line on its step.
func (l WizardLine) Key() string { return string(l.Kind) + " " + string(l.Path) }

// State returns what is shown now.
func (w *Wizard) State() WizardState {
	w.mu.Lock()
	defer w.mu.Unlock()
	lang, steps := w.t.Lang(), w.steps()
	s := WizardState{
		Title: w.in.Item().Name.In(lang), Step: slices.Index(steps, w.step), ID: w.step, Signer: -1,
		Heading: w.heading(), Back: w.t.T("wizard.back"), Next: w.nextWord(),
	}
	for _, id := range steps {
		s.Steps = append(s.Steps, w.t.T("wizard.step."+string(id)))
	}
	if w.asked == nil {
		s.Steps = append(s.Steps, w.t.T("wizard.step.receipt"))
	} else {
		s.Notice = w.correctionNotice()
	}
	s.Saved, s.Unsaved = w.saved()
	s.Warning = w.warning()
	if s.MayRead = w.mayRead(); s.MayRead {
		s.Card = w.card
	}
	s.Problems = w.problems()
	s.Summary = ProblemsText(w.t, s.Problems)
	switch w.step {
	case StepReview:
		s.Review = w.review()
	default:
		s.Blocks = w.blocks(w.step)
	}
	if w.step == form.StepSignature {
		s.Signers = w.signers()
		s.Signer = slices.IndexFunc(s.Signers, func(g WizardSigner) bool { return !g.Signed })
		s.Agreed = agreed(s.Blocks)
	}
	return s
}

// agreed reports whether there are statements to agree to and each is.
func agreed(blocks []WizardBlock) bool {
	some := false
	for _, b := range blocks {
		for _, l := range b.Lines {
			if l.Kind != LineKind(form.KindConsent) {
				continue
			}
			if l.Value != "true" {
				return false
			}
			some = true
		}
	}
	return some
}

func (w *Wizard) heading() string {
	if w.step == StepReview && w.neighbour(+1) == "" {
		return w.t.T("wizard.heading.check")
	}
	if w.alone && w.step == StepReview {
		return w.t.T("selfservice.review")
	}
	return w.t.T("wizard.heading." + string(w.step))
}

func (w *Wizard) saved() (text string, failed bool) {
	if w.in.SaveError() != nil {
		return w.t.T("wizard.saveFailed"), true
	}
	at := w.in.Saved()
	if at.IsZero() {
		return w.t.T("wizard.saving"), false
	}
	return w.t.T("wizard.saved", "time", at.In(ident.China).Format(time.TimeOnly)), false
}

// Saved returns the autosave mark alone, and whether the last save failed.
func (w *Wizard) Saved() (text string, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.saved()
}

func (w *Wizard) warning() *WizardNotice {
	err := w.in.SaveError()
	switch {
	case err != nil:
		return &WizardNotice{State: "warn", Title: w.t.T("wizard.saveFailed.why"), Text: Words(w.t, err)}
	case w.noRoom != "":
		return &WizardNotice{State: "danger", Title: w.t.T("wizard.noRoom"), Text: w.noRoom}
	case w.voided && w.step == form.StepSignature:
		return &WizardNotice{State: "warn", Title: w.t.T("wizard.signAgain"), Text: w.t.T("wizard.signAgain.why")}
	}
	return nil
}

func (w *Wizard) correctionNotice() *WizardNotice {
	c, k := w.in.Correction(), w.asked.Clock
	if c == nil {
		return w.papersNotice()
	}
	n := &WizardNotice{State: "warn", Title: w.t.T("wizard.correction", "by", CivilText(w.t, k.AnswerBy), "days", strconv.Itoa(k.Left))}
	switch {
	case k.AnswerBy == 0:
		n.Title = w.t.T("wizard.correction.open")
	case k.Left < 0:
		n.State, n.Title = "danger", w.t.T("wizard.correction.late", "by", CivilText(w.t, k.AnswerBy), "days", strconv.Itoa(-k.Left))
	case k.Lamp == casefile.LampRed:
		n.State = "danger"
	}
	n.Text = w.t.T("wizard.correction.note", "note", c.Note)
	if c.Officer != "" || c.Telephone != "" {
		n.Text += "\n" + w.t.T("wizard.correction.officer", "officer", c.Officer, "phone", c.Telephone)
	}
	return n
}

// papersNotice says until when papers may follow.
func (w *Wizard) papersNotice() *WizardNotice {
	by := CivilText(w.t, w.asked.PapersDue)
	if w.asked.PapersLate {
		return &WizardNotice{State: "danger", Title: w.t.T("wizard.papers.late", "by", by), Text: w.t.T("wizard.papers.why")}
	}
	return &WizardNotice{State: "warn", Title: w.t.T("wizard.papers", "by", by), Text: w.t.T("wizard.papers.why")}
}

// each visits every line that is shown now, on all steps.
func (w *Wizard) each(fn func(form.Item)) {
	for _, b := range w.fs.Visible() {
		for _, it := range b.Items {
			fn(it)
		}
	}
}

// steps returns the steps of this case in order. A correction has those on which something is open, and the review.
func (w *Wizard) steps() []form.Step {
	has := map[form.Step]bool{StepReview: true}
	if w.asked == nil {
		has[form.StepIdentity] = true
		for i := range w.form.Sections {
			has[w.form.Sections[i].Step] = true
		}
		w.form.Each(func(f, _ *form.Field) {
			has[form.StepSignature] = has[form.StepSignature] || f.Kind == form.KindSignature
		})
	} else {
		for _, b := range w.fs.Visible() {
			for _, it := range b.Items {
				if w.open(it) {
					has[stepOf(b.Section, it.Field)] = true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(wizardSteps), func(s form.Step) bool { return !has[s] })
}

// stepOf returns where a field is asked: signatures inside other sections are all made on the signature step.
func stepOf(s *form.Section, f *form.Field) form.Step {
	if f.Kind == form.KindSignature {
		return form.StepSignature
	}
	return s.Step
}

// open reports whether a line takes an answer in a correction.
func (w *Wizard) open(it form.Item) bool {
	if it.Field.Kind == form.KindGroup && it.Row >= 0 || it.Field.Kind == form.KindNote {
		return false
	}
	if !w.fs.State(it.Path).ReadOnly {
		return true
	}
	return slices.ContainsFunc(it.Field.Parts, func(p form.Part) bool { return !w.fs.State(partPath(it.Path, p.Name)).ReadOnly })
}

func partPath(p form.Path, part string) form.Path { return p + form.Path("."+part) }

// empty reports whether a step has nothing to show just now.
func (w *Wizard) empty(step form.Step) bool {
	if step == StepReview {
		return false
	}
	found := false
	for _, b := range w.fs.Visible() {
		for _, it := range b.Items {
			found = found || stepOf(b.Section, it.Field) == step
		}
	}
	return !found
}

// neighbour returns the next (+1) or previous (-1) step with something on it; "" when there is none.
func (w *Wizard) neighbour(by int) form.Step {
	steps := w.steps()
	for i := slices.Index(steps, w.step) + by; i >= 0 && i < len(steps); i += by {
		if !w.empty(steps[i]) {
			return steps[i]
		}
	}
	return ""
}

func (w *Wizard) nextWord() string {
	next := w.neighbour(+1)
	switch {
	case w.step == form.StepSignature:
		switch open := w.unsigned(); {
		case open > 1:
			return w.t.T("wizard.signNext")
		case open == 1:
			return w.t.T("wizard.signSubmit")
		}
		return w.submitWord()
	case w.editing:
		return w.t.T("wizard.toReview")
	case next == "":
		return w.submitWord()
	case next == StepReview:
		return w.t.T("wizard.review")
	case next == form.StepSignature:
		return w.t.T("wizard.sign")
	}
	return w.t.T("wizard.next")
}

func (w *Wizard) submitWord() string {
	switch {
	case w.Completing():
		return w.t.T("wizard.submitPapers")
	case w.asked != nil:
		return w.t.T("wizard.submitCorrection")
	}
	return w.t.T("wizard.submit")
}

// Outcome is what Next led to.
type Outcome int

// Outcomes of Next.
const (
	Stayed Outcome = iota // something on the step is missing; State names it
	Moved                 // on another step
	Signs                 // somebody has to sign: take the pad's strokes to Sign
	Submit                // everything is there: call Submit
)

// Next wants to go on. Nothing is lost when it stays.
func (w *Wizard) Next() Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tried[w.step] = true
	if len(w.problems()) > 0 {
		return Stayed
	}
	if w.step == form.StepSignature {
		if w.unsigned() > 0 {
			return Signs
		}
		return Submit
	}
	next := w.neighbour(+1)
	if w.editing {
		next = StepReview
	}
	if next == "" || next == form.StepSignature {
		if err := w.in.Room(); err != nil {
			w.noRoom = Words(w.t, err)
			return Stayed
		}
		w.noRoom = ""
	}
	if next == "" {
		return Submit
	}
	w.enter(next, "")
	return Moved
}

func (w *Wizard) enter(step form.Step, field form.Path) {
	if step != w.step {
		w.noRoom = ""
	}
	w.step, w.field, w.unsaved = step, field, true
	if step == StepReview {
		w.editing = false
	}
}

// Back goes one step back; false when this is the first.
func (w *Wizard) Back() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	prev := w.neighbour(-1)
	if prev == "" {
		return false
	}
	w.editing = false
	w.enter(prev, "")
	return true
}

// GoTo goes back to a step that was done; index is of WizardState.Steps.
func (w *Wizard) GoTo(index int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	steps := w.steps()
	if index < 0 || index >= len(steps) || index >= slices.Index(steps, w.step) || w.empty(steps[index]) {
		return false
	}
	w.editing = false
	w.enter(steps[index], "")
	return true
}

// Edit goes from the review to a section; Next leads back to the review.
func (w *Wizard) Edit(block string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.fs.Visible() {
		if b.Section.ID != block || !slices.Contains(w.steps(), b.Section.Step) {
			continue
		}
		for _, it := range b.Items {
			if it.Field.Kind != form.KindSignature && w.open(it) {
				w.enter(b.Section.Step, firstPath(it))
				w.editing = true
				return
			}
		}
		w.enter(b.Section.Step, b.Items[0].Path)
		w.editing = true
		return
	}
}

func firstPath(it form.Item) form.Path {
	if it.Field.Kind == form.KindPerson && len(it.Field.Parts) > 0 {
		return partPath(it.Path, it.Field.Parts[0].Name)
	}
	return it.Path
}

// Jump goes to a field that the summary names.
func (w *Wizard) Jump(path form.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	step := w.stepOfPath(path)
	if step == "" {
		return
	}
	fromReview := w.step == StepReview && step != StepReview
	w.enter(step, path)
	w.editing = w.editing || fromReview && step != form.StepSignature
}

func (w *Wizard) stepOfPath(path form.Path) form.Step {
	for _, b := range w.fs.Visible() {
		for _, it := range b.Items {
			if it.Path == path || strings.HasPrefix(string(path), string(it.Path)+".") && it.Field.Kind == form.KindPerson {
				return stepOf(b.Section, it.Field)
			}
		}
	}
	return ""
}

// problems returns what the summary says: what is missing on this step once the person wanted to go on, and on the
// review also what is missing before it.
func (w *Wizard) problems() []WizardProblem {
	if !w.tried[w.step] {
		return nil
	}
	steps := w.steps()
	here := slices.Index(steps, w.step)
	var out []WizardProblem
	for _, p := range w.in.Ready(false) {
		step := w.stepOfPath(p.Path)
		at := slices.Index(steps, step)
		if step == w.step || w.step == StepReview && at < here || w.step == form.StepSignature && at < here {
			out = append(out, WizardProblem{Path: p.Path, Text: p.Text.In(w.t.Lang()), Missing: p.Missing()})
		}
	}
	return append(out, w.photoProblems(func(step form.Step) bool {
		at := slices.Index(steps, step)
		return step == w.step || (w.step == StepReview || w.step == form.StepSignature) && at < here
	})...)
}
