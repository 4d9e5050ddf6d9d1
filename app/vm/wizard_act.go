package vm

import (
	"context"
	"errors"
	"slices"
	"strings"

	"bianmin/offline/counter"
	"bianmin/offline/form"
)

// Set takes an answer as its input gives it: plain text, codes joined by commas, "true" and "false", yuan. A signature
// made before no longer covers the answers and is wiped.
func (w *Wizard) Set(path form.Path, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.fs.State(path)
	if st.Field == nil || st.ReadOnly {
		return
	}
	w.note(path)
	delete(w.faults, path)
	w.change(func() { w.in.Set(path, answer(st.Field.Kind, value)) })
}

func answer(kind form.Kind, value string) any {
	switch kind {
	case form.KindYesNo:
		switch value {
		case "true":
			return true
		case "false":
			return false
		}
		return nil
	case form.KindConsent:
		if value == "true" {
			return true
		}
		return nil
	case form.KindChoices:
		var codes []any
		for _, c := range strings.Split(value, ",") {
			if c != "" {
				codes = append(codes, c)
			}
		}
		if codes == nil {
			return nil
		}
		return codes
	}
	return value
}

// change runs a change of answers and wipes signatures that were made before it: nobody signs what they have not seen.
func (w *Wizard) change(fn func()) {
	fn()
	w.wipeSignatures()
}

func (w *Wizard) wipeSignatures() {
	for _, path := range w.signed() {
		w.in.Set(path, nil)
		w.voided = true
	}
}

// signed returns the signatures that exist and may be made again.
func (w *Wizard) signed() []form.Path {
	var out []form.Path
	w.each(func(it form.Item) {
		if it.Field.Kind == form.KindSignature {
			if st := w.fs.State(it.Path); st.Value != nil && !st.ReadOnly {
				out = append(out, it.Path)
			}
		}
	})
	return out
}

// Left notes that the person has left a field: what is wrong with it may be said now.
func (w *Wizard) Left(path form.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left[path] = true
}

// At notes on which field the person is; Save keeps it.
func (w *Wizard) At(path form.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(path)
}

func (w *Wizard) note(path form.Path) {
	if w.field != path {
		w.field, w.unsaved = path, true
	}
}

// Field returns the field where the person is, or was when the draft was left; "" for none on this step.
func (w *Wizard) Field() form.Path {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.field
}

// Save brings step, field and answers to the disk.
func (w *Wizard) Save(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return nil
	}
	if !w.unsaved {
		return w.in.Flush(ctx)
	}
	w.unsaved = false
	return w.in.Leave(ctx, string(w.step), w.field)
}

// AddRow adds a row to a group and puts the person on its first field.
func (w *Wizard) AddRow(group string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.fs.Rows(group)
	w.change(func() { w.in.AddRow(group) })
	if w.fs.Rows(group) == before {
		return
	}
	row := string(form.RowPath(group, before, ""))
	found := false
	w.each(func(it form.Item) {
		if !found && it.Row == before && it.Field.Kind != form.KindGroup && strings.HasPrefix(string(it.Path), row+".") {
			found = true
			w.note(firstPath(it))
		}
	})
}

// RemoveRow takes a row out of a group.
func (w *Wizard) RemoveRow(group string, row int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Which fields were left is kept by path; the rows behind move up and begin anew.
	for path := range w.left {
		if strings.HasPrefix(string(path), group+"[") {
			delete(w.left, path)
		}
	}
	w.change(func() { w.in.RemoveRow(group, row) })
	w.note(form.Path(group))
}

// Attach adds a file to a material; what is wrong with it stands under the material afterwards.
func (w *Wizard) Attach(ctx context.Context, path form.Path, data []byte, name string) error {
	return w.AttachPhoto(ctx, path, data, name, false)
}

// AttachPhoto is Attach of a file that a camera took, when camera says so. Photos are looked at before they are added; what is
// wrong with them stands at the material.
func (w *Wizard) AttachPhoto(ctx context.Context, path form.Path, data []byte, name string, camera bool) error {
	faults := w.lookAt(ctx, path, data, camera) // takes a moment: before anything is held
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.attach(ctx, path, data, name, faults)
}

func (w *Wizard) attach(ctx context.Context, path form.Path, data []byte, name string, faults []string) error {
	w.note(path)
	delete(w.faults, path)
	if err := w.in.Attach(ctx, path, data, name); err != nil {
		w.faults[path] = Words(w.t, err)
		return err
	}
	if refs, err := form.Blobs(w.fs.State(path).Value); err == nil {
		w.in.Judge(path, len(refs)-1, faults)
	}
	w.wipeSignatures()
	return nil
}

// Replace puts a file in the place of another; when the new one is refused, the old one stays.
func (w *Wizard) Replace(ctx context.Context, path form.Path, index int, data []byte, name string, camera bool) error {
	faults := w.lookAt(ctx, path, data, camera)
	w.mu.Lock()
	defer w.mu.Unlock()
	old, err := form.Blobs(w.fs.State(path).Value)
	if err != nil || index < 0 || index >= len(old) {
		return w.attach(ctx, path, data, name, faults)
	}
	w.in.Detach(path, index)
	if err := w.attach(ctx, path, data, name, faults); err != nil {
		w.in.Set(path, old)
		return err
	}
	now, err := form.Blobs(w.fs.State(path).Value)
	if last := len(now) - 1; err == nil && index < last {
		fresh := now[last]
		w.in.Set(path, slices.Insert(now[:last:last], index, fresh))
	}
	return nil
}

// Detach takes a file out of a material.
func (w *Wizard) Detach(path form.Path, index int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(path)
	delete(w.faults, path)
	w.change(func() { w.in.Detach(path, index) })
}

// OpenFile returns the bytes of a file of a material.
func (w *Wizard) OpenFile(ctx context.Context, f WizardFile) ([]byte, error) {
	return w.session.OpenBlob(ctx, f.ref)
}

// WizardSigner is somebody who signs.
type WizardSigner struct {
	Path    form.Path
	Name    string // of the person, in large type over the pad
	Label   string // what is signed
	Signed  bool
	Helper  string // who signed for the person and why, in a sentence; "" when the person did
	Strokes [][]int64
}

// signers returns everybody who signs, in reading order. In a correction only those who have to sign again.
func (w *Wizard) signers() []WizardSigner {
	var out []WizardSigner
	w.each(func(it form.Item) {
		if it.Field.Kind != form.KindSignature {
			return
		}
		st := w.fs.State(it.Path)
		if st.ReadOnly && w.asked != nil {
			return
		}
		g := WizardSigner{Path: it.Path, Label: w.fs.Text(it.Field.Label, w.t.Lang(), it.Path), Name: w.signerName(it), Signed: st.Value != nil}
		if sig, err := form.ReadSignature(st.Value); err == nil {
			g.Strokes = sig.Strokes
			if sig.By == "helper" {
				g.Helper = w.t.T("wizard.helped", "reason", sig.Reason)
			}
		}
		out = append(out, g)
	})
	return out
}

// signerName returns whose signature a field takes: the name in the same row, else the applicant's.
func (w *Wizard) signerName(it form.Item) string {
	if it.Row < 0 {
		name, _, _ := w.fs.Applicant()
		return name
	}
	group, _ := w.groupOf(it)
	var name string
	w.form.Each(func(f, parent *form.Field) {
		if name == "" && parent != nil && parent.ID == group && f.Kind == form.KindText && f.Format == "name" {
			name = w.fs.Display(form.RowPath(group, it.Row, f.ID), w.t.Lang())
		}
	})
	return name
}

func (w *Wizard) unsigned() int {
	n := 0
	for _, g := range w.signers() {
		if !g.Signed {
			n++
		}
	}
	return n
}

// Sign takes the strokes of whoever signs now. left is how many have to sign after that. Errors are in words:
// desk.signatureBlank for a dot, form.signature for a helper without a reason.
func (w *Wizard) Sign(ctx context.Context, path form.Path, g counter.Signature) (left int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.in.Sign(ctx, path, g); err != nil {
		return w.unsigned(), err
	}
	w.note(path)
	if w.unsigned() == 0 {
		w.voided = false
	}
	return w.unsigned(), nil
}

// Unsign wipes a signature, so that it can be made again.
func (w *Wizard) Unsign(path form.Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(path)
	w.in.Set(path, nil)
}

// Affirm says that the answers a correction asks about are right as they were.
func (w *Wizard) Affirm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.in.Affirm()
}

// Submit commits the case, or the answer to the correction; [counter.ErrUnchanged] asks for the clerk's word. When something turns out to be missing, the wizard stands
// on the review, which names it, and the error is [counter.ErrIncomplete].
func (w *Wizard) Submit(ctx context.Context) (counter.Submitted, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := w.in.Submit(ctx)
	if errors.Is(err, counter.ErrIncomplete) {
		w.enter(StepReview, "")
		w.tried[StepReview] = true
	}
	w.done = err == nil
	return out, err
}

// Correcting reports whether an earlier case is corrected or completed, and which.
func (w *Wizard) Correcting() (seq uint64, yes bool) { return w.in.CaseSeq(), w.asked != nil }

// Completing reports whether papers of an earlier case are handed in.
func (w *Wizard) Completing() bool { return w.asked != nil && w.in.Correction() == nil }

// Close saves and leaves; the draft stays. After Submit it does nothing.
func (w *Wizard) Close(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return nil
	}
	if w.unsaved {
		w.unsaved = false
		if err := w.in.Leave(ctx, string(w.step), w.field); err != nil {
			return errors.Join(err, w.in.Close(ctx))
		}
	}
	return w.in.Close(ctx)
}
