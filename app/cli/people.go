package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// maxMessage bounds a recovery message's file in bytes.
const maxMessage = 1 << 20

// peopleFlags are the flags of the commands operator and recover.
func peopleFlags(fs *flag.FlagSet, o *options) {
	fs.StringVar(&o.operator, "operator", "", "")
	fs.StringVar(&o.pinFile, "pin-file", "", "")
	fs.StringVar(&o.newPINFile, "new-pin-file", "", "")
	fs.StringVar(&o.who.ID, "id", "", "")
	fs.StringVar(&o.who.Name, "name", "", "")
	fs.StringVar(&o.who.Role, "role", "staff", "")
	fs.StringVar(&o.who.Division, "division", "", "")
	fs.StringVar(&o.secret, "secret", "", "")
	fs.StringVar(&o.out, "out", "", "")
	fs.StringVar(&o.qr, "qr", "", "")
}

// spell says how a command is written.
func (e *Env) spell(name string) int {
	fmt.Fprintln(e.Err, e.T("cli.help."+name, nil))
	return ExitUsage
}

// person is an operator as operator list prints it.
type person struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Role     string     `json:"role"`
	Division string     `json:"division"`
	State    string     `json:"state"`           // "active", "code" (a one-time code is to be changed), "waiting" (to be admitted)
	Locked   *time.Time `json:"until,omitempty"` // after wrong PINs
}

func listOperators(e *Env, o *options) int {
	list := []person{}
	for _, op := range e.Host.Desk.Operators() {
		p := person{ID: op.ID, Name: op.Name, Role: op.Role, Division: op.Division, State: "active"}
		switch {
		case op.Waiting:
			p.State = "waiting"
		case op.MustChange:
			p.State = "code"
		}
		if op.Locked {
			p.Locked = &op.NotBefore
		}
		list = append(list, p)
	}
	if o.jsonOut {
		return e.print(list)
	}
	for _, p := range list {
		fmt.Fprintf(e.Out, "%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, e.T("role."+p.Role, nil), p.Division, e.T("operator.state."+p.State, nil))
	}
	return ExitOK
}

// operatorCommand manages who may log in.
func operatorCommand(ctx context.Context, e *Env, o *options, rest []string) int {
	verb := ""
	if len(rest) > 0 {
		verb, rest = rest[0], rest[1:]
	}
	switch verb {
	case "list":
		return listOperators(e, o)
	case "activate":
		return activate(ctx, e, o)
	case "request":
		return requestOperator(e, o)
	case "answer":
		return answerOperator(ctx, e, rest)
	}
	if o.operator == "" || o.pinFile == "" || (o.who.ID == "") != (verb == "rotate") || len(rest) > 0 {
		return e.spell("operator")
	}
	acts := map[string]func(s *desk.Session) (code string, err error){
		"add":    func(s *desk.Session) (string, error) { return s.AddOperator(ctx, o.who) },
		"admit":  func(s *desk.Session) (string, error) { return "", s.AdmitOperator(ctx, o.who.ID) },
		"reset":  func(s *desk.Session) (string, error) { return s.ResetOperator(ctx, o.who.ID) },
		"remove": func(s *desk.Session) (string, error) { return "", s.RemoveOperator(ctx, o.who.ID) },
		"rotate": func(s *desk.Session) (string, error) { return "", s.RotateMaster(ctx) },
	}
	act := acts[verb]
	if act == nil {
		return e.spell("operator")
	}
	s, err := e.login(ctx, o)
	if err != nil {
		return e.fail(err)
	}
	defer e.logout(ctx, s)
	if s.Operator().MustChange {
		return e.fail(vault.ErrActivate)
	}
	code, err := act(s)
	if err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		return e.print(map[string]string{"id": o.who.ID, "code": code})
	}
	if code != "" {
		fmt.Fprintln(e.Out, code)
	}
	fmt.Fprintln(e.Err, e.T("operator.did."+verb, map[string]string{"id": o.who.ID}))
	return ExitOK
}

// activate replaces a newcomer's one-time code.
func activate(ctx context.Context, e *Env, o *options) int {
	if o.who.ID == "" || o.pinFile == "" || o.newPINFile == "" {
		return e.spell("operator")
	}
	code, err := e.readPIN(o.pinFile)
	if err != nil {
		return e.fail(err)
	}
	fresh, err := e.readPIN(o.newPINFile)
	if err != nil {
		return e.fail(err)
	}
	if err := e.Host.Desk.Activate(ctx, o.who.ID, code, fresh); err != nil {
		return e.fail(err)
	}
	fmt.Fprintln(e.Err, e.T("operator.did.activate", map[string]string{"id": o.who.ID}))
	return ExitOK
}

// requestOperator asks the county to let somebody in when nobody else can log in.
func requestOperator(e *Env, o *options) int {
	if o.who.ID == "" {
		return e.spell("operator")
	}
	pin := ""
	if o.newPINFile != "" {
		var err error
		if pin, err = e.readPIN(o.newPINFile); err != nil {
			return e.fail(err)
		}
	}
	data, err := e.Host.Desk.RequestOperator(o.who.ID, pin)
	if err != nil {
		return e.fail(err)
	}
	return e.giveRequest(o, data)
}

func answerOperator(ctx context.Context, e *Env, rest []string) int {
	if len(rest) != 1 {
		return e.spell("operator")
	}
	answer, err := e.readAnswer(rest[0])
	if err != nil {
		return e.fail(err)
	}
	id, err := e.Host.Desk.TakeOperator(ctx, answer)
	if err != nil {
		return e.fail(err)
	}
	fmt.Fprintln(e.Err, e.T("operator.did.answer", map[string]string{"id": id}))
	return ExitOK
}

// recoverCommand brings back the machine secret: it runs on a folder that does not open.
func recoverCommand(_ context.Context, e *Env, o *options, rest []string) int {
	cfg := desk.Config{Dir: o.data, Log: e.Log}
	switch {
	case len(rest) == 1 && rest[0] == "request":
		data, err := desk.RequestMachine(cfg)
		if err != nil {
			return e.fail(err)
		}
		return e.giveRequest(o, data)
	case len(rest) == 2 && rest[0] == "answer":
		answer, err := e.readAnswer(rest[1])
		if err != nil {
			return e.fail(err)
		}
		if o.secret == "" { // the place of before may be what has failed
			o.secret = vault.BestMachine()
		}
		if cfg.Machine, err = vault.MachineIn(o.data, o.secret); err != nil {
			return e.spell("recover")
		}
		if err := desk.TakeMachine(cfg, answer); err != nil {
			return e.fail(err)
		}
		fmt.Fprintln(e.Err, e.T("recovery.done", nil))
		return ExitOK
	}
	return e.spell("recover")
}

// giveRequest prints a request as text, and writes it where the flags say.
func (e *Env) giveRequest(o *options, data []byte) int {
	text := vault.RecoveryText(vault.SM(nil), vault.RequestText, data)
	if o.out != "" {
		if err := os.WriteFile(e.path(o.out), []byte(text), 0o600); err != nil {
			return e.fail(words.New("cli.outFile", err))
		}
	}
	if o.qr != "" {
		png, err := receipt.MessagePicture(text)
		if err != nil {
			return e.fail(err)
		}
		if err := os.WriteFile(e.path(o.qr), png, 0o600); err != nil {
			return e.fail(words.New("cli.outFile", err))
		}
	}
	if o.jsonOut {
		return e.print(map[string]string{"request": text})
	}
	fmt.Fprint(e.Out, text)
	fmt.Fprintln(e.Err, e.T("recovery.next", nil))
	return ExitOK
}

// readAnswer reads the county's answer: a text, or a picture of its code, from a file or from standard input.
func (e *Env) readAnswer(name string) ([]byte, error) {
	in := e.In
	if name != "-" {
		f, err := os.Open(e.path(name))
		if err != nil {
			return nil, words.New("recovery.file", err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxMessage))
	if err != nil {
		return nil, words.New("recovery.file", err)
	}
	text, err := receipt.ReadMessage(data)
	if err != nil {
		return nil, err
	}
	return vault.ParseRecoveryText(vault.SM(nil), vault.AnswerText, text)
}

// machineLines say where the machine secret lives and what that is worth.
func machineLines(e *Env, r counter.Report) []string {
	kind := "file"
	switch {
	case strings.Contains(r.Machine, "TPM"):
		kind = "tpm"
	case strings.Contains(r.Machine, "DPAPI"):
		kind = "dpapi"
	}
	mark := "OK"
	if !r.Protected {
		mark = "!"
	}
	return []string{mark + " " + e.T("machine.worth."+kind, nil)}
}
