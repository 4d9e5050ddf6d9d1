package catalog_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"bianmin/offline/catalog"
)

func TestFaultsAreNamedWithFileAndLine(t *testing.T) {
	key := newKey(t)
	replace := func(file, old, fresh string) func(fstest.MapFS) {
		return func(m fstest.MapFS) {
			if !bytes.Contains(m[file].Data, []byte(old)) {
				t.Fatalf("%s does not hold %q", file, old)
			}
			m[file].Data = bytes.Replace(m[file].Data, []byte(old), []byte(fresh), 1)
		}
	}
	tests := []struct {
		name, kind, file, says string
		line                   bool
		spoil                  func(fstest.MapFS)
	}{
		{"broken JSON", "county", "items.json", "invalid character", true, replace("items.json", `"visits": 1`, `"visits": 1,,`)},
		{"a file cut short", "county", "items.json", "ends too early", true, func(m fstest.MapFS) { m["items.json"].Data = m["items.json"].Data[:900] }},
		{"something after the end", "county", "items.json", "follows", true, func(m fstest.MapFS) { m["items.json"].Data = append(m["items.json"].Data, '{', '}') }},
		{"an unknown member", "county", "items.json", "unknown field", true, replace("items.json", `"visits"`, `"visit"`)},
		{"a member twice", "county", "items.json", "stands twice", true, replace("items.json", `"visits": 1`, `"visits": 1, "visits": 2`)},
		{"a wrong type", "county", "items.json", "cannot unmarshal", true, replace("items.json", `"visits": 1`, `"visits": "one"`)},
		{"nesting", "county", "items.json", "nested", true, func(m fstest.MapFS) {
			m["items.json"].Data = []byte(strings.Repeat("[", 200) + strings.Repeat("]", 200))
		}},
		{"an item twice", "county", "items.json", "/1/id", true, replace("items.json", `"id": "linshi"`, `"id": "gaoling"`)},
		{"no such form", "county", "items.json", "/0/form", true, replace("items.json", `"form": "gaoling"`, `"form": "nothing"`)},
		{"another item's form", "county", "items.json", "/0/form", true, replace("items.json", `"form": "gaoling"`, `"form": "juzhudengji"`)},
		{"a long name", "county", "items.json", "17 characters", true, replace("items.json", `"zh": "高龄津贴"`, `"zh": "高龄津贴高龄津贴高龄津贴高龄津贴吗"`)},
		{"a name too long beside its official number", "county", "items.json", "200 bytes", true, replace("items.json", `"zh": "高龄津贴"`, `"zh": "高龄津贴高龄津贴高龄津贴高龄"`)},
		{"no English", "county", "items.json", "Chinese and English", true, replace("items.json", `"en": "Old-age allowance"`, `"en": ""`)},
		{"a wrong credit code", "county", "items.json", "/0/departmentCode", true, replace("items.json", `"departmentCode": "11999999694271584U"`, `"departmentCode": "11999999694271584A"`)},
		{"a code that is not made of its parts", "county", "items.json", "/0/code", true, replace("items.json", `4990511001000"`, `5990511001000"`)},
		{"an unknown theme", "county", "items.json", "/0/themes/0", true, replace("items.json", `"themes": [`+"\n      \"10\"", `"themes": [`+"\n      \"99\"")},
		{"promised later than the law", "county", "items.json", "/0/promised", true, replace("items.json", `"days": 15`, `"days": 45`)},
		{"an unknown unit", "county", "items.json", "/0/statutory/unit", true, replace("items.json", `"unit": "workday"`, `"unit": "week"`)},
		{"a telephone", "county", "items.json", "/0/phone", true, replace("items.json", `"phone": "0999-6000001"`, `"phone": "6000001"`)},
		{"a need", "county", "items.json", "/0/materials/0/need", true, replace("items.json", `"need": "required"`, `"need": "yes"`)},
		{"a form's material", "county", "forms/gaoling.json", "has no material", false, replace("items.json", `"id": "agentid"`, `"id": "agentcard"`)},
		{"a form", "county", "forms/gaoling.json", "/sections/0/fields", true, replace("forms/gaoling.json", `"kind": "idnumber"`, `"kind": "idnumbers"`)},
		{"a form's expression", "county", "forms/gaoling.json", "nowhere", true, replace("forms/gaoling.json", `way == 'agent'`, `nowhere == 'agent'`)},
		{"a village without town", "county", "divisions.json", "999999101000, is missing", true, replace("divisions.json", `{"code": "999999101000", "name": "清河镇"},`, ``)},
		{"a division twice", "county", "divisions.json", "stands twice", true, replace("divisions.json", `999999101202`, `999999101201`)},
		{"a short code", "county", "divisions.json", "12 digits", true, replace("divisions.json", `"999999101202"`, `"999999"`)},
		{"a successor that is not there", "county", "divisions.json", "/successor", true, replace("divisions.json", `"successor": "999999201204"`, `"successor": "999999201299"`)},
		{"a holiday backwards", "county", "calendar.json", "/holidays/0", true, replace("calendar.json", `"to": "2026-01-03"`, `"to": "2025-01-03"`)},
		{"a working Wednesday", "county", "calendar.json", "2026-10-14", true, replace("calendar.json", `2026-10-10`, `2026-10-14`)},
		{"a host", "county", "county.json", "/shortHost", true, replace("county.json", `bm.shifan.example`, `https://BM`)},
		{"a station elsewhere", "county", "county.json", "/stations/0/code", true, replace("county.json", `"code": "999999101201"`, `"code": "980101101201"`)},
		{"an institution elsewhere", "county", "institutions.json", "/0/division", true, replace("institutions.json", `"division": "999999001001"`, `"division": "980101101201"`)},
		{"an empty list", "county", "lists/bank.json", "empty", true, func(m fstest.MapFS) {
			m["lists/bank.json"].Data = []byte(`{"title":{"zh":"银行","en":"Bank"},"rows":[]}`)
		}},
		{"a list's code twice", "county", "lists/bank.json", "/rows/1/code", true, replace("lists/bank.json", `"103"`, `"102"`)},
		{"a dictionary", "county", "dictionary.zdict", "", false, func(m fstest.MapFS) { m["dictionary.zdict"].Data = []byte("no dictionary") }},
		{"an ID number", "roster", "roster.cbor", "persons[0].elements.idno", false, replace("roster.json", `999999194102030021`, `999999194102030022`)},
		{"a stranger in a household", "roster", "roster.cbor", "members[0].person", false, replace("roster.json", `"person": "p001"`, `"person": "p999"`)},
		{"a roster's member", "roster", "roster.json", "unknown field", true, replace("roster.json", `"asOf"`, `"asof_"`)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := folder(t)
			tt.spoil(src)
			_, err := catalog.Build(src, tt.kind, 1, key)
			var le *catalog.LintError
			if !errors.As(err, &le) || !errors.Is(err, catalog.ErrLint) {
				t.Fatalf("not refused: %v", err)
			}
			for _, f := range le.Faults {
				if f.File == tt.file && strings.Contains(f.String(), tt.says) && (f.Line > 0) == tt.line {
					return
				}
			}
			t.Errorf("faults: %v", le)
		})
	}
}

func TestMissingFiles(t *testing.T) {
	key := newKey(t)
	for _, name := range []string{"county.json", "items.json", "divisions.json", "calendar.json", "institutions.json", "dictionary.zdict"} {
		src := folder(t)
		delete(src, name)
		if _, err := catalog.Build(src, catalog.KindCounty, 1, key); err == nil {
			t.Errorf("built without %s", name)
		}
	}
	if _, err := catalog.Build(folder(t), "other", 1, key); err == nil {
		t.Error("built a kind that does not exist")
	}
}
