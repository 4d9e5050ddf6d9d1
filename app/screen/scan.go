package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/device/idcard"
	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// Scan is the screen on which a person who is alone with the machine finds their case: a receipt before the camera or the
// scanner, an ID card on the reader, or the receipt's number.
type Scan struct {
	env    *Env
	number *input.TextField
	read   *look.Button
	root   fyne.CanvasObject
}

var (
	_ View    = (*Scan)(nil)
	_ Primary = (*Scan)(nil)
)

// NewScan builds the screen.
func NewScan(env *Env) *Scan {
	s := &Scan{env: env}
	t := env.T
	say := t("selfservice.scanGun")
	var acts []fyne.CanvasObject
	if env.camera() {
		say = t("selfservice.scanCamera")
		acts = append(acts, large(look.NewButton(look.Primary, t("selfservice.camera"), "scan", func() { env.Devices.Scan() })))
	}
	s.read = look.NewButton(look.Secondary, t("selfservice.card"), "idcard", s.readCard)
	if env.reader() {
		acts = append(acts, large(s.read))
	}
	s.number = input.NewText(24)
	s.number.SetPurpose(input.Phone) // digits and the line between them
	s.number.SetOnEnter(s.look)
	find := look.NewButton(look.Secondary, t("selfservice.look"), "search", s.look)
	parts := []fyne.CanvasObject{look.Card(look.HStack(look.Gap3,
		look.NewIconSized("scan", look.RolePrimary, func(m look.Tokens) float32 { return m.TileIcon * 1.6 }),
		look.Grow(look.VStack(look.Gap1, look.PageTitle(t("selfservice.heading")), look.Title(say)))))}
	if len(acts) > 0 {
		parts = append(parts, look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.Body * 18 }, acts...))
	}
	parts = append(parts, look.Card(look.Title(t("selfservice.byNumber")),
		look.HStack(look.Gap2, look.Grow(s.number), find), look.Label(t("selfservice.numberHelp"))))
	s.root = look.Page(nil, input.NewScroll(look.Column(look.VStack(look.Gap3, parts...))),
		look.ActionBar([]fyne.CanvasObject{look.NewButton(look.Secondary, t("selfservice.home"), "home", func() { env.Go(Route{Page: PageKiosk}) })}))
	return s
}

// large makes a button as tall as two fingers.
func large(b *look.Button) fyne.CanvasObject {
	return look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Touch*2) }, b)
}

func (s *Scan) look() {
	if text := s.number.Text(); text != "" && s.env.Devices != nil {
		s.env.Devices.Code(text)
	}
}

// readCard shows the cases of whose card lies on the reader.
func (s *Scan) readCard() {
	s.read.Disable()
	s.env.Devices.ReadCard(func(card idcard.Card, err error) {
		s.read.Enable()
		if err != nil {
			s.env.Fail(err)
			return
		}
		s.env.Go(Route{PageProgress, vm.ByCard + card.Number})
	})
}

// Title is the page title.
func (s *Scan) Title() string { return s.env.T("selfservice.title") }

// Object is the screen.
func (s *Scan) Object() fyne.CanvasObject { return s.root }

// Refresh has nothing to read.
func (s *Scan) Refresh() {}

// Leave has nothing to save.
func (s *Scan) Leave() {}

// TapPrimary looks for what was typed, or opens the camera.
func (s *Scan) TapPrimary() {
	switch {
	case s.number.Text() != "":
		s.look()
	case s.env.camera():
		s.env.Devices.Scan()
	}
}
