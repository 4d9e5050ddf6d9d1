package journal

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

var suite = vault.SM(nil)

var salt = bytes.Repeat([]byte{0x11}, 32)

func mustKey(t testing.TB) vault.PrivateKey {
	t.Helper()
	k, err := suite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func chain(t testing.TB, n int) []Record {
	t.Helper()
	var out []Record
	var head vault.Hash
	for i := range n {
		r, err := Next(suite, 7, uint64(i), head, salt, int64(1000+i), Clock{Signed: 900, Since: int64(100 + i), Exact: true}, "op1", KindSettings, []byte(fmt.Sprint("body ", i)))
		if err != nil {
			t.Fatal(err)
		}
		out, head = append(out, r), r.Hash(suite)
	}
	return out
}

func headersOf(records []Record) []Header {
	out := make([]Header, len(records))
	for i, r := range records {
		out[i] = r.Header
	}
	return out
}

func TestChain(t *testing.T) {
	records := chain(t, 6)
	hs := headersOf(records)
	head, err := CheckChain(suite, 7, 0, vault.Hash{}, hs)
	if err != nil || head != hs[5].Hash(suite) {
		t.Fatalf("sound chain: %v", err)
	}
	if head, err = CheckChain(suite, 7, 3, hs[2].Hash(suite), hs[3:]); err != nil || head != hs[5].Hash(suite) {
		t.Fatalf("sound suffix: %v", err)
	}
	if head, err = CheckChain(suite, 7, 6, head, nil); err != nil || head != hs[5].Hash(suite) {
		t.Fatalf("nothing new: %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(h []Header) []Header
		want   error
	}{
		{"left out", func(h []Header) []Header { return append(h[:2:2], h[3:]...) }, ErrGap},
		{"twice", func(h []Header) []Header { return append(append(h[:3:3], h[2]), h[3:]...) }, ErrGap},
		{"swapped", func(h []Header) []Header { h[2], h[3] = h[3], h[2]; return h }, ErrGap},
		{"another device", func(h []Header) []Header { h[4].Device = 8; return h }, ErrGap},
		{"another version", func(h []Header) []Header { h[5].V = 2; return h }, ErrFormat},
		{"late start", func(h []Header) []Header { return h[1:] }, ErrGap},
	} {
		if _, err := CheckChain(suite, 7, 0, vault.Hash{}, c.change(append([]Header{}, hs...))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Any change of any field of any record but the last breaks the chain; of the last, the head.
func TestEveryFieldIsChained(t *testing.T) {
	hs := headersOf(chain(t, 4))
	want, err := CheckChain(suite, 7, 0, vault.Hash{}, hs)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func(*Header){
		"at": func(h *Header) { h.At++ }, "signed": func(h *Header) { h.Clock.Signed++ }, "since": func(h *Header) { h.Clock.Since++ },
		"exact": func(h *Header) { h.Clock.Exact = !h.Clock.Exact }, "operator": func(h *Header) { h.Operator = "" },
		"kind": func(h *Header) { h.Kind = KindLocked }, "body": func(h *Header) { h.BodyHash[31] ^= 1 }, "prev": func(h *Header) { h.Prev[0] ^= 1 },
		"version": func(h *Header) { h.V++ }, "device": func(h *Header) { h.Device++ }, "seq": func(h *Header) { h.Seq++ },
	}
	if n := reflect.TypeFor[Header]().NumField() + reflect.TypeFor[Clock]().NumField() - 1; n != len(changes) {
		t.Fatalf("%d fields, %d changes: a field is not tried", n, len(changes))
	}
	for name, change := range changes {
		for i := range hs {
			bad := append([]Header{}, hs...)
			change(&bad[i])
			if head, err := CheckChain(suite, 7, 0, vault.Hash{}, bad); err == nil && head == want {
				t.Errorf("%s of record %d may change", name, i+1)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	r := chain(t, 1)[0]
	if err := CheckBody(suite, salt, r); err != nil {
		t.Fatal(err)
	}
	changed := r
	changed.Body = []byte("body 1")
	if err := CheckBody(suite, salt, changed); !errors.Is(err, ErrBody) {
		t.Errorf("changed body: %v", err)
	}
	if err := CheckBody(suite, salt[1:], r); !errors.Is(err, ErrBody) {
		t.Errorf("another salt: %v", err)
	}
	purged := r
	purged.Body = nil
	if err := CheckBody(suite, salt, purged); err != nil || purged.Hash(suite) != r.Hash(suite) {
		t.Errorf("a purged body leaves the chain alone: %v", err)
	}
	if BodyHash(suite, salt, 1, []byte("x")) == BodyHash(suite, salt, 2, []byte("x")) {
		t.Error("equal bodies have equal hashes: they can be guessed")
	}
	empty, err := Next(suite, 7, 0, vault.Hash{}, salt, 0, Clock{}, "", KindLocked, nil)
	if err != nil || empty.Body == nil {
		t.Errorf("an empty body is not a purged one: %v", err)
	}
}

func TestNextRefuses(t *testing.T) {
	if _, err := Next(suite, 7, 0, vault.Hash{}, salt, 0, Clock{}, "", KindSettings, make([]byte, MaxBody+1)); err == nil {
		t.Error("body over the limit")
	}
	if _, err := Next(suite, 7, 0, vault.Hash{}, salt, 0, Clock{}, "\xff", KindSettings, nil); !errors.Is(err, ErrFormat) {
		t.Errorf("operator that is not text: %v", err)
	}
	if _, err := Next(suite, 7, 0, vault.Hash{}, salt, 0, Clock{}, "", "\xff", nil); !errors.Is(err, ErrFormat) {
		t.Errorf("kind that is not text: %v", err)
	}
}

func TestClockQuality(t *testing.T) {
	for _, c := range []struct {
		clock Clock
		want  uint8
	}{{Clock{}, 0}, {Clock{Exact: true}, 0}, {Clock{Signed: 1}, 1}, {Clock{Signed: 1, Exact: true}, 2}} {
		if got := c.clock.Quality(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.clock, got, c.want)
		}
	}
}

func TestParseHeader(t *testing.T) {
	r := chain(t, 2)
	for _, rec := range r {
		b := canon.MustMarshal(rec.Header)
		if h, err := ParseHeader(b); err != nil || h != rec.Header {
			t.Errorf("record %d: %v", rec.Seq, err)
		}
		if _, err := ParseHeader(append(b, 0)); !errors.Is(err, ErrFormat) {
			t.Errorf("trailing byte: %v", err)
		}
	}
	for name, change := range map[string]func(*Header){
		"version": func(h *Header) { h.V = 2 }, "record zero": func(h *Header) { h.Seq = 0 },
		"first with predecessor": func(h *Header) { h.Prev = vault.Hash{1} }, "second without": func(h *Header) { h.Seq = 2 },
	} {
		h := r[0].Header
		change(&h)
		if _, err := ParseHeader(canon.MustMarshal(h)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func events(t testing.TB, k vault.PrivateKey, n int) []Event {
	t.Helper()
	var out []Event
	var head vault.Hash
	for i := range n {
		e := Event{Device: 7, Cursor: uint64(i + 1), Prev: head, At: int64(i), Kind: EventAccepted, Seq: 3, Body: []byte{0xa0}}
		if err := e.Sign(k); err != nil {
			t.Fatal(err)
		}
		out, head = append(out, e), e.Hash(suite)
	}
	return out
}

func TestEvents(t *testing.T) {
	k := mustKey(t)
	evs := events(t, k, 4)
	head, err := CheckEvents(suite, 7, 0, vault.Hash{}, evs)
	if err != nil || head != evs[3].Hash(suite) {
		t.Fatalf("sound events: %v", err)
	}
	if _, err := CheckEvents(suite, 7, 2, evs[1].Hash(suite), evs[2:]); err != nil {
		t.Fatalf("sound suffix: %v", err)
	}
	for name, bad := range map[string][]Event{
		"left out": {evs[0], evs[2]}, "twice": {evs[0], evs[0]}, "late start": evs[1:],
	} {
		if _, err := CheckEvents(suite, 7, 0, vault.Hash{}, bad); !errors.Is(err, ErrGap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := CheckEvents(suite, 8, 0, vault.Hash{}, evs); !errors.Is(err, ErrGap) {
		t.Errorf("another device: %v", err)
	}
	back, err := ParseEvent(evs[1].Marshal())
	if err != nil || !reflect.DeepEqual(back, evs[1]) {
		t.Fatalf("does not come back: %v", err)
	}
	if err := back.Verify(suite, k.Public()); err != nil {
		t.Fatal(err)
	}
	if err := back.Verify(suite, mustKey(t).Public()); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("another signer: %v", err)
	}
	data := evs[1].Marshal()
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if e, err := ParseEvent(bad); err == nil && e.Verify(suite, k.Public()) == nil {
			t.Fatalf("byte %d of an event may change", i)
		}
	}
	for name, change := range map[string]func(*Event){
		"version": func(e *Event) { e.V = 2 }, "cursor zero": func(e *Event) { e.Cursor = 0 },
		"first with predecessor": func(e *Event) { e.Cursor = 1 }, "second without": func(e *Event) { e.Prev = vault.Hash{} },
		"large body": func(e *Event) { e.Body = make([]byte, MaxBody+257) },
	} {
		e := evs[1]
		change(&e)
		if _, err := ParseEvent(e.Marshal()); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An ack, a packet or a request can't pass for an event, nor the other way round.
func TestEventDomain(t *testing.T) {
	k := mustKey(t)
	e := events(t, k, 1)[0]
	sig, err := vault.Sign(k, "ack", e.unsigned())
	if err != nil {
		t.Fatal(err)
	}
	e.Sig = sig
	if err := e.Verify(suite, k.Public()); !errors.Is(err, vault.ErrSignature) {
		t.Errorf("signature of an ack: %v", err)
	}
}

func TestDecodeBody(t *testing.T) {
	want := Correction{Fields: []string{"phone", "children[1].name"}, Note: "号码少一位", At: 5, AnswerBy: 20_800, Officer: "审核员", Telephone: "0571-00000000", Basis: "第三十二条"}
	got, err := DecodeBody[Correction](canon.MustMarshal(want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v: %v", got, err)
	}
	if got, err := DecodeBody[Correction](canon.MustMarshal(Note{What: "x"})); !errors.Is(err, ErrFormat) || !reflect.DeepEqual(got, Correction{}) {
		t.Errorf("another type: %+v, %v", got, err)
	}
}

// Kinds are on people's disks: none may change its word, and none may repeat.
func TestKindsAreStable(t *testing.T) {
	all := []Kind{
		KindEnrolled, KindLogin, KindLoginRefused, KindLocked, KindPINChanged, KindCaseSubmitted, KindCaseAmended, KindCaseWithdrawn,
		KindPersonOpened, KindReceiptPrinted, KindExported, KindSettings, KindClockJump, KindRebuilt,
		EventAccepted, EventRefused, EventCorrection, EventComplete, EventProcessing, EventSpecial, EventDecided, EventDelivered,
		EventQuarantined, EventPack, EventKeyList, EventPins, EventDeviceLocked,
	}
	var words []string
	for _, k := range all {
		words = append(words, string(k))
	}
	const want = "enrolled login login.refused locked pin.changed case.submitted case.amended case.withdrawn person.opened " +
		"receipt.printed exported settings clock.jump rebuilt case.accepted case.refused case.correction case.complete " +
		"case.processing case.special case.decided case.delivered record.quarantined pack.published keys.published pins.changed device.locked"
	if got := strings.Join(words, " "); got != want {
		t.Errorf("kinds changed:\n%s", got)
	}
}

func FuzzParseHeader(f *testing.F) {
	for _, r := range chain(f, 2) {
		f.Add(canon.MustMarshal(r.Header))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := ParseHeader(data)
		if err != nil {
			var by Header
			if uerr := canon.Unmarshal(data, &by); uerr == nil && by.V == Version && by.Seq != 0 && (by.Seq == 1) == by.Prev.IsZero() {
				t.Fatalf("refuses %x: %v", data, err)
			}
			return
		}
		if again := canon.MustMarshal(h); !bytes.Equal(again, data) || !bytes.Equal(h.Append(nil), data) {
			t.Fatalf("reads %x, writes %x", data, again)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	for _, e := range events(f, mustKey(f), 2) {
		f.Add(e.Marshal())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEvent(data)
		if err != nil {
			return
		}
		if again := e.Marshal(); !bytes.Equal(again, data) {
			t.Fatalf("reads %x, writes %x", data, again)
		}
	})
}

func FuzzDecodeBody(f *testing.F) {
	f.Add(canon.MustMarshal(CaseSubmitted{Blobs: []Blob{{}}}))
	f.Add(canon.MustMarshal(Accepted{Receipt: []byte{1}}))
	f.Add(canon.MustMarshal(Correction{Fields: []string{"a"}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		same[CaseSubmitted](t, data)
		same[CaseAmended](t, data)
		same[Accepted](t, data)
		same[Correction](t, data)
		same[Decided](t, data)
		same[Note](t, data)
		same[PackPublished](t, data)
	})
}

func same[T any](t *testing.T, data []byte) {
	t.Helper()
	v, err := DecodeBody[T](data)
	if err == nil && !bytes.Equal(canon.MustMarshal(v), data) {
		t.Fatalf("%T reads %x, writes %x", v, data, canon.MustMarshal(v))
	}
}
