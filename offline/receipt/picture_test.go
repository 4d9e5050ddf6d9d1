package receipt

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bianmin/offline/paper"
	"bianmin/offline/picture"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

func testFont(t testing.TB) *paper.Face {
	t.Helper()
	data, err := os.ReadFile("../../assets/fonts/BianminSansSC-Regular.otf")
	if err != nil {
		t.Fatalf("the font is missing; build it with packaging/fonts/build.sh: %v", err)
	}
	return must[*paper.Face](t)(paper.NewFace(data, nil))
}

func testLinks(t testing.TB) (link1, link2 string) {
	r := sampleStage1()
	r.Item = "城乡居民基本养老保险参保登记变更"
	link1 = Link(testHost, must[[]byte](t)(Sign(scalar(t, "station"), r.Payload())))
	link2 = Link(testHost, must[[]byte](t)(Sign(scalar(t, "platform"), sampleStage2().Payload())))
	return link1, link2
}

func slip1() SlipText {
	return SlipText{
		Org: "清水镇垌心村便民服务站", Title: "收件回执",
		Lines: []SlipLine{
			{"事项", "城乡居民基本养老保险参保登记变更"},
			{"申请人", "欧阳*华"},
			{"收件时间", "2026年11月22日 14:02"},
			{"承诺办结", "2026年12月12日"},
			{"材料", "居民身份证、户口簿、社会保障卡（复印件各一份）"},
		},
		Note:  "本回执证明本站已收下您的材料。平台是否受理，以《受理通知书》为准。",
		Scan:  "手机扫码，核验真伪、查看进度",
		Under: []SlipLine{{"回执号", "7-1043-5"}, {"网址", "fw.example.gov.cn"}, {"电话", "0999-8800001"}},
		Footer: []string{
			"查询不收费，不要您填写任何内容",
		},
	}
}

func slip2() SlipText {
	return SlipText{
		Org: "示例县政务服务平台", Title: "受理通知书",
		Lines: []SlipLine{
			{"办件编号", "1112345678901234561234567890123202611220001"},
			{"事项", "高龄津贴"},
			{"申请人", "欧阳*华"},
			{"受理时间", "2026年11月22日 14:02"},
			{"办结期限", "2026年12月12日"},
		},
		Note:  "您的申请符合受理条件，平台已受理。",
		Scan:  "手机扫码，核验真伪、查看进度",
		Under: []SlipLine{{"回执号", "7-1043-5"}, {"网址", "fw.example.gov.cn"}, {"电话", "0999-12345"}, {"打印时间", "2026-11-22 14:05"}},
	}
}

func TestQRReadsBack(t *testing.T) {
	link1, link2 := testLinks(t)
	for _, link := range []string{link1, link2} {
		for level, most := range map[Level]int{LevelM: 12, LevelQ: 14} {
			c, err := QR(link, level)
			if err != nil {
				t.Fatal(err)
			}
			if c.Version > most || c.Size() != 17+4*c.Version || c.Text != link || c.Level != level {
				t.Errorf("version %d at level %d, %d modules", c.Version, level, c.Size())
			}
			img := c.Image(5, QuietZone)
			if img.Rect.Dx() != (c.Size()+8)*5 {
				t.Errorf("%d dots", img.Rect.Dx())
			}
			for i := range 20 { // the quiet zone is white, and every module is square and of whole dots
				for x := range img.Rect.Dx() {
					if img.GrayAt(x, i).Y != 255 || img.GrayAt(i, x).Y != 255 {
						t.Fatal("quiet zone is not white")
					}
				}
			}
			for y := range c.Size() {
				for x := range c.Size() {
					want := uint8(255)
					if c.Modules[y][x] {
						want = 0
					}
					for d := range 25 {
						if img.GrayAt(20+x*5+d%5, 20+y*5+d/5).Y != want {
							t.Fatalf("module %d,%d", x, y)
						}
					}
				}
			}
		}
	}
	if _, err := QR(strings.Repeat("A", 8000), LevelM); !errors.Is(err, ErrQR) {
		t.Errorf("too long: %v", err)
	}
	c := must[*Code](t)(QR(link1, LevelM))
	c.Text += "x"
	if err := c.readBack(); !errors.Is(err, ErrQR) {
		t.Errorf("another text: %v", err)
	}
}

// Random signatures give other codes each time; all must read back.
func TestManyCodesReadBack(t *testing.T) {
	k := scalar(t, "station")
	for i := range rounds(600) {
		r := sampleStage1()
		r.Seq, r.Item = uint64(i+1), Fit("城乡居民基本养老保险参保登记变更", 3+i%14)
		link := Link(testHost, must[[]byte](t)(Sign(k, r.Payload())))
		for _, level := range []Level{LevelM, LevelQ} {
			if _, err := QR(link, level); err != nil {
				t.Fatalf("%s: %v", link, err)
			}
		}
	}
}

// window puts a picture into a larger one with text-like clutter around it, as a screenshot of the program has.
func window(img image.Image, w, h int, at image.Point, ground color.Color) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.NewUniform(ground), image.Point{}, draw.Src)
	for y := 20; y < h-20; y += 26 {
		for x := 20; x < w-20; x += 9 {
			if (x*7+y*13)%11 < 6 {
				draw.Draw(out, image.Rect(x, y, x+6, y+3+(x*y)%14), image.NewUniform(color.RGBA{28, 39, 51, 255}), image.Point{}, draw.Src)
			}
		}
	}
	b := img.Bounds()
	draw.Draw(out, b.Sub(b.Min).Add(at), img, b.Min, draw.Src)
	return out
}

func TestScan(t *testing.T) {
	link, _ := testLinks(t)
	font := testFont(t)
	code := must[*Code](t)(QR(link, LevelM))
	codeQ := must[*Code](t)(QR(link, LevelQ))
	slip58 := paper.Paper(must[*image.Gray](t)(Slip(slip1(), code, font, Dots58)))
	slip80 := paper.Paper(must[*image.Gray](t)(Slip(slip1(), codeQ, font, Dots80)))
	rotated := image.NewGray(image.Rect(0, 0, 700, 700))
	draw.Draw(rotated, rotated.Rect, image.White, image.Point{}, draw.Src)
	a := 17 * math.Pi / 180
	draw.BiLinear.Transform(rotated, f64.Aff3{math.Cos(a), -math.Sin(a), 200, math.Sin(a), math.Cos(a), 60}, code.Image(6, 4), code.Image(6, 4).Rect, draw.Src, nil)
	small := image.NewGray(image.Rect(0, 0, 300, 300*slip58.Rect.Dy()/slip58.Rect.Dx()))
	draw.CatmullRom.Scale(small, small.Rect, slip58, slip58.Rect, draw.Src, nil)
	var shot bytes.Buffer
	if err := jpeg.Encode(&shot, window(codeQ.Image(4, 4), 1280, 800, image.Pt(760, 220), color.White), &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	photo := must[image.Image](t)(jpeg.Decode(&shot))
	grey := color.RGBA{0xf4, 0xf6, 0xf9, 255}
	for name, img := range map[string]image.Image{
		"code":         code.Image(3, 4),
		"slip 58":      slip58,
		"slip 80":      slip80,
		"rotated":      rotated,
		"small slip":   small,
		"window":       window(codeQ.Image(4, 4), 1280, 800, image.Pt(600, 300), grey),
		"small window": window(code.Image(3, 4), 1024, 768, image.Pt(30, 500), grey),
		"large window": window(codeQ.Image(5, 4), 1920, 1080, image.Pt(1400, 30), grey),
		"slip window":  window(slip58, 1280, 1400, image.Pt(500, 100), grey),
		"high screen":  window(codeQ.Image(9, 4), 3840, 2160, image.Pt(2500, 900), grey),
		"jpeg":         photo,
	} {
		got, err := Scan(img)
		if err != nil || got != link {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := Scan(window(image.NewGray(image.Rect(0, 0, 1, 1)), 640, 480, image.Pt(0, 0), grey)); !errors.Is(err, ErrNoCode) {
		t.Errorf("no code: %v", err)
	}
	if _, err := Scan(image.NewGray(image.Rect(0, 0, 0, 0))); !errors.Is(err, ErrPicture) {
		t.Errorf("empty picture: %v", err)
	}
}

func TestScanPicture(t *testing.T) {
	link, _ := testLinks(t)
	var b bytes.Buffer
	if err := png.Encode(&b, must[*Code](t)(QR(link, LevelM)).Image(4, 4)); err != nil {
		t.Fatal(err)
	}
	if got, err := ScanPicture(b.Bytes()); err != nil || got != link {
		t.Errorf("%q, %v", got, err)
	}
	// A head that promises 2^31 pixels a side costs no memory.
	bomb := bytes.Clone(b.Bytes()[:33])
	copy(bomb[16:], []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff})
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "torn": b.Bytes()[:b.Len()/2], "bomb": bomb, "large": make([]byte, picture.MaxBytes+1),
	} {
		if _, err := ScanPicture(data); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Slips: exact widths, no grey, whole dots, the code reads back from the finished paper by us and by zbar.
func TestSlip(t *testing.T) {
	font := testFont(t)
	link1, link2 := testLinks(t)
	dir := os.Getenv("BIANMIN_SLIPS") // a folder to look at them
	if dir == "" {
		dir = t.TempDir()
	}
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Fatal("this test needs zbarimg (apt-get install zbar-tools)")
	}
	for name, c := range map[string]struct {
		text  SlipText
		link  string
		level Level
		dots  int
	}{
		"stage1-58": {slip1(), link1, LevelM, Dots58}, "stage1-80": {slip1(), link1, LevelQ, Dots80},
		"stage2-58": {slip2(), link2, LevelM, Dots58}, "stage2-80": {slip2(), link2, LevelQ, Dots80},
	} {
		slip, err := Slip(c.text, must[*Code](t)(QR(c.link, c.level)), font, c.dots)
		if err != nil {
			t.Fatal(err)
		}
		if slip.Rect.Dx() != c.dots || slip.Rect.Dy() < 700 || slip.Rect.Min != (image.Point{}) {
			t.Errorf("%s: %v", name, slip.Rect)
		}
		for _, p := range slip.Pix {
			if p != 0 && p != 255 {
				t.Fatalf("%s: grey %d", name, p)
			}
		}
		for kind, img := range map[string]*image.Gray{"slip": slip, "paper": paper.Paper(slip)} {
			if got, err := Scan(img); err != nil || got != c.link {
				t.Errorf("%s %s: %q, %v", name, kind, got, err)
			}
			file := filepath.Join(dir, name+"-"+kind+".png")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
				t.Fatal(err)
			}
			if kind == "paper" {
				out, err := exec.Command(zbar, "-q", "--raw", file).Output()
				if err != nil || strings.TrimSpace(string(out)) != c.link {
					t.Errorf("%s %s: zbar: %q, %v", name, kind, out, err)
				}
			}
		}
	}
	if _, err := Slip(slip1(), nil, font, 400); !errors.Is(err, ErrSlip) {
		t.Errorf("width: %v", err)
	}
	if _, err := Slip(slip1(), nil, nil, Dots58); !errors.Is(err, ErrSlip) {
		t.Errorf("font: %v", err)
	}
	if _, err := Slip(slip1(), must[*Code](t)(QR(strings.Repeat("é", 500), LevelQ)), font, Dots58); !errors.Is(err, ErrSlip) {
		t.Errorf("code too large for the paper: %v", err)
	}
}

// BenchmarkReceipt is a whole receipt: built, signed, encoded, decoded again, drawn. The bar is 30 ms. Its floor is one
// SM2 signature made and verified.
func BenchmarkReceipt(b *testing.B) {
	font := testFont(b)
	k := scalar(b, "station")
	r := sampleStage1()
	r.Item = "城乡居民基本养老保险参保登记变更"
	text := slip1()
	var floor, whole time.Duration
	for b.Loop() {
		start := time.Now()
		sig, err := k.SignRaw([]byte(r.Item))
		if err != nil || !suite.VerifyRaw(k.Public(), []byte(r.Item), sig) {
			b.Fatal(err)
		}
		floor += time.Since(start)
		start = time.Now()
		env, err := Sign(k, r.Payload())
		if err != nil {
			b.Fatal(err)
		}
		c, err := QR(Link(testHost, env), LevelM)
		if err != nil {
			b.Fatal(err)
		}
		slip, err := Slip(text, c, font, Dots58)
		if err != nil || slip.Rect.Dx() != Dots58 {
			b.Fatal(err)
		}
		whole += time.Since(start)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(whole.Seconds()*1e3/float64(b.N), "ms/receipt")
	b.ReportMetric(floor.Seconds()*1e3/float64(b.N), "ms/floor")
}

// BenchmarkVerify judges a receipt against a list of 300 stations.
func BenchmarkVerify(b *testing.B) {
	l := testList(b)
	for i := range 300 {
		k := l.Keys[0]
		k.Device, k.Public = uint32(100+i), bytes.Clone(k.Public)
		k.Public[64] ^= byte(i + 1)
		k.Public[63] ^= byte((i + 1) >> 8)
		l.Keys = append(l.Keys, k)
	}
	env := must[[]byte](b)(Sign(scalar(b, "station"), sampleStage1().Payload()))
	for b.Loop() {
		if v := VerifyAt(suite, env, time.Now(), l); v.State != Genuine {
			b.Fatal(v)
		}
	}
}
