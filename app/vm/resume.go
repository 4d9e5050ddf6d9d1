package vm

// DraftID is the draft that the wizard's case is kept in, to come back to it; "" once the case was submitted.
func (w *Wizard) DraftID() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return ""
	}
	return w.in.ID()
}
