package private

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const childEnv = "BIANMIN_DUMP_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "safe":
		if err := NoDumps(); err != nil {
			panic(err)
		}
		fallthrough
	case "plain":
		var l unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &l); err != nil {
			panic(err)
		}
		d, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		if err != nil {
			panic(err)
		}
		if l.Max == 0 && d == 0 {
			os.Stdout.WriteString("sealed\n")
		}
		panic("crash")
	}
	os.Exit(m.Run())
}

// A crash leaves no core file, though the system would write one; what starts without NoDumps leaves one, where the
// system is set so.
func TestNoDumps(t *testing.T) {
	crash := func(kind string) (sealed, dumped bool, files []string) {
		dir := t.TempDir()
		cmd := exec.Command("sh", "-c", `ulimit -c unlimited 2>/dev/null; exec "$0" -test.run='^$'`, os.Args[0])
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), childEnv+"="+kind, "GOTRACEBACK=crash")
		out, err := cmd.Output()
		if err == nil {
			t.Fatalf("%s: did not crash: %s", kind, out)
		}
		status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() {
			t.Fatalf("%s: ended with %v", kind, cmd.ProcessState)
		}
		files, err = filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(out), "sealed"), status.CoreDump(), files
	}
	if sealed, dumped, files := crash("safe"); !sealed || dumped || len(files) > 0 {
		t.Errorf("sealed %t, dumped %t, files %v", sealed, dumped, files)
	}
	sealed, dumped, _ := crash("plain")
	if sealed {
		t.Error("the control is sealed, too: the test shows nothing")
	}
	t.Logf("without it this system dumps: %t", dumped)
}
