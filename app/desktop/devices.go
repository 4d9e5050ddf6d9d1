package desktop

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.bug.st/serial"

	"bianmin/app/demo"
	"bianmin/app/device/camera"
	"bianmin/app/device/idcard"
	"bianmin/app/device/photocheck"
	"bianmin/app/vm"
	"bianmin/app/window"
	"bianmin/offline/ident"
)

// Environment variables that name devices for a machine without them: tests and demonstrations.
const (
	cameraFolder = "BIANMIN_CAMERA_FOLDER" // a folder with pictures, seen one after the other
)

// simulated is the port of the reader in software, which the sample county has.
const simulated = "simulated"

// devices are what the machine has: serial ports, cameras, a program that reads print, a scanner that types.
func (p *Program) devices() *window.Devices {
	ocr := photocheck.OCR{}
	d := &window.Devices{
		Ports: p.ports, OpenReader: p.openReader, Cameras: p.cameras, Print: ocr.Present(), Wedge: true,
		CheckPhoto: func(ctx context.Context, data []byte, paper photocheck.Paper) []photocheck.Fault {
			return photocheck.Judge(ctx, data, paper, ocr)
		},
	}
	return d
}

func (p *Program) ports() []vm.Choice {
	var out []vm.Choice
	if p.County != nil && runtime.GOOS == "linux" {
		out = append(out, vm.Choice{
			Value: simulated, Label: p.Env.Texts.T(p.Env.Lang, "devices.sim", nil), Note: p.Env.Texts.T(p.Env.Lang, "devices.simNote", nil),
		})
	}
	names, err := serial.GetPortsList()
	if err != nil {
		p.Env.Log.Warn("list serial ports", slog.Any("cause", err))
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, vm.Choice{Value: name, Label: filepath.Base(name), Note: byID(name)})
	}
	return out
}

// byID returns what the device at a port calls itself; "" where that is not known.
func byID(port string) string {
	links, err := filepath.Glob("/dev/serial/by-id/*")
	if err != nil {
		return "" // the pattern is well formed
	}
	for _, link := range links {
		if to, err := filepath.EvalSymlinks(link); err == nil && to == port {
			return filepath.Base(link)
		}
	}
	return ""
}

// cameras are those of the machine; in the sample county one in software, too, that sees sample papers.
func (p *Program) cameras() []camera.Camera {
	out := camera.Devices()
	if dir := os.Getenv(cameraFolder); dir != "" {
		out = append(out, &camera.Files{Dir: dir})
	}
	if p.County != nil {
		dir := filepath.Join(p.Dir, "county", "papers")
		if err := demo.Papers(dir); err != nil {
			p.Env.Log.Warn("sample papers", slog.Any("cause", err))
			return out
		}
		out = append(out, &camera.Files{Dir: dir, As: p.Env.Texts.T(p.Env.Lang, "devices.simCamera", nil)})
	}
	return out
}

func (p *Program) openReader(port string) (idcard.Reader, error) {
	if port == simulated && p.County != nil {
		return p.sim.open()
	}
	return idcard.Open(port, idcard.Config{})
}

// simReader is the sample county's card reader: the simulator on a serial line of its own, with another card each time.
type simReader struct {
	mu   sync.Mutex // guards next
	next int
}

// open starts a simulator that ends when its reader is closed.
func (s *simReader) open() (idcard.Reader, error) {
	cards := SampleCards()
	s.mu.Lock()
	card := cards[s.next%len(cards)]
	s.next++
	s.mu.Unlock()
	line, port, err := idcard.OpenPTY()
	if err != nil {
		return nil, err
	}
	sim := &idcard.Sim{}
	sim.Put(&card)
	r, err := idcard.Open(port, idcard.Config{})
	if err != nil {
		return nil, errors.Join(err, line.Close())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = sim.Serve(line) // ends when the reader's end is closed
	}()
	return &simulatedReader{r, line, done}, nil
}

type simulatedReader struct {
	*idcard.Serial
	line *os.File
	done chan struct{}
}

// Close ends the reader and its line.
func (r *simulatedReader) Close() error {
	err := r.Serial.Close()
	<-r.done
	return errors.Join(err, r.line.Close())
}

// SampleCards are the ID cards of the sample county's reader: somebody of the roster, names with rare characters, a name that
// is longer than its place on the card, a card that has expired. The persons are invented.
func SampleCards() []idcard.Card {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	number := func(birth time.Time, seq int) string {
		n, err := ident.MakeID("999999", birth, seq)
		if err != nil {
			panic(err) // the division is right and seq below 1,000
		}
		return n
	}
	card := func(name, sex, nation string, birth time.Time, seq int, address string) idcard.Card {
		return idcard.Card{
			Kind: idcard.Resident, Name: name, Sex: sex, Nation: nation, Birth: birth, Address: address, Number: number(birth, seq),
			Issuer: "示范县公安局", From: day(2012, 5, 1),
		}
	}
	old := card("王秀兰", "F", "01", day(1943, 6, 7), 24, "示范省示范市示范县清河镇柳树村4组8号")
	old.Until = day(2022, 5, 1)
	return []idcard.Card{
		card("刘玉珍", "F", "01", day(1941, 2, 3), 2, "示范省示范市示范县清河镇柳树村1组3号"),
		card("\U00020BB7田\U0002A700", "M", "01", day(1942, 9, 9), 31, "示范省示范市示范县清河镇柳树村2组6号"),
		card("陈\U000242EE", "F", "01", day(1944, 4, 18), 62, "示范省示范市示范县清河镇柳树村5组11号"),
		card("阿卜杜热西提·阿卜杜外力·伊力哈木江·吐尔逊托合提", "M", "05", day(1940, 11, 20), 47, "示范省示范市示范县清河镇柳树村7组2号"),
		old,
	}
}
