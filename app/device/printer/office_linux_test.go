package printer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bianmin/app/device/printer"
	"bianmin/offline/paper"
	"bianmin/offline/words"
)

// busConfig is a message bus of the test's own: ippeveprinter announces itself over one, and there need be none on the machine.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// ippPrinter is CUPS' simulated printer at a port of its own.
type ippPrinter struct {
	port  int
	spool string
}

func startIPP(t *testing.T, args ...string) ippPrinter {
	t.Helper()
	for _, name := range []string{"ippeveprinter", "dbus-daemon"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("this test needs %s (apt-get install cups-ipp-utils dbus-daemon)", name)
		}
	}
	dir, err := os.MkdirTemp("", "ipp") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	bus := filepath.Join(dir, "bus")
	config := bus + ".conf"
	if err := os.WriteFile(config, []byte(fmt.Sprintf(busConfig, bus)), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+bus)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
			_ = cmd.Wait() // it was killed
		})
	}
	run("dbus-daemon", "--config-file="+config, "--nofork")
	until(t, "the bus", func() bool { _, err := os.Stat(bus); return err == nil })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := ippPrinter{port: l.Addr().(*net.TCPAddr).Port, spool: filepath.Join(dir, "spool")}
	if err := errors.Join(l.Close(), os.Mkdir(p.spool, 0o700)); err != nil {
		t.Fatal(err)
	}
	run("ippeveprinter", append([]string{"-p", fmt.Sprint(p.port), "-n", "localhost", "-d", p.spool, "-k", "-r", "off"}, append(args, "Office")...)...)
	until(t, "the printer", func() bool {
		c, err := net.Dial("tcp", fmt.Sprint("localhost:", p.port))
		if err != nil {
			return false
		}
		return c.Close() == nil
	})
	return p
}

// until waits for another program.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func (p ippPrinter) config() printer.Config {
	return printer.Config{Kind: printer.Office, Address: fmt.Sprintf("ipp://localhost:%d/ipp/print", p.port)}
}

// form sets what the printer has in it, as a hand would.
func (p ippPrinter) form(t *testing.T, page string) {
	t.Helper()
	resp, err := http.Get(fmt.Sprintf("http://localhost:%d/%s", p.port, page))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil { // the printer takes it in while it writes the page
		t.Fatal(err)
	}
}

func (p ippPrinter) printed(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(p.spool, "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A receipt at an office printer: it arrives as PDF with its text; without paper the printer says so, and nothing is sent.
func TestOffice(t *testing.T) {
	p := startIPP(t, "-f", "application/pdf", "-c", "/bin/true")
	o := quick
	o.Done = time.Minute
	dev := open(t, p.config(), o)
	if st, err := dev.State(t.Context()); err != nil || st.Trouble != "" || st.Mute {
		t.Fatalf("%+v, %v", st, err)
	}
	s, n := sheet(t, paper.DotsA4), 0
	if err := dev.Print(t.Context(), sheetOf(s, &n)); err != nil {
		t.Fatal(err)
	}
	files := p.printed(t)
	if len(files) != 1 || n != 1 {
		t.Fatalf("%v, %d sheets", files, n)
	}
	text, err := exec.Command("pdftotext", files[0], "-").Output()
	if err != nil || !bytes.Contains(text, []byte("收件回执")) || !bytes.Contains(text, []byte("7-1043-5")) {
		t.Errorf("%s, %v", text, err)
	}
	p.form(t, "media?size1=&size3=")
	if st, err := dev.State(t.Context()); err != nil || st.Trouble != "print.paperOut" {
		t.Errorf("without paper: %+v, %v", st, err)
	}
	err = dev.Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.paperOut" || n != 1 || errors.Is(err, printer.ErrStarted) {
		t.Errorf("without paper: %v after %d sheets", err, n)
	}
	if len(p.printed(t)) != 1 {
		t.Error("something was sent")
	}
}

// What an office printer may refuse, in words.
func TestOfficeRefuses(t *testing.T) {
	s, n := sheet(t, paper.DotsA4), 0
	broken := startIPP(t, "-f", "application/pdf", "-c", "/bin/false")
	err := open(t, broken.config(), quick).Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.aborted" || !errors.Is(err, printer.ErrStarted) {
		t.Errorf("a job that fails: %v", err)
	}
	c := broken.config()
	c.Address = strings.Replace(c.Address, "/ipp/print", "/printers/none", 1)
	if _, err := open(t, c, quick).State(t.Context()); err == nil {
		t.Error("a queue that is not there")
	}
	raster := startIPP(t, "-f", "image/pwg-raster", "-c", "/bin/true")
	n = 0
	err = open(t, raster.config(), quick).Print(t.Context(), sheetOf(s, &n))
	if key, _ := words.KeyOf(err); key != "print.noPDF" || n != 0 {
		t.Errorf("a printer without PDF: %v", err)
	}
	notIPP, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.NotFoundHandler()}
	go web.Serve(notIPP)
	defer web.Close()
	c.Address = "ipp://" + notIPP.Addr().String() + "/ipp/print"
	_, err = open(t, c, quick).State(t.Context())
	if key, _ := words.KeyOf(err); key != "print.noIPP" {
		t.Errorf("a web server: %v", err)
	}
}
