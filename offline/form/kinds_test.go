package form

import (
	"reflect"
	"strings"
	"testing"
)

func TestKinds(t *testing.T) {
	good := card(t)
	files := []any{blob(1).Value()}
	pdf, big, gif := blob(2), blob(3), blob(4)
	pdf.MIME, big.Size, gif.MIME = "application/pdf", 6<<20, "image/gif"
	broken := blob(5).Value()
	broken["addr"] = []byte{1}
	tests := []struct {
		name, field string
		in          any
		want        any
		key         string
	}{
		{"text is trimmed", `"kind":"text"`, "  张三 ", "张三", ""},
		{"text empty", `"kind":"text"`, "　 ", nil, ""},
		{"text line break", `"kind":"text"`, "a\nb", "a\nb", "form.text"},
		{"text not UTF-8", `"kind":"text"`, "a\xff", nil, "form.text"},
		{"text of a number", `"kind":"text"`, int64(3), nil, "form.kind"},
		{"text of a bool", `"kind":"text"`, true, nil, "form.kind"},
		{"text too long", `"kind":"text","maxLength":3`, "四个汉字", "四个汉字", "form.tooLong"},
		{"text too short", `"kind":"text","minLength":3`, "两字", "两字", "form.tooShort"},
		{"text of 200 characters", `"kind":"text"`, strings.Repeat("龘", 200), strings.Repeat("龘", 200), ""},
		{"text of 201 characters", `"kind":"text"`, strings.Repeat("龘", 201), strings.Repeat("龘", 201), "form.tooLong"},
		{"name with a dot", `"kind":"text","format":"name"`, "阿依古丽•买买提", "阿依古丽·买买提", ""},
		{"name with figures", `"kind":"text","format":"name"`, "张3", "张3", "ident.nameChars"},
		{"name of plane 2", `"kind":"text","format":"name"`, "𠀀𪜀", "𠀀𪜀", ""},
		{"credit code", `"kind":"text","format":"credit"`, "91350100m000100y43", "91350100M000100Y43", ""},
		{"credit code wrong", `"kind":"text","format":"credit"`, "91350100M000100Y4Z", "91350100M000100Y4Z", "ident.creditChars"},
		{"longtext lines", `"kind":"longtext"`, "一\r\n二", "一\n二", ""},
		{"integer", `"kind":"integer"`, int64(7), int64(7), ""},
		{"integer typed full width", `"kind":"integer"`, "１２", int64(12), ""},
		{"integer negative", `"kind":"integer"`, "-5", int64(-5), ""},
		{"integer letters", `"kind":"integer"`, "12a", nil, "form.integer"},
		{"integer inner minus", `"kind":"integer"`, "1-2", nil, "form.integer"},
		{"integer below", `"kind":"integer","min":1`, "0", int64(0), "form.min"},
		{"integer above", `"kind":"integer","max":9`, "10", int64(10), "form.max"},
		{"integer too large", `"kind":"integer"`, "9223372036854775808", nil, "form.integer"},
		{"decimal", `"kind":"decimal"`, "012.50", "12.5", ""},
		{"decimal negative zero", `"kind":"decimal"`, "-0.00", "0", ""},
		{"decimal negative", `"kind":"decimal"`, "-0.05", "-0.05", ""},
		{"decimal places", `"kind":"decimal","scale":1`, "1.25", "", "form.decimal"},
		{"decimal below", `"kind":"decimal","min":1`, "0.99", "0.99", "form.min"},
		{"decimal point only", `"kind":"decimal"`, ".", nil, "form.decimal"},
		{"money typed in yuan", `"kind":"money"`, "1,234.5元", int64(123450), ""},
		{"money in fen", `"kind":"money"`, int64(99), int64(99), ""},
		{"money three places", `"kind":"money"`, "1.005", nil, "form.money"},
		{"money grouped wrongly", `"kind":"money"`, "12,34", nil, "form.money"},
		{"money below", `"kind":"money","min":100`, "0.99", int64(99), "form.min"},
		{"date", `"kind":"date"`, "2026-11-22", "2026-11-22", ""},
		{"date in Chinese", `"kind":"date"`, "2026年2月8日", "2026-02-08", ""},
		{"date in digits", `"kind":"date"`, "20260208", "2026-02-08", ""},
		{"date that is none", `"kind":"date"`, "2026-02-30", nil, "form.date"},
		{"choice", `"kind":"choice","options":[{"code":"a","label":{"zh":"甲","en":"A"}}]`, "a", "a", ""},
		{"choice of another", `"kind":"choice","options":[{"code":"a","label":{"zh":"甲","en":"A"}}]`, "b", "b", "form.option"},
		{"choice of a list not here", `"kind":"choice","list":"jobs"`, "b", "b", "form.listMissing"},
		{
			"choices are sorted", `"kind":"choices","options":[{"code":"b","label":{"zh":"乙","en":"B"}},{"code":"a","label":{"zh":"甲","en":"A"}}]`,
			[]string{"b", "a", "b"},
			[]any{"a", "b"},
			"",
		},
		{"choices too many", `"kind":"choices","max":1,"options":[{"code":"a","label":{"zh":"甲","en":"A"}},{"code":"b","label":{"zh":"乙","en":"B"}}]`, []any{"a", "b"}, []any{"a", "b"}, "form.rowsMax"},
		{"choices wrong type", `"kind":"choices","options":[{"code":"a","label":{"zh":"甲","en":"A"}}]`, "a", nil, "form.kind"},
		{"yesno", `"kind":"yesno"`, false, false, ""},
		{"yesno text", `"kind":"yesno"`, "是", nil, "form.kind"},
		{"consent", `"kind":"consent"`, true, true, ""},
		{"consent refused is no answer", `"kind":"consent"`, false, nil, ""},
		{"division", `"kind":"division"`, "999999101201", "999999101201", ""},
		{"division not deep enough", `"kind":"division"`, "999999101", "999999101000", "form.divisionLevel"},
		{"division county is enough", `"kind":"division","level":3`, "999999", "999999000000", ""},
		{"division wrong", `"kind":"division"`, "9999991012011", "9999991012011", "form.division"},
		{"idnumber", `"kind":"idnumber"`, "999999 19410203 0021", "999999194102030021", ""},
		{"idnumber small x", `"kind":"idnumber"`, "11010519491231002x", "11010519491231002X", ""},
		{"idnumber checksum", `"kind":"idnumber"`, "999999194102030022", "999999194102030022", "ident.idChecksum"},
		{"idnumber short", `"kind":"idnumber"`, "9999991941", "9999991941", "ident.idLength"},
		{"idnumber of tomorrow", `"kind":"idnumber"`, born(t, "2026-11-23", 2), born(t, "2026-11-23", 2), "ident.idFuture"},
		{"phone", `"kind":"phone"`, "+86 138-0000-0000", "13800000000", ""},
		{"phone wrong", `"kind":"phone"`, "12345", "12345", "ident.phone"},
		{"bankcard", `"kind":"bankcard"`, good[:4] + " " + good[4:], good, ""},
		{"bankcard checksum", `"kind":"bankcard"`, good[:15] + string('0'+(good[15]-'0'+1)%10), good[:15] + string('0'+(good[15]-'0'+1)%10), "ident.cardChecksum"},
		{
			"person", `"kind":"person","parts":[{"name":"name"},{"name":"phone"}]`,
			map[string]any{"name": " 李四", "phone": "13800000000"},
			map[string]any{"name": "李四", "phone": "13800000000"},
			"",
		},
		{"person incomplete", `"kind":"person","parts":[{"name":"name"},{"name":"phone"}]`, map[string]any{"name": "李四"}, map[string]any{"name": "李四"}, "form.required"},
		{"person faulty part", `"kind":"person","parts":[{"name":"name"},{"name":"idno","optional":true}]`, map[string]any{"name": "李四", "idno": "1"}, map[string]any{"name": "李四", "idno": "1"}, "ident.idLength"},
		{"material", `"kind":"material","code":"m"`, []BlobRef{blob(1)}, files, ""},
		{"material in hexadecimal", `"kind":"material","code":"m"`, []any{hexed(blob(1).Value())}, files, ""},
		{"material of a wrong type", `"kind":"material","code":"m"`, []BlobRef{gif}, []any{gif.Value()}, "form.fileType"},
		{"material too large", `"kind":"material","code":"m","maxBytes":5242880`, []BlobRef{big}, []any{big.Value()}, "form.fileSize"},
		{"material too many", `"kind":"material","code":"m","max":1`, []BlobRef{blob(1), pdf}, []any{blob(1).Value(), pdf.Value()}, "form.rowsMax"},
		{"material broken", `"kind":"material","code":"m"`, []any{broken}, nil, "form.file"},
		{"signature", `"kind":"signature"`, signature(1), signature(1).Value(), ""},
		{"signature by a helper without a reason", `"kind":"signature"`, Signature{Strokes: [][]int64{{1, 2}}, PNG: signature(1).PNG, By: "helper"}, nil, "form.signature"},
		{"signature without strokes", `"kind":"signature"`, Signature{PNG: signature(1).PNG}, nil, "form.signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := program(t, small(`{"id":"x",`+tt.field+`,`+lbl("x")+`}`)).Start(env())
			s.Set("x", tt.in)
			st := s.State("x")
			want := tt.want
			if want == "" {
				want = nil
			}
			if !reflect.DeepEqual(st.Value, want) {
				t.Errorf("value %#v, want %#v", st.Value, want)
			}
			key := ""
			if st.Error != nil {
				key = st.Error.Key
				if st.Error.Text.ZH == "" || st.Error.Text.EN == "" || strings.Contains(st.Error.Text.ZH+st.Error.Text.EN, "{") {
					t.Errorf("text %+v is not complete", st.Error.Text)
				}
			}
			if key != tt.key {
				t.Errorf("key %q, want %q", key, tt.key)
			}
			if text, ok := tt.in.(string); ok && want == nil && tt.key != "" && st.Raw != text {
				t.Errorf("raw %q, want what was typed %q", st.Raw, text)
			}
			before := s.Values(true)
			if len(tt.key) == 0 && tt.want != nil {
				packed := must[[]byte](t)(before.MarshalCBOR())
				again := must[Values](t)(DecodeValues(packed))
				if !reflect.DeepEqual(again, before) {
					t.Errorf("through CBOR: %v, want %v", again, before)
				}
			}
		})
	}
}

func TestRequiredWordsFitTheKind(t *testing.T) {
	s := program(t, small(`{"id":"a","kind":"text","required":true,`+lbl("a")+`},
{"id":"b","kind":"consent","required":true,`+lbl("b")+`},
{"id":"c","kind":"signature","required":true,`+lbl("c")+`},
{"id":"d","kind":"material","code":"d","required":true,`+lbl("d")+`},
{"id":"e","kind":"yesno","required":true,`+lbl("e")+`},
{"id":"p","kind":"person","required":true,"parts":[{"name":"name"},{"name":"phone","optional":true}],`+lbl("p")+`}`)).Start(env())
	want := "a=form.required b=form.requiredConsent c=form.requiredSignature d=form.requiredMaterial e=form.requiredChoice p.name=form.required"
	if got := keys(s.Problems()); got != want {
		t.Errorf("problems %s\nwant     %s", got, want)
	}
	if got := s.State("p.name").Error; got == nil || got.Text.ZH != "请填写姓名。" {
		t.Errorf("part's problem %+v", got)
	}
	s.Set("e", false)
	if st := s.State("e"); st.Error != nil {
		t.Errorf("no is an answer: %v", st.Error)
	}
}

func TestDisplay(t *testing.T) {
	e := env()
	e.Divisions = func(code string) (string, bool) { return "柳河村", code == "999999101201" }
	e.Lists = ListMap{"jobs": NewList([]Option{{Code: "7", Label: Text{"木匠", "carpenter"}}})}
	s := program(t, small(`{"id":"m","kind":"money",`+lbl("m")+`},{"id":"d","kind":"date",`+lbl("d")+`},
{"id":"v","kind":"division",`+lbl("v")+`},{"id":"j","kind":"choice","list":"jobs",`+lbl("j")+`},{"id":"y","kind":"yesno",`+lbl("y")+`},
{"id":"n","kind":"note","label":{"zh":"{j}，{m}，{data.days}天","en":"{j}, {m}, {data.days} days"}}`, `"data":{"days":3}`)).Start(e)
	s.Set("m", int64(123456789))
	s.Set("d", "2026-02-08")
	s.Set("v", "999999101201")
	s.Set("j", "7")
	s.Set("y", true)
	for path, want := range map[Path][2]string{
		"m": {"1,234,567.89元", "¥1,234,567.89"}, "d": {"2026年2月8日", "2026-02-08"}, "v": {"柳河村", "柳河村"},
		"j": {"木匠", "carpenter"}, "y": {"是", "yes"}, "none": {"", ""},
	} {
		if zh, en := s.Display(path, "zh"), s.Display(path, "en"); zh != want[0] || en != want[1] {
			t.Errorf("%s shows %q, %q; want %q", path, zh, en, want)
		}
	}
	if got := s.Text(s.State("n").Field.Label, "zh", "n"); got != "木匠，1,234,567.89元，3天" {
		t.Errorf("note %q", got)
	}
	s.Set("v", "999999101202")
	if p := s.State("v").Error; p == nil || p.Key != "form.division" {
		t.Errorf("unknown village: %v", p)
	}
}
