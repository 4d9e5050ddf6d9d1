package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

var suite = vault.SM(nil)

func mustKey(t testing.TB) vault.PrivateKey {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	b, err := canon.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// back decodes what was encoded and compares.
func back[T any](t *testing.T, v T) T {
	t.Helper()
	got, err := Decode[T](encode(t, v))
	if err != nil || !bytes.Equal(encode(t, got), encode(t, v)) {
		t.Fatalf("%T does not come back: %v", v, err)
	}
	return got
}

func TestRequest(t *testing.T) {
	k := mustKey(t)
	r := Request{Device: 7, Nonce: []byte("nonce of the gateway"), Cursor: 5, Packets: [][]byte{{1}, {2, 3}}, WaitMS: 25_000}
	if err := r.Sign(k); err != nil {
		t.Fatal(err)
	}
	got := back(t, r)
	if err := got.Verify(suite, k.Public()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Sig, r.Sig) {
		t.Error("Verify took the signature away")
	}
	data := encode(t, r)
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if q, err := Decode[Request](bad); err == nil && q.Verify(suite, k.Public()) == nil {
			t.Fatalf("byte %d of a request may change", i)
		}
	}
}

func TestReplyTime(t *testing.T) {
	k := mustKey(t)
	tm := Time{At: 1_795_000_000_000, Nonce: []byte("n")}
	if err := tm.Sign(k); err != nil {
		t.Fatal(err)
	}
	got := back(t, Reply{V: Version, Ack: []byte{1}, Events: [][]byte{{2}}, More: true, RetryAfterMS: 3, Time: tm, Nonce: []byte{4}})
	if err := got.Time.Verify(suite, k.Public()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Time){
		"later": func(tm *Time) { tm.At++ }, "for another request": func(tm *Time) { tm.Nonce = []byte("m") }, "by another key": func(tm *Time) { tm.KID = []byte("abcd") },
	} {
		bad := got.Time
		change(&bad)
		if err := bad.Verify(suite, k.Public()); !errors.Is(err, vault.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHelloAndPins(t *testing.T) {
	root := mustKey(t)
	nonce := []byte("sixteen bytes...")
	pins, err := SignPins(root, PinSet{At: 5, Pins: [][32]byte{{1}, {2}}})
	if err != nil {
		t.Fatal(err)
	}
	h := HelloReply{Root: root.Public(), Pins: pins, Nonce: []byte("n")}
	if err := h.Sign(root, nonce); err != nil {
		t.Fatal(err)
	}
	got := back(t, h)
	if err := got.Verify(suite, nonce); err != nil {
		t.Fatal(err)
	}
	if err := got.Verify(suite, []byte("another request.")); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("an old answer: %v", err)
	}
	other := got
	other.Root = mustKey(t).Public()
	if err := other.Verify(suite, nonce); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("another root: %v", err)
	}
	p, err := OpenPins(suite, root.Public(), pins)
	if err != nil || p.At != 5 || len(p.Pins) != 2 || p.Pins[1] != [32]byte{2} || len(p.Sig) != vault.SignatureSize {
		t.Fatalf("%+v: %v", p, err)
	}
	if _, err := OpenPins(suite, mustKey(t).Public(), pins); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("pins of another root: %v", err)
	}
	for i := range pins {
		bad := bytes.Clone(pins)
		bad[i] ^= 1
		if _, err := OpenPins(suite, root.Public(), bad); err == nil {
			t.Fatalf("byte %d of a pin set may change", i)
		}
	}
}

func TestEnroll(t *testing.T) {
	sign, seal := mustKey(t), mustKey(t)
	code, err := NewEnrollCode(suite, mustKey(t).Public(), nil)
	if err != nil {
		t.Fatal(err)
	}
	nonce := []byte("n")
	e := Enroll{
		CodeID: code.ID(suite), Nonce: nonce, SignKey: sign.Public(), SealKey: seal.Public(), Machine: "station-1",
		Proof: EnrollProof(suite, code.Secret, nonce, sign.Public(), seal.Public()),
	}
	if err := e.Sign(sign); err != nil {
		t.Fatal(err)
	}
	got := back(t, e)
	if err := got.Verify(suite); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(encode(t, e), code.Secret[:]) {
		t.Error("the secret travels")
	}
	for name, proof := range map[string][32]byte{
		"nonce": EnrollProof(suite, code.Secret, []byte("m"), sign.Public(), seal.Public()),
		"key":   EnrollProof(suite, code.Secret, nonce, seal.Public(), seal.Public()),
		"code":  EnrollProof(suite, [10]byte{}, nonce, sign.Public(), seal.Public()),
	} {
		if proof == e.Proof {
			t.Errorf("proof does not depend on the %s", name)
		}
	}
	got.SealKey = sign.Public()
	if err := got.Verify(suite); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("another encryption key: %v", err)
	}
}

func TestGrantComesBack(t *testing.T) {
	back(t, EnrollReply{V: Version, Grant: []byte{1}, Sig: []byte{2}})
	back(t, Hello{V: Version, Nonce: []byte{1}})
	back(t, Nonce{V: Version, Nonce: []byte{1}})
	back(t, Grant{
		V: Version, Device: 1_000_001, SignCert: []byte{1}, SealCert: []byte{2}, KeyList: []byte{3}, Demo: true, At: 4,
		Station:   Station{Division: "999901001001", Name: "样本站", County: "999901", ShortHost: "fw.example.gov.cn"},
		Operators: []Operator{{ID: "op1", Name: "样本", Activation: "1234", OneTime: true}},
		Platform:  Platform{SignKey: []byte{5}, SealKey: []byte{6}}, Packs: []PackRef{{Kind: "county", Version: 1, Size: 9}},
	})
}

func TestDecodeRefuses(t *testing.T) {
	events := make([][]byte, MaxEvents+1)
	for i := range events {
		events[i] = []byte{}
	}
	packets := make([][]byte, MaxPackets+1)
	for i := range packets {
		packets[i] = []byte{}
	}
	long := make([]byte, maxNonce+1)
	for _, c := range []struct {
		name   string
		decode func() error
		want   Code
	}{
		{"version 2", decoding(t, Request{V: 2}), CodeBadRequest},
		{"version 0", decoding(t, Reply{}), CodeBadRequest},
		{"error of version 2", decoding(t, Error{V: 2, Code: CodeBusy}), CodeBadRequest},
		{"grant of version 2", decoding(t, Grant{V: 2}), CodeBadRequest},
		{"pins of version 2", decoding(t, PinSet{V: 2}), CodeBadRequest},
		{"too many packets", decoding(t, Request{V: 1, Packets: packets}), CodeTooLarge},
		{"a packet too large", decoding(t, Request{V: 1, Packets: [][]byte{make([]byte, MaxPacket+1)}}), CodeTooLarge},
		{"too many events", decoding(t, Reply{V: 1, Events: events}), CodeTooLarge},
		{"wait backwards", decoding(t, Request{V: 1, WaitMS: -1}), CodeBadRequest},
		{"retry backwards", decoding(t, Reply{V: 1, RetryAfterMS: -1}), CodeBadRequest},
		{"nonce of a request", decoding(t, Request{V: 1, Nonce: long}), CodeBadRequest},
		{"nonce of a reply", decoding(t, Reply{V: 1, Nonce: long}), CodeBadRequest},
		{"nonce", decoding(t, Nonce{V: 1, Nonce: long}), CodeBadRequest},
		{"nonce of an error", decoding(t, Error{V: 1, Nonce: long}), CodeBadRequest},
		{"nonce of hello", decoding(t, Hello{V: 1, Nonce: long}), CodeBadRequest},
		{"too many pins", decoding(t, PinSet{V: 1, Pins: make([][32]byte, maxPins+1)}), CodeBadRequest},
		{"another message", func() error { _, err := Decode[Request](encode(t, Reply{V: 1})); return err }, CodeBadRequest},
		{"not a message", func() error { _, err := Decode[Request]([]byte("<html>")); return err }, CodeBadRequest},
	} {
		if err := c.decode(); CodeOf(err) != c.want || !Permanent(err) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if got, err := Decode[Request](encode(t, Request{V: 2, Device: 9})); err == nil || !reflect.DeepEqual(got, Request{}) {
		t.Errorf("a refused message leaks: %+v", got)
	}
	if got, err := Decode[PackRef](encode(t, PackRef{Kind: "county"})); err != nil || got.Kind != "county" {
		t.Errorf("a part of a message: %v", err)
	}
}

func decoding[T any](t *testing.T, v T) func() error {
	data := encode(t, v)
	return func() error { _, err := Decode[T](data); return err }
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("exchange: %w", &Error{Code: CodeBusy, Detail: "detail", Cause: cause})
	if CodeOf(err) != CodeBusy || !errors.Is(err, cause) || !errors.Is(err, &Error{Code: CodeBusy}) || errors.Is(err, &Error{Code: CodeNonce}) {
		t.Errorf("%v", err)
	}
	if got := err.Error(); got != "exchange: wire: busy: detail: cause" {
		t.Errorf("%q", got)
	}
	if CodeOf(cause) != "" || Permanent(cause) || Permanent(nil) {
		t.Error("an error of another kind has a code")
	}
	e := back(t, Error{V: Version, Code: CodeNonce, Detail: "d", RetryAfterMS: 5, Nonce: []byte{1}})
	if e.Code != CodeNonce || e.Cause != nil {
		t.Errorf("%+v", e)
	}
	for code, want := range map[Code]bool{
		CodeBadRequest: true, CodeTooLarge: true, CodeNonce: false, CodeUnknown: true, CodeSignature: true, CodeRevoked: true,
		CodeCodeUnknown: true, CodeCodeUsed: true, CodeCodeExpired: true, CodeBusy: false, CodeNotFound: true, CodeInternal: false,
		CodeRootMismatch: true, CodePinMismatch: false, CodeUnreachable: false, "code of the future": false,
	} {
		if got := Permanent(&Error{Code: code}); got != want {
			t.Errorf("%s: permanent %t, want %t", code, got, want)
		}
	}
}

func TestEnrollCode(t *testing.T) {
	root := mustKey(t).Public()
	c, err := NewEnrollCode(suite, root, bytes.NewReader([]byte("0123456789")))
	if err != nil || string(c.Secret[:]) != "0123456789" || c.Root != RootFingerprint(suite, root) || c.Root == [10]byte{} {
		t.Fatalf("%v: %v", c, err)
	}
	text := c.String()
	if len(text) != 44 || strings.Count(text, "-") != 8 {
		t.Fatalf("%q", text)
	}
	wide := strings.Map(func(r rune) rune { return r - '!' + '！' }, text)
	for name, typed := range map[string]string{
		"as shown": text, "lower case": strings.ToLower(text), "no dashes": strings.ReplaceAll(text, "-", ""),
		"blanks": strings.ReplaceAll(text, "-", " "), "lines": strings.ReplaceAll(text, "-", "\r\n"), "tab": "\t" + text + " ",
		"I, L and O": strings.NewReplacer("1", "I", "0", "O").Replace(text), "l": strings.ReplaceAll(text, "1", "l"),
		"full width": wide, "wide blanks": strings.ReplaceAll(text, "-", "　"), "long dashes": strings.ReplaceAll(text, "-", "—"),
	} {
		if got, err := ParseEnrollCode(typed); err != nil || got != c {
			t.Errorf("%s: %v", name, err)
		}
	}
	clean := strings.ReplaceAll(text, "-", "")
	for name, typed := range map[string]string{
		"nothing": "", "short": clean[:35], "long": clean + "0", "foreign letter": "U" + clean[1:], "sign": "!" + clean[1:], "Chinese": strings.Repeat("便", 12),
	} {
		if _, err := ParseEnrollCode(typed); !errors.Is(err, ErrCode) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if key, _ := words.KeyOf(ErrCode); key != "enroll.codeMistyped" {
		t.Errorf("key %q", key)
	}
	if _, err := NewEnrollCode(suite, root, strings.NewReader("short")); err == nil {
		t.Error("code out of too little randomness")
	}
	if RootFingerprint(suite, nil) != [10]byte{} {
		t.Error("fingerprint of no key")
	}
}

// Every single mistyped character and every swap of neighbours is noticed.
func TestMistypedCodes(t *testing.T) {
	c, err := NewEnrollCode(suite, mustKey(t).Public(), nil)
	if err != nil {
		t.Fatal(err)
	}
	clean := strings.ReplaceAll(c.String(), "-", "")
	for i := range clean {
		for _, r := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
			typed := clean[:i] + string(r) + clean[i+1:]
			if got, err := ParseEnrollCode(typed); typed != clean && (err == nil || got != EnrollCode{}) {
				t.Fatalf("character %d read as %c passes", i, r)
			}
		}
		if i > 0 && clean[i] != clean[i-1] {
			if _, err := ParseEnrollCode(clean[:i-1] + string(clean[i]) + string(clean[i-1]) + clean[i+1:]); err == nil {
				t.Fatalf("characters %d and %d may be swapped", i-1, i)
			}
		}
	}
}

func TestCodeStaysOutOfLogs(t *testing.T) {
	c, err := NewEnrollCode(suite, mustKey(t).Public(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("test", slog.Any("code", c))
	if strings.Contains(b.String(), c.String()) || !strings.Contains(b.String(), "[enrolment code]") {
		t.Errorf("%s", b.String())
	}
	if c.ID(suite) == (EnrollCode{}).ID(suite) {
		t.Error("id does not depend on the secret")
	}
}

func TestAuth(t *testing.T) {
	k := mustKey(t)
	a := Auth{Device: 7, Nonce: []byte("nonce"), Method: "PATCH", Path: PathBlob + strings.Repeat("a", 64), Offset: 4096}
	if err := a.Sign(k); err != nil {
		t.Fatal(err)
	}
	h := a.Headers()
	get := func(name string) string { return h[name] }
	got, err := ParseAuth(get, a.Method, a.Path, a.Offset)
	if err != nil || !reflect.DeepEqual(got, a) {
		t.Fatalf("%+v: %v", got, err)
	}
	if err := got.Verify(suite, k.Public()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Auth){
		"method": func(a *Auth) { a.Method = "HEAD" }, "path": func(a *Auth) { a.Path += "b" }, "offset": func(a *Auth) { a.Offset++ },
		"nonce": func(a *Auth) { a.Nonce = []byte("other") }, "device": func(a *Auth) { a.Device++ },
	} {
		bad := got
		change(&bad)
		if err := bad.Verify(suite, k.Public()); !errors.Is(err, vault.ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	for name, change := range map[string]string{HeaderDevice: "-1", HeaderNonce: "=", HeaderSig: "AAAA"} {
		bad := func(n string) string {
			if n == name {
				return change
			}
			return h[n]
		}
		if _, err := ParseAuth(bad, a.Method, a.Path, a.Offset); CodeOf(err) != CodeBadRequest {
			t.Errorf("%s %q: %v", name, change, err)
		}
	}
}

// golden is testdata/wire-v1.json: messages as devices in the field send and expect them.
type golden struct {
	Root     string            `json:"root_public_key"`
	Device   string            `json:"device_public_key"`
	Nonce    string            `json:"hello_nonce"`
	Secret   string            `json:"code_secret"`
	Code     string            `json:"code"`
	CodeID   string            `json:"code_id"`
	Messages map[string]string `json:"messages"`
}

const goldenFile = "testdata/wire-v1.json"

func TestGolden(t *testing.T) {
	if os.Getenv("BIANMIN_WRITE_GOLDEN") == "1" {
		writeGolden(t)
	}
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		t.Helper()
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	root, device := unhex(g.Root), unhex(g.Device)
	code := EnrollCode{Secret: [10]byte(unhex(g.Secret)), Root: RootFingerprint(suite, root)}
	id := code.ID(suite)
	if code.String() != g.Code || hex.EncodeToString(id[:]) != g.CodeID {
		t.Errorf("code %s, id %x", code, id)
	}
	if c, err := ParseEnrollCode(g.Code); err != nil || c != code {
		t.Errorf("code: %v", err)
	}
	msg := func(name string) []byte { return unhex(g.Messages[name]) }
	r, err := Decode[Request](msg("request"))
	if err != nil || r.Verify(suite, device) != nil || r.Device != 1_000_001 || r.Cursor != 3 || len(r.Packets) != 2 || r.WaitMS != 25_000 {
		t.Errorf("request: %+v %v", r, err)
	}
	a, err := Decode[Reply](msg("reply"))
	if err != nil || a.Time.Verify(suite, root) != nil || a.Need != "codec 1" || !a.More || a.RetryAfterMS != 500 || len(a.Events) != 1 {
		t.Errorf("reply: %+v %v", a, err)
	}
	h, err := Decode[HelloReply](msg("hello reply"))
	if err != nil || h.Verify(suite, unhex(g.Nonce)) != nil {
		t.Errorf("hello reply: %v", err)
	}
	if p, err := OpenPins(suite, root, h.Pins); err != nil || p.At != 1_795_000_000_000 || len(p.Pins) != 2 {
		t.Errorf("pins: %+v %v", p, err)
	}
	e, err := Decode[Enroll](msg("enroll"))
	if err != nil || e.Verify(suite) != nil || e.CodeID != id || e.Proof != EnrollProof(suite, code.Secret, e.Nonce, e.SignKey, e.SealKey) {
		t.Errorf("enroll: %+v %v", e, err)
	}
	x, err := Decode[Error](msg("error"))
	if err != nil || x.Code != CodeNonce || string(x.Nonce) != "fresh" {
		t.Errorf("error: %+v %v", x, err)
	}
}

func writeGolden(t *testing.T) {
	t.Helper()
	root, device, seal := mustKey(t), mustKey(t), mustKey(t)
	code, err := NewEnrollCode(suite, root.Public(), bytes.NewReader([]byte("0123456789")))
	if err != nil {
		t.Fatal(err)
	}
	id := code.ID(suite)
	r := Request{Device: 1_000_001, Nonce: []byte("nonce"), Cursor: 3, Packets: [][]byte{{1, 2}, {3}}, WaitMS: 25_000}
	tm := Time{At: 1_795_000_000_000, Nonce: r.Nonce}
	pins, err := SignPins(root, PinSet{At: 1_795_000_000_000, Pins: [][32]byte{{1}, {2}}})
	if err != nil {
		t.Fatal(err)
	}
	nonce := []byte("sixteen bytes...")
	h := HelloReply{Root: root.Public(), Pins: pins, Nonce: []byte("enrol")}
	e := Enroll{CodeID: id, Nonce: h.Nonce, SignKey: device.Public(), SealKey: seal.Public(), Machine: "station-1", Proof: EnrollProof(suite, code.Secret, h.Nonce, device.Public(), seal.Public())}
	if err := errors.Join(r.Sign(device), tm.Sign(root), h.Sign(root, nonce), e.Sign(device)); err != nil {
		t.Fatal(err)
	}
	hx := func(v any) string { return hex.EncodeToString(encode(t, v)) }
	g := golden{
		Root: hex.EncodeToString(root.Public()), Device: hex.EncodeToString(device.Public()), Nonce: hex.EncodeToString(nonce),
		Secret: hex.EncodeToString(code.Secret[:]), Code: code.String(), CodeID: hex.EncodeToString(id[:]),
		Messages: map[string]string{
			"request": hx(r), "hello reply": hx(h), "enroll": hx(e),
			"reply": hx(Reply{V: Version, Ack: []byte{9}, Need: "codec 1", Events: [][]byte{{8}}, More: true, RetryAfterMS: 500, Time: tm, Nonce: []byte("next")}),
			"error": hx(Error{V: Version, Code: CodeNonce, Nonce: []byte("fresh")}),
		},
	}
	b, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
