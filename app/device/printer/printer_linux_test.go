package printer_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bianmin/app/device/escpos"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/printer"
	"bianmin/assets/fonts"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

const link = "https://fw.example.gov.cn/r#0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// quick does not wait for the speed of paper.
var quick = printer.Options{Rows: 1 << 30, Poll: time.Millisecond, Answer: 5 * time.Second}

func sheet(t testing.TB, dots int) *paper.Sheet {
	t.Helper()
	face, err := paper.NewFace(fonts.Regular, nil)
	if err != nil {
		t.Fatal(err)
	}
	code, err := receipt.QR(link, receipt.LevelM)
	if err != nil {
		t.Fatal(err)
	}
	s, err := paper.Lay(receipt.SlipDoc(receipt.SlipText{
		Org: "柳树村便民服务站", Title: "收件回执", Lines: []receipt.SlipLine{{Label: "事项", Value: "高龄津贴"}, {Label: "申请人", Value: "刘*珍"}},
		Note: "本站已收下您的申请。", Scan: "手机扫码", Under: []receipt.SlipLine{{Label: "回执编号", Value: "7-1043-5"}},
	}, code), face, paper.StyleFor(dots))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sheetOf counts how often a sheet is asked for.
func sheetOf(s *paper.Sheet, n *int) func() (*paper.Sheet, error) {
	return func() (*paper.Sheet, error) { *n++; return s, nil }
}

// looks checks that a printed paper is the drawn one, dot for dot, and that zbarimg reads its code.
func looks(t *testing.T, got *image.Gray, want *paper.Sheet) {
	t.Helper()
	drawn, err := want.Raster()
	if err != nil {
		t.Fatal(err)
	}
	if got.Rect != drawn.Rect || string(got.Pix) != string(drawn.Pix) {
		t.Errorf("printed %v, drawn %v, and they differ", got.Rect, drawn.Rect)
	}
	file := filepath.Join(t.TempDir(), "paper.png")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, paper.Paper(got)), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("zbarimg", "-q", "--raw", file).Output()
	if err != nil || strings.TrimSpace(string(out)) != link {
		t.Errorf("zbarimg reads %q, %v", out, err)
	}
}

func noFaults(t *testing.T, p *fake.Printer) {
	t.Helper()
	for _, err := range p.Faults() {
		t.Errorf("the printer did not understand: %v", err)
	}
}

func open(t *testing.T, c printer.Config, o printer.Options) printer.Printer {
	t.Helper()
	c.Name = "前台"
	p, err := printer.Open(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A paper over every kind of line to a thermal printer, in both widths.
func TestThermal(t *testing.T) {
	for _, dots := range []int{paper.Dots58, paper.Dots80} {
		t.Run(fmt.Sprint("tcp ", dots), func(t *testing.T) {
			f := fake.New(dots)
			defer f.Close()
			addr, err := f.Listen()
			if err != nil {
				t.Fatal(err)
			}
			s, n := sheet(t, dots), 0
			p := open(t, printer.Config{Kind: printer.TCP, Address: addr, Dots: dots}, quick)
			for range 2 {
				if err := p.Print(t.Context(), sheetOf(s, &n)); err != nil {
					t.Fatal(err)
				}
			}
			papers := f.Wait(2)
			looks(t, papers[0], s)
			looks(t, papers[1], s)
			noFaults(t, f)
			if n != 2 || f.Asked() < 16 {
				t.Errorf("%d sheets, %d questions", n, f.Asked())
			}
		})
		t.Run(fmt.Sprint("serial ", dots), func(t *testing.T) {
			f := fake.New(dots)
			master, name := pty(t)
			f.Attach(master)
			s, n := sheet(t, dots), 0
			p := open(t, printer.Config{Kind: printer.Serial, Address: name, Dots: dots, Baud: 115200}, quick)
			if err := p.Print(t.Context(), sheetOf(s, &n)); err != nil {
				t.Fatal(err)
			}
			looks(t, f.Wait(1)[0], s)
			noFaults(t, f)
			f.Close()
		})
		t.Run(fmt.Sprint("file ", dots), func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "lp0")
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			s, n := sheet(t, dots), 0
			p := open(t, printer.Config{Kind: printer.File, Address: name, Dots: dots}, quick)
			if st, err := p.State(t.Context()); err != nil || !st.Mute {
				t.Errorf("state of a file: %+v, %v", st, err)
			}
			if err := p.Print(t.Context(), sheetOf(s, &n)); err != nil {
				t.Fatal(err)
			}
			f := fake.New(dots)
			defer f.Close()
			raw, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			f.Attach(raw)
			looks(t, f.Wait(1)[0], s)
			noFaults(t, f)
		})
	}
}

// pty returns the far end of a terminal, and the name of the near one.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	var nerr error
	if err := conn.Control(func(fd uintptr) {
		if nerr = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); nerr == nil {
			n, nerr = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || nerr != nil {
		t.Fatal(err, nerr)
	}
	name := fmt.Sprint("/dev/pts/", n)
	// Held open, so that the far end does not see a hang-up before the printer's line is opened.
	keep, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keep.Close() })
	return master, name
}

// A printer in trouble says so in words, before a sheet is even asked for.
func TestTrouble(t *testing.T) {
	f := fake.New(paper.Dots58)
	defer f.Close()
	addr, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, printer.Config{Kind: printer.TCP, Address: addr}, quick)
	for want, status := range map[string]escpos.Status{
		"print.paperOut": {PaperOut: true}, "print.coverOpen": {CoverOpen: true}, "print.offline": {Offline: true},
		"print.cutter": {Cutter: true}, "print.hot": {Hot: true}, "print.broken": {Broken: true},
	} {
		f.Set(status)
		n := 0
		err := p.Print(t.Context(), sheetOf(nil, &n))
		if key, _ := words.KeyOf(err); key != want || n != 0 || errors.Is(err, printer.ErrStarted) {
			t.Errorf("%+v: %v after %d sheets, want %s", status, err, n, want)
		}
		if st, err := p.State(t.Context()); err != nil || st.Trouble != want || st.Mute {
			t.Errorf("%+v: state %+v, %v", status, st, err)
		}
	}
	f.Set(escpos.Status{PaperLow: true})
	if st, err := p.State(t.Context()); err != nil || st.Trouble != "" || !st.Low {
		t.Errorf("low: %+v, %v", st, err)
	}
	if len(f.Papers()) != 0 {
		t.Error("something was printed")
	}
	noFaults(t, f)
}

// Paper that ends, or a cover that opens, in the middle of a sheet is noticed, and the error says that ink was used.
func TestTroubleInTheMiddle(t *testing.T) {
	f := fake.New(paper.Dots58)
	defer f.Close()
	addr, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	s, n := sheet(t, paper.Dots58), 0
	slow := quick
	slow.Rows = 10 // the printer is watched for as long as it takes to notice
	p := open(t, printer.Config{Kind: printer.TCP, Address: addr}, slow)
	f.PaperFor(300)
	err = p.Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.paperOut" || !errors.Is(err, printer.ErrStarted) || n != 1 {
		t.Fatalf("%v after %d sheets", err, n)
	}
	if len(f.Papers()) != 0 {
		t.Error("a paper came out whole")
	}
	f.Set(escpos.Status{}) // a new roll
	if err := open(t, printer.Config{Kind: printer.TCP, Address: addr}, quick).Print(t.Context(), sheetOf(s, &n)); err != nil {
		t.Fatal(err)
	}
	strip := f.Wait(1)[0] // the torn beginning, and under it the whole
	top := strip.Rect.Dy() - s.Height
	if top < 0 {
		t.Fatalf("a strip of %d rows", strip.Rect.Dy())
	}
	whole := image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	copy(whole.Pix, strip.Pix[top*strip.Stride:])
	looks(t, whole, s)
	noFaults(t, f)
}

// A printer that says nothing is printed on all the same; one that is not there is not.
func TestMuteAndMissing(t *testing.T) {
	f := fake.New(paper.Dots58)
	defer f.Close()
	addr, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	f.Mute(true)
	s, n := sheet(t, paper.Dots58), 0
	brief := quick
	brief.Answer = 10 * time.Millisecond
	p := open(t, printer.Config{Kind: printer.TCP, Address: addr}, brief)
	if err := p.Print(t.Context(), sheetOf(s, &n)); err != nil {
		t.Fatal(err)
	}
	looks(t, f.Wait(1)[0], s)
	for want, c := range map[string]printer.Config{
		"print.unplugged":   {Kind: printer.File, Address: filepath.Join(t.TempDir(), "lp9")},
		"print.unreachable": {Kind: printer.TCP, Address: "127.0.0.1:1"},
	} {
		n := 0
		err := open(t, c, quick).Print(t.Context(), sheetOf(s, &n))
		if key, _ := words.KeyOf(err); key != want || n != 0 {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := open(t, printer.Config{Kind: printer.Serial, Address: "/dev/ttyNone9"}, quick).State(t.Context()); err == nil {
		t.Error("a serial line that is not there")
	}
	dir := open(t, printer.Config{Kind: printer.File, Address: t.TempDir()}, quick)
	if _, err := dir.State(t.Context()); err == nil {
		t.Error("a folder is a printer")
	}
}

// A printer in the network that loses its power in the middle of a paper tells nobody; what was sent lies in the machine's own
// memory. A printer that has answered before and is silent now has not printed.
func TestPowerLostInTheMiddle(t *testing.T) {
	f := fake.New(paper.Dots58)
	defer f.Close()
	addr, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	o := quick
	o.Answer, o.Write = 50*time.Millisecond, 200*time.Millisecond
	s, n := sheet(t, paper.Dots58), 0
	p := open(t, printer.Config{Kind: printer.TCP, Address: addr}, o)
	f.Unplug(300)
	err = p.Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.silent" || !errors.Is(err, printer.ErrStarted) || len(f.Papers()) != 0 {
		t.Errorf("%v, %d papers", err, len(f.Papers()))
	}
}

// A printer that takes nothing any more is asked why; printing ends with ctx.
func TestStuck(t *testing.T) {
	master, name := pty(t) // nobody reads it
	defer master.Close()
	o := quick
	o.Answer, o.Write = 20*time.Millisecond, 50*time.Millisecond
	s, n := sheet(t, paper.Dots58), 0
	err := open(t, printer.Config{Kind: printer.Serial, Address: name, Baud: 115200}, o).Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.stuck" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := fake.New(paper.Dots58)
	defer f.Close()
	addr, err := f.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, printer.Config{Kind: printer.TCP, Address: addr}, quick).Print(ctx, sheetOf(s, &n)); err == nil {
		t.Error("printed after the end")
	}
}

// The simulator refuses what no test may let through: text, other commands, pictures wider than the paper.
func TestTheSimulatorIsStrict(t *testing.T) {
	for _, data := range []string{"hello\n", "\x1b!\x00", "\x1dv1\x00\x01\x00\x01\x00x", "\x1dv0\x00\x31\x00\x01\x00", "\x1dV\x00", "\x1c&", "\x10\x05\x01"} {
		f := fake.New(paper.Dots58)
		name := filepath.Join(t.TempDir(), "bytes")
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		raw, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Attach(raw)
		f.Drain()
		if len(f.Faults()) == 0 {
			t.Errorf("%q was understood", data)
		}
		f.Close()
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		in   printer.Config
		want string // address, or key of the error
	}{
		{printer.Config{Name: "a", Kind: printer.TCP, Address: " 192.168.1.9 "}, "192.168.1.9:9100"},
		{printer.Config{Name: "a", Kind: printer.TCP, Address: "printer:9101"}, "printer:9101"},
		{printer.Config{Name: "a", Kind: printer.TCP, Address: "[::1]"}, "[::1]:9100"},
		{printer.Config{Name: "a", Kind: printer.TCP}, "print.badAddress.tcp"},
		{printer.Config{Name: "a", Kind: printer.File}, "print.badAddress.file"},
		{printer.Config{Name: "a", Kind: printer.Office, Address: "http://x/y"}, "print.badAddress.ipp"},
		{printer.Config{Name: "a", Kind: printer.Office, Address: "ipp://x/printers/y"}, "ipp://x/printers/y"},
		{printer.Config{Name: " ", Kind: printer.File, Address: "/dev/usb/lp0"}, "print.badName"},
		{printer.Config{Name: "a", Kind: "fax", Address: "1"}, "print.badKind"},
	} {
		got, err := c.in.Check()
		key, _ := words.KeyOf(err)
		if err == nil && got.Address != c.want || err != nil && key != c.want {
			t.Errorf("%+v: %+v, %v", c.in, got, err)
		}
	}
}

func TestBook(t *testing.T) {
	dir := t.TempDir()
	b, err := printer.OpenBook(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.First(); ok {
		t.Error("a printer from nowhere")
	}
	one, err := b.Put(printer.Config{Name: "前台", Kind: printer.TCP, Address: "h"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.Put(printer.Config{Name: "办公室", Kind: printer.Office, Address: "ipp://h/p"})
	if err != nil || two.ID == one.ID || two.Dots != paper.DotsA4 {
		t.Fatal(two, err)
	}
	if err := b.SetFirst(two.ID); err != nil {
		t.Fatal(err)
	}
	one.Dots = paper.Dots80
	if _, err := b.Put(one); err != nil {
		t.Fatal(err)
	}
	b, err = printer.OpenBook(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := b.First(); f.ID != two.ID || len(b.List()) != 2 || b.List()[0].Dots != paper.Dots80 {
		t.Errorf("%+v", b.List())
	}
	if err := b.Remove(two.ID); err != nil {
		t.Fatal(err)
	}
	if f, _ := b.First(); f.ID != one.ID {
		t.Errorf("%+v", f)
	}
	if c, err := b.Put(two); err != nil || c.ID == two.ID { // an id is not given twice
		t.Errorf("%+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "printers.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := printer.OpenBook(dir); err == nil {
		t.Error("a broken file was read")
	}
}
