package form

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"bianmin/offline/ident"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

const (
	dateLayout  = "2006-01-02"
	varToday    = "@today"    // what today() becomes; no form can write this name
	varDivision = "@division" // what division() becomes
	varData     = "data"
)

// baseEnv is the language of expressions before a form's fields are added. No function reads a clock, a file or the
// network: today() and division() are values of the session, so equal answers on the same day give equal results.
var baseEnv = sync.OnceValues(func() (*cel.Env, error) {
	s, i, b, d := cel.StringType, cel.IntType, cel.BoolType, cel.DynType
	return cel.NewEnv(
		cel.Macros(constMacro("today", varToday), constMacro("division", varDivision)),
		cel.Variable(varToday, s), cel.Variable(varDivision, s),
		cel.Variable(varData, cel.MapType(s, d)),
		cel.ExpressionNestingDepthLimit(MaxExprDepth),
		cel.ParserExpressionSizeLimit(MaxExprBytes),
		cel.RegexProgramSizeLimit(1000),

		unary("filled", "filled_dyn", d, b, func(v ref.Val) ref.Val { return types.Bool(filled(v)) }),
		unary("idValid", "idValid_string", s, b, onText(func(t string) ref.Val {
			_, err := ident.ParseIDAt(t, farFuture)
			return types.Bool(err == nil)
		})),
		unary("idBirth", "idBirth_string", s, s, onID(func(id ident.ID) ref.Val { return types.String(id.Birth.Format(dateLayout)) })),
		unary("idSex", "idSex_string", s, s, onID(func(id ident.ID) ref.Val { return types.String(id.Sex) })),
		unary("idDivision", "idDivision_string", s, s, onID(func(id ident.ID) ref.Val { return types.String(id.Division) })),
		unary("phoneValid", "phoneValid_string", s, b, onText(func(t string) ref.Val { return types.Bool(ident.CheckPhone(t) == nil) })),
		unary("cardValid", "cardValid_string", s, b, onText(func(t string) ref.Val { return types.Bool(ident.CheckBankCard(t) == nil) })),
		unary("nameValid", "nameValid_string", s, b, onText(func(t string) ref.Val { return types.Bool(ident.CheckName(t) == nil) })),

		binary("age", "age_string_string", s, s, i, onDates(func(birth, on time.Time) ref.Val { return types.Int(ident.Age(birth, on)) })),
		binary("days", "days_string_string", s, s, i, onDates(func(a, b time.Time) ref.Val { return types.Int(b.Sub(a) / (24 * time.Hour)) })),
		binary("months", "months_string_string", s, s, i, onDates(func(a, b time.Time) ref.Val { return types.Int(months(a, b)) })),
		binary("addDays", "addDays_string_int", s, i, s, onDateInt(func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n) })),
		binary("addMonths", "addMonths_string_int", s, i, s, onDateInt(addMonths)),
		binary("within", "within_string_string", s, s, b, func(code, area ref.Val) ref.Val {
			c, err1 := ident.ParseDivision(string(code.(types.String)))
			a, err2 := ident.ParseDivision(string(area.(types.String)))
			if err1 != nil || err2 != nil {
				return types.NewErr("no division code")
			}
			return types.Bool(c == a || a.Contains(c))
		}),

		unary("year", "year_string", s, i, onDate(func(t time.Time) ref.Val { return types.Int(t.Year()) })),
		unary("month", "month_string", s, i, onDate(func(t time.Time) ref.Val { return types.Int(t.Month()) })),
		unary("day", "day_string", s, i, onDate(func(t time.Time) ref.Val { return types.Int(t.Day()) })),
		unary("yuan", "yuan_int", i, s, func(v ref.Val) ref.Val { return types.String(yuan(int64(v.(types.Int)))) }),
		unary("sum", "sum_list", cel.ListType(d), i, sum),
		unary("distinct", "distinct_list", cel.ListType(d), b, distinct),
	)
})

// farFuture lets idValid judge the number alone; whether a birth lies ahead is judged where today is known.
var farFuture = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)

func constMacro(name, variable string) cel.Macro {
	return cel.GlobalMacro(name, 0, func(f cel.MacroExprFactory, _ ast.Expr, _ []ast.Expr) (ast.Expr, *cel.Error) {
		return f.NewIdent(variable), nil
	})
}

func unary(name, overload string, arg, result *cel.Type, fn func(ref.Val) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(overload, []*cel.Type{arg}, result, cel.UnaryBinding(fn)))
}

func binary(name, overload string, a, b, result *cel.Type, fn func(a, b ref.Val) ref.Val) cel.EnvOption {
	return cel.Function(name, cel.Overload(overload, []*cel.Type{a, b}, result, cel.BinaryBinding(fn)))
}

func onText(fn func(string) ref.Val) func(ref.Val) ref.Val {
	return func(v ref.Val) ref.Val { return fn(string(v.(types.String))) }
}

func onID(fn func(ident.ID) ref.Val) func(ref.Val) ref.Val {
	return onText(func(t string) ref.Val {
		id, err := ident.ParseIDAt(t, farFuture)
		if err != nil {
			return types.NewErr("no valid ID number")
		}
		return fn(id)
	})
}

func onDate(fn func(time.Time) ref.Val) func(ref.Val) ref.Val {
	return onText(func(t string) ref.Val {
		d, err := time.Parse(dateLayout, t)
		if err != nil {
			return types.NewErr("no date")
		}
		return fn(d)
	})
}

func onDates(fn func(a, b time.Time) ref.Val) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		return onDate(func(x time.Time) ref.Val {
			return onDate(func(y time.Time) ref.Val { return fn(x, y) })(b)
		})(a)
	}
}

func onDateInt(fn func(time.Time, int) time.Time) func(a, b ref.Val) ref.Val {
	const most = 200 * 366 // days, or as many months: enough for any deadline
	return func(a, b ref.Val) ref.Val {
		n := int64(b.(types.Int))
		if n < -most || n > most {
			return types.NewErr("too far")
		}
		return onDate(func(t time.Time) ref.Val {
			t = fn(t, int(n))
			if t.Year() < 1000 || t.Year() > 9999 {
				return types.NewErr("too far")
			}
			return types.String(t.Format(dateLayout))
		})(a)
	}
}

// addMonths keeps the day, or takes the month's last day when it has no such day.
func addMonths(t time.Time, n int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// months counts the whole months from a to b; negative when b is before a.
func months(a, b time.Time) int {
	if b.Before(a) {
		return -months(b, a)
	}
	n := (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
	if addMonths(a, n).After(b) {
		n--
	}
	return n
}

func filled(v ref.Val) bool {
	switch x := v.(type) {
	case types.Null:
		return false
	case types.String:
		return strings.TrimSpace(string(x)) != ""
	case traits.Sizer:
		return x.Size() != types.IntZero
	}
	return true
}

func sum(v ref.Val) ref.Val {
	total := types.IntZero
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		switch x := it.Next().(type) {
		case types.Int:
			next := total + x
			if x > 0 && next < total || x < 0 && next > total {
				return types.NewErr("sum overflows")
			}
			total = next
		case types.Null:
		default:
			return types.NewErr("sum of something else than whole numbers")
		}
	}
	return total
}

func distinct(v ref.Val) ref.Val {
	seen := map[any]bool{}
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		x := it.Next()
		if _, missing := x.(types.Null); missing {
			continue
		}
		switch x.(type) {
		case types.String, types.Int, types.Bool, types.Double:
		default:
			return types.NewErr("distinct of lists or maps")
		}
		if seen[x.Value()] {
			return types.False
		}
		seen[x.Value()] = true
	}
	return types.True
}

// yuan writes fen as yuan with two places: 123456 is "1234.56".
func yuan(fen int64) string {
	sign := ""
	u := uint64(fen)
	if fen < 0 {
		sign, u = "-", -u
	}
	frac := strconv.FormatUint(u%100+100, 10)[1:]
	return sign + strconv.FormatUint(u/100, 10) + "." + frac
}
