//go:build nowindow

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"strconv"
	"testing"
	"testing/fstest"

	"bianmin/assets/county"
	"bianmin/offline/canon"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/form"
)

// What stands in the fields of testdata/canary.json that hold no text: numbers and a date that stand nowhere else, long enough not to be
// in a file's random name by chance, and codes, which are found beside the name of their field only, because the form's own pack
// names them, too.
const (
	markInteger  = 86753097712345
	markComputed = markInteger + 1
	markRow      = 75310864499123
	markDecimal  = "774182539917.253"
	markRowAcre  = "663071428812.142"
	markMoney    = "8812345678.90"
	markFen      = 881234567890
	markDate     = "1917-03-19"
)

// kindMarks is what each kind of field holds in that form, as it is kept; a kind of the model that is missing here fails the test.
// Text, files and strokes bear the marks of every case and are searched for as such.
var kindMarks = map[form.Kind]map[string]any{
	form.KindText:      nil,
	form.KindLongText:  nil,
	form.KindIDNumber:  nil,
	form.KindPhone:     nil,
	form.KindBankCard:  nil,
	form.KindPerson:    nil,
	form.KindMaterial:  nil,
	form.KindSignature: nil,
	form.KindNote:      nil, // says what other fields hold
	form.KindInteger:   {"canaryInteger": int64(markInteger)},
	form.KindDecimal:   {"canaryDecimal": markDecimal},
	form.KindMoney:     {"canaryMoney": int64(markFen)},
	form.KindComputed:  {"canaryComputed": int64(markComputed)},
	form.KindDate:      {"canaryDate": markDate},
	form.KindChoice:    {"canaryChoice": "b"},
	form.KindChoices:   {"canaryChoices": []any{"blue", "red"}},
	form.KindYesNo:     {"canaryYesNo": true},
	form.KindConsent:   {"canaryConsent": true},
	form.KindDivision:  {"canaryDivision": "999999101201"},
	form.KindGroup:     {"rowInteger": int64(markRow), "rowDecimal": markRowAcre},
}

// kindTraces are the bytes of the marks of kinds that hold no text: as text, and beside the name of their field in CBOR and JSON.
func kindTraces() map[string][]byte {
	out := map[string][]byte{}
	for _, text := range []string{
		strconv.Itoa(markInteger), strconv.Itoa(markComputed), strconv.Itoa(markRow), markDecimal, markRowAcre, markMoney, "8,812,345,678.90", strconv.Itoa(markFen), markDate,
	} {
		out[text+" as text"] = []byte(text)
	}
	for _, fields := range kindMarks {
		for id, v := range fields {
			out[id+" in CBOR"] = append(canon.MustMarshal(id), canon.MustMarshal(v)...)
			text, err := json.Marshal(v)
			if err != nil {
				panic(err) // the table above
			}
			out[id+" in JSON"] = fmt.Appendf(nil, "%q:%s", id, text)
			out[id+" in spaced JSON"] = fmt.Appendf(nil, "%q: %s", id, text)
		}
	}
	return out
}

// kindAnswers is case i of the form with every kind.
func kindAnswers(i int, name, phone, pdf, jpg string, sign any) map[string]any {
	return map[string]any{
		"name": name, "idno": idNumber(i), "phone": phone, "canaryText": markAddress + "6号", "canaryStory": markStory + "，" + name,
		"canaryInteger": markInteger, "canaryDecimal": markDecimal, "canaryMoney": markMoney, "canaryDate": markDate, "canaryChoice": "b",
		"canaryChoices": []string{"red", "blue"}, "canaryYesNo": true, "canaryDivision": "999999101201", "canaryBankCard": bankCard(i),
		"canaryPerson": map[string]any{"name": name, "phone": phone},
		"canaryGroup":  []any{map[string]any{"name": name, "rowInteger": markRow, "rowDecimal": markRowAcre}},
		"idcardPhoto":  []string{pdf, jpg}, "canaryConsent": true, "sign": sign,
	}
}

// canaryCounty is the sample county with one service more, whose form has a field of every kind.
func canaryCounty(t *testing.T) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	if err := fs.WalkDir(county.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(county.FS(), path)
		out[path] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var items []map[string]any
	if err := json.Unmarshal(out["items.json"].Data, &items); err != nil {
		t.Fatal(err)
	}
	item := map[string]any{}
	for _, it := range items {
		if it["id"] == "linshi" {
			for k, v := range it {
				item[k] = v
			}
		}
	}
	for k, v := range map[string]any{
		"id": "canary", "form": "canary", "code": "11999999694271584U4990511009000", "basicCode": "990511009000",
		"handleItem": "11999999694271584U499051100900001", "name": map[string]string{"zh": "各种栏目", "en": "Every kind"}, "aliases": []string{},
		"materials": []any{map[string]any{
			"id": "paper", "name": map[string]string{"zh": "证明", "en": "Proof"}, "need": "required", "form": "either", "original": 1, "copies": 0,
			"source": "government", "from": map[string]string{"zh": "村委会", "en": "The village"},
		}},
	} {
		item[k] = v
	}
	data, err := json.Marshal(append(items, item))
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("testdata/canary.json")
	if err != nil {
		t.Fatal(err)
	}
	out["items.json"] = &fstest.MapFile{Data: data, Mode: 0o644}
	out["forms/canary.json"] = &fstest.MapFile{Data: src, Mode: 0o644}
	return out
}

// modelKinds reads the kinds of field that the form model knows from its source: one that is added is found here.
func modelKinds(t *testing.T) map[form.Kind]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "offline/form/model.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[form.Kind]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Kind" {
			return true
		}
		for _, v := range spec.Values {
			if lit, ok := v.(*ast.BasicLit); ok {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				out[form.Kind(text)] = true
			}
		}
		return true
	})
	return out
}

// TestCanariesKnowEveryKind fails when the form model has a kind of field that no canary is put into.
func TestCanariesKnowEveryKind(t *testing.T) {
	src, err := os.ReadFile("testdata/canary.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := form.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	given := kindAnswers(1, "name", "phone", "pdf", "jpg", nil)
	row := given["canaryGroup"].([]any)[0].(map[string]any)
	has := map[form.Kind]bool{}
	f.Each(func(fd, _ *form.Field) {
		has[fd.Kind] = true
		_, answered := given[fd.ID]
		_, inRow := row[fd.ID]
		if !answered && !inRow && fd.Kind != form.KindNote && fd.Kind != form.KindComputed {
			t.Errorf("no case fills in %s", fd.ID)
		}
	})
	kinds := modelKinds(t)
	if len(kinds) < 20 {
		t.Fatalf("the model has %d kinds: they are not read from its source any more", len(kinds))
	}
	for k := range kinds {
		if _, ok := kindMarks[k]; !ok || !has[k] {
			t.Errorf("kind %s: in the form %t, with a mark %t", k, has[k], ok)
		}
	}
	for k := range kindMarks {
		if !kinds[k] {
			t.Errorf("kind %s is none of the model", k)
		}
	}
	for name, b := range kindTraces() {
		if bytes.Contains(src, b) {
			t.Errorf("%s stands in the form itself", name)
		}
	}
}

// keptAsLooked is the control of kindTraces: in an opened case every mark stands as it is looked for.
func keptAsLooked(t *testing.T, d *desk.Desk, cases []counter.Case) {
	t.Helper()
	for _, c := range cases {
		if c.Service != "canary" {
			continue
		}
		full, err := d.Store().Case(c.Seq)
		if err != nil {
			t.Fatal(err)
		}
		for _, fields := range kindMarks {
			for id, v := range fields {
				if !bytes.Contains(full.Answers, append(canon.MustMarshal(id), canon.MustMarshal(v)...)) {
					t.Errorf("%s is not kept as it is looked for", id)
				}
			}
		}
		return
	}
	t.Error("no case of the form with every kind")
}
