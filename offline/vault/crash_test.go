package vault

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"bianmin/offline/clocks"
)

// rotator makes this test binary rotate the master of a folder until it is killed.
const rotator = "BIANMIN_VAULT_ROTATE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(rotator); dir != "" {
		fmt.Println("stopped:", rotateForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// rotateForever changes everything a key file can change, one write after the other, and says when it begins.
func rotateForever(dir string) error {
	r, err := OpenRing(dir, SM(nil), KeyFile(filepath.Join(dir, "machine.key")), OpenOptions{Clock: clocks.Wall(newClock().now)})
	if err != nil {
		return err
	}
	u, err := r.Unlock("wang", "204816")
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n == 1 {
			fmt.Println("rotating")
		}
		if err := u.Rotate(); err != nil {
			return err
		}
		id := fmt.Sprintf("guest%d", n)
		if err := r.Invite(NewOperator{ID: id, Name: "客", PIN: "1"}); err != nil {
			return err
		}
		if err := u.Admit(id); err != nil {
			return err
		}
		if err := u.Remove(id); err != nil {
			return err
		}
	}
}

// kill -9 in the middle of rotations, admissions and removals: everybody logs in afterwards and reads the same keys, and the
// county still opens what is sealed to it.
func TestRotationSurvivesKills(t *testing.T) {
	rounds := 12
	if os.Getenv("BIANMIN_FULL") == "1" {
		rounds = 120
	}
	f := newFixture(t)
	county := mustKey(t)
	u := mustUnlock(t, f.ring, "wang", "204816")
	want := period(t, u, f)
	must(t, u.SetCounty(county.Public()))
	u.Close()
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), rotator+"="+f.dir)
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "rotating\n" {
			t.Fatalf("round %d: %q, %v", round, line, err)
		}
		for range rand.IntN(1 << 22) { // some moment of the next writes
		}
		must(t, cmd.Process.Kill())
		cmd.Wait() // its error is the kill
		f.reopen(t)
		for id, pin := range map[string]string{"wang": "204816", "li": "activate-9"} {
			u := mustUnlock(t, f.ring, id, pin)
			if got := period(t, u, f); got != want {
				t.Fatalf("round %d: %s reads other keys", round, id)
			}
			e, err := openEscrow(f.suite, county, f.ring.file.County.Sealed, f.seal.Public())
			if err != nil || e.Master != f.ring.master {
				t.Fatalf("round %d: the county's copy: %v", round, err)
			}
			u.Close()
		}
	}
}
