package form

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Schema is the published JSON Schema (2020-12) of form files.
//
//go:embed schema/form.schema.json
var Schema []byte

const maxFaults = 200

// Fault is one thing wrong with a form file.
type Fault struct {
	Path    string // JSON pointer, for example "/sections/0/fields/3/constraint"
	Line    int    // line of the file, from 1; 0 when unknown
	Message string // English, for those who write forms
}

// String returns "line 12: /sections/0/fields/3: what is wrong".
func (f Fault) String() string { return fmt.Sprintf("line %d: %s: %s", f.Line, f.Path, f.Message) }

// LintError reports a form file that is refused, with every fault found.
type LintError struct{ Faults []Fault }

// Error lists the faults, one a line.
func (e *LintError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "form refused: %d fault(s)", len(e.Faults))
	for _, f := range e.Faults {
		b.WriteString("\n")
		b.WriteString(f.String())
	}
	return b.String()
}

type linter struct {
	lines  map[string]int
	faults []Fault
}

func (l *linter) add(ptr, format string, args ...any) {
	if len(l.faults) < maxFaults {
		l.faults = append(l.faults, Fault{Path: ptr, Line: l.line(ptr), Message: fmt.Sprintf(format, args...)})
	}
}

// line returns the line of ptr, or of the nearest thing around it.
func (l *linter) line(ptr string) int {
	for {
		if n, ok := l.lines[ptr]; ok {
			return n
		}
		cut := strings.LastIndexByte(ptr, '/')
		if cut < 0 {
			return l.lines[""]
		}
		ptr = ptr[:cut]
	}
}

func (l *linter) err() error {
	sort.SliceStable(l.faults, func(i, j int) bool { return l.faults[i].Line < l.faults[j].Line })
	return &LintError{Faults: l.faults}
}

var compiledSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := readJSON(Schema)
	if err != nil {
		return nil, fmt.Errorf("read form schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	const at = "https://bianmin.example/schema/form-1.json"
	if err := c.AddResource(at, doc.root); err != nil {
		return nil, fmt.Errorf("load form schema: %w", err)
	}
	return c.Compile(at)
})

// schema reports what the JSON Schema finds, leaves only: "properties of x don't match" helps nobody.
func (l *linter) schema(root any) {
	s, err := compiledSchema()
	if err != nil {
		panic(err) // embedded and tested
	}
	var ve *jsonschema.ValidationError
	if err := s.Validate(root); errors.As(err, &ve) {
		l.leaves(ve, message.NewPrinter(language.English))
	} else if err != nil {
		l.add("", "%v", err)
	}
}

func (l *linter) leaves(ve *jsonschema.ValidationError, p *message.Printer) {
	if len(ve.Causes) == 0 {
		l.add(pointer(ve.InstanceLocation), "%s", ve.ErrorKind.LocalizedString(p))
	}
	for _, c := range ve.Causes {
		l.leaves(c, p)
	}
}

// plain turns json.Number into int64, so that the form can be hashed as canonical CBOR and facts are whole numbers.
func (l *linter) plain(v any, ptr string) any {
	switch x := v.(type) {
	case json.Number:
		n, err := x.Int64()
		if err != nil {
			l.add(ptr, "%s is not a whole number of 64 bits", x)
		}
		return n
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = l.plain(e, ptr+"/"+strconv.Itoa(i))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = l.plain(e, ptr+"/"+pointerEscape.Replace(k))
		}
		return out
	}
	return v
}

// reserved words cannot be field ids: they mean something in expressions.
var reserved = []string{
	"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
	"package", "namespace", "return", "var", "void", "while", "int", "uint", "double", "bool", "string", "bytes", "list", "map",
	"type", "dyn", "duration", "timestamp", "google", "optional", "data", "row", "today", "division",
}

// form checks what the schema can't and analyses the expressions. The analysis is only good when no fault was added.
func (l *linter) form(f *Form) *analysis {
	n := 0
	f.Each(func(*Field, *Field) { n++ })
	if n > MaxFields {
		l.add("/sections", "%d fields, the limit is %d", n, MaxFields)
		return nil
	}
	sections, ids := map[string]bool{}, map[string]bool{}
	lastStep := -1
	for i := range f.Sections {
		sec, ptr := &f.Sections[i], fmt.Sprintf("/sections/%d", i)
		if sections[sec.ID] {
			l.add(ptr+"/id", "section id %q stands twice", sec.ID)
		}
		sections[sec.ID] = true
		step := slices.Index([]Step{StepIdentity, StepDetails, StepMaterials, StepSignature}, sec.Step)
		if step < lastStep {
			l.add(ptr+"/step", "step %q comes after a later step", sec.Step)
		}
		lastStep = max(lastStep, step)
		for j := range sec.Fields {
			fp := fmt.Sprintf("%s/fields/%d", ptr, j)
			fd := &sec.Fields[j]
			l.fieldID(fp, fd.ID, ids)
			l.field(fp, fd, nil)
			children := map[string]bool{}
			for k := range fd.Fields {
				cp := fmt.Sprintf("%s/fields/%d", fp, k)
				l.fieldID(cp, fd.Fields[k].ID, children)
				l.field(cp, &fd.Fields[k], fd)
			}
		}
	}
	if len(l.faults) > 0 {
		return nil // expressions over a broken tree only repeat the same faults
	}
	return l.analyse(f)
}

func (l *linter) fieldID(ptr, id string, seen map[string]bool) {
	if slices.Contains(reserved, id) {
		l.add(ptr+"/id", "id %q is a word of the expression language", id)
	}
	if seen[id] {
		l.add(ptr+"/id", "field id %q stands twice", id)
	}
	seen[id] = true
}

// field checks that the members of fd fit its kind.
func (l *linter) field(ptr string, fd, group *Field) {
	kind := fd.ValueKind()
	only := func(member string, present bool, kinds ...Kind) {
		if present && !slices.Contains(kinds, kind) {
			l.add(ptr+"/"+member, "%q does not go with kind %q", member, fd.Kind)
		}
	}
	only("format", fd.Format != "", KindText)
	only("minLength", fd.MinLength != 0, KindText, KindLongText)
	only("maxLength", fd.MaxLength != 0, KindText, KindLongText)
	only("min", fd.Min != nil, KindInteger, KindDecimal, KindMoney, KindChoices, KindGroup, KindMaterial)
	only("max", fd.Max != nil, KindInteger, KindDecimal, KindMoney, KindChoices, KindGroup, KindMaterial)
	only("scale", fd.Scale != 0, KindDecimal)
	only("options", fd.Options != nil, KindChoice, KindChoices)
	only("list", fd.List != "", KindChoice, KindChoices)
	only("level", fd.Level != 0, KindDivision)
	only("parts", fd.Parts != nil, KindPerson)
	only("fields", fd.Fields != nil, KindGroup)
	only("rowLabel", !fd.RowLabel.IsZero(), KindGroup)
	only("accept", fd.Accept != nil, KindMaterial)
	only("maxBytes", fd.MaxBytes != 0, KindMaterial)
	only("code", fd.Code != "", KindMaterial)
	if fd.Kind != KindComputed {
		if fd.Calculate != "" {
			l.add(ptr+"/calculate", `"calculate" needs kind "computed"`)
		}
		if fd.As != "" {
			l.add(ptr+"/as", `"as" needs kind "computed"`)
		}
	}
	passive := fd.Kind == KindNote || fd.Kind == KindComputed
	if passive && (fd.Required != "" || fd.ReadOnly != "" || fd.Initial != "" || fd.Source != "") {
		l.add(ptr, "kind %q takes no required, readonly, initial or source", fd.Kind)
	}
	if fd.Kind == KindNote && fd.Constraint != "" {
		l.add(ptr+"/constraint", "a note has no value to constrain")
	}
	if fd.Initial != "" && slices.Contains([]Kind{KindPerson, KindGroup, KindMaterial, KindSignature, KindConsent}, fd.Kind) {
		l.add(ptr+"/initial", "kind %q has no initial value", fd.Kind)
	}
	if group != nil && fd.Kind == KindGroup {
		l.add(ptr+"/kind", "a group inside a group")
	}
	if (kind == KindChoice || kind == KindChoices) && (fd.Options == nil) == (fd.List == "") {
		l.add(ptr, `a choice needs "options" or "list", one of them`)
	}
	l.ranges(ptr, fd)
	l.codes(ptr, fd)
}

func (l *linter) ranges(ptr string, fd *Field) {
	if fd.MaxLength != 0 && fd.MinLength > fd.MaxLength {
		l.add(ptr+"/minLength", "minLength is greater than maxLength")
	}
	if fd.Min != nil && fd.Max != nil && *fd.Min > *fd.Max {
		l.add(ptr+"/min", "min is greater than max")
	}
	switch fd.Kind {
	case KindGroup, KindMaterial, KindChoices:
		if fd.Min != nil && *fd.Min < 0 || fd.Max != nil && *fd.Max < 1 {
			l.add(ptr, "a count below zero, or a greatest count below one")
		}
		if fd.Max != nil && *fd.Max > MaxRows || fd.Min != nil && *fd.Min > fd.most() {
			l.add(ptr, "count over the limit of %d", min(fd.most(), MaxRows))
		}
	case KindDecimal:
		if limit := int64(math.MaxInt64 / 1_000_000); fd.Min != nil && *fd.Min < -limit || fd.Max != nil && *fd.Max > limit {
			l.add(ptr, "decimal limits beyond ±%d", limit)
		}
	}
}

func (l *linter) codes(ptr string, fd *Field) {
	seen := map[string]bool{}
	for i, o := range fd.Options {
		if seen[o.Code] {
			l.add(fmt.Sprintf("%s/options/%d/code", ptr, i), "code %q stands twice", o.Code)
		}
		seen[o.Code] = true
	}
	parts := map[string]bool{}
	for i, p := range fd.Parts {
		if parts[p.Name] {
			l.add(fmt.Sprintf("%s/parts/%d", ptr, i), "part %q stands twice", p.Name)
		}
		parts[p.Name] = true
	}
}

// most returns the greatest number of rows, files or codes.
func (fd *Field) most() int64 {
	switch {
	case fd.Max != nil:
		return *fd.Max
	case fd.Kind == KindMaterial:
		return 10
	}
	return defaultRows
}
