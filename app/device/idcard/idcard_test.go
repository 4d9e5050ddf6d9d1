package idcard

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"bianmin/offline/ident"
)

var today = time.Date(2026, 11, 25, 4, 0, 0, 0, time.UTC)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func sample(t testing.TB, name string) Card {
	t.Helper()
	number, err := ident.MakeID("999999", day("1944-03-08"), 122)
	if err != nil {
		t.Fatal(err)
	}
	return Card{
		Kind: Resident, Name: name, Sex: "F", Nation: "01", Birth: day("1944-03-08"), Address: "样例省样例市样例县清水镇河湾村3组12号",
		Number: number, Issuer: "样例县公安局", From: day("2010-05-01"),
	}
}

// rig is a reader on one end of a line and the simulator on the other.
type rig struct {
	*Serial
	sim *Sim
}

func newRig(t testing.TB) rig {
	t.Helper()
	line, port, err := OpenPTY()
	if err != nil {
		t.Fatal(err)
	}
	sim := &Sim{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := sim.Serve(line); err == nil {
			t.Error("the line ended without an error")
		}
	}()
	r, err := Open(port, Config{Silence: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		// A terminal whose other end is closed reads as an error, which ends Serve.
		<-done
		if err := line.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return rig{r, sim}
}

// The frames of the public protocol, as its descriptions print them.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		name, want string
		got        []byte
	}{
		{"find", "aaaaaa9669000320" + "0122", command(cmdFind)},
		{"select", "aaaaaa9669000320" + "0221", command(cmdSelect)},
		{"read", "aaaaaa9669000330" + "0132", command(cmdRead)},
		{"read with fingerprints", "aaaaaa9669000330" + "1023", command(cmdReadFull)},
		{"status", "aaaaaa9669000311" + "ffed", command(cmdStatus)},
		{"found", "aaaaaa9669000800009f0000000097", answer(swFound, make([]byte, 4))},
		{"selected", "aaaaaa9669000c00009000000000000000009c", answer(swDone, make([]byte, 8))},
		{"no card", "aaaaaa966900040000" + "8084", answer(swNotFound, nil)},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	sim := &Sim{}
	card := sample(t, "高兰英")
	sim.Put(&card)
	sim.reply([]byte{0x20, 0x01})
	sim.reply([]byte{0x20, 0x02})
	if got := sim.reply([]byte{0x30, 0x01}); len(got) != 1295 || hex.EncodeToString(got[5:14]) != "050800009001000400" {
		t.Errorf("a read has %d bytes and begins %x", len(got), got[5:14])
	}
	card.Finger = make([]byte, 1024)
	if got := sim.reply([]byte{0x30, 0x10}); hex.EncodeToString(got[5:16]) != "090a0000900100040004"+"00" {
		t.Errorf("a read with fingerprints begins %x", got[5:16])
	}
}

func TestReadsCards(t *testing.T) {
	r := newRig(t)
	if err := r.Test(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(t.Context()); !errors.Is(err, ErrNoCard) {
		t.Fatalf("empty plate: %v", err)
	}
	hmt := sample(t, "陳大文")
	hmt.Kind, hmt.PassNo, hmt.Nation = HMT, "H12345678", ""
	hmt.Number, _ = ident.MakeID("810000", hmt.Birth, 11)
	foreign := Card{
		Kind: Foreigner, Name: "安娜", Latin: "SMITH, ANNA MARIA", Sex: "F", Country: "GBR", Birth: day("1980-02-29"), Number: "GBR110080022912",
		From: day("2018-01-01"), Until: day("2028-01-01"),
	}
	for _, want := range []Card{
		sample(t, "高兰英"), sample(t, "\U00020BB7田"), sample(t, "张\U0002A700\U00030000\U0002EBF0"), sample(t, "阿依古丽·买买提"), hmt, foreign,
	} {
		r.sim.Put(&want)
		got, err := r.Read(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", want.Kind, err)
		}
		if got.Name != want.Name || got.Latin != want.Latin || got.Sex != want.Sex || got.Nation != want.Nation || !got.Birth.Equal(want.Birth) ||
			got.Address != want.Address || got.Number != want.Number || got.Issuer != want.Issuer || !got.From.Equal(want.From) ||
			!got.Until.Equal(want.Until) || got.PassNo != want.PassNo || got.Country != want.Country || got.Kind != want.Kind || got.NameFull {
			t.Errorf("read %#v of %s: name %q", got.Kind, want.Kind, got.Name)
		}
		if len(got.Photo) != photoSize || len(got.Finger) != 0 {
			t.Errorf("%d bytes of photo, %d of fingerprints", len(got.Photo), len(got.Finger))
		}
		if again, err := r.Read(t.Context()); err != nil || again.Number != want.Number {
			t.Errorf("the same card a second time: %v", err)
		}
	}
}

func TestLongNameIsSaidToBeFull(t *testing.T) {
	r := newRig(t)
	name := "阿卜杜热西提·阿卜杜外力·伊力哈木江·吐尔逊托合提" // 25 characters
	if n := len([]rune(name)); n != 25 {
		t.Fatalf("%d characters", n)
	}
	card := sample(t, name)
	r.sim.Put(&card)
	got, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.NameFull || got.Name != string([]rune(name)[:15]) {
		t.Errorf("name %q, full %v", got.Name, got.NameFull)
	}
	// 15 units end in the middle of a pair: the half is left out and counted.
	card = sample(t, strings.Repeat("高", 14)+"\U00020BB7")
	r.sim.Put(&card)
	if got, err = r.Read(t.Context()); err != nil || got.Broken != 1 || got.Name != strings.Repeat("高", 14) {
		t.Errorf("name %q, %d broken: %v", got.Name, got.Broken, err)
	}
}

func TestOldCharactersAreNoted(t *testing.T) {
	card := sample(t, "王\uE863")
	got, err := parse(card.encode())
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Private) != "\uE863" || got.Name != "王\uE863" {
		t.Errorf("private %q in %q", string(got.Private), got.Name)
	}
}

func TestValidity(t *testing.T) {
	c := sample(t, "高兰英")
	c.Until = day("2026-11-25")
	for _, x := range []struct {
		at            time.Time
		early, expire bool
	}{
		{today, false, false},
		{day("2026-11-26").Add(-8*time.Hour - time.Second), false, false}, // still the 25th in China
		{day("2026-11-26").Add(-8 * time.Hour), false, true},
		{day("2010-04-30").Add(4 * time.Hour), true, false},
	} {
		if c.Early(x.at) != x.early || c.Expired(x.at) != x.expire {
			t.Errorf("%s: early %v, expired %v", x.at, c.Early(x.at), c.Expired(x.at))
		}
	}
	c.Until = time.Time{}
	got, err := parse(c.encode())
	if err != nil || !got.Until.IsZero() || got.Expired(today) {
		t.Errorf("long-term: until %v, %v", got.Until, err)
	}
}

func TestFaults(t *testing.T) {
	card := sample(t, "高兰英")
	for _, c := range []struct {
		name   string
		faults Faults
		want   error // nil: the card is read all the same
	}{
		{"noise before every answer", Faults{Noise: []byte("\xAA\xAA\x96\x00noise\xAA")}, nil},
		{"a false preamble before every answer", Faults{Noise: append(append([]byte{}, preamble...), 0xFF, 0xFF)}, nil},
		{"byte by byte", Faults{Slow: 20 * time.Microsecond}, nil},
		{"two garbled answers", Faults{Garbled: 2}, nil},
		{"two commands without an answer", Faults{Silent: 2}, nil},
		{"garbled for good", Faults{Garbled: 1000}, ErrLine},
		{"truncated answers", Faults{Cut: 700}, ErrLine},
		{"dead", Faults{Silent: 1000}, ErrNoReader},
		{"pulled away after it was found", Faults{PullAfter: 1}, ErrMoved},
		{"pulled away after it was selected", Faults{PullAfter: 2}, ErrMoved},
		{"not authorised", Faults{Status: swNoLicence}, ErrModule},
		{"self-test failed", Faults{Status: swSelfTest}, ErrModule},
		{"a card of another kind", Faults{Status: swKind}, ErrForeign},
		{"card refuses", Faults{Status: swCardRefuses}, ErrForeign},
		{"read failed", Faults{Status: swReadFailed}, ErrMoved},
		{"command unknown", Faults{Status: swCommand}, ErrLine},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.sim.Put(&card)
			r.sim.Fail(c.faults)
			got, err := r.Read(t.Context())
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want == nil && got.Number != card.Number {
				t.Error("another number")
			}
		})
	}
}

func TestRecovers(t *testing.T) {
	r := newRig(t)
	card := sample(t, "高兰英")
	r.sim.Put(&card)
	r.sim.Fail(Faults{Cut: 700})
	if _, err := r.Read(t.Context()); err == nil {
		t.Fatal("a truncated answer was read")
	}
	r.sim.Fail(Faults{})
	if _, err := r.Read(t.Context()); err != nil {
		t.Fatalf("after the fault: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRefusesWhatIsNoCard(t *testing.T) {
	card := sample(t, "高兰英")
	with := func(at int, text string) []byte {
		b := card.encode()
		for i, c := range text {
			b[at+2*i], b[at+2*i+1] = byte(c), byte(c>>8)
		}
		return b
	}
	for name, c := range map[string]struct {
		text []byte
		want error
	}{
		"short":              {make([]byte, 100), ErrText},
		"empty":              {make([]byte, textSize), ErrText},
		"birth is no date":   {with(36, "19441308"), ErrText},
		"number is wrong":    {with(122, "999999194403081220"), ErrText},
		"birth is another's": {with(36, "19440309"), ErrText},
		"an unknown kind":    {with(markAt, "Y"), ErrKind},
	} {
		if _, err := parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open("/dev/there-is-no-such-port", Config{}); !errors.Is(err, ErrNoReader) {
		t.Errorf("no port: %v", err)
	}
}

func TestNothingOfACardIsPrinted(t *testing.T) {
	c := sample(t, "高兰英")
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), c.LogValue().String()} {
		if strings.Contains(s, "高兰英") || strings.Contains(s, c.Number) {
			t.Errorf("printed: %s", s)
		}
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add(answer(swDone, make([]byte, 8)), 3)
	f.Add(append([]byte("\xAA\xAA\xAA\xAA\x96\x69\x00"), command(cmdFind)...), 1)
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		if step < 1 {
			step = 1
		}
		var s splitter
		// However the bytes are cut, a frame at the end is found; before it is a frame's longest length of other bytes.
		want := []byte{0, 0, swFound, 1, 2, 3, 4}
		whole := append(append([]byte{}, b...), make([]byte, mostLength+16)...)
		whole = append(whole, frame(want)...)
		found := false
		for len(whole) > 0 {
			n := min(step, len(whole))
			s.add(whole[:n])
			whole = whole[n:]
			for {
				body, err := s.next()
				if body == nil && err == nil {
					break
				}
				found = bytes.Equal(body, want)
			}
		}
		if !found {
			t.Fatal("the last frame was not found")
		}
	})
}

func FuzzParse(f *testing.F) {
	c := sample(f, "高兰英")
	f.Add(c.encode())
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parse(text)
		if err != nil {
			return
		}
		again, err := parse(got.encode())
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if again.Name != got.Name || again.Number != got.Number || again.Address != got.Address {
			t.Fatal("another card")
		}
	})
}
