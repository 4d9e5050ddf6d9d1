package receipt

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/vault"

	"github.com/emmansun/gmsm/sm2"
)

var update = flag.Bool("update", false, "write testdata/receipts anew")

// vector is one case with every stage, read by this package, by the page's script under Node, and by OpenSSL.
type vector struct {
	Name     string            `json:"name"`
	About    string            `json:"about"`
	Clock    string            `json:"clock"`    // of the verifier
	Hosts    []string          `json:"hosts"`    // that it allows
	Root     string            `json:"root"`     // platform root, public
	Lists    []string          `json:"lists"`    // signed key lists
	Fields   map[string]any    `json:"fields"`   // of the payload, for people
	Payload  string            `json:"payload"`  // CBOR
	TBS      string            `json:"tbs"`      // Sig_structure
	Signer   string            `json:"signer"`   // public key that OpenSSL is asked about
	DER      string            `json:"der"`      // signature as OpenSSL reads it
	Envelope string            `json:"envelope"` // COSE_Sign1
	Base41   string            `json:"base41"`
	Link     string            `json:"link"`
	QR       map[string]int    `json:"qr"` // level: version
	Expect   map[string]bool   `json:"expect"`
	Verdict  map[string]string `json:"verdict"`
}

// mold is how one vector is made. Nil functions mean the honest way.
type mold struct {
	name, about string
	payload     []byte
	key         vault.PrivateKey
	signer      vault.PrivateKey // whom OpenSSL is asked about; nil: key
	sign        func(tbs []byte) []byte
	context     string
	header      []byte
	wrap        func(header, payload, sig []byte) []byte
	base41      func(string) string
	link        func(string) string
	clock       int64
	lists       []KeyList
}

const vectorClock = 1795300000

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	if len(s)%2 == 1 {
		s = "0" + s // the SM2 vectors write numbers without leading zeros
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func leftPad(b []byte) []byte {
	if len(b) > 32 {
		return b
	}
	return append(make([]byte, 32-len(b)), b...)
}

const twinA, twinB = 3484, 85843

// twins returns two keys whose kids are equal. They were found among 2^17 keys; the numbers are their places.
func twins(t testing.TB) (a, b vault.PrivateKey) {
	return scalar(t, fmt.Sprint("twin ", twinA)), scalar(t, fmt.Sprint("twin ", twinB))
}

func raw(values ...any) []byte { return canon.MustMarshal(values) }

func molds(t testing.TB) []mold {
	station, platform, lost, dated := scalar(t, "station"), scalar(t, "platform"), scalar(t, "lost"), scalar(t, "dated")
	stranger := scalar(t, "stranger")
	twin1, twin2 := twins(t)
	twinList := KeyList{County: "999999", Version: 5, At: 1795000000, Keys: []Key{
		{Public: twin1.Public(), Stage: StageStation, Device: 21, Name: "甲村便民服务站", Division: "999999101204"},
		{Public: twin2.Public(), Stage: StageStation, Device: 22, Name: "乙村便民服务站", Division: "999999101205"},
	}}
	s1 := func(change func(*Stage1)) []byte {
		r := sampleStage1()
		if change != nil {
			change(&r)
		}
		return r.Payload()
	}
	// array1 is stage 1 with one element replaced: what Payload would never write.
	array1 := func(i int, v any) []byte {
		r := sampleStage1()
		a := []any{1, 1, r.Device, r.Seq, r.At, r.Quality, r.Item, r.Name, r.Prev[:], r.Due}
		a[i] = v
		return raw(a...)
	}
	good := s1(nil)
	n := sm2.P256().Params().N
	rs := func(change func(r, s *big.Int) (*big.Int, *big.Int)) func([]byte) []byte {
		return func(tbs []byte) []byte {
			sig := must[[]byte](t)(station.SignRaw(tbs))
			r, s := change(new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
			return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	}
	cose := func(header []byte, unprotected any, payload, sig []byte) []byte {
		return raw(header, unprotected, payload, sig)
	}
	none := map[int]int{}
	nonShort := bytes.Replace(good, []byte{1, 1, 7}, []byte{1, 1, 0x18, 7}, 1)
	indefinite := append(append([]byte{0x9f}, good[1:]...), 0xff)
	return []mold{
		{name: "stage1", about: "a 收件回执", payload: good, key: station},
		{name: "stage1-no-due", about: "no promised day", payload: s1(func(r *Stage1) { r.Due = 0 }), key: station},
		{name: "stage1-16", about: "an item of 16 characters, the largest numbers", payload: s1(func(r *Stage1) {
			r.Item, r.Seq, r.Name = "城乡居民基本养老保险参保登记变更", maxSeq, "阿依古丽·买*提"
		}), key: station},
		{name: "stage1-clock-unsure", about: "a station clock that the platform never confirmed", payload: s1(func(r *Stage1) { r.Quality, r.At = 0, 0 }), key: station},
		{name: "stage1-private-use", about: "a name with a rare character from the private area", payload: s1(func(r *Stage1) { r.Name = "\ue863*\U00020000" }), key: station},
		{name: "stage2", about: "a 受理通知书", payload: sampleStage2().Payload(), key: platform},
		{name: "stage2-no-due", about: "a 受理通知书 without a day", payload: func() []byte { r := sampleStage2(); r.Due = 0; return r.Payload() }(), key: platform},
		{name: "appinstall", about: "an app appended a parameter", payload: good, key: station, link: func(s string) string { return s + "&appinstall=0" }},
		{name: "twin-first", about: "two keys have this kid; the first signed", payload: s1(func(r *Stage1) { r.Device = 21 }), key: twin1, lists: []KeyList{twinList}},
		{name: "twin-second", about: "two keys have this kid; the second signed", payload: s1(func(r *Stage1) { r.Device = 22 }), key: twin2, lists: []KeyList{twinList}},
		{name: "twin-crossed", about: "two keys have this kid; one signed as the other's station", payload: s1(func(r *Stage1) { r.Device = 21 }), key: twin2, lists: []KeyList{twinList}},
		{name: "dated-inside", about: "within the key's time", payload: s1(func(r *Stage1) { r.Device, r.At = 9, 1795298520 }), key: dated},
		{name: "dated-later", about: "the key has expired since; the receipt is from its time", payload: s1(func(r *Stage1) { r.Device, r.At = 9, 1795298520 }), key: dated, clock: 1890000000},
		{name: "key-not-yet", about: "before the key's time", payload: s1(func(r *Stage1) { r.Device, r.At = 9, 1794000000 }), key: dated},
		{name: "key-not-yet-now", about: "the key is not in force now", payload: s1(func(r *Stage1) { r.Device, r.At = 9, 1795298520 }), key: dated, clock: 1700000000, lists: []KeyList{func() KeyList { l := testList(t); l.At = 1700000000; return l }()}},
		{name: "key-expired", about: "after the key's time", payload: s1(func(r *Stage1) { r.Device, r.At = 9, 1830000000 }), key: dated},
		{name: "cut-before", about: "the key is revoked; the receipt is before the cut", payload: s1(func(r *Stage1) { r.Device, r.Seq = 8, 500 }), key: lost},
		{name: "cut-after", about: "the key is revoked; the receipt is after the cut", payload: s1(func(r *Stage1) { r.Device, r.Seq = 8, 501 }), key: lost},
		{name: "unknown-kid", about: "a signer that no list names", payload: s1(func(r *Stage1) { r.Device = 99 }), key: stranger},
		{name: "unknown-kid-known-device", about: "a stranger signs as a listed station", payload: good, key: stranger},
		{name: "wrong-key", about: "a stranger signs under the station's kid", payload: good, key: stranger, signer: station, header: protected(station.Public().KID())},
		{name: "wrong-device", about: "a station signs for another", payload: s1(func(r *Stage1) { r.Device = 9 }), key: station},
		{name: "wrong-stage", about: "a station signs a 受理通知书", payload: sampleStage2().Payload(), key: station},
		{name: "wrong-stage-platform", about: "the platform signs a 收件回执", payload: good, key: platform},
		{name: "wrong-context", about: "signed as COSE_Sign, not COSE_Sign1", payload: good, key: station, context: "Signature"},
		{name: "bare-signature", about: "signed without Sig_structure", payload: good, key: station, sign: func([]byte) []byte { return must[[]byte](t)(station.SignRaw(good)) }},
		{name: "other-uid", about: "signed with another user id", payload: good, key: station, sign: func(tbs []byte) []byte { return signUID(t, station, "ALICE123@YAHOO.COM", tbs) }},
		{name: "r-zero", about: "r = 0", payload: good, key: station, sign: rs(func(_, s *big.Int) (*big.Int, *big.Int) { return new(big.Int), s })},
		{name: "s-zero", about: "s = 0", payload: good, key: station, sign: rs(func(r, _ *big.Int) (*big.Int, *big.Int) { return r, new(big.Int) })},
		{name: "both-zero", about: "r = s = 0", payload: good, key: station, sign: func([]byte) []byte { return make([]byte, 64) }},
		{name: "r-order", about: "r = n", payload: good, key: station, sign: rs(func(_, s *big.Int) (*big.Int, *big.Int) { return n, s })},
		{name: "s-order", about: "s = n", payload: good, key: station, sign: rs(func(r, _ *big.Int) (*big.Int, *big.Int) { return r, n })},
		{name: "sum-order", about: "r + s = n", payload: good, key: station, sign: rs(func(r, _ *big.Int) (*big.Int, *big.Int) { return r, new(big.Int).Sub(n, r) })},
		{name: "s-negated", about: "n - s", payload: good, key: station, sign: rs(func(r, s *big.Int) (*big.Int, *big.Int) { return r, new(big.Int).Sub(n, s) })},
		{name: "swapped", about: "s and r", payload: good, key: station, sign: rs(func(r, s *big.Int) (*big.Int, *big.Int) { return s, r })},
		{name: "all-ones", about: "r = s = 2^256 - 1", payload: good, key: station, sign: func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 64) }},
		{name: "altered", about: "another name under the same signature", payload: s1(func(r *Stage1) { r.Name = "欧阳*明" }), key: station, sign: func([]byte) []byte {
			return must[[]byte](t)(station.SignRaw(toBeSigned(protected(station.Public().KID()), good)))
		}},
		{name: "base41-overflow", about: "a group above 65535", payload: good, key: station, base41: func(s string) string { return s[:30] + ":::" + s[33:] }},
		{name: "base41-odd", about: "the last character is missing", payload: good, key: station, base41: func(s string) string { return s[:len(s)-1] }},
		{name: "base41-lower", about: "payload in lower case", payload: good, key: station, base41: strings.ToLower},
		{name: "base41-foreign", about: "a foreign character in the middle", payload: good, key: station, base41: func(s string) string { return s[:60] + "+" + s[61:] }},
		{name: "truncated", about: "the end is torn off", payload: good, key: station, base41: func(s string) string { return s[:150] }},
		{name: "empty", about: "no payload at all", payload: good, key: station, base41: func(string) string { return "" }},
		{name: "trailing-envelope", about: "a byte after the envelope", payload: good, key: station, wrap: func(h, p, s []byte) []byte { return append(cose(h, none, p, s), 0) }},
		{name: "trailing-payload", about: "a byte after the payload, signed", payload: append(bytes.Clone(good), 0xf6), key: station},
		{name: "tagged", about: "COSE_Sign1 with its tag", payload: good, key: station, wrap: func(h, p, s []byte) []byte { return append([]byte{0xd2}, cose(h, none, p, s)...) }},
		{name: "envelope-long-form", about: "a longer head for the array", payload: good, key: station, wrap: func(h, p, s []byte) []byte { return append([]byte{0x98, 4}, cose(h, none, p, s)[1:]...) }},
		{name: "unprotected", about: "something in the unprotected header", payload: good, key: station, wrap: func(h, p, s []byte) []byte { return cose(h, map[int]int{4: 1}, p, s) }},
		{name: "signature-short", about: "a signature of 63 bytes", payload: good, key: station, wrap: func(h, p, s []byte) []byte { return cose(h, none, p, s[:63]) }},
		{name: "alg-es256", about: "another algorithm in the header", payload: good, key: station, header: canon.MustMarshal(map[int]any{1: -7, 4: station.Public().KID()})},
		{name: "kid-long", about: "a kid of 8 bytes", payload: good, key: station, header: canon.MustMarshal(map[int]any{1: Algorithm, 4: make([]byte, 8)})},
		{name: "header-extra", about: "a critical header more", payload: good, key: station, header: canon.MustMarshal(map[int]any{1: Algorithm, 2: []int{9}, 4: station.Public().KID()})},
		{name: "cbor-long-form", about: "a number in a longer form, signed", payload: nonShort, key: station},
		{name: "cbor-indefinite", about: "an array without length, signed", payload: indefinite, key: station},
		{name: "cbor-map", about: "a map instead of an array, signed", payload: canon.MustMarshal(map[int]any{1: 1, 2: 1, 3: "一个不是数组的内容"}), key: station},
		{name: "cbor-float", about: "the time as a float, signed", payload: array1(4, 1795298520.5), key: station},
		{name: "version-2", about: "a version that nobody knows, signed", payload: array1(0, 2), key: station},
		{name: "stage-3", about: "a stage that nobody knows, signed", payload: array1(1, 3), key: station},
		{name: "device-zero", about: "device 0, signed", payload: array1(2, 0), key: station},
		{name: "device-large", about: "device 2^32, signed", payload: array1(2, uint64(1)<<32), key: station},
		{name: "seq-large", about: "seq 2^53, signed", payload: array1(3, uint64(1)<<53), key: station},
		{name: "time-negative", about: "a time before 1970, signed", payload: array1(4, -1), key: station},
		{name: "quality-3", about: "a clock quality that nobody knows, signed", payload: array1(5, 3), key: station},
		{name: "item-17", about: "an item of 17 characters, signed", payload: array1(6, strings.Repeat("办", 17)), key: station},
		{name: "item-empty", about: "no item, signed", payload: array1(6, ""), key: station},
		{name: "item-control", about: "a line feed in the item, signed", payload: array1(6, "高龄\n津贴"), key: station},
		{name: "item-rtl-mark", about: "a right-to-left override in the item, signed", payload: array1(6, "高龄\u202e津贴"), key: station},
		{name: "item-bytes", about: "the item as bytes, signed", payload: array1(6, []byte("高龄津贴")), key: station},
		{name: "name-long", about: "a name of 9 characters, signed", payload: array1(7, "阿依古丽·买买提江"), key: station},
		{name: "name-rtl", about: "an Arabic letter in the name, signed", payload: array1(7, "欧\u0627*华"), key: station},
		{name: "name-zero-width", about: "an invisible character in the name, signed", payload: array1(7, "欧阳\u200b*华"), key: station},
		{name: "name-tag", about: "a tag character in the name, signed", payload: array1(7, "欧\U000e0041*"), key: station},
		{name: "utf8-broken", about: "text that is not UTF-8, signed", payload: bytes.Replace(good, []byte("高"), []byte{0xe9, 0xab, 0x28}, 1), key: station},
		{name: "prev-short", about: "a hash of 7 bytes, signed", payload: array1(8, make([]byte, 7)), key: station},
		{name: "due-zero", about: "day 0 instead of null, signed", payload: array1(9, 0), key: station},
		{name: "nine-elements", about: "an element is missing, signed", payload: raw(1, 1, 7, 1043, 1795298520, 2, "高龄津贴", "欧阳*华", make([]byte, 8)), key: station},
		{name: "other-host", about: "a host that the verifier does not know", payload: good, key: station, link: func(s string) string { return strings.Replace(s, testHost, "fw.examp1e.gov.cn", 1) }},
		{name: "plain-http", about: "http instead of https", payload: good, key: station, link: func(s string) string { return strings.Replace(s, "https:", "http:", 1) }},
		{name: "upper-scheme", about: "upper-case scheme", payload: good, key: station, link: func(s string) string { return strings.Replace(s, "https:", "HTTPS:", 1) }},
	}
}

func signUID(t testing.TB, k vault.PrivateKey, uid string, msg []byte) []byte {
	d := must[[]byte](t)(k.Bytes())
	priv := new(sm2.PrivateKey)
	priv.PrivateKey = ecdsa.PrivateKey{D: new(big.Int).SetBytes(d)}
	priv.Curve = sm2.P256()
	priv.X, priv.Y = priv.Curve.ScalarBaseMult(d)
	der, err := priv.Sign(randReader{}, msg, sm2.NewSM2SignerOption(true, []byte(uid)))
	if err != nil {
		t.Fatal(err)
	}
	var sig struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &sig); err != nil {
		t.Fatal(err)
	}
	return append(sig.R.FillBytes(make([]byte, 32)), sig.S.FillBytes(make([]byte, 32))...)
}

type randReader struct{}

func (randReader) Read(b []byte) (int, error) { return len(b), suite.Random(b) }

func (m mold) make(t testing.TB) vector {
	header := m.header
	if header == nil {
		header = protected(m.key.Public().KID())
	}
	tbs := toBeSigned(header, m.payload)
	signed := tbs
	if m.context != "" {
		signed = canon.MustMarshal(sigStructure{Context: m.context, Protected: header, External: []byte{}, Payload: m.payload})
	}
	var sig []byte
	if m.sign != nil {
		sig = m.sign(tbs)
	} else {
		sig = must[[]byte](t)(m.key.SignRaw(signed))
	}
	wrap := m.wrap
	if wrap == nil {
		wrap = func(h, p, s []byte) []byte { return raw(h, map[int]int{}, p, s) }
	}
	env := wrap(header, m.payload, sig)
	text := encode41(env)
	if m.base41 != nil {
		text = m.base41(text)
	}
	link := "https://" + testHost + "/r#" + text
	if m.link != nil {
		link = m.link(link)
	}
	lists := m.lists
	if lists == nil {
		lists = []KeyList{testList(t)}
	}
	if m.clock == 0 {
		m.clock = vectorClock
	}
	signer := m.key
	if m.signer != nil {
		signer = m.signer
	}
	v := vector{
		Name: m.name, About: m.about, Clock: time.Unix(m.clock, 0).UTC().Format(time.RFC3339), Hosts: []string{testHost},
		Root: hex.EncodeToString(scalar(t, "root").Public()), Payload: hex.EncodeToString(m.payload),
		Envelope: hex.EncodeToString(env), Base41: text, Link: link, QR: map[string]int{},
		Signer: hex.EncodeToString(signer.Public()), Expect: map[string]bool{}, Verdict: map[string]string{},
	}
	for _, l := range lists {
		v.Lists = append(v.Lists, hex.EncodeToString(must[[]byte](t)(SignKeyList(scalar(t, "root"), l))))
	}
	if c, err := QR(link, LevelM); err == nil {
		v.QR["M"] = c.Version
	}
	if c, err := QR(link, LevelQ); err == nil {
		v.QR["Q"] = c.Version
	}
	if tbs, der, err := Explain(env); err == nil {
		v.TBS, v.DER = hex.EncodeToString(tbs), hex.EncodeToString(der)
	}
	if p, err := ParsePayload(m.payload); err == nil {
		data, _ := json.Marshal(p)
		_ = json.Unmarshal(data, &v.Fields)
	}
	got := judge(t, v)
	v.Expect, v.Verdict = got.Expect, got.Verdict
	return v
}

// judge runs every stage of a vector and returns it with what came out.
func judge(t testing.TB, v vector) vector {
	t.Helper()
	var lists []KeyList
	for _, l := range v.Lists {
		lists = append(lists, must[KeyList](t)(OpenKeyList(suite, unhex(t, v.Root), unhex(t, l))))
	}
	at, err := time.Parse(time.RFC3339, v.Clock)
	if err != nil {
		t.Fatal(err)
	}
	_, env, linkErr := ParseLink(v.Link, v.Hosts...)
	p, envErr := open(env)
	_, payErr := ParsePayload(p.payload)
	verdict := VerifyLink(suite, v.Link, v.Hosts, at, lists...)
	v.Expect = map[string]bool{
		"link": linkErr == nil, "envelope": linkErr == nil && envErr == nil,
		"payload":   linkErr == nil && envErr == nil && payErr == nil,
		"signature": linkErr == nil && envErr == nil && suite.VerifyRaw(unhex(t, v.Signer), p.tbs, p.sig),
		"genuine":   verdict.State == Genuine,
	}
	v.Verdict = map[string]string{"state": string(verdict.State), "reason": verdict.Reason}
	return v
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	files, err := filepath.Glob("testdata/receipts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors; make them with: go test ./offline/receipt -run TestVectors -update")
	}
	var list []vector
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		list = append(list, v)
	}
	return list
}

func TestVectors(t *testing.T) {
	if *update {
		for _, m := range molds(t) {
			v := m.make(t)
			data, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("testdata/receipts/"+v.Name+".json", append(data, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := loadVectors(t)
	states := map[string]int{}
	for _, v := range list {
		got := judge(t, v)
		if fmt.Sprint(got.Expect) != fmt.Sprint(v.Expect) || fmt.Sprint(got.Verdict) != fmt.Sprint(v.Verdict) {
			t.Errorf("%s (%s): %v %v, want %v %v", v.Name, v.About, got.Expect, got.Verdict, v.Expect, v.Verdict)
		}
		states[v.Verdict["state"]]++
		if v.Expect["payload"] {
			checkBytes(t, v)
		}
	}
	if len(list) != len(molds(t)) || len(states) != 4 || states["genuine"] < 10 || states["forged"] < 40 {
		t.Errorf("%d vectors, %v", len(list), states)
	}
}

// checkBytes builds a good vector again from its fields and compares every stage byte for byte.
func checkBytes(t *testing.T, v vector) {
	t.Helper()
	data, _ := json.Marshal(v.Fields)
	var payload []byte
	if _, second := v.Fields["OfficialNo"]; second {
		var r Stage2
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		payload = r.Payload()
	} else {
		var r Stage1
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		payload = r.Payload()
	}
	if hex.EncodeToString(payload) != v.Payload {
		t.Errorf("%s: payload %x", v.Name, payload)
	}
	env := unhex(t, v.Envelope)
	tbs, der, err := Explain(env)
	if err != nil || hex.EncodeToString(tbs) != v.TBS || hex.EncodeToString(der) != v.DER || encode41(env) != v.Base41 {
		t.Errorf("%s: %v", v.Name, err)
	}
	for name, level := range map[string]Level{"M": LevelM, "Q": LevelQ} {
		if c, err := QR(v.Link, level); err != nil || c.Version != v.QR[name] {
			t.Errorf("%s: level %s: %v", v.Name, name, err)
		}
	}
}

// TestOpenSSL runs the commands that docs/receipt.md gives, word for word, over every vector whose envelope can be
// taken apart: OpenSSL must agree with us about the signature.
func TestOpenSSL(t *testing.T) {
	if out, err := exec.Command("openssl", "version").Output(); err != nil || !bytes.HasPrefix(out, []byte("OpenSSL 3")) {
		t.Fatalf("this test needs OpenSSL 3 on the PATH (apt-get install openssl): %s %v", out, err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "check.sh")
	if err := os.WriteFile(script, docBlock(t, "../../docs/receipt.md", "check.sh"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := map[bool]int{}
	for _, v := range loadVectors(t) {
		if !v.Expect["envelope"] {
			continue
		}
		spki := must[[]byte](t)(vault.PublicKey(unhex(t, v.Signer)).SPKI())
		key := filepath.Join(dir, "station.pem")
		if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("sh", script, v.Link, key).CombinedOutput()
		if ok := err == nil && strings.Contains(string(out), "Signature Verified Successfully"); ok != v.Expect["signature"] {
			t.Errorf("%s: OpenSSL says %v: %s", v.Name, ok, out)
		}
		run[v.Expect["signature"]]++
	}
	if run[true] < 20 || run[false] < 10 {
		t.Errorf("only %v checked", run)
	}
}

// docBlock returns the fenced block of a page that names file in its first line.
func docBlock(t *testing.T, page, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(data), "```") {
		if body, ok := strings.CutPrefix(block, "sh\n"); ok && strings.Contains(strings.SplitN(body, "\n", 2)[0], file) {
			return []byte(body)
		}
	}
	t.Fatalf("%s: no block %s", page, file)
	return nil
}
