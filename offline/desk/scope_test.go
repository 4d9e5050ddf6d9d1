package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bianmin/assets/county"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/ident"
	"bianmin/offline/people"
	"bianmin/offline/pinyin"
	"bianmin/offline/vault"
)

// somebody is an operator of the isolation test.
type somebody struct{ id, role, division string }

var everybody = []somebody{
	{"liushu", "staff", "999999101201"},
	{"dahuai", "staff", "999999102201"},
	{"wubo", "grid", "999999101202"},
	{"town", "lead", "999999101000"},
	{"county", "lead", "999999000000"},
	{"elsewhere", "lead", "999901000000"},
}

func (s somebody) covers(code string) bool {
	own, err := ident.ParseDivision(s.division)
	if err != nil {
		return false
	}
	d, err := ident.ParseDivision(code)
	return err == nil && own.Contains(d)
}

// world is a county's machine with operators of many divisions, cases, drafts and what the platform said of them.
type world struct {
	m      *desktest.Machine
	d      *desk.Desk
	roster people.Roster
	log    bytes.Buffer
	marks  map[string][]string // operator id: words that nobody without that division may read
	drafts map[string]string   // operator id: a draft's id
	seqs   []uint64
	dir    string
}

func newWorld(t *testing.T) *world {
	w := &world{marks: map[string][]string{}, drafts: map[string]string{}, dir: t.TempDir()}
	raw, err := county.FS().Open("roster.json")
	noError(t, err)
	noError(t, json.NewDecoder(raw).Decode(&w.roster))
	noError(t, os.WriteFile(filepath.Join(w.dir, "card.jpg"), photo(t, 64, 40), 0o600))
	w.m = desktest.NewWith(t, func(_ *desktest.Machine, g *desk.Grant) {
		g.Enrolment.Station.Division = "999999000000"
		g.Operators = nil
		for _, s := range everybody {
			g.Operators = append(g.Operators, vault.NewOperator{ID: s.id, Name: "操作员", Role: s.role, Division: s.division, PIN: "246810"})
		}
	})
	w.m.Config.Log = slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.d = w.m.Open(t)
	for i, who := range everybody[:3] {
		s := login(t, w.d, who.id, "246810")
		w.takeIn(t, s, who, i)
		noError(t, s.Close(t.Context()))
	}
	return w
}

// takeIn makes two cases and a draft of one operator, with words of their own, and what the platform says about them.
func (w *world) takeIn(t *testing.T, s *desk.Session, who somebody, n int) {
	t.Helper()
	base, err := os.ReadFile("testdata/gaoling.json")
	noError(t, err)
	contact := []string{"柳暗花", "槐安梦", "吴波平"}[n]
	no, err := ident.MakeID("110101", time.Date(1940, 5, 6+n, 0, 0, 0, 0, time.UTC), 7)
	noError(t, err)
	name := []string{"穆桂英", "佘赛花", "花木兰"}[n]
	phone := fmt.Sprintf("1391234567%d", n)
	w.marks[who.id] = []string{contact, name, no, phone, "意见" + who.id}
	line := strings.NewReplacer("刘玉珍", name, "999999194102030021", no, "刘建军", contact, "13900000001", phone).Replace(string(base))
	var v map[string]any
	noError(t, json.Unmarshal([]byte(line), &v))
	extra := map[string]any{"hukou": who.division, "hukouAddress": "村中路1号", "bank": "103", "bankcard": "6217000010001234569"}
	for k, x := range extra {
		if _, ok := v[k]; !ok {
			v[k] = x
		}
	}
	data, err := json.Marshal(v)
	noError(t, err)
	for i := range 2 {
		got, err := s.SubmitAnswers(t.Context(), "gaoling", data, w.dir)
		if err != nil {
			t.Fatalf("%s: %v: %s", who.id, err, problems(err))
		}
		w.seqs = append(w.seqs, got.Seq)
		if i == 0 {
			w.m.AskCorrection(t, w.d, got.Seq, "意见"+who.id, "contactPhone")
		} else {
			w.m.Quarantine(t, w.d, got.Seq, "record.unknown", "意见"+who.id)
		}
	}
	in, err := s.Start(t.Context(), "gaoling", nil)
	noError(t, err)
	in.Set("name", name)
	in.Set("idno", no)
	noError(t, in.Close(t.Context()))
	w.drafts[who.id] = in.ID()
}

// words collects every text that can be read in a value, through exported fields and methods that JSON uses.
func wordsIn(v any) string {
	var b strings.Builder
	seen := map[uintptr]bool{}
	var walk func(v reflect.Value, depth int)
	walk = func(v reflect.Value, depth int) {
		if depth > 12 {
			return
		}
		switch v.Kind() {
		case reflect.String:
			b.WriteString(v.String() + "\n")
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				return
			}
			if v.Kind() == reflect.Pointer {
				if seen[v.Pointer()] {
					return
				}
				seen[v.Pointer()] = true
			}
			walk(v.Elem(), depth+1)
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i), depth+1)
				}
			}
		case reflect.Slice, reflect.Array:
			if v.Type().Elem().Kind() == reflect.Uint8 {
				if v.Kind() == reflect.Slice {
					b.Write(v.Bytes())
				}
				return
			}
			for i := range v.Len() {
				walk(v.Index(i), depth+1)
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				walk(k, depth+1)
				walk(v.MapIndex(k), depth+1)
			}
		}
	}
	walk(reflect.ValueOf(v), 0)
	return b.String()
}

// asked is everything that one session answers when it is asked for everything.
func (w *world) asked(t *testing.T, s *desk.Session, queries []string) string {
	t.Helper()
	ctx := t.Context()
	var out strings.Builder
	say := func(v any, err error) {
		out.WriteString(wordsIn(v))
		if err != nil {
			out.WriteString(err.Error() + "\n")
		}
	}
	for _, q := range queries {
		for _, limit := range []int{0, 1, 3} {
			found, err := s.FindPeople(q, limit)
			say(found, err)
		}
	}
	for _, p := range w.roster.Persons {
		found, err := s.Person(ctx, p.ID, "test")
		say(found, err)
		say(s.PersonName(p.ID), nil)
	}
	cat, err := s.Catalog()
	noError(t, err)
	say(cat.Roster, nil)
	say(s.Cases(ctx))
	say(s.Drafts(ctx))
	say(s.Quarantine(ctx))
	say(s.LocalWords())
	say(w.d.Status(ctx))
	say(w.d.Doctor(ctx, false, nil))
	say(w.d.Follow())
	for _, seq := range w.seqs {
		say(s.Case(ctx, seq))
		if fs, err := s.Answers(ctx, seq); err != nil {
			say(nil, err)
		} else {
			raw, err := fs.Values(false).MarshalJSON()
			say(string(raw), err)
		}
		for stage := uint8(1); stage <= 2; stage++ {
			say(s.Receipt(ctx, seq, stage))
			_, err := s.Slip(ctx, seq, stage, 384, "zh")
			say(nil, err)
		}
		for _, begin := range []func(context.Context, uint64) (counter.Intake, error){s.Correct, s.HandIn} {
			in, err := begin(ctx, seq)
			if err != nil {
				say(nil, err)
				continue
			}
			raw, err := in.Form().Values(false).MarshalJSON()
			say(string(raw), err)
			noError(t, in.Discard(ctx))
		}
	}
	for _, id := range w.drafts {
		in, err := s.Resume(ctx, id)
		if err != nil {
			say(nil, err)
			continue
		}
		raw, err := in.Form().Values(false).MarshalJSON()
		say(string(raw), err)
		noError(t, in.Close(ctx))
	}
	return out.String()
}

// The property: whatever an operator asks, nothing that comes back names a person of another division; and everybody finds
// the own ones.
func TestNobodySeesAnotherDivisionsPeople(t *testing.T) {
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	queries := []string{"王", "刘", "张", "wang", "l", "z"}
	for _, p := range w.roster.Persons {
		name, no := []rune(p.Name()), p.Elements[people.IDNo].Value
		i := r.IntN(len(name))
		queries = append(queries, p.Name(), string(name[i:]), string(name[:i+1]), no, no[len(no)-4:], p.Elements[people.Phone].Value, p.ID, p.Household, strings.Join(pinyin.Full(p.Name()), ""))
	}
	for _, who := range everybody {
		t.Run(who.id, func(t *testing.T) {
			w.log.Reset()
			s := login(t, w.d, who.id, "246810")
			out := w.asked(t, s, queries)
			noError(t, s.Close(t.Context()))
			own, others := 0, 0
			for _, p := range w.roster.Persons {
				inside := who.covers(p.Elements[people.RegDiv].Value) || who.covers(p.Elements[people.ResDiv].Value) || who.covers(w.home(p.Household))
				seen := strings.Contains(out, p.Elements[people.IDNo].Value)
				switch {
				case inside && !seen:
					t.Errorf("seed %d: %s is of the own division and not found", seed, p.ID)
				case !inside && seen:
					t.Errorf("seed %d: %s is of another division and seen", seed, p.ID)
				}
				if inside {
					own++
				} else {
					others++
					if n := p.Elements[people.Phone].Value; n != "" && strings.Contains(out, n) {
						t.Errorf("seed %d: the telephone of %s is seen", seed, p.ID)
					}
				}
			}
			if own+others != len(w.roster.Persons) || own == 0 != (who.id == "elsewhere") || others == 0 != (who.id == "county") {
				t.Errorf("%d own, %d others: the sample says nothing", own, others)
			}
			for _, of := range everybody[:3] {
				for _, mark := range w.marks[of.id] {
					if seen := strings.Contains(out, mark); seen != who.covers(of.division) {
						t.Errorf("%q of %s: seen %v", mark, of.id, seen)
					}
				}
			}
			for _, marks := range w.marks {
				for _, mark := range marks {
					if strings.Contains(w.log.String(), mark) {
						t.Errorf("%q is in the log", mark)
					}
				}
			}
			for _, p := range w.roster.Persons {
				if strings.Contains(w.log.String(), p.Name()) || strings.Contains(w.log.String(), p.Elements[people.IDNo].Value) {
					t.Errorf("%s is in the log", p.ID)
				}
			}
		})
	}
}

func (w *world) home(id string) string {
	i := slices.IndexFunc(w.roster.Households, func(h people.Household) bool { return h.ID == id })
	if i < 0 {
		return ""
	}
	return w.roster.Households[i].Division
}

// A case taken in for somebody whose ID number is known to the roster of another division is not filled in from it, and
// nobody throws away, resumes or answers what another division began.
func TestAnotherDivisionsWorkIsOutOfReach(t *testing.T) {
	w := newWorld(t)
	s := login(t, w.d, "dahuai", "246810")
	ctx := t.Context()
	for _, p := range w.roster.Persons {
		if everybody[1].covers(p.Elements[people.ResDiv].Value) || everybody[1].covers(p.Elements[people.RegDiv].Value) || everybody[1].covers(w.home(p.Household)) {
			continue
		}
		_, err := s.SubmitAnswers(ctx, "gaoling", []byte(`{"name":"某某","idno":"`+p.Elements[people.IDNo].Value+`"}`), w.dir)
		if err == nil {
			t.Fatalf("%s was taken in with what only the roster knows", p.ID)
		}
	}
	noError(t, s.DropDraft(ctx, w.drafts["liushu"]))
	noError(t, s.Close(ctx))
	other := login(t, w.d, "liushu", "246810")
	if list, err := other.Drafts(ctx); err != nil || len(list) != 1 {
		t.Errorf("the draft of another division was thrown away: %v, %v", list, err)
	}
	if _, err := other.Case(ctx, w.seqs[0]); err != nil {
		t.Errorf("own case: %v", err)
	}
	_, err := other.Case(ctx, w.seqs[2])
	wantKey(t, "another's case", err, "desk.noCase")
	_, err = other.Correct(ctx, w.seqs[2])
	wantKey(t, "another's correction", err, "desk.noCase")
	var none counter.Case
	if got, _ := other.Case(ctx, w.seqs[2]); got.Case != none.Case {
		t.Error("something came with the error")
	}
}

func problems(err error) string {
	var out []string
	if inc := (*counter.IncompleteError)(nil); errors.As(err, &inc) {
		for _, p := range inc.Problems {
			out = append(out, fmt.Sprintf("%s %s", p.Path, p.Key))
		}
	}
	return strings.Join(out, ", ")
}
