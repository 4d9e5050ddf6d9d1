package form

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"bianmin/offline/clocks"
	"bianmin/offline/ident"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// DefaultCostLimit is what one evaluation of one expression may cost, in CEL's units: a few milliseconds at most.
const DefaultCostLimit = 200_000

// Options of Compile.
type Options struct {
	CostLimit uint64 // of one evaluation; 0 = DefaultCostLimit
}

// Program is a compiled form. It may be used by any number of goroutines.
type Program struct {
	form    *Form
	an      *analysis
	progs   [][roleCount]cel.Program // by node
	outputs []cel.Program
}

// Compile makes a program of a form that came from Parse. Do it once for a version of a form.
func Compile(f *Form, opts Options) (*Program, error) {
	if f == nil || f.an == nil {
		return nil, errors.New("compile form: it did not come from Parse")
	}
	if opts.CostLimit == 0 {
		opts.CostLimit = DefaultCostLimit
	}
	an, err := f.an()
	if err != nil {
		return nil, fmt.Errorf("compile form %s: %w", f.ID, err)
	}
	p := &Program{form: f, an: an, progs: make([][roleCount]cel.Program, len(an.nodes))}
	made := map[*expr]cel.Program{}
	get := func(e *expr) (cel.Program, error) {
		if e == nil {
			return nil, nil
		}
		if prog, ok := made[e]; ok {
			return prog, nil
		}
		prog, err := e.env.Program(e.ast, cel.CostLimit(opts.CostLimit), cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return nil, fmt.Errorf("compile form %s: %q: %w", f.ID, e.src, err)
		}
		made[e] = prog
		return prog, nil
	}
	for i, n := range an.nodes {
		for role, e := range n.exprs {
			prog, err := get(e)
			if err != nil {
				return nil, err
			}
			p.progs[i][role] = prog
		}
	}
	for _, o := range an.outputs {
		prog, err := get(o.expr)
		if err != nil {
			return nil, err
		}
		p.outputs = append(p.outputs, prog)
	}
	return p, nil
}

// Form returns the form that p was compiled from.
func (p *Program) Form() *Form { return p.form }

// Prefill is a value that a source knows.
type Prefill struct {
	Value  any
	Source Source
}

// LogValue keeps the value out of logs.
func (p Prefill) LogValue() slog.Value { return slog.StringValue("[prefill]") }

// Source says where a prefilled value came from; the screen shows it beside the field.
type Source struct {
	Name   string    `cbor:"1,keyasint" json:"name"`                       // for example "公安人口库" or "身份证读卡"
	AsOf   time.Time `cbor:"2,keyasint" json:"asOf"`                       // when the source was true; whole seconds
	Locked bool      `cbor:"3,keyasint,omitempty" json:"locked,omitempty"` // may not be changed here, only disputed
}

// Env is what a session needs from outside. The zero value works: today's date, no lists, no prefills.
type Env struct {
	Now       func() time.Time                         // nil = the system's clock; read once, at the start
	Division  string                                   // 12 digits: the station's division, what division() gives
	Lists     Lists                                    // nil = none
	Divisions func(code string) (name string, ok bool) // names of divisions; nil = any well-formed code goes
	Prefill   func(source string) (Prefill, bool)      // value for a field's "source"; nil = none
}

// Start begins a session: rows that groups need at least, prefills, initial values, then everything is evaluated.
func (p *Program) Start(env Env) *Session {
	s := p.newSession(env)
	s.fill()
	return s
}

func (p *Program) newSession(env Env) *Session {
	now := clocks.System().Now
	if env.Now != nil {
		now = env.Now
	}
	at := now()
	s := &Session{
		p: p, an: p.an, env: env, queue: queue{an: p.an},
		rd:        reader{now: at, lists: env.Lists, divisions: env.Divisions},
		today:     types.String(ident.Today(at).Format(dateLayout)),
		division:  types.String(env.Division),
		root:      make([]cell, p.an.roots),
		rows:      map[int][]*row{},
		regrouped: -1,
		dirty:     map[cellKey]uint8{}, sinks: map[cellKey]uint8{}, changed: map[cellKey]bool{},
	}
	for _, n := range p.an.nodes {
		if n.group < 0 {
			s.root[n.slot].reset(n)
		}
	}
	return s
}

// eval runs prog. costly means that it was stopped by the cost limit; ok means that it gave an answer.
func (s *Session) eval(prog cel.Program, group, row int) (v ref.Val, ok, costly bool) {
	s.evals++
	v, _, err := prog.Eval(&activation{s: s, group: group, row: row})
	if err != nil {
		var stop interpreter.EvalCancelledError
		return nil, false, errors.As(err, &stop)
	}
	if _, null := v.(types.Null); null {
		return nil, false, false
	}
	return v, true, false
}

// activation shows a session to expressions.
type activation struct {
	s          *Session
	group, row int
}

// Parent implements the activation interface of CEL.
func (a *activation) Parent() interpreter.Activation { return nil }

// ResolveName implements the activation interface of CEL.
func (a *activation) ResolveName(id string) (any, bool) {
	if a.group >= 0 {
		if n, ok := a.s.an.rowNames[a.group][id]; ok {
			return a.s.view(n, a.row)
		}
	}
	if n, ok := a.s.an.names[id]; ok {
		return a.s.view(n, -1)
	}
	switch id {
	case varToday:
		return a.s.today, true
	case varDivision:
		return a.s.division, true
	case varData:
		return a.s.an.data, true
	}
	return nil, false
}

func (s *Session) view(nm name, row int) (any, bool) {
	n := s.an.nodes[nm.node]
	c := s.at(n, row)
	if c == nil {
		return nil, false
	}
	switch {
	case nm.part != "":
		return c.part(nm.part), true
	case n.field.Kind == KindGroup:
		return s.groupView(n, c), true
	}
	return c.val, true
}

// groupView is the list of rows as expressions see it; built when asked for, kept until something in it changes.
func (s *Session) groupView(n *node, c *cell) ref.Val {
	if !c.shown {
		return emptyList
	}
	if c.val != nil {
		return c.val
	}
	rows := make([]ref.Val, len(s.rows[n.idx]))
	for i, r := range s.rows[n.idx] {
		m := make(map[ref.Val]ref.Val, len(r.cells))
		for _, k := range s.an.children[n.idx] {
			kid := s.an.nodes[k]
			if v := r.cells[kid.slot].val; v != nil {
				m[types.String(kid.field.ID)] = v
			}
		}
		rows[i] = types.NewRefValMap(types.DefaultTypeAdapter, m)
	}
	c.val = types.NewRefValList(types.DefaultTypeAdapter, rows)
	return c.val
}
