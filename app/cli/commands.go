package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"

	"bianmin/app/vm"
	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/link"
)

// bom is what some editors put before UTF-8 text.
const bom = "\ufeff"

// maxAnswers is the longest line of answers in bytes.
const maxAnswers = 4 << 20

func enroll(ctx context.Context, e *Env, o *options, _ []string) int {
	code := o.code
	if o.codeFile != "" {
		b, err := os.ReadFile(e.path(o.codeFile))
		if err != nil {
			return e.fail(words.New("enroll.codeFile", err))
		}
		code = strings.TrimPrefix(string(b), bom)
	}
	if o.gateway == "" || code == "" {
		fmt.Fprintln(e.Err, e.T("cli.help.enroll", nil))
		return ExitUsage
	}
	machine, err := vault.MachineIn(o.data, o.secret)
	if err != nil {
		return e.spell("enroll")
	}
	en, ops, err := link.Enroll(ctx, link.EnrollOptions{
		Config: desk.Config{Dir: o.data, Log: e.Log, Machine: machine}, Gateway: o.gateway, Code: code, Machine: o.machine,
	})
	if err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		type op struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		}
		list := make([]op, len(ops))
		for i, p := range ops {
			list[i] = op{p.ID, p.Name}
		}
		return e.print(map[string]any{"device": en.Device, "station": en.Station, "operators": list, "demo": en.Demo})
	}
	ids := make([]string, len(ops))
	for i, p := range ops {
		ids[i] = p.ID + " " + p.Name
	}
	fmt.Fprintln(e.Out, e.T("cli.enrolled", map[string]string{
		"station": en.Station.Name, "device": strconv.FormatUint(uint64(en.Device), 10), "operators": strings.Join(ids, ", "),
	}))
	return ExitOK
}

// login opens a session for the operator of the command line.
func (e *Env) login(ctx context.Context, o *options) (*desk.Session, error) {
	pin, err := e.readPIN(o.pinFile)
	if err != nil {
		return nil, err
	}
	return e.Host.Desk.Login(ctx, o.operator, pin)
}

// logout ends the session. Its record may fail when the disk is full: the cases are safe, so that is for the log.
func (e *Env) logout(ctx context.Context, s *desk.Session) {
	if err := s.Close(context.WithoutCancel(ctx)); err != nil {
		e.Log.ErrorContext(ctx, "end session", slog.Any("cause", err))
	}
}

func (e *Env) readPIN(file string) (string, error) {
	b, err := os.ReadFile(e.path(file))
	if err != nil {
		return "", words.New("cli.pinFile", err)
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(b), bom), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", words.New("cli.pinFile", errors.New("cli: the first line is empty")) // no try is spent on it
	}
	return line, nil
}

// taken is the line intake prints for each case, after it is durable.
type taken struct {
	No   string `json:"no"`
	Seq  uint64 `json:"seq"`
	Link string `json:"link"`
}

// problem is one answer that must be put right.
type problem struct {
	Field   string `json:"field"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

// refused is the line intake prints on standard error for each line it refused.
type refused struct {
	Line     int       `json:"line"`
	Error    string    `json:"error"`
	Message  string    `json:"message"`
	Problems []problem `json:"problems,omitempty"`
	Cause    string    `json:"cause,omitempty"` // with --verbose
}

func intake(ctx context.Context, e *Env, o *options, _ []string) int {
	if o.operator == "" || o.pinFile == "" || o.service == "" || o.answers == "" {
		fmt.Fprintln(e.Err, e.T("cli.help.intake", nil))
		return ExitUsage
	}
	in := e.In
	if o.answers != "-" {
		f, err := os.Open(e.path(o.answers))
		if err != nil {
			return e.fail(words.New("cli.answersFile", err))
		}
		defer f.Close()
		in = f
	}
	s, err := e.login(ctx, o)
	if err != nil {
		return e.fail(err)
	}
	defer e.logout(ctx, s)
	if _, err := s.Item(o.service); err != nil {
		return e.fail(err)
	}
	code, lines := ExitOK, bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			return code
		}
		if key, _ := words.KeyOf(err); err != nil && key == "error.unknown" {
			return e.fail(words.New("cli.answersFile", err))
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte(bom))
		}
		if err == nil && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var got counter.Submitted
		if err == nil {
			got, err = s.SubmitAnswers(ctx, o.service, line, e.Dir)
		}
		if err != nil {
			if ctx.Err() != nil {
				return e.fail(words.New("cli.interrupted", ctx.Err()))
			}
			if fatal(err) {
				return e.fail(err)
			}
			code = ExitPartly
			key, _ := words.KeyOf(err)
			r := refused{Line: n, Error: key, Message: Message(e.Texts, e.Lang, err)}
			if p := (*counter.IncompleteError)(nil); errors.As(err, &p) {
				for _, f := range p.Problems {
					r.Problems = append(r.Problems, problem{string(f.Path), f.Key, f.Text.In(e.Lang)})
				}
			}
			e.Log.Warn("line refused", slog.Int("line", n), slog.Any("cause", err))
			if o.verbose {
				r.Cause = err.Error()
			}
			w := *e
			w.Out = e.Err
			w.print(r)
			continue
		}
		if c := e.print(taken{got.No, got.Seq, got.Link}); c != ExitOK {
			return c
		}
	}
}

// fatal reports faults of the machine, after which no further line can succeed.
func fatal(err error) bool {
	key, _ := words.KeyOf(err)
	return strings.HasPrefix(key, "store.") || key == "error.unknown"
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxAnswers {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
			return nil, words.New("cli.lineTooLong", nil)
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		}
		return line, err
	}
}

func syncOnce(ctx context.Context, e *Env, o *options, _ []string) int {
	if !o.once {
		fmt.Fprintln(e.Err, e.T("cli.help.sync", nil))
		return ExitUsage
	}
	if err := e.Host.Desk.Store().Ready(); err != nil {
		return e.fail(err)
	}
	r, err := e.Host.Link.Once(ctx)
	st, serr := e.Host.Desk.Status(ctx)
	if serr != nil {
		return e.fail(serr)
	}
	pending := st.Records - st.Acknowledged
	if o.jsonOut {
		out := map[string]any{
			"sent": r.Sent, "events": r.Events, "blobs": r.Blobs, "packs": r.Packs, "pending": pending, "acknowledged": st.Acknowledged,
			"online": err == nil, "lastAck": st.LastAck,
		}
		if err != nil {
			key, _ := words.KeyOf(err)
			out["error"], out["message"] = key, Message(e.Texts, e.Lang, err)
		}
		e.print(out)
	}
	if err != nil {
		return e.fail(err)
	}
	if !o.jsonOut {
		fmt.Fprintln(e.Out, e.T("cli.synced", map[string]string{
			"sent": strconv.FormatUint(r.Sent, 10), "events": strconv.Itoa(r.Events), "pending": strconv.FormatUint(pending, 10),
		}))
	}
	return ExitOK
}

func status(ctx context.Context, e *Env, o *options, _ []string) int {
	st, err := e.Host.Desk.Status(ctx)
	if err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		return e.print(st)
	}
	last := "—"
	if st.LastAck != nil {
		last = translations.SecondText(e.Texts.In(e.Lang), *st.LastAck)
	}
	fmt.Fprintln(e.Out, e.T("cli.status", map[string]string{
		"station": st.Station.In(e.Lang), "device": strconv.FormatUint(uint64(st.Device), 10), "records": strconv.FormatUint(st.Records, 10),
		"acknowledged": strconv.FormatUint(st.Acknowledged, 10), "drafts": strconv.Itoa(st.Drafts),
		"quarantine": strconv.Itoa(st.Quarantine), "lastAck": last,
	}))
	if st.Fault != "" {
		fmt.Fprintln(e.Out, e.T(st.Fault, nil))
	}
	for _, n := range vm.History(texts{e}, st) {
		fmt.Fprintf(e.Out, "%s\n  %s\n", n.Title, n.Text)
	}
	return ExitOK
}

// texts gives view models the words of the caller's language.
type texts struct{ e *Env }

// T implements vm.Texts.
func (t texts) T(key string, pairs ...string) string {
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	return t.e.T(key, args)
}

// Lang implements vm.Texts.
func (t texts) Lang() string { return t.e.Lang }

func verify(_ context.Context, e *Env, o *options, rest []string) int {
	if len(rest) != 1 {
		fmt.Fprintln(e.Err, e.T("cli.help.verify", nil))
		return ExitUsage
	}
	text := strings.TrimSpace(rest[0])
	if !strings.Contains(text, "://") {
		scanned, err := scanFile(e.path(text))
		if err != nil {
			return e.fail(err)
		}
		text = scanned
	}
	v := e.Host.Desk.Verify(text)
	code := ExitUnsure
	switch v.State {
	case receipt.Genuine:
		code = ExitOK
	case receipt.Forged:
		code = ExitForged
	}
	_, envelope, err := receipt.ParseLink(text)
	if err != nil {
		envelope = nil // the verdict says so already
	}
	view := viewVerdict(v, envelope)
	if o.jsonOut {
		e.print(view)
		return code
	}
	key := "verify." + view.State
	if view.State == "genuine" {
		key += strconv.Itoa(int(view.Stage))
	}
	fmt.Fprintln(e.Out, e.T(key, view.args(e.Texts.In(e.Lang))))
	return code
}

// maxPicture is the largest picture file that is read, in bytes.
const maxPicture = 32 << 20

func scanFile(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", words.New("verify.noFile", err)
	}
	if st.Size() > maxPicture || !st.Mode().IsRegular() {
		return "", words.New("verify.noImage", fmt.Errorf("%d bytes, mode %s", st.Size(), st.Mode()))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", words.New("verify.noFile", err)
	}
	return receipt.ScanPicture(data)
}

func doctor(ctx context.Context, e *Env, o *options, _ []string) int {
	var s *desk.Session
	if o.operator != "" {
		var err error
		if s, err = e.login(ctx, o); err != nil {
			return e.fail(err)
		}
		defer e.logout(ctx, s)
		if o.rebuild && e.Host.Desk.Store().Lost() { // in neither copy: the platform gives it back
			if _, err := e.Host.Link.Once(ctx); err != nil {
				return e.fail(err)
			}
		}
	}
	rep, err := e.Host.Desk.Doctor(ctx, o.rebuild, func(done, total int) {
		if !o.jsonOut && total > 0 && done%5000 == 0 {
			fmt.Fprintf(e.Err, "\r%d/%d", done, total)
		}
	})
	if err != nil {
		return e.fail(err)
	}
	if s != nil && o.rebuild && len(rep.Faults) > 0 { // what both copies have damaged, the platform may have whole
		n, merr := e.Host.Link.Mend(ctx)
		if merr != nil {
			e.Log.ErrorContext(ctx, "mend from the platform", slog.Any("cause", merr))
		}
		if n > 0 {
			if rep, err = e.Host.Desk.Doctor(ctx, false, nil); err != nil {
				return e.fail(err)
			}
			rep.Rebuilt = true
		}
	}
	rep.SetAside = o.setAside
	code := ExitOK
	if len(rep.Faults) > 0 {
		code = ExitDamaged
	}
	if o.jsonOut {
		e.print(rep)
		return code
	}
	for _, l := range reportLines(e, rep) {
		fmt.Fprintln(e.Out, l)
	}
	if rep.Recovered != nil {
		for _, n := range vm.History(texts{e}, counter.Status{Recovered: rep.Recovered}) {
			fmt.Fprintln(e.Out, n.Text)
		}
	}
	return code
}

func changePIN(ctx context.Context, e *Env, o *options, _ []string) int {
	if o.operator == "" || o.pinFile == "" || o.newPINFile == "" {
		fmt.Fprintln(e.Err, e.T("cli.help.pin", nil))
		return ExitUsage
	}
	old, err := e.readPIN(o.pinFile)
	if err != nil {
		return e.fail(err)
	}
	fresh, err := e.readPIN(o.newPINFile)
	if err != nil {
		return e.fail(err)
	}
	s, err := e.Host.Desk.Login(ctx, o.operator, old)
	if err != nil {
		return e.fail(err)
	}
	defer e.logout(ctx, s)
	if err := s.ChangePIN(ctx, old, fresh); err != nil {
		return e.fail(err)
	}
	fmt.Fprintln(e.Out, e.T("cli.pinChanged", nil))
	return ExitOK
}
