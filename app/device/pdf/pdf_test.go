package pdf

import (
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"

	"bianmin/assets/fonts"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// Fonts with characters that the interface font lacks; the package fonts-hanazono has them.
const (
	hanaA = "/usr/share/fonts/truetype/hanazono/HanaMinA.ttf"
	hanaB = "/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"
)

// rareNames are characters that the interface font lacks, two of them of plane 2.
const rareNames = "𠮷田·㐂𪚥"

type several []paper.Glyphs

func (s several) Glyph(r rune) (paper.Outline, bool) {
	for _, g := range s {
		if o, ok := g.Glyph(r); ok {
			return o, true
		}
	}
	return paper.Outline{}, false
}

func rareFace(t testing.TB) *paper.Face {
	t.Helper()
	var all several
	for _, name := range []string{hanaA, hanaB} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatalf("this test needs the package fonts-hanazono: %v", err)
		}
		g, err := paper.FontGlyphs(data)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	f, err := paper.NewFace(fonts.Regular, all)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const link = "https://fw.example.gov.cn/r#0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func sample(t testing.TB) paper.Doc {
	t.Helper()
	code, err := receipt.QR(link, receipt.LevelQ)
	if err != nil {
		t.Fatal(err)
	}
	return receipt.SlipDoc(receipt.SlipText{
		Org: "清水镇垌心村便民服务站", Title: "收件回执", Copy: "重印 第 2 份",
		Lines: []receipt.SlipLine{{Label: "事项", Value: "高龄津贴"}, {Label: "申请人", Value: rareNames}},
		Note:  "本回执证明本站已收下您的材料。", Scan: "手机扫码", Under: []receipt.SlipLine{{Label: "回执编号", Value: "7-1043-5"}},
	}, code)
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestPDF reads a receipt back with another program: its text with the rare names, and its code from the drawn page.
func TestPDF(t *testing.T) {
	sheet, err := paper.Lay(sample(t), rareFace(t), paper.StyleFor(paper.DotsA4))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Encode(sheet)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 60_000 {
		t.Errorf("%d bytes", len(raw))
	}
	dir := os.Getenv("BIANMIN_SLIPS")
	if dir == "" {
		dir = t.TempDir()
	}
	file := filepath.Join(dir, "receipt.pdf")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	text := tool(t, "pdftotext", file, "-")
	for _, want := range []string{"收件回执", "重印 第 2 份", rareNames, "7-1043-5", "本回执证明本站已收下您的材料。"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q: %q", want, text)
		}
	}
	if strings.Contains(text, "Error") || strings.Contains(tool(t, "pdfinfo", file), "Error") {
		t.Error("the file is not sound")
	}
	tool(t, "pdftoppm", "-r", "150", "-png", file, filepath.Join(dir, "receipt"))
	f, err := os.Open(filepath.Join(dir, "receipt-1.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receipt.Scan(img); err != nil || got != link {
		t.Errorf("the code reads %q, %v", got, err)
	}
}

// TestPages: a list longer than a page goes on, and nothing of it is lost.
func TestPages(t *testing.T) {
	var d paper.Doc
	for range 120 {
		d.Pair("内容", "不多不少的一行", 24)
	}
	sheet, err := paper.Lay(d, rareFace(t), paper.StyleFor(paper.DotsA4))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := Encode(sheet)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "long.pdf")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if text := tool(t, "pdftotext", file, "-"); strings.Count(text, "不多不少的一行") != 120 {
		t.Errorf("%d lines of 120", strings.Count(text, "不多不少的一行"))
	}
	if info := tool(t, "pdfinfo", file); !strings.Contains(info, "Pages:           3") {
		t.Errorf("pages: %s", info)
	}
}

// TestSubset: the font that is made is one that a font parser takes, and its shapes are where the originals are.
func TestSubset(t *testing.T) {
	face := rareFace(t)
	runes := []rune("便民Ag0，" + rareNames + "便")
	f, err := sfnt.Parse(subset(face, runes))
	if err != nil {
		t.Fatal(err)
	}
	made, err := paper.FontGlyphs(subset(face, runes))
	if err != nil {
		t.Fatal(err)
	}
	if n := f.NumGlyphs(); n != 12 {
		t.Errorf("%d glyphs", n)
	}
	for _, r := range runes {
		was, ok := face.Outline(r)
		if !ok {
			t.Fatalf("%c is in no font here", r)
		}
		is, ok := made.Glyph(r)
		if !ok || is.Advance.Round() != was.Advance.Round() {
			t.Errorf("%c: %v, advance %v, want %v", r, ok, is.Advance, was.Advance)
			continue
		}
		a, b := sfnt.Segments(was.Segments).Bounds(), sfnt.Segments(is.Segments).Bounds()
		const near = 3 * 64 // control points stand out differently
		for _, d := range []int{int(a.Min.Y - b.Min.Y), int(a.Max.Y - b.Max.Y), int(a.Min.X - b.Min.X), int(a.Max.X - b.Max.X)} {
			if d > 40*64 || d < -40*64 || r == '民' && (d > near || d < -near) {
				t.Errorf("%c: box %v, was %v", r, b, a)
			}
		}
	}
}

// BenchmarkPDF is a receipt as PDF, with its font made for it.
func BenchmarkPDF(b *testing.B) {
	face := rareFace(b)
	d := sample(b)
	size := 0
	for b.Loop() {
		sheet, err := paper.Lay(d, face, paper.StyleFor(paper.DotsA4))
		if err != nil {
			b.Fatal(err)
		}
		raw, err := Encode(sheet)
		if err != nil {
			b.Fatal(err)
		}
		size = len(raw)
	}
	b.ReportMetric(float64(size), "bytes")
}
