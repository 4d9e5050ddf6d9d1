package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"bianmin/app/control"
	"bianmin/offline/desk"
	"bianmin/offline/store"
	"bianmin/offline/words"
)

// backup makes a backup now; with --daily the folder and number become those of the daily one.
func backup(_ context.Context, e *Env, o *options, _ []string) int {
	d := e.Host.Desk
	to := e.path(o.to)
	if o.daily {
		if err := d.SetBackups(desk.BackupPlan{Dir: to, Keep: o.keep}); err != nil {
			return e.fail(err)
		}
		to = ""
	}
	path, err := d.Backup(to)
	if err != nil {
		return e.fail(err)
	}
	plan := d.Backups()
	if o.jsonOut {
		return e.print(map[string]any{"file": path, "daily": plan.Dir, "keep": plan.Keep})
	}
	fmt.Fprintln(e.Out, e.T("backup.made", map[string]string{"file": path, "daily": plan.Dir, "keep": strconv.Itoa(plan.Keep)}))
	return ExitOK
}

// change is what restore --json prints.
type change struct {
	From          string `json:"from"`
	Done          bool   `json:"done"`               // false: nothing was changed
	Replaced      string `json:"replaced,omitempty"` // where the database was moved to
	Opens         bool   `json:"opens"`              // the present database opens
	Records       uint64 `json:"records"`            // of the present database
	BackupRecords uint64 `json:"backupRecords"`
	FromMirror    uint64 `json:"fromMirror"` // records the mirror adds at the next login
	Lost          uint64 `json:"lost"`       // records that will be gone
	LostAcked     uint64 `json:"lostAcked"`  // of these, delivered ones
	Gained        uint64 `json:"gained"`
	Drafts        int    `json:"drafts"` // of the present database
	BackupDrafts  int    `json:"backupDrafts"`
	DraftsBack    int    `json:"draftsBack"`
	DraftsOlder   int    `json:"draftsOlder"`
	DraftsMirror  int    `json:"draftsFromMirror"`
	DraftsLost    int    `json:"draftsLost"`
}

func viewChange(c store.Change) change {
	return change{
		From: c.From, Opens: c.Opens, Records: c.Now.Records, BackupRecords: c.Backup.Records, FromMirror: c.FromMirror,
		Lost: c.Lost, LostAcked: c.LostAcked, Gained: c.Gained, Drafts: c.Now.Drafts, BackupDrafts: c.Backup.Drafts,
		DraftsBack: c.DraftsBack, DraftsOlder: c.DraftsOlder, DraftsMirror: c.DraftsMirror, DraftsLost: c.DraftsLost,
	}
}

// restore says what a backup would change, and with --yes puts it in place: through the process that holds the folder, or,
// when nobody does, also over a database that does not open.
func restore(ctx context.Context, e *Env, o *options, _ []string) int {
	from := e.path(o.from)
	var plan store.Change
	var err error
	put := func() (string, error) { return e.Host.Desk.Restore(plan) }
	if e.Host != nil {
		plan, err = e.Host.Desk.PlanRestore(from)
	} else {
		code, cerr := control.Do(ctx, o.data, control.Call{Args: o.args, Dir: e.Dir, Lang: e.Lang}, e.In, e.Out, e.Err)
		if cerr == nil {
			return code
		}
		if !errors.Is(cerr, control.ErrNobody) {
			return e.fail(cerr)
		}
		if desk.Enrolled(o.data) {
			if err := e.OpenLog(o.data); err != nil {
				return e.fail(words.New("desk.folderUnwritable", err))
			}
		}
		cfg := desk.Config{Dir: o.data, Log: e.Log}
		plan, err = desk.PlanRestore(cfg, from)
		put = func() (string, error) { return desk.Restore(cfg, plan) }
	}
	if err != nil {
		return e.fail(err)
	}
	view := viewChange(plan)
	if !o.jsonOut {
		for _, l := range changeLines(e, view) {
			fmt.Fprintln(e.Out, l)
		}
	}
	if !o.yes {
		if o.jsonOut {
			return e.print(view)
		}
		fmt.Fprintln(e.Out, e.T("restore.sayYes", nil))
		return ExitOK
	}
	if view.Replaced, err = put(); err != nil {
		return e.fail(err)
	}
	view.Done = true
	if o.jsonOut {
		return e.print(view)
	}
	fmt.Fprintln(e.Out, e.T("restore.done", map[string]string{"file": view.Replaced}))
	return ExitOK
}

// changeLines says what a restore changes.
func changeLines(e *Env, c change) []string {
	var out []string
	add := func(key string, n uint64, args map[string]string) {
		if n == 0 {
			return
		}
		if args == nil {
			args = map[string]string{}
		}
		args["n"] = strconv.FormatUint(n, 10)
		out = append(out, e.T(key, args))
	}
	num := func(n uint64) string { return strconv.FormatUint(n, 10) }
	out = append(out, e.T("restore.from", map[string]string{"file": c.From, "records": num(c.BackupRecords), "drafts": strconv.Itoa(c.BackupDrafts)}))
	if c.Opens {
		out = append(out, e.T("restore.now", map[string]string{"records": num(c.Records), "drafts": strconv.Itoa(c.Drafts)}))
	} else {
		out = append(out, e.T("restore.nowDamaged", nil))
	}
	add("restore.fromMirror", c.FromMirror, nil)
	add("restore.gained", c.Gained, nil)
	if c.Lost == 0 {
		out = append(out, e.T("restore.nothingLost", nil))
	}
	add("restore.lost", c.Lost, map[string]string{"acked": num(c.LostAcked)})
	add("restore.draftsLost", uint64(c.DraftsLost), nil)
	add("restore.draftsFromMirror", uint64(c.DraftsMirror), nil)
	add("restore.draftsOlder", uint64(c.DraftsOlder), nil)
	add("restore.draftsBack", uint64(c.DraftsBack), nil)
	return out
}
