package receiptpage

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

func TestLookup(t *testing.T) {
	for _, p := range []string{"/r", "/r/", "/r/index.html", "/r/app.js", "/r/words.js", "/r/sw.js", "/r/style.css", "/r/icon.svg"} {
		f, ok := Lookup(p)
		if !ok || len(f.Data) == 0 || f.Header["Content-Type"] == "" || f.Header["Content-Security-Policy"] != CSP || f.Header["ETag"] == "" {
			t.Errorf("%s: %v %v", p, ok, f.Header)
		}
		if !slices.Contains(Paths(), p) {
			t.Errorf("%s is not among the paths", p)
		}
	}
	for _, p := range []string{"/", "", "/r/../app.js", "/r/dist/app.js", "/app.js", "/r/keys/index.json"} {
		if _, ok := Lookup(p); ok {
			t.Errorf("%s is answered", p)
		}
	}
	if f, _ := Lookup("/r/sw.js"); f.Header["Service-Worker-Allowed"] != "/r" {
		t.Error("the worker may not control the page")
	}
}

// The page asks for nothing, ever: no field, no form, no script or address from elsewhere, nothing inline.
func TestPageAsksForNothing(t *testing.T) {
	for _, d := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(CSP, d) {
			t.Errorf("policy lacks %s", d)
		}
	}
	if strings.Contains(CSP, "unsafe") || strings.Contains(CSP, "*") || strings.Contains(CSP, "http") {
		t.Errorf("policy is not strict: %s", CSP)
	}
	html, _ := Lookup("/r")
	page := string(html.Data)
	if want := strings.ReplaceAll(CSP, "; frame-ancestors 'none'", ""); !strings.Contains(page, `content="`+want+`"`) {
		t.Error("the page does not carry the policy itself")
	}
	field := regexp.MustCompile(`(?i)<\s*(input|textarea|select|form|iframe|object|embed)|createElement\(["'](input|textarea|select|form|iframe)|contenteditable|\beval\(|innerHTML|document\.write|new Function`)
	address := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9-]+\.[a-z]{2,}[^\s"'` + "`" + `)]*`)
	for _, p := range Paths() {
		f, _ := Lookup(p)
		if m := field.Find(f.Data); m != nil {
			t.Errorf("%s has %q", p, m)
		}
		for _, m := range address.FindAll(f.Data, -1) {
			if string(m) != "http://www.w3.org/2000/svg" {
				t.Errorf("%s names %s", p, m)
			}
		}
	}
	if regexp.MustCompile(`(?i)\son[a-z]+\s*=|style\s*=|<style|<script[^>]*>[^<]`).MatchString(page) {
		t.Error("something inline in the page")
	}
}

func zipped(t *testing.T, data []byte) int {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// Logic at most 15 kB, the whole page at most 30 kB, both compressed: it opens on a weak signal.
func TestSizes(t *testing.T) {
	total := 0
	for _, name := range []string{"index.html", "app.js", "words.js", "style.css", "sw.js", "icon.svg"} {
		f, ok := Lookup("/r/" + name)
		if !ok {
			t.Fatal(name)
		}
		n := zipped(t, f.Data)
		t.Logf("%-10s %6d bytes, %5d compressed", name, len(f.Data), n)
		if name == "app.js" && n > 15_000 {
			t.Errorf("logic has %d bytes", n)
		}
		total += n
	}
	if total > 30_000 {
		t.Errorf("page has %d bytes", total)
	}
}

var installOnce = sync.OnceValue(func() error {
	for _, p := range []string{"node", "npm"} {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Errorf("the citizen page needs %s: apt-get install nodejs npm (make test does it)", p)
		}
	}
	lock, err := os.Stat("package-lock.json")
	if err != nil {
		return err
	}
	if have, err := os.Stat("node_modules/.package-lock.json"); err == nil && !have.ModTime().Before(lock.ModTime()) {
		return nil
	}
	if out, err := exec.Command("npm", "ci").CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	return nil
})

func node(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	if err := installOnce(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

// The committed page is what the sources and the pinned tools give, byte for byte.
func TestBuiltPageIsCommitted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist")
	node(t, nil, "build.mjs", "--out", dir)
	built, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(built) == 0 {
		t.Fatal(err)
	}
	committed, err := filepath.Glob("dist/*")
	if err != nil || len(committed) != len(built) {
		t.Errorf("%d files built, %d committed", len(built), len(committed))
	}
	for _, f := range built {
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("dist", filepath.Base(f)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the sources give: run make page (%v)", filepath.Base(f), err)
		}
	}
}

func TestScriptUnderNode(t *testing.T) {
	out := node(t, nil, "--test", "test/unit.test.mjs")
	if !strings.Contains(string(out), "pass ") || strings.Contains(string(out), "\nnot ok") {
		t.Errorf("%s", out)
	}
}

// Every state in a phone-sized browser, and the page with its host down.
func TestPageInBrowser(t *testing.T) {
	if os.Getenv("CHROMIUM") == "" {
		if _, err := exec.LookPath("chromium"); err != nil {
			t.Fatal("this test needs Chromium: apt-get install chromium (make test does it), or set CHROMIUM")
		}
	}
	out := node(t, nil, "--test", "test/states.test.mjs")
	if !strings.Contains(string(out), "pass ") || strings.Contains(string(out), "\nnot ok") {
		t.Errorf("%s", out)
	}
}

type vector struct {
	Name, Clock, Root, Envelope string
	Lists                       []string
}

// The page's script and offline/receipt agree on thousands of envelopes: vectors with bytes changed, cut, doubled and
// swapped, and receipts that a listed key really signed over changed payloads.
func TestPageAndProgramAgree(t *testing.T) {
	rounds := 3000
	if os.Getenv("BIANMIN_FULL") == "1" {
		rounds = 12_000
	}
	files, err := filepath.Glob("../../offline/receipt/testdata/receipts/*.json")
	if err != nil || len(files) < 50 {
		t.Fatal("no vectors", err)
	}
	var pool [][]byte
	for _, f := range files {
		var v vector
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		env, err := hex.DecodeString(v.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		pool = append(pool, env)
	}
	s := vault.SM(nil)
	root, _ := s.GenerateKey()
	station, _ := s.GenerateKey()
	platform, _ := s.GenerateKey()
	now := time.Unix(1795300000, 0)
	data, err := receipt.SignKeyList(root, receipt.KeyList{County: "999999", Version: 1, At: now.Unix(), Keys: []receipt.Key{
		{Public: station.Public(), Stage: receipt.StageStation, Device: 7, From: 1795000000},
		{Public: platform.Public(), Stage: receipt.StagePlatform},
		{Public: platform.Public(), Stage: receipt.StageStation, Device: 8, Revoked: true, CutSeq: 40},
	}})
	if err != nil {
		t.Fatal(err)
	}
	list, err := receipt.OpenKeyList(s, root.Public(), data)
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	texts := []string{"高龄津贴", "居住登记", "一\u200b二", "\u0627", "a\x00", "\U00020000\U000e0100", "\ue863", "城乡居民基本养老保险参保登记变更多", "e\u0301", "\ufffd"}
	input := struct {
		Root      string   `json:"root"`
		Lists     []string `json:"lists"`
		Now       int64    `json:"now"`
		Envelopes []string `json:"envelopes"`
	}{Root: hex.EncodeToString(root.Public()), Lists: []string{hex.EncodeToString(data)}, Now: now.Unix()}
	var want []string
	states := map[receipt.State]int{}
	for i := range rounds {
		var env []byte
		if i%3 == 0 { // signed by a listed key
			r := receipt.Stage1{
				Device: 7 + uint32(rnd.IntN(3)), Seq: 1 + rnd.Uint64N(80), At: 1794800000 + rnd.Int64N(900000), Quality: uint8(rnd.IntN(3)),
				Item: texts[rnd.IntN(2)], Name: texts[rnd.IntN(len(texts))], Due: int32(rnd.IntN(3) * 20000),
			}
			key := station
			if rnd.IntN(3) == 0 {
				key = platform
			}
			payload := r.Payload()
			if rnd.IntN(4) == 0 {
				payload = receipt.Stage2{Device: r.Device, Seq: r.Seq, OfficialNo: "A-1", At: r.At, Due: r.Due, Item: r.Item}.Payload()
			}
			if env, err = receipt.Sign(key, payload); err != nil {
				t.Fatal(err)
			}
		} else {
			env = bytes.Clone(pool[rnd.IntN(len(pool))])
		}
		for range rnd.IntN(3) {
			at := rnd.IntN(len(env))
			switch rnd.IntN(5) {
			case 0:
				env[at] ^= 1 << rnd.IntN(8)
			case 1:
				env[at] = byte(rnd.IntN(256))
			case 2:
				env = env[:at+1]
			case 3:
				env = slices.Insert(env, at, byte(rnd.IntN(256)))
			case 4:
				env = append(env[:at:at], append([]byte(texts[rnd.IntN(len(texts))]), env[at:]...)...)
			}
		}
		v := receipt.VerifyAt(s, env, now, list)
		states[v.State]++
		want = append(want, string(v.State)+" "+v.Reason)
		input.Envelopes = append(input.Envelopes, hex.EncodeToString(env))
	}
	stdin, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(node(t, stdin, "test/agree.mjs"), &got); err != nil || len(got) != len(want) {
		t.Fatal(len(got), err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: the page says %s, the program %s", input.Envelopes[i], got[i], want[i])
		}
	}
	for _, st := range []receipt.State{receipt.Genuine, receipt.Withdrawn, receipt.UnknownKey, receipt.Forged} {
		if states[st] == 0 {
			t.Errorf("no %s among %v", st, states)
		}
	}
}

// The numbers that the page's own test expects are the desk's.
func TestReceiptNumber(t *testing.T) {
	script, err := os.ReadFile("test/unit.test.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for device, seq := range map[uint32]uint64{7: 1043, 1<<32 - 1: 1<<53 - 1} {
		line := fmt.Sprintf("receiptNumber(%d, %d), %q", device, seq, casefile.Number(device, seq))
		if !strings.Contains(string(script), line) {
			t.Errorf("the page's test does not say %s", line)
		}
	}
}
