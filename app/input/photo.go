package input

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // pictures people bring
	_ "image/jpeg" // pictures people bring
	_ "image/png"  // pictures people bring

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	_ "golang.org/x/image/bmp" // scanners write it
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff" // scanners write it
	_ "golang.org/x/image/webp" // phones write it

	"bianmin/app/look"
)

// maxPixels is the largest picture Thumbnail decodes: 60 million pixels are 240 MB, more than a small machine gives.
const maxPixels = 60_000_000

// ErrPicture is returned by Thumbnail for bytes that are no picture it knows, or too large a one.
var ErrPicture = errors.New("not a picture that can be shown")

// Thumbnail decodes a picture and returns it at most edge pixels wide and high. It takes long for large pictures and
// may be called from any goroutine, which it should: the window stands still meanwhile otherwise.
func Thumbnail(raw []byte, edge int) (image.Image, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > maxPixels/config.Height {
		return nil, fmt.Errorf("%w: %d by %d pixels", ErrPicture, config.Width, config.Height)
	}
	full, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	scale := min(1, float64(edge)/float64(max(config.Width, config.Height)))
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(float64(config.Width)*scale)), max(1, int(float64(config.Height)*scale))))
	draw.CatmullRom.Scale(small, small.Rect, full, full.Bounds(), draw.Src, nil)
	return small, nil
}

// PhotoCard shows one paper a person brought: a small picture, its name, and buttons to take, choose, replace and
// remove it.
type PhotoCard struct {
	look.Composite
	// OnAdd, OnTake and OnRemove are called on taps. Replacing is OnAdd again; without OnTake there is no camera, and
	// without OnAdd no files are to be chosen from: a photo is replaced by taking it again.
	OnAdd, OnTake, OnRemove func()

	picture *canvas.Image
	blank   fyne.CanvasObject
	name    *look.Text
	note    *look.Text
	add     *look.Button
	take    *look.Button
	remove  *look.Button
	full    bool
	fixed   bool
	camera  bool
}

// NewPhotoCard returns an empty card. camera shows the button to take a photo.
func NewPhotoCard(camera bool) *PhotoCard {
	p := &PhotoCard{picture: &canvas.Image{FillMode: canvas.ImageFillContain}, name: look.Strong("").Lines(2), note: look.Label(""), camera: camera}
	p.picture.Hide()
	p.blank = look.HStack(look.Gap0, look.Spring(), look.NewIconSized("image", look.RoleSecondary,
		func(m look.Tokens) float32 { return m.TileIcon }), look.Spring())
	p.add = look.NewButton(look.Secondary, "", "file", func() { run(p.OnAdd) })
	p.take = look.NewButton(look.Secondary, "", "camera", func() { run(p.OnTake) })
	p.remove = look.NewButton(look.Quiet, "", "trash", func() { run(p.OnRemove) })
	frame := look.AtLeast(func(m look.Tokens) fyne.Size { return fyne.NewSize(m.Touch*3, m.Touch*2.25) },
		look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder), look.Pad(look.GapH, look.GapH, look.Layer(p.blank, p.picture))))
	p.Clear()
	p.Compose(p, look.HStack(look.Gap2, frame, look.Grow(look.VStack(look.Gap1, look.VStack(look.Gap0, p.name, p.note),
		look.Wrap(look.Gap1, p.take, p.add, p.remove)))))
	return p
}

func run(fn func()) {
	if fn != nil {
		fn()
	}
}

// SetPhoto shows a small picture (see Thumbnail), the name of the file and a line about it, such as size or a warning.
func (p *PhotoCard) SetPhoto(small image.Image, name, note string) {
	p.full = true
	p.picture.Image = small
	p.name.SetText(name)
	p.note.SetText(note)
	p.draw()
	p.Refresh()
}

// SetBroken says in words that the file is no picture that can be shown.
func (p *PhotoCard) SetBroken(name string) {
	p.SetPhoto(nil, name, look.Word("input.photo.broken"))
}

// Clear shows the card as empty.
func (p *PhotoCard) Clear() {
	p.full, p.picture.Image = false, nil
	p.name.SetText("")
	p.note.SetText("")
	p.draw()
}

// Filled reports whether the card shows a photo.
func (p *PhotoCard) Filled() bool { return p.full }

// SetReadOnly hides the buttons, or shows them again.
func (p *PhotoCard) SetReadOnly(fixed bool) {
	p.fixed = fixed
	p.draw()
	p.Refresh()
}

func (p *PhotoCard) draw() {
	if !p.full {
		p.name.SetText(look.Word("input.photo.empty"))
		p.add.SetText(look.Word("input.photo.add"))
	} else {
		p.add.SetText(look.Word("input.photo.replace"))
	}
	p.take.SetText(look.Word("input.photo.take"))
	if p.full && p.OnAdd == nil {
		p.take.SetText(look.Word("input.photo.retake"))
	}
	p.remove.SetText(look.Word("input.photo.remove"))
	p.note.Hidden = p.note.Text() == ""
	p.picture.Hidden = p.picture.Image == nil
	p.blank.(*fyne.Container).Hidden = p.picture.Image != nil
	p.add.Hidden, p.take.Hidden, p.remove.Hidden = p.fixed || p.OnAdd == nil, p.fixed || !p.camera, p.fixed || !p.full
}

// Refresh is called by Fyne; it also follows a change of language.
func (p *PhotoCard) Refresh() {
	p.draw()
	p.Composite.Refresh()
}
