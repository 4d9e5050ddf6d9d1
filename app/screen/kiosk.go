package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
)

// mostKioskServices is how many services have a tile of their own; the rest are behind 全部事项.
const mostKioskServices = 2

// Kiosk is the screen 自助: large tiles for a person who is alone with the machine.
type Kiosk struct {
	// OnLook and OnLang are called with the name of a look or a language to change to.
	OnLook, OnLang func(name string)
	// OnStaff is called by somebody who wants to leave self-service, with a PIN; OnScan by who has a receipt to scan.
	OnStaff, OnScan func()

	env  *Env
	vm   *vm.Services
	body *fyne.Container
	root fyne.CanvasObject
}

var _ View = (*Kiosk)(nil)

// NewKiosk builds the screen; m lists the services.
func NewKiosk(env *Env, m *vm.Services) *Kiosk {
	s := &Kiosk{env: env, vm: m, body: look.Arrange(&kioskLayout{upright: env.upright}, look.VStack(look.Gap0))}
	staff := look.QuietButton(env.T("kiosk.staff"), "key", func() {
		if s.OnStaff != nil {
			s.OnStaff()
		}
	})
	foot := look.Wrap(look.Gap1, append(lookButtons(env, &s.OnLook, &s.OnLang), staff)...)
	s.root = look.Page(nil, input.NewScroll(look.Column(s.body)),
		look.Layer(look.NewSurface(look.RoleSurface, look.RoleClear).Square(), look.Pad(look.Gap3, look.Gap1, foot)))
	s.Refresh()
	return s
}

// Show shows st.
func (s *Kiosk) Show(st vm.ServicesState) {
	t := s.env.T
	tiles := []fyne.CanvasObject{look.NewTile("service", t("kiosk.all"), t("kiosk.allNote"), func() { s.env.Go(Route{Page: PageServices}) })}
	for _, row := range st.Rows {
		if row.Terminal && len(tiles) <= mostKioskServices { // what is done at the counter only is among all of them
			tiles = append(tiles, look.NewTile("file", row.Name, row.Short, func() { s.env.Go(Route{PageGuide, row.ID}) }))
		}
	}
	tiles = append(tiles, look.NewTile("scan", t("selfservice.tile"), t("selfservice.tileNote"), func() { call(s.OnScan) }))
	now := look.Current()
	larger, word, note := now, t("login.larger"), t("kiosk.lookNote")
	larger.Elder = !now.Elder
	if now.Elder {
		word, note = t("login.standard"), t("kiosk.lookNoteBack")
	}
	tiles = append(tiles, look.NewTile("elder", word, note, func() {
		if s.OnLook != nil {
			s.OnLook(larger.String())
		}
	}), look.NewTile("speaker", t("speech.read"), t("kiosk.readNote"), func() {
		if s.env.ReadAloud != nil {
			s.env.ReadAloud()
		}
	}))
	head := look.VStack(look.GapH, look.PageTitle(t("kiosk.hello")), look.Body(t("kiosk.note")))
	s.body.Objects = append([]fyne.CanvasObject{head}, tiles...)
	s.body.Refresh()
}

// kioskLayout puts the tiles below the first object, three beside each other, or two on a screen that stands on end. They are
// as tall as the page has room for: a finger finds a large tile, and a page that is seen whole needs no turning.
type kioskLayout struct {
	upright func() bool // the screen stands on end
	width   float32
}

func (l *kioskLayout) columns(width float32) (n int, cell float32) {
	n = 3
	if l.upright() {
		n = 2
	}
	return n, (width - float32(n-1)*look.Gap2.Size()) / float32(n)
}

// least is the height that every tile has at least.
func (l *kioskLayout) least(o []fyne.CanvasObject, width float32) (tile float32, rows int) {
	n, cell := l.columns(width)
	tile = look.Measures().Touch * 2.6
	for _, t := range o[1:] {
		tile = max(tile, look.HeightFor(t, cell))
	}
	return tile, (len(o) - 1 + n - 1) / n
}

// HeightFor implements [look.FlowLayout].
func (l *kioskLayout) HeightFor(o []fyne.CanvasObject, width float32) float32 {
	tile, rows := l.least(o, width)
	return look.HeightFor(o[0], width) + look.Gap2.Size() + float32(rows)*tile + float32(max(rows-1, 0))*look.Gap2.Size()
}

// MinSize is called by Fyne.
func (l *kioskLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	w := look.Measures().Touch * 6
	return fyne.NewSize(w, l.HeightFor(o, max(l.width, w)))
}

// Layout is called by Fyne.
func (l *kioskLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	gap := look.Gap2.Size()
	top := look.HeightFor(o[0], size.Width)
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(size.Width, top))
	top += look.Gap2.Size()
	n, cell := l.columns(size.Width)
	tile, rows := l.least(o, size.Width)
	tile = max(tile, min((size.Height-top-float32(rows-1)*gap)/float32(max(rows, 1)), look.Measures().Touch*9))
	for i, t := range o[1:] {
		t.Move(fyne.NewPos(float32(i%n)*(cell+gap), top+float32(i/n)*(tile+gap)))
		t.Resize(fyne.NewSize(cell, tile))
	}
}

// Title is the page title.
func (s *Kiosk) Title() string { return s.env.T("kiosk.title") }

// Object is the screen.
func (s *Kiosk) Object() fyne.CanvasObject { return s.root }

// Refresh shows the newest services.
func (s *Kiosk) Refresh() {
	st, err := s.vm.State()
	if err != nil {
		s.env.Fail(err)
	}
	s.Show(st)
}

// Leave has nothing to save.
func (s *Kiosk) Leave() {}
