package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"bianmin/offline/people"
)

// Fault is one thing wrong with a county's folder or a pack. It never repeats personal data.
type Fault struct {
	File   string // name in the pack
	Path   string // JSON pointer, for example "/items/2/promised"; "" for the whole file
	Line   int    // from 1; 0 when unknown
	Reason string // English, for those who write packs
}

// String returns "items.json:14: /items/2/promised: what is wrong".
func (f Fault) String() string {
	s := f.File
	if f.Line > 0 {
		s += fmt.Sprintf(":%d", f.Line)
	}
	if f.Path != "" {
		s += ": " + f.Path
	}
	return s + ": " + f.Reason
}

// LintError reports a pack that is refused, with every fault found. errors.Is finds ErrLint.
type LintError struct{ Faults []Fault }

// Error lists the faults, one a line.
func (e *LintError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return fmt.Sprintf("catalog: pack refused:\n%s", strings.Join(lines, "\n"))
}

// Unwrap gives the words for people.
func (e *LintError) Unwrap() error { return ErrLint }

// maxFaults bounds the report of a hopeless file.
const maxFaults = 200

// linter collects faults and knows the lines of the files it has read.
type linter struct {
	faults  []Fault
	lines   map[string]map[string]int
	checked bool // the files passed before: their lines are not needed
}

func (l *linter) add(file, pointer, reason string, args ...any) {
	if len(l.faults) >= maxFaults {
		return
	}
	line := 0
	for p := pointer; line == 0; {
		line = l.lines[file][p]
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	l.faults = append(l.faults, Fault{file, pointer, line, fmt.Sprintf(reason, args...)})
}

// json reads a file into v: every member must be known, none may stand twice, nothing may follow.
func (l *linter) json(file string, data []byte, v any) {
	if l.checked {
		if err := json.Unmarshal(data, v); err != nil {
			l.add(file, "", "%v", err)
		}
		return
	}
	lines, line, err := walkJSON(data, valuesOf(file))
	if err != nil {
		l.faults = append(l.faults, Fault{File: file, Line: line, Reason: err.Error()})
		return
	}
	if l.lines == nil {
		l.lines = make(map[string]map[string]int)
	}
	l.lines[file] = lines
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		at := d.InputOffset()
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) {
			at = te.Offset
		}
		l.faults = append(l.faults, Fault{File: file, Line: lineAt(data, at), Reason: strings.TrimPrefix(err.Error(), "json: ")})
	}
}

func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte{'\n'})
}

// Limits of a JSON file: a list of 60,000 rows has 300,000 values. A county's own roster, which is read at the county and
// travels packed, has some thirty for each person. Values are held with their lines; of one with more, those of its rows.
const (
	maxJSONDepth    = 32
	maxJSONValues   = 300_000
	maxRosterValues = 50 * people.MaxPersons
	rowDepth        = 2 // of a row in its file: {"persons": [row, …]}
)

func valuesOf(file string) int {
	if file == rosterSource {
		return maxRosterValues
	}
	return maxJSONValues
}

// walkJSON returns the line of every value by JSON pointer, or the line and reason of a fault.
func walkJSON(data []byte, most int) (lines map[string]int, line int, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	lines = make(map[string]int)
	last, count, values := int64(0), 1, 0
	here := func() int {
		at := d.InputOffset()
		count += bytes.Count(data[last:at], []byte{'\n'})
		last = at
		return count
	}
	var value func(pointer string, depth int) error
	value = func(pointer string, depth int) error {
		if depth > maxJSONDepth {
			return errors.New("is nested too deeply")
		}
		if values++; values > most {
			return fmt.Errorf("has more than %d values", most)
		}
		t, err := d.Token()
		if err != nil {
			return err
		}
		if at := here(); depth <= rowDepth || len(lines) < maxJSONValues {
			lines[pointer] = at
		}
		switch t {
		case json.Delim('{'):
			seen := map[string]bool{}
			for d.More() {
				t, err := d.Token()
				if err != nil {
					return err
				}
				key, _ := t.(string)
				if seen[key] {
					here()
					return fmt.Errorf("member %q stands twice", key)
				}
				seen[key] = true
				if err := value(pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), depth+1); err != nil {
					return err
				}
			}
			_, err = d.Token()
		case json.Delim('['):
			for i := 0; d.More(); i++ {
				if err := value(fmt.Sprintf("%s/%d", pointer, i), depth+1); err != nil {
					return err
				}
			}
			_, err = d.Token()
		}
		return err
	}
	if err = value("", 0); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the value")
		}
	}
	if err != nil {
		at := d.InputOffset()
		var se *json.SyntaxError
		if errors.As(err, &se) {
			at = se.Offset
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file ends too early")
		}
		return nil, lineAt(data, at), err
	}
	return lines, 0, nil
}

// marshalJSON writes v as the files of a county are written.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("catalog: encode: %w", err)
	}
	return b.Bytes(), nil
}

// oneOf adds a fault when s is none of the words.
func (l *linter) oneOf(file, pointer, s string, words ...string) {
	if !slices.Contains(words, s) {
		l.add(file, pointer, "is %q, must be one of %s", s, strings.Join(words, ", "))
	}
}
