package vm

import (
	"errors"
	"strings"
	"sync"

	"bianmin/offline/counter"
	"bianmin/offline/words"
)

// codeLength is the length of a one-time code without its dashes: 80 bits of secret, 80 of the platform's fingerprint,
// 4 characters of check, 5 bits each (sync/wire).
const codeLength = 36

// maxCodeFile bounds a file with a code, in bytes.
const maxCodeFile = 4096

// Enroll is the state of the screen 登记: a machine becomes a station's device.
type Enroll struct {
	t      Texts
	enroll func(gateway, code string) error

	mu      sync.Mutex // guards what follows
	gateway string
	code    string
	busy    bool
	fault   error
	field   string // what is wrong: "gateway", "code" or ""
	done    *EnrollDone
}

// EnrollDone is what the screen shows at the end.
type EnrollDone struct {
	Title, Station, Text string
	Operators            []string
}

// NewEnroll returns the state; enroll talks to the platform and takes up to two minutes.
func NewEnroll(t Texts, enroll func(gateway, code string) error) *Enroll {
	return &Enroll{t: t, enroll: enroll}
}

// EnrollState is what the screen 登记 shows.
type EnrollState struct {
	Gateway, Code string // Code without dashes
	Left          string // how many characters are missing, in words; "" when none or nothing was typed
	Ready         bool   // both are complete: it may begin
	Busy          bool
	Progress      string
	GatewayFault  string
	CodeFault     string
	Fault         string // about neither, in words
	Done          *EnrollDone
}

// SetGateway takes the platform's address as typed.
func (e *Enroll) SetGateway(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gateway = strings.TrimSpace(text)
	e.fault, e.field = nil, ""
}

// SetCode takes the code as typed, with or without dashes.
func (e *Enroll) SetCode(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.code = plainCode(text)
	e.fault, e.field = nil, ""
}

func plainCode(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, text)
}

// SetFile takes a file with the code: the code alone, or lines in which one begins with https:// (the address) and one
// is the code.
func (e *Enroll) SetFile(data []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault, e.field = nil, ""
	gateway, code := "", ""
	if len(data) <= maxCodeFile {
		for _, line := range strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' || r == '\r' }) {
			line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
			if strings.HasPrefix(line, "https://") {
				gateway = line
			} else if c := plainCode(line); len(c) == codeLength {
				code = c
			}
		}
	}
	if code == "" {
		e.fault, e.field = words.New("enroll.codeFile", errors.New("vm: no code in the file")), "code"
		return
	}
	e.code = code
	if gateway != "" {
		e.gateway = gateway
	}
}

// Begin reports whether the enrolment may begin, and marks the screen as busy until Run returns.
func (e *Enroll) Begin() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.busy || e.gateway == "" || len(e.code) != codeLength {
		return false
	}
	e.busy, e.fault, e.field = true, nil, ""
	return true
}

// Run enrols the machine. Call it off the screen's goroutine. It reports success.
func (e *Enroll) Run() bool {
	e.mu.Lock()
	gateway, code := e.gateway, e.code
	e.mu.Unlock()
	err := e.enroll(gateway, code)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy, e.fault, e.field = false, err, faultField(err)
	return err == nil
}

func faultField(err error) string {
	switch key, _ := words.KeyOf(err); key {
	case "enroll.codeMistyped", "wire.codeUnknown", "wire.codeUsed", "wire.codeExpired":
		return "code"
	case "enroll.unreachable", "wire.rootMismatch", "wire.notFound", "wire.badRequest":
		return "gateway"
	}
	return ""
}

// SetDone shows the end: the station, and who may log in there.
func (e *Enroll) SetDone(c counter.Counter) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := &EnrollDone{Title: e.t.T("enroll.done"), Station: c.Station().In(e.t.Lang()), Text: e.t.T("enroll.doneText")}
	for _, op := range c.Operators() {
		d.Operators = append(d.Operators, op.Name)
	}
	e.done = d
}

// SetFault shows an error that came after the platform had agreed.
func (e *Enroll) SetFault(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.busy, e.fault, e.field = false, err, ""
}

// State returns what to show.
func (e *Enroll) State() EnrollState {
	e.mu.Lock()
	defer e.mu.Unlock()
	st := EnrollState{
		Gateway: e.gateway, Code: e.code, Busy: e.busy, Done: e.done,
		Ready: !e.busy && e.gateway != "" && len(e.code) == codeLength,
	}
	if n := codeLength - len(e.code); n > 0 && e.code != "" {
		st.Left = e.t.T("enroll.left", "n", itoa(n))
	}
	if e.busy {
		st.Progress = e.t.T("enroll.progress")
	}
	if e.fault == nil {
		return st
	}
	text := Words(e.t, e.fault)
	switch e.field {
	case "code":
		st.CodeFault = text
	case "gateway":
		st.GatewayFault = text
	default:
		st.Fault = text
	}
	return st
}
