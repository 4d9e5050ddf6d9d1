package form

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Roles of an expression on a field, also bits of what is to be evaluated again.
const (
	roleRelevant = iota
	roleCalculate
	roleRequired
	roleReadOnly
	roleConstraint
	roleInitial
	roleCount
)

var roleNames = [roleCount]string{"relevant", "calculate", "required", "readonly", "constraint", "initial"}

// maxStaticCost refuses an expression that could cost this much by its shape alone, long before a person meets it.
const maxStaticCost = 20_000_000

// node is a section or a field, as the engine sees it. Its index is its place in reading order.
type node struct {
	idx     int
	field   *Field // nil for a section
	section int    // index of the section's node
	group   int    // index of the group's node, -1 outside
	slot    int    // index among the cells of the form, or of a row
	rank    int    // place in the order of evaluation
	ptr     string
	codes   map[string]int // inline options
	exprs   [roleCount]*expr
	out     []edge // what depends on this node
}

// edge says: when this node changes, evaluate role of node to again.
type edge struct {
	to   int
	role int
	row  bool // only in the same row
}

// expr is one compiled expression; equal texts in one scope share it.
type expr struct {
	src  string
	ast  *cel.Ast
	env  *cel.Env
	refs []use
}

// use is a reference from an expression to a node.
type use struct {
	node int
	row  bool // row.x: the same row's cell
}

// name is what a variable of an expression stands for.
type name struct {
	node int
	part string
}

type analysis struct {
	nodes    []*node
	roots    int            // cells of the form outside groups
	children map[int][]int  // nodes of a group's fields
	byID     map[string]int // fields outside groups
	names    map[string]name
	rowNames map[int]map[string]name // by group node
	data     ref.Val
	outputs  []output
	applies  Applicant
}

type output struct {
	name string
	expr *expr
}

type scope struct {
	env   *cel.Env
	group int
	cache map[string]*expr
}

var partTypes = []string{"name", "idno", "phone", "address", "relation", "birth", "sex"}

// analyse builds the nodes, compiles every expression and orders the nodes; faults go to the linter.
func (l *linter) analyse(f *Form) *analysis {
	base, err := baseEnv()
	if err != nil {
		panic(err) // constant
	}
	an := &analysis{
		children: map[int][]int{}, byID: map[string]int{}, names: map[string]name{}, rowNames: map[int]map[string]name{},
		data: types.DefaultTypeAdapter.NativeToValue(f.Data), applies: f.Applicant,
	}
	an.build(f)
	var vars []cel.EnvOption
	for _, n := range an.nodes {
		if n.field != nil && n.group < 0 {
			vars = append(vars, an.declare(an.names, n, "")...)
		}
	}
	env, err := base.Extend(vars...)
	if err != nil {
		l.add("", "declare fields: %v", err)
		return nil
	}
	scopes := map[int]*scope{-1: {env: env, group: -1, cache: map[string]*expr{}}}
	for g, kids := range an.children {
		var rowVars []cel.EnvOption
		an.rowNames[g] = map[string]name{}
		for _, k := range kids {
			rowVars = append(rowVars, an.declare(an.rowNames[g], an.nodes[k], "row.")...)
		}
		rowEnv, err := env.Extend(rowVars...)
		if err != nil {
			l.add(an.nodes[g].ptr, "declare fields of the group: %v", err)
			return nil
		}
		scopes[g] = &scope{env: rowEnv, group: g, cache: map[string]*expr{}}
	}
	l.expressions(f, an, scopes)
	l.texts(f, an)
	l.applicant(an)
	if len(l.faults) > 0 {
		return nil
	}
	an.connect()
	if cycle := an.order(); cycle != nil {
		l.add(cycle[0].ptr, "circle of dependencies: %s", an.describe(cycle))
		return nil
	}
	return an
}

func (an *analysis) build(f *Form) {
	add := func(n *node) *node {
		n.idx = len(an.nodes)
		an.nodes = append(an.nodes, n)
		return n
	}
	for i := range f.Sections {
		sec := add(&node{group: -1, slot: an.roots, ptr: fmt.Sprintf("/sections/%d", i)})
		sec.section = sec.idx
		an.roots++
		for j := range f.Sections[i].Fields {
			fd := &f.Sections[i].Fields[j]
			n := add(&node{field: fd, section: sec.idx, group: -1, slot: an.roots, ptr: fmt.Sprintf("%s/fields/%d", sec.ptr, j)})
			an.roots++
			an.byID[fd.ID] = n.idx
			n.index()
			for k := range fd.Fields {
				c := add(&node{
					field: &fd.Fields[k], section: sec.idx, group: n.idx, slot: k,
					ptr: fmt.Sprintf("%s/fields/%d", n.ptr, k),
				})
				c.index()
				an.children[n.idx] = append(an.children[n.idx], c.idx)
			}
		}
	}
}

func (n *node) index() {
	if n.field.Options == nil {
		return
	}
	n.codes = make(map[string]int, len(n.field.Options))
	for i, o := range n.field.Options {
		n.codes[o.Code] = i
	}
}

// celType returns how expressions see a field.
func celType(k Kind) *cel.Type {
	switch k {
	case KindInteger, KindMoney:
		return cel.NullableType(cel.IntType)
	case KindDecimal:
		return cel.NullableType(cel.DoubleType)
	case KindYesNo, KindConsent:
		return cel.NullableType(cel.BoolType)
	case KindChoices:
		return cel.ListType(cel.StringType)
	case KindGroup, KindMaterial:
		return cel.ListType(cel.MapType(cel.StringType, cel.DynType))
	case KindPerson, KindSignature:
		return cel.MapType(cel.StringType, cel.DynType)
	}
	return cel.NullableType(cel.StringType)
}

func (an *analysis) declare(names map[string]name, n *node, prefix string) []cel.EnvOption {
	if n.field.Kind == KindNote {
		return nil
	}
	id := prefix + n.field.ID
	names[id] = name{node: n.idx}
	vars := []cel.EnvOption{cel.Variable(id, celType(n.field.ValueKind()))}
	if n.field.Kind == KindPerson {
		for _, p := range partTypes {
			names[id+"."+p] = name{node: n.idx, part: p}
			vars = append(vars, cel.Variable(id+"."+p, cel.NullableType(cel.StringType)))
		}
	}
	return vars
}

func (l *linter) expressions(f *Form, an *analysis, scopes map[int]*scope) {
	s := 0
	for _, n := range an.nodes {
		if n.field == nil {
			n.exprs[roleRelevant] = l.compile(an, scopes[-1], n.ptr+"/relevant", f.Sections[s].Relevant, cel.BoolType)
			s++
			continue
		}
		fd, sc := n.field, scopes[n.group]
		for role, src := range []string{fd.Relevant, fd.Calculate, string(fd.Required), string(fd.ReadOnly), fd.Constraint, fd.Initial} {
			want := cel.BoolType
			if role == roleCalculate || role == roleInitial {
				want = celType(fd.ValueKind())
				if fd.ValueKind() == KindDecimal && role == roleCalculate {
					want = cel.DynType // a whole number will do, too
				}
			}
			n.exprs[role] = l.compile(an, sc, n.ptr+"/"+roleNames[role], src, want)
		}
	}
	for _, key := range sortedKeys(f.Outputs) {
		if !slices.Contains(outputNames, key) {
			l.add("/outputs/"+key, "nothing reads this result; the names are %s", strings.Join(outputNames, ", "))
			continue
		}
		if e := l.compile(an, scopes[-1], "/outputs/"+key, f.Outputs[key], cel.DynType); e != nil {
			an.outputs = append(an.outputs, output{name: key, expr: e})
		}
	}
}

// outputNames are the results that the program reads.
var outputNames = []string{"promiseDays", "priority", "hardship", "papersDays"}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (l *linter) compile(an *analysis, sc *scope, ptr, src string, want *cel.Type) *expr {
	if src == "" {
		return nil
	}
	if len(src) > MaxExprBytes {
		l.add(ptr, "expression of %d bytes, the limit is %d", len(src), MaxExprBytes)
		return nil
	}
	key := want.String() + "\x00" + src
	if e, ok := sc.cache[key]; ok {
		return e
	}
	tree, iss := sc.env.Compile(src)
	if err := iss.Err(); err != nil {
		for _, e := range iss.Errors() {
			l.add(ptr, "column %d: %s", e.Location.Column()+1, plainType.ReplaceAllString(e.Message, "$1"))
		}
		if len(iss.Errors()) == 0 {
			l.add(ptr, "%v", err)
		}
		return nil
	}
	if out := tree.OutputType(); !fits(out, want) {
		l.add(ptr, "gives %s where %s is needed", plainType.ReplaceAllString(out.String(), "$1"), plainType.ReplaceAllString(want.String(), "$1"))
		return nil
	}
	e := &expr{src: src, ast: tree, env: sc.env}
	before := len(l.faults)
	l.references(an, sc, ptr, e)
	if cost, err := sc.env.EstimateCost(tree, sizes{an: an, group: sc.group}); err == nil && cost.Max > maxStaticCost {
		l.add(ptr, "could cost %d, the limit is %d", cost.Max, maxStaticCost)
	}
	// Constants are worked out when the program is made: a pattern that cannot be, a date that is none. Better now than at
	// a counter.
	if _, err := sc.env.Program(tree, cel.EvalOptions(cel.OptOptimize)); err != nil {
		l.add(ptr, "cannot be evaluated: %v", err)
	}
	if len(l.faults) > before {
		return nil
	}
	sc.cache[key] = e
	return e
}

// plainType takes the mark of "or null" off a type's name: every answer may be missing.
var plainType = regexp.MustCompile(`wrapper\((\w+)\)`)

// fits reports whether a value of type out can be one of type want, null aside.
func fits(out, want *cel.Type) bool {
	if want == cel.DynType || out.IsExactType(cel.DynType) || out.IsExactType(cel.NullType) {
		return true
	}
	if want.IsAssignableType(out) {
		return true
	}
	return out.IsAssignableType(want) && out.Kind() == want.Kind() // a nullable result for a plain type
}

// sizes bounds what the cost estimator cannot know.
type sizes struct {
	an    *analysis
	group int
}

// EstimateSize implements checker.CostEstimator: rows by the group's limit, texts and facts by a general one.
func (s sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	const general = 200
	if p := n.Path(); len(p) == 1 {
		if nm, ok := s.an.names[p[0]]; ok {
			if k := s.an.nodes[nm.node].field.Kind; k == KindGroup || k == KindMaterial || k == KindChoices {
				return &checker.SizeEstimate{Max: uint64(s.an.nodes[nm.node].field.most())}
			}
		}
	}
	return &checker.SizeEstimate{Max: general}
}

// EstimateCallCost implements checker.CostEstimator: no estimate of our own.
func (s sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}

// references finds what e depends on, and names that no one declared (a dynamic map would hide them until it is too late).
func (l *linter) references(an *analysis, sc *scope, ptr string, e *expr) {
	tree := e.ast.NativeRep()
	groups, selected := map[int]bool{}, map[string]bool{}
	whole := false
	add := func(u use) {
		if !slices.Contains(e.refs, u) {
			e.refs = append(e.refs, u)
		}
	}
	declared := func(id int64) bool {
		r, ok := tree.ReferenceMap()[id]
		if !ok || r.Name == "" {
			return false
		}
		if n, ok := sc.row(an)[r.Name]; ok {
			add(use{node: n.node, row: true})
			return true
		}
		if n, ok := an.names[r.Name]; ok {
			if an.nodes[n.node].field.Kind == KindGroup {
				groups[n.node] = true
			}
			add(use{node: n.node})
			return true
		}
		return r.Name == varData || r.Name == varToday || r.Name == varDivision
	}
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		switch x.Kind() {
		case ast.IdentKind:
			declared(x.ID())
		case ast.SelectKind:
			if !declared(x.ID()) {
				selected[x.AsSelect().FieldName()] = true
				l.fact(an, ptr, x)
			}
		case ast.CallKind:
			if x.AsCall().FunctionName() == "_[_]" && len(x.AsCall().Args()) == 2 {
				if key := x.AsCall().Args()[1]; key.Kind() == ast.LiteralKind {
					if s, ok := key.AsLiteral().(types.String); ok {
						selected[string(s)] = true
					}
				} else if tree.GetType(key.ID()).Kind() == types.StringKind {
					whole = true
				}
				return
			}
			for _, a := range x.AsCall().Args() {
				whole = whole || a.Kind() == ast.IdentKind && tree.GetType(a.ID()).Kind() == types.MapKind
			}
		}
	}))
	known := map[string]bool{"mime": true, "size": true, "name": true, "by": true, "birth": true, "sex": true}
	for _, p := range partTypes {
		known[p] = true
	}
	for g := range groups {
		for _, k := range an.children[g] {
			id := an.nodes[k].field.ID
			known[id] = true
			if whole || selected[id] {
				add(use{node: k})
			}
		}
	}
	collectKeys(an.data, known)
	for _, s := range sortedKeys(selected) {
		if !known[s] {
			l.add(ptr, "unknown name %q", s)
		}
	}
}

func (sc *scope) row(an *analysis) map[string]name { return an.rowNames[sc.group] }

// fact reports data.x when the form's data has no x.
func (l *linter) fact(an *analysis, ptr string, x ast.Expr) {
	op := x.AsSelect().Operand()
	if op.Kind() != ast.IdentKind || op.AsIdent() != varData {
		return
	}
	m, _ := an.data.Value().(map[string]any)
	if _, ok := m[x.AsSelect().FieldName()]; !ok {
		l.add(ptr, "data has no %q", x.AsSelect().FieldName())
	}
}

func collectKeys(v any, into map[string]bool) {
	switch x := v.(type) {
	case ref.Val:
		collectKeys(x.Value(), into)
	case map[string]any:
		for k, e := range x {
			into[k] = true
			collectKeys(e, into)
		}
	case []any:
		for _, e := range x {
			collectKeys(e, into)
		}
	}
}

var placeholder = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9.]*)\}`)

// factText returns a fact of the form as text, for {data.name} in a sentence.
func factText(f *Form, id string) (string, bool) {
	key, ok := strings.CutPrefix(id, "data.")
	if !ok {
		return "", false
	}
	switch x := f.Data[key].(type) {
	case string:
		return x, true
	case int64:
		return plainInt(x), true
	}
	return "", false
}

// texts checks that every {name} in a text is a field or a fact.
func (l *linter) texts(f *Form, an *analysis) {
	check := func(ptr string, t Text, rows map[string]name) {
		for _, s := range []string{t.ZH, t.EN} {
			for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
				_, root := an.names[m[1]]
				_, row := rows[m[1]]
				_, fact := factText(f, m[1])
				if !root && !row && !fact {
					l.add(ptr, "text names unknown field {%s}", m[1])
				}
			}
		}
	}
	s := 0
	for _, n := range an.nodes {
		if n.field == nil {
			check(n.ptr+"/title", f.Sections[s].Title, nil)
			check(n.ptr+"/hint", f.Sections[s].Hint, nil)
			s++
			continue
		}
		rows := an.rowNames[n.group]
		check(n.ptr+"/label", n.field.Label, rows)
		check(n.ptr+"/hint", n.field.Hint, rows)
		check(n.ptr+"/message", n.field.Message, rows)
		if n.field.Kind == KindGroup {
			check(n.ptr+"/rowLabel", n.field.RowLabel, an.rowNames[n.idx])
		}
	}
}

func (l *linter) applicant(an *analysis) {
	for _, r := range []struct{ member, path, part string }{
		{"name", an.applies.Name, "name"}, {"idno", an.applies.IDNo, "idno"}, {"phone", an.applies.Phone, "phone"},
	} {
		if r.path == "" {
			continue
		}
		id, part, _ := strings.Cut(r.path, ".")
		i, ok := an.byID[id]
		if !ok {
			l.add("/applicant/"+r.member, "no field %q", id)
			continue
		}
		fd := an.nodes[i].field
		good := map[string][]Kind{"name": {KindText}, "idno": {KindIDNumber}, "phone": {KindPhone}}[r.part]
		isPart := fd.Kind == KindPerson && part == r.part && slices.ContainsFunc(fd.Parts, func(p Part) bool { return p.Name == part })
		if !isPart && (part != "" || !slices.Contains(good, fd.Kind)) {
			l.add("/applicant/"+r.member, "field %q holds no %s", r.path, r.part)
		}
	}
}
