package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

const (
	backupsFolder  = "backups"
	backupPlanFile = "backup.json"
	backupEvery    = 24 * time.Hour
	defaultKeep    = 7
	mostKept       = 1000
	// tendEvery is how often Upkeep looks whether something is due. Nothing was committed for as long before a compaction.
	tendEvery = 10 * time.Minute
	tendFirst = 2 * time.Minute // after the start, which is busy enough
)

// BackupPlan says where the daily backup goes and how many stay. It is kept in clear beside the database (backup.json),
// because it is needed when the database does not open.
type BackupPlan struct {
	Dir  string `json:"dir"`  // folder; made when it is not there and the one above it is
	Keep int    `json:"keep"` // newest ones that stay
}

// Backups returns the plan: DIR/backups and seven, unless another was set.
func (d *Desk) Backups() BackupPlan { return backupPlan(d.cfg) }

func backupPlan(cfg Config) BackupPlan {
	p := BackupPlan{}
	raw, err := os.ReadFile(filepath.Join(cfg.Dir, backupPlanFile))
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		cfg.Log.Error("plan of backups", slog.Any("cause", err))
	}
	if p.Dir == "" {
		p.Dir = filepath.Join(cfg.Dir, backupsFolder)
	}
	if p.Keep < 1 || p.Keep > mostKept {
		p.Keep = defaultKeep
	}
	return p
}

// SetBackups changes where the daily backup goes. An empty Dir is DIR/backups, a Keep of 0 is seven.
func (d *Desk) SetBackups(p BackupPlan) error {
	if p.Dir != "" && !filepath.IsAbs(p.Dir) {
		return words.New("backup.failed", fmt.Errorf("desk: folder %q is not absolute", p.Dir), "dir", p.Dir)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("desk: plan of backups: %w", err)
	}
	if err := writeFile(filepath.Join(d.cfg.Dir, backupPlanFile), append(raw, '\n')); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	return nil
}

// Backup makes a backup of the database now, in dir, or in the plan's folder when dir is empty, and removes the oldest
// beyond the plan's number. It needs no login. The backup holds no keys: it is for this machine.
func (d *Desk) Backup(dir string) (path string, err error) {
	p := d.Backups()
	if dir == "" {
		dir = p.Dir
	}
	return d.store.BackupTo(dir, p.Keep)
}

// Upkeep makes the daily backup and compacts the database when it is idle, until ctx ends. What cannot be done is logged and
// tried again: it is never a reason to stop.
func (d *Desk) Upkeep(ctx context.Context) error {
	timer := time.NewTimer(tendFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			d.Tend(ctx)
			timer.Reset(tendEvery)
		}
	}
}

// Tend does what is due now: the backup when the newest is a day old, and, when nothing was committed since Tend was called
// last, a compaction of a file of which enough is free.
func (d *Desk) Tend(ctx context.Context) {
	p := d.Backups()
	dirs := []string{p.Dir}
	if own := filepath.Join(d.cfg.Dir, backupsFolder); own != p.Dir {
		dirs = append(dirs, own) // where the stick's turn goes while it is not plugged in
	}
	for _, dir := range dirs {
		due, err := d.backupDue(dir)
		if err == nil && due {
			var path string
			if path, err = d.store.BackupTo(dir, p.Keep); err == nil {
				d.cfg.Log.InfoContext(ctx, "daily backup", slog.String("file", filepath.Base(path)))
			}
		}
		if err == nil {
			break
		}
		d.cfg.Log.WarnContext(ctx, "daily backup", slog.Any("cause", err))
	}
	at, err := d.store.LastCommit()
	d.mu.Lock()
	idle := err == nil && at == d.seen
	d.seen = at
	d.mu.Unlock()
	if !idle {
		return
	}
	switch done, err := d.store.Compact(ctx, false); {
	case err != nil:
		d.cfg.Log.WarnContext(ctx, "compact", slog.Any("cause", err))
	case done:
		d.cfg.Log.InfoContext(ctx, "compacted")
	}
}

// backupDue reports whether the newest backup is a day old. A clock that was set does not put it off: a backup from
// tomorrow is as wrong as one from last week.
func (d *Desk) backupDue(dir string) (bool, error) {
	list, err := store.Backups(dir, d.en.Device)
	if err != nil || len(list) == 0 {
		return err == nil, err
	}
	info, err := os.Stat(list[0])
	if err != nil {
		return false, words.New("backup.failed", err, "dir", dir)
	}
	return d.cfg.Now().Sub(info.ModTime()).Abs() >= backupEvery, nil
}

// backupIn finds the backup that a person named: a file, the newest whole one in a folder, or in the plan's when from is empty.
func backupIn(cfg Config, o store.Options, from string) (string, error) {
	if from == "" {
		return store.NewestBackup(o, backupPlan(cfg).Dir, filepath.Join(cfg.Dir, backupsFolder))
	}
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		return store.NewestBackup(o, from)
	}
	return from, nil
}

// closedStore returns how the store of a folder that nobody holds is opened.
func closedStore(cfg Config) (store.Options, error) {
	if !Enrolled(cfg.Dir) {
		return store.Options{}, ErrNotEnrolled
	}
	ring, err := vault.OpenRing(cfg.Dir, cfg.Suite, cfg.Machine, vault.OpenOptions{Clock: cfg.Clock})
	if err != nil {
		return store.Options{}, err
	}
	en, err := readEnrolment(cfg.Dir, cfg.Suite, ring.MachineKey())
	if err != nil {
		return store.Options{}, err
	}
	return storeOptions(cfg, ring, en)
}

// PlanRestore says what a restore of the backup that from names would change in a folder that nobody holds; see
// [store.PlanRestore].
func PlanRestore(cfg Config, from string) (store.Change, error) {
	cfg = cfg.filled()
	o, err := closedStore(cfg)
	if err != nil {
		return store.Change{}, err
	}
	path, err := backupIn(cfg, o, from)
	if err != nil {
		return store.Change{}, err
	}
	return store.PlanRestore(o, path)
}

// Restore puts the backup of a plan in the place of the database, sound or not, of a folder that nobody holds. It returns
// where the old one was moved to.
func Restore(cfg Config, plan store.Change) (aside string, err error) {
	cfg = cfg.filled()
	o, err := closedStore(cfg)
	if err != nil {
		return "", err
	}
	return store.Restore(o, plan.From)
}

// PlanRestore is the plan for a folder that this process holds.
func (d *Desk) PlanRestore(from string) (store.Change, error) {
	o, err := storeOptions(d.cfg, d.ring, d.en)
	if err != nil {
		return store.Change{}, err
	}
	path, err := backupIn(d.cfg, o, from)
	if err != nil {
		return store.Change{}, err
	}
	return d.store.PlanRestore(path)
}

// Restore puts the backup of a plan in the place of the database of a folder that this process holds, while nobody is logged
// in, and goes on with it.
func (d *Desk) Restore(plan store.Change) (aside string, err error) {
	return d.store.Restore(plan.From)
}

// SetAside moves a database that does not open out of the way and puts the newest whole backup in its place; without one the
// next [Open] begins a new database. Either way the next login brings back what the mirror has. It returns the damaged
// file's new path. Nothing is deleted.
func SetAside(cfg Config) (string, error) {
	cfg = cfg.filled()
	if o, err := closedStore(cfg); err == nil {
		path, err := backupIn(cfg, o, "")
		if err == nil {
			var aside string
			if aside, err = store.Restore(o, path); err == nil {
				return aside, nil
			}
		}
		cfg.Log.Warn("no backup for a damaged database", slog.Any("cause", err))
	}
	path, err := store.SetAside(cfg.Dir, "", cfg.Now())
	if err != nil {
		return "", words.New("desk.folderUnwritable", err)
	}
	return path, nil
}
