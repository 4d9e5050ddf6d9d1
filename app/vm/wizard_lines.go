package vm

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bianmin/offline/catalog"
	"bianmin/offline/form"
)

// blocks returns the sections of a step with their lines. Signatures are not among them: see signers.
func (w *Wizard) blocks(step form.Step) []WizardBlock {
	lang := w.t.Lang()
	var out []WizardBlock
	for _, b := range w.fs.Visible() {
		if b.Section.Step != step {
			continue
		}
		block := WizardBlock{ID: b.Section.ID, Title: b.Section.Title.In(lang), Hint: b.Section.Hint.In(lang)}
		for i, it := range b.Items {
			if it.Field.Kind != form.KindSignature {
				block.Lines = append(block.Lines, w.lines(it)...)
			}
			group, in := w.groupOf(it)
			if in && (i+1 == len(b.Items) || !w.sameGroup(group, b.Items[i+1])) {
				block.Lines = append(block.Lines, w.addLine(group))
			}
		}
		if len(block.Lines) > 0 {
			out = append(out, block)
		}
	}
	return out
}

// groupOf returns the id of the group that a line belongs to.
func (w *Wizard) groupOf(it form.Item) (string, bool) {
	if it.Field.Kind == form.KindGroup {
		return it.Field.ID, true
	}
	if it.Row >= 0 {
		id, _, _ := strings.Cut(string(it.Path), "[")
		return id, true
	}
	return "", false
}

func (w *Wizard) sameGroup(group string, it form.Item) bool {
	id, in := w.groupOf(it)
	return in && id == group
}

// lines returns the lines of one visible item: one, or a person's heading and parts.
func (w *Wizard) lines(it form.Item) []WizardLine {
	f, lang := it.Field, w.t.Lang()
	l := WizardLine{Path: it.Path, Kind: LineKind(f.Kind), Row: it.Row, Label: w.fs.Text(f.Label, lang, it.Path), Help: w.fs.Text(f.Hint, lang, it.Path)}
	if group, in := w.groupOf(it); in && it.Row >= 0 {
		l.Group, l.Card = group, string(form.RowPath(group, it.Row, ""))
	}
	switch {
	case f.Kind == form.KindGroup && it.Row >= 0:
		st := w.fs.State(form.Path(f.ID))
		l.Kind, l.Help = LineRow, ""
		l.Label = w.rowLabel(f, it)
		l.Can = !st.ReadOnly && (f.Min == nil || int64(w.fs.Rows(f.ID)) > *f.Min)
		return []WizardLine{l}
	case f.Kind == form.KindGroup:
		st := w.fs.State(it.Path)
		l.Kind, l.Required = LineHead, st.Required
		l.Error = w.fault(it.Path, f.Kind, st)
		return []WizardLine{l}
	case f.Kind == form.KindNote:
		l.Kind, l.Shown, l.Label = LineNote, l.Label, ""
		return []WizardLine{l}
	case f.Kind == form.KindPerson:
		return w.personLines(it, l)
	}
	w.fill(&l, f, w.fs.State(it.Path))
	return []WizardLine{l}
}

func (w *Wizard) rowLabel(f *form.Field, it form.Item) string {
	if f.RowLabel.IsZero() {
		return f.Label.In(w.t.Lang()) + " " + strconv.Itoa(it.Row+1)
	}
	label := strings.TrimSpace(w.fs.Text(f.RowLabel, w.t.Lang(), it.Path))
	return w.t.T("wizard.row", "n", strconv.Itoa(it.Row+1), "label", label)
}

func (w *Wizard) addLine(group string) WizardLine {
	st := w.fs.State(form.Path(group))
	most := int64(form.MaxRows)
	if st.Field.Max != nil {
		most = *st.Field.Max
	}
	return WizardLine{
		Path: form.Path(group), Kind: LineAdd, Group: group, Row: -1, Label: w.t.T("wizard.addRow", "label", st.Field.Label.In(w.t.Lang())),
		Can: !st.ReadOnly && int64(w.fs.Rows(group)) < most,
	}
}

func (w *Wizard) personLines(it form.Item, head WizardLine) []WizardLine {
	st := w.fs.State(it.Path)
	head.Kind, head.Required = LineHead, st.Required
	card := head.Card
	if card == "" {
		card = string(it.Path)
	}
	head.Card = card
	out := []WizardLine{head}
	for _, p := range it.Field.Parts {
		path := partPath(it.Path, p.Name)
		ps := w.fs.State(path)
		kind := form.KindText
		switch p.Name {
		case "idno":
			kind = form.KindIDNumber
		case "phone":
			kind = form.KindPhone
		}
		l := WizardLine{Path: path, Kind: LineKind(kind), Card: card, Row: it.Row, Group: head.Group, Label: form.PartLabel(p.Name).In(w.t.Lang())}
		part := form.Field{ID: p.Name, Kind: kind}
		w.fill(&l, &part, ps)
		out = append(out, l)
	}
	return out
}

// asks tells what a text field is to hold by its format, and addresses by the name of their fact.
func asks(f *form.Field) Asks {
	switch {
	case f.Format == "name" || f.ID == "name" && f.Element == "" && f.Kind == form.KindText:
		return AsksName
	case f.Format == "credit":
		return AsksCode
	case strings.HasSuffix(f.Element, "Address") || strings.HasSuffix(f.ID, "Address") || f.ID == "address":
		return AsksPlace
	}
	return AsksText
}

// fill completes the line of an input, or turns it into a fact when it is none.
func (w *Wizard) fill(l *WizardLine, f *form.Field, st form.FieldState) {
	l.Required, l.Fixed = st.Required, st.ReadOnly
	l.Error = w.fault(l.Path, f.Kind, st)
	if f.Kind == form.KindComputed || st.ReadOnly && st.Source == nil && f.Kind != form.KindMaterial {
		l.Kind, l.Required, l.Shown = LineFact, false, w.shown(l.Path, f, st)
		if l.Absent = l.Shown == ""; l.Absent {
			l.Shown = w.t.T(map[bool]string{true: "wizard.computed", false: "wizard.none"}[f.Kind == form.KindComputed])
		}
		return
	}
	if !st.Required && f.Kind != form.KindConsent {
		l.Mark = w.t.T("wizard.optional")
	}
	if st.Source != nil {
		l.Source = sourceName(w.t, st.Source.Name)
		if !st.Source.AsOf.IsZero() {
			l.Source = w.t.T("wizard.source", "name", l.Source, "day", st.Source.AsOf.Format(time.DateOnly))
		}
	}
	l.Value, l.Most, l.Asks = inputValue(f.Kind, st), f.MaxLength, asks(f)
	if st.ReadOnly {
		switch f.Kind {
		case form.KindDivision, form.KindChoice, form.KindChoices, form.KindYesNo, form.KindDate:
			l.Kind, l.Value = LineKept, w.shown(l.Path, f, st)
			return
		}
	}
	switch f.Kind {
	case form.KindText:
		if l.Most == 0 {
			l.Most = 200
		}
	case form.KindLongText:
		if l.Most == 0 {
			l.Most = 2000
		}
	case form.KindDecimal:
		if l.Places = f.Scale; l.Places == 0 {
			l.Places = 2
		}
	case form.KindDivision:
		if l.Level = f.Level; l.Level == 0 {
			l.Level = 5
		}
	case form.KindMaterial:
		w.fillMaterial(l, f, st)
	}
}

func (w *Wizard) fillMaterial(l *WizardLine, f *form.Field, st form.FieldState) {
	refs, _ := form.Blobs(st.Value) // what is no list of files shows as none
	if f.Max != nil {
		l.Most = int(*f.Max)
	}
	l.Can = !st.ReadOnly && (l.Most == 0 || len(refs) < l.Most)
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = fmt.Sprintf("%x %s", r.Addr[:8], r.Name)
	}
	l.Files = strings.Join(names, "\n") // so that lines with other files are not equal
	l.Value, l.Mark = strconv.Itoa(len(refs)), w.needWord(f, st)
	w.fillFaults(l, f, len(refs))
	if m, ok := w.material(f.Code); ok {
		lang := w.t.Lang()
		for _, more := range []string{m.Standard.In(lang), m.Fill.In(lang)} {
			if plain := strings.TrimRight(more, "。."); plain != "" && !strings.Contains(l.Help, plain) {
				l.Help = strings.TrimPrefix(l.Help+"\n"+more, "\n")
			}
		}
	}
}

// needWord says whether a material has to be there: 需要, 免提交, 可容缺 or 选填.
func (w *Wizard) needWord(f *form.Field, st form.FieldState) string {
	m, _ := w.material(f.Code)
	switch {
	case st.Required:
		return w.t.T("wizard.need")
	case m.Exempt:
		return w.t.T("wizard.exempt")
	case m.Later:
		return w.t.T("wizard.later")
	}
	return w.t.T("wizard.optional")
}

func (w *Wizard) material(code string) (m catalog.Material, ok bool) {
	item := w.in.Item()
	for _, m := range item.Materials {
		if m.ID == code && code != "" {
			return m, true
		}
	}
	return m, false
}

// shown returns an answer as people read it.
func (w *Wizard) shown(path form.Path, f *form.Field, st form.FieldState) string {
	if f.ValueKind() == form.KindDivision {
		if code, ok := st.Value.(string); ok {
			if name := w.cat.Divisions.FullName(code); name != "" {
				return name
			}
		}
	}
	text := w.fs.Display(path, w.t.Lang())
	switch {
	case text == "":
		return st.Raw
	case f.Kind == form.KindIDNumber:
		return grouped(text, 6, 8, 4)
	case f.Kind == form.KindBankCard:
		return grouped(text, 4, 4, 4, 4, 4)
	case f.Kind == form.KindPhone && len(text) == 11 && text[0] == '1':
		return grouped(text, 3, 4, 4)
	}
	return text
}

// grouped sets spaces into a long number, so that it can be compared with a card.
func grouped(text string, sizes ...int) string {
	var parts []string
	for _, n := range sizes {
		if len(text) <= n {
			break
		}
		parts, text = append(parts, text[:n]), text[n:]
	}
	return strings.Join(append(parts, text), " ")
}

// inputValue returns an answer as its input takes it.
func inputValue(kind form.Kind, st form.FieldState) string {
	switch v := st.Value.(type) {
	case string:
		return v
	case int64:
		if kind == form.KindMoney {
			return yuanText(v)
		}
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		codes := make([]string, 0, len(v))
		for _, e := range v {
			if code, ok := e.(string); ok {
				codes = append(codes, code)
			}
		}
		return strings.Join(codes, ",")
	}
	return st.Raw
}

// yuanText returns fen as a plain amount in yuan: 123450 is "1234.50", whole amounts have no point.
func yuanText(fen int64) string {
	if fen%100 == 0 {
		return strconv.FormatInt(fen/100, 10)
	}
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// fault returns the words under a field: nothing before the person has left it, or typed so much that it is surely
// wrong, or wanted to go on.
func (w *Wizard) fault(path form.Path, kind form.Kind, st form.FieldState) string {
	if text := w.faults[path]; text != "" {
		return text
	}
	p := st.Error
	if p == nil {
		return ""
	}
	show := w.tried[w.step]
	switch {
	case strings.HasPrefix(p.Key, "form.required"):
		show = show || w.left[path] && st.Touched
	default:
		show = show || w.left[path] || st.Source != nil || surelyWrong(kind, p.Key, inputValue(kind, st))
	}
	switch {
	case !show:
		return ""
	case kind == form.KindConsent: // the card above has the whole text
		return w.t.T("wizard.consent.missing")
	}
	return p.Text.In(w.t.Lang())
}

// surelyWrong reports whether more typing cannot make a refused value right.
func surelyWrong(kind form.Kind, key, value string) bool {
	switch key {
	case "form.text", "form.tooLong", "form.max", "ident.nameChars", "ident.idChars", "ident.cardChars":
		return true
	}
	n := utf8.RuneCountInString(value)
	switch kind {
	case form.KindIDNumber:
		return n >= 18
	case form.KindPhone:
		return n >= 11
	case form.KindBankCard:
		return n >= 19
	case form.KindDate:
		return n >= 8
	case form.KindText, form.KindLongText, form.KindInteger, form.KindDecimal, form.KindMoney:
		return false
	}
	return true
}

// WizardOption is one thing to choose.
type WizardOption struct{ Code, Label, Find string }

// Options returns the choices of a field; none when its list is not on this machine.
func (w *Wizard) Options(path form.Path) []WizardOption {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.fs.State(path)
	if st.Field == nil {
		return nil
	}
	if st.Field.Kind == form.KindYesNo {
		return []WizardOption{{Code: "true", Label: w.t.T("wizard.yes")}, {Code: "false", Label: w.t.T("wizard.no")}}
	}
	all, _, err := w.fs.SearchOptions(path, "", 0, 0)
	if err != nil {
		return nil
	}
	out := make([]WizardOption, len(all))
	for i, o := range all {
		out[i] = WizardOption{Code: o.Code, Label: o.Label.In(w.t.Lang()), Find: strings.Join(o.Keys, " ")}
	}
	return out
}

// Divisions returns the tree of divisions for pickers.
func (w *Wizard) Divisions() *catalog.Divisions { return w.cat.Divisions }

// WizardFile is one file of a material.
type WizardFile struct {
	ID      string // equal for equal files
	Name    string
	Note    string // kind and size
	Picture bool
	ref     form.BlobRef
}

// Files returns the files of a material.
func (w *Wizard) Files(path form.Path) []WizardFile {
	w.mu.Lock()
	defer w.mu.Unlock()
	refs, err := form.Blobs(w.fs.State(path).Value)
	if err != nil {
		return nil
	}
	out := make([]WizardFile, len(refs))
	for i, r := range refs {
		picture := strings.HasPrefix(r.MIME, "image/")
		out[i] = WizardFile{
			ID: fmt.Sprintf("%x", r.Addr), Name: r.Name, Picture: picture, ref: r,
			Note: w.t.T(map[bool]string{true: "wizard.picture", false: "wizard.document"}[picture], "size", sizeText(r.Size)),
		}
	}
	return out
}

func sizeText(bytes int64) string {
	const kilo, mega = 1 << 10, 1 << 20
	if bytes >= mega {
		return strconv.FormatFloat(float64(bytes)/mega, 'f', 1, 64) + " MB"
	}
	return strconv.FormatInt(max(1, bytes/kilo), 10) + " KB"
}

// ReviewBlock is a section as the citizen will sign it.
type ReviewBlock struct {
	ID, Title string
	Rows      []ReviewRow
	Edit      string // word of the button that leads back to it; "" when nothing in it is open
}

// ReviewRow is one answer.
type ReviewRow struct {
	Label, Value string
	Head         bool // a row of a group begins
	Absent       bool // nothing was given
	Mark         string
}

func (w *Wizard) review() []ReviewBlock {
	lang := w.t.Lang()
	var out []ReviewBlock
	for _, b := range w.fs.Visible() {
		if b.Section.Step == form.StepSignature {
			continue
		}
		block := ReviewBlock{ID: b.Section.ID, Title: b.Section.Title.In(lang)}
		open := false
		for _, it := range b.Items {
			f := it.Field
			open = open || f.Kind != form.KindSignature && w.open(it)
			switch {
			case f.Kind == form.KindSignature, f.Kind == form.KindGroup && it.Row < 0 && w.fs.Rows(f.ID) > 0:
				continue
			case f.Kind == form.KindGroup && it.Row >= 0:
				block.Rows = append(block.Rows, ReviewRow{Label: w.rowLabel(f, it), Head: true})
				continue
			case f.Kind == form.KindNote:
				block.Rows = append(block.Rows, ReviewRow{Value: w.fs.Text(f.Label, lang, it.Path)})
				continue
			}
			block.Rows = append(block.Rows, w.reviewRow(it))
		}
		if open {
			block.Edit = w.t.T("wizard.edit")
		}
		if len(block.Rows) > 0 {
			out = append(out, block)
		}
	}
	return out
}

func (w *Wizard) reviewRow(it form.Item) ReviewRow {
	st := w.fs.State(it.Path)
	r := ReviewRow{Label: w.fs.Text(it.Field.Label, w.t.Lang(), it.Path), Value: w.shown(it.Path, it.Field, st)}
	if it.Field.Kind == form.KindMaterial {
		refs, _ := form.Blobs(st.Value) // what is no list of files shows as none
		names := make([]string, len(refs))
		for i, f := range refs {
			names[i] = f.Name
		}
		r.Value = ""
		if len(refs) > 0 {
			r.Value = w.t.T("wizard.files", "n", strconv.Itoa(len(refs)), "names", strings.Join(names, w.t.T("wizard.and")))
		}
	}
	if r.Value == "" {
		r.Value, r.Absent = w.t.T("wizard.none"), true
	}
	if w.asked != nil && w.open(it) {
		r.Mark = w.t.T("wizard.corrected")
		if w.Completing() {
			r.Mark = w.t.T("wizard.papers.mark")
		}
	}
	return r
}
