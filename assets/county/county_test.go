package county

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/image/font/sfnt"

	"bianmin/offline/catalog"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/people"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

func open(t *testing.T) *catalog.Catalog {
	t.Helper()
	key, err := vault.SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	built, err := catalog.BuildCounty(FS(), Version, key)
	if err != nil {
		t.Fatal(err)
	}
	set := catalog.NewSet()
	for _, b := range built {
		p, err := catalog.Open(b.Data, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if err := set.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	c, err := set.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPersons(t *testing.T) {
	c := open(t)
	on := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	youngest, oldest, over80 := 200, 0, 0
	for _, p := range persons(t, c) {
		id := p.Number()
		if id.Kind() != ident.KindFictional {
			t.Errorf("%s has a number that may belong to somebody", p)
		}
		age := id.Age(on)
		youngest, oldest = min(youngest, age), max(oldest, age)
		if age >= 80 {
			over80++
		}
		if tel, ok := p.Element(people.Phone); ok && !strings.HasPrefix(tel.Value, "160") {
			t.Errorf("%s has a telephone that may ring", p)
		}
		if found, err := c.Roster.Find(p.Name(), 0); err != nil || len(found) != 1 {
			t.Errorf("%s: the name finds %d persons", p, len(found))
		}
	}
	if n := c.Roster.Len(); n < 60 || youngest > 1 || oldest < 101 || over80 < 6 {
		t.Errorf("%d persons of %d to %d years, %d of 80 and more", n, youngest, oldest, over80)
	}
	for q, want := range map[string]string{"shancs": "单长寿", "ouyang": "欧阳国栋", "ycqs": "尉迟青山", "mqc": "万俟春", "0021": "刘玉珍", "xfj": "解放军", "aygl": "阿依古丽·买买提", "xq": ""} {
		got, err := c.Roster.Find(q, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if len(got) != 0 {
				t.Errorf("%s finds %s", q, got[0].Name())
			}
			continue
		}
		if len(got) == 0 || got[0].Name() != want {
			t.Errorf("%s does not find %s", q, want)
		}
	}
}

func persons(t *testing.T, c *catalog.Catalog) []*people.Person {
	t.Helper()
	var out []*people.Person
	if err := c.Roster.Each(func(p *people.Person) error { out = append(out, p); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPrefillOfForms checks that the roster answers what the forms ask of it.
func TestPrefillOfForms(t *testing.T) {
	c := open(t)
	p, err := c.Roster.ByNumber("999999194102030013")
	if p == nil || err != nil {
		t.Fatalf("the sample man of 85 is missing: %v", err)
	}
	f, ok := c.Form("gaoling")
	if !ok {
		t.Fatal("no form")
	}
	f.Each(func(fd, _ *form.Field) {
		if fd.Source == "" {
			return
		}
		if got, ok := p.Prefill(fd.Source); !ok || got.Value == "" || got.Source.Name == "" || got.Source.AsOf.IsZero() {
			t.Errorf("%s is not answered for field %s", fd.Source, fd.ID)
		}
	})
	prog, err := form.Compile(f, form.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := prog.Start(form.Env{
		Now:      func() time.Time { return time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC) },
		Division: "999999101201", Lists: c.Lists, Divisions: c.Divisions.Name, Prefill: p.Prefill,
	})
	v := s.Values(true)
	if v["name"] != "陈德福" || v["hukou"] != "999999101201" || v["age"] != int64(85) || v["amount"] != int64(3000) || v["contactName"] != "陈卫东" {
		t.Errorf("prefilled: %v", v)
	}
}

func TestItemsAgreeWithForms(t *testing.T) {
	c := open(t)
	for _, it := range c.Items.All() {
		f, ok := c.Form(it.Form)
		if !ok {
			t.Fatalf("%s has no form", it.ID)
		}
		var days, urgent int64
		for k, v := range f.Data {
			n, _ := v.(int64)
			switch k {
			case "promiseDays", "days":
				days = n
			case "urgentDays":
				urgent = n
			}
		}
		if days != int64(it.Promised.Days) {
			t.Errorf("%s promises %d days, its form says %d", it.ID, it.Promised.Days, days)
		}
		if urgent != 0 && (it.Urgent == nil || urgent != int64(it.Urgent.Days)) {
			t.Errorf("%s: urgent days differ", it.ID)
		}
		asked := map[string]*form.Field{}
		signed := false
		f.Each(func(fd, _ *form.Field) {
			if fd.Kind == form.KindMaterial {
				asked[fd.Code] = fd
			}
			signed = signed || fd.Kind == form.KindSignature
		})
		for _, m := range it.Materials {
			fd := asked[m.ID]
			delete(asked, m.ID)
			switch {
			case fd == nil && m.Form == "electronic" && m.Need == "required" && signed: // signed on the page
			case fd == nil:
				t.Errorf("the guide of %s names %s, the form does not ask for it", it.ID, m.ID)
			case m.Exempt:
				t.Errorf("the guide of %s says that %s need not be handed in, the form asks for it", it.ID, m.ID)
			case (m.Need == "optional") != (fd.Required == ""):
				t.Errorf("%s: %s is %s in the guide, the form requires it when %q", it.ID, m.ID, m.Need, fd.Required)
			case m.Need == "required" && fd.Relevant != "":
				t.Errorf("%s: %s is always required in the guide, the form asks for it when %q", it.ID, m.ID, fd.Relevant)
			case m.Need == "required" && fd.Required != "true" && !m.Later:
				t.Errorf("%s: the form lets %s follow, the guide does not say so", it.ID, m.ID)
			}
		}
		for code := range asked {
			t.Errorf("the form of %s asks for %s, the guide does not name it", it.ID, code)
		}
	}
}

// Receipts of every item stay within 200 bytes at both stages, whatever the machine, the case and the applicant.
func TestReceiptsOfEveryItemAreSmall(t *testing.T) {
	key, err := vault.SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	items := open(t).Items.All()
	if len(items) < 3 {
		t.Fatalf("%d items", len(items))
	}
	for _, it := range items {
		official := it.Code + "202611220001"
		if len(official) != 43 {
			t.Fatalf("%s: official number of %d characters", it.ID, len(official))
		}
		for stage, payload := range map[int][]byte{
			1: receipt.Stage1{Device: 1<<32 - 1, Seq: 1<<32 - 1, At: 4102444800, Quality: 2, Item: it.Name.ZH, Name: "阿依古丽·买*提", Due: 65535}.Payload(),
			2: receipt.Stage2{Device: 1<<32 - 1, Seq: 1<<32 - 1, OfficialNo: official, At: 4102444800, Due: 65535, Item: it.Name.ZH}.Payload(),
		} {
			env, err := receipt.Sign(key, payload)
			if err != nil || len(env) > receipt.MaxEnvelope || len(env) != receipt.Size(payload) {
				t.Errorf("%s, stage %d: %d bytes, said %d, %v", it.ID, stage, len(env), receipt.Size(payload), err)
			}
		}
	}
}

// Nothing in the sample county promises what no machine here can do: reading a card, or looking a licence up.
func TestNothingIsPromisedThatIsNotThere(t *testing.T) {
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		text, err := fs.ReadFile(FS(), name)
		for _, word := range []string{"刷身份证", "读卡", "刷卡", "card was read", "Read the ID card", "能核对的免交", "can be looked up", "系统会提醒"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s says %q", name, word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestEveryCharacterHasAGlyph reads the bundled font, so that no name or text of the county shows a box.
func TestEveryCharacterHasAGlyph(t *testing.T) {
	data, err := os.ReadFile("../fonts/BianminSansSC-Regular.otf")
	if err != nil {
		t.Fatal(err)
	}
	f, err := sfnt.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	seen := map[rune]bool{}
	err = fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".json" {
			return err
		}
		text, err := fs.ReadFile(FS(), name)
		if err != nil {
			return err
		}
		for _, r := range string(text) {
			if r < ' ' || seen[r] {
				continue
			}
			seen[r] = true
			if g, err := f.GlyphIndex(&buf, r); err != nil || g == 0 {
				t.Errorf("%s: no glyph for %q (U+%04X)", name, r, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDictionaryHelpsAndTellsNothing(t *testing.T) {
	c := open(t)
	if len(c.Dictionary) > 32<<10 {
		t.Errorf("the dictionary has %d bytes", len(c.Dictionary))
	}
	for _, p := range persons(t, c) {
		for name, e := range p.Elements {
			if len(e.Value) > 4 && !strings.HasSuffix(name, "Division") && bytes.Contains(c.Dictionary, []byte(e.Value)) {
				t.Errorf("the dictionary holds %s of %s", name, p)
			}
		}
	}
	county, err := catalog.LoadCounty(FS())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range county.Stations {
		for _, o := range s.Operators {
			if bytes.Contains(c.Dictionary, []byte(o.Name)) || bytes.Contains(c.Dictionary, []byte(o.PIN)) {
				t.Errorf("the dictionary holds operator %s", o.ID)
			}
		}
	}
	answers, err := form.Values{
		"name": "赵某某", "idno": "999999194505050026", "hukou": "999999101203", "hukouAddress": "清河镇石磨村9组1号", "sameHome": true, "way": "self",
		"applyType": "first", "bankcard": "6299990099999999999", "contactName": "赵某", "contactRelation": "child", "contactPhone": "16000050005",
		"promise": true, "share": true, "age": int64(81), "band": "80", "amount": int64(3000), "sex": "F", "birth": "1945-05-05",
	}.MarshalCBOR()
	if err != nil {
		t.Fatal(err)
	}
	size := func(o ...zstd.EOption) int {
		z, err := zstd.NewWriter(nil, append(o, zstd.WithEncoderLevel(zstd.SpeedBetterCompression))...)
		if err != nil {
			t.Fatal(err)
		}
		return len(z.EncodeAll(answers, nil))
	}
	plain, with := size(), size(zstd.WithEncoderDict(c.Dictionary))
	t.Logf("answers of %d bytes: %d without, %d with the dictionary", len(answers), plain, with)
	if with*10 > plain*6 {
		t.Errorf("%d bytes without, %d with the dictionary", plain, with)
	}
}

func TestFilesAreTidy(t *testing.T) {
	err := fs.WalkDir(FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".json" {
			return err
		}
		data, err := fs.ReadFile(FS(), name)
		if err != nil {
			return err
		}
		if !json.Valid(data) || !bytes.HasSuffix(data, []byte("\n")) || bytes.Contains(data, []byte("\r")) || bytes.Contains(data, []byte("\t")) {
			t.Errorf("%s is not tidy JSON", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
