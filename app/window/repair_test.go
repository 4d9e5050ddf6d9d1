package window

import (
	"os"
	"path/filepath"
	"testing"

	"bianmin/app/screen"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/sync/engine"
)

// TestADamagedDatabaseIsRestoredFromTheWindow: a file that does not open is said so, with a button that puts the newest backup in its
// place; after the login everything is there, and the damaged file is kept.
func TestADamagedDatabaseIsRestoredFromTheWindow(t *testing.T) {
	r := newRigOn(t, desktest.New(t), nil)
	before, err := r.d.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.d.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.m.Config.Dir, "store.db")
	if err := os.WriteFile(file, []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.s.o.Open = func(func(engine.Event)) (Machine, error) {
		d, err := desk.Open(r.m.Config)
		if err != nil {
			return Machine{}, err
		}
		t.Cleanup(func() { d.Close() })
		return Machine{Counter: d.Counter(), Wake: func() {}}, nil
	}
	r.s.o.Repair = func() error {
		_, err := desk.SetAside(r.m.Config)
		return err
	}
	r.s.open()
	r.sees("数据库已损坏", "从备份和镜像恢复")
	r.tap("从备份和镜像恢复")
	r.login()
	r.go_(screen.PageSync, "")
	after, err := r.s.machine.Counter.Status(t.Context())
	if err != nil || after.Records < before.Records || after.Fault != "" {
		t.Fatalf("%d records of %d, fault %q, %v", after.Records, before.Records, after.Fault, err)
	}
	kept, err := filepath.Glob(file + ".damaged-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("the damaged file was not kept: %v, %v", kept, err)
	}
}
