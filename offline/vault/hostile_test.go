package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/words"
	"bianmin/packaging/bomb"
)

// FuzzKeyFiles puts any bytes into the place of a key file: opening ends in words, never in a broken program, and a key
// file with other bytes is never believed.
func FuzzKeyFiles(f *testing.F) {
	dir := f.TempDir()
	s := SM(nil)
	secret := filepath.Join(dir, "machine")
	if _, err := CreateRing(dir, s, KeyFile(secret), RingOptions{
		Sign: mustKey(f), Seal: mustKey(f), Argon: cheap, Demo: true, Operators: []NewOperator{{ID: "a", PIN: "1234"}},
	}); err != nil {
		f.Fatal(err)
	}
	names := []string{"keys.a", "keys.b", "tries.a", "tries.b", "machine", "machine.b"}
	sound := map[string][]byte{}
	for i, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Fatal(err)
		}
		sound[name] = data
		f.Add(byte(i), data)
		f.Add(byte(i), data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		pair := names[int(which)%3*2 : int(which)%3*2+2]
		for _, name := range names {
			content := sound[name]
			if name == pair[0] || name == pair[1] {
				content = data
			}
			writeFile(t, filepath.Join(dir, name), content)
		}
		bomb.Bounded(t, bomb.Limit, func() {
			_, err := OpenRing(dir, s, KeyFile(secret), OpenOptions{})
			same := bytes.Equal(data, sound[pair[0]])
			if key, _ := words.KeyOf(err); err != nil && key == "error.unknown" {
				t.Fatalf("refused without words: %v", err)
			}
			if pair[0] != "tries.a" && (err == nil) != same {
				t.Fatalf("%s with other bytes: %v", pair[0], err)
			}
		})
	})
}

// A key file cannot ask for more memory or time than a machine has, even under the right secret.
func TestKeyFileBombs(t *testing.T) {
	dir := t.TempDir()
	s := SM(nil)
	r, err := CreateRing(dir, s, fixedMachine(make([]byte, MachineSecretSize)), RingOptions{
		Sign: mustKey(t), Seal: mustKey(t), Argon: cheap, Operators: []NewOperator{{ID: "a", PIN: "1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sealed := func(change func(*ringFile)) []byte {
		f := r.file
		change(&f)
		data, err := f.marshal(s, r.secret)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	slots := make([]operatorSlot, maxOperators+1)
	periods := make([]periodSlot, maxPeriods+1)
	bombs := map[string][]byte{
		"a terabyte for Argon2":  sealed(func(f *ringFile) { f.Argon.MemoryKiB = 1 << 30 }),
		"a year for Argon2":      sealed(func(f *ringFile) { f.Argon.Time = 1 << 30 }),
		"operators without end":  sealed(func(f *ringFile) { f.Operators = slots }),
		"periods without end":    sealed(func(f *ringFile) { f.Periods = periods }),
		"a slot of a megabyte":   sealed(func(f *ringFile) { f.Device = make([]byte, 1<<20) }),
		"nested without end":     bytes.Repeat([]byte{0x81}, maxPairBytes),
		"a list without content": append([]byte{0xa1, 8, 0x9a}, 0xff, 0xff, 0xff, 0xff),
		"a version to come":      canon.MustMarshal(map[int]int{1: 99}),
	}
	bomb.Child(t, func(t *testing.T) {
		for name, data := range bombs {
			for _, c := range copies {
				writeFile(t, filepath.Join(dir, ringName+c), data)
			}
			_, err := OpenRing(dir, s, fixedMachine(make([]byte, MachineSecretSize)), OpenOptions{})
			if key, _ := words.KeyOf(err); err == nil || key == "error.unknown" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
