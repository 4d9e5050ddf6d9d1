package window

import (
	"context"
	"errors"
	"image"
	"log/slog"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
	"golang.org/x/image/draw"

	"bianmin/app/device/camera"
	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/ident"
	"bianmin/offline/receipt"
)

// What a camera is looked through for.
type lens int

const (
	lookOnly lens = iota // a test
	takePaper
	readCode
)

// previewSide is the long side of what is shown, in pixels.
const previewSide = 800

// viewfinder is a sheet that shows what a camera sees, and takes a picture. The camera runs on a goroutine of its own and stops
// with the sheet.
type viewfinder struct {
	widget.BaseWidget
	s    *Shell
	lens lens
	done func(name string, data []byte)

	veil    *canvas.Rectangle
	picture *canvas.Image
	frame   fyne.CanvasObject
	hint    *look.Text
	shoot   *look.Button
	use     *look.Button
	again   *look.Button
	card    fyne.CanvasObject

	ctx   context.Context // ends when the sheet goes away
	hide  context.CancelFunc
	still chan chan<- camera.Still
	taken []byte // the picture that was taken; nil: the camera is looked through
	said  bool   // the hint says what became of a picture: the preview leaves it alone
}

var _ fyne.Tappable = (*viewfinder)(nil)

// takePhoto takes a picture of a paper.
func (s *Shell) takePhoto(title string, then func(name string, data []byte)) {
	s.showCamera(title, takePaper, then)
}

// scanByCamera reads a code that is held before the camera.
func (s *Shell) scanByCamera() {
	s.showCamera(s.T("scan.byCamera"), readCode, func(text string, _ []byte) { s.scanned(text) })
}

// showCamera opens the viewfinder on the camera of the settings.
func (s *Shell) showCamera(title string, l lens, done func(name string, data []byte)) {
	v := &viewfinder{s: s, lens: l, done: done, still: make(chan chan<- camera.Still)}
	v.build(title)
	v.ctx, v.hide = context.WithCancel(context.Background())
	s.showSheet(v)
	go v.run(v.ctx, s.camera())
}

func (v *viewfinder) build(title string) {
	t := v.s.T
	v.veil = canvas.NewRectangle(veil)
	v.picture = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}
	v.frame = look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder), v.picture)
	v.hint = look.NewText(t("camera.starting"), look.StyleBody, look.RoleSecondary)
	v.shoot = look.NewButton(look.Primary, t("camera.shoot"), "camera", v.take)
	v.again = look.NewButton(look.Secondary, t("camera.again"), "camera", v.retake)
	v.use = look.PrimaryButton(t("camera.use"), v.keep)
	leave := look.SecondaryButton(t(map[bool]string{true: "camera.close", false: "window.no"}[v.lens == lookOnly]), v.s.dropSheet)
	v.show()
	v.card = look.Layer(look.NewSurface(look.RoleSurface, look.RoleBorder), look.Pad(look.Gap3, look.Gap3,
		look.Edges(look.VStack(look.Gap1, look.Title(title), v.hint), look.VStack(look.Gap2, look.HStack(look.Gap2, look.Spring(), leave, v.again, v.shoot, v.use)),
			nil, look.Pad(look.Gap0, look.Gap2, v.frame))))
	v.ExtendBaseWidget(v)
}

// show brings the buttons to what can be done.
func (v *viewfinder) show() {
	frozen := v.taken != nil
	v.shoot.Hidden = v.lens != takePaper || frozen
	v.again.Hidden, v.use.Hidden = !frozen, !frozen
}

// run looks through the camera until the sheet goes away. It runs on a goroutine of its own.
func (v *viewfinder) run(ctx context.Context, id string) {
	err := v.stream(ctx, id)
	if ctx.Err() != nil {
		return
	}
	v.s.o.Post(func() {
		if ctx.Err() == nil {
			v.fail(err)
		}
	})
}

func (v *viewfinder) stream(ctx context.Context, id string) error {
	var c camera.Camera
	for _, each := range v.s.cameras() {
		if each.ID() == id {
			c = each
		}
	}
	if c == nil {
		return camera.ErrNoCamera
	}
	st, err := c.Open(ctx)
	if err != nil {
		return err
	}
	err = camera.Preview(ctx, st, v.s.o.Devices.Pace, func(img image.Image) { v.seen(ctx, img) }, v.still)
	if cerr := st.Close(); cerr != nil {
		v.s.log.Warn("close camera", slog.Any("cause", cerr))
	}
	return err
}

// seen shows a picture and, where one is looked for, finds the code in it. It returns when the picture is on the screen.
func (v *viewfinder) seen(ctx context.Context, img image.Image) {
	small := shrunk(img)
	shown := make(chan struct{})
	v.s.o.Post(func() {
		defer close(shown)
		if ctx.Err() != nil || v.taken != nil {
			return
		}
		v.picture.Image = small
		v.picture.Refresh()
		if v.said {
			return
		}
		v.hint.SetText(v.s.T(map[lens]string{lookOnly: "camera.test", takePaper: "camera.paper", readCode: "camera.code"}[v.lens]))
	})
	select {
	case <-shown:
	case <-ctx.Done():
		return
	}
	if v.lens != readCode {
		return
	}
	text, err := receipt.ScanFrame(img)
	if err != nil {
		return
	}
	v.s.o.Post(func() {
		if ctx.Err() != nil {
			return // found in the picture before, or the sheet was left
		}
		done := v.done
		v.s.dropSheet()
		done(text, nil)
	})
}

// shrunk returns a picture of the size that is shown.
func shrunk(img image.Image) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	if long == 0 {
		return img
	}
	side := min(previewSide, long)
	out := image.NewRGBA(image.Rect(0, 0, max(b.Dx()*side/long, 1), max(b.Dy()*side/long, 1)))
	draw.ApproxBiLinear.Scale(out, out.Rect, img, b, draw.Src, nil)
	return out
}

// take asks the camera for a picture.
func (v *viewfinder) take() {
	v.shoot.Disable()
	v.said = true
	v.hint.SetText(v.s.T("camera.taking"))
	ctx, answer := v.ctx, make(chan camera.Still, 1)
	go func() {
		select {
		case v.still <- answer:
		case <-ctx.Done():
			return
		}
		var got camera.Still
		select {
		case got = <-answer:
		case <-ctx.Done():
			return
		}
		var small image.Image
		if got.Err == nil {
			small, got.Err = input.Thumbnail(got.JPEG, previewSide)
		}
		v.s.o.Post(func() {
			if ctx.Err() != nil {
				return
			}
			v.shoot.Enable()
			if got.Err != nil {
				v.s.log.Warn("camera", slog.Any("cause", got.Err))
				v.hint.SetText(vm.Words(v.s, got.Err))
				v.Refresh()
				return // it may be tried again
			}
			v.taken, v.said = got.JPEG, false
			v.picture.Image = small
			v.hint.SetText(v.s.T("camera.look"))
			v.show()
			v.Refresh()
		})
	}()
}

// retake looks through the camera again.
func (v *viewfinder) retake() {
	v.taken = nil
	v.hint.SetText(v.s.T("camera.paper"))
	v.show()
	v.Refresh()
}

// keep gives the picture away.
func (v *viewfinder) keep() {
	data, done := v.taken, v.done
	name := v.s.T("camera.file", "time", v.s.o.Clock.Now().In(ident.China).Format("15-04-05")) + ".jpg"
	v.s.dropSheet()
	done(name, data)
}

func (v *viewfinder) fail(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	v.s.log.Warn("camera", slog.Any("cause", err))
	v.hint.SetText(vm.Words(v.s, err))
	if v.s.unattended() { // who is there can neither see to the cable nor choose a file
		v.hint.SetText(v.s.T("selfservice.cameraFault"))
	}
	v.shoot.Disable()
	v.Refresh()
}

// closed is called when the sheet goes away: the camera stops.
func (v *viewfinder) closed() {
	v.hide()
	v.taken, v.picture.Image = nil, nil
}

// Content is what the card says, to be read aloud.
func (v *viewfinder) Content() fyne.CanvasObject { return v.card }

// Tapped is called by Fyne: a tap beside the card does nothing.
func (v *viewfinder) Tapped(*fyne.PointEvent) {}

// CreateRenderer is called by Fyne.
func (v *viewfinder) CreateRenderer() fyne.WidgetRenderer { return &overlay{v.veil, v.card, true, 0} }
