package screen

import (
	"bytes"
	"context"
	"image/png"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"bianmin/app/input"
	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/casefile"
	"bianmin/offline/receipt"
)

// Receipt is the screen 回执: the slip as it prints, and its code as large as the window allows, for the citizen's phone.
type Receipt struct {
	env *Env
	vm  *vm.Receipt

	state    vm.ReceiptState
	lang     string
	done     *look.Icon
	heading  *look.Text
	far      *look.Icon // how far the case has got, beside the sentence
	sentence *look.Text
	number   *look.Text
	noLabel  *look.Text
	read     *look.Button
	official *look.Text
	stages   *fyne.Container
	slip     *fyne.Container
	left     *input.Scroll
	qr       *look.QR
	scan     *look.Text
	busy     *fyne.Container
	body     *fyne.Container
	foot     *fyne.Container
	again    *look.Button
	print    *look.Button
	prints   *printBox

	noPrinter *look.Text // says to who is alone with the machine that it has none

	files   *fyne.Container // what it can be saved as
	root    fyne.CanvasObject
	loading bool
}

var (
	_ View    = (*Receipt)(nil)
	_ Primary = (*Receipt)(nil)
)

// NewReceipt returns the screen of a case's receipt and begins to load it.
func NewReceipt(env *Env, m *vm.Receipt) *Receipt {
	r := &Receipt{env: env, vm: m}
	r.done = look.NewIconSized("success", look.RoleSuccess, func(t look.Tokens) float32 { return t.TileIcon })
	r.heading = look.PageTitle("").Lines(1)
	r.far, r.sentence = look.NewIcon("clock", look.RoleSecondary), look.Body("")
	r.noLabel = look.Label("")
	r.read = readButton(env, func() []string { return []string{env.T("speech.receiptNo"), r.state.No} })
	r.number = look.Figure("")
	r.official = look.Label("")
	r.stages = look.Wrap(look.Gap1)
	r.slip = look.VStack(look.Gap0)
	r.qr = look.NewQR(nil)
	r.scan = look.NewText("", look.StyleStrong, look.RoleText).Align(fyne.TextAlignCenter)
	r.foot = look.VStack(look.Gap0)
	r.prints = newPrintBox(env, r.pickPrinter, m.RetryPrint, m.CancelPrint)
	r.files = look.Wrap(look.Gap1)
	r.noPrinter = look.Body("")
	// All of it scrolls: in large type what stands above the slip would leave it no room.
	left := input.NewScroll(look.HStackTop(look.Gap2, look.Grow(look.VStack(look.Gap1,
		look.HStack(look.Gap1, r.done, look.Grow(r.heading)), look.HStackTop(look.Gap1, r.far, look.Grow(r.sentence)),
		look.VStack(look.Gap0, r.noLabel, look.Wrap(look.Gap1, r.number, r.read), r.official), r.stages, r.prints.box, r.noPrinter, r.files,
		look.Layer(look.NewSurface(look.RoleSunken, look.RoleBorder), look.Pad(look.Gap2, look.Gap2, r.slip)))), look.VStack(look.Gap0))) // beside the text the bar has room
	white := look.Layer(canvas.NewRectangle(white), look.Pad(look.Gap1, look.Gap1, r.qr))
	right := look.Edges(nil, look.VStack(look.Gap0, look.VStack(look.Gap1, look.VStack(look.Gap0), r.scan)), nil, white)
	r.left = left
	r.body = look.Arrange(receiptLayout{}, left, right)
	r.busy = look.VStack(look.Gap0)
	r.root = look.Page(nil, look.Layer(look.Column(r.body), r.busy), r.foot)
	r.Show(m.State())
	r.load()
	return r
}

// receiptLayout gives the code at the right the largest square there is, and the rest to the slip. On a screen that is taller
// than wide the code stands above the slip.
type receiptLayout struct{}

func (receiptLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	t := look.Measures().Touch
	return fyne.NewSize(t*8, t*5)
}

func (receiptLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	gap := look.Gap3.Size()
	caption := look.Measures().Body*look.Measures().LineSpacing + look.Gap1.Size()*2
	if size.Height > size.Width*1.2 {
		side := min(size.Width*0.62, size.Height*0.45)
		o[1].Move(fyne.NewPos((size.Width-side)/2, 0))
		o[1].Resize(fyne.NewSize(side, side+caption))
		o[0].Move(fyne.NewPos(0, side+caption+gap))
		o[0].Resize(fyne.NewSize(size.Width, max(0, size.Height-side-caption-gap)))
		return
	}
	side := min(size.Height-caption, (size.Width-gap)*0.62)
	left := min(size.Width-gap-side, look.ColumnWidth/2)
	spare := max(0, size.Width-left-gap-side) / 2
	o[0].Move(fyne.NewPos(spare, 0))
	o[0].Resize(fyne.NewSize(left, size.Height))
	o[1].Move(fyne.NewPos(spare+left+gap, 0))
	o[1].Resize(fyne.NewSize(side, min(size.Height, side+caption)))
}

// load reads and draws off the UI goroutine.
func (r *Receipt) load() {
	if r.loading {
		return
	}
	r.loading = true
	r.env.Work(func() {
		err := r.vm.Load(context.Background())
		r.env.Post(func() {
			r.loading = false
			if err != nil {
				r.env.Fail(err)
			}
			r.Show(r.vm.State())
		})
	})
}

// Title is the page title in the top bar.
func (r *Receipt) Title() string { return r.env.T("receipt.title") }

// Object is the screen's content.
func (r *Receipt) Object() fyne.CanvasObject { return r.root }

// Refresh reads the case again: it may have been delivered or accepted meanwhile.
func (r *Receipt) Refresh() { r.load() }

// Leave has nothing to save.
func (r *Receipt) Leave() {}

// No and Link are the number and the link of the receipt on the screen; "" before it was read.
func (r *Receipt) No() string { return r.state.No }

// Link is what the code holds.
func (r *Receipt) Link() string { return r.state.Link }

// TapPrimary begins another case.
func (r *Receipt) TapPrimary() { r.env.Go(Route{Page: PageServices}) }

// Show shows s.
func (r *Receipt) Show(s vm.ReceiptState) {
	old := r.state
	r.state = s
	r.words()
	r.busy.Objects = nil
	r.body.Hidden = !s.Ready
	if !s.Ready {
		if r.loading || old.Link == "" {
			r.busy.Objects = []fyne.CanvasObject{look.Busy(r.env.T("receipt.loading"))}
		}
		r.busy.Refresh()
		return
	}
	r.heading.SetText(s.Heading)
	icon, role := deliveryMark(s.Delivery)
	r.far.Set(icon, role)
	r.sentence.SetRole(role)
	r.sentence.SetText(s.Sentence)
	if r.env.public() {
		r.sentence.SetText(r.env.T("selfservice.explain." + string(s.Delivery)))
	}
	r.noLabel.SetText(r.env.T("receipt.number"))
	r.read.SetText(r.env.T("speech.read"))
	r.number.SetText(s.No)
	r.official.Hidden = s.Official == ""
	if s.Official != "" {
		r.official.SetText(r.env.T("receipt.officialNumber") + "  " + s.Official)
	}
	r.scan.SetText(s.Scan)
	r.showStages(s.Stages)
	r.print.SetText(s.Print.Word)
	r.print.Hidden = !s.Print.Any && r.env.public() // staff are led to where one is added
	r.noPrinter.Hidden = !r.print.Hidden
	r.noPrinter.SetText(r.env.T("selfservice.noPrinter"))
	r.prints.show(s.Print)
	if was := old.Print.Job; was != nil && s.Print.Job != nil && was.ID == s.Print.Job.ID && was.Tone != "ok" && s.Print.Job.Tone == "ok" {
		speak(r.env, r.env.T("speech.takeReceipt"))
	}
	if !bytes.Equal(old.Slip, s.Slip) {
		r.slip.Objects = []fyne.CanvasObject{slipPicture(s.Slip)}
		defer r.left.Refresh()
	}
	if old.Link != s.Link {
		if code, err := receipt.QR(s.Link, receipt.LevelM); err == nil {
			r.qr.Set(code.Modules)
		} else {
			r.env.Fail(err)
		}
	}
	r.root.Refresh()
}

// shown shows the newest state without reading the case again.
func (r *Receipt) shown() { r.Show(r.vm.State()) }

func (r *Receipt) pickPrinter(id string) {
	r.vm.PickPrinter(id)
	r.shown()
}

func (r *Receipt) showStages(stages []vm.ReceiptStage) {
	r.stages.Objects = nil
	for _, st := range stages {
		chip := newPickChip(st.Word, func() {
			r.vm.Pick(st.Stage)
			r.load()
		})
		chip.set(st.Chosen)
		r.stages.Objects = append(r.stages.Objects, chip)
	}
	r.stages.Hidden = len(stages) == 0
}

// words builds the foot in the language of the moment.
func (r *Receipt) words() {
	if r.lang == r.env.Lang() {
		return
	}
	r.lang = r.env.Lang()
	t := r.env.T
	public := r.env.public()
	home := look.SecondaryButton(t("receipt.home"), func() { r.env.Go(Route{Page: PageHome}) })
	home.SetIcon("home")
	if public {
		home = look.SecondaryButton(t("selfservice.done"), r.env.End)
		home.SetIcon("check")
	}
	image := look.QuietButton(t("receipt.saveImage"), "image", func() {
		if len(r.state.Slip) > 0 {
			saveMade(r.env, func() (string, []byte, error) { return r.vm.Picture(context.Background()) })
		}
	})
	pdf := look.QuietButton(t("print.pdf"), "file", func() {
		saveMade(r.env, func() (string, []byte, error) { return r.vm.PDF(context.Background()) })
	})
	replace(r.files, image, pdf)
	r.files.Hidden = public // no files of the machine are written for the public
	r.print = look.NewButton(look.Secondary, r.state.Print.Word, "print", func() { printNow(r.env, r.state.Print, r.vm.Print, r.shown) })
	open := look.SecondaryButton(t("receipt.case"), func() { r.env.Go(Route{PageCase, vm.CaseArg(r.vm.Case())}) })
	open.Hidden = public
	r.again = look.PrimaryButton(t("receipt.again"), r.TapPrimary)
	replace(r.foot, look.ActionBar([]fyne.CanvasObject{home}, open, r.print, r.again))
}

// deliveryMark is the shape and the colour of how far a case has got.
func deliveryMark(d casefile.Delivery) (icon string, role look.Role) {
	switch d {
	case casefile.OnMachine:
		return "offline", look.RolePrimary
	case casefile.NeedsYou:
		return "warn", look.RoleWarning
	default:
		return "success", look.RoleSuccess
	}
}

// slipPicture shows a slip as wide as its column; it stays white in every look, as the paper is.
func slipPicture(raw []byte) fyne.CanvasObject {
	cfg, err := png.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return look.NewIcon("image", look.RoleSecondary)
	}
	img := canvas.NewImageFromReader(bytes.NewReader(raw), "slip.png")
	img.FillMode = canvas.ImageFillContain
	return newRatio(float32(cfg.Height)/float32(cfg.Width), float32(cfg.Width), img)
}

// pngPicture shows a picture at the size of measures.
func pngPicture(raw []byte, size func(look.Tokens) fyne.Size) fyne.CanvasObject {
	img := canvas.NewImageFromReader(bytes.NewReader(raw), "picture.png")
	img.FillMode = canvas.ImageFillContain
	return look.AtLeast(size, look.Layer(canvas.NewRectangle(white), img))
}
