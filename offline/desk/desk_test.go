package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var stroke = counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}}

// fillGaoling answers 高龄津贴 for the sample county's first person.
func fillGaoling(t testing.TB, in counter.Intake) {
	t.Helper()
	for p, v := range map[form.Path]any{
		"sameHome": true, "applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001",
		"way": "self", "promise": true, "share": true,
	} {
		in.Set(p, v)
	}
	for _, p := range []form.Path{"idcardPhoto", "hukouBook"} {
		if err := in.Attach(t.Context(), p, photo(t, 320, 200), "/a/b/card.jpg"); err != nil {
			t.Fatalf("attach %s: %v", p, err)
		}
	}
	if err := in.Sign(t.Context(), "sign", stroke); err != nil {
		t.Fatal(err)
	}
}

func start(t testing.TB, s *desk.Session) counter.Intake {
	t.Helper()
	people, err := s.FindPeople("999999194102030021", 3)
	if err != nil || len(people) != 1 {
		t.Fatalf("found %d people, err %v", len(people), err)
	}
	in, err := s.Start(t.Context(), "gaoling", people[0])
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestCaseFromCardToReceipt(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	if st := in.Form().State("name"); st.Value != "刘玉珍" || st.Source == nil || st.Source.Name != "公安人口库" || !st.ReadOnly {
		t.Fatalf("name is %+v", st)
	}
	if st := in.Form().State("age"); st.Value != int64(85) {
		t.Errorf("age %v", st.Value)
	}
	if _, err := in.Submit(t.Context()); !errors.Is(err, counter.ErrIncomplete) {
		t.Fatalf("empty form: %v", err)
	}
	fillGaoling(t, in)
	if p := in.Ready(true); len(p) != 0 {
		t.Fatalf("not ready: %v", p[0])
	}
	got, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := d.Verify(got.Link)
	if v.State != receipt.Genuine || v.Stage != 1 || v.S1.Seq != got.Seq {
		t.Fatalf("verdict %+v", v)
	}
	broken := []byte(got.Link)
	broken[len(broken)-9] ^= 1
	if v := d.Verify(string(broken)); v.State != receipt.Forged {
		t.Errorf("changed link is %s", v.State)
	}
	c, err := s.Case(t.Context(), got.Case)
	if err != nil {
		t.Fatal(err)
	}
	if c.Applicant != "刘玉珍" || c.No != got.No || c.State != "taken-in" && string(c.State) == "" {
		t.Errorf("case %s %s", c.No, c.State)
	}
	slip, err := s.Slip(t.Context(), got.Case, 1, receipt.Dots58, "zh")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := receipt.ScanPicture(slip); err != nil || text != got.Link {
		t.Errorf("slip reads %q, %v", text, err)
	}
	if _, err := s.Receipt(t.Context(), got.Case, 2); err == nil {
		t.Error("a stage-2 receipt before the platform accepted")
	}
	st, err := d.Status(t.Context())
	if err != nil || st.Pending != 1 || st.Drafts != 0 {
		t.Errorf("status %+v, %v", st, err)
	}
	rep, err := d.Doctor(t.Context(), true, nil)
	if err != nil || len(rep.Faults) != 0 || !rep.Deep {
		t.Fatalf("doctor %+v, %v", rep, err)
	}
	again, err := s.Case(t.Context(), got.Case)
	if err != nil || !bytes.Equal(again.Answers, c.Answers) {
		t.Errorf("rebuilt case differs: %v", err)
	}
}

// A print is told to the platform, but an accepted case does not go back to "on this machine" for it.
func TestPrintDoesNotMakeACasePending(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	fillGaoling(t, in)
	got, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Acknowledge(t, d)
	m.Accept(t, d, got.Case, m.Clock.T.AddDate(0, 0, 20))
	if n, err := s.Printed(t.Context(), got.Case, 1, counter.PrintPaper); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	c, err := s.Case(t.Context(), got.Case)
	if err != nil || c.Delivery != casefile.PlatformTook {
		t.Errorf("delivery %s, %v", c.Delivery, err)
	}
	if st, err := d.Status(t.Context()); err != nil || st.Pending != 0 {
		t.Errorf("%d pending, %v", st.Pending, err)
	}
}

func TestDraftComesBackOnTheSameField(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	in := start(t, s)
	in.Set("contactPhone", "139000")
	if err := in.Leave(t.Context(), "details", "contactPhone"); err != nil {
		t.Fatal(err)
	}
	in.Set("contactName", "刘") // typed in another field, which nobody has left yet
	in.Set("contactPhone", "1390000")
	in.Set("contactName", "刘建")
	if err := in.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := in.ID()
	// The machine is switched off: no Close of intake or session.
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, s = m.Login(t)
	drafts, err := s.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "刘玉珍" {
		t.Fatalf("drafts %+v, %v", drafts, err)
	}
	back, err := s.Resume(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if step, field := back.Place(); step != "details" || field != "contactName" {
		t.Errorf("back on %s %s", step, field)
	}
	if st := back.Form().State("contactPhone"); st.Value != "1390000" || st.Error == nil {
		t.Errorf("half a number came back as %+v", st)
	}
	if st := back.Form().State("name"); st.Source == nil || !st.ReadOnly {
		t.Errorf("the source is lost: %+v", st)
	}
}

func TestAutosaveWithoutFlush(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	before := in.Saved()
	m.Clock.T = m.Clock.T.Add(1000)
	in.Set("contactName", "刘")
	// Close waits for what is on its way; nothing else does here.
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !in.Saved().After(before) {
		t.Error("the change did not reach the disk")
	}
}

func TestPINs(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	_, err := d.Login(t.Context(), desktest.Operator, "000000")
	if key, _ := words.KeyOf(err); key != "pin.wrong" {
		t.Fatalf("wrong PIN: %v", err)
	}
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	if key, _ := words.KeyOf(err); key != "pin.wait" {
		t.Fatalf("at once after a wrong PIN: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = m.Open(t) // the count survives
	_, err = d.Login(t.Context(), desktest.Operator, desktest.PIN)
	if key, _ := words.KeyOf(err); key != "pin.wait" {
		t.Fatalf("after a restart: %v", err)
	}
	m.Clock.T = m.Clock.T.Add(60e9)
	s, err := d.Login(t.Context(), desktest.Operator, desktest.PIN)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cases(t.Context()); !errors.Is(err, counter.ErrLocked) {
		t.Errorf("closed session reads cases: %v", err)
	}
}

// sampleAnswers are lines for the command line, one a service.
func sampleAnswers(t testing.TB, dir string) map[string]string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "card.jpg"), photo(t, 300, 200), 0o600); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, service := range []string{"gaoling", "linshi", "juzhu"} {
		b, err := os.ReadFile(filepath.Join("testdata", service+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, b); err != nil {
			t.Fatal(err)
		}
		out[service] = line.String()
	}
	return out
}

func TestAnswersOfAllServices(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	dir := t.TempDir()
	for service, line := range sampleAnswers(t, dir) {
		got, err := s.SubmitAnswers(t.Context(), service, []byte(line), dir)
		if err != nil {
			t.Errorf("%s: %v", service, describe(err))
			continue
		}
		_, env, err := receipt.ParseLink(got.Link)
		if err != nil || len(env) > 200 {
			t.Errorf("%s: receipt of %d bytes, %v", service, len(env), err)
		}
		if v := d.Verify(got.Link); v.State != receipt.Genuine {
			t.Errorf("%s: %s", service, v.State)
		}
	}
}

func describe(err error) string {
	out := err.Error()
	if p := (*counter.IncompleteError)(nil); errors.As(err, &p) {
		for _, x := range p.Problems {
			out += "\n  " + x.Error()
		}
	}
	return out
}

func TestBadAnswersAreRefusedWithTheirFields(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	dir := t.TempDir()
	line := sampleAnswers(t, dir)["gaoling"]
	bad := strings.Replace(line, "999999194102030021", "999999194102030022", 1)
	_, err := s.SubmitAnswers(t.Context(), "gaoling", []byte(bad), dir)
	var p *counter.IncompleteError
	if !errors.As(err, &p) || p.Problems[0].Path != "idno" || p.Problems[0].Key != "ident.idChecksum" {
		t.Errorf("wrong number: %v", err)
	}
	_, err = s.SubmitAnswers(t.Context(), "gaoling", []byte(`{"name"`), dir)
	if key, _ := words.KeyOf(err); key != "desk.badAnswers" {
		t.Errorf("no JSON: %v", err)
	}
	_, err = s.SubmitAnswers(t.Context(), "nobody", []byte(line), dir)
	if key, _ := words.KeyOf(err); key != "desk.noService" {
		t.Errorf("no service: %v", err)
	}
	_, err = s.SubmitAnswers(t.Context(), "gaoling", []byte(strings.ReplaceAll(line, "card.jpg", "gone.jpg")), dir)
	if key, _ := words.KeyOf(err); key != "desk.attachment" {
		t.Errorf("no file: %v", err)
	}
	cases, err := s.Cases(context.Background())
	if err != nil || len(cases) != 0 {
		t.Errorf("%d cases, %v", len(cases), err)
	}
}

func TestAttachmentsAreCleaned(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	in := start(t, s)
	marked := append(photo(t, 100, 80), []byte("GPS-CANARY")...)
	if err := in.Attach(t.Context(), "idcardPhoto", marked, `C:\Users\somebody\card.jpg`); err != nil {
		t.Fatal(err)
	}
	refs, err := form.Blobs(in.Form().State("idcardPhoto").Value)
	if err != nil || len(refs) != 1 {
		t.Fatalf("%d refs, %v", len(refs), err)
	}
	kept, err := s.OpenBlob(t.Context(), refs[0])
	if err != nil || bytes.Contains(kept, []byte("CANARY")) {
		t.Errorf("kept %d bytes, hidden data inside: %v", len(kept), err)
	}
	var big bytes.Buffer
	if err := png.Encode(&big, image.NewGray(image.Rect(0, 0, 3000, 200))); err != nil {
		t.Fatal(err)
	}
	if err := in.Attach(t.Context(), "hukouBook", big.Bytes(), "wide.png"); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"text": []byte("hello"), "cut": photo(t, 100, 80)[:200], "empty": nil} {
		if err := in.Attach(t.Context(), "idcardPhoto", data, name); err == nil {
			t.Errorf("%s was taken as a picture", name)
		}
	}
	if err := in.Sign(t.Context(), "sign", counter.Signature{Strokes: [][]int64{{5, 5, 6, 6}}}); err == nil {
		t.Error("a dot was taken as a signature")
	}
}
