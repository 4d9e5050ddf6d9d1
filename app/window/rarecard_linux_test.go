package window

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"bianmin/app/device/idcard"
	"bianmin/app/input/rarepanel"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
)

// TestRareCharactersComeFromTheCard reads a card with the simulated reader, over its serial protocol, into the panel of rare
// characters, and from there into the field.
func TestRareCharactersComeFromTheCard(t *testing.T) {
	sim := &idcard.Sim{}
	var panel *rarepanel.Panel
	var held []func()
	hold := false
	gone := false
	p := newTypist(t, func(o *Options) {
		o.Devices = &Devices{
			Ports: func() []vm.Choice { return []vm.Choice{{Value: "test", Label: "测试端口"}} },
			OpenReader: func(string) (idcard.Reader, error) {
				if gone {
					return nil, idcard.ErrNoReader
				}
				line, port, err := idcard.OpenPTY()
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { line.Close() })
				go func() { _ = sim.Serve(line) }() // ends when the line does
				return idcard.Open(port, idcard.Config{})
			},
		}
		o.Rare = func(insert func(string), done func(), read rarepanel.Read) fyne.CanvasObject {
			panel = rarepanel.New(insert, done)
			if read != nil {
				panel.Card(read)
			}
			return panel
		}
		o.Work = func(fn func()) {
			if hold {
				held = append(held, fn)
				return
			}
			fn()
		}
	})
	// work does what the UI goroutine left to others.
	work := func() {
		t.Helper()
		for _, fn := range held {
			done := make(chan struct{})
			go func() { defer close(done); fn() }()
			<-done
		}
		held = nil
		p.settle()
	}
	open := func() {
		t.Helper()
		p.s.Go(screen.Route{Page: screen.PageHome})
		p.s.Go(screen.Route{Page: screen.PageWizard, Arg: "new:gaoling"})
		p.settle()
		p.touch(p.fields()[0])
		p.strike("rare")
	}
	found := func() string {
		var b strings.Builder
		for _, c := range panel.Found() {
			b.WriteRune(c.Rune)
		}
		return b.String()
	}
	p.enter("new:gaoling")
	open()
	if slices.Contains(strings.Split(p.texts(), "|"), look.Word("rare.tab.card")) {
		t.Error("no reader is chosen, and there is a tab for it")
	}
	p.s.Go(screen.Route{Page: screen.PageSettings})
	p.settle()
	p.tap("测试端口")
	open()
	p.tap(look.Word("rare.tab.card"))
	hold = true
	p.tap(look.Word("rare.card.read"))
	if len(held) != 1 {
		t.Fatalf("%d pieces of work are left to others", len(held))
	}
	p.sees(look.Word("rare.card.reading"))
	work()
	p.sees(p.s.T("idcard.noCard"))
	c := cardOf(t, "\U00020BB7田\uE854\uE000", "999999194102030021") // the third is an old code of U+9FBA, the last nobody's
	c.Address = "清河镇㙟心村3号"
	sim.Put(&c)
	p.tap(look.Word("rare.card.again"))
	work()
	if s := found(); s != "\U00020BB7\u9FBA㙟" {
		t.Errorf("the card gives %q", s)
	}
	p.sees(p.s.T("idcard.private", "n", "1"))
	p.tap("\U00020BB7")
	p.tap("\u9FBA")
	p.tap(look.Word("rare.close"))
	p.settle()
	if got := p.fields()[0].Text(); got != "\U00020BB7\u9FBA" {
		t.Errorf("the field has %q", got)
	}
	hold = false
	open()
	hold = true
	if found() != "" {
		t.Error("the card is remembered")
	}
	gone = true
	p.tap(look.Word("rare.tab.card"))
	p.tap(look.Word("rare.card.read"))
	work()
	p.sees(p.s.T("idcard.noReader"))
}
