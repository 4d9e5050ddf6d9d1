// Package desktest makes a machine of the sample county for tests, without a gateway: real store, real packs, real keys,
// with a cheap PIN hash so that tests stay quick.
package desktest

import (
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"bianmin/assets/county"
	"bianmin/offline/catalog"
	"bianmin/offline/clocks"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

// The sample station's first operator.
const (
	Operator = "wang"
	PIN      = "246810"
)

// Day is the date of the tests' clock, unless they set another.
var Day = time.Date(2026, 11, 22, 9, 30, 0, 0, time.FixedZone("CST", 8*3600))

// Platform is the other end's keys.
type Platform struct{ Root, Sign, Seal vault.PrivateKey }

// Machine is an installed machine.
type Machine struct {
	Config   desk.Config
	Platform Platform
	Clock    *Clock
	Grant    desk.Grant // what it was installed with
}

// Clock is a clock that tests set. Running is how long the machine has been running; zero: not known.
type Clock struct {
	T       time.Time
	Running clocks.Boot
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time { return c.T }

// Boot returns the running time.
func (c *Clock) Boot() clocks.Boot { return c.Running }

// New installs a machine of the sample county in a temporary folder.
func New(t testing.TB) *Machine {
	t.Helper()
	return newMachine(t, sample, nil)
}

// NewWith installs a machine whose grant was changed: other operators, other packs. nil changes nothing.
func NewWith(t testing.TB, change func(m *Machine, g *desk.Grant)) *Machine {
	t.Helper()
	return newMachine(t, sample, change)
}

// NewOf installs a machine of a county with that folder.
func NewOf(t testing.TB, folder fs.FS) *Machine {
	t.Helper()
	return newMachine(t, func() (made, error) { return make1(folder) }, nil)
}

// made is a county: its platform's keys and the packs that they signed. Machines only read them.
type made struct {
	platform Platform
	packs    [][]byte
}

// sample is the sample county, made once.
var sample = sync.OnceValues(func() (made, error) { return make1(county.FS()) })

func make1(folder fs.FS) (c made, err error) {
	s := vault.SM(nil)
	for _, k := range []*vault.PrivateKey{&c.platform.Root, &c.platform.Sign, &c.platform.Seal} {
		if *k, err = s.GenerateKey(); err != nil {
			return c, err
		}
	}
	built, err := catalog.BuildCounty(folder, 1, c.platform.Root)
	for _, b := range built {
		c.packs = append(c.packs, b.Data)
	}
	return c, err
}

func newMachine(t testing.TB, of func() (made, error), change func(m *Machine, g *desk.Grant)) *Machine {
	t.Helper()
	s := vault.SM(nil)
	key := func() vault.PrivateKey {
		k, err := s.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	c, err := of()
	if err != nil {
		t.Fatal(err)
	}
	m := &Machine{Platform: c.platform, Clock: &Clock{T: Day}}
	m.Config = desk.Config{
		Dir: filepath.Join(t.TempDir(), "data"), Suite: s, Clock: m.Clock, Argon: vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1},
	}
	m.Config.Machine = vault.KeyFile(filepath.Join(m.Config.Dir, "machine.key")) // whatever the test's machine has
	sign := key()
	const device = 7
	list, err := receipt.SignKeyList(m.Platform.Root, receipt.KeyList{
		County: "999999", Version: 1, At: Day.Unix(),
		Keys: []receipt.Key{
			{Public: sign.Public(), Stage: receipt.StageStation, Device: device, Name: "柳树村便民服务站", Division: "999999101201", Telephone: "0999-6001201"},
			{Public: m.Platform.Sign.Public(), Stage: receipt.StagePlatform, Name: "示范县", Division: "999999000000", Telephone: "0999-6001000"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := desk.Grant{
		Enrolment: desk.Enrolment{
			Device: device, Root: m.Platform.Root.Public(), SignKey: m.Platform.Sign.Public(), SealKey: m.Platform.Seal.Public(),
			Station: counter.Station{Division: "999999101201", Name: "柳树村便民服务站", Telephone: "0999-6001201", County: "999999", ShortHost: "bm.shifan.example"},
			Gateway: "https://127.0.0.1:1", KeyList: list, Demo: true, At: Day.UnixMilli(),
		},
		Sign: sign, Seal: key(),
		Operators: []vault.NewOperator{
			{ID: Operator, Name: "王秀英", Role: "staff", Division: "999999101201", PIN: PIN},
			{ID: "li", Name: "李建国", Role: "staff", Division: "999999101201", PIN: "135790"},
		},
	}
	for _, p := range c.packs {
		g.Packs = append(g.Packs, slices.Clone(p))
	}
	if change != nil {
		change(m, &g)
	}
	if err := desk.Install(t.Context(), m.Config, g); err != nil {
		t.Fatal(err)
	}
	m.Grant = g
	return m
}

// Open takes the machine's folder; it is given back when the test ends, unless the test did.
func (m *Machine) Open(t testing.TB) *desk.Desk {
	t.Helper()
	d, err := desk.Open(m.Config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() }) // a test may have closed it
	return d
}

// Login opens the folder and a session of the first operator.
func (m *Machine) Login(t testing.TB) (*desk.Desk, *desk.Session) {
	t.Helper()
	d := m.Open(t)
	s, err := d.Login(t.Context(), Operator, PIN)
	if err != nil {
		t.Fatal(err)
	}
	return d, s
}
