package vm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/engine"
)

// speaker says texts in one language.
type speaker struct {
	texts *translations.Catalog
	lang  string
}

func (s speaker) T(key string, pairs ...string) string {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return s.texts.TS(s.lang, key, args)
}

func (s speaker) Lang() string { return s.lang }

func speak(t testing.TB, lang string) speaker {
	t.Helper()
	c, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	return speaker{c, lang}
}

// oneTime is a counter with one operator whose PIN is for once only.
type oneTime struct {
	counter.Counter
	session *freshSession
	wait    time.Time
	locked  bool
}

type freshSession struct {
	counter.Session
	old, fresh string
	closed     bool
}

func (c *oneTime) Station() counter.Station { return counter.Station{Name: "柳树村便民服务站"} }
func (c *oneTime) Demo() bool               { return false }

func (c *oneTime) Operators() []vault.OperatorInfo {
	return []vault.OperatorInfo{{ID: "wang", Name: "王秀英", Role: "staff", MustChange: true, NotBefore: c.wait, Locked: c.locked}}
}

func (c *oneTime) Login(_ context.Context, id, pin string) (counter.Session, error) {
	if id != "wang" || pin != "first" {
		return nil, words.New("pin.wrong", nil, "left", "4")
	}
	return c.session, nil
}

func (s *freshSession) Operator() vault.OperatorInfo {
	return vault.OperatorInfo{ID: "wang", MustChange: true}
}

func (s *freshSession) ChangePIN(_ context.Context, old, fresh string) error {
	if len(fresh) < 6 {
		return words.New("pin.short", nil, "least", "6")
	}
	s.old, s.fresh = old, fresh
	return nil
}

func (s *freshSession) Close(context.Context) error {
	s.closed = true
	return nil
}

func TestOneTimePINIsChangedBeforeAnythingElse(t *testing.T) {
	c := &oneTime{session: &freshSession{}}
	m := vm.NewLogin(speak(t, "zh"), c, func() time.Time { return desktest.Day }, map[string]string{"wang": "246810"}, false)
	if st := m.State(); st.Chosen != "wang" || st.Demo != "" || st.Operators[0].PIN != "" {
		t.Fatalf("the only operator is not chosen, or a PIN is shown outside the sample county: %+v", st)
	}
	if s := m.Try(t.Context(), "wrong"); s != nil {
		t.Fatal("a wrong PIN opened a session")
	}
	if st := m.State(); !strings.Contains(st.Fault, "4 次") {
		t.Errorf("fault %q does not say what is left", st.Fault)
	}
	if s := m.Try(t.Context(), "first"); s != nil || !m.State().Change {
		t.Fatalf("session %v, asked to change: %v", s, m.State().Change)
	}
	for _, c := range []struct{ fresh, again, want string }{{"abcdef", "abcdeg", "不一样"}, {"abc", "abc", "至少 6 位"}} {
		if s := m.Change(t.Context(), c.fresh, c.again); s != nil {
			t.Fatalf("%q and %q were taken", c.fresh, c.again)
		}
		if st := m.State(); !strings.Contains(st.Fault, c.want) || !st.Change {
			t.Errorf("%q and %q: %q", c.fresh, c.again, st.Fault)
		}
	}
	if s := m.Change(t.Context(), "abcdef", "abcdef"); s == nil || c.session.old != "first" || c.session.fresh != "abcdef" {
		t.Fatalf("not changed: %+v", c.session)
	}
	if m.State().Change {
		t.Error("still asked to change")
	}
}

func TestGivingUpTheChangeEndsTheSession(t *testing.T) {
	c := &oneTime{session: &freshSession{}}
	m := vm.NewLogin(speak(t, "zh"), c, func() time.Time { return desktest.Day }, nil, false)
	m.Try(t.Context(), "first")
	if err := m.Cancel(t.Context()); err != nil || !c.session.closed || m.State().Change {
		t.Errorf("%v; closed %v", err, c.session.closed)
	}
}

func TestWaitsAreCountedDown(t *testing.T) {
	now := desktest.Day
	c := &oneTime{session: &freshSession{}, wait: now.Add(14*time.Minute + 40*time.Second), locked: true}
	m := vm.NewLogin(speak(t, "zh"), c, func() time.Time { return now }, nil, false)
	for _, step := range []struct {
		after time.Duration
		want  string
		may   bool
	}{
		{0, "14 分 40 秒", false},
		{30 * time.Second, "14 分 10 秒", false},
		{14 * time.Minute, "10 秒", false},
		{9900 * time.Millisecond, "1 秒", false},
		{100 * time.Millisecond, "", true},
	} {
		now = now.Add(step.after)
		st := m.State()
		if st.MayType != step.may || !strings.Contains(st.Wait, step.want) || st.Operators[0].Locked == step.may {
			t.Errorf("at %s: %q, may type %v, %+v", now.Format(time.TimeOnly), st.Wait, st.MayType, st.Operators[0])
		}
		if m.Begin() != step.may {
			t.Errorf("at %s: a try may begin: %v", now.Format(time.TimeOnly), !step.may)
		}
	}
}

func TestToplineSaysWhatNeedsTheClerkFirst(t *testing.T) {
	ack := desktest.Day.Add(time.Minute)
	counts := func(pending, corrections, quarantine int) counter.Status {
		return counter.Status{Pending: pending, Quarantine: quarantine, Cases: map[string]int{"correction-asked": corrections}, Clock: counter.Clock{Now: desktest.Day}}
	}
	for _, c := range []struct {
		name    string
		event   engine.Event
		status  counter.Status
		want    string
		state   string
		offline bool
	}{
		{"offline, one waits", engine.Event{}, counts(1, 0, 0), "离线 · 1 件待送达", "warn", true},
		{"offline, nothing waits", engine.Event{}, counts(0, 0, 0), "离线 · 没有待送达", "warn", true},
		{"knocking", engine.Event{State: engine.Connecting}, counts(2, 0, 0), "离线 · 2 件待送达", "warn", true},
		{"sending", engine.Event{State: engine.Sending}, counts(3, 0, 0), "正在送达 3 件", "info", false},
		{"all there", engine.Event{State: engine.Idle, LastAck: ack}, counts(0, 0, 0), "已联网 · 全部送达 09:31", "ok", false},
		{"nothing ever sent", engine.Event{State: engine.Idle}, counts(0, 0, 0), "已联网", "ok", false},
		{"correction", engine.Event{State: engine.Idle, LastAck: ack}, counts(0, 1, 0), "需要处理 1 件", "danger", false},
		{"correction and quarantine, offline", engine.Event{}, counts(4, 1, 1), "离线 · 需要处理 2 件", "danger", true},
		{"the line itself", engine.Event{State: engine.NeedsAttention}, counts(0, 0, 0), "与平台的连接需要处理", "danger", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l vm.Topline
			l.Apply(c.event)
			l.SetStatus(c.status)
			if st := l.State(speak(t, "zh")); st != (vm.ToplineState{Text: c.want, State: c.state, Offline: c.offline}) {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestEnrollReadsCodesAsTheyAreWritten(t *testing.T) {
	const code = "7K3QM2XA9C4FPR8W6YHT5N0BVZ1DGJKE2S7M"
	spaced := "7k3q-m2xa-9c4f-pr8w-6yht-5n0b-vz1d-gjke-2s7m"
	wide := strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r + '！' - '!'
		}
		return r
	}, spaced)
	for _, c := range []struct{ name, file, code, gateway string }{
		{"alone", spaced + "\n", code, ""},
		{"full width", wide, code, ""},
		{"with the address", "https://fw.example.gov.cn\r\n" + spaced + "\r\n", code, "https://fw.example.gov.cn"},
		{"byte order mark", "\ufeff" + spaced, code, ""},
		{"too short", spaced[:20], "", ""},
		{"something else", strings.Repeat("x", 5000), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := vm.NewEnroll(speak(t, "zh"), func(string, string) error { return nil })
			m.SetFile([]byte(c.file))
			st := m.State()
			if st.Code != c.code || st.Gateway != c.gateway || (st.CodeFault == "") != (c.code != "") {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestEnrollSaysWhatWentWrongAndWhere(t *testing.T) {
	for _, c := range []struct{ key, at, want string }{
		{"enroll.codeMistyped", "code", "没有作废"},
		{"wire.codeUnknown", "code", "没有发过"},
		{"wire.codeUsed", "code", "已经用过"},
		{"wire.codeExpired", "code", "已过期"},
		{"wire.rootMismatch", "gateway", "不是登记码所说的平台"},
		{"enroll.unreachable", "gateway", "没有改动任何东西"},
		{"desk.folderUnwritable", "", "磁盘"},
	} {
		t.Run(c.key, func(t *testing.T) {
			m := vm.NewEnroll(speak(t, "zh"), func(string, string) error { return words.New(c.key, errors.New("cause")) })
			if m.Begin() {
				t.Fatal("begins with nothing typed")
			}
			m.SetGateway(" https://fw.example.gov.cn ")
			m.SetCode(strings.Repeat("A", 35))
			if st := m.State(); st.Ready || !strings.Contains(st.Left, "1 位") {
				t.Fatalf("%+v", st)
			}
			m.SetCode(strings.Repeat("A", 36))
			if !m.Begin() || m.Begin() {
				t.Fatal("it does not begin exactly once")
			}
			if m.Run() {
				t.Fatal("success")
			}
			st := m.State()
			got := map[string]string{"code": st.CodeFault, "gateway": st.GatewayFault, "": st.Fault}
			for at, text := range got {
				if (at == c.at) != strings.Contains(text, c.want) {
					t.Errorf("at %q: %q", at, text)
				}
			}
			m.SetCode("B")
			if st := m.State(); st.CodeFault+st.GatewayFault+st.Fault != "" {
				t.Errorf("the fault stays while one types: %+v", st)
			}
		})
	}
}

func TestHomeFindsWhatIsTyped(t *testing.T) {
	m := desktest.New(t)
	d, s := m.Login(t)
	h := vm.NewHome(speak(t, "zh"), d.Counter(), s, m.Clock.Now)
	if err := h.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	find := func(q string) string {
		h.SetQuery(q)
		var out []string
		for _, g := range h.State().Groups {
			for _, r := range g.Rows {
				out = append(out, g.Title+":"+r.Title)
			}
		}
		return strings.Join(out, " ")
	}
	for q, want := range map[string]string{
		"高龄": "事项:高龄津贴", "gljt": "事项:高龄津贴", "长寿钱": "事项:高龄津贴", "lyz": "群众:刘玉珍", "0021": "群众:刘玉珍",
		"999999194102030021": "群众:刘玉珍", "刘": "群众:刘玉珍",
	} {
		if got := find(q); !strings.Contains(got, want) {
			t.Errorf("%q finds %q", q, got)
		}
	}
	if got := find("l"); strings.Contains(got, "群众") {
		t.Errorf("one letter browses the roster: %q", got)
	}
	if got := find("9999991941"); strings.Contains(got, "群众") {
		t.Errorf("part of a number names somebody: %q", got)
	}
	if find("zzzzzz"); h.State().None == "" {
		t.Error("nothing found, and it is not said")
	}
	if got := find("https://bm.shifan.example/r#FORGED"); !strings.Contains(got, "假的回执") {
		t.Errorf("a forged link: %q", got)
	}
	if got := find("9-1-23"); got != "" && !strings.Contains(got, "回执") {
		t.Errorf("a number: %q", got)
	}
}

func TestGuideAsksForWhomUnlessItIsKnown(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	people, err := s.FindPeople("lyz", 1)
	if err != nil {
		t.Fatal(err)
	}
	g, err := vm.NewGuide(speak(t, "zh"), s, m.Clock.Now, "gaoling")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Begin(); ok {
		t.Error("it begins for nobody")
	}
	g.Ask()
	g.SetQuery("lyz")
	st, err := g.State()
	if err != nil || len(st.People) != 1 || st.People[0].Number != "999***********0021" || st.People[0].About != "女 · 85 岁" {
		t.Fatalf("%+v, %v", st.People, err)
	}
	if to := g.For(st.People[0].ID); to != (vm.Target{Page: "wizard", Arg: "new:gaoling:" + people[0].ID}) {
		t.Errorf("leads to %+v", to)
	}
	if to := g.For(""); to.Arg != "new:gaoling" {
		t.Errorf("somebody who is not in the roster: %+v", to)
	}
	known, err := vm.NewGuide(speak(t, "en"), s, m.Clock.Now, "gaoling:"+people[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if to, ok := known.Begin(); !ok || to.Arg != "new:gaoling:"+people[0].ID {
		t.Errorf("%+v %v", to, ok)
	}
	if _, err := vm.NewGuide(speak(t, "zh"), s, m.Clock.Now, "nothing"); err == nil {
		t.Error("a guide for a service that does not exist")
	}
}

func TestServicesNarrow(t *testing.T) {
	m := desktest.New(t)
	_, s := m.Login(t)
	v := vm.NewServices(speak(t, "zh"), s, "")
	names := func() string {
		st, err := v.State()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range st.Rows {
			out = append(out, r.Name)
		}
		return strings.Join(out, " ")
	}
	if got := names(); got != "高龄津贴 临时救助 居住登记" {
		t.Errorf("all: %q", got)
	}
	v.ToggleTheme("09")
	if got := names(); got != "临时救助" {
		t.Errorf("社会救助: %q", got)
	}
	v.ToggleTheme("09")
	v.ToggleEvent("home")
	if got := names(); got != "居住登记" {
		t.Errorf("置业: %q", got)
	}
	v.Clear()
	v.ToggleAudience("household")
	v.SetQuery("linshi")
	if got := names(); got != "临时救助" {
		t.Errorf("家庭, linshi: %q", got)
	}
	v.SetQuery("gljt")
	if got := names(); got != "" {
		t.Errorf("家庭, gljt: %q", got)
	}
}

func TestTimesInBothLanguages(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 5, 0, 0, time.UTC)
	for lang, want := range map[string]string{"zh": "2026年11月22日 09:05 星期日", "en": "22 Nov 2026 09:05 Sunday"} {
		s := speak(t, lang)
		if got := vm.MomentText(s, at) + " " + vm.WeekdayText(s, at); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
	if got := vm.DayOrTime(speak(t, "zh"), at, at.Add(time.Hour)); got != "今天 09:05" {
		t.Errorf("today: %q", got)
	}
	if vm.MomentText(speak(t, "zh"), time.Time{}) != "" {
		t.Error("no time is said as one")
	}
}
