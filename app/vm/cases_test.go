package vm_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/form"
	"bianmin/offline/vault"
	"bianmin/sync/engine"
)

// caseWords are the real texts, and count how often they are asked for.
type caseWords struct {
	c     *translations.Catalog
	lang  string
	asked int
}

func newCaseWords(t testing.TB) *caseWords {
	t.Helper()
	c, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &caseWords{c: c, lang: "zh"}
}

func (w *caseWords) Lang() string { return w.lang }

func (w *caseWords) T(key string, pairs ...string) string {
	w.asked++
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	if !w.c.Has(w.lang, key) {
		return "missing " + key
	}
	return w.c.TS(w.lang, key, args)
}

// caseSession is a session that holds cases in memory; what a test does not need is not there.
type caseSession struct {
	counter.Session
	cases []counter.Case
	reads int
}

func (s *caseSession) Operator() vault.OperatorInfo {
	return vault.OperatorInfo{ID: "wang", Name: "王秀英"}
}

func (s *caseSession) Catalog() (*catalog.Catalog, error) {
	return nil, counter.ErrLocked
}

func (s *caseSession) Cases(context.Context) ([]counter.Case, error) {
	s.reads++
	return s.cases, nil
}

func (s *caseSession) Quarantine(context.Context) ([]counter.Quarantined, error) { return nil, nil }

var caseDay = desktest.Day

func oneCase(seq uint64, name, id string, state casefile.State, d casefile.Delivery) counter.Case {
	return counter.Case{
		Case: &casefile.Case{Device: 7, Seq: seq, Applicant: name, IDNumber: id, ItemName: "高龄津贴", Operator: "wang", State: state, SubmittedAt: caseDay.UnixMilli()},
		No:   casefile.Number(7, seq), Delivery: d,
	}
}

func someCases() []counter.Case {
	cs := []counter.Case{
		oneCase(3, "刘玉珍", "999999194102030021", casefile.CorrectionAsked, casefile.NeedsYou),
		oneCase(12, "单田芳", "999999194409180024", casefile.TakenIn, casefile.OnMachine),
		oneCase(5, "陈德福", "999999194102030013", casefile.TakenIn, casefile.AtPlatform),
		oneCase(6, "张守义", "999999193207010014", casefile.Processing, casefile.PlatformTook),
		oneCase(34, "吴秀兰", "99999919400630001X", casefile.Granted, casefile.PlatformTook),
	}
	cs[3].OfficialNo = "99999920261122000006"
	cs[4].Operator, cs[4].ItemName = "li", "临时救助"
	return cs
}

func seqsOf(st vm.CasesState) []uint64 {
	out := []uint64{}
	for i := range st.Len {
		out = append(out, st.Row(i).Seq)
	}
	return out
}

func TestCasesAreFilteredAndFound(t *testing.T) {
	w, s := newCaseWords(t), &caseSession{cases: someCases()}
	v := vm.NewCases(w, s, func() time.Time { return caseDay }, "")
	if st := v.State(); st.Loaded || st.Len != 0 {
		t.Fatalf("before Load: %+v", st)
	}
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filter, query string
		want          []uint64
	}{
		{vm.CasesAll, "", []uint64{3, 12, 5, 6, 34}},
		{vm.CasesNeedMe, "", []uint64{3}},
		{vm.CasesHere, "", []uint64{12}},
		{vm.CasesDelivered, "", []uint64{5}},
		{vm.CasesAccepted, "", []uint64{6}},
		{vm.CasesDone, "", []uint64{34}},
		{vm.CasesAll, "lyz", []uint64{3}},
		{vm.CasesAll, "stf", []uint64{12}}, // 单 is shan in a name
		{vm.CasesAll, "玉珍", []uint64{3}},
		{vm.CasesAll, "chendefu", []uint64{5}},
		{vm.CasesAll, "lsjz", []uint64{34}},
		{vm.CasesAll, "001x", []uint64{34}},
		{vm.CasesAll, "0021", []uint64{3}},
		{vm.CasesAll, "021", []uint64{}}, // three digits mean nobody's ID number
		{vm.CasesAll, "999999193207010014", []uint64{6}},
		{vm.CasesAll, "99999920261122000006", []uint64{6}},
		{vm.CasesAll, casefile.Number(7, 12), []uint64{12}},
		{vm.CasesAll, strings.ReplaceAll(casefile.Number(7, 12), "-", "－"), []uint64{12}},
		{vm.CasesAll, "7-3", []uint64{3, 34}},
		{vm.CasesAll, casefile.Number(8, 12), []uint64{}}, // another machine's
		{vm.CasesNeedMe, "stf", []uint64{}},
	} {
		v.SetFilter(c.filter)
		v.SetQuery(c.query)
		if got := seqsOf(v.State()); !slices.Equal(got, c.want) {
			t.Errorf("filter %q, query %q: %v, want %v", c.filter, c.query, got, c.want)
		}
	}
	st := v.State()
	if st.EmptyTitle == "" || st.EmptyText == "" {
		t.Error("an empty list does not say why")
	}
	var labels []string
	for _, f := range st.Filters {
		labels = append(labels, f.Label)
	}
	if want := []string{"全部 5", "需要我处理 1", "仅在本机 1", "已送达 1", "已受理 1", "已办结 1"}; !slices.Equal(labels, want) {
		t.Errorf("filters %v", labels)
	}
}

func TestCaseRowsNameOnlyTheClerksOwnPeople(t *testing.T) {
	w, s := newCaseWords(t), &caseSession{cases: someCases()}
	v := vm.NewCases(w, s, func() time.Time { return caseDay }, "nonsense")
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := v.State()
	if r := st.Row(0); r.Who != "刘玉珍" || r.State != "补正告知" || r.StateTone != "warn" || r.Delivery != "需要您处理" || r.DeliveryTone != "danger" ||
		r.To != (vm.Target{Page: "case", Arg: "3"}) || r.When != "今天 09:30" {
		t.Errorf("row %+v", r)
	}
	if r := st.Row(4); r.Who == "吴秀兰" || !strings.HasPrefix(r.Who, "吴") || r.Days != "" {
		t.Errorf("another clerk's case: %+v", r)
	}
	tones := map[string]bool{}
	for i := range st.Len {
		tones[st.Row(i).DeliveryTone] = true
	}
	if len(tones) != 4 {
		t.Errorf("the four states of delivery have %d shapes", len(tones))
	}
}

func TestDaysLeftInWords(t *testing.T) {
	for _, c := range []struct {
		state   casefile.State
		clock   casefile.Clock
		zh, en  string
		toneOut string
	}{
		{casefile.TakenIn, casefile.Clock{Promised: 1, Left: 3, Lamp: casefile.LampYellow}, "还剩 3 个工作日", "3 working days left", "warn"},
		{casefile.TakenIn, casefile.Clock{Promised: 1, Left: 1, Lamp: casefile.LampRed}, "还剩 1 个工作日", "1 working day left", "danger"},
		{casefile.Processing, casefile.Clock{Promised: 1, Left: 0, Lamp: casefile.LampRed}, "今天到期", "Due today", "danger"},
		{casefile.Processing, casefile.Clock{Promised: 1, Left: -2, Lamp: casefile.LampOverdue}, "已超期 2 个工作日", "2 working days overdue", "danger"},
		{casefile.Special, casefile.Clock{Promised: 1, Left: 9, Stopped: true}, "期限暂停计算", "Clock stopped", ""},
		{casefile.CorrectionAsked, casefile.Clock{AnswerBy: 1, Left: 5, Stopped: true, Lamp: casefile.LampNormal}, "还剩 5 个工作日", "5 working days left", ""},
		{casefile.TakenIn, casefile.Clock{}, "", "", ""},
		{casefile.Granted, casefile.Clock{Promised: 1, Left: -9}, "", "", ""},
	} {
		w, k := newCaseWords(t), oneCase(1, "刘玉珍", "", c.state, casefile.AtPlatform)
		k.Clock = c.clock
		v := vm.NewCases(w, &caseSession{cases: []counter.Case{k}}, func() time.Time { return caseDay }, "")
		if err := v.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := v.State().Row(0)
		w.lang = "en"
		if e := v.State().Row(0); r.Days != c.zh || e.Days != c.en || r.DaysTone != c.toneOut {
			t.Errorf("%s %+v: %q, %q, tone %q", c.state, c.clock, r.Days, e.Days, r.DaysTone)
		}
	}
}

func manyCases(n int) []counter.Case {
	surnames, given := []rune("王李张刘陈杨黄赵吴周"), []rune("秀英桂兰玉珍建国德福守义明华")
	out := make([]counter.Case, n)
	for i := range out {
		name := string([]rune{surnames[i%len(surnames)], given[i/3%len(given)], given[i/7%len(given)]})
		out[i] = oneCase(uint64(i+1), name, fmt.Sprintf("9999991940%08d", i), casefile.TakenIn, casefile.AtPlatform)
	}
	return out
}

func TestTwentyThousandCasesArePutIntoWordsOnlyWhenSeen(t *testing.T) {
	w := newCaseWords(t)
	v := vm.NewCases(w, &caseSession{cases: manyCases(20_000)}, func() time.Time { return caseDay }, "")
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := v.State()
	if st.Len != 20_000 || w.asked > 20 {
		t.Errorf("%d rows, %d texts for a state", st.Len, w.asked)
	}
	before := w.asked
	if r := st.Row(19_999); r.Seq != 20_000 {
		t.Errorf("last row %+v", r)
	}
	if w.asked-before > 10 {
		t.Errorf("%d texts for a row", w.asked-before)
	}
	v.SetQuery("wxy")
	if got := v.State(); got.Len == 0 || st.Len != 20_000 || st.Row(0).Seq != 1 {
		t.Errorf("a search found %d and changed a state given out", got.Len)
	}
}

func BenchmarkCasesSearch20000(b *testing.B) {
	v := vm.NewCases(newCaseWords(b), &caseSession{cases: manyCases(20_000)}, func() time.Time { return caseDay }, "")
	if err := v.Load(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, q := range []string{"w", "wx", "wxy", "秀", "0021"} {
			v.SetQuery(q)
			v.State()
		}
	}
}

func TestCaseDetailTellsTheWholeStory(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	w := newCaseWords(t)
	people, err := s.FindPeople("999999194102030021", 1)
	if err != nil || len(people) != 1 {
		t.Fatalf("%d people: %v", len(people), err)
	}
	in, err := s.Start(t.Context(), "gaoling", people[0])
	if err != nil {
		t.Fatal(err)
	}
	caseFill(t, in)
	got, err := in.Submit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := vm.NewCaseDetail(w, d.Counter(), s, m.Clock.Now, got.Case)
	load := func() vm.CaseDetailState {
		t.Helper()
		if err := v.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return v.State()
	}
	whats := func(st vm.CaseDetailState) (out []string) {
		for _, s := range st.Steps {
			mark := s.What
			if s.Tone == "" {
				mark = "(" + mark + ")"
			}
			out = append(out, mark)
		}
		return out
	}
	check := func(st vm.CaseDetailState, want ...string) {
		t.Helper()
		if !slices.Equal(whats(st), want) {
			t.Errorf("time line %v, want %v", whats(st), want)
		}
	}
	check(load(), "收件", "(等待送达)", "(受理)", "(办结)")
	m.Acknowledge(t, d)
	m.Clock.T = caseDay.AddDate(0, 0, 1)
	m.AskCorrection(t, d, got.Case, "账号请与社保卡核对。", "bankcard")
	st := load()
	check(st, "收件", "送达平台", "补正告知", "(补正收齐)", "(受理)", "(办结)")
	k := st.Correction
	if k == nil || k.Note != "账号请与社保卡核对。" || !slices.Equal(k.Fields, []string{"社保卡银行账号"}) || k.Days != "还剩 5 个工作日" || !strings.Contains(k.From, "赵敏") {
		t.Fatalf("correction %+v", k)
	}
	if st.PrimaryTo != (vm.Target{Page: "wizard", Arg: fmt.Sprintf("correct:%d", got.Case)}) {
		t.Errorf("the button leads to %+v", st.PrimaryTo)
	}
	in, err = s.Correct(t.Context(), got.Case)
	if err != nil {
		t.Fatal(err)
	}
	in.Set("bankcard", "6299990020000158388")
	for _, p := range in.Ready(true) {
		if p.Path == "sign" {
			if err := in.Sign(t.Context(), "sign", caseStroke); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := in.Submit(t.Context()); err != nil {
		t.Fatal(err)
	}
	st = load()
	check(st, "收件", "送达平台", "补正告知", "补正收齐", "(受理)", "(办结)")
	if st.Steps[3].Who != "王秀英" || !strings.Contains(st.Steps[3].Note, "还在本机") || st.Delivery != "本机已保存" {
		t.Errorf("answer that waits: %+v, %s", st.Steps[3], st.Delivery)
	}
	m.Acknowledge(t, d)
	official := m.Accept(t, d, got.Case, caseDay.AddDate(0, 0, 20))
	m.Decide(t, d, got.Case, "denied", "已在其他县领取。")
	st = load()
	check(st, "收件", "送达平台", "补正告知", "补正收齐", "受理", "办结·不予")
	if st.Numbers[1].Value != official || st.Result != "已在其他县领取。" || st.ResultTone != "danger" || st.Correction != nil || len(st.Receipts) != 2 {
		t.Errorf("closed case: %+v", st)
	}
	if st.PrimaryTo != (vm.Target{Page: "receipt", Arg: fmt.Sprintf("%d:2", got.Case)}) {
		t.Errorf("the button leads to %+v", st.PrimaryTo)
	}
	for _, step := range st.Steps {
		if strings.Contains(step.What+step.When+step.Who+step.Note, "missing ") {
			t.Errorf("a text is missing: %+v", step)
		}
	}
	w.lang = "en"
	if st := v.State(); strings.Contains(fmt.Sprintf("%+v", st), "missing ") {
		t.Errorf("a text is missing in English: %+v", st)
	}
	w.lang = "zh"
	var labels []string
	for _, p := range st.Papers {
		labels = append(labels, p.Label)
	}
	if want := []string{"老人身份证照片", "户口簿", "申请人签名"}; !slices.Equal(labels, want) {
		t.Errorf("papers %v", labels)
	}

	// Another clerk sees the name masked, and asks to see it.
	other, err := d.Counter().Login(t.Context(), "li", "135790")
	if err != nil {
		t.Fatal(err)
	}
	o := vm.NewCaseDetail(w, d.Counter(), other, m.Clock.Now, got.Case)
	if err := o.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole := func() string { return fmt.Sprintf("%+v", o.State()) }
	if st := o.State(); st.Who == "刘玉珍" || strings.Contains(fmt.Sprintf("%+v", st.Facts), "999999194102030021") {
		t.Errorf("another clerk sees %s, %v", st.Who, st.Facts)
	}
	for _, secret := range []string{"999999194102030021", "6299990020000158388", "13900000001"} {
		if strings.Contains(whole(), secret) {
			t.Errorf("%s is not masked", secret)
		}
	}
	o.ToggleReveal()
	for _, secret := range []string{"刘玉珍", "999999194102030021", "6299990020000158388", "13900000001"} {
		if !strings.Contains(whole(), secret) {
			t.Errorf("%s is not shown", secret)
		}
	}
	if err := vm.NewCaseDetail(w, d.Counter(), s, m.Clock.Now, 9999).Load(t.Context()); vm.Words(w, err) != "没有找到这件办件。" {
		t.Errorf("no such case: %v", err)
	}
}

var caseStroke = counter.Signature{Strokes: [][]int64{{10, 10, 60, 40, 90, 15, 120, 60}}}

func caseFill(t *testing.T, in counter.Intake) {
	t.Helper()
	for p, v := range map[form.Path]any{
		"sameHome": true, "applyType": "first", "contactName": "刘建军", "contactRelation": "child", "contactPhone": "13900000001",
		"way": "self", "promise": true, "share": true,
	} {
		in.Set(p, v)
	}
	for _, p := range []form.Path{"idcardPhoto", "hukouBook"} {
		if err := in.Attach(t.Context(), p, casePhoto(t), "card.jpg"); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Sign(t.Context(), "sign", caseStroke); err != nil {
		t.Fatal(err)
	}
}

func casePhoto(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 320, 200)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// caseCounter is a machine that stands where the test says.
type caseCounter struct {
	counter.Counter
	status counter.Status
}

func (c *caseCounter) Status(context.Context) (counter.Status, error) { return c.status, nil }

func TestSyncReadsTheCasesOnlyWhenALogGrew(t *testing.T) {
	cs := someCases()
	for i := range cs {
		cs[i].LastSeq = cs[i].Seq
	}
	cs[3].AcceptedAt, cs[4].AcceptedAt = 1, 1
	s := &caseSession{cases: cs}
	c := &caseCounter{status: counter.Status{Records: 40, Acknowledged: 11}}
	woken := 0
	v := vm.NewSync(newCaseWords(t), c, s, func() time.Time { return caseDay }, "https://a.example", func() { woken++ })
	load := func() vm.SyncState {
		t.Helper()
		if err := v.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		return v.State()
	}
	counts := func(st vm.SyncState) [3]int {
		return [3]int{st.Figures[0].Count, st.Figures[1].Count, st.Figures[2].Count}
	}
	if got := counts(load()); got != [3]int{2, 2, 1} {
		t.Errorf("figures %v", got)
	}
	load()
	if s.reads != 1 {
		t.Errorf("read %d times without news", s.reads)
	}
	c.status.Acknowledged = 40
	if got := counts(load()); got != [3]int{0, 3, 2} || s.reads != 2 {
		t.Errorf("figures %v after the acknowledgement, read %d times", got, s.reads)
	}
	v.SyncNow()
	if v.State().NowNote == "" || woken != 1 {
		t.Error("立即同步 did nothing")
	}
	v.Apply(engine.Event{State: engine.Idle, LastAck: caseDay})
	if v.State().NowNote != "" {
		t.Error("the note stays after an answer")
	}
	v.Apply(engine.Event{State: engine.Offline})
	if last := v.State().Line[0].Value; last != "今天 09:30" {
		t.Errorf("the last acknowledgement is forgotten: %q", last)
	}
}

func TestSyncSaysEveryStateInWords(t *testing.T) {
	w := newCaseWords(t)
	signed := caseDay.Add(-time.Hour)
	for _, lang := range []string{"zh", "en"} {
		w.lang = lang
		titles := map[string]bool{}
		for _, e := range []engine.Event{
			{State: engine.Offline, Key: "wire.unreachable"},
			{State: engine.Offline, Key: "wire.busy"},
			{State: engine.Connecting},
			{State: engine.Sending, Pending: 9, Blobs: 2, BlobBytes: 3 << 20, Sent: 900, Left: 2 * time.Hour},
			{State: engine.Idle},
			{State: engine.NeedsAttention, Key: "wire.pinMismatch"},
		} {
			for _, quality := range []string{"confirmed", "at-least", "unconfirmed"} {
				c := &caseCounter{status: counter.Status{Clock: counter.Clock{Signed: &signed, Quality: quality}}}
				v := vm.NewSync(w, c, &caseSession{}, func() time.Time { return caseDay }, "https://a.example", func() {})
				v.Apply(e)
				if err := v.Load(t.Context()); err != nil {
					t.Fatal(err)
				}
				st := v.State()
				if all := fmt.Sprintf("%+v", st); strings.Contains(all, "missing ") || strings.Contains(all, "{") && strings.Contains(all, "n}") {
					t.Errorf("%s %s: %s", lang, e.State, all)
				}
				titles[st.Title] = true
				if (st.Network == w.T("syncpage.restore")) != st.Offline {
					t.Errorf("%s: the switch says %q", e.State, st.Network)
				}
				v.SetNetwork(false)
				if !v.State().NetworkTo {
					t.Error("a cut network cannot be restored")
				}
			}
		}
		if len(titles) != 6 {
			t.Errorf("%d titles for six states: %v", len(titles), titles)
		}
	}
}
