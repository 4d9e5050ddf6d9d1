package window

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/offline/words"
)

// maxFileMB bounds a file that is read, in megabytes: the largest attachment, with room to say so in words.
const maxFileMB = 64

// errFileLarge reports a file above maxFileMB.
var errFileLarge = words.New("window.fileLarge", nil, "limit", "64")

// picker is a sheet with the files of a folder: to choose one, or to choose where to keep one. Fyne's own dialog has
// neither our look nor rows that a finger meets.
type picker struct {
	widget.BaseWidget
	s       *Shell
	exts    []string
	dir     string
	entries []entry
	onFile  func(path string) // choosing
	onSave  func(path string) // keeping

	veil  *canvas.Rectangle
	card  fyne.CanvasObject
	where *look.Text
	fault *look.Text
	list  *input.List
	name  *input.TextField
}

var _ fyne.Tappable = (*picker)(nil)

func newPicker(s *Shell, title string, exts []string, save string, done func(path string)) *picker {
	p := &picker{s: s, exts: exts, veil: canvas.NewRectangle(veil)}
	p.where, p.fault = look.Label("").Lines(1), look.NewText("", look.StyleBody, look.RoleSecondary)
	p.list = input.NewList(func() int { return len(p.entries) }, newEntryRow, p.showEntry, p.tapEntry)
	bar := look.Wrap(look.Gap1, look.NewButton(look.Secondary, s.T("pick.up"), "up", func() { p.open(filepath.Dir(p.dir)) }))
	home, err := os.UserHomeDir()
	if err != nil {
		s.log.Warn("no home folder", slog.Any("cause", err))
	}
	for _, at := range spots(s, home) {
		bar.Objects = append(bar.Objects, look.NewButton(look.Secondary, at.word, at.icon, func() { p.open(at.dir) }))
	}
	cancel := look.SecondaryButton(s.T("window.no"), s.dropSheet)
	foot := look.HStack(look.Gap2, look.Spring(), cancel)
	if save == "" {
		p.onFile = done
	} else {
		p.onSave = done
		p.name = input.NewText(200)
		p.name.SetPurpose(input.Latin) // over the window there is no place for candidates
		p.name.SetText(save)
		p.name.SetOnEnter(p.save)
		foot = look.HStack(look.Gap2, look.Grow(p.name), cancel, look.PrimaryButton(s.T("window.save"), p.save))
	}
	p.card = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap3, look.Gap3,
		look.Edges(look.VStack(look.Gap1, look.Title(title), bar, p.where, p.fault, look.Line()), look.VStack(look.Gap2, look.Line(), foot), nil, p.list)))
	p.ExtendBaseWidget(p)
	start := s.folder
	if start == "" {
		start = home
	}
	p.open(start)
	return p
}

func newEntryRow() fyne.CanvasObject {
	return look.HStack(look.Gap2, look.NewIcon("file", look.RolePrimary), look.Grow(look.Body("").Lines(1)), look.Label("").Single())
}

func (p *picker) showEntry(i int, content fyne.CanvasObject) {
	row, ok := content.(*fyne.Container)
	if !ok || i >= len(p.entries) {
		return
	}
	e := p.entries[i]
	icon, _ := row.Objects[0].(*look.Icon)
	grow, _ := row.Objects[1].(*fyne.Container)
	name, _ := grow.Objects[0].(*look.Text)
	note, _ := row.Objects[2].(*look.Text)
	if e.dir {
		icon.Set("folder", look.RolePrimary)
	} else {
		icon.Set("file", look.RoleSecondary)
	}
	name.SetText(e.name)
	note.SetText(e.note)
}

func (p *picker) tapEntry(i int) {
	if i >= len(p.entries) {
		return
	}
	e := p.entries[i]
	path := filepath.Join(p.dir, e.name)
	switch {
	case e.dir:
		p.open(path)
	case p.onSave != nil:
		p.name.SetText(e.name)
	default:
		p.s.folder = p.dir
		p.s.dropSheet()
		p.onFile(path)
	}
}

func (p *picker) save() {
	name := filepath.Base(p.name.Text())
	if p.name.Text() == "" || name == "." || name == string(filepath.Separator) {
		return
	}
	p.s.folder = p.dir
	p.s.dropSheet()
	p.onSave(filepath.Join(p.dir, name))
}

func (p *picker) open(dir string) {
	entries, err := listFolder(p.s, dir, p.exts)
	if err != nil {
		p.fault.SetText(p.s.T("pick.closed"))
		p.fault.Show()
		p.Refresh()
		return
	}
	p.dir, p.entries = dir, entries
	p.where.SetText(dir)
	p.fault.Hidden = len(entries) > 0
	p.fault.SetText(p.s.T("pick.empty"))
	p.list.Top()
	p.list.Refresh()
	p.Refresh()
}

// Content is what the card says, to be read aloud.
func (p *picker) Content() fyne.CanvasObject { return p.card }

// Tapped is called by Fyne: a tap beside the card does nothing.
func (p *picker) Tapped(*fyne.PointEvent) {}

// CreateRenderer is called by Fyne.
func (p *picker) CreateRenderer() fyne.WidgetRenderer { return &pickerRenderer{p} }

type pickerRenderer struct{ p *picker }

func (r *pickerRenderer) Destroy() {}

func (r *pickerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.p.veil, r.p.card}
}

func (r *pickerRenderer) MinSize() fyne.Size { return r.p.card.MinSize() }

func (r *pickerRenderer) Layout(size fyne.Size) {
	r.p.veil.Resize(size)
	margin := look.Gap4.Size()
	width := min(look.ColumnWidth, size.Width-2*margin)
	r.p.card.Resize(fyne.NewSize(width, size.Height-2*margin))
	r.p.card.Move(fyne.NewPos((size.Width-width)/2, margin))
}

func (r *pickerRenderer) Refresh() {
	r.Layout(r.p.Size())
	r.p.veil.Refresh()
	r.p.card.Refresh()
}

// pickFile asks for a file and reads it.
func (s *Shell) pickFile(exts []string, then func(name string, data []byte)) {
	if s.unattended() { // no files of the machine are shown to the public
		s.say("info", s.T("kiosk.askStaff"))
		return
	}
	s.showSheet(newPicker(s, s.T("window.pick"), exts, "", func(path string) {
		s.o.Work(func() {
			data, err := readFile(path)
			s.o.Post(func() {
				if err != nil {
					s.fail(err)
					return
				}
				then(filepath.Base(path), data)
			})
		})
	}))
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, words.New("window.fileUnreadable", withoutPath(err))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileMB<<20+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, words.New("window.fileUnreadable", withoutPath(err))
	}
	if len(data) > maxFileMB<<20 {
		return nil, errFileLarge
	}
	return data, nil
}

// withoutPath keeps names of files, which may be names of persons, out of the log.
func withoutPath(err error) error {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// saveFile asks where to keep data, and writes it.
func (s *Shell) saveFile(name string, data []byte) {
	if s.unattended() {
		s.say("info", s.T("kiosk.askStaff"))
		return
	}
	s.showSheet(newPicker(s, s.T("window.save"), []string{filepath.Ext(name)}, name, func(path string) {
		write := func() {
			s.o.Work(func() {
				err := os.WriteFile(path, data, 0o600)
				s.o.Post(func() {
					if err != nil {
						s.fail(words.New("window.fileUnwritten", withoutPath(err)))
						return
					}
					s.say("ok", s.T("window.fileSaved", "name", filepath.Base(path)))
				})
			})
		}
		if _, err := os.Stat(path); err == nil {
			s.confirm(s.T("pick.overTitle"), s.T("pick.overText", "name", filepath.Base(path)), s.T("pick.over"), true, write)
			return
		}
		write()
	}))
}
