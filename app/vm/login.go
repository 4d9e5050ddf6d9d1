package vm

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// errPINRepeat reports a new PIN that was not typed the same twice.
var errPINRepeat = words.New("pin.repeat", nil)

// Login is the state of the screen 登录: who may log in, who has to wait, and the change of a one-time PIN.
type Login struct {
	t    Texts
	c    counter.Counter
	now  func() time.Time
	pins map[string]string

	mu      sync.Mutex // guards what follows
	status  counter.Status
	chosen  string
	phrase  bool
	busy    bool
	fault   error
	session counter.Session // logged in with a one-time PIN that is to be changed first
	old     string          // that PIN
	joining string          // id of a newcomer who typed the right code and has to choose a PIN
	joined  bool            // a newcomer has chosen one, and waits to be admitted
}

// NewLogin returns the state with nobody chosen; with one operator only, that one is. pins are shown, and only in the
// sample county; nil shows none. phrase begins with a field for a pass phrase instead of the pad.
func NewLogin(t Texts, c counter.Counter, now func() time.Time, pins map[string]string, phrase bool) *Login {
	l := &Login{t: t, c: c, now: now, phrase: phrase}
	if c.Demo() {
		l.pins = pins
	}
	if ops := c.Operators(); len(ops) == 1 {
		l.chosen = ops[0].ID
	}
	return l
}

// LoginState is what the screen 登录 shows.
type LoginState struct {
	Station, Date, Time string
	Clock               string // how well the time is known, in words
	ClockWarns          bool   // it needs looking after
	Note                string // that no network is needed
	Title, Hint         string
	Operators           []LoginCard
	Chosen              string // operator id; "" while nobody is chosen
	Prompt              string // who is to type what
	Fault               string // why the last try was refused, in words
	Wait                string // how long to wait, in words; "" when a try may be made
	MayType             bool
	Busy                bool
	Phrase              bool // a pass phrase is typed instead of digits
	Digits              int  // length of a PIN when all are equally long (sample county); 0: they differ
	Switch              string
	Change              bool   // the one-time PIN is to be replaced before anything else
	Notice              string // what the county says about this machine, or about its lease; "" usually
	Barred              bool   // nobody may log in because of it
	Demo                string
}

// LoginCard is one operator of this machine.
type LoginCard struct {
	ID, Name, Role string
	Note           string // locked and until when; "" when not
	Locked         bool
	PIN            string // sample county only
	Chosen         bool
}

// Load reads where the machine stands: how well its clock is known.
func (l *Login) Load(ctx context.Context) error {
	st, err := l.c.Status(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status = st
	return nil
}

// Choose makes an operator the one who types. "" takes the choice back.
func (l *Login) Choose(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chosen != id {
		l.chosen, l.fault, l.joined = id, nil, false
	}
}

// SetPhrase chooses between the pad and a field for a pass phrase.
func (l *Login) SetPhrase(phrase bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phrase, l.fault = phrase, nil
}

// Phrase reports whether a pass phrase is typed instead of digits.
func (l *Login) Phrase() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phrase
}

// Begin reports whether a try may be made now, and marks the screen as busy until Try returns.
func (l *Login) Begin() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chosen == "" || l.busy || l.status.Barred != "" || l.waitOf(l.chosen) > 0 {
		return false
	}
	l.busy, l.fault = true, nil
	return true
}

// Try logs the chosen operator in. It takes as long as the hash of the PIN does: call it off the screen's goroutine. The
// session is nil when the PIN was refused, and when it was right but has to be changed first.
func (l *Login) Try(ctx context.Context, pin string) counter.Session {
	l.mu.Lock()
	id := l.chosen
	l.mu.Unlock()
	s, err := l.c.Login(ctx, id, pin)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.fault, l.joined = false, err, false
	if errors.Is(err, vault.ErrActivate) {
		l.joining, l.old, l.fault = id, pin, nil
	}
	if err != nil {
		return nil
	}
	if s.Operator().MustChange {
		l.session, l.old = s, pin
		return nil
	}
	return s
}

// Change replaces a one-time PIN. Like Try it takes its time. The session is nil when the new PIN was refused.
func (l *Login) Change(ctx context.Context, fresh, again string) counter.Session {
	l.mu.Lock()
	s, old, joining := l.session, l.old, l.joining
	l.mu.Unlock()
	if joining != "" {
		l.join(ctx, joining, old, fresh, again)
		return nil
	}
	if s == nil {
		return nil
	}
	err := changePIN(ctx, s, old, fresh, again)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.fault = false, err
	if err != nil {
		return nil
	}
	l.session, l.old = nil, ""
	return s
}

// join gives a newcomer a PIN of their own. They wait for a colleague from then on.
func (l *Login) join(ctx context.Context, id, code, fresh, again string) {
	err := error(errPINRepeat)
	if fresh == again {
		err = l.c.Activate(ctx, id, code, fresh)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy, l.fault = false, err
	if err == nil {
		l.joining, l.old, l.joined = "", "", true
	}
}

func changePIN(ctx context.Context, s counter.Session, old, fresh, again string) error {
	if fresh != again {
		return errPINRepeat
	}
	return s.ChangePIN(ctx, old, fresh)
}

// Cancel gives up changing a one-time PIN: the session ends.
func (l *Login) Cancel(ctx context.Context) error {
	l.mu.Lock()
	s := l.session
	l.session, l.old, l.joining, l.fault = nil, "", "", nil
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.Close(ctx)
}

// waitOf returns how long an operator still has to wait; 0: not at all.
func (l *Login) waitOf(id string) time.Duration {
	for _, op := range l.c.Operators() {
		if op.ID == id && !op.NotBefore.IsZero() {
			return max(0, op.NotBefore.Sub(l.now()))
		}
	}
	return 0
}

// State returns what to show at this moment; the screen asks again each second.
func (l *Login) State() LoginState {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, now := l.t, l.now()
	st := LoginState{
		Station: l.c.Station().In(t.Lang()), Date: DayText(t, now) + " " + WeekdayText(t, now), Time: ClockText(now),
		Note: t.T("login.offline"), Title: t.T("login.title"), Hint: t.T("login.hint"), Chosen: l.chosen, Busy: l.busy,
		Phrase: l.phrase, Change: l.session != nil || l.joining != "", Switch: t.T("login.usePhrase"),
	}
	st.Clock, st.ClockWarns = clockWords(t, l.status.Clock)
	if l.phrase {
		st.Switch = t.T("login.usePad")
	}
	var chosen vault.OperatorInfo
	for _, op := range l.c.Operators() {
		card := LoginCard{ID: op.ID, Name: op.Name, Role: roleText(t, op.Role), PIN: l.pins[op.ID], Chosen: op.ID == l.chosen}
		if left := op.NotBefore.Sub(now); op.Locked && left > 0 {
			card.Locked, card.Note = true, t.T("login.lockedUntil", "time", ClockText(op.NotBefore))
		} else if op.Waiting && !op.MustChange {
			card.Note = t.T("operator.state.waiting")
		}
		if card.Chosen {
			chosen = op
		}
		st.Operators = append(st.Operators, card)
	}
	if len(l.pins) > 0 {
		st.Demo, st.Digits = t.T("login.demo"), samePINLength(l.pins)
	}
	st.Notice, st.Barred = machineNotice(t, l.status)
	if chosen.ID == "" {
		st.Prompt = st.Hint
		return st
	}
	st.Prompt = t.T("login.prompt", "name", chosen.Name)
	left := chosen.NotBefore.Sub(now)
	switch {
	case l.busy:
		st.Wait = t.T("login.checking")
	case chosen.Locked && left > 0:
		st.Wait = t.T("login.locked", "left", waitText(t, left), "time", ClockText(chosen.NotBefore))
	case left > 0:
		st.Wait = t.T("login.wait", "left", waitText(t, left))
	}
	st.MayType = st.Wait == "" && !st.Barred
	if l.joined && l.fault == nil {
		st.Prompt = t.T("login.joined")
	}
	if l.fault != nil {
		key, _ := words.KeyOf(l.fault)
		if tooSoon := key == "pin.wait" || key == "pin.locked"; !tooSoon { // Wait says those, and counts down
			st.Fault = Words(t, l.fault)
		}
	}
	return st
}

// machineNotice says why nobody may log in, or that the lease ends soon.
func machineNotice(t Texts, st counter.Status) (text string, barred bool) {
	days := strconv.Itoa(st.Lease.Days)
	if st.Barred != "" {
		reason := st.Reason
		if reason == "" {
			reason = t.T("desk.noReason")
		}
		return t.T(st.Barred, "reason", reason, "days", days), true
	}
	if st.Lease.State == counter.LeaseSoon {
		return t.T("lease.soon", "days", strconv.Itoa(st.Lease.Left)), false
	}
	return "", false
}

// waitText says a stretch of time in minutes and seconds, rounded up, so that "0 seconds" is never shown.
func waitText(t Texts, left time.Duration) string {
	secs := int((left + time.Second - 1) / time.Second)
	if secs < 60 {
		return t.T("time.seconds", "n", strconv.Itoa(secs))
	}
	return t.T("time.minutes", "m", strconv.Itoa(secs/60), "s", strconv.Itoa(secs%60))
}

func samePINLength(pins map[string]string) int {
	n := 0
	for _, p := range pins {
		if n != 0 && len(p) != n {
			return 0
		}
		n = len(p)
	}
	return n
}

// clockWords says how well the machine knows the time.
func clockWords(t Texts, c counter.Clock) (text string, warns bool) {
	if c.Quality == "" {
		return "", false
	}
	return t.T("clock." + c.Quality), c.Quality != "confirmed"
}

func roleText(t Texts, role string) string {
	if role == "" {
		return ""
	}
	key := "role." + role
	if text := t.T(key); text != key {
		return text
	}
	return role
}

// ErrNoSession reports a page that needs somebody at work while nobody is.
var ErrNoSession = errors.New("vm: nobody is logged in")
