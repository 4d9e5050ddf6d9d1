package screen

import (
	"context"
	"image"

	"fyne.io/fyne/v2"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/form"
)

// pickable file names; what a file really is, its content tells.
var materialFiles = []string{".jpg", ".jpeg", ".png", ".pdf"}

// thumbEdge is the size of a small picture, in pixels.
const thumbEdge = 320

// materialView is the card of one material: whether it is needed, its files, and what is wrong with the last one.
type materialView struct {
	look.Composite
	w     *Wizard
	line  vm.WizardLine
	title *look.Text
	need  *look.Badge
	help  *look.Text
	files *fyne.Container
	fault *fyne.Container
	why   *look.Text
	photo *photoNote
	cards []*input.PhotoCard
	empty *input.PhotoCard
}

func newMaterialView(w *Wizard, l vm.WizardLine) *materialView {
	m := &materialView{
		w: w, title: look.Strong(""), need: look.NewBadge(look.StateNone, ""), help: look.Label(""),
		files: look.VStack(look.Gap2), why: look.NewText("", look.StyleBody, look.RoleDanger),
	}
	m.fault = look.HStackTop(look.GapH, look.NewIcon("danger", look.RoleDanger), look.Grow(m.why))
	m.photo = newPhotoNote(m)
	m.Compose(m, look.Layer(look.NewSurface(look.RoleBackground, look.RoleBorder), look.Pad(look.Gap2, look.Gap2, look.VStack(look.Gap2,
		look.VStack(look.GapH, look.HStack(look.Gap2, look.Grow(m.title), m.need), m.help), m.fault, m.files, m.photo))))
	m.show(l)
	return m
}

func (m *materialView) show(l vm.WizardLine) {
	fresh := m.line.Path == "" || m.line.Files != l.Files || m.line.Can != l.Can || m.line.Fixed != l.Fixed
	m.line = l
	m.title.SetText(l.Label)
	m.help.SetText(l.Help)
	m.help.Hidden = l.Help == ""
	switch {
	case l.Value != "0":
		m.need.Set(look.StateSuccess, m.w.env.T("wizard.added", "n", l.Value))
	case l.Required:
		m.need.Set(look.StateInfo, l.Mark)
	default:
		m.need.Set(look.StateNone, l.Mark)
	}
	m.why.SetText(l.Error)
	m.fault.Hidden = l.Error == ""
	m.photo.show(m.w.env.T, l, m.w.env.Devices != nil)
	if fresh {
		m.showFiles()
	}
	m.Refresh()
}

func (m *materialView) showFiles() {
	m.cards, m.empty, m.files.Objects = nil, nil, nil
	for i, f := range m.w.vm.Files(m.line.Path) {
		card := input.NewPhotoCard(m.w.env.camera())
		m.takes(card, i)
		card.OnRemove = func() { m.remove(i, f.Name) }
		card.SetPhoto(m.w.thumbs[f.ID], f.Name, f.Note)
		card.SetReadOnly(m.line.Fixed)
		m.cards = append(m.cards, card)
		m.files.Objects = append(m.files.Objects, card)
		m.thumbnail(card, f)
	}
	switch {
	case len(m.cards) == 0 && m.line.Can:
		m.empty = input.NewPhotoCard(m.w.env.camera())
		m.takes(m.empty, -1)
		m.empty.Refresh()
		m.files.Objects = append(m.files.Objects, m.empty)
	case m.line.Can:
		more := look.Wrap(look.Gap1)
		if m.w.env.camera() {
			more.Objects = append(more.Objects, look.NewButton(look.Secondary, m.w.env.T("wizard.addPhoto"), "camera", func() { m.takePhoto(-1) }))
		}
		if !m.w.env.public() {
			more.Objects = append(more.Objects, look.NewButton(look.Secondary, m.w.env.T("wizard.addFile"), "plus", func() { m.pick(-1) }))
		}
		m.files.Objects = append(m.files.Objects, more)
	}
	if m.line.Can && m.w.env.public() && !m.w.env.camera() {
		m.files.Objects = append(m.files.Objects, look.Label(m.w.env.T("selfservice.noCamera")))
	}
}

// takes says what a card's buttons do for file index, which is negative for none yet. Who is alone with the machine has its
// camera and none of its files.
func (m *materialView) takes(card *input.PhotoCard, index int) {
	card.OnTake = func() { m.takePhoto(index) }
	if !m.w.env.public() {
		card.OnAdd = func() { m.pick(index) }
	}
}

// thumbnail shows the small picture of a file, made off the UI goroutine once.
func (m *materialView) thumbnail(card *input.PhotoCard, f vm.WizardFile) {
	if !f.Picture || m.w.thumbs[f.ID] != nil {
		return
	}
	w := m.w
	w.env.Work(func() {
		var small image.Image
		raw, err := w.vm.OpenFile(context.Background(), f)
		if err == nil {
			small, err = input.Thumbnail(raw, thumbEdge)
		}
		w.env.Post(func() {
			if err != nil {
				card.SetBroken(f.Name)
				return
			}
			w.thumbs[f.ID] = small
			card.SetPhoto(small, f.Name, f.Note)
		})
	})
}

// pick asks for a file and adds it, in place of file index unless that is negative.
func (m *materialView) pick(index int) {
	w, path := m.w, m.line.Path
	if w.busy {
		return
	}
	w.env.PickFile(materialFiles, func(name string, data []byte) { m.add(path, index, name, data, false) })
}

// takePhoto takes a picture and adds it, in place of file index unless that is negative.
func (m *materialView) takePhoto(index int) {
	w, path := m.w, m.line.Path
	if w.busy || !w.env.camera() {
		return
	}
	w.env.Devices.TakePhoto(m.line.Label, func(name string, data []byte) { m.add(path, index, name, data, true) })
}

func (m *materialView) add(path form.Path, index int, name string, data []byte, camera bool) {
	w := m.w
	w.work("wizard.attaching", func() error {
		// What is wrong with the file stands in words on the card.
		if index < 0 {
			_ = w.vm.AttachPhoto(context.Background(), path, data, name, camera)
		} else {
			_ = w.vm.Replace(context.Background(), path, index, data, name, camera)
		}
		return nil
	}, w.update)
}

// waive asks a second operator to take the material in despite its faults.
func (m *materialView) waive() {
	w, path := m.w, m.line.Path
	if w.busy || w.env.Devices == nil {
		return
	}
	w.env.Devices.Second(w.env.T("photo.waiveTitle"), w.env.T("photo.waiveText", "label", m.line.Label), w.vm.Seconds(),
		func(operator, pin string) error { return w.vm.Waive(context.Background(), path, operator, pin) }, w.update)
}

func (m *materialView) remove(index int, name string) {
	w, path := m.w, m.line.Path
	w.env.Confirm(w.env.T("wizard.removeFile.ask", "name", name), w.env.T("wizard.removeFile.lost"), w.env.T("wizard.removeRow"), true,
		func() {
			w.vm.Detach(path, index)
			w.update()
			w.save()
		})
}
