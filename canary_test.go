//go:build nowindow

package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/printer"
	"bianmin/app/device/spool"
	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/paper"
)

const childEnv = "BIANMIN_MAIN"

// TestMain makes the test binary the program itself when a test starts it so: main's own run, with all it does first.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "1" {
		os.Args = append(os.Args[:1], os.Args[2:]...) // without the -test flag that go vet of flags needs
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// Marks stand in every case, in every kind of field; each is the part that all cases share.
const (
	markName    = "甪蒯鹔"              // names of applicants, helpers, hosts, relatives
	markAddress = "鹔鹴巷鱻字"            // addresses
	markStory   = "犇羴鱻毳因病返贫"         // long texts, reviewers' notes
	markID      = "9999991941050"    // ID numbers
	markPhone   = "1994477"          // telephone numbers
	markCard    = "622848017"        // bank accounts
	markFile    = "CANARY-IN-A-FILE" // inside PDF, EXIF, pixels, names of files
	markStrokes = "1771,2882,1993,2441"
)

// strokesCBOR is how the same strokes stand in answers: two-byte numbers behind one another.
var strokesCBOR = []byte{0x19, 0x06, 0xeb, 0x19, 0x0b, 0x42, 0x19, 0x07, 0xc9, 0x19, 0x09, 0x89}

// traces are the bytes of all marks in the forms in which a program writes text.
func traces() map[string][]byte {
	out := kindTraces()
	out["strokes as CBOR"] = strokesCBOR
	for _, m := range []string{markName, markAddress, markStory, markID, markPhone, markCard, markFile, markStrokes} {
		out[m+" as UTF-8"] = []byte(m)
		for name, order := range map[string]binary.AppendByteOrder{"LE": binary.LittleEndian, "BE": binary.BigEndian} {
			var b []byte
			for _, u := range utf16.Encode([]rune(m)) {
				b = order.AppendUint16(b, u)
			}
			out[m+" as UTF-16"+name] = b
		}
		out[m+" as hex"] = []byte(hex.EncodeToString([]byte(m)))
		out[m+" as HEX"] = []byte(strings.ToUpper(hex.EncodeToString([]byte(m))))
		if q, err := json.Marshal(m); err == nil && !bytes.Contains(q, []byte(m)) {
			out[m+" as JSON"] = bytes.Trim(q, `"`)
		}
		escaped := strings.Trim(fmt.Sprintf("%+q", m), `"`)
		out[m+" escaped"] = []byte(escaped)
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + m))
			text = text[(shift*8+5)/6 : (shift+len(m))*8/6] // what the mark alone decides
			out[fmt.Sprintf("%s as base64 %d", m, shift)] = []byte(text)
			out[fmt.Sprintf("%s as base64url %d", m, shift)] = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text))
		}
	}
	return out
}

// search looks for all traces in every file below the folders.
func search(t *testing.T, dirs ...string) (hits []string, files int, size int64) {
	t.Helper()
	find := traces()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			for name, b := range find {
				if bytes.Contains([]byte(e.Name()), b) {
					hits = append(hits, "the name of "+path+": "+name)
				}
			}
			if !e.Type().IsRegular() {
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files, size = files+1, size+int64(len(data))
			for name, b := range find {
				if bytes.Contains(data, b) {
					hits = append(hits, path+": "+name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return hits, files, size
}

// The control: what is planted in each form is found, so that nothing found means nothing there.
func TestCanarySearchFinds(t *testing.T) {
	dir := t.TempDir()
	find := traces()
	n := 0
	for _, b := range find {
		noise := make([]byte, 100)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), slices.Concat(noise, b, noise), 0o600); err != nil {
			t.Fatal(err)
		}
		n++
	}
	seen := map[string]bool{}
	hits, _, _ := search(t, dir)
	for _, h := range hits {
		_, name, _ := strings.Cut(h, ": ")
		seen[name] = true
	}
	for name, b := range find {
		if !seen[name] || len(b) < 6 {
			t.Errorf("%s (%d bytes) is not found, or too short to mean anything", name, len(b))
		}
	}
	for shift := range 3 { // base64 at every offset, as a text of any length has it
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", shift+9) + markName + strings.Repeat("z", 5)))
		if err := os.WriteFile(filepath.Join(dir, "b64"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if hits, _, _ := search(t, dir); !slices.ContainsFunc(hits, func(h string) bool { return strings.Contains(h, "b64") }) {
			t.Errorf("base64 at offset %d is not found", shift)
		}
	}
}

func idNumber(i int) string {
	s := fmt.Sprintf("999999194105%02d%03d", 3+i/999, 1+i%999)
	sum := 0
	for k, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[k]-'0') * w
	}
	return s + string("10X98765432"[sum%11])
}

func bankCard(i int) string {
	for c := range 10 {
		s := fmt.Sprintf("%s%06d%d", markCard, i, c)
		sum := 0
		for k := range len(s) {
			d := int(s[len(s)-1-k] - '0')
			if k%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		if sum%10 == 0 {
			return s
		}
	}
	return ""
}

// givenFiles writes the files that clerks choose: a PDF that is kept byte for byte, a JPEG with a mark in its EXIF, a PNG
// with one in its pixels. Their names are marked, too.
func givenFiles(t *testing.T, dir string, i int) (pdf, jpg, pic string) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 48))
	rnd := rand.New(rand.NewPCG(uint64(i), 1))
	for k := range img.Pix {
		img.Pix[k] = byte(rnd.Uint32())
	}
	for row := range 48 {
		copy(img.Pix[row*64:], markFile)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00" + markFile + " " + markName
	tagged := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	tagged = append(tagged, b.Bytes()[2:]...)
	var p bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s-%s-%04d", markFile, markName, i)
	for ext, data := range map[string][]byte{".pdf": []byte(fmt.Sprintf("%%PDF-1.7\n%s %s %d\n%%%%EOF", markFile, markName, i)), ".jpg": tagged, ".png": p.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name+ext), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return name + ".pdf", name + ".jpg", name + ".png"
}

// answers is case i of a service, marked in every field that names somebody.
func answers(t *testing.T, dir string, i int) (service, line string) {
	t.Helper()
	pdf, jpg, pic := givenFiles(t, dir, i)
	given := []rune("一丁万丈三上下不与丐丑专且世丘丙业丛东丝")
	name := markName + string(given[i%20]) + string(given[i/20%20])
	sign := map[string]any{"strokes": [][]int{{1771, 2882, 1993, 2441, 100 + i, 60, 1290, 15}}}
	m := map[string]any{"name": name, "idno": idNumber(i), "promise": true, "sign": sign, "idcardPhoto": []string{pdf}}
	phone := fmt.Sprintf("%s%04d", markPhone, i)
	switch i % 4 {
	case 0:
		service = "gaoling"
		for k, v := range map[string]any{
			"hukou": "999999101201", "hukouAddress": markAddress + "1号", "sameHome": false, "live": "999999101201", "liveAddress": markAddress + "2号",
			"applyType": "first", "bank": "103", "bankcard": bankCard(i), "contactName": name, "contactRelation": "child", "contactPhone": phone, "way": "agent",
			"agentName": name, "agentIdno": idNumber(i + 1), "agentRelation": "child", "agentPhone": phone, "agentReason": markStory,
			"share": true, "hukouBook": []string{jpg, pic}, "agentPhoto": []string{jpg},
		} {
			m[k] = v
		}
	case 1:
		service = "juzhu"
		for k, v := range map[string]any{
			"hukou": "999999101201", "hukouAddress": markAddress + "5号", "phone": phone, "arrivedOn": "2026-03-01", "purpose": "family", "live": "999999101201", "liveAddress": markAddress + "3号", "homeType": "kin",
			"host": map[string]any{"name": name, "phone": phone, "relation": "child"}, "employed": false, "photo": []string{jpg}, "hostNote": []string{pic},
		} {
			m[k] = v
		}
	case 2:
		service = "linshi"
		for k, v := range map[string]any{
			"hukou": "999999101201", "liveAddress": markAddress + "4号", "phone": phone, "kind": "emergency", "urgent": true, "cause": "illness", "happenedOn": "2026-11-20", "story": markStory + "，" + name,
			"sameCause": false, "amount": "3000", "category": "none", "income": "120", "authorise": true,
			"family": []any{map[string]any{"name": name, "idno": idNumber(i + 2), "relation": "child", "income": "800", "sign": sign}},
		} {
			m[k] = v
		}
	case 3:
		service, m = "canary", kindAnswers(i, name, phone, pdf, jpg, sign)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return service, string(data)
}

// sharedMemory lists what lies in /dev/shm: files of other programs are not this test's.
func sharedMemory() map[string]bool {
	out := map[string]bool{}
	list, err := os.ReadDir("/dev/shm")
	if err != nil {
		return out // a system without it
	}
	for _, e := range list {
		out[filepath.Join("/dev/shm", e.Name())] = true
	}
	return out
}

// A thousand marked cases (a hundred in a plain run), taken in by the program itself, killed in the middle of saves and
// crashed: no mark in any form in the folder, the logs, the folder for temporary files, the home, the working folder, what
// the program printed, or shared memory.
func TestCanaries(t *testing.T) {
	count, kills := 100, 3
	if os.Getenv("BIANMIN_FULL") == "1" {
		count, kills = 1000, 10
	}
	root := t.TempDir()
	sub := func(name string) string {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(p, 0o700); err != nil {
			t.Fatal(err)
		}
		return p
	}
	tmp, home, work, given, spool, said := sub("tmp"), sub("home"), sub("work"), sub("given"), sub("spool"), sub("said")
	for k, v := range map[string]string{"TMPDIR": tmp, "HOME": home, "XDG_DATA_HOME": filepath.Join(home, "share"), "XDG_CACHE_HOME": filepath.Join(home, "cache"), "XDG_RUNTIME_DIR": tmp} {
		t.Setenv(k, v)
	}
	before := sharedMemory()
	machine := desktest.NewOf(t, canaryCounty(t))
	data := machine.Config.Dir
	pin := filepath.Join(given, "pin")
	if err := os.WriteFile(pin, []byte(desktest.PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := map[string][]string{}
	for i := range count {
		service, line := answers(t, given, i)
		lines[service] = append(lines[service], line)
	}
	// What a clerk chose lies in a folder of the clerk's: the program reads it and leaves nothing elsewhere.
	taken, killed := 0, 0
	for _, service := range []string{"gaoling", "juzhu", "linshi", "canary"} {
		rest := lines[service]
		for part := 0; len(rest) > 0; part++ {
			stop := len(rest)
			how := ""
			if killed < kills && len(rest) > 6 {
				stop, how = 3+killed%3, "KILL"
				if killed == kills-1 {
					how = "ABRT"
				}
				killed++
			}
			n := intakeUntil(t, data, given, work, filepath.Join(said, fmt.Sprintf("%s-%d", service, part)), service, pin, rest, stop, how)
			taken += n
			rest = rest[n:]
		}
	}
	if taken < count || killed < kills {
		t.Fatalf("%d of %d taken in, %d kills", taken, count, killed)
	}
	hits, files, size := search(t, data, tmp, home, work, said)
	useTheDesk(t, machine, spool, given)
	more, files2, size2 := search(t, data, tmp, home, work, said)
	hits = append(hits, more...)
	for p := range sharedMemory() {
		if !before[p] {
			h, _, _ := search(t, p)
			hits = append(hits, h...)
		}
	}
	if len(hits) > 0 {
		t.Errorf("%d hits: %s", len(hits), strings.Join(hits[:min(len(hits), 20)], "\n"))
	}
	if size < int64(count)*2000 {
		t.Errorf("only %d bytes were searched", size)
	}
	// The clerk's own folders hold the marks: the search looked for the right thing.
	if h, _, _ := search(t, given); len(h) < count {
		t.Errorf("%d hits in what was given", len(h))
	}
	t.Logf("%d cases, %d kills, %d files of %d bytes searched, then %d of %d: %d hits", taken, killed, files, size, files2, size2, len(hits))
}

// intakeUntil feeds lines to the program until stop are taken in, and ends it then: by a signal in the middle of the
// next save, or by the end of its input. It returns how many were acknowledged, and leaves what the program said, without
// what names the cases themselves, in a file.
func intakeUntil(t *testing.T, data, given, work, said, service, pin string, lines []string, stop int, how string) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$", "intake", "--data", data, "--operator", desktest.Operator, "--pin-file", pin, "--service", service, "--answers", "-")
	cmd.Env = append(os.Environ(), childEnv+"=1", "GOTRACEBACK=crash")
	cmd.Dir = given // names of files are relative to it
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := os.Create(said)
	if err != nil {
		t.Fatal(err)
	}
	defer errs.Close()
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		defer in.Close()
		for _, l := range lines {
			if _, err := io.WriteString(in, l+"\n"); err != nil {
				return // it was killed
			}
		}
	}()
	acks := 0
	for s := bufio.NewScanner(out); s.Scan(); {
		var got struct{ No string }
		if err := json.Unmarshal(s.Bytes(), &got); err != nil || got.No == "" {
			t.Fatalf("it says %s", s.Text())
		}
		if acks++; acks != stop || how == "" {
			continue
		}
		sig := os.Kill
		if how == "ABRT" {
			sig = abort
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	<-fed
	if (err != nil) != (how != "") {
		text, _ := os.ReadFile(said)
		t.Fatalf("intake of %s ended with %v: %s", service, err, text)
	}
	if dumps, _ := filepath.Glob(filepath.Join(given, "core*")); len(dumps) > 0 {
		t.Errorf("core files: %v", dumps)
	}
	return acks
}

// printSome prints cases: the first comes out, the second breaks off in the middle, the others wait in the queue, where they stay.
func printSome(t *testing.T, m *desktest.Machine, d *desk.Desk, s *desk.Session, cases []counter.Case) {
	t.Helper()
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	roll := fake.New(paper.Dots58)
	defer roll.Close()
	addr, err := roll.Listen()
	if err != nil {
		t.Fatal(err)
	}
	book, err := printer.OpenBook(m.Config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	at, err := book.Put(printer.Config{Name: "前台", Kind: printer.TCP, Address: addr})
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(spool.Options{Keep: d, Book: book, Printers: printer.Options{Rows: 400, Answer: 10 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	sp.Unlock(vm.NewPapers(d.Counter(), s, texts, m.Clock.Now))
	for _, c := range cases {
		for _, what := range []string{spool.Receipt, spool.Answers} {
			if _, err := sp.Add(spool.Job{What: what, Case: c.Seq, Stage: 1, No: c.No, Printer: at.ID, Lang: "zh", By: desktest.Operator}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := sp.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	roll.PaperFor(100)
	if err := sp.Once(t.Context()); !errors.Is(err, printer.ErrStarted) {
		t.Fatalf("without paper: %v", err)
	}
	if n := sp.Waiting(); n != 2*len(cases)-1 || len(roll.Papers()) != 1 {
		t.Fatalf("%d wait, %d papers", n, len(roll.Papers()))
	}
}

// useTheDesk does with the same machine what leaves traces in other programs: lists, a case on screen, a draft that stays,
// pictures looked at, slips saved where the clerk says, a reviewer's sealed note, a name in the log's way.
func useTheDesk(t *testing.T, m *desktest.Machine, spool, given string) {
	t.Helper()
	m.Clock.T = time.Now()
	d, err := desk.Open(m.Config)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := d.Login(t.Context(), desktest.Operator, desktest.PIN)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := s.Cases(t.Context())
	if err != nil || len(cases) == 0 {
		t.Fatalf("%d cases: %v", len(cases), err)
	}
	slips := 0
	for _, c := range cases[:min(len(cases), 30)] {
		if _, err := s.Case(t.Context(), c.Seq); err != nil {
			t.Fatal(err)
		}
		slip, err := s.Slip(t.Context(), c.Seq, 1, 384, "zh")
		if err != nil {
			t.Fatal(err)
		}
		slips++
		if err := os.WriteFile(filepath.Join(spool, fmt.Sprint(c.Seq, ".png")), slip, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if slips == 0 {
		t.Error("no case was printed")
	}
	keptAsLooked(t, d, cases)
	printSome(t, m, d, s, cases[:min(len(cases), 10)])
	m.Acknowledge(t, d)
	m.Accept(t, d, cases[0].Seq, time.Now().AddDate(0, 0, 20))
	m.AskCorrection(t, d, cases[1].Seq, markStory+markName, "idcardPhoto")
	if _, err := s.FindPeople(idNumber(1), 3); err != nil {
		t.Fatal(err)
	}
	in, err := s.Start(t.Context(), "gaoling", nil)
	if err != nil {
		t.Fatal(err)
	}
	for p, v := range map[form.Path]any{"name": markName + "草", "idno": idNumber(3), "contactPhone": markPhone + "0001", "contactName": markName + "稿"} {
		in.Set(p, v)
	}
	pdf, _, _ := givenFiles(t, given, 5000)
	file, err := os.ReadFile(filepath.Join(given, pdf))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Attach(t.Context(), "idcardPhoto", file, filepath.Join(given, pdf)); err != nil {
		t.Fatal(err)
	}
	if err := in.Sign(t.Context(), "sign", counter.Signature{Strokes: [][]int64{{1771, 2882, 1993, 2441, 9, 9}}}); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
