package desk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/desk/desktest"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

const division = "999999101201"

// withPeople installs a machine with a head of station, a county's recovery key, and the usual operators.
func withPeople(t *testing.T) (*desktest.Machine, vault.PrivateKey) {
	t.Helper()
	county, err := vault.SM(nil).GenerateKey()
	noError(t, err)
	m := desktest.NewWith(t, func(m *desktest.Machine, g *desk.Grant) {
		g.Operators = append(g.Operators, vault.NewOperator{ID: "he", Name: "何站长", Role: "lead", Division: division, PIN: "909192"})
		g.Enrolment.Recovery, err = vault.SignCountyKey(m.Platform.Root, county.Public(), 1)
		noError(t, err)
	})
	return m, county
}

func login(t *testing.T, d *desk.Desk, id, pin string) *desk.Session {
	t.Helper()
	s, err := d.Login(t.Context(), id, pin)
	if err != nil {
		t.Fatalf("login of %s: %v", id, err)
	}
	return s
}

func kinds(t *testing.T, d *desk.Desk) map[journal.Kind]int {
	t.Helper()
	_, head, _, _, err := d.Store().Position(t.Context())
	noError(t, err)
	out := map[journal.Kind]int{}
	for seq := uint64(1); seq <= head; seq++ {
		rec, err := d.Store().Record(seq)
		noError(t, err)
		out[rec.Kind]++
	}
	return out
}

func TestOperatorsAreManaged(t *testing.T) {
	m, _ := withPeople(t)
	d := m.Open(t)
	ctx := t.Context()
	zhao := counter.NewOperator{ID: "zhao", Name: "赵立春", Role: "staff"}

	staff := login(t, d, desktest.Operator, desktest.PIN)
	_, err := staff.AddOperator(ctx, zhao)
	wantKey(t, "staff adds", err, "operator.forbidden")
	_, err = staff.ResetOperator(ctx, "li")
	wantKey(t, "staff resets", err, "operator.forbidden")
	wantKey(t, "staff removes", staff.RemoveOperator(ctx, "li"), "operator.forbidden")
	wantKey(t, "staff rotates", staff.RotateMaster(ctx), "operator.forbidden")

	lead := login(t, d, "he", "909192")
	for key, op := range map[string]counter.NewOperator{
		"operator.badID": {ID: "Zhao 1", Name: "赵", Role: "staff"}, "operator.noName": {ID: "zhao", Role: "staff"},
		"operator.badRole": {ID: "zhao", Name: "赵", Role: "king"}, "operator.badDivision": {ID: "zhao", Name: "赵", Role: "staff", Division: "999999102201"},
		"operator.exists": {ID: "li", Name: "赵", Role: "staff"},
	} {
		_, err := lead.AddOperator(ctx, op)
		wantKey(t, "add", err, key)
	}
	code, err := lead.AddOperator(ctx, zhao)
	noError(t, err)
	_, err = d.Login(ctx, "zhao", code)
	wantKey(t, "first login", err, "pin.activate")
	noError(t, d.Activate(ctx, "zhao", code, "775533"))
	_, err = d.Login(ctx, "zhao", "775533")
	wantKey(t, "before admission", err, "pin.waiting")
	noError(t, staff.AdmitOperator(ctx, "zhao")) // any colleague of the division may
	newcomer := login(t, d, "zhao", "775533")
	if _, err := newcomer.Cases(ctx); err != nil {
		t.Errorf("the newcomer reads nothing: %v", err)
	}

	code, err = lead.ResetOperator(ctx, "li")
	noError(t, err)
	li := login(t, d, "li", code)
	if !li.Operator().MustChange {
		t.Error("a one-time code need not be changed")
	}
	noError(t, li.ChangePIN(ctx, code, "664422"))

	noError(t, lead.RotateMaster(ctx))
	noError(t, lead.RemoveOperator(ctx, "zhao"))
	_, err = newcomer.Cases(ctx)
	wantKey(t, "the session of somebody removed", err, "desk.locked")
	_, err = d.Login(ctx, "zhao", "775533")
	wantKey(t, "login of somebody removed", err, "pin.noOperator")
	// Who was logged in before the rotation writes and reads on.
	if _, err := staff.Start(ctx, "gaoling", nil); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
	got := kinds(t, d)
	for _, k := range []journal.Kind{
		journal.KindOperatorAdded, journal.KindOperatorAdmitted, journal.KindOperatorReset, journal.KindOperatorRemoved, journal.KindMasterRotated,
	} {
		if got[k] != 1 {
			t.Errorf("%d records %s", got[k], k)
		}
	}
	noError(t, d.Close())
	d = m.Open(t)
	login(t, d, "li", "664422")
	login(t, d, "he", "909192")
}

// The platform invites and withdraws; a locked machine does it at the next login.
func TestPlatformChangesOperators(t *testing.T) {
	m, _ := withPeople(t)
	d := m.Open(t)
	ctx := t.Context()
	m.Tell(t, d, journal.EventOperator, 0, journal.OperatorGranted{ID: "zhao", Name: "赵立春", Role: "staff", Division: division, Code: "1357913579"})
	m.Tell(t, d, journal.EventOperatorWithdraw, 0, journal.OperatorGranted{ID: "li"})
	if len(d.Operators()) != 3 {
		t.Fatal("a sealed event was opened with nobody logged in")
	}
	// The one who is withdrawn comes first: the PIN is right, and opens nothing.
	_, err := d.Login(ctx, "li", "135790")
	wantKey(t, "withdrawn", err, "operator.withdrawn")
	if !d.Store().Locked() {
		t.Error("the machine stays open for somebody withdrawn")
	}
	noError(t, d.Close())
	d = m.Open(t)
	_, err = d.Login(ctx, "li", "135790")
	wantKey(t, "withdrawn, after a restart", err, "operator.withdrawn")
	lead := login(t, d, "he", "909192")
	if list := d.Operators(); len(list) != 3 || list[2].ID != "zhao" || !list[2].Waiting {
		t.Fatalf("operators %+v", list)
	}
	noError(t, d.Activate(ctx, "zhao", "1357913579", "775533"))
	noError(t, lead.AdmitOperator(ctx, "zhao"))
	login(t, d, "zhao", "775533")
	// While somebody is at work it happens at once.
	wang := login(t, d, desktest.Operator, desktest.PIN)
	m.Tell(t, d, journal.EventOperatorWithdraw, 0, journal.OperatorGranted{ID: desktest.Operator})
	if _, err := d.Login(ctx, desktest.Operator, desktest.PIN); !errors.Is(err, vault.ErrNoOperator) {
		t.Errorf("withdrawn while at work: %v", err)
	}
	_, err = wang.Cases(ctx)
	wantKey(t, "the session of somebody withdrawn", err, "desk.locked")
}

// Everybody has forgotten the PIN: the county lets one in, and nothing is lost.
func TestCountyLetsAnOperatorIn(t *testing.T) {
	m, county := withPeople(t)
	d, s := m.Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	noError(t, err)
	in.Set("name", "欧阳秀英")
	noError(t, in.Close(t.Context()))
	noError(t, s.Close(t.Context()))

	ask, err := d.RequestOperator("li", "664422")
	noError(t, err)
	answer, err := vault.AnswerRecovery(m.Config.Suite, county, ask)
	noError(t, err)
	id, err := d.TakeOperator(t.Context(), answer)
	if err != nil || id != "li" {
		t.Fatal(id, err)
	}
	li := login(t, d, "li", "664422")
	drafts, err := li.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "欧阳秀英" {
		t.Errorf("drafts %+v, %v", drafts, err)
	}
	if kinds(t, d)[journal.KindRecovered] != 1 {
		t.Error("no record of the recovery")
	}
}

// The machine secret is gone: a dead TPM. The county brings it back; drafts and PINs are as before.
func TestCountyBringsTheMachineBack(t *testing.T) {
	m, county := withPeople(t)
	_, err := desk.RequestMachine(m.Config)
	wantKey(t, "a machine that is well", err, "recovery.notNeeded")
	d, s := m.Login(t)
	in, err := s.Start(t.Context(), "gaoling", nil)
	noError(t, err)
	in.Set("name", "欧阳秀英")
	noError(t, in.Close(t.Context()))
	noError(t, d.Close())
	for _, n := range []string{"machine.key", "machine.key.b"} {
		noError(t, os.Remove(filepath.Join(m.Config.Dir, n)))
	}
	_, err = desk.Open(m.Config)
	wantKey(t, "without the secret", err, "keys.machineLost")
	ask, err := desk.RequestMachine(m.Config)
	noError(t, err)
	answer, err := vault.AnswerRecovery(m.Config.Suite, county, ask)
	noError(t, err)
	noError(t, desk.TakeMachine(m.Config, answer))
	d, s = m.Login(t)
	drafts, err := s.Drafts(t.Context())
	if err != nil || len(drafts) != 1 || drafts[0].Who != "欧阳秀英" {
		t.Errorf("drafts %+v, %v", drafts, err)
	}
	rep, err := d.Doctor(t.Context(), false, nil)
	if err != nil || len(rep.Faults) != 0 || !rep.Deep {
		t.Errorf("doctor %+v, %v", rep, err)
	}
}

// A machine of before the county had a key gets one by event, and seals to it at the next login.
func TestCountyKeyArrivesLater(t *testing.T) {
	m := desktest.New(t)
	d := m.Open(t)
	county, err := vault.SM(nil).GenerateKey()
	noError(t, err)
	forged, err := vault.SignCountyKey(m.Platform.Sign, county.Public(), 5) // not the root
	noError(t, err)
	m.Tell(t, d, journal.EventRecovery, 0, journal.Document{Data: forged})
	login(t, d, desktest.Operator, desktest.PIN)
	if d.Ring().County() != nil {
		t.Fatal("a key that the root did not sign")
	}
	doc, err := vault.SignCountyKey(m.Platform.Root, county.Public(), 6)
	noError(t, err)
	m.Tell(t, d, journal.EventRecovery, 0, journal.Document{Data: doc})
	if got := d.Ring().County(); !vault.Equal(got, county.Public()) {
		t.Fatalf("county key %x", got)
	}
	noError(t, d.Close())
	d = m.Open(t)
	login(t, d, desktest.Operator, desktest.PIN)
	if got := d.Ring().County(); !vault.Equal(got, county.Public()) {
		t.Errorf("county key after a restart %x", got)
	}
}
