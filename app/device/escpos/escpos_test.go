package escpos

import (
	"bytes"
	"encoding/hex"
	"errors"
	"image"
	"testing"
	"time"

	"bianmin/assets/fonts"
	"bianmin/offline/paper"
	"bianmin/offline/receipt"
)

// TestBytes: a picture of 16 by 3 dots, byte by byte.
func TestBytes(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 16, 3))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	img.Pix[0], img.Pix[15], img.Pix[16+8] = 0, 0, 0
	got, err := Encode(img)
	if err != nil {
		t.Fatal(err)
	}
	const want = "1b40" + "1d7630000200030080010080" + "0000" + "1d564218"
	if hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
	img.Pix[5] = 0x80
	if _, err := Encode(img); !errors.Is(err, ErrPicture) {
		t.Errorf("grey: %v", err)
	}
	if _, err := Encode(image.NewGray(image.Rect(0, 0, 12, 3))); !errors.Is(err, ErrPicture) {
		t.Errorf("odd width: %v", err)
	}
	high, err := Bands(image.NewGray(image.Rect(0, 0, 384, 2*BandRows+1)))
	if err != nil || len(high) != 3 || !bytes.Equal(high[2][:8], []byte{0x1d, 'v', '0', 0, 48, 0, 1, 0}) {
		t.Errorf("%d bands, %v", len(high), err)
	}
}

// TestStatus: what the simulator says is read as it was meant, and noise is no answer.
func TestStatus(t *testing.T) {
	for _, want := range []Status{
		{},
		{Offline: true},
		{Offline: true, CoverOpen: true},
		{Offline: true, PaperOut: true, PaperLow: true},
		{PaperLow: true},
		{Offline: true, Cutter: true},
		{Offline: true, Hot: true},
		{Offline: true, Broken: true},
	} {
		var got Status
		for _, q := range Questions {
			if !got.Read(q, want.Byte(q)) {
				t.Errorf("%+v: answer %02x to %d is none", want, want.Byte(q), q)
			}
		}
		if got != want {
			t.Errorf("read %+v, want %+v", got, want)
		}
	}
	var s Status
	for _, b := range []byte{0, 0xff, 0x10, 0x93, 'A', 0x11, 0x13} {
		if s.Read(AskPrinter, b) || s != (Status{}) {
			t.Errorf("%02x is an answer", b)
		}
	}
	// The examples of the reference: online, offline by an open cover, paper at its end.
	if s.Read(AskPrinter, 0x12); s.Offline {
		t.Error("online")
	}
	if s.Read(AskOffline, 0x16); s.Trouble() != "print.coverOpen" {
		t.Error("cover")
	}
	s = Status{}
	if s.Read(AskPaper, 0x72); s.Trouble() != "print.paperOut" {
		t.Error("paper")
	}
}

// BenchmarkSlip is a receipt from its words to the bytes for the printer: laid out, drawn, encoded. Its floor is copying those
// bytes once.
func BenchmarkSlip(b *testing.B) {
	face, err := paper.NewFace(fonts.Regular, nil)
	if err != nil {
		b.Fatal(err)
	}
	code, err := receipt.QR("https://fw.example.gov.cn/r#0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", receipt.LevelM)
	if err != nil {
		b.Fatal(err)
	}
	text := receipt.SlipText{
		Org: "清水镇垌心村便民服务站", Title: "收件回执",
		Lines: []receipt.SlipLine{{Label: "事项", Value: "城乡居民基本养老保险参保登记变更"}, {Label: "申请人", Value: "欧阳*华"}, {Label: "收件时间", Value: "2026年11月22日 14:02"}, {Label: "承诺办结", Value: "2026年12月12日"}},
		Note:  "本回执证明本站已收下您的材料。平台是否受理，以《受理通知书》为准。", Scan: "手机扫码，核验真伪、查看进度",
		Under: []receipt.SlipLine{{Label: "回执号", Value: "7-1043-5"}, {Label: "网址", Value: "fw.example.gov.cn"}, {Label: "电话", Value: "0999-8800001"}},
	}
	size := 0
	var floor, whole time.Duration
	for b.Loop() {
		from := time.Now()
		sheet, err := paper.Lay(receipt.SlipDoc(text, code), face, paper.StyleFor(paper.Dots58))
		if err != nil {
			b.Fatal(err)
		}
		img, err := sheet.Raster()
		if err != nil {
			b.Fatal(err)
		}
		raw, err := Encode(img)
		if err != nil {
			b.Fatal(err)
		}
		whole += time.Since(from)
		from = time.Now()
		size = len(bytes.Clone(raw))
		floor += time.Since(from)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(size), "bytes")
	b.ReportMetric(whole.Seconds()*1e3/float64(b.N), "ms/slip")
	b.ReportMetric(floor.Seconds()*1e3/float64(b.N), "ms/floor")
}
