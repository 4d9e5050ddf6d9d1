package catalog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bianmin/assets/county"
	"bianmin/offline/catalog"
	"bianmin/offline/form"
	"bianmin/offline/people"
	"bianmin/offline/vault"
)

var update = flag.Bool("update", false, "write testdata anew")

func newKey(t testing.TB) vault.PrivateKey {
	t.Helper()
	k, err := vault.SM(nil).GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// folder is a copy of the sample county that a test may spoil.
func folder(t testing.TB) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(county.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(county.FS(), name)
		m[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func build(t testing.TB, src fs.FS, version uint32, key vault.PrivateKey) *catalog.Set {
	t.Helper()
	set := catalog.NewSet()
	addAll(t, set, src, version, key)
	return set
}

func addAll(t testing.TB, set *catalog.Set, src fs.FS, version uint32, key vault.PrivateKey) {
	t.Helper()
	built, err := catalog.BuildCounty(src, version, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range built {
		p, err := catalog.Open(b.Data, newKey(t).Public(), key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if p.Hash != b.Hash || p.Version != version || p.Kind != b.Kind || p.County != county.Code || p.Size != len(b.Data) {
			t.Fatalf("opened as %+v", p)
		}
		if err := set.Add(p); err != nil {
			t.Fatal(err)
		}
	}
}

func sample(t testing.TB) *catalog.Catalog {
	t.Helper()
	c, err := build(t, county.FS(), 1, newKey(t)).Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSearchItems(t *testing.T) {
	c := sample(t)
	for q, want := range map[string]string{
		"高龄津贴": "gaoling", "gljt": "gaoling", "gaoling": "gaoling", "gaolingjt": "gaoling", "长寿": "gaoling", "laoren": "gaoling", "养老服务": "gaoling", "ylfw": "gaoling",
		"old-age": "gaoling", "临时救助": "linshi", "lsjz": "linshi", "jnjz": "linshi", "急难": "linshi", "社会救助": "linshi", "juzhudj": "juzhu", "jzdj": "juzhu", "暂住": "juzhu", "gongan": "juzhu",
	} {
		got := c.Items.Search(q, catalog.Filter{}, 0)
		if len(got) == 0 || got[0].ID != want {
			t.Errorf("%q does not find %s first: %d found", q, want, len(got))
		}
	}
	if got := c.Items.Search("护照", catalog.Filter{}, 0); len(got) != 0 {
		t.Errorf("finds %s", got[0].ID)
	}
	ids := func(items []catalog.Item) string {
		var out []string
		for _, it := range items {
			out = append(out, it.ID)
		}
		return strings.Join(out, " ")
	}
	tests := []struct {
		f    catalog.Filter
		want string
	}{
		{catalog.Filter{}, "gaoling linshi juzhu"},
		{catalog.Filter{Theme: "08"}, "gaoling linshi"},
		{catalog.Filter{Theme: "02"}, "juzhu"},
		{catalog.Filter{LifeEvent: "relief"}, "linshi"},
		{catalog.Filter{Audience: "household"}, "linshi"},
		{catalog.Filter{Theme: "08", LifeEvent: "old"}, "gaoling"},
		{catalog.Filter{Theme: "20"}, ""},
	}
	for _, tt := range tests {
		if got := ids(c.Items.Search("", tt.f, 0)); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.f, got, tt.want)
		}
	}
	if got := c.Items.Search("", catalog.Filter{}, 2); len(got) != 2 {
		t.Errorf("the limit: %d", len(got))
	}
	if got := c.Items.Themes(c.Lists); len(got) != 5 || got[0].Label.ZH != "户籍办理" {
		t.Errorf("themes in use: %v", got)
	}
	if got := c.Items.LifeEvents(c.Lists); len(got) != 5 || got[0].Code != "work" {
		t.Errorf("life events in use: %v", got)
	}
	it, ok := c.Item("linshi")
	if !ok || it.PromisedFor(true).Days != 2 || it.PromisedFor(false).Days != 15 || it.Project != catalog.Promise {
		t.Errorf("linshi: %v", it.Promised)
	}
	if _, ok := c.Item("none"); ok {
		t.Error("an item that does not exist")
	}
}

func TestDivisions(t *testing.T) {
	d := sample(t).Divisions
	names := func(all []catalog.Division) string {
		var out []string
		for _, e := range all {
			out = append(out, e.Name)
		}
		return strings.Join(out, " ")
	}
	if got := names(d.Children("")); got != "邻近省 样例省" {
		t.Errorf("provinces: %s", got)
	}
	if got := names(d.Children("999999")); got != "城关街道 清河镇 柳林镇 石桥乡" {
		t.Errorf("towns: %s", got)
	}
	if got := names(d.Children("999999201000")); got != "石桥村 上沟村 下沟村 云台村" {
		t.Errorf("villages in use: %s", got)
	}
	if got := names(d.Path("999999101201")); got != "样例省 示范市 示范县 清河镇 柳树村" {
		t.Errorf("path: %s", got)
	}
	if d.FullName("999999") != "样例省示范市示范县" || d.FullName("123456") != "" {
		t.Error("full names")
	}
	if n, ok := d.Name("999999201205"); !ok || n != "青岭村" {
		t.Error("an abolished village has lost its name")
	}
	for q, want := range map[string]string{"柳树": "柳树村", "lsc": "柳树村", "dongwan": "东湾村", "9999991022": "大槐村"} {
		if got := d.Search(q, 3); len(got) == 0 || got[0].Name != want {
			t.Errorf("%s finds %s", q, names(got))
		}
	}
	if got := d.Search("青岭", 3); len(got) != 0 {
		t.Error("an abolished village can be chosen")
	}
}

func TestListsAnswerForms(t *testing.T) {
	c := sample(t)
	l, ok := c.Lists.List("ethnic")
	if !ok || l.Len() != 58 {
		t.Fatal("56 nationalities and two more")
	}
	if got, ok := l.Label("05"); !ok || got.ZH != "维吾尔族" {
		t.Error(got)
	}
	for q, want := range map[string]string{"wwe": "05", "维吾尔": "05", "zhuang": "08", "11": "11", "uygur": "05", "ts": ""} {
		rows, total := l.Search(q, 0, 1)
		switch {
		case want == "" && total != 0:
			t.Errorf("%s finds %v", q, rows)
		case want != "" && (len(rows) == 0 || rows[0].Code != want):
			t.Errorf("%s finds %v", q, rows)
		}
	}
	rows, total := l.Search("", 50, 20)
	if len(rows) != 8 || total != 58 {
		t.Errorf("the last page has %d rows of %d", len(rows), total)
	}
	if _, ok := c.Lists.List("none"); ok {
		t.Error("a list that does not exist")
	}
	var none catalog.Lists
	if _, ok := none.List("ethnic"); ok {
		t.Error("a list out of nothing")
	}
}

func TestTheRestOfACatalog(t *testing.T) {
	c := sample(t)
	if c.Calendar.IsWorkday(20727) || !c.Calendar.Sample || len(c.Calendar.Years) != 2 { // 2026-10-01
		t.Error("calendar")
	}
	if i, ok := c.Institution("civil-affairs"); !ok || i.Name.ZH != "示范县民政局" || len(c.Institutions) < 5 {
		t.Error("institutions")
	}
	if s, ok := c.Station("999999101201"); !ok || s.Telephone == "" || s.Operators != nil || len(c.County.Stations) < 2 {
		t.Error("stations")
	}
	if c.DictionaryHash != vault.SM(nil).Hash(c.Dictionary) || len(c.Dictionary) == 0 {
		t.Error("dictionary")
	}
	if len(c.Forms()) != 3 || len(c.Packs) != 2 || c.Roster == nil {
		t.Error("forms, packs, roster")
	}
	for _, f := range c.Forms() {
		if g, ok := c.FormByHash(f.Hash()); !ok || g != f {
			t.Errorf("form %s by its hash", f.ID)
		}
	}
}

func TestPINsStayAtThePlatform(t *testing.T) {
	key := newKey(t)
	whole, err := catalog.LoadCounty(county.FS())
	if err != nil {
		t.Fatal(err)
	}
	b, err := catalog.Build(county.FS(), catalog.KindCounty, 1, key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := catalog.Open(b.Data, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	plain := catalog.Plain(t, b.Data)
	n := 0
	for _, s := range whole.Stations {
		for _, o := range s.Operators {
			n++
			for _, secret := range []string{o.PIN, o.Name} {
				if bytes.Contains(plain, []byte(secret)) {
					t.Errorf("the public pack holds %s's secrets", o.ID)
				}
			}
		}
	}
	if n < 4 {
		t.Errorf("only %d operators", n)
	}
	roster, err := fs.ReadFile(county.FS(), "roster.json")
	if err != nil {
		t.Fatal(err)
	}
	var r people.Roster
	if err := json.Unmarshal(roster, &r); err != nil {
		t.Fatal(err)
	}
	for i := range r.Persons {
		if bytes.Contains(plain, []byte(r.Persons[i].Name())) || bytes.Contains(plain, []byte(r.Persons[i].Elements[people.IDNo].Value)) {
			t.Errorf("the public pack names %s", &r.Persons[i])
		}
	}
	if slices.Contains(p.Names, "roster.cbor") || !slices.IsSorted(p.Names) {
		t.Errorf("files: %v", p.Names)
	}
}

func TestChangedPacksAreRefused(t *testing.T) {
	key, other := newKey(t), newKey(t)
	b, err := catalog.Build(county.FS(), catalog.KindRoster, 3, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.Open(b.Data, other.Public()); !errors.Is(err, catalog.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if _, err := catalog.Open(b.Data); !errors.Is(err, catalog.ErrSignature) {
		t.Errorf("no key: %v", err)
	}
	step := 97
	if os.Getenv("BIANMIN_FULL") == "1" {
		step = 7
	}
	for i := 0; i < len(b.Data); i += step {
		bad := bytes.Clone(b.Data)
		bad[i] ^= 0x20
		if _, err := catalog.Open(bad, key.Public()); !errors.Is(err, catalog.ErrSignature) && !errors.Is(err, catalog.ErrFormat) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for _, bad := range [][]byte{nil, {0xa0}, b.Data[:len(b.Data)-1], append(bytes.Clone(b.Data), 0), make([]byte, catalog.MaxPacked+1)} {
		if _, err := catalog.Open(bad, key.Public()); !errors.Is(err, catalog.ErrFormat) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func TestSet(t *testing.T) {
	key := newKey(t)
	src := folder(t)
	pack := func(kind string, version uint32) *catalog.Pack {
		t.Helper()
		b, err := catalog.Build(src, kind, version, key)
		if err != nil {
			t.Fatal(err)
		}
		p, err := catalog.Open(b.Data, key.Public())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	set := catalog.NewSet()
	if _, err := set.Catalog(); !errors.Is(err, catalog.ErrMissing) {
		t.Errorf("no pack: %v", err)
	}
	roster := pack(catalog.KindRoster, 9)
	first := pack(catalog.KindCounty, 2)
	for _, p := range []*catalog.Pack{roster, first, first} {
		if err := set.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	old, err := set.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	before, _ := old.Form("gaoling")
	if err := set.Add(pack(catalog.KindCounty, 1)); !errors.Is(err, catalog.ErrRollback) {
		t.Errorf("an older pack: %v", err)
	}
	if err := set.Add(pack(catalog.KindCounty, 2)); !errors.Is(err, catalog.ErrRollback) {
		t.Errorf("another pack of the same version: %v", err)
	}
	// A new version of a form: the old one stays findable for its cases.
	f := src["forms/gaoling.json"]
	f.Data = bytes.Replace(f.Data, []byte(`"version": 1`), []byte(`"version": 2`), 1)
	if err := set.Add(pack(catalog.KindCounty, 3)); err != nil {
		t.Fatal(err)
	}
	now, err := set.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	after, _ := now.Form("gaoling")
	if after.Version != 2 || after.Hash() == before.Hash() {
		t.Error("the new form is not in use")
	}
	if got, ok := now.FormByHash(before.Hash()); !ok || got.Version != 1 {
		t.Error("the old form is lost")
	}
	if got, _ := old.Form("gaoling"); got.Version != 1 {
		t.Error("a catalog in use has changed")
	}
	if set.Held(catalog.KindCounty).Version != 3 || set.Held(catalog.KindRoster) != roster || set.Held("x") != nil {
		t.Error("what is held")
	}
	// A roster for villages that the public pack does not know.
	src["roster.json"].Data = bytes.ReplaceAll(src["roster.json"].Data, []byte("999999101203"), []byte("999999101299"))
	if err := set.Add(pack(catalog.KindRoster, 10)); err != nil {
		t.Fatal(err)
	}
	var le *catalog.LintError
	if _, err := set.Catalog(); !errors.As(err, &le) || !errors.Is(err, catalog.ErrLint) {
		t.Errorf("a roster of unknown villages: %v", err)
	}
}

func TestAnotherCounty(t *testing.T) {
	key := newKey(t)
	src := folder(t)
	for _, name := range []string{"county.json", "divisions.json", "institutions.json", "roster.json"} {
		src[name].Data = bytes.ReplaceAll(src[name].Data, []byte("999999"), []byte("999998"))
	}
	src["institutions.json"].Data = []byte("[]")
	delete(src, "roster.json")
	b, err := catalog.BuildCounty(src, 1, key)
	if err != nil || len(b) != 1 {
		t.Fatalf("%d packs, %v", len(b), err)
	}
	p, err := catalog.Open(b[0].Data, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := build(t, county.FS(), 1, key).Add(p); !errors.Is(err, catalog.ErrCounty) {
		t.Errorf("another county's pack: %v", err)
	}
}

// TestGolden holds the format still: a pack written once must open for ever.
func TestGolden(t *testing.T) {
	const dataFile, keyFile = "testdata/roster-v1.pack", "testdata/roster-v1.pub"
	if *update {
		key := newKey(t)
		b, err := catalog.Build(county.FS(), catalog.KindRoster, 7, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(dataFile, b.Data, 0o644), os.WriteFile(keyFile, key.Public(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(dataFile)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	p, err := catalog.Open(data, pub)
	if err != nil {
		t.Fatal(err)
	}
	if p.County != "999999" || p.Kind != "roster" || p.Version != 7 || len(p.Names) != 1 || p.Names[0] != "roster.cbor" {
		t.Errorf("%+v", p)
	}
	if p.Hash != vault.SM(nil).Hash(data) {
		t.Error("hash")
	}
}

func TestFormsGetTheirDivisionNames(t *testing.T) {
	c := sample(t)
	f, _ := c.Form("juzhudengji")
	prog, err := form.Compile(f, form.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := prog.Start(form.Env{Division: "999999101201", Lists: c.Lists, Divisions: c.Divisions.Name})
	s.Set("hukou", "980101101201")
	if st := s.State("hukou"); st.Error != nil {
		t.Errorf("a village of the sample tree is refused: %v", st.Error)
	}
	s.Set("hukou", "110105001001")
	if st := s.State("hukou"); st.Error == nil {
		t.Error("a village outside the tree is accepted")
	}
}

func BenchmarkSearchItems(b *testing.B) {
	c := sample(b)
	for b.Loop() {
		c.Items.Search("gljt", catalog.Filter{}, 10)
	}
}

func BenchmarkOpenPack(b *testing.B) {
	key := newKey(b)
	built, err := catalog.Build(county.FS(), catalog.KindCounty, 1, key)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(built.Data)), "bytes")
	for b.Loop() {
		if _, err := catalog.Open(built.Data, key.Public()); err != nil {
			b.Fatal(err)
		}
	}
}
