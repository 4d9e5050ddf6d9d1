package journal

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// golden is testdata/journal-v1.json: what every later version must still compute and read.
type golden struct {
	Salt    string         `json:"salt_key"`
	Records []goldenRecord `json:"records"`
	Signer  string         `json:"platform_public_key"`
	Events  []goldenEvent  `json:"events"`
}

type goldenRecord struct {
	Body     string `json:"body"`
	Salt     string `json:"salt"` // HMAC-SM3(salt key, seq)
	BodyHash string `json:"body_hash"`
	Header   string `json:"header"`
	Hash     string `json:"hash"`
}

type goldenEvent struct {
	Event string `json:"event"`
	Hash  string `json:"hash"`
	Kind  Kind   `json:"kind"`
	Seq   uint64 `json:"seq"`
	Body  string `json:"body"`
}

const goldenFile = "testdata/journal-v1.json"

// goldenRecords are made from constants alone: their bytes are the same on every machine.
func goldenRecords(t *testing.T) []Record {
	t.Helper()
	bodies := [][]byte{
		canon.MustMarshal(Note{What: "station", From: "", To: "999901001001"}),
		canon.MustMarshal(CaseSubmitted{Service: "gaoling", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1, Applicant: "样本甲", Division: "999901001001", Due: 20_800}),
		{},
	}
	kinds := []Kind{KindEnrolled, KindCaseSubmitted, KindLocked}
	clocks := []Clock{{}, {Signed: 1_795_000_000_000, Since: 61_000, Exact: true}, {Signed: 1_795_000_000_000, Since: 62_000}}
	var out []Record
	var head vault.Hash
	for i, b := range bodies {
		r, err := Next(suite, 1_000_001, uint64(i), head, salt, 1_795_000_060_000+int64(i), clocks[i], []string{"", "op1", "op1"}[i], kinds[i], b)
		if err != nil {
			t.Fatal(err)
		}
		out, head = append(out, r), r.Hash(suite)
	}
	return out
}

func TestGolden(t *testing.T) {
	if os.Getenv("BIANMIN_WRITE_GOLDEN") == "1" {
		writeGolden(t)
	}
	raw, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	records := goldenRecords(t)
	if len(g.Records) != len(records) || len(g.Events) != 3 || g.Salt != hex.EncodeToString(salt) {
		t.Fatalf("%d records, %d events", len(g.Records), len(g.Events))
	}
	for i, r := range records {
		want, got := g.Records[i], goldenOf(r)
		if want != got {
			t.Errorf("record %d:\n%+v\n%+v", i+1, got, want)
		}
		h, err := ParseHeader(unhex(t, want.Header))
		if err != nil || h != r.Header {
			t.Errorf("record %d does not read: %v", i+1, err)
		}
	}
	var list []Event
	for i, want := range g.Events {
		e, err := ParseEvent(unhex(t, want.Event))
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Verify(suite, unhex(t, g.Signer)); err != nil {
			t.Error(err)
		}
		h := e.Hash(suite)
		if h.String() != want.Hash || e.Kind != want.Kind || e.Seq != want.Seq || hex.EncodeToString(e.Body) != want.Body {
			t.Errorf("event %d reads as %+v", i+1, e)
		}
		list = append(list, e)
	}
	if _, err := CheckEvents(suite, 1_000_001, 0, vault.Hash{}, list); err != nil {
		t.Error(err)
	}
}

func goldenOf(r Record) goldenRecord {
	s := suite.MAC(salt, vault.U64(r.Seq))
	return goldenRecord{
		Body: hex.EncodeToString(r.Body), Salt: s.String(), BodyHash: r.BodyHash.String(),
		Header: hex.EncodeToString(canon.MustMarshal(r.Header)), Hash: r.Hash(suite).String(),
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeGolden(t *testing.T) {
	t.Helper()
	k := mustKey(t)
	g := golden{Salt: hex.EncodeToString(salt), Signer: hex.EncodeToString(k.Public())}
	for _, r := range goldenRecords(t) {
		g.Records = append(g.Records, goldenOf(r))
	}
	var head vault.Hash
	for i, e := range []Event{
		{Kind: EventAccepted, Seq: 2, Body: canon.MustMarshal(Accepted{OfficialNo: "11330000000000000033201100100012202611200001", At: 1_795_000_100_000, Due: 20_800, Receipt: []byte{1, 2, 3}})},
		{Kind: EventCorrection, Seq: 2, Body: make([]byte, 150), Sealed: true},
		{Kind: EventDeviceLocked, Body: []byte{}},
	} {
		e.Device, e.Cursor, e.Prev, e.At = 1_000_001, uint64(i+1), head, 1_795_000_100_000+int64(i)
		if err := e.Sign(k); err != nil {
			t.Fatal(err)
		}
		head = e.Hash(suite)
		g.Events = append(g.Events, goldenEvent{hex.EncodeToString(e.Marshal()), head.String(), e.Kind, e.Seq, hex.EncodeToString(e.Body)})
	}
	b, err := json.MarshalIndent(g, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenFile, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
