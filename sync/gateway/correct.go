package gateway

import (
	"fmt"
	"strings"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/form"
	"bianmin/offline/words"
)

// ErrFields reports a correction that names fields which the form does not have or nobody could correct; the chain holds a
// [FieldsError].
var ErrFields error = words.New("case.fields", nil)

// FieldsError says what is wrong with each field of a correction. Nothing was written.
type FieldsError struct {
	Faults []*words.Error // each names its field
	Fields []string       // what may be corrected in this case, in reading order
}

// Error implements error.
func (e *FieldsError) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = f.Key + " " + f.Args["field"]
	}
	return strings.Join(parts, ", ") + " (may be corrected: " + strings.Join(e.Fields, ", ") + ")"
}

// Is reports whether target is ErrFields.
func (e *FieldsError) Is(target error) bool { return target == ErrFields }

// bars are the words for what can't be corrected.
var bars = map[form.Bar]string{
	form.BarUnknown: "case.fields", form.BarComputed: "case.fieldComputed", form.BarNote: "case.fieldNote",
	form.BarHidden: "case.fieldHidden", form.BarReadOnly: "case.fieldReadOnly",
}

// correctable checks the paths of a correction against the case's form and answers; nil when the form is not published
// here.
func (l *library) correctable(c *casefile.Case, paths []string) error {
	if l.catalog == nil {
		return nil
	}
	f, exact := l.catalog.FormByHash(c.FormHash)
	if !exact {
		var ok bool
		if f, ok = l.catalog.Form(c.FormID); !ok {
			return nil
		}
	}
	p, err := form.Compile(f, form.Options{})
	if err != nil {
		return fmt.Errorf("gateway: form of case %s: %w", c.Number(), err)
	}
	v, err := form.DecodeValues(c.Answers)
	if err != nil { // the projection let them pass, and a correction may be what mends them
		v, exact = form.Values{}, false
	}
	s, _ := p.Load(form.Env{
		Now: func() time.Time { return time.UnixMilli(c.SubmittedAt) }, Division: c.Division, Lists: l.catalog.Lists,
		Divisions: l.catalog.Divisions.Name,
	}, v)
	may := func(path form.Path) form.Bar {
		bar := s.Correctable(path)
		if !exact && (bar == form.BarHidden || bar == form.BarReadOnly) {
			return "" // of another version of the form nothing is known about what is shown
		}
		return bar
	}
	var e FieldsError
	for _, path := range paths {
		if bar := may(form.Path(path)); bar != "" {
			e.Faults = append(e.Faults, words.New(bars[bar], nil, "field", path))
		}
	}
	if len(e.Faults) == 0 {
		return nil
	}
	f.Each(func(fd, group *form.Field) {
		if group == nil && may(form.Path(fd.ID)) == "" {
			e.Fields = append(e.Fields, fd.ID)
		}
	})
	return &e
}
