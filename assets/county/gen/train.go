package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/catalog"
	"bianmin/offline/form"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
)

const (
	casesPerForm = 120
	maxDict      = 16 << 10
	dictID       = 999999
)

// training makes made-up cases.
type training struct {
	*rand.Rand
	items map[string]catalog.Item
	forms map[string]*form.Program
	lists form.ListMap
}

// trainDictionary returns a zstd dictionary for records of the county's cases, from perForm made-up cases of each form.
func trainDictionary(src fs.FS, perForm int) ([]byte, error) {
	t := &training{rand.New(rand.NewPCG(2026, 11)), map[string]catalog.Item{}, map[string]*form.Program{}, form.ListMap{}}
	var items []catalog.Item
	data, err := fs.ReadFile(src, "items.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, err
	}
	for _, it := range items {
		t.items[it.ID] = it
	}
	if err := t.list(src, "bank"); err != nil {
		return nil, err
	}
	names, err := fs.Glob(src, "forms/*.json")
	if err != nil {
		return nil, err
	}
	var samples [][]byte
	for _, name := range names {
		data, err := fs.ReadFile(src, name)
		if err != nil {
			return nil, err
		}
		f, err := form.Parse(data)
		if err != nil {
			return nil, err
		}
		p, err := form.Compile(f, form.Options{})
		if err != nil {
			return nil, err
		}
		for range perForm {
			s, err := t.record(p)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			samples = append(samples, s)
		}
	}
	for range perForm / 2 {
		samples = append(samples, t.small()...)
	}
	return zstd.BuildDict(zstd.BuildDictOptions{
		ID: dictID, Contents: samples, History: common(samples, maxDict), Offsets: [3]int{1, 4, 8}, CompatV155: true, Level: zstd.SpeedBetterCompression,
	})
}

// list reads a list of the county that forms name.
func (t *training) list(src fs.FS, name string) error {
	data, err := fs.ReadFile(src, "lists/"+name+".json")
	if err != nil {
		return err
	}
	var f struct{ Rows []form.Option }
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("list %s: %w", name, err)
	}
	t.lists[name] = form.NewList(f.Rows)
	return nil
}

// gram is the shortest piece worth repeating; a piece must stand in least samples to be common.
const (
	gram  = 5
	least = 12
)

// common returns the pieces that many samples share, at most size bytes, the most shared ones last, where references to
// them are shortest.
func common(samples [][]byte, size int) []byte {
	counts := make(map[string]int)
	for _, s := range samples {
		seen := make(map[string]bool)
		for i := 0; i+gram <= len(s); i++ {
			if g := string(s[i : i+gram]); !seen[g] {
				seen[g] = true
				counts[g]++
			}
		}
	}
	// A piece is a run of common grams; its worth is how many bytes it saves over all samples.
	worth := make(map[string]int)
	for _, s := range samples {
		for i := 0; i+gram <= len(s); i++ {
			j, shared := i, 1<<30
			for j+gram <= len(s) && counts[string(s[j:j+gram])] >= least {
				shared = min(shared, counts[string(s[j:j+gram])])
				j++
			}
			if j > i {
				piece := string(s[i : j+gram-1])
				worth[piece] = shared * len(piece)
				i = j
			}
		}
	}
	pieces := slices.Collect(maps.Keys(worth))
	slices.SortFunc(pieces, func(a, b string) int { return cmp.Or(cmp.Compare(worth[b], worth[a]), strings.Compare(a, b)) })
	var kept []string
	total, covered := 0, make(map[string]bool)
	for _, p := range pieces {
		fresh := 0
		for i := 0; i+gram <= len(p); i++ {
			if !covered[p[i:i+gram]] {
				fresh++
			}
		}
		if total+len(p) > size || fresh*2 < len(p)-gram+1 {
			continue // too long, or mostly said already
		}
		for i := 0; i+gram <= len(p); i++ {
			covered[p[i:i+gram]] = true
		}
		kept = append(kept, p)
		total += len(p)
	}
	slices.Reverse(kept)
	return []byte(strings.Join(kept, ""))
}

var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// row lays a record out as packets do (docs/packet.md).
func (t *training) row(kind journal.Kind, body any) []byte {
	return canon.MustMarshal([]any{
		int64(t.IntN(400_000)), int64(0), int64(t.IntN(400_000)), true, pick(t, "wang", "li", "zhao"), string(kind), canon.MustMarshal(body), []byte{},
	})
}

func (t *training) small() [][]byte {
	seq := uint64(t.IntN(5000))
	return [][]byte{
		t.row(journal.KindReceiptPrinted, journal.ReceiptPrinted{Case: seq, Stage: 1, How: "png", Copy: 1}),
		t.row(journal.KindLogin, journal.Note{What: "desk"}),
		t.row(journal.KindPersonOpened, journal.PersonOpened{Person: fmt.Sprintf("p%03d", t.IntN(900)), Purpose: "gaoling"}),
	}
}

func (t *training) record(p *form.Program) ([]byte, error) {
	f := p.Form()
	it, ok := t.items[f.Service]
	if !ok {
		return nil, fmt.Errorf("no item %q", f.Service)
	}
	given, err := t.answers(f.ID)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	s, problems := p.Answers(form.Env{Now: func() time.Time { return now }, Division: t.village(), Lists: t.lists}, 1, line)
	if problems = append(problems, s.Problems()...); len(problems) > 0 {
		return nil, problems[0]
	}
	values := s.Values(true)
	answers, err := values.MarshalCBOR()
	if err != nil {
		return nil, err
	}
	body := journal.CaseSubmitted{
		Service: it.ID, ItemCode: it.Code, ItemName: it.Name.ZH, FormID: f.ID, FormVersion: uint32(f.Version), FormHash: f.Hash(),
		Answers: answers, Applicant: given["name"].(string), IDNumber: given["idno"].(string), Phone: t.phone(), Division: t.village(),
		Due: 20780 + int32(t.IntN(40)), Consent: "同意为办理本事项收集和使用以上信息。",
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if blobs, err := form.Blobs(v); err == nil {
			for _, b := range blobs {
				j := journal.Blob{Size: b.Size, Media: b.MIME, Name: b.Name}
				copy(j.Addr[:], b.Addr)
				copy(j.Key[:], b.Key)
				copy(j.Plain[:], b.Plain)
				body.Blobs = append(body.Blobs, j)
			}
		}
	}
	return t.row(journal.KindCaseSubmitted, body), nil
}

func (t *training) answers(id string) (map[string]any, error) {
	a := map[string]any{"name": t.name(), "sign": t.signature(), "promise": true}
	switch id {
	case "gaoling":
		agent := t.IntN(3) == 0
		a["idno"] = t.id(1926, 1945)
		a["hukou"], a["hukouAddress"], a["sameHome"] = t.village(), t.address(), true
		a["applyType"], a["bank"], a["bankcard"] = pick(t, "first", "renew"), pick(t, "103", "314", "402"), t.card()
		a["contactName"], a["contactRelation"], a["contactPhone"] = t.name(), pick(t, "child", "spouse", "kin"), t.phone()
		a["way"], a["idcardPhoto"], a["hukouBook"], a["share"] = "self", t.photos(2, "身份证"), t.photos(1, "户口簿"), true
		if agent {
			a["way"], a["agentName"], a["agentIdno"], a["agentRelation"], a["agentPhone"] = "agent", t.name(), t.id(1960, 2000), "child", t.phone()
			a["agentReason"], a["agentPhoto"] = pick(t, "老人行动不便", "老人住院"), t.photos(1, "代办人身份证")
		}
	case "linshijiuzhu":
		a["idno"], a["phone"], a["hukou"], a["live"], a["liveAddress"] = t.id(1950, 2000), t.phone(), t.village(), t.village(), t.address()
		a["kind"], a["cause"], a["story"], a["sameCause"] = "expense", pick(t, "illness", "school", "living"), pick(t, "家庭成员住院治疗，自付费用较高，生活困难。", "孩子上大学，学费和生活费难以负担。"), false
		a["expenses"], a["amount"], a["category"], a["bankcard"], a["income"] = int64(100*(5000+t.IntN(40000))), int64(100*(500+t.IntN(4000))), pick(t, "margin", "none"), t.card(), int64(100*t.IntN(3000))
		a["origin"] = "self"
		if t.IntN(4) == 0 {
			a["origin"], a["helperName"], a["helperPost"], a["helperPhone"], a["helperReason"] = "agent", t.name(), "village", t.phone(), "本人住院，由村里代办"
		}
		a["family"] = []any{
			map[string]any{"name": t.name(), "idno": t.id(1950, 2000), "relation": "spouse", "income": int64(100 * t.IntN(3000)), "sign": t.signature()},
			map[string]any{"name": t.name(), "idno": t.id(2012, 2024), "relation": "child"},
		}
		a["idcardPhoto"], a["hukouBook"], a["hardshipProof"], a["authorise"] = t.photos(2, "身份证"), t.photos(2, "户口簿"), t.photos(1, "困难证明"), true
	case "juzhudengji":
		a["idno"], a["phone"], a["hukou"], a["hukouAddress"] = t.id(1970, 2004), t.phone(), "980101101201", "邻近县平安镇"+fmt.Sprint(1+t.IntN(90))+"号"
		a["arrivedOn"], a["purpose"], a["live"], a["liveAddress"] = fmt.Sprintf("2026-%02d-%02d", 1+t.IntN(10), 1+t.IntN(28)), pick(t, "work", "business"), t.village(), t.address()
		a["homeType"], a["landlord"], a["leaseUntil"] = "rent", map[string]any{"name": t.name(), "phone": t.phone()}, "2027-12-31"
		a["employed"], a["photo"], a["idcardPhoto"], a["lease"] = false, t.photos(1, "照片"), t.photos(2, "身份证"), t.photos(1, "租赁合同")
		if t.IntN(4) == 0 {
			a["purpose"], a["school"], a["schoolProof"] = "study", "示范县第一中学", t.photos(1, "就读证明")
		}
	default:
		return nil, errors.New("no training cases are written for this form")
	}
	return a, nil
}

func pick[T any](t *training, from ...T) T { return from[t.IntN(len(from))] }

// name makes names that no person of the roster has: all begin with a surname that the roster lacks.
func (t *training) name() string {
	given := []rune("文武斌杰涛超亮静敏慧芳丽娜婷雪霞")
	return pick(t, "钱", "孔", "秦", "魏", "姜", "戚") + string(given[t.IntN(len(given))]) + string(given[t.IntN(len(given))])
}

func (t *training) id(from, to int) string {
	birth := time.Date(from+t.IntN(to-from), time.Month(1+t.IntN(12)), 1+t.IntN(28), 0, 0, 0, 0, time.UTC)
	n, err := ident.MakeID("999999", birth, 500+t.IntN(499))
	if err != nil {
		panic(err) // the parts are of the right form
	}
	return n
}

func (t *training) phone() string { return fmt.Sprintf("1600009%04d", t.IntN(10000)) }

func (t *training) card() string { return card(900_000 + t.IntN(90_000)) }

func (t *training) village() string {
	return pick(t, "999999101201", "999999101202", "999999102201", "999999001001")
}

func (t *training) address() string {
	return pick(t, "清河镇", "柳林镇", "石桥乡") + fmt.Sprintf("%d组%d号", 1+t.IntN(9), 20+t.IntN(60))
}

func (t *training) bytes(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(t.Uint32())
	}
	return hex.EncodeToString(b)
}

func (t *training) blob(media, name string) map[string]any {
	return map[string]any{"addr": t.bytes(32), "key": t.bytes(16), "plain": t.bytes(32), "mime": media, "size": 50_000 + t.IntN(400_000), "name": name}
}

func (t *training) photos(n int, name string) []any {
	var out []any
	for range n {
		out = append(out, t.blob("image/jpeg", name))
	}
	return out
}

func (t *training) signature() map[string]any {
	var strokes []any
	for range 3 + t.IntN(4) {
		var s []any
		x, y := 40+t.IntN(300), 40+t.IntN(100)
		for range 6 + t.IntN(10) {
			s = append(s, x, y)
			x, y = x+t.IntN(12), y+t.IntN(9)-4
		}
		strokes = append(strokes, s)
	}
	return map[string]any{"strokes": strokes, "png": t.blob("image/png", "签名")}
}
