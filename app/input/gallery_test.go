package input

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"bianmin/app/input/ink"
	"bianmin/app/look"
)

// noon is the time of every test.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func banks(n int) []Option {
	out := make([]Option, n)
	for i := range out {
		out[i] = Option{Value: fmt.Sprintf("B%05d", i), Label: fmt.Sprintf("清水镇第%d信用社", i), Find: fmt.Sprintf("qszd%dxys", i)}
	}
	return out
}

// county is a small made-up country: 99 with two cities, each division below with up to three children.
type county struct{}

var countyNames = map[string]string{
	"99": "样本省", "9999": "样本市", "9998": "邻近市", "999999": "石桥县", "999998": "柳河县",
	"999999101": "清水镇", "999999102": "青山镇", "999999101201": "石桥村", "999999101202": "柳树村", "999999101203": "大槐树村",
}

var countyChildren = map[string][]string{
	"": {"99"}, "99": {"9999", "9998"}, "9999": {"999999", "999998"}, "999999": {"999999101", "999999102"},
	"999999101": {"999999101201", "999999101202", "999999101203"},
}

func (county) Children(code string) []Division {
	var out []Division
	for _, c := range countyChildren[code] {
		out = append(out, Division{c, countyNames[c]})
	}
	return out
}

func (county) Path(code string) []Division {
	var out []Division
	for _, n := range []int{2, 4, 6, 9, 12} {
		if len(code) < n {
			break
		}
		if name, ok := countyNames[code[:n]]; ok {
			out = append(out, Division{code[:n], name})
		}
	}
	if _, ok := countyNames[code]; !ok {
		return nil
	}
	return out
}

func (county) Search(q string, n int) []Division {
	var out []Division
	for _, code := range []string{"999999101", "999999101201", "999999101202", "999999101203"} {
		if strings.Contains(countyNames[code], q) && len(out) < n {
			out = append(out, Division{code, countyNames[code]})
		}
	}
	return out
}

func signature() Strokes {
	s := Strokes{Width: 9000, Height: 2700}
	add := func(points ...ink.Point) {
		t := int32(len(s.Lines) * 400)
		for i := range points {
			points[i][2] = t + int32(i)*30
		}
		s.Lines = append(s.Lines, points)
	}
	add(ink.Point{2600, 700}, ink.Point{3000, 690}, ink.Point{3500, 670})
	add(ink.Point{2700, 1200}, ink.Point{3100, 1180}, ink.Point{3450, 1170})
	add(ink.Point{2450, 1750}, ink.Point{3000, 1730}, ink.Point{3700, 1690})
	add(ink.Point{3050, 700}, ink.Point{3060, 1200}, ink.Point{3030, 1740})
	add(ink.Point{4500, 600}, ink.Point{4750, 900}, ink.Point{4700, 1300}, ink.Point{4400, 1700}, ink.Point{4200, 1800})
	add(ink.Point{4350, 900}, ink.Point{4800, 800}, ink.Point{5200, 760})
	add(ink.Point{4700, 1150}, ink.Point{5000, 1450}, ink.Point{5350, 1650}, ink.Point{5650, 1700})
	return s
}

func sample() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 320, 220))
	for y := range 220 {
		for x := range 320 {
			m.Set(x, y, color.RGBA{uint8(180 + x/8), uint8(200 + y/8), 230, 255})
		}
	}
	return m
}

type gallery struct {
	fields []Field
	page   *Scroll
}

func newGallery() *gallery {
	g := &gallery{}
	frame := func(label string, f Field, value string) *look.FieldFrame {
		if value != "" {
			f.SetText(value)
		}
		g.fields = append(g.fields, f)
		return look.NewFieldFrame(label, f)
	}
	name := frame("姓名", NewText(25), "阿依古丽·买买提")
	name.SetSource("公安人口库 · 2026-11-01")
	g.fields[0].SetReadOnly(true)
	bank := frame("银行卡号", NewBankCard(), "622202000111222333")
	bank.SetError("卡号少了 1 位，请对照卡片再核对一遍。")
	g.fields[1].SetFaulty(true)
	money := NewMoney()
	money.SetFen(123456789)
	long := NewLongText(0)
	long.SetText("家中老房漏雨，请帮助联系维修。\n老人腿脚不便，希望上门办理。")
	who := NewChoiceOne(Option{Value: "self", Label: "本人办理"}, Option{Value: "helper", Label: "代办", Help: "需要代办人身份证"})
	place := NewDivisionPicker(county{}, 5)
	open := NewChoiceOne(banks(40)...)
	photo := NewPhotoCard(true)
	photo.SetPhoto(sample(), "户口簿首页.jpg", "1.2 MB · 清晰")
	pad := NewSignaturePad(noon)
	pad.SetStrokes(signature())
	pin := NewPINPad(6, 6)
	pin.TypedRune('1')
	pin.TypedRune('2')
	steps := NewStepper(1, 9)
	steps.SetValue(3)
	g.page = NewScroll(look.Column(look.VStack(look.Gap3,
		look.Card(name, frame("公民身份号码", NewID(), "999999194102030021"), frame("手机号码", NewPhone(), "13800138000"), bank,
			frame("金额", money, ""), frame("出生日期", NewDate(noon), "1941-02-03"), frame("情况说明", long, "")),
		look.Card(frame("办理方式", who, "helper"), frame("困难类型", NewChoiceMany(
			Option{Value: "a", Label: "低保"}, Option{Value: "b", Label: "特困"}, Option{Value: "c", Label: "重度残疾"}), "a,c"),
			frame("开户网点", open, "B00003"), frame("户籍地", place, "999999101201"), look.NewFieldFrame("份数", steps)),
		look.Card(look.Title("户口簿"), photo, look.Line(), NewPhotoCard(true)),
		look.Card(frame("申请人签名", pad, ""), NewSignaturePad(noon)),
		look.Card(pin),
	)))
	open.Search("1")
	place.open(true)
	return g
}

func TestGalleryInEveryMode(t *testing.T) {
	for _, m := range look.Modes() {
		t.Run(m.String(), func(t *testing.T) {
			app := test.NewTempApp(t)
			look.Set(app, m)
			g := newGallery()
			w := test.NewTempWindow(t, look.Frame(nil, nil, g.page, nil))
			w.SetPadded(false)
			w.Resize(fyne.NewSize(1100, 1200))
			content := g.page.Content()
			if content.Size().Width > g.page.Size().Width {
				t.Errorf("content is %.0f wide in a page of %.0f", content.Size().Width, g.page.Size().Width)
			}
			dir := os.Getenv("BIANMIN_SHOTS")
			for n := range 3 {
				if dir == "" { // painting takes seconds; without a folder to look into only the layout is checked
					break
				}
				var out bytes.Buffer
				if err := png.Encode(&out, w.Canvas().Capture()); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("input-%s-%d.png", m, n+1)), out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				g.page.PageBy(1)
			}
			g.page.Top()
			g.page.PageBy(1)
			if g.page.Offset() <= 0 {
				t.Error("the gallery does not scroll")
			}
		})
	}
}
