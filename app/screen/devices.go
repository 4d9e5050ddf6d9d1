package screen

import (
	"time"

	"fyne.io/fyne/v2"

	"bianmin/app/device/idcard"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Devices are what is connected to the machine, as screens use it. All functions are called on the UI goroutine.
type Devices struct {
	// Reader reports whether a card reader is chosen and there.
	Reader func() bool
	// ReadCard reads the card on the reader.
	ReadCard func(then func(idcard.Card, error))
	// Camera reports whether a camera is chosen.
	Camera func() bool
	// TakePhoto lets the clerk take a picture; then is not called on cancel.
	TakePhoto func(title string, then func(name string, data []byte))
	// Scan reads a code that is held before the camera, and goes to where it leads.
	Scan func()
	// Code goes to where a code leads.
	Code func(text string)
	// Second asks one of who for a PIN. try runs off the UI goroutine; done follows when it succeeded.
	Second func(title, text string, who []vm.Choice, try func(operator, pin string) error, done func())
	Now    func() time.Time
}

// reader reports whether a card may be read now.
func (e *Env) reader() bool { return e.Devices != nil && e.Devices.Reader() }

// camera reports whether a picture may be taken now.
func (e *Env) camera() bool { return e.Devices != nil && e.Devices.Camera() }

// DeviceCard is the part of the settings that is about devices.
type DeviceCard struct {
	// OnPort and OnCamera are called with the value of the choice that was tapped; "" is none.
	OnPort, OnCamera func(value string)
	// OnTestReader and OnTestCamera are called to try the device in use.
	OnTestReader, OnTestCamera func()

	env     *Env
	vm      *vm.Devices
	ports   *fyne.Container
	cameras *fyne.Container
	reader  *look.Button
	camera  *look.Button
	note    *look.Banner
	about   *look.Text
	shown   []vm.Choice
}

// AddDevices adds the part about devices to the settings.
func (s *Settings) AddDevices(m *vm.Devices) *DeviceCard {
	t := s.env.T
	d := &DeviceCard{env: s.env, vm: m, ports: look.VStack(look.Gap0), cameras: look.VStack(look.Gap0), about: look.Label("")}
	d.reader = look.NewButton(look.Secondary, t("devices.testReader"), "idcard", func() { call(d.OnTestReader) })
	d.camera = look.NewButton(look.Secondary, t("devices.testCamera"), "camera", func() { call(d.OnTestCamera) })
	d.note = look.NewBanner(look.StateInfo, "", "")
	card := look.Card(look.Title(t("devices.reader")), look.Label(t("devices.readerHelp")), d.ports, look.Wrap(look.Gap2, d.reader), d.note, look.Line(),
		look.Title(t("devices.camera")), look.Label(t("devices.cameraHelp")), d.cameras, look.Wrap(look.Gap2, d.camera), d.about, look.Line(),
		look.Title(t("devices.scanner")), look.Label(t("devices.scannerHelp")))
	at := len(s.body.Objects) - 1 // before what the program is
	s.body.Objects = append(s.body.Objects[:at:at], card, s.body.Objects[at])
	s.devices = d
	d.show()
	return d
}

func call(fn func()) {
	if fn != nil {
		fn()
	}
}

// show shows the newest state.
func (d *DeviceCard) show() {
	st := d.vm.State()
	all := append(append([]vm.Choice{}, st.Ports...), st.Cameras...)
	same := len(all) == len(d.shown)
	for i := range all {
		same = same && all[i] == d.shown[i]
	}
	if !same {
		d.shown = all
		replace(d.ports, d.choices(st.Ports, &d.OnPort))
		replace(d.cameras, d.choices(st.Cameras, &d.OnCamera))
	}
	setEnabled(d.reader, st.TestReader)
	setEnabled(d.camera, st.TestCamera)
	d.note.Hidden = st.Note == ""
	d.note.Set(stateOf(st.NoteKind), "", st.Note)
	d.about.SetText(st.About)
}

func (d *DeviceCard) choices(all []vm.Choice, fn *func(string)) fyne.CanvasObject {
	cards := make([]fyne.CanvasObject, len(all))
	for i, c := range all {
		mark := look.NewIcon("check", look.RolePrimary)
		mark.Hidden = !c.On
		lines := []fyne.CanvasObject{look.Strong(c.Label)}
		if c.Note != "" {
			lines = append(lines, look.Label(c.Note))
		}
		card := look.NewPressable(look.Pad(look.Gap2, look.Gap2, look.HStack(look.Gap1, look.Grow(look.VStack(look.GapH, lines...)), mark)), func() {
			if *fn != nil {
				(*fn)(c.Value)
			}
		})
		card.SetSelected(c.On)
		cards[i] = card
	}
	return look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 13 }, cards...)
}

// cardReader is the part of a step on which a card may be read: the button, and what came of it.
type cardReader struct {
	look.Composite
	w      *Wizard
	read   *look.Button
	help   *look.Text
	row    *fyne.Container
	notice *look.Banner
}

func newCardReader(w *Wizard) *cardReader {
	c := &cardReader{w: w, help: look.Label(""), notice: look.NewBanner(look.StateSuccess, "", "")}
	c.read = look.NewButton(look.Secondary, "", "idcard", w.readCard)
	c.row = look.HStack(look.Gap2, c.read, look.Grow(c.help))
	c.Compose(c, look.VStack(look.Gap1, c.row, c.notice))
	c.Hide()
	return c
}

// show reports whether the height may differ.
func (c *cardReader) show(s vm.WizardState) bool {
	t := c.w.env.T
	there := s.MayRead && c.w.env.reader()
	was, row, noted := c.Hidden, c.row.Hidden, c.notice.Hidden
	c.row.Hidden = !there
	c.Hidden = !there && s.Card == nil
	c.read.SetText(t("idcard.button"))
	c.help.SetText(t("idcard.help"))
	changed := showNotice(c.notice, s.Card)
	return changed || was != c.Hidden || row != c.row.Hidden || noted != c.notice.Hidden || s.Card != nil
}

// readCard reads the card on the reader into the step.
func (w *Wizard) readCard() {
	if w.busy || !w.env.reader() {
		return
	}
	w.unfocus()
	w.busy = true
	w.waits.SetText(w.env.T("idcard.reading"))
	w.waiting.Show()
	speak(w.env, w.env.T("speech.insertCard"))
	w.env.Devices.ReadCard(func(card idcard.Card, err error) {
		w.busy = false
		w.waiting.Hide()
		if w.released {
			return
		}
		if err != nil {
			w.vm.CardFault(err)
		} else {
			w.vm.TakeCard(card, w.env.Devices.Now())
			speak(w.env, w.env.T("speech.takeCard"))
		}
		w.update()
		w.save()
		w.scroll.Reveal(w.cards)
	})
}

// photoNote is what is wrong with a material's photos, and what can be done about it.
type photoNote struct {
	look.Composite
	banner *look.Banner
	whole  *look.Button
	waive  *look.Button
	row    *fyne.Container
	waived *look.StatusDot
}

func newPhotoNote(m *materialView) *photoNote {
	p := &photoNote{banner: look.NewBanner(look.StateWarning, "", ""), waived: look.NewStatusDot(look.StateWarning, "")}
	p.whole = look.NewButton(look.Secondary, "", "check", func() {
		m.w.vm.OnOnePage(m.line.Path)
		m.w.update()
	})
	p.waive = look.NewButton(look.Secondary, "", "people", m.waive)
	p.row = look.Wrap(look.Gap1, p.whole, p.waive)
	p.Compose(p, look.VStack(look.Gap1, p.banner, p.row, p.waived))
	return p
}

func (p *photoNote) show(t func(string, ...string) string, l vm.WizardLine, may bool) {
	p.banner.Set(look.StateWarning, t("photo.title"), l.Faults)
	p.banner.Hidden = l.Faults == ""
	p.whole.SetText(t("photo.onePage"))
	p.whole.Hidden = !l.OnePage
	p.waive.SetText(t("photo.waive"))
	p.waive.Hidden = !may
	p.row.Hidden = l.Faults == ""
	p.waived.Set(look.StateWarning, l.Waived)
	p.waived.Hidden = l.Waived == ""
	p.Hidden = l.Faults == "" && l.Waived == ""
}
