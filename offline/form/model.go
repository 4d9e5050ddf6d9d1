package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// Limits of a form file. Parse refuses more.
const (
	MaxFormBytes   = 4 << 20 // size of the file
	MaxFields      = 2000    // fields, those inside groups included
	MaxExprBytes   = 2 << 10 // one expression, UTF-8
	MaxExprDepth   = 24      // nesting of one expression
	MaxRows        = 200     // rows of a group
	MaxInlineCodes = 500     // options written in the form; longer lists go by name
	defaultRows    = 50
)

// Kind says what a field asks for and which value it holds.
type Kind string

// The kinds of field. The value each holds in [Values] stands behind it.
const (
	KindText      Kind = "text"      // string, one line
	KindLongText  Kind = "longtext"  // string, lines allowed
	KindInteger   Kind = "integer"   // int64
	KindDecimal   Kind = "decimal"   // string such as "12.5", no needless zeros
	KindMoney     Kind = "money"     // int64, fen (1/100 yuan)
	KindDate      Kind = "date"      // string "2006-01-02"
	KindChoice    Kind = "choice"    // string, the code
	KindChoices   Kind = "choices"   // []any of codes, sorted
	KindYesNo     Kind = "yesno"     // bool
	KindConsent   Kind = "consent"   // bool; only true counts as answered
	KindDivision  Kind = "division"  // string, 12 digits
	KindIDNumber  Kind = "idnumber"  // string, 18 characters (GB 11643)
	KindPhone     Kind = "phone"     // string, digits
	KindBankCard  Kind = "bankcard"  // string, 16 to 19 digits
	KindPerson    Kind = "person"    // map[string]any with the parts of the field
	KindGroup     Kind = "group"     // []any of map[string]any, one a row
	KindMaterial  Kind = "material"  // []any of blob references, see BlobRef
	KindSignature Kind = "signature" // map[string]any, see Signature
	KindNote      Kind = "note"      // no value: text to read
	KindComputed  Kind = "computed"  // value of the kind in As, from Calculate
)

// Step names the page of the wizard on which a section stands.
type Step string

// The steps in their order. The review step is made by the program and has no sections of its own.
const (
	StepIdentity  Step = "identity"  // 身份
	StepDetails   Step = "details"   // 信息
	StepMaterials Step = "materials" // 材料
	StepSignature Step = "signature" // 签名
)

// Text is a sentence in the two languages of the product.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the text in lang ("zh", "zh-CN", "en", ...); Chinese when lang is neither.
func (t Text) In(lang string) string {
	if strings.HasPrefix(lang, "en") && t.EN != "" {
		return t.EN
	}
	return t.ZH
}

// IsZero reports whether the text is absent.
func (t Text) IsZero() bool { return t == Text{} }

// Option is one code that a choice allows.
type Option struct {
	Code  string   `json:"code"`
	Label Text     `json:"label"`
	Keys  []string `json:"keys,omitempty"` // more words to find it by, for example pinyin initials
}

// Part is one thing asked about a person: "name", "idno", "phone", "address" or "relation".
type Part struct {
	Name     string `json:"name"`
	Optional bool   `json:"optional,omitempty"`
}

// Rule is a CEL condition; in JSON it may also be true or false. The zero value never holds.
type Rule string

// UnmarshalJSON accepts true, false or an expression.
func (r *Rule) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case "true":
		*r = "true"
		return nil
	case "false":
		*r = ""
		return nil
	}
	return json.Unmarshal(data, (*string)(r))
}

// MarshalJSON writes true or the expression.
func (r Rule) MarshalJSON() ([]byte, error) {
	if r == "true" {
		return []byte("true"), nil
	}
	return json.Marshal(string(r))
}

// Field is one question, note, computed value or group of a form. What a member means for which kind is in docs/forms.md.
type Field struct {
	ID       string `json:"id"`
	Kind     Kind   `json:"kind"`
	As       Kind   `json:"as,omitempty"` // computed: the kind of its value
	Label    Text   `json:"label"`
	Hint     Text   `json:"hint,omitzero"`
	Element  string `json:"element,omitempty"`  // data-element code: equal codes mean the same fact in every form
	Personal bool   `json:"personal,omitempty"` // personal information: sealed, never logged, erased with the person
	Source   string `json:"source,omitempty"`   // where a prefill comes from, for example "person.name"
	Format   string `json:"format,omitempty"`   // text: "name" or "credit"

	Relevant   string `json:"relevant,omitempty"`
	Required   Rule   `json:"required,omitempty"`
	ReadOnly   Rule   `json:"readonly,omitempty"`
	Constraint string `json:"constraint,omitempty"`
	Message    Text   `json:"message,omitzero"` // shown when Constraint is false
	Calculate  string `json:"calculate,omitempty"`
	Initial    string `json:"initial,omitempty"` // value when the form is started; may be changed

	MinLength int      `json:"minLength,omitempty"` // characters
	MaxLength int      `json:"maxLength,omitempty"` // characters; 0 = 200 for text, 2000 for longtext
	Min       *int64   `json:"min,omitempty"`       // integer, decimal: value; money: fen; choices, group, material: how many
	Max       *int64   `json:"max,omitempty"`
	Scale     int      `json:"scale,omitempty"` // decimal: places behind the point; 0 = 2
	Options   []Option `json:"options,omitempty"`
	List      string   `json:"list,omitempty"`  // name of a list outside the form, instead of Options
	Level     int      `json:"level,omitempty"` // division: least depth, 1 province to 5 village; 0 = 5
	Parts     []Part   `json:"parts,omitempty"` // person
	Fields    []Field  `json:"fields,omitempty"`
	RowLabel  Text     `json:"rowLabel,omitzero"` // group: title of a row
	Accept    []string `json:"accept,omitempty"`  // material: media types; empty = JPEG, PNG, PDF
	MaxBytes  int64    `json:"maxBytes,omitempty"`
	Code      string   `json:"code,omitempty"` // material: its code in the service item
}

// ValueKind returns the kind of the value that f holds: As for a computed field, else Kind.
func (f *Field) ValueKind() Kind {
	if f.Kind == KindComputed {
		return f.As
	}
	return f.Kind
}

// Section is a titled block of fields on one step.
type Section struct {
	ID       string  `json:"id"`
	Step     Step    `json:"step"`
	Title    Text    `json:"title"`
	Hint     Text    `json:"hint,omitzero"`
	Relevant string  `json:"relevant,omitempty"`
	Fields   []Field `json:"fields"`
}

// Applicant names the fields that say who applies, so that the case and the receipt can find them.
type Applicant struct {
	Name  string `json:"name"`
	IDNo  string `json:"idno"`
	Phone string `json:"phone,omitempty"`
}

// Form is one version of a form. It comes from [Parse] and is not changed afterwards.
type Form struct {
	Schema    string            `json:"$schema,omitempty"`
	ID        string            `json:"id"`
	Version   int               `json:"version"`
	Service   string            `json:"service"` // short id of the service item
	Title     Text              `json:"title"`
	Data      map[string]any    `json:"data,omitempty"` // the facts: ages, amounts in fen, days
	Applicant Applicant         `json:"applicant"`
	Outputs   map[string]string `json:"outputs,omitempty"` // named results for the case, for example promiseDays
	Sections  []Section         `json:"sections"`

	hash [32]byte
	an   func() (*analysis, error) // once; nil for a form that did not come from Parse
}

// Hash returns SM3 over the canonical CBOR of the form's JSON (without "$schema"): spaces and the order of members in
// the file do not change it, everything else does. It names the version of the form in records and packs.
func (f *Form) Hash() [32]byte { return f.hash }

// Parse reads a form, checks it against the schema and lints it. Every fault found is in the *[LintError] returned, each
// with its JSON pointer and line; nothing of a faulty form is usable.
func Parse(data []byte) (*Form, error) {
	f, l, err := read(data, true)
	if err != nil {
		return nil, err
	}
	an := l.form(f)
	if len(l.faults) > 0 {
		return nil, l.err()
	}
	f.an = func() (*analysis, error) { return an, nil }
	return f, nil
}

// ParseChecked reads a form that passed Parse before, which the caller knows from a seal of its own. It asks neither the
// schema nor the linter, and puts the analysis of expressions off until the form is compiled; a fault found then is an
// error of [Compile]. Other faults are found as by Parse.
func ParseChecked(data []byte) (*Form, error) {
	f, l, err := read(data, false)
	if err != nil {
		return nil, err
	}
	f.an = sync.OnceValues(func() (*analysis, error) {
		an := l.form(f)
		if len(l.faults) > 0 {
			return nil, l.err()
		}
		return an, nil
	})
	return f, nil
}

// read reads a form without looking at its rules.
func read(data []byte, schema bool) (*Form, *linter, error) {
	if len(data) > MaxFormBytes {
		return nil, nil, &LintError{Faults: []Fault{{Message: fmt.Sprintf("file is larger than %d bytes", MaxFormBytes)}}}
	}
	doc, err := readJSON(data)
	if err != nil {
		return nil, nil, &LintError{Faults: []Fault{{Line: doc.errLine, Message: err.Error()}}}
	}
	l := &linter{lines: doc.lines}
	if schema {
		l.schema(doc.root)
	}
	if len(l.faults) > 0 {
		return nil, nil, l.err()
	}
	f := new(Form)
	if err := json.Unmarshal(bytes.TrimPrefix(data, bom), f); err != nil {
		return nil, nil, &LintError{Faults: []Fault{{Message: err.Error()}}}
	}
	root, _ := doc.root.(map[string]any)
	delete(root, "$schema")
	plain := l.plain(root, "")
	f.Data, _ = l.plain(root["data"], "/data").(map[string]any)
	if len(l.faults) > 0 {
		return nil, nil, l.err()
	}
	packed, err := canon.Marshal(plain)
	if err != nil {
		return nil, nil, fmt.Errorf("hash form: %w", err)
	}
	f.hash = vault.SM(nil).Hash(packed)
	return f, l, nil
}

// Each calls fn for every field in reading order; group is the field's group or nil.
func (f *Form) Each(fn func(field, group *Field)) {
	for i := range f.Sections {
		for j := range f.Sections[i].Fields {
			fd := &f.Sections[i].Fields[j]
			fn(fd, nil)
			for k := range fd.Fields {
				fn(&fd.Fields[k], fd)
			}
		}
	}
}
