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
	s := &Kiosk{env: env, vm: m, body: look.VStack(look.Gap3)}
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
	for i, tile := range tiles {
		tiles[i] = look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(0, m.Touch*4.5) }, tile)
	}
	replace(s.body, look.VStack(look.GapH, look.PageTitle(t("kiosk.hello")), look.Body(t("kiosk.note"))),
		look.Grid(look.Gap2, func(m look.Tokens) float32 { return m.TileIcon * 7 }, tiles...))
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
