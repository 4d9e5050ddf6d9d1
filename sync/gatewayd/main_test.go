package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/catalog"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/sync/client"
	"bianmin/sync/wire"
)

var suite = vault.SM(nil)

// platform is a sample county in a folder, with its server running.
type platform struct {
	t   *testing.T
	dir string
	url string
}

// call runs one command with --json and decodes what it prints.
func (p *platform) call(out any, want int, args ...string) string {
	p.t.Helper()
	var o, e bytes.Buffer
	code := run(context.Background(), append(slices.Clone(args), "--data", p.dir, "--json"), strings.NewReader(""), &o, &e)
	if code != want {
		p.t.Fatalf("%v: exit code %d, want %d: %s%s", args, code, want, o.String(), e.String())
	}
	if out != nil {
		if err := json.Unmarshal(o.Bytes(), out); err != nil {
			p.t.Fatalf("%v: %v in %s", args, err, o.String())
		}
	}
	if want != exitOK && o.Len() == 0 {
		var v struct{ Error, Message string }
		if err := json.Unmarshal(e.Bytes(), &v); err != nil || v.Error == "" || v.Message == "" {
			p.t.Fatalf("%v: no error in %q", args, e.String())
		}
		return v.Error
	}
	return ""
}

// serving starts the sample county; the test's end stops it like SIGTERM does.
func serving(t *testing.T) *platform {
	t.Helper()
	p := &platform{t: t, dir: filepath.Join(t.TempDir(), "gw")}
	p.call(nil, exitOK, "init", "--sample", "--short-host", "fw.example.gov.cn", "--addr", "127.0.0.1:0")
	ready := filepath.Join(p.dir, "ready")
	ctx, cancel := context.WithCancel(context.Background())
	pr, pw := io.Pipe()
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"serve", "--data", p.dir, "--ready-file", ready}, strings.NewReader(""), pw, &errs)
		pw.Close()
	}()
	line := make([]byte, 200)
	n, err := pr.Read(line)
	if err != nil {
		t.Fatalf("serve: %v: %s", err, errs.String())
	}
	p.url = strings.TrimSpace(string(line[:n]))
	if data, err := os.ReadFile(ready); err != nil || strings.TrimSpace(string(data)) != p.url {
		t.Fatalf("ready file %q, %v; printed %q", data, err, p.url)
	}
	t.Cleanup(func() {
		cancel()
		select {
		case code := <-done:
			if code != exitOK {
				t.Errorf("serve ended with %d: %s", code, errs.String())
			}
		case <-time.After(20 * time.Second):
			t.Error("serve does not end")
		}
	})
	return p
}

// machine is an enrolled device with its own records.
type machine struct {
	t          *testing.T
	grant      wire.Grant
	sign, seal vault.PrivateKey
	root       vault.PublicKey
	dev        *client.Device
	cl         *client.Client
	head       vault.Hash
	records    []journal.Record
	events     []journal.Event
	cursor     uint64
	dict       []byte
}

func (p *platform) machine(code string) *machine {
	p.t.Helper()
	ctx := context.Background()
	m := &machine{t: p.t}
	var err error
	for _, k := range []*vault.PrivateKey{&m.sign, &m.seal} {
		if *k, err = suite.GenerateKey(); err != nil {
			p.t.Fatal(err)
		}
	}
	c, err := wire.ParseEnrollCode(code)
	if err != nil {
		p.t.Fatal(err)
	}
	cfg := client.Config{BaseURL: p.url, Suite: suite}
	var root vault.PublicKey
	var pins []byte
	if m.grant, root, pins, err = client.Enroll(ctx, cfg, c, m.sign, m.seal, "desk"); err != nil {
		p.t.Fatal(err)
	}
	m.root = root
	set, err := wire.OpenPins(suite, root, pins)
	if err != nil {
		p.t.Fatal(err)
	}
	cfg.Pins = func() [][32]byte { return set.Pins }
	if m.cl, err = client.New(cfg); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(m.cl.Close)
	m.dev = m.cl.Device(m.grant.Device, m.sign, m.grant.Platform.SignKey)
	for _, ref := range m.grant.Packs {
		data, err := m.dev.Pack(ctx, ref)
		if err != nil {
			p.t.Fatal(err)
		}
		pk, err := catalog.Open(data, root)
		if err != nil {
			p.t.Fatal(err)
		}
		if pk.Kind == catalog.KindCounty {
			cs := catalog.NewSet()
			if err := cs.Add(pk); err != nil {
				p.t.Fatal(err)
			}
			cat, err := cs.Catalog()
			if err != nil {
				p.t.Fatal(err)
			}
			m.dict = cat.Dictionary
		}
	}
	return m
}

func (m *machine) add(kind journal.Kind, body any) journal.Record {
	m.t.Helper()
	r, err := journal.Next(suite, m.grant.Device, uint64(len(m.records)), m.head, make([]byte, 32), time.Now().UnixMilli(), journal.Clock{}, "wang", kind, canon.MustMarshal(body))
	if err != nil {
		m.t.Fatal(err)
	}
	m.records, m.head = append(m.records, r), r.Hash(suite)
	return r
}

// exchange sends the records from seq on and takes all events.
func (m *machine) exchange(from uint64, wait time.Duration) {
	m.t.Helper()
	q := wire.Request{Cursor: m.cursor, WaitMS: wait.Milliseconds()}
	if n := uint64(len(m.records)); from <= n {
		p, err := packet.Seal(m.records[from-1:], packet.Options{
			Suite: suite, Device: m.grant.Device, Signer: m.sign, Recipients: []vault.PublicKey{m.grant.Platform.SealKey},
			Codec: packet.CodecZstd, Dict: m.dict,
		})
		if err != nil {
			m.t.Fatal(err)
		}
		q.Packets = [][]byte{p}
	}
	reply, err := m.dev.Exchange(context.Background(), q)
	if err != nil {
		m.t.Fatal(err)
	}
	ack, err := packet.OpenAck(suite, m.grant.Platform.SignKey, reply.Ack)
	if err != nil || ack.To != uint64(len(m.records)) || ack.Head != m.head {
		m.t.Fatalf("ack of %d, %v, need %q", ack.To, err, reply.Need)
	}
	for _, raw := range reply.Events {
		e, err := journal.ParseEvent(raw)
		if err != nil {
			m.t.Fatal(err)
		}
		m.cursor = e.Cursor
		m.events = append(m.events, e)
	}
}

func (m *machine) submit(name, idno string) (journal.Record, string) {
	m.t.Helper()
	b := journal.CaseSubmitted{
		Service: "gaoling", ItemCode: "x", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1, Applicant: name,
		IDNumber: idno, Phone: "13800000000", Division: m.grant.Station.Division,
		Answers: canon.MustMarshal(map[string]any{"name": name, "phone": "13800000000"}),
	}
	r := m.add(journal.KindCaseSubmitted, b)
	env, err := receipt.Sign(m.sign, receipt.Stage1{
		Device: r.Device, Seq: r.Seq, At: r.At / 1000, Item: b.ItemName, Name: ident.MaskName(name), Prev: [8]byte(r.Prev[:8]),
	}.Payload())
	if err != nil {
		m.t.Fatal(err)
	}
	return r, receipt.Link("fw.example.gov.cn", env)
}

// TestReviewersDay walks through every command beside a running server.
func TestReviewersDay(t *testing.T) {
	p := serving(t)
	var code struct{ Code, Station, Name, Expires string }
	codeFile := filepath.Join(t.TempDir(), "code")
	p.call(&code, exitOK, "enroll", "--out", codeFile)
	if data, err := os.ReadFile(codeFile); err != nil || strings.TrimSpace(string(data)) != code.Code {
		t.Fatalf("code file %q, %v", data, err)
	}
	m := p.machine(code.Code)
	if !m.grant.Demo || len(m.grant.Operators) == 0 || len(m.grant.Packs) != 2 || m.grant.Operators[0].OneTime {
		t.Fatalf("%+v", m.grant)
	}
	m.add(journal.KindEnrolled, journal.Note{})
	_, link := m.submit("欧阳淑华", "999999194102030021")
	m.exchange(1, 0)

	var list []caseLine
	p.call(&list, exitOK, "case", "list", "--state", "accepted")
	if len(list) != 1 || list[0].Applicant == "欧阳淑华" || list[0].Due == "" || len(list[0].OfficialNo) != 43 {
		t.Fatalf("%+v", list)
	}
	no := list[0].No
	var full caseFull
	p.call(&full, exitOK, "case", "show", list[0].OfficialNo)
	if full.Name != "欧阳淑华" || full.No != no || len(full.Timeline) != 2 {
		t.Fatalf("%+v", full)
	}
	if key := p.call(nil, exitUsage, "case", "correct", no, "--field", "nothingLikeIt", "--note", "n"); key != "fields" {
		t.Fatalf("error %q", key)
	}
	for _, tt := range []struct{ lang, field, say string }{
		{"zh", "amount", "amount 由程序算出，不能补正"},
		{"en", "amountNote", "amountNote is a text to read"},
	} {
		var o, e bytes.Buffer
		args := []string{"case", "correct", no, "--field", tt.field, "--note", "n", "--lang", tt.lang, "--data", p.dir}
		if c := run(context.Background(), args, strings.NewReader(""), &o, &e); c != exitUsage || !strings.Contains(e.String(), tt.say) || !strings.Contains(e.String(), "contactPhone") {
			t.Errorf("correct %s: %d %s", tt.field, c, e.String())
		}
	}
	if key := p.call(nil, exitNotFound, "case", "show", "1-77-00"); key != "notFound" {
		t.Fatalf("error %q", key)
	}
	if key := p.call(nil, exitState, "case", "accept", no); key != "state" {
		t.Fatalf("error %q", key)
	}
	// A device that waits hears what this command, another process, does.
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		var o, e bytes.Buffer
		if c := run(context.Background(), []string{"case", "correct", no, "--field", "bankcard", "--note", "电话少一位", "--officer", "赵科长", "--data", p.dir}, strings.NewReader(""), &o, &e); c != exitOK {
			t.Errorf("correct: %d %s", c, e.String())
		}
	}()
	m.exchange(99, 20*time.Second)
	wg.Wait()
	asked := m.events[len(m.events)-1]
	if asked.Kind != journal.EventCorrection {
		t.Fatalf("heard %s", asked.Kind)
	}
	m.add(journal.KindCaseAmended, journal.CaseAmended{Case: 2, Cursor: asked.Cursor, Answers: canon.MustMarshal(map[string]any{"phone": "13900000000"})})
	m.exchange(3, 0)
	p.call(nil, exitUsage, "case", "decide", no)
	p.call(nil, exitUsage, "case", "decide", no, "--granted", "--denied")
	var line caseLine
	p.call(&line, exitOK, "case", "decide", no, "--granted", "--note", "同意")
	if line.State != "granted" {
		t.Fatalf("%+v", line)
	}
	p.call(&line, exitOK, "case", "deliver", no)
	var rebuilt struct{ Records, Events, Cases int }
	p.call(&rebuilt, exitOK, "case", "rebuild")
	if rebuilt.Records != 3 || rebuilt.Cases != 1 {
		t.Fatalf("%+v", rebuilt)
	}
	p.call(&full, exitOK, "case", "show", no)
	if full.State != "delivered" {
		t.Fatalf("%+v", full.caseLine)
	}

	var jl struct {
		Seq     uint64
		Head    string
		Records []struct {
			Seq        uint64
			Kind, Hash string
		}
	}
	p.call(&jl, exitOK, "journal", "list", "--device", "1")
	if jl.Seq != 3 || jl.Head != m.head.String() || len(jl.Records) != 3 || jl.Records[1].Kind != "case.submitted" || jl.Records[2].Hash != jl.Head {
		t.Fatalf("%+v", jl)
	}
	p.call(nil, exitNotFound, "journal", "list", "--device", "9")
	p.call(nil, exitOK, "journal", "verify")
	p.checkpoints()

	var v struct {
		State  string
		No     string
		Status struct {
			Found bool
			State string
		}
	}
	p.call(&v, exitOK, "verify", link)
	if v.State != "genuine" || v.No != no || !v.Status.Found || v.Status.State != "delivered" {
		t.Fatalf("%+v", v)
	}
	forged := []byte(link)
	forged[len(forged)-9] ^= 1
	p.call(&v, exitForged, "verify", string(forged))
	p.call(&v, exitForged, "verify", "https://elsewhere/")
	p.testPage(m)

	var shown struct {
		Credential string
		Seconds    int
	}
	picture := filepath.Join(t.TempDir(), "code.png")
	p.call(&shown, exitOK, "credential", "--name", "刘玉珍", "--id-number", "999999194102030021", "--qr", picture)
	card, err := os.ReadFile(picture)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := receipt.ScanPicture(card); err != nil || text != shown.Credential || !receipt.IsCredential(text) || shown.Seconds != 60 {
		t.Fatalf("%+v; the picture holds another code: %v", shown, err)
	}
	p.call(nil, exitUsage, "credential", "--name", "刘玉珍")
	p.call(nil, exitFailed, "credential", "--name", "刘玉珍", "--id-number", "999999194102030022")

	var keys struct{ Devices []deviceLine }
	p.call(&keys, exitOK, "key", "list")
	if len(keys.Devices) != 1 || keys.Devices[0].Records != 3 || keys.Devices[0].Revoked != "" {
		t.Fatalf("%+v", keys)
	}
	var pem struct{ PEM string }
	for _, args := range [][]string{{"--device", "1"}, {"--platform"}, {"--root"}} {
		p.call(&pem, exitOK, append([]string{"key", "export"}, args...)...)
		if !strings.HasPrefix(pem.PEM, "-----BEGIN PUBLIC KEY-----\n") {
			t.Fatalf("%s", pem.PEM)
		}
	}
	p.call(nil, exitOK, "key", "revoke", "--device", "1", "--reason", "lost")
	p.call(nil, exitState, "key", "revoke", "--device", "1")
	p.call(&v, exitState, "verify", link)
	if v.State != "withdrawn" || !v.Status.Found {
		t.Fatalf("%+v", v)
	}
	_, err = m.dev.Exchange(context.Background(), wire.Request{})
	if wire.CodeOf(err) != wire.CodeRevoked {
		t.Fatalf("a withdrawn device was answered %v", err)
	}
}

// testPage asks for the static files as a phone does.
func (p *platform) testPage(m *machine) {
	p.t.Helper()
	phone := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // a self-signed test certificate
	get := func(path string) (http.Header, []byte) {
		p.t.Helper()
		resp, err := phone.Get(p.url + path)
		if err != nil {
			p.t.Fatal(err)
		}
		defer resp.Body.Close()
		data, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
			p.t.Fatalf("%s: %d, %s, %v", path, resp.StatusCode, resp.Proto, err)
		}
		return resp.Header, data
	}
	h, html := get("/r")
	if !strings.Contains(string(html), "<html") || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("ETag") == "" {
		p.t.Fatalf("page with %v", h)
	}
	get("/r/app.js")
	_, root := get("/r/root.cbor")
	if len(root) != vault.PublicKeySize {
		p.t.Fatalf("root of %d bytes", len(root))
	}
	var index struct{ Counties []string }
	_, data := get("/r/keys/index.json")
	if err := json.Unmarshal(data, &index); err != nil || !slices.Equal(index.Counties, []string{"999999"}) {
		p.t.Fatalf("%s, %v", data, err)
	}
	_, data = get("/r/keys/999999.cbor")
	list, err := receipt.OpenKeyList(suite, root, data)
	if err != nil || len(list.Keys) != 2 || !bytes.Equal(list.Keys[1].Public, m.sign.Public()) {
		p.t.Fatalf("%+v, %v", list, err)
	}
	get("/v1/health")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"case"}, {"case", "show"}, {"case", "list", "--state", "x"}, {"enroll", "--valid", "-1h"}, {"version", "--what"}} {
		var o, e bytes.Buffer
		if code := run(context.Background(), args, strings.NewReader(""), &o, &e); code != exitUsage {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
	var o, e bytes.Buffer
	if code := run(context.Background(), []string{"--help"}, strings.NewReader(""), &o, &e); code != exitOK {
		t.Fatalf("help: %d", code)
	}
	for _, c := range commands() {
		if !strings.Contains(o.String(), c.name) || c.zh == "" || c.en == "" {
			t.Errorf("help lacks %s", c.name)
		}
		var h bytes.Buffer
		if code := run(context.Background(), append(strings.Fields(c.name), "--help"), strings.NewReader(""), &h, &e); code != exitOK || !strings.Contains(h.String(), c.zh) || !strings.Contains(h.String(), "--json") {
			t.Errorf("%s --help: %d %s", c.name, code, h.String())
		}
	}
	// Common flags may stand in front.
	dir := filepath.Join(t.TempDir(), "none")
	if code := run(context.Background(), []string{"case", "--data", dir, "list", "--json"}, strings.NewReader(""), io.Discard, io.Discard); code != exitNotFound {
		t.Fatalf("no platform: %d", code)
	}
}

// TestPublish: a platform that was made bare becomes a county when its folder is published.
func TestPublish(t *testing.T) {
	p := &platform{t: t, dir: filepath.Join(t.TempDir(), "gw")}
	p.call(nil, exitOK, "init")
	p.call(nil, exitState, "init")
	p.call(nil, exitNotFound, "enroll")
	p.call(nil, exitNotFound, "pack", "publish", filepath.Join(t.TempDir(), "nowhere"))
	if key := p.call(nil, exitFailed, "pack", "publish", t.TempDir()); key == "" {
		t.Fatal("an empty folder was published")
	}
	folder := filepath.Join("..", "..", "assets", "county")
	var packs []packLine
	p.call(&packs, exitOK, "pack", "publish", folder)
	if len(packs) != 2 || packs[0].Version != 1 {
		t.Fatalf("%+v", packs)
	}
	p.call(nil, exitOK, "pack", "publish", folder)
	p.call(nil, exitState, "pack", "publish", folder, "--version", "1")
	p.call(&packs, exitOK, "pack", "list")
	if len(packs) != 2 || packs[0].Version != 2 {
		t.Fatalf("%+v", packs)
	}
	p.call(nil, exitOK, "enroll")
	var stations []struct{ Division string }
	p.call(&stations, exitOK, "station", "list")
	if len(stations) < 2 {
		t.Fatalf("%+v", stations)
	}
}

// TestExitWithParent: the pipe that a parent holds on standard input closes when the parent ends.
func TestExitWithParent(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	done := make(chan struct{})
	go func() {
		waitParent(context.Background(), r)
		close(done)
	}()
	select {
	case <-done:
		t.Fatal("ended while the pipe is open")
	case <-time.After(50 * time.Millisecond):
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the pipe is closed and nothing ended")
	}
}
