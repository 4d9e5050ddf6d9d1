package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bianmin/offline/vault"
	"bianmin/offline/words"
)

const testHost = "fw.example.gov.cn"

var suite = vault.SM(nil)

// scalar gives a key pair that is the same on every run.
func scalar(t testing.TB, name string) vault.PrivateKey {
	t.Helper()
	d := sha256.Sum256([]byte("bianmin receipt test " + name))
	d[0] &= 0x7f // below the group order
	k, err := suite.ParsePrivateKey(d[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sampleStage1() Stage1 {
	return Stage1{
		Device: 7, Seq: 1043, At: 1795298520, Quality: 2, Item: "高龄津贴", Name: "欧阳*华",
		Prev: [8]byte{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}, Due: 20799,
	}
}

func sampleStage2() Stage2 {
	return Stage2{
		Device: 7, Seq: 1043, Of: [8]byte{9, 8, 7, 6, 5, 4, 3, 2}, OfficialNo: "1112345678901234561234567890123202611220001",
		At: 1795298530, Due: 20799, Item: "高龄津贴",
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestPayloadsComeBack(t *testing.T) {
	s1, s2 := sampleStage1(), sampleStage2()
	noDue := s1
	noDue.Due = 0
	for _, want := range []interface{ Payload() []byte }{s1, noDue, s2} {
		got, err := ParsePayload(want.Payload())
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestPayloadRefusesNumbersOutOfBounds(t *testing.T) {
	k := scalar(t, "station")
	for name, change := range map[string]func(*Stage1){
		"device 0":   func(r *Stage1) { r.Device = 0 },
		"seq 0":      func(r *Stage1) { r.Seq = 0 },
		"seq 2^53":   func(r *Stage1) { r.Seq = 1 << 53 },
		"before":     func(r *Stage1) { r.At = -1 },
		"year 10000": func(r *Stage1) { r.At = maxAt + 1 },
		"quality 3":  func(r *Stage1) { r.Quality = 3 },
		"due before": func(r *Stage1) { r.Due = -1 },
		"due late":   func(r *Stage1) { r.Due = maxDue + 1 },
		"no item":    func(r *Stage1) { r.Item = "" },
	} {
		r := sampleStage1()
		change(&r)
		if _, err := Sign(k, r.Payload()); !errors.Is(err, ErrPayload) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, no := range []string{"", "有汉字", "a b", strings.Repeat("9", MaxOfficial+1)} {
		r := sampleStage2()
		r.OfficialNo = no
		if _, err := Sign(k, r.Payload()); !errors.Is(err, ErrPayload) {
			t.Errorf("official number %q: %v", no, err)
		}
	}
}

func TestFit(t *testing.T) {
	for in, want := range map[string]string{
		"高龄津贴": "高龄津贴",
		"城乡居民基本养老保险参保登记和待遇申领服务": "城乡居民基本养老保险参保登记和待",
		"高龄\u202e津贴":                 "高龄津贴",
		"高\x00龄\n津贴\u200b":           "高龄津贴",
		"a\u05d0b":                   "ab",
		"阿依古丽·买买提":                   "阿依古丽·买买提",
		"\U00020000\U000e0041\ufeff": "\U00020000",
		"坏\xff字":                     "坏字",
		"\ufffd":                     "",
	} {
		got := Fit(in, MaxItem)
		if got != want {
			t.Errorf("Fit(%q) = %q, want %q", in, got, want)
		}
		if again := Fit(got, MaxItem); again != got || utf8.RuneCountInString(got) > MaxItem {
			t.Errorf("Fit(%q) is not stable", in)
		}
	}
}

// A receipt must be made for every item and every name: Payload fits texts, so Sign never refuses them.
func TestSignNeverRefusesATextThatLeavesOneCharacter(t *testing.T) {
	r := sampleStage1()
	r.Item, r.Name = "办\u202e理"+strings.Repeat("居", 40), "ا*ب"
	env, err := Sign(scalar(t, "station"), r.Payload())
	if err != nil {
		t.Fatal(err)
	}
	p, _ := PayloadOf(env)
	got, err := ParsePayload(p)
	if err != nil || utf8.RuneCountInString(got.(Stage1).Item) != MaxItem || got.(Stage1).Name != "*" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestBase41(t *testing.T) {
	for _, c := range []struct {
		data []byte
		text string
	}{
		{nil, ""},
		{[]byte{0}, "00"},
		{[]byte{40}, ":0"},
		{[]byte{41}, "01"},
		{[]byte{255}, "96"},
		{[]byte{0, 0}, "000"},
		{[]byte{0, 1}, "100"},
		{[]byte{255, 255}, "H:-"},
		{[]byte{1, 2, 3}, "C6030"},
	} {
		if got := encode41(c.data); got != c.text {
			t.Errorf("encode41(%x) = %q, want %q", c.data, got, c.text)
		}
		if got, err := decode41(c.text); err != nil || !bytes.Equal(got, c.data) {
			t.Errorf("decode41(%q) = %x, %v", c.text, got, err)
		}
	}
	for _, bad := range []string{"0", "0000", ":::", "::", "I:-", "a00", "00 ", "é00", "A6"} {
		if got, err := decode41(bad); !errors.Is(err, ErrBase41) {
			t.Errorf("decode41(%q) = %x, %v", bad, got, err)
		}
	}
	// Every pair of bytes, and no text that stands for the same pair twice.
	seen := make(map[string]bool, 1<<16)
	for n := range 1 << 16 {
		s := encode41([]byte{byte(n >> 8), byte(n)})
		b, err := decode41(s)
		if err != nil || len(s) != 3 || seen[s] || int(b[0])<<8|int(b[1]) != n {
			t.Fatalf("%d: %q, %x, %v", n, s, b, err)
		}
		seen[s] = true
	}
}

func TestLink(t *testing.T) {
	env := must[[]byte](t)(Sign(scalar(t, "station"), sampleStage1().Payload()))
	link := Link("FW.example.gov.cn", env)
	if !strings.HasPrefix(link, "https://fw.example.gov.cn/r#") {
		t.Fatal(link)
	}
	for _, ok := range []string{link, link + "&appinstall=0", link + "?x=1", " " + link + "\n", link + "中"} {
		host, got, err := ParseLink(ok, "other.gov.cn", testHost)
		if err != nil || host != testHost || !bytes.Equal(got, env) {
			t.Errorf("%q: %v", ok, err)
		}
	}
	payload := strings.SplitN(link, "#", 2)[1]
	for bad, want := range map[string]error{
		"":                                       ErrLink,
		"http" + link[5:]:                        ErrLink,
		"HTTPS" + link[5:]:                       ErrLink,
		"https://fw.example.gov.cn/r#":           ErrLink,
		"https://fw.example.gov.cn/R#" + payload: ErrLink,
		"https://u:p@fw.example.gov.cn/r#" + payload:                                ErrLink,
		"https://evil.cn/x/r#" + payload:                                            ErrLink,
		"https://evil.cn/r#" + payload:                                              ErrHost,
		"https://fw.example.gov.cn:444/r#" + payload:                                ErrHost,
		"https://fw.example.gov.cn/r#" + strings.ToLower(payload[:1]+"A") + payload: ErrBase41,
		link[:len(link)-1]:                                                          ErrBase41,
		link + "000":                                                                nil, // two more bytes: still base41; the envelope refuses them
		"https://fw.example.gov.cn/r#" + strings.Repeat("0", 3000):                  ErrLink,
	} {
		_, _, err := ParseLink(bad, testHost)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%q: %v, want %v", bad, err, want)
		}
		if key, _ := words.KeyOf(err); want != nil && !strings.HasPrefix(key, "receipt.") {
			t.Errorf("%q: no words: %v", bad, err)
		}
	}
	if _, _, err := ParseLink(link); err != nil {
		t.Errorf("any host: %v", err)
	}
}

func testList(t testing.TB) KeyList {
	return KeyList{
		County: "999999", Version: 3, At: 1795000000, Keys: []Key{
			{Public: scalar(t, "station").Public(), Stage: StageStation, Device: 7, Name: "清水镇垌心村便民服务站", Division: "999999101201", Telephone: "0999-8800001"},
			{Public: scalar(t, "platform").Public(), Stage: StagePlatform, Name: "示例县政务服务平台", Division: "999999000000", Telephone: "0999-12345"},
			{
				Public: scalar(t, "lost").Public(), Stage: StageStation, Device: 8, Name: "白石村便民服务站", Division: "999999101202", Telephone: "0999-8800002",
				Revoked: true, CutSeq: 500, CutHash: [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
			},
			{Public: scalar(t, "dated").Public(), Stage: StageStation, Device: 9, Name: "新桥村便民服务站", Division: "999999101203", From: 1795000000, To: 1826000000},
		},
	}
}

func TestKeyList(t *testing.T) {
	root := scalar(t, "root")
	data := must[[]byte](t)(SignKeyList(root, testList(t)))
	l, err := OpenKeyList(suite, root.Public(), data)
	if err != nil {
		t.Fatal(err)
	}
	if again := must[[]byte](t)(SignKeyList(root, l)); len(again) != len(data) || l.Keys[2].CutSeq != 500 || l.Keys[0].Name != "清水镇垌心村便民服务站" {
		t.Fatalf("%+v", l)
	}
	if _, err := OpenKeyList(suite, scalar(t, "station").Public(), data); !errors.Is(err, ErrKeyList) || !errors.Is(err, vault.ErrSignature) {
		t.Errorf("other root: %v", err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, err := OpenKeyList(suite, root.Public(), bad); !errors.Is(err, ErrKeyList) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	for name, change := range map[string]func(*KeyList){
		"county": func(l *KeyList) { l.County = "99999x" },
		"stage":  func(l *KeyList) { l.Keys[0].Stage = 3 },
		"key":    func(l *KeyList) { l.Keys[0].Public = l.Keys[0].Public[:64] },
		"time":   func(l *KeyList) { l.Keys[0].From = -1 },
	} {
		l := testList(t)
		change(&l)
		if _, err := SignKeyList(root, l); !errors.Is(err, ErrKeyList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeyHintIsVaults(t *testing.T) {
	for _, name := range []string{"root", "station", "platform", "lost"} {
		p := scalar(t, name).Public()
		if !bytes.Equal(keyHint(suite, p), p.KID()) {
			t.Errorf("%s: %x, vault says %x", name, keyHint(suite, p), p.KID())
		}
	}
}

func TestVerifyNewestListAndWorstVerdictCount(t *testing.T) {
	now := time.Unix(1795300000, 0)
	env := must[[]byte](t)(Sign(scalar(t, "station"), sampleStage1().Payload()))
	old, revoked, other := testList(t), testList(t), testList(t)
	revoked.Version, revoked.Keys[0].Revoked = 4, true
	other.County, other.Version = "999998", 1
	other.Keys[0].Revoked = true
	for name, c := range map[string]struct {
		lists []KeyList
		want  State
	}{
		"none":             {nil, UnknownKey},
		"old":              {[]KeyList{old}, Genuine},
		"old then new":     {[]KeyList{old, revoked}, Withdrawn},
		"new then old":     {[]KeyList{revoked, old}, Withdrawn},
		"listed twice":     {[]KeyList{old, other}, Withdrawn},
		"listed twice (2)": {[]KeyList{other, old}, Withdrawn},
	} {
		v := VerifyAt(suite, env, now, c.lists...)
		if v.State != c.want || v.Stage != 1 || v.S1 == nil || *v.S1 != sampleStage1() {
			t.Errorf("%s: %+v, want %s", name, v, c.want)
		}
	}
	if v := VerifyAt(suite, env, now, old); v.State != Genuine || v.Key.Telephone != "0999-8800001" || v.Reason != ReasonGenuine {
		t.Errorf("%+v", v)
	}
}

// A dead CMOS battery puts the verifier into 1970; the list's own date says that it is later.
func TestVerifyWithADeadClock(t *testing.T) {
	l := testList(t)
	r := sampleStage1()
	r.Device, r.At = 9, l.Keys[3].From+10
	env := must[[]byte](t)(Sign(scalar(t, "dated"), r.Payload()))
	if v := VerifyAt(suite, env, time.Unix(0, 0), l); v.State != Genuine {
		t.Errorf("%+v", v)
	}
	l.At = 0
	if v := VerifyAt(suite, env, time.Unix(0, 0), l); v.State != Withdrawn || v.Reason != ReasonNotYet {
		t.Errorf("%+v", v)
	}
}

// Two stations whose keys share a kid: neither is taken for the other, and both are tried.
func TestTwoKeysWithOneKID(t *testing.T) {
	a, b := twins(t)
	if !bytes.Equal(a.Public().KID(), b.Public().KID()) || bytes.Equal(a.Public(), b.Public()) {
		t.Fatal("not twins")
	}
	l := KeyList{County: "999999", Version: 1, At: 1795000000, Keys: []Key{
		{Public: a.Public(), Stage: StageStation, Device: 21, Name: "甲"}, {Public: b.Public(), Stage: StageStation, Device: 22, Name: "乙"},
	}}
	r := sampleStage1()
	for _, c := range []struct {
		key    vault.PrivateKey
		device uint32
		want   State
	}{{a, 21, Genuine}, {b, 22, Genuine}, {a, 22, Forged}, {b, 21, Forged}, {a, 23, Forged}} {
		r.Device = c.device
		env := must[[]byte](t)(Sign(c.key, r.Payload()))
		if v := VerifyAt(suite, env, time.Unix(1795300000, 0), l); v.State != c.want || (c.want == Genuine) != (v.Key != nil && v.Key.Device == c.device) {
			t.Errorf("device %d: %+v, want %s", c.device, v, c.want)
		}
	}
}

// Every change of one character of a link: never genuine, always forged, on both sides of the # sign.
func TestEveryOneCharacterChangeIsForged(t *testing.T) {
	lists := []KeyList{testList(t)}
	now := time.Unix(1795300000, 0)
	k1, k2 := scalar(t, "station"), scalar(t, "platform")
	tried := 0
	for _, env := range [][]byte{must[[]byte](t)(Sign(k1, sampleStage1().Payload())), must[[]byte](t)(Sign(k2, sampleStage2().Payload()))} {
		link := Link(testHost, env)
		if v := VerifyLink(suite, link, []string{testHost}, now, lists...); v.State != Genuine {
			t.Fatalf("%+v", v)
		}
		for i := range len(link) {
			for _, c := range alphabet41 + "az &.%#" {
				if byte(c) == link[i] {
					continue
				}
				bad := link[:i] + string(c) + link[i+1:]
				if strings.TrimSpace(bad) == link {
					continue
				}
				tried++
				if v := VerifyLink(suite, bad, []string{testHost}, now, lists...); v.State != Forged {
					t.Fatalf("position %d %q: %+v", i, c, v)
				}
			}
		}
	}
	if tried < 23_000 {
		t.Errorf("only %d changes tried", tried)
	}
}

// Every item name of 16 characters stays within 200 bytes and version 11 at level M; so do stage-2 papers of names up
// to 12 characters with an official number of 43. Longer names there may cost one version.
func TestSizes(t *testing.T) {
	item := "城乡居民基本养老保险参保登记变更"
	if utf8.RuneCountInString(item) != 16 {
		t.Fatal("not 16 characters")
	}
	r := Stage1{Device: 1<<32 - 1, Seq: 1<<32 - 1, At: 1795298520, Quality: 2, Item: item, Name: "阿依古丽·买*提", Due: 20799}
	for range rounds(40) {
		env := must[[]byte](t)(Sign(scalar(t, "station"), r.Payload()))
		if len(env) > MaxEnvelope {
			t.Fatalf("stage 1: %d bytes", len(env))
		}
		c := must[*Code](t)(QR(Link(testHost, env), LevelM))
		if c.Version > 11 || c.Dots(Dots58, 0) < 6 {
			t.Fatalf("stage 1: version %d, %d dots", c.Version, c.Dots(Dots58, 0))
		}
		s2 := sampleStage2()
		s2.Device, s2.Seq, s2.Item = 1<<16, 1<<20, Fit(item, 12)
		env = must[[]byte](t)(Sign(scalar(t, "platform"), s2.Payload()))
		if len(env) > MaxEnvelope {
			t.Fatalf("stage 2: %d bytes", len(env))
		}
		s2.Item = item
		env = must[[]byte](t)(Sign(scalar(t, "platform"), s2.Payload()))
		c = must[*Code](t)(QR(Link(testHost, env), LevelM))
		if len(env) > 212 || c.Version > 12 {
			t.Fatalf("stage 2 with 16 characters: %d bytes, version %d", len(env), c.Version)
		}
	}
}

// rounds returns n with BIANMIN_FULL=1, else a tenth.
func rounds(n int) int {
	if os.Getenv("BIANMIN_FULL") == "1" {
		return n
	}
	return max(n/10, 1)
}

// The 220 SM2 vectors that gmsm, OpenSSL and the page agree on, the 17 hostile ones included.
func TestSM2Vectors(t *testing.T) {
	data, err := os.ReadFile("testdata/sm2-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Name, Pub, Msg, Uid, R, S string
		Valid                     bool
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		if v.Uid != "1234567812345678" {
			continue // receipts know one user id
		}
		sig := append(leftPad(unhex(t, v.R)), leftPad(unhex(t, v.S))...)
		if got := suite.VerifyRaw(unhex(t, v.Pub), unhex(t, v.Msg), sig); got != v.Valid {
			t.Errorf("%s: %v", v.Name, got)
		}
	}
}

// The page refuses the same characters: its table is this one.
func TestPageHasTheSameTable(t *testing.T) {
	script, err := os.ReadFile("../../assets/receipt-page/src/receipt.js")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(script), "export const FOREIGN = [")
	table, _, ok2 := strings.Cut(rest, "\n];")
	if !ok || !ok2 {
		t.Fatal("no table in the page")
	}
	var page [][2]rune
	for line := range strings.SplitSeq(strings.TrimSpace(table), "\n") {
		var from, to rune
		if _, err := fmt.Sscanf(strings.TrimSpace(line), "[0x%x, 0x%x],", &from, &to); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		page = append(page, [2]rune{from, to})
	}
	if fmt.Sprint(page) != fmt.Sprint(foreignRanges[:len(foreignRanges)-1]) { // the last is beyond what a browser's text can hold
		t.Errorf("page %x\nprogram %x", page, foreignRanges)
	}
}
