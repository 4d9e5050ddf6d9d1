package cli

import (
	"context"
	"flag"
	"fmt"
	"strconv"

	"bianmin/offline/desk"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

func eraseFlags(fs *flag.FlagSet, o *options) {
	fs.StringVar(&o.operator, "operator", "", "")
	fs.StringVar(&o.pinFile, "pin-file", "", "")
	fs.StringVar(&o.caseNo, "case", "", "")
	fs.StringVar(&o.personFile, "person-file", "", "")
	fs.StringVar(&o.reason, "reason", "", "")
	fs.BoolVar(&o.yes, "yes", false, "")
}

// period closes a month.
func period(ctx context.Context, e *Env, o *options, rest []string) int {
	if len(rest) != 2 || rest[0] != "close" || o.operator == "" || o.pinFile == "" {
		return e.spell("period")
	}
	return e.erasure(ctx, o, "erase.closed", func(s *desk.Session) (store.Erased, error) { return s.ClosePeriod(ctx, rest[1]) })
}

// erase erases a case or a person.
func erase(ctx context.Context, e *Env, o *options, _ []string) int {
	if (o.caseNo == "") == (o.personFile == "") || o.operator == "" || o.pinFile == "" {
		return e.spell("erase")
	}
	return e.erasure(ctx, o, "erase.done", func(s *desk.Session) (store.Erased, error) {
		if o.caseNo != "" {
			return s.EraseCases(ctx, o.reason, o.caseNo)
		}
		id, err := e.readPIN(o.personFile)
		if err != nil {
			return store.Erased{}, words.New("cli.answersFile", err)
		}
		return s.ErasePerson(ctx, o.reason, id)
	})
}

// erased is what the two commands print with --json.
type erased struct {
	Period  string   `json:"period,omitempty"`
	Cases   []uint64 `json:"cases"`
	Records uint64   `json:"records"`
	Carried uint64   `json:"carried"`
	Events  uint64   `json:"events"`
	Blobs   uint64   `json:"blobs"`
	Drafts  uint64   `json:"drafts"`
}

func (e *Env) erasure(ctx context.Context, o *options, key string, do func(s *desk.Session) (store.Erased, error)) int {
	if !o.yes {
		fmt.Fprintln(e.Err, e.T("erase.confirm", nil))
		return ExitUsage
	}
	s, err := e.login(ctx, o)
	if err != nil {
		return e.fail(err)
	}
	defer e.logout(ctx, s)
	done, err := do(s)
	if err != nil {
		return e.fail(err)
	}
	if o.jsonOut {
		return e.print(erased{done.Period, append([]uint64{}, done.Cases...), done.Records, done.Carried, done.Events, done.Blobs, done.Drafts})
	}
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	fmt.Fprintln(e.Out, e.T(key, map[string]string{
		"month": done.Period, "cases": strconv.Itoa(len(done.Cases)), "records": n(done.Records), "carried": n(done.Carried),
		"events": n(done.Events), "blobs": n(done.Blobs), "drafts": n(done.Drafts),
	}))
	return ExitOK
}
