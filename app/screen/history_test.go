package screen_test

import (
	"context"
	"testing"

	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
)

// repaired is a counter whose machine was repaired.
type repaired struct{ counter.Counter }

// Status implements counter.Counter.
func (c repaired) Status(ctx context.Context) (counter.Status, error) {
	st, err := c.Counter.Status(ctx)
	st.Former = []counter.Former{{Device: 17, To: 40, Last: 43, Into: 23, At: desktest.Day}}
	st.Recovered = &counter.Recovered{At: desktest.Day, From: 1, To: 40, MissingFrom: 41, MissingTo: 42, Drafts: 1}
	return st, err
}

// TestSyncTellsWhatWasRepaired: a new device number, and what could not be recovered, stand on the page Sync in words; a
// machine that nothing happened to has no such part.
func TestSyncTellsWhatWasRepaired(t *testing.T) {
	r := newCaseRig(t)
	r.fill()
	c := repaired{r.d.Counter()}
	v := screen.NewSync(r.env, vm.NewSync(r.words, c, r.s, r.m.Clock.Now, "https://a.example", func() {}))
	w := r.window(v, "sync")
	r.says(w, "本机的恢复情况", "设备号由17换成了23", "第41条至第43条的记录已转到新设备号", "第41条至第42条记录没有送达过平台", "有1份没有提交的草稿")
	w = r.window(screen.NewSync(r.env, vm.NewSync(r.words, r.d.Counter(), r.s, r.m.Clock.Now, "https://a.example", func() {})), "sync")
	r.silent(w, "本机的恢复情况")

	home := vm.NewHome(r.words, c, r.s, r.m.Clock.Now)
	if err := home.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, row := range home.State().Today {
		found = found || row.Word == r.words.T("home.history") && row.Count == 2 && row.To.Page == "sync"
	}
	if !found {
		t.Fatalf("the first page does not point at it: %+v", home.State().Today)
	}
}
