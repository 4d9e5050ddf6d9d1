package vm

import (
	"context"
	"sync"

	"bianmin/offline/counter"
)

// Acts about an operator, as the screen 操作员 asks for them.
const (
	OperatorAdmit  = "admit"
	OperatorReset  = "reset"
	OperatorRemove = "remove"
	OperatorRotate = "rotate" // about nobody
)

// Operators is the state of the screen 操作员: who may log in, who waits, and what this operator may do about it.
type Operators struct {
	t Texts
	k counter.Keeper

	mu    sync.Mutex // guards what follows
	busy  bool
	fault error
	done  string // what was done, in words
	code  string // one-time code that was made
	of    string // name of whom it is for
}

// NewOperators returns the state.
func NewOperators(t Texts, k counter.Keeper) *Operators { return &Operators{t: t, k: k} }

// OperatorsState is what the screen 操作员 shows.
type OperatorsState struct {
	Note   string
	Rows   []OperatorRow
	MayAdd bool
	Roles  []Choice
	Busy   bool
	Result string // "ok", "danger"; "" for none
	Title  string // of the result, may be empty
	Text   string
}

// OperatorRow is one operator.
type OperatorRow struct {
	ID, Name, Role string
	State          string // in words
	Kind           string // "ok", "info", or "warn": somebody has to do something
	Acts           []OperatorAct
}

// OperatorAct is what can be done about an operator, with the question that is asked before.
type OperatorAct struct {
	Act, Word        string
	Title, Text, Yes string
	Danger           bool
}

// roles that can be given to somebody new.
var operatorRoles = []string{"staff", "grid", "lead"}

// State returns what to show.
func (o *Operators) State() OperatorsState {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.t
	st := OperatorsState{Note: t.T("operators.note"), MayAdd: o.k.Manages(), Busy: o.busy}
	for _, c := range o.k.Colleagues() {
		row := OperatorRow{ID: c.ID, Name: c.Name, Role: roleText(t, c.Role) + " · " + c.ID}
		state, kind := "active", "ok"
		switch {
		case c.Waiting && c.MustChange:
			state, kind = "invited", "info"
		case c.Waiting:
			state, kind = "waiting", "warn"
		case c.MustChange:
			state, kind = "code", "info"
		}
		row.State, row.Kind = t.T("operators.state."+state), kind
		if c.Self {
			row.Role += " · " + t.T("operators.you")
		}
		if c.Admit {
			row.Acts = append(row.Acts, o.act(OperatorAdmit, c.Name, false))
		}
		if c.Manage {
			if !c.Waiting {
				row.Acts = append(row.Acts, o.act(OperatorReset, c.Name, false))
			}
			row.Acts = append(row.Acts, o.act(OperatorRemove, c.Name, true))
		}
		st.Rows = append(st.Rows, row)
	}
	for i, r := range operatorRoles {
		st.Roles = append(st.Roles, Choice{Value: r, Label: roleText(t, r), On: i == 0})
	}
	switch {
	case o.busy:
	case o.fault != nil:
		st.Result, st.Text = "danger", Words(t, o.fault)
	case o.code != "":
		st.Result, st.Title, st.Text = "ok", t.T("operators.code", "name", o.of), t.T("operators.codeText", "code", spaced(o.code))
	case o.done != "":
		st.Result, st.Text = "ok", o.done
	}
	return st
}

// Rotate is the act about nobody: a new master key.
func (o *Operators) Rotate() OperatorAct { return o.act(OperatorRotate, "", false) }

func (o *Operators) act(act, name string, danger bool) OperatorAct {
	text := func(part string) string { return o.t.T("operators."+act+part, "name", name) }
	return OperatorAct{Act: act, Word: text(""), Title: text("Title"), Text: text("Text"), Yes: text("Yes"), Danger: danger}
}

// spaced parts a code of ten digits so that it is read out without a slip.
func spaced(code string) string {
	const half = 5
	if len(code) != 2*half {
		return code
	}
	return code[:half] + " " + code[half:]
}

// Begin reports whether something may be done now, and marks the screen as busy until it is.
func (o *Operators) Begin() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy {
		return false
	}
	o.busy, o.fault, o.done, o.code, o.of = true, nil, "", "", ""
	return true
}

// Do does one act about an operator; call Begin first. It hashes and writes: call it off the screen's goroutine.
func (o *Operators) Do(ctx context.Context, act, id string) {
	name := id
	for _, c := range o.k.Colleagues() {
		if c.ID == id {
			name = c.Name
		}
	}
	var code, done string
	var err error
	switch act {
	case OperatorAdmit:
		err, done = o.k.AdmitOperator(ctx, id), o.t.T("operators.doneAdmit", "name", name)
	case OperatorReset:
		code, err = o.k.ResetOperator(ctx, id)
	case OperatorRemove:
		err, done = o.k.RemoveOperator(ctx, id), o.t.T("operators.doneRemove", "name", name)
	case OperatorRotate:
		err, done = o.k.RotateMaster(ctx), o.t.T("operators.doneRotate")
	}
	o.end(err, done, code, name)
}

// Add invites somebody; call Begin first. It reports whether it did. Call it off the screen's goroutine.
func (o *Operators) Add(ctx context.Context, name, id, role string) bool {
	code, err := o.k.AddOperator(ctx, counter.NewOperator{ID: id, Name: name, Role: role})
	o.end(err, "", code, name)
	return err == nil
}

func (o *Operators) end(err error, done, code, name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.busy, o.fault, o.done, o.code, o.of = false, err, done, code, name
}
