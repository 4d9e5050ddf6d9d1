package gateway_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/sync/gateway"
	"bianmin/sync/wire"
)

// Orders are signed events in clear, to one device; a withdrawn one hears none.
func TestOrdersReachOneDevice(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	a, b := r.enrolled(), r.enrolled()
	for kind, o := range map[journal.Kind]journal.Order{
		journal.EventDeviceLocked: {Reason: "lost"}, journal.EventDeviceUnlocked: {}, journal.EventDeviceLease: {Days: 7}, journal.EventDeviceWiped: {Reason: "stolen"},
	} {
		if err := r.g.Order(ctx, a.id, kind, o); err != nil {
			t.Fatal(err)
		}
		a.sync()
		e := a.last(kind)
		if got := bodyOf[journal.Order](t, e); got != o || e.Sealed || e.Seq != 0 {
			t.Errorf("%s: %+v", kind, e)
		}
	}
	b.sync()
	for _, e := range b.events {
		if e.Kind != journal.EventKeyList {
			t.Errorf("the other device hears %s", e.Kind)
		}
	}
	given, kept, err := r.g.Orders(ctx, a.id)
	if err != nil || len(given) != 4 || kept != 0 {
		t.Errorf("orders %v, kept %d, %v", given, kept, err)
	}
	rec := a.add(journal.KindOrderKept, journal.Note{What: "device.locked"})
	a.sync()
	if _, kept, err = r.g.Orders(ctx, a.id); err != nil || kept != rec.At {
		t.Errorf("kept %d, %v", kept, err)
	}
	if err := r.g.Order(ctx, a.id, journal.EventAccepted, journal.Order{}); err == nil {
		t.Error("an acceptance as an order")
	}
	if err := r.g.Order(ctx, 99, journal.EventDeviceLocked, journal.Order{}); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("a device that is not there: %v", err)
	}
	if _, err := r.g.Revoke(ctx, b.id, "lost"); err != nil {
		t.Fatal(err)
	}
	if err := r.g.Order(ctx, b.id, journal.EventDeviceWiped, journal.Order{}); !errors.Is(err, gateway.ErrState) {
		t.Errorf("a withdrawn device: %v", err)
	}
}

// An operator added or withdrawn is told to every machine of the station, sealed, and counts for new ones.
func TestOperatorsOfAStation(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	a := r.enrolled()
	op := wire.Operator{ID: "qian", Name: "钱多多", Role: "staff", Division: station, Activation: "1234567890"}
	if err := r.g.GrantOperator(ctx, station, op); err != nil {
		t.Fatal(err)
	}
	if err := r.g.GrantOperator(ctx, station, op); !errors.Is(err, gateway.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	a.sync()
	if got := bodyOf[journal.OperatorGranted](t, a.last(journal.EventOperator)); got.ID != "qian" || got.Code != op.Activation || got.Name != op.Name {
		t.Errorf("granted %+v", got)
	}
	ids := func(ops []wire.Operator) (out []string) {
		for _, op := range ops {
			out = append(out, op.ID)
		}
		return out
	}
	if b := r.enrolled(); !slices.Contains(ids(b.grant.Operators), "qian") {
		t.Errorf("a new machine gets %v", ids(b.grant.Operators))
	}
	list, err := r.g.StationOperators(ctx, station)
	if err != nil || !slices.Contains(ids(list), "qian") {
		t.Fatal(list, err)
	}
	for _, op := range list {
		if op.Activation != "" {
			t.Errorf("the list tells the code of %s", op.ID)
		}
	}
	if err := r.g.WithdrawOperator(ctx, station, "qian"); err != nil {
		t.Fatal(err)
	}
	if err := r.g.WithdrawOperator(ctx, station, "qian"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}
	a.sync()
	if got := bodyOf[journal.OperatorGranted](t, a.last(journal.EventOperatorWithdraw)); got.ID != "qian" {
		t.Errorf("withdrawn %+v", got)
	}
	if c := r.enrolled(); slices.Contains(ids(c.grant.Operators), "qian") {
		t.Error("a new machine gets somebody withdrawn")
	}
	if err := r.g.GrantOperator(ctx, station, op); err != nil {
		t.Errorf("back again: %v", err)
	}
	if err := r.g.GrantOperator(ctx, "999999999999", op); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("no such station: %v", err)
	}
	if rep, err := r.g.VerifyJournals(ctx); err != nil || len(rep.Faults) != 0 {
		t.Errorf("journals: %+v, %v", rep, err)
	}
}

// The recovery key comes with the grant and by event; its private half is not needed to serve.
func TestRecoveryKeyIsPublished(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	a := r.enrolled()
	if len(a.grant.Recovery) != 0 {
		t.Fatal("a recovery key out of nowhere")
	}
	if _, err := r.g.Recovery(ctx); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("before there is one: %v", err)
	}
	dir := t.TempDir()
	pub, err := gateway.CreateRecovery(dir, suite)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.CreateRecovery(dir, suite); !errors.Is(err, gateway.ErrExists) {
		t.Errorf("twice: %v", err)
	}
	if err := r.g.PublishRecovery(ctx, pub); err != nil {
		t.Fatal(err)
	}
	a.sync()
	b := r.enrolled()
	for name, doc := range map[string][]byte{"event": bodyOf[journal.Document](t, a.last(journal.EventRecovery)).Data, "grant": b.grant.Recovery} {
		got, _, err := vault.OpenCountyKey(suite, r.keys.Root.Public(), doc)
		if err != nil || !vault.Equal(got, pub) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{dir, filepath.Join(dir, "recovery.key")} {
		k, err := gateway.OpenRecovery(path, suite)
		if err != nil || !vault.Equal(k.Public(), pub) {
			t.Errorf("private half at %s: %v", filepath.Base(path), err)
		}
	}
	if _, err := gateway.OpenRecovery(t.TempDir(), suite); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("elsewhere: %v", err)
	}
	if _, _, err := r.g.RecoveryOf(ctx, []byte("no request")); !errors.Is(err, vault.ErrRecoveryText) {
		t.Errorf("garbage: %v", err)
	}
}
