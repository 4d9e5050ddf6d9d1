package form

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"bianmin/offline/canon"
)

func TestAnswersSayFieldReasonAndLine(t *testing.T) {
	p := program(t, small(families+`,{"id":"ask","kind":"yesno",`+lbl("ask")+`},
{"id":"why","kind":"text","relevant":"ask == true",`+lbl("why")+`},{"id":"m","kind":"money",`+lbl("m")+`},
{"id":"b","kind":"computed","as":"money","calculate":"m * 2",`+lbl("b")+`}`))
	for _, tt := range []struct{ name, in, want string }{
		{"fine", `{"who":"张三","g":[{"n":"甲"}],"m":100,"b":200}`, ""},
		{"yuan as text", `{"g":[{"n":"甲"}],"m":"1.00","b":"2.00"}`, ""},
		{"null is not given", `{"who":null,"g":[{"n":"甲"}]}`, ""},
		{"not JSON", `{"who":`, "=form.json"},
		{"not an object", `[1]`, "=form.json"},
		{"twice", `{"who":"a","who":"b"}`, "=form.json"},
		{"unknown", `{"g":[{"n":"甲"}],"colour":"red"}`, "colour=form.unknown"},
		{"unknown in a row", `{"g":[{"n":"甲","x":1}]}`, "g[0].x=form.unknown"},
		{"wrong type", `{"g":[{"n":5}],"who":[]}`, "who=form.kind g[0].n=form.kind"},
		{"group is no list", `{"g":{"n":"甲"}}`, "g=form.kind g[0].n=form.required"},
		{"row is no object", `{"g":["甲"]}`, "g[0]=form.kind g[0].n=form.required"},
		{"no row", `{"g":[]}`, "g=form.rowsMin"},
		{"not asked", `{"g":[{"n":"甲"}],"ask":false,"why":"x"}`, "why=form.notRelevant"},
		{"computed differs", `{"g":[{"n":"甲"}],"m":100,"b":300}`, "b=form.computed"},
		{"ID number", `{"g":[{"n":"甲"}],"card":"999999194102030022"}`, "card=ident.idChecksum"},
		{"fraction of a fen", `{"g":[{"n":"甲"}],"m":1.5}`, "m=form.kind"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, problems := p.Answers(env(), 17, []byte(tt.in))
			if got := keys(problems); got != tt.want {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
			for _, x := range problems {
				if x.Line != 17 || strings.Contains(x.Error(), "{") && x.Key != "form.json" {
					t.Errorf("problem %+v", x)
				}
			}
		})
	}
}

func TestLoadIsStrict(t *testing.T) {
	p := program(t, small(families+`,{"id":"m","kind":"money","initial":"5",`+lbl("m")+`}`))
	g := []any{map[string]any{"n": "甲"}}
	for _, tt := range []struct {
		name string
		in   Values
		want string
	}{
		{"fine", Values{"g": g, "who": "张三"}, ""},
		{"not trimmed", Values{"g": g, "who": " 张三"}, "who=form.notNormal"},
		{"blank", Values{"g": g, "who": ""}, "who=form.notNormal"},
		{"money as text", Values{"g": g, "m": "1.00"}, "m=form.notNormal"},
		{"computed right", Values{"g": g, "total": int64(0)}, ""},
		{"computed wrong", Values{"g": g, "total": int64(1)}, "total=form.computed"},
		{"empty group", Values{"g": []any{}}, "g=form.notNormal g=form.rowsMin"},
		{"nothing", Values{}, "g=form.rowsMin"},
	} {
		if got := keys(p.Check(env(), tt.in)); got != tt.want {
			t.Errorf("%s: problems %q, want %q", tt.name, got, tt.want)
		}
	}
	if s, _ := p.Load(env(), Values{"g": g}); s.State("m").Value != nil {
		t.Error("an initial value was added to submitted answers")
	}
}

// Whatever is typed in whatever order, the engine that evaluates only dependants ends where a fresh evaluation ends.
func TestKeystrokesEqualAFreshStart(t *testing.T) {
	for name, answers := range samples {
		p, base := sample(t, name), answers(t)
		var paths []Path
		p.Form().Each(func(fd, group *Field) {
			if group != nil {
				paths = append(paths, RowPath(group.ID, 0, fd.ID), RowPath(group.ID, 1, fd.ID))
			} else {
				paths = append(paths, Path(fd.ID))
			}
		})
		seed := uint64(0xb1a0)
		for round := range rounds(200) {
			r := rand.New(rand.NewPCG(seed, uint64(round)))
			s := p.Start(env())
			for range 60 {
				path := paths[r.IntN(len(paths))]
				id, _, _ := strings.Cut(string(path), "[")
				switch r.IntN(8) {
				case 0:
					s.Set(path, nil)
				case 1:
					s.Set(path, []string{"x", "3", "12.5", "999999194102030013", "2027-01-01", "expense", "rent", "agent"}[r.IntN(8)])
				case 2:
					s.AddRow(id)
				case 3:
					s.RemoveRow(id, r.IntN(2))
				default:
					pl, _ := path.split()
					v := base[pl.field]
					if rows, ok := v.([]any); ok && pl.row >= 0 && pl.row < len(rows) {
						v = rows[pl.row].(map[string]any)[pl.child]
					}
					s.Set(path, v)
				}
			}
			fresh := p.Start(env())
			fresh.Restore(s.Draft())
			for _, path := range paths {
				a, b := s.State(path), fresh.State(path)
				b.Touched = a.Touched
				if !reflect.DeepEqual(a, b) {
					t.Fatalf("%s, seed %d %d, %s:\nkeystrokes %+v\nfresh      %+v", name, seed, round, path, a, b)
				}
			}
			if a, b := keys(s.Problems()), keys(fresh.Problems()); a != b {
				t.Fatalf("%s, seed %d %d: problems %s\nfresh %s", name, seed, round, a, b)
			}
			v := s.Values(true)
			if got, want := keys(p.Check(env(), v)), keys(s.Problems()); len(s.Problems()) == 0 && got != want {
				t.Fatalf("%s, seed %d %d: the screen accepts what Check refuses: %s", name, seed, round, got)
			}
		}
	}
}

// The vector holds one answer of every shape; testdata/values.json says which.
func TestValuesVector(t *testing.T) {
	var vec struct{ JSON, CBOR string }
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile("testdata/values.json")), &vec); err != nil {
		t.Fatal(err)
	}
	v := Values{
		"name": "王桂英", "amount": int64(-3000), "agree": true, "codes": []any{"a", "b"}, "photo": []any{blob(1).Value()},
		"family": []any{map[string]any{"name": "甲"}, map[string]any{}},
	}
	packed := must[[]byte](t)(v.MarshalCBOR())
	if got := hex.EncodeToString(packed); got != vec.CBOR {
		t.Errorf("CBOR\n%s\nwant\n%s", got, vec.CBOR)
	}
	if got := string(must[[]byte](t)(json.Marshal(v))); got != vec.JSON {
		t.Errorf("JSON\n%s\nwant\n%s", got, vec.JSON)
	}
	back := must[Values](t)(DecodeValues(packed))
	if !reflect.DeepEqual(back, v) || !reflect.DeepEqual(back.Clone(), v) {
		t.Errorf("back %v", back)
	}
	refs := must[[]BlobRef](t)(Blobs(back["photo"]))
	if len(refs) != 1 || !reflect.DeepEqual(refs[0], blob(1)) {
		t.Errorf("blob %+v", refs)
	}
	inside := canon.MustMarshal(map[string]any{"v": v})
	var outer struct {
		V Values `cbor:"v"`
	}
	if err := canon.Unmarshal(inside, &outer); err != nil || !reflect.DeepEqual(outer.V, v) {
		t.Errorf("inside another value: %v, %v", outer.V, err)
	}
}

func TestValuesRefuseOtherTypes(t *testing.T) {
	for _, v := range []Values{{"x": 1.5}, {"x": nil}, {"x": 3}, {"x": []any{struct{}{}}}, {"x": "a\xff"}} {
		if _, err := v.MarshalCBOR(); !errors.Is(err, ErrValue) {
			t.Errorf("%v: %v", v, err)
		}
	}
	for _, in := range []string{
		"a1617801ff", "a161781b8000000000000000", "a16178f6", "a16178f93e00", "a16178a10102", "bf617801ff", "a26178016178 02", "80", "",
		"a16178" + strings.Repeat("81", 7) + "80",
	} {
		b, _ := hex.DecodeString(strings.ReplaceAll(in, " ", ""))
		if v, err := DecodeValues(b); err == nil {
			t.Errorf("%s decoded to %v", in, v)
		}
	}
	if _, err := Blobs("x"); !errors.Is(err, ErrValue) {
		t.Errorf("no material: %v", err)
	}
	if refs := must[[]BlobRef](t)(Blobs(signature(1).Value())); len(refs) != 1 || refs[0].MIME != "image/png" {
		t.Errorf("picture of a signature: %+v", refs)
	}
}

func TestPaths(t *testing.T) {
	for in, want := range map[Path]string{
		"a": "{a -1  } true", "a[0]": "{a 0  } true", "a[12].b": "{a 12 b } true", "a.b": "{a -1  b} true", "a[1].b.c": "{a 1 b c} true",
		"": "false", "a[": "false", "a[x].b": "false", "a[01].b": "false", "a[-1].b": "false", "a[1]b": "false", "a]1[": "false", "[0]": "false",
	} {
		pl, ok := in.split()
		if got := fmt.Sprintf("%v %v", pl, ok); ok && got != want || !ok && want != "false" {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func FuzzDecodeValues(f *testing.F) {
	v := linshiAnswers(f)
	packed, _ := v.MarshalCBOR()
	f.Add(packed)
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := DecodeValues(in)
		if err != nil {
			return
		}
		again, err := v.MarshalCBOR()
		if err != nil || string(again) != string(in) {
			t.Fatalf("%x decodes and encodes to %x, %v", in, again, err)
		}
		linshi, problems := fuzzProgram().Load(env(), v)
		if len(problems) == 0 && !reflect.DeepEqual(linshi.Values(false), withoutComputed(v)) {
			t.Fatalf("accepted %v, holds %v", v, linshi.Values(false))
		}
	})
}

func withoutComputed(v Values) Values {
	out := v.Clone()
	for _, id := range []string{"sex", "age", "members", "adults", "totalIncome", "perHead", "promiseDays", "decidedBy"} {
		delete(out, id)
	}
	if rows, ok := out["family"].([]any); ok {
		for _, r := range rows {
			delete(r.(map[string]any), "age")
		}
	}
	return out
}

var fuzzed *Program

func fuzzProgram() *Program {
	if fuzzed == nil {
		b, err := os.ReadFile("../../assets/county/forms/linshijiuzhu.json")
		if err != nil {
			panic(err)
		}
		f, err := Parse(b)
		if err != nil {
			panic(err)
		}
		if fuzzed, err = Compile(f, Options{}); err != nil {
			panic(err)
		}
	}
	return fuzzed
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small(families)))
	f.Add([]byte(small(`{"id":"x","kind":"person","parts":[{"name":"name"}],"required":"x.name == who",` + lbl("x") + `}`)))
	for name := range samples {
		b, err := os.ReadFile("../../assets/county/forms/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		form, err := Parse(in)
		if err != nil {
			var le *LintError
			if !errors.As(err, &le) || len(le.Faults) == 0 {
				t.Fatalf("refused without a fault: %v", err)
			}
			return
		}
		p, err := Compile(form, Options{})
		if err != nil {
			t.Fatalf("linted but does not compile: %v", err)
		}
		p.Start(env()).Problems()
		again, err := json.Marshal(form)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(again)
		if err != nil {
			t.Fatalf("written again it is refused: %v", err)
		}
		third, _ := json.Marshal(back)
		if string(third) != string(again) {
			t.Fatalf("not stable:\n%s\n%s", again, third)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	line, _ := json.Marshal(linshiAnswers(f))
	f.Add(line)
	f.Add([]byte(`{"family":[{"idno":"1"}],"amount":"1,000.5","urgent":null}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, problems := fuzzProgram().Answers(env(), 1, in)
		v := s.Values(true)
		packed, err := v.MarshalCBOR()
		if err != nil {
			t.Fatalf("answers that do not encode: %v", err)
		}
		back, err := DecodeValues(packed)
		if err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("answers do not come back: %v", err)
		}
		if len(problems) == 0 {
			if again := fuzzProgram().Check(env(), v); len(again) > 0 {
				t.Fatalf("accepted from JSON, refused by Check: %s", keys(again))
			}
		}
	})
}
