package form

import (
	"math"
	"strconv"
	"strings"

	"bianmin/offline/ident"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

var (
	emptyList = types.NewRefValList(types.DefaultTypeAdapter, nil)
	emptyMap  = types.NewRefValMap(types.DefaultTypeAdapter, map[ref.Val]ref.Val{})
)

// cell is the state of one field at one place.
type cell struct {
	value   any      // nil when there is none
	raw     string   // what was typed, when it is no value
	bad     []*fault // what is wrong with value or raw, by the kind alone
	touched bool     // set by a person, at least once
	source  *Source

	val   ref.Val // what expressions see: value when shown, else null or empty; nil for a group to be built again
	parts map[string]ref.Val

	relevant, shown, required, readonly bool
	violated                            bool  // the constraint is false
	costly                              uint8 // roles stopped by the cost limit
}

// row is one entry of a group.
type row struct{ cells []cell }

// reset empties c; it is not shown until evaluated.
func (c *cell) reset(n *node) {
	*c = cell{relevant: true}
	if n.field != nil && n.field.Kind != KindGroup {
		c.val = absent(n.field.ValueKind())
	}
}

func absent(k Kind) ref.Val {
	switch k {
	case KindChoices, KindMaterial, KindGroup:
		return emptyList
	case KindPerson, KindSignature:
		return emptyMap
	}
	return types.NullValue
}

func (c *cell) part(name string) ref.Val {
	if v, ok := c.parts[name]; ok {
		return v
	}
	return types.NullValue
}

// look brings val up to date and reports whether expressions see something else than before. force says that a value
// which can't be compared cheaply was set.
func (c *cell) look(n *node, force bool) bool {
	kind := n.field.ValueKind()
	next := absent(kind)
	var parts map[string]ref.Val
	if c.shown && c.value != nil {
		next = seen(kind, c.value)
		if kind == KindPerson {
			parts = seenParts(c.value)
		}
	}
	old := c.val
	c.val, c.parts = next, parts
	switch kind {
	case KindChoices, KindMaterial, KindPerson, KindSignature:
		return force || old != next && (old == absent(kind)) != (next == absent(kind))
	}
	return old.Equal(next) != types.True
}

// seen converts a value for expressions.
func seen(k Kind, v any) ref.Val {
	switch x := v.(type) {
	case string:
		if k == KindDecimal {
			f, err := strconv.ParseFloat(x, 64)
			if err != nil {
				return types.NullValue
			}
			return types.Double(f)
		}
		return types.String(x)
	case int64:
		return types.Int(x)
	case bool:
		return types.Bool(x)
	case []any:
		list := make([]ref.Val, len(x))
		for i, e := range x {
			list[i] = seen("", e)
		}
		return types.NewRefValList(types.DefaultTypeAdapter, list)
	case map[string]any:
		m := make(map[ref.Val]ref.Val, len(x))
		for name, e := range x {
			switch e.(type) {
			case string, int64: // keys, hashes and strokes are no business of expressions
				m[types.String(name)] = seen("", e)
			}
		}
		if k == KindPerson {
			for name, e := range seenParts(x) {
				m[types.String(name)] = e
			}
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, m)
	}
	return types.NullValue
}

// seenParts are a person's parts with what follows from the ID number.
func seenParts(v any) map[string]ref.Val {
	m, _ := v.(map[string]any)
	out := make(map[string]ref.Val, len(m)+2)
	for k, e := range m {
		if s, ok := e.(string); ok {
			out[k] = types.String(s)
		}
	}
	if s, ok := m["idno"].(string); ok {
		if id, err := ident.ParseIDAt(s, farFuture); err == nil {
			out["birth"] = types.String(id.Birth.Format(dateLayout))
			out["sex"] = types.String(id.Sex)
		}
	}
	return out
}

// computed converts what an expression gave into a value of the field; nil when it is none.
func (r *reader) computed(n *node, v ref.Val) any {
	var in any
	switch x := v.(type) {
	case types.String:
		in = string(x)
	case types.Int:
		in = int64(x)
	case types.Bool:
		in = bool(x)
	case types.Double:
		if f := float64(x); n.field.As == KindDecimal && math.Abs(f) < 1e15 {
			in = trimZeros(strconv.FormatFloat(f, 'f', n.field.places(), 64))
		}
	}
	out, x := r.read(n, in)
	if x != nil {
		return nil
	}
	return out
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// empty reports whether nothing has been given.
func (c *cell) empty() bool { return c.value == nil && c.raw == "" && len(c.bad) == 0 }
