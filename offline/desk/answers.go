package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/words"
)

// SubmitAnswers takes in one case from a JSON object, as the command line reads it: the same form, the same checks and the
// same record as at the screen. Beside what form.Program.Answers reads, a material may be a list of file names (relative
// to dir), and a signature may give its strokes only; the picture is drawn from them.
func (s *Session) SubmitAnswers(ctx context.Context, service string, line []byte, dir string) (counter.Submitted, error) {
	var none counter.Submitted
	in, err := s.begin(service, nil)
	if err != nil {
		return none, err
	}
	defer in.saver.stop()
	line, err = in.withFiles(line, dir)
	if err != nil {
		return none, err
	}
	env := in.env()
	if id := in.given(line, in.form.Applicant.IDNo); id != "" {
		p, err := s.byNumber(id)
		if err != nil {
			return none, err
		}
		if p != nil {
			env = s.env(p)
		}
	}
	fs, problems := in.prog.Answers(env, 0, line)
	in.fs = fs
	if len(problems) == 0 {
		problems = fs.Problems()
	}
	if len(problems) > 0 {
		if problems[0].Key == "form.json" {
			return none, words.New("desk.badAnswers", &counter.IncompleteError{Problems: problems})
		}
		return none, words.New("desk.badLine", &counter.IncompleteError{Problems: problems}) // no draft keeps what it says
	}
	if err := in.Room(); err != nil {
		return none, err
	}
	return in.submit(ctx)
}

// given returns a text answer of a line, "" when it has none.
func (in *Intake) given(line []byte, field string) string {
	var m map[string]json.RawMessage
	if json.Unmarshal(line, &m) != nil {
		return ""
	}
	var v string
	if json.Unmarshal(m[field], &v) != nil {
		return ""
	}
	return v
}

// maxAnswerParts bounds a line before it is taken apart: more than the longest signature has numbers.
const maxAnswerParts = 200_000

// withFiles seals the files that a line names and draws the signatures that give strokes only, also inside groups.
func (in *Intake) withFiles(line []byte, dir string) ([]byte, error) {
	if bytes.Count(line, []byte{','})+bytes.Count(line, []byte{'{'})+bytes.Count(line, []byte{'['}) > maxAnswerParts {
		return line, nil // the form refuses it
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil || dec.More() {
		return line, nil // the form says what is wrong with it
	}
	changed, err := in.fileFields(m, topFields(in.form), dir)
	if err != nil || !changed {
		return line, err
	}
	out, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("desk: answers with files: %w", err)
	}
	return out, nil
}

func topFields(f *form.Form) []form.Field {
	var out []form.Field
	for _, s := range f.Sections {
		out = append(out, s.Fields...)
	}
	return out
}

func (in *Intake) fileFields(m map[string]any, fields []form.Field, dir string) (changed bool, err error) {
	for _, f := range fields {
		v, ok := m[f.ID]
		if !ok {
			continue
		}
		var (
			did bool
			got any
		)
		switch f.Kind {
		case form.KindMaterial:
			got, did, err = in.filesOf(v, dir)
		case form.KindSignature:
			got, did, err = in.signatureOf(v)
		case form.KindGroup:
			rows, _ := v.([]any)
			for _, r := range rows {
				row, _ := r.(map[string]any)
				d, err := in.fileFields(row, f.Fields, dir)
				if err != nil {
					return false, err
				}
				changed = changed || d
			}
		}
		if err != nil {
			return false, err
		}
		if did {
			m[f.ID], changed = got, true
		}
	}
	return changed, nil
}

func (in *Intake) filesOf(v any, dir string) (any, bool, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, false, nil
	}
	out, did := make([]any, len(list)), false
	for i, e := range list {
		name, isName := e.(string)
		if !isName {
			out[i] = e
			continue
		}
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		data, err := readLimited(path)
		if err != nil {
			return nil, false, words.New("desk.attachment", err, "name", filepath.Base(name))
		}
		kept, media, err := clean(data)
		if err != nil {
			return nil, false, err
		}
		ref, err := in.keep(kept, media, filepath.Base(name))
		if err != nil {
			return nil, false, err
		}
		out[i], did = jsonBlob(ref), true
	}
	return out, did, nil
}

func readLimited(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Size() > maxAttachment || !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %d bytes, mode %s", filepath.Base(path), st.Size(), st.Mode())
	}
	return os.ReadFile(path)
}

func (in *Intake) signatureOf(v any) (any, bool, error) {
	m, ok := v.(map[string]any)
	if !ok || m["png"] != nil {
		return nil, false, nil
	}
	raw, err := json.Marshal(m["strokes"])
	if err != nil {
		return nil, false, nil
	}
	var strokes [][]int64
	if json.Unmarshal(raw, &strokes) != nil {
		return nil, false, nil // the form says what is wrong with it
	}
	if blank(strokes) {
		return nil, false, words.New("desk.signatureBlank", nil)
	}
	pic, err := drawStrokes(strokes)
	if err != nil {
		return nil, false, err
	}
	ref, err := in.keep(pic, "image/png", "signature.png")
	if err != nil {
		return nil, false, err
	}
	m["png"] = jsonBlob(ref)
	if m["by"] == nil {
		m["by"] = "self"
	}
	return m, true, nil
}

// jsonBlob is a reference as answers in JSON have it: bytes as hexadecimal text.
func jsonBlob(r form.BlobRef) any {
	b, err := form.Values(r.Value()).MarshalJSON()
	if err != nil {
		return nil
	}
	var out map[string]any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if dec.Decode(&out) != nil {
		return nil
	}
	return out
}
