package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

const (
	device   = 70002
	operator = "wang"
	pin      = "246810"
	childEnv = "BIANMIN_FAULT_CHILD"
)

var (
	suite = vault.SM(nil)
	ctx   = context.Background()
	full  = os.Getenv("BIANMIN_FULL") == "1"
)

// count scales rounds: all of them with BIANMIN_FULL=1, else a tenth.
func count(n int) int {
	if full {
		return n
	}
	return max(1, n/10)
}

// folder is a machine's folder as parent and child see it.
type folder struct {
	Dir        string
	Sign, Seal []byte // the platform's public keys
	First      int    // number of the first case the writer takes in
	Saves      int    // cases after which the writer ends by itself; 0: never
	NoSync     bool   // the control: every sync of the writer says it is done and does nothing
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(writer(text))
	}
	os.Exit(m.Run())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// install makes dir a machine's folder with an empty store.
func install(t testing.TB, dir string) folder {
	t.Helper()
	key := func() vault.PrivateKey {
		k, err := suite.GenerateKey()
		must(t, err)
		return k
	}
	_, err := vault.CreateRing(dir, suite, vault.KeyFile(filepath.Join(dir, "machine.key")), vault.RingOptions{
		Sign: key(), Seal: key(), Demo: true, Argon: vault.Argon{Time: 1, MemoryKiB: 64, Threads: 1},
		Operators: []vault.NewOperator{{ID: operator, Name: "王秀英", Role: "staff", Division: "999999001001", PIN: pin}},
	})
	must(t, err)
	return folder{Dir: dir, Sign: key().Public(), Seal: key().Public()}
}

// open opens the folder and logs in. A machine that died in a login counts that as a wrong PIN, so there may be a wait.
func (f folder) open() (*store.Store, error) {
	ring, err := vault.OpenRing(f.Dir, suite, vault.KeyFile(filepath.Join(f.Dir, "machine.key")), vault.OpenOptions{Demo: true})
	if err != nil {
		return nil, fmt.Errorf("ring: %w", err)
	}
	s, err := store.Open(f.options(ring))
	if err != nil {
		return nil, err
	}
	u, err := ring.Unlock(operator, pin)
	for end := time.Now().Add(20 * time.Second); errors.Is(err, vault.ErrWait) && time.Now().Before(end); {
		<-time.After(20 * time.Millisecond)
		u, err = ring.Unlock(operator, pin)
	}
	if err == nil {
		err = s.Unlock(u)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("unlock: %w", err)
	}
	return s, nil
}

// newest returns the newest backup that is whole.
func (f folder) newest() (string, error) {
	ring, err := vault.OpenRing(f.Dir, suite, vault.KeyFile(filepath.Join(f.Dir, "machine.key")), vault.OpenOptions{Demo: true})
	if err != nil {
		return "", err
	}
	return store.NewestBackup(f.options(ring), filepath.Join(f.Dir, "backups"))
}

func (f folder) options(ring *vault.Ring) store.Options {
	return store.Options{
		Dir: f.Dir, Suite: suite, Ring: ring, Device: device, Reserve: 1, Segment: 40_000,
		Platform: store.Platform{SignKey: f.Sign, SealKey: f.Seal},
	}
}

func draftID(n int) string { return "case " + strconv.Itoa(n) }

func sample(n int, blobs ...journal.Blob) journal.CaseSubmitted {
	answers := map[string]string{"name": "样例" + strconv.Itoa(n), "note": strings.Repeat("情况属实。", 150)}
	return journal.CaseSubmitted{
		Service: "gaoling", ItemCode: "999999-001", ItemName: "高龄津贴", FormID: "gaoling", FormVersion: 1,
		Answers: canon.MustMarshal(answers), Applicant: "样例" + strconv.Itoa(n), Division: "999999001001", Blobs: blobs,
	}
}

// save takes in case n as a clerk does: draft on the way, an attachment at every fourth, the receipt with the record.
func save(s *store.Store, n int, out io.Writer) (journal.Record, error) {
	var blobs []journal.Blob
	for step, text := range []string{"person", "materials"} {
		if err := s.SaveDraft(store.Draft{ID: draftID(n), Step: text, Body: []byte(text), Checkpoint: step == 1}); err != nil {
			return journal.Record{}, err
		}
		fmt.Fprintln(out, "draft", n)
	}
	if n%4 == 0 {
		b, err := s.PutBlob(bytes.Repeat([]byte(draftID(n)), 500), "image/png", "p.png")
		if err != nil {
			return journal.Record{}, err
		}
		blobs = append(blobs, b)
	}
	return s.Commit(ctx, store.Act{
		Operator: operator, Kind: journal.KindCaseSubmitted, Body: sample(n, blobs...), DropDraft: draftID(n),
		Receipt: func(rec journal.Record) ([]byte, error) {
			return []byte("receipt " + strconv.FormatUint(rec.Seq, 10)), nil
		},
	})
}

// writer is the child. Exit codes: 0 done, 3 the disk refused.
func writer(text string) int {
	var f folder
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		panic(err)
	}
	if f.NoSync {
		if err := noSync(); err != nil {
			fmt.Println("control", err)
			return 4
		}
	}
	s, err := f.open()
	if err != nil {
		key, _ := words.KeyOf(err)
		fmt.Println("error", key, "open:", err)
		return 3
	}
	fmt.Println("open")
	for n := f.First; f.Saves == 0 || n < f.First+f.Saves; n++ {
		rec, first := save(s, n, os.Stdout)
		if first != nil {
			key, _ := words.KeyOf(first)
			fmt.Println("error", key, first)
			if _, err := save(s, n+1, io.Discard); err == nil && errors.Is(first, store.ErrFailed) {
				fmt.Println("error", "goesOn", "a store that refused takes in the next case")
			}
			fmt.Println("closing")
			s.Close() // on a disk that is gone it may fail
			fmt.Println("closed")
			return 3
		}
		fmt.Println("ack", rec.Seq, n)
		if n%3 == 2 { // upkeep that the disk refuses is said; the store goes on
			if _, err := s.Compact(ctx, true); err != nil {
				fmt.Println("upkeep", err)
			}
			if _, err := s.BackupTo(filepath.Join(f.Dir, "backups"), 2); err != nil {
				fmt.Println("upkeep", err)
			}
		}
	}
	if err := s.Close(); err != nil {
		fmt.Println("error", "close", err)
		return 5
	}
	return 0
}

// said is what a writer told.
type said struct {
	first  int
	opened bool
	seq    uint64 // last acknowledged record
	n      int    // number of its case; first-1 when none was acknowledged
	draft  int    // last case whose draft was acknowledged
	key    string // words key of the first error; "" when none
	lines  []string
	exit   string
}

// run starts the writer, under the words of before when there are some, and calls each after every line. It returns when
// the writer has ended.
func (f folder) run(t testing.TB, before []string, each func(s *said)) said {
	t.Helper()
	text, err := json.Marshal(f)
	must(t, err)
	args := append(before, os.Args[0], "-test.run=^$")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	v := said{first: f.First, n: f.First - 1, draft: f.First - 1}
	for sc := bufio.NewScanner(out); sc.Scan(); {
		line := sc.Text()
		v.lines = append(v.lines, line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "open":
			v.opened = true
		case "draft":
			_, err = fmt.Sscan(rest, &v.draft)
		case "ack":
			_, err = fmt.Sscan(rest, &v.seq, &v.n)
		case "error":
			if v.key == "" {
				v.key, _, _ = strings.Cut(rest, " ")
			}
		case "control":
			t.Fatalf("the control cannot be set up: %s", rest)
		}
		must(t, err)
		if each != nil {
			each(&v)
		}
	}
	v.exit = "0"
	if err := cmd.Wait(); err != nil {
		v.exit = err.Error()
	}
	if strings.Contains(errs.String(), "panic:") || strings.Contains(errs.String(), "goroutine ") {
		v.lines = append(v.lines, errs.String())
	}
	return v
}

// check is the oracle. It returns what is wrong, and the number of the next case.
func (f folder) check(v said) (next int, err error) {
	s, err := f.open()
	if err != nil {
		return 0, fmt.Errorf("open: %w", err)
	}
	defer s.Close()
	_, head, _, _, err := s.Position(ctx)
	if err != nil {
		return 0, err
	}
	limit := v.seq + 1 // the act that was being written
	if back := s.Restored(); back.From != 0 {
		if back.From != back.To || head != back.To+1 || v.seq > 0 && back.From != limit {
			return 0, fmt.Errorf("head %d after record %d was acknowledged, taken back %+v", head, v.seq, back)
		}
		limit = head // and the note of it
	}
	if head < v.seq || head > limit && v.seq > 0 {
		return 0, fmt.Errorf("head %d after record %d was acknowledged", head, v.seq)
	}
	rep, err := s.Verify(ctx, nil)
	if err != nil {
		return 0, err
	}
	for _, fault := range rep.Faults {
		return 0, fmt.Errorf("verify: %v", fault)
	}
	if list, err := store.Backups(filepath.Join(f.Dir, "backups"), device); err != nil {
		return 0, err
	} else if len(list) > 0 {
		if newest, err := f.newest(); err != nil || newest != list[0] {
			return 0, fmt.Errorf("backup %s is not whole: %w", list[0], err)
		}
	}
	rows, err := s.Cases()
	if err != nil {
		return 0, err
	}
	taken, most := map[string]bool{}, -1
	for _, row := range rows {
		c, err := s.Case(row.Seq)
		if err != nil {
			return 0, err
		}
		if taken[c.Applicant] {
			return 0, fmt.Errorf("case of %s is there twice", c.Applicant)
		}
		taken[c.Applicant] = true
		n, err := strconv.Atoi(strings.TrimPrefix(c.Applicant, "样例"))
		if err != nil {
			return 0, err
		}
		most = max(most, n)
		if _, err := s.Receipt(row.Seq, 1); err != nil {
			return 0, fmt.Errorf("receipt of record %d: %w", row.Seq, err)
		}
	}
	headers, err := s.Headers(0, int(head))
	if err != nil {
		return 0, err
	}
	submitted := 0
	for _, h := range headers {
		if h.Kind == journal.KindCaseSubmitted {
			submitted++
		}
	}
	if uint64(len(headers)) != head || len(rows) != submitted {
		return 0, fmt.Errorf("%d cases of %d submissions in %d of %d records", len(rows), submitted, len(headers), head)
	}
	if most < v.n {
		return 0, fmt.Errorf("case %d was acknowledged, the newest here is %d", v.n, most)
	}
	drafts, err := s.Drafts()
	if err != nil {
		return 0, err
	}
	found := false
	for _, d := range drafts {
		n, err := strconv.Atoi(strings.TrimPrefix(d.ID, "case "))
		if err != nil {
			return 0, err
		}
		if taken["样例"+strconv.Itoa(n)] {
			return 0, fmt.Errorf("case %d is both draft and submitted", n)
		}
		found = found || n == v.draft
	}
	if v.draft > most && v.draft >= v.first && !found {
		return 0, fmt.Errorf("draft of case %d was acknowledged and is gone", v.draft)
	}
	next = max(most, v.draft) + 2 // the writer's second try is a number of its own
	if _, err := save(s, next, io.Discard); err != nil {
		return 0, fmt.Errorf("the next case: %w", err)
	}
	return next + 1, nil
}

// free returns the bytes left in dir's file system.
func free(t testing.TB, dir string) uint64 {
	t.Helper()
	var s unix.Statfs_t
	must(t, unix.Statfs(dir, &s))
	return s.Bavail * uint64(s.Bsize)
}
