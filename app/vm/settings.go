package vm

import (
	"context"
	"sync"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/vault"
)

// Choice is one of several, with a line that says more.
type Choice struct {
	Value, Label, Note string
	On                 bool
}

// Settings is the state of the screen 设置.
type Settings struct {
	t       Texts
	c       counter.Counter
	s       counter.Session
	version string
	gateway string

	mu       sync.Mutex // guards what follows
	status   counter.Status
	look     string
	checking bool
	rebuild  bool
	done     int
	total    int
	report   *counter.Report
	fault    error
	pinOpen  bool
	pinFault error
	pinBusy  bool
	pinDone  bool
	idle     int // minutes
	speech   [3]string
	typing   Typing
}

// NewSettings returns the state. look is the name of the look in use; gateway the platform's address.
func NewSettings(t Texts, c counter.Counter, s counter.Session, version, gateway, look string) *Settings {
	return &Settings{t: t, c: c, s: s, version: version, gateway: gateway, look: look}
}

// SettingsState is what the screen 设置 shows.
type SettingsState struct {
	Looks, Langs            []Choice
	Idle                    []Choice // minutes with nobody there after which the machine locks
	Voices, Speeds, Volumes []Choice // for reading aloud
	Keyboard                []Choice // when the keyboard on the screen comes up
	Layouts                 []Choice // to write Chinese with
	Fuzzy                   []Choice // pairs of sounds; any number is on
	About                   []Fact
	SecretWarns             bool
	Secret                  string // where the machine secret lives and what that is worth
	Operator                string

	Checking  bool
	Progress  string
	Share     float32 // of the check that is done, 0 to 1
	Result    string  // of the check, in words
	ResultOK  bool
	Faults    []string
	Lines     []string // more about the check
	CheckNote string

	PINOpen  bool
	PINFault string
	PINBusy  bool
	PINDone  string
}

// looks names the choices in their order; the values are those of look.Mode.String.
var looks = []string{"standard", "elder", "contrast", "contrast-elder"}

// IdleMinutes are the choices for how long a machine stays open with nobody at it. The second is the default.
var IdleMinutes = []int{5, 10, 20, 30}

// SetIdle notes after how many minutes with nobody there the machine locks.
func (v *Settings) SetIdle(minutes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.idle = minutes
}

// Load reads where the machine stands.
func (v *Settings) Load(ctx context.Context) error {
	st, err := v.c.Status(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status = st
	return nil
}

// SetLook notes which look was chosen.
func (v *Settings) SetLook(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look = name
}

// BeginCheck reports whether a check may begin, and marks it as running until Check returns.
func (v *Settings) BeginCheck(rebuild bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.checking {
		return false
	}
	v.checking, v.rebuild, v.done, v.total, v.report, v.fault = true, rebuild, 0, 0, nil, nil
	return true
}

// Check runs the check and, when BeginCheck was told so, the rebuilding before it. It may take minutes: call it off the
// screen's goroutine. progress is called from there, a few times a second at most.
func (v *Settings) Check(ctx context.Context, now func() time.Time, progress func()) {
	const pace = 250 * time.Millisecond
	v.mu.Lock()
	rebuild := v.rebuild
	v.mu.Unlock()
	var last time.Time
	r, err := v.c.Doctor(ctx, rebuild, func(done, total int) {
		v.mu.Lock()
		v.done, v.total = done, total
		v.mu.Unlock()
		if at := now(); at.Sub(last) >= pace {
			last = at
			progress()
		}
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.checking, v.fault = false, err
	if err == nil {
		v.report = &r
	}
}

// OpenPIN shows or hides the fields for a new PIN.
func (v *Settings) OpenPIN(open bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pinOpen, v.pinFault, v.pinDone = open, nil, false
}

// BeginPIN marks the change of PIN as running until ChangePIN returns; false when one is.
func (v *Settings) BeginPIN() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.pinBusy {
		return false
	}
	v.pinBusy, v.pinFault = true, nil
	return true
}

// ChangePIN replaces the operator's PIN. Call it off the screen's goroutine.
func (v *Settings) ChangePIN(ctx context.Context, old, fresh, again string) {
	err := changePIN(ctx, v.s, old, fresh, again)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pinBusy, v.pinFault = false, err
	if err == nil {
		v.pinOpen, v.pinDone = false, true
	}
}

// State returns what to show.
func (v *Settings) State() SettingsState {
	v.mu.Lock()
	defer v.mu.Unlock()
	t := v.t
	st := SettingsState{Operator: v.s.Operator().Name, Checking: v.checking, CheckNote: t.T("settings.checkNote"), PINOpen: v.pinOpen, PINBusy: v.pinBusy}
	for _, l := range looks {
		st.Looks = append(st.Looks, Choice{l, t.T("settings.look." + l), t.T("settings.look." + l + "Note"), l == v.look})
	}
	for _, l := range []string{"zh", "en"} {
		st.Langs = append(st.Langs, Choice{l, t.T("settings.lang." + l), "", l == t.Lang()})
	}
	for _, n := range IdleMinutes {
		st.Idle = append(st.Idle, Choice{itoa(n), t.T("settings.idleN", "n", itoa(n)), "", n == v.idle})
	}
	v.speechState(&st)
	v.typingState(&st)
	station := v.c.Station()
	about := func(key, value string) { st.About = append(st.About, Fact{t.T("settings." + key), value}) }
	about("station", station.In(t.Lang()))
	about("division", station.Division)
	about("device", itoa(int(v.status.Device)))
	about("gateway", v.gateway)
	about("version", v.version)
	about("records", t.T("settings.recordsN", "records", utoa(v.status.Records), "acked", utoa(v.status.Acknowledged)))
	clock, _ := clockWords(t, v.status.Clock)
	about("clock", clock)
	if l := v.status.Lease; l.Days > 0 {
		about("lease", t.T("settings.leaseIs", "days", itoa(l.Days), "left", itoa(l.Left)))
	}
	v.secret(&st)
	v.checkState(&st)
	if v.pinFault != nil {
		st.PINFault = Words(t, v.pinFault)
	}
	if v.pinDone {
		st.PINDone = t.T("settings.pinDone")
	}
	return st
}

// secretHolder is a counter that can say where its machine secret lives, and by what it computes.
type secretHolder interface {
	Ring() *vault.Ring
	Suite() vault.Suite
}

// secret says where the machine secret lives and what that is worth.
func (v *Settings) secret(st *SettingsState) {
	name, crypto, protected := "", "", false
	if h, ok := v.c.(secretHolder); ok {
		name, protected = h.Ring().MachineName()
		crypto = h.Suite().Name()
	} else if v.report != nil {
		name, crypto = v.report.Machine, v.report.Crypto
	}
	if crypto != "" {
		st.About = append(st.About, Fact{v.t.T("settings.crypto"), v.t.T("settings.cryptoIs", "name", crypto)})
	}
	if name == "" {
		return
	}
	st.SecretWarns = !protected
	key := "settings.secretFile"
	if protected {
		key = "settings.secretSafe"
	}
	st.Secret = v.t.T(key, "where", machineText(v.t, name))
}

func machineText(t Texts, name string) string {
	key := "machine." + name
	if text := t.T(key); text != key {
		return text
	}
	return name
}

func (v *Settings) checkState(st *SettingsState) {
	t := v.t
	if v.checking {
		key := "settings.checking"
		if v.rebuild {
			key = "settings.rebuilding"
		}
		st.Progress = t.T(key)
		if v.total > 0 {
			st.Share = float32(v.done) / float32(v.total)
			st.Progress = t.T("settings.progress", "what", st.Progress, "done", itoa(v.done), "total", itoa(v.total))
		}
		return
	}
	if v.fault != nil {
		st.Result = Words(t, v.fault)
		return
	}
	r := v.report
	if r == nil {
		return
	}
	st.ResultOK = len(r.Faults) == 0
	if st.ResultOK {
		st.Result = t.T("doctor.ok", "records", utoa(r.Records), "events", utoa(r.Events), "blobs", itoa(r.Blobs))
	} else {
		st.Result = t.T("settings.faults", "n", itoa(len(r.Faults)))
	}
	for _, f := range r.Faults {
		st.Faults = append(st.Faults, FaultText(t, f))
	}
	if CanMend(*r) {
		st.Lines = append(st.Lines, t.T("settings.mend"))
	}
	if r.Rebuilt {
		st.Lines = append(st.Lines, t.T("doctor.rebuilt"))
	}
	if !r.Room {
		st.Lines = append(st.Lines, t.T("settings.noRoom"))
	}
}
