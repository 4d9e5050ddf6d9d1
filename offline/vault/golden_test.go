package vault

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/clocks"
)

// golden is a stored key ring that later versions must read.
type golden struct {
	Machine    string            `json:"machine_secret"`
	Keys       string            `json:"keys"`
	Tries      string            `json:"tries"`
	PINs       map[string]string `json:"pins"`
	Device     string            `json:"device_signing_scalar"`
	Seal       string            `json:"device_encryption_scalar"`
	MachineKey string            `json:"machine_key"`
	Period     string            `json:"period"`
	Store      string            `json:"period_store_key"`
	Blob       string            `json:"period_blob_key"`
	Salt       string            `json:"period_salt"`
	County     string            `json:"county_recovery_scalar,omitempty"` // from version 2 on
}

type fixedMachine []byte

func (fixedMachine) Name() string              { return "fixed" }
func (m fixedMachine) Secret() ([]byte, error) { return m, nil }

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRingGolden(t *testing.T) {
	const newest = "testdata/ring-v2.json"
	if os.Getenv("BIANMIN_WRITE_GOLDEN") == "1" {
		writeRingGolden(t, newest)
	}
	for _, file := range []string{"testdata/ring-v1.json", newest} {
		t.Run(file, func(t *testing.T) { checkRingGolden(t, file) })
	}
}

func checkRingGolden(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range copies {
		writeFile(t, filepath.Join(dir, "keys"+c), unhex(t, g.Keys))
		writeFile(t, filepath.Join(dir, "tries"+c), unhex(t, g.Tries))
	}
	r, err := OpenRing(dir, SM(nil), fixedMachine(unhex(t, g.Machine)), OpenOptions{Clock: clocks.Wall(newClock().now)})
	if err != nil {
		t.Fatal(err)
	}
	mk := r.MachineKey()
	check := func(name, want string, got []byte) {
		t.Helper()
		if hex.EncodeToString(got) != want {
			t.Errorf("%s: %x, want %s", name, got, want)
		}
	}
	check("machine key", g.MachineKey, mk[:])
	check("device key", g.Device, mustScalar(t, r.DeviceKey()))
	for id, pin := range g.PINs {
		u := mustUnlock(t, r, id, pin)
		check("encryption key", g.Seal, mustScalar(t, u.SealKey()))
		p, err := u.PeriodByID(g.Period)
		if err != nil {
			t.Fatal(err)
		}
		check("store key", g.Store, p.Store[:])
		check("blob key", g.Blob, p.Blob[:])
		check("salt", g.Salt, p.Salt[:])
	}
	if g.County != "" {
		county, err := SM(nil).ParsePrivateKey(unhex(t, g.County))
		if err != nil {
			t.Fatal(err)
		}
		e, err := openEscrow(SM(nil), county, r.file.County.Sealed, r.SealPublic())
		if err != nil || e.Master != r.master {
			t.Fatalf("county's copy: %v", err)
		}
		check("machine secret", g.Machine, e.Secret)
	}
	// The next change writes the present version, and everything is still there.
	var again *Unlocked
	for id, pin := range g.PINs {
		again = mustUnlock(t, r, id, pin)
	}
	if _, err := again.Period(newClock().now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "keys.a"))
	if err != nil || leadingVersion(data) != ringVersion {
		t.Fatalf("version %d after a change: %v", leadingVersion(data), err)
	}
	r, err = OpenRing(dir, SM(nil), fixedMachine(unhex(t, g.Machine)), OpenOptions{Clock: clocks.Wall(newClock().now)})
	if err != nil {
		t.Fatal(err)
	}
	for id, pin := range g.PINs {
		if p, err := mustUnlock(t, r, id, pin).PeriodByID(g.Period); err != nil || hex.EncodeToString(p.Store[:]) != g.Store {
			t.Errorf("%s after the change: %v", id, err)
		}
	}
}

func writeRingGolden(t *testing.T, file string) {
	t.Helper()
	dir := t.TempDir()
	secret := bytes.Repeat([]byte{0x5a}, MachineSecretSize)
	c, county := newClock(), mustKey(t)
	o := RingOptions{
		Sign: mustKey(t), Seal: mustKey(t), Argon: cheap, Clock: clocks.Wall(c.now), County: county.Public(),
		Operators: []NewOperator{{ID: "op1", Name: "甲", PIN: "111222"}, {ID: "op2", Name: "乙", PIN: "333444", OneTime: true}},
	}
	r, err := CreateRing(dir, SM(nil), fixedMachine(secret), o)
	if err != nil {
		t.Fatal(err)
	}
	p, err := mustUnlock(t, r, "op1", "111222").Period(c.now())
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(b)
	}
	mk := r.MachineKey()
	g := golden{
		Machine: hex.EncodeToString(secret), Keys: read("keys.a"), Tries: read("tries.a"),
		PINs: map[string]string{"op1": "111222", "op2": "333444"}, Device: hex.EncodeToString(mustScalar(t, o.Sign)),
		Seal: hex.EncodeToString(mustScalar(t, o.Seal)), MachineKey: hex.EncodeToString(mk[:]), Period: p.ID,
		Store: hex.EncodeToString(p.Store[:]), Blob: hex.EncodeToString(p.Blob[:]), Salt: hex.EncodeToString(p.Salt[:]),
		County: hex.EncodeToString(mustScalar(t, county)),
	}
	b, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, append(b, '\n'))
}

func FuzzRingFile(f *testing.F) {
	dir := f.TempDir()
	s := SM(nil)
	r, err := CreateRing(dir, s, fixedMachine(make([]byte, MachineSecretSize)), RingOptions{
		Sign: mustKey(f), Seal: mustKey(f), Argon: cheap, County: mustKey(f).Public(), Operators: []NewOperator{{ID: "a", PIN: "1"}},
	})
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"keys.a", "tries.a"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := parseRingFile(s, r.secret, data); err == nil {
			again, err := file.marshal(s, r.secret)
			if err != nil || !bytes.Equal(again, data) {
				t.Fatalf("key file reads but encodes differently: %v", err)
			}
		}
		if _, err := parseTries(s, r.mkey, data); err == nil && len(data) == 0 {
			t.Fatal("tries out of nothing")
		}
	})
}
