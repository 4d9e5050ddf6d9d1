package window

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/device/camera"
	"bianmin/app/device/idcard"
	"bianmin/app/device/scanner"
	"bianmin/app/look"
	"bianmin/app/screen"
	"bianmin/app/vm"
	"bianmin/offline/ident"
)

// Devices are what may be connected to the machine. All but Wedge may be nil.
type Devices struct {
	// Ports lists the serial ports that a card reader may be at, with words for those that are no files.
	Ports func() []vm.Choice
	// OpenReader opens the reader at a port. Called off the UI goroutine, as are the next two.
	OpenReader func(port string) (idcard.Reader, error)
	// Cameras lists the cameras.
	Cameras func() []camera.Camera
	// CheckPhoto looks at a photo of a paper; nil: photos are taken as they are.
	CheckPhoto vm.PhotoCheck
	// Print says that the machine can read print, so that numbers on cards are compared.
	Print bool
	// Wedge says that a scanner types like a keyboard.
	Wedge bool
	// After calls fn on the UI goroutine after d, unless stopped; nil takes a timer.
	After func(d time.Duration, fn func()) (stop func())
	// Pace paces the preview of a camera; nil takes a ticker.
	Pace camera.Pace
}

// readTime is how long reading a card may take.
const readTime = 15 * time.Second

// devices gives the screens what is connected.
func (s *Shell) devices() {
	d := s.o.Devices
	if d == nil {
		return
	}
	if d.Pace == nil {
		d.Pace = camera.Ticker
	}
	if d.After == nil {
		d.After = func(wait time.Duration, fn func()) func() {
			t := time.AfterFunc(wait, func() { s.o.Post(fn) })
			return func() { t.Stop() }
		}
	}
	s.env.Devices = &screen.Devices{
		Reader: s.readerThere, ReadCard: s.readCard, Camera: func() bool { return s.camera() != "" }, TakePhoto: s.takePhoto,
		Scan: s.scanByCamera, Code: s.scanned, Second: s.second, Now: s.o.Clock.Now,
	}
}

// readerThere reports whether a reader is configured and its port is there.
func (s *Shell) readerThere() bool {
	port := s.keep.Reader
	if port == "" {
		return false
	}
	if _, err := os.Stat(port); err == nil {
		return true
	}
	if s.o.Devices.Ports == nil {
		return false
	}
	for _, c := range s.o.Devices.Ports() {
		if c.Value == port {
			return true
		}
	}
	return false
}

// readCard reads the card on the reader off the UI goroutine.
func (s *Shell) readCard(then func(idcard.Card, error)) {
	port, open := s.keep.Reader, s.o.Devices.OpenReader
	s.o.Work(func() {
		c, err := readCard(open, port)
		s.o.Post(func() { then(c, err) })
	})
}

func readCard(open func(string) (idcard.Reader, error), port string) (idcard.Card, error) {
	if open == nil || port == "" {
		return idcard.Card{}, idcard.ErrNoReader
	}
	r, err := open(port)
	if err != nil {
		return idcard.Card{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	c, err := r.Read(ctx)
	c.Photo, c.Finger = nil, nil // nobody has use for them
	if cerr := r.Close(); err == nil && cerr != nil {
		err = cerr
	}
	return c, err
}

// rareCard reads the card for the panel of rare characters: name and address, in today's code points where they are known.
func (s *Shell) rareCard(then func(texts []string, doubt string)) {
	s.readCard(func(c idcard.Card, err error) {
		if err != nil {
			then(nil, vm.Words(s, err))
			return
		}
		var doubts []string
		unknown := 0
		for _, o := range ident.OldChars(c.Name + c.Address) {
			if o.Standard == 0 {
				unknown++
			}
		}
		if unknown > 0 {
			doubts = append(doubts, s.T("idcard.private", "n", strconv.Itoa(unknown)))
		}
		if c.Broken > 0 {
			doubts = append(doubts, s.T("idcard.broken"))
		}
		then([]string{ident.Modern(c.Name), ident.Modern(c.Address)}, strings.Join(doubts, "\n"))
	})
}

// deviceSettings connects the part of the settings that is about devices.
func (s *Shell) deviceSettings(v *screen.Settings) {
	d := s.o.Devices
	if d == nil {
		return
	}
	m := vm.NewDevices(s, s.keep.Reader, s.keep.Camera, d.Print)
	card := v.AddDevices(m)
	card.OnPort = func(port string) {
		s.keep.Reader = port
		m.SetPort(port)
		s.keepSettings()
		v.Refresh()
	}
	card.OnCamera = func(id string) {
		s.keep.Camera = id
		m.SetCamera(id)
		s.keepSettings()
		v.Refresh()
	}
	card.OnTestReader = func() { s.testReader(m, v) }
	card.OnTestCamera = func() { s.showCamera(s.T("devices.cameraTest"), lookOnly, nil) }
	s.o.Work(func() {
		var ports, cameras []vm.Choice
		if d.Ports != nil {
			ports = d.Ports()
		}
		for _, c := range s.cameras() {
			cameras = append(cameras, vm.Choice{Value: c.ID(), Label: c.Name(), Note: c.ID()})
		}
		s.o.Post(func() {
			m.SetFound(ports, cameras)
			v.Refresh()
		})
	})
}

// testReader asks the reader for its state and reads a card, if one lies there.
func (s *Shell) testReader(m *vm.Devices, v *screen.Settings) {
	if !m.Begin() {
		return
	}
	v.Refresh()
	port, open := s.keep.Reader, s.o.Devices.OpenReader
	s.o.Work(func() {
		name, err := testReader(open, port)
		s.o.Post(func() {
			m.Done(name, err)
			v.Refresh()
		})
	})
}

func testReader(open func(string) (idcard.Reader, error), port string) (name string, err error) {
	if open == nil || port == "" {
		return "", idcard.ErrNoReader
	}
	r, err := open(port)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readTime)
	defer cancel()
	if err = r.Test(ctx); err == nil {
		if c, rerr := r.Read(ctx); rerr == nil { // no card is no fault of the reader
			name = c.Name
		}
	}
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return name, err
}

func (s *Shell) cameras() []camera.Camera {
	if s.o.Devices == nil || s.o.Devices.Cameras == nil {
		return nil
	}
	return s.o.Devices.Cameras()
}

// typist is the window itself as something that is typed into: what comes while nothing has the keyboard.
type typist struct{ s *Shell }

var _ look.Typist = typist{}

// Deliver implements [look.Typist].
func (t typist) Deliver(r rune) {
	t.s.search()
	switch f := t.s.win.Canvas().Focused().(type) {
	case nil:
	case look.Typist:
		f.Deliver(r)
	default:
		f.TypedRune(r)
	}
}

// Insert implements [look.Typist].
func (t typist) Insert(text string) {
	t.s.search()
	if f, ok := t.s.win.Canvas().Focused().(look.Typist); ok {
		f.Insert(text)
	}
}

// Mark implements [look.Typist].
func (t typist) Mark() func() { return func() {} }

// wedge tells scanners that type from persons, wherever the keyboard is.
func (s *Shell) wedge() {
	d := s.o.Devices
	if d == nil || !d.Wedge {
		return
	}
	w := scanner.NewWedge(scanner.Config{Now: s.o.Clock.Now, After: d.After, OnCode: s.scanned})
	look.SetOnTyped(func(t look.Typist, r rune) bool { return w.Rune(t, r) }, func(name fyne.KeyName) bool { return w.Key(string(name)) })
}

// scanned goes to where a code leads. A case that is being filled in is not left without asking.
func (s *Shell) scanned(text string) {
	s.touch()
	if s.session == nil {
		s.say("info", s.T("scan.login"))
		return
	}
	if s.sheet != nil {
		return // a question is open; the code can be scanned again
	}
	if _, ok := s.view.(*screen.Wizard); ok {
		why := s.T("scan.leaveText")
		if s.kiosk.public {
			why = s.T("selfservice.leaveText")
		}
		s.confirm(s.T("scan.leaveTitle"), why, s.T("scan.leave"), false, func() { s.follow(text) })
		return
	}
	s.follow(text)
}

func (s *Shell) follow(text string) {
	session, find := s.session, vm.Scan
	if s.kiosk.public {
		find = vm.ScanPublic
	}
	s.o.Work(func() {
		to := find(context.Background(), s, s.machine.Counter, session, text)
		s.o.Post(func() {
			if s.session != session {
				return // locked meanwhile
			}
			if to.To != (vm.Target{}) {
				s.Go(screen.Route{Page: screen.Page(to.To.Page), Arg: to.To.Arg})
			}
			if to.Text != "" {
				s.say(to.Kind, to.Text)
			}
		})
	})
}
