package link_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"image"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bianmin/assets/county"
	"bianmin/offline/casefile"
	"bianmin/offline/clocks"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/form"
	"bianmin/offline/vault"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
	"bianmin/sync/link"
)

const (
	operator = "wang"
	pin      = "246810"
)

var (
	suite = vault.SM(nil)
	full  = os.Getenv("BIANMIN_FULL") == "1"
	cheap = vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1}
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// platform is the real gateway with the sample county, on loopback.
type platform struct {
	t    testing.TB
	dir  string
	g    *gateway.Gateway
	db   *sqlite.Store
	addr string
	wrap func(http.Handler) http.Handler
	// clock is the platform's and its machines'; nil: the system's.
	clock clocks.Clock
}

func newPlatform(t testing.TB, wrap func(http.Handler) http.Handler) *platform {
	t.Helper()
	return newPlatformAt(t, nil, wrap)
}

func newPlatformAt(t testing.TB, clock clocks.Clock, wrap func(http.Handler) http.Handler) *platform {
	t.Helper()
	dir := t.TempDir()
	_, err := gateway.CreateKeys(filepath.Join(dir, "keys"), suite, []string{"127.0.0.1"}, time.Now())
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	db, err := sqlite.Open(ctx, filepath.Join(dir, "gateway.db"))
	must(t, err)
	keys, err := gateway.OpenKeys(filepath.Join(dir, "keys"), suite)
	must(t, err)
	g, err := gateway.New(gateway.Config{Store: db, Keys: keys, Blobs: filepath.Join(dir, "blobs"), Suite: suite, Clock: clock, RetryAfter: 10 * time.Millisecond, Rate: 1000, Burst: 1000})
	must(t, err)
	_, err = g.LoadCounty(ctx, county.FS(), county.Version, gateway.Settings{ShortHost: "fw.example.gov.cn", AutoAccept: true})
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	srv := g.Server()
	if wrap != nil {
		srv.Handler = wrap(srv.Handler)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(tls.NewListener(ln, keys.TLSConfig())) })
	wg.Go(func() {
		if err := g.Run(ctx); err != nil {
			t.Errorf("gateway: %v", err)
		}
	})
	t.Cleanup(func() {
		srv.Close()
		stop()
		wg.Wait()
		must(t, db.Close())
	})
	return &platform{t: t, dir: dir, g: g, db: db, addr: ln.Addr().String(), wrap: wrap, clock: clock}
}

// machine is a station's machine: its folder, and while it is open its desk and line.
type machine struct {
	t     testing.TB
	dir   string
	clock clocks.Clock
	d     *desk.Desk
	l     *link.Link
	s     *desk.Session
}

func (p *platform) enrol(t testing.TB) *machine {
	t.Helper()
	code, _, err := p.g.NewCode(t.Context(), "999999101201", time.Hour)
	must(t, err)
	m := &machine{t: t, dir: filepath.Join(t.TempDir(), "data"), clock: p.clock}
	_, _, err = link.Enroll(t.Context(), link.EnrollOptions{Config: m.config(), Gateway: "https://" + p.addr, Code: code.String(), Machine: "desk"})
	must(t, err)
	m.open()
	return m
}

func (m *machine) config() desk.Config {
	return desk.Config{Dir: m.dir, Suite: suite, Argon: cheap, Clock: m.clock}
}

func (m *machine) open() {
	m.t.Helper()
	var err error
	m.d, err = desk.Open(m.config())
	must(m.t, err)
	m.l, err = link.New(m.d, link.Options{})
	must(m.t, err)
	m.t.Cleanup(m.close)
}

func (m *machine) login() {
	m.t.Helper()
	var err error
	m.s, err = m.d.Login(m.t.Context(), operator, pin)
	must(m.t, err)
}

func (m *machine) close() {
	if m.d == nil {
		return
	}
	if m.s != nil {
		must(m.t, m.s.Close(context.Background()))
	}
	m.l.Close()
	must(m.t, m.d.Close())
	m.d, m.l, m.s = nil, nil, nil
}

// copy is the machine's folder as it is, as a second machine or a backup; m must be closed.
func (m *machine) copy() *machine {
	m.t.Helper()
	c := &machine{t: m.t, dir: filepath.Join(m.t.TempDir(), "data"), clock: m.clock}
	must(m.t, os.CopyFS(c.dir, os.DirFS(m.dir)))
	for _, name := range []string{"machine.key", "machine.key.b"} { // where the secret is such a file
		if err := os.Chmod(filepath.Join(c.dir, name), 0o600); !errors.Is(err, os.ErrNotExist) {
			must(m.t, err)
		}
	}
	return c
}

// answers is one case of the sample county on one line, with 刘建军 as the person to call.
var answers = sync.OnceValue(func() string {
	data, err := os.ReadFile("../../offline/desk/testdata/gaoling.json")
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(data), "\n", " ")
})

var picture = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 60, 40))); err != nil {
		panic(err)
	}
	return b.Bytes()
})

// whoOf reads the person to call, by which the tests tell cases apart.
func whoOf(t testing.TB, c *casefile.Case) string {
	t.Helper()
	v, err := form.DecodeValues(c.Answers)
	must(t, err)
	name, ok := v["contactName"].(string)
	if !ok {
		t.Fatalf("case %s has no person to call", c.Number())
	}
	return name
}

// cases returns every case of the machine, whole.
func (m *machine) cases(t testing.TB) []counter.Case {
	t.Helper()
	list, err := m.s.Cases(t.Context())
	must(t, err)
	for i, c := range list {
		list[i], err = m.s.Case(t.Context(), c.Reference())
		must(t, err)
	}
	return list
}

// take takes a case in. who tells it from others.
func (m *machine) take(who string) counter.Submitted {
	m.t.Helper()
	files := m.t.TempDir()
	must(m.t, os.WriteFile(filepath.Join(files, "card.jpg"), picture(), 0o600))
	line := strings.Replace(answers(), "刘建军", who, 1)
	got, err := m.s.SubmitAnswers(m.t.Context(), "gaoling", []byte(line), files)
	if p := (*counter.IncompleteError)(nil); errors.As(err, &p) {
		m.t.Fatalf("%s: %+v", who, p.Problems[0])
	}
	must(m.t, err)
	return got
}

// mirrorOf reads the mirror of a machine.
func mirrorOf(t testing.TB, dir string) []gateway.MirrorFile {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "mirror", "*.bmp"))
	must(t, err)
	var out []gateway.MirrorFile
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(t, err)
		out = append(out, gateway.MirrorFile{Name: filepath.Base(name), Data: data})
	}
	return out
}
