package vault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// vector is one signature on which gmsm, OpenSSL and noble-curves agree.
type vector struct {
	Name, Pub, Msg, Uid, R, S, Der string //nolint:revive // names of the file
	Valid                          bool
}

// scalar reads a hexadecimal number; hostile vectors have some wider than 32 bytes.
func (v vector) raw(t *testing.T) ([]byte, bool) {
	t.Helper()
	var out []byte
	for _, s := range []string{v.R, v.S} {
		n, ok := new(big.Int).SetString(s, 16)
		if !ok {
			t.Fatalf("%s: number %q", v.Name, s)
		}
		if n.BitLen() > 256 {
			return nil, false
		}
		out = append(out, n.FillBytes(make([]byte, 32))...)
	}
	return out, true
}

func TestSM2Vectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/sm2-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 220 {
		t.Fatalf("%d vectors", len(vectors))
	}
	s, valid, hostile := SM(nil), 0, 0
	for _, v := range vectors {
		sig, fits := v.raw(t)
		if got := verifyAs(unhex(t, v.Pub), []byte(v.Uid), unhex(t, v.Msg), sig); got != v.Valid {
			t.Errorf("%s: %t, want %t", v.Name, got, v.Valid)
		}
		// The suite itself knows the default user id only: the signature under another id does not pass, and the one
		// that is refused under another id was made under the default.
		want := v.Valid
		if v.Uid != "1234567812345678" {
			want = !v.Valid
		}
		if got := s.VerifyRaw(unhex(t, v.Pub), unhex(t, v.Msg), sig); got != want {
			t.Errorf("%s under the default id: %t, want %t", v.Name, got, want)
		}
		if v.Valid {
			valid++
		} else {
			hostile++
		}
		if !v.Valid || !fits {
			continue
		}
		der, err := rawToDER(sig)
		if err != nil || hex.EncodeToString(der) != v.Der {
			t.Errorf("%s: DER %x: %v", v.Name, der, err)
		}
		if back, err := derToRaw(der); err != nil || !bytes.Equal(back, sig) {
			t.Errorf("%s: DER does not come back: %v", v.Name, err)
		}
	}
	if valid != 203 || hostile != 17 {
		t.Errorf("%d valid, %d hostile", valid, hostile)
	}
}

func TestSignVerify(t *testing.T) {
	s := SM(nil)
	k := mustKey(t)
	rounds := 100
	if os.Getenv("BIANMIN_FULL") == "1" {
		rounds = 1000
	}
	for i := range rounds {
		msg := U64(uint64(i))
		sig, err := k.SignRaw(msg)
		if err != nil || len(sig) != SignatureSize || !s.VerifyRaw(k.Public(), msg, sig) {
			t.Fatalf("signature %d: %v", i, err)
		}
	}
	sig, err := Sign(k, "ack", []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(s, k.Public(), "ack", []byte("body"), sig); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"domain":  Verify(s, k.Public(), "event", []byte("body"), sig),
		"body":    Verify(s, k.Public(), "ack", []byte("bodz"), sig),
		"key":     Verify(s, mustKey(t).Public(), "ack", []byte("body"), sig),
		"short":   Verify(s, k.Public(), "ack", []byte("body"), sig[:63]),
		"no key":  Verify(s, nil, "ack", []byte("body"), sig),
		"off key": Verify(s, bytes.Repeat([]byte{4}, PublicKeySize), "ack", []byte("body"), sig),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

func TestDERIsStrict(t *testing.T) {
	good, err := mustKey(t).(smPrivate).k.SignWithSM2(SM(nil).(smSuite).rand, nil, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{
		"empty": {}, "trailing byte": append(bytes.Clone(good), 0), "half": good[:len(good)/2],
		"zero": unhex(t, "3006020100020101"), "negative": unhex(t, "30060201ff020101"), "one number": unhex(t, "3003020101"),
		"three numbers": unhex(t, "3009020101020101020101"),
		"wide":          append(unhex(t, "3026022101"), append(make([]byte, 32), 2, 1, 1)...),
	} {
		if raw, err := derToRaw(der); err == nil {
			t.Errorf("%s: %x", name, raw)
		}
	}
}

func TestSeal(t *testing.T) {
	s := SM(nil)
	key, err := s.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 15, 16, 17, 4096} {
		plain := bytes.Repeat([]byte{7}, n)
		sealed, err := s.Seal(key, plain, []byte("place"))
		if err != nil || len(sealed) != NonceSize+n+TagSize {
			t.Fatalf("%d bytes: %d, %v", n, len(sealed), err)
		}
		if got, err := s.Open(key, sealed, []byte("place")); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if _, err := s.Open(other, sealed, []byte("place")); !errors.Is(err, ErrOpen) {
			t.Errorf("another key: %v", err)
		}
		if _, err := s.Open(key, sealed, []byte("palce")); !errors.Is(err, ErrOpen) {
			t.Errorf("another place: %v", err)
		}
		for i := 0; i < len(sealed); i += 1 + len(sealed)/64 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 0x80
			if _, err := s.Open(key, bad, []byte("place")); !errors.Is(err, ErrOpen) {
				t.Fatalf("byte %d changed: %v", i, err)
			}
		}
		if _, err := s.Open(key, sealed[:NonceSize+TagSize-1], []byte("place")); !errors.Is(err, ErrOpen) {
			t.Errorf("too short: %v", err)
		}
	}
}

// GB/T 32907-2016 has no GCM vector; RFC 8998 §A.1 has one for SM4-GCM, GB/T 32905-2016 §A.1 one for SM3.
func TestPublishedVectors(t *testing.T) {
	s := SM(nil)
	if got := s.Hash([]byte("a"), []byte("bc")).String(); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3(abc) = %s", got)
	}
	key := Key(unhex(t, "0123456789abcdeffedcba9876543210"))
	nonce := unhex(t, "00001234567800000000abcd")
	aad := unhex(t, "feedfacedeadbeeffeedfacedeadbeefabaddad2")
	plain := unhex(t, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa")
	want := "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"
	sealed, err := SM(bytes.NewReader(nonce)).Seal(key, plain, aad)
	if err != nil || hex.EncodeToString(sealed) != hex.EncodeToString(nonce)+want {
		t.Errorf("SM4-GCM: %x %v", sealed, err)
	}
	k := s.MAC([]byte("key"), []byte("The quick brown fox "), []byte("jumps"))
	if k != s.MAC([]byte("key"), []byte("The quick brown fox jumps")) || k == s.MAC([]byte("kez"), []byte("The quick brown fox jumps")) {
		t.Error("MAC depends on how its input is cut, or not on its key")
	}
}

func TestSealTo(t *testing.T) {
	s, k := SM(nil), mustKey(t)
	sealed, err := s.SealTo(k.Public(), []byte("content key"))
	if err != nil || len(sealed) != sealedExtra+len("content key") || sealed[0] != 4 {
		t.Fatalf("%d bytes: %v", len(sealed), err)
	}
	if got, err := k.OpenSealed(sealed); err != nil || string(got) != "content key" {
		t.Fatalf("%q: %v", got, err)
	}
	if _, err := mustKey(t).OpenSealed(sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("another key: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := k.OpenSealed(bad); !errors.Is(err, ErrOpen) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	hostile := map[string][]byte{
		"empty": {}, "short": sealed[:sealedExtra], "ASN.1": append([]byte{0x30}, sealed[1:]...),
		"infinity": append(append([]byte{4}, make([]byte, 64)...), sealed[65:]...),
	}
	for name, b := range hostile {
		if _, err := k.OpenSealed(b); !errors.Is(err, ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, pub := range badPublicKeys(t, k) {
		if _, err := s.SealTo(pub, []byte("x")); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := pub.SPKI(); !errors.Is(err, ErrKey) {
			t.Errorf("%s: SPKI: %v", name, err)
		}
	}
}

func badPublicKeys(t *testing.T, k PrivateKey) map[string]PublicKey {
	t.Helper()
	off := bytes.Clone(k.Public())
	off[64] ^= 1
	// x + p names the same point, if it fits in 32 bytes; x = 0 has a point on this curve, so x = p would be one.
	p := sm2.P256().Params().P
	wide := append([]byte{4}, p.FillBytes(make([]byte, 32))...)
	wide = append(wide, k.Public()[33:]...)
	return map[string]PublicKey{
		"nil": nil, "short": k.Public()[:64], "compressed": append([]byte{2}, k.Public()[1:33]...), "form": append([]byte{6}, k.Public()[1:]...),
		"off the curve": off, "infinity": append([]byte{4}, make([]byte, 64)...), "coordinate past the field": wide,
	}
}

func TestPrivateKeyRange(t *testing.T) {
	s := SM(nil)
	n := sm2.P256().Params().N
	bytesOf := func(v *big.Int) []byte { return v.FillBytes(make([]byte, 32)) }
	for name, d := range map[string][]byte{
		"zero": make([]byte, 32), "n": bytesOf(n), "n-1": bytesOf(new(big.Int).Sub(n, big.NewInt(1))), "short": make([]byte, 31),
		"long": make([]byte, 33), "all ones": bytes.Repeat([]byte{0xff}, 32), "nil": nil,
	} {
		if _, err := s.ParsePrivateKey(d); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, d := range []*big.Int{big.NewInt(1), new(big.Int).Sub(n, big.NewInt(2))} {
		k, err := s.ParsePrivateKey(bytesOf(d))
		if err != nil {
			t.Fatal(err)
		}
		sig, err := k.SignRaw([]byte("m"))
		if err != nil || !s.VerifyRaw(k.Public(), []byte("m"), sig) {
			t.Errorf("scalar at the border: %v", err)
		}
	}
	k := mustKey(t)
	again, err := s.ParsePrivateKey(mustScalar(t, k))
	if err != nil || !bytes.Equal(again.Public(), k.Public()) {
		t.Errorf("scalar does not come back: %v", err)
	}
}

func TestKIDAndSPKI(t *testing.T) {
	k := mustKey(t)
	der, err := k.Public().SPKI()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := smx509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatalf("%T: %v", parsed, err)
	}
	h := SM(nil).Hash(der)
	if !bytes.Equal(k.Public().KID(), h[:4]) {
		t.Error("kid is not the first four bytes of SM3(SPKI)")
	}
	if !bytes.HasSuffix(der, k.Public()) {
		t.Error("SPKI does not end with the point")
	}
}

// Secrets stay out of logs and formatted text, whatever the verb.
func TestSecretsDoNotPrint(t *testing.T) {
	f := newFixture(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	p, err := u.Period(f.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	d := mustScalar(t, f.sign)
	n := new(big.Int).SetBytes(d)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	jlogger := slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{p, p.Store, f.sign, f.ring, u, &p, []Key{p.Store}, []PrivateKey{f.sign}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q"} {
			fmt.Fprintf(&log, verb+"\n", v)
		}
		logger.Info("test", slog.Any("value", v))
		jlogger.Info("test", slog.Any("value", v))
	}
	text := strings.ToLower(log.String())
	for name, secret := range map[string][]byte{"store key": p.Store[:], "blob key": p.Blob[:], "salt": p.Salt[:], "scalar": d, "machine secret": f.ring.secret} {
		decimals := strings.Trim(fmt.Sprintf("%v", secret), "[]")
		for _, form := range []string{hex.EncodeToString(secret), decimals, strings.ReplaceAll(decimals, " ", ",")} {
			if strings.Contains(text, form) {
				t.Errorf("the %s prints", name)
			}
		}
	}
	if strings.Contains(text, n.String()) || strings.Contains(text, "王小满") {
		t.Error("scalar or name prints")
	}
}

func TestFailingRandomness(t *testing.T) {
	s := SM(strings.NewReader("short"))
	if _, err := s.NewKey(); err == nil {
		t.Error("key out of too little randomness")
	}
	if _, err := s.Seal(Key{}, []byte("x"), nil); err == nil {
		t.Error("nonce out of no randomness")
	}
}

func BenchmarkSuite(b *testing.B) {
	s := SM(nil)
	k := mustKey(b)
	msg := make([]byte, 200)
	sig, err := k.SignRaw(msg)
	if err != nil {
		b.Fatal(err)
	}
	sealed, err := s.SealTo(k.Public(), msg[:16])
	if err != nil {
		b.Fatal(err)
	}
	pub := k.Public()
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.SignRaw(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if !s.VerifyRaw(pub, msg, sig) {
				b.Fatal("signature")
			}
		}
	})
	b.Run("sealto", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.SealTo(pub, msg[:16]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("opensealed", func(b *testing.B) {
		for b.Loop() {
			if _, err := k.OpenSealed(sealed); err != nil {
				b.Fatal(err)
			}
		}
	})
}
