package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"bianmin/assets/fonts"
)

// Papers puts photos of sample papers into dir, for a camera in software. Nothing is on them that is somebody's.
func Papers(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("demo: sample papers: %w", err)
	}
	for n := 1; n <= 2; n++ {
		path := filepath.Join(dir, fmt.Sprintf("paper-%d.jpg", n))
		if _, err := os.Stat(path); err == nil {
			continue
		}
		raw, err := Paper(n)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			return fmt.Errorf("demo: sample papers: %w", err)
		}
	}
	return nil
}

// Paper draws page n of a sample paper as a camera sees it that looks down on a desk, as a JPEG file.
func Paper(n int) ([]byte, error) {
	f, err := opentype.Parse(fonts.Regular)
	if err != nil {
		return nil, fmt.Errorf("demo: sample paper: %w", err)
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 34, DPI: 72})
	if err != nil {
		return nil, fmt.Errorf("demo: sample paper: %w", err)
	}
	img := image.NewRGBA(image.Rect(0, 0, 1600, 1200))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{72, 62, 54, 255}), image.Point{}, draw.Src)
	page := image.Rect(180, 130, 1420, 1070)
	draw.Draw(img, page, image.NewUniform(color.RGBA{226, 224, 218, 255}), image.Point{}, draw.Src)
	d := font.Drawer{Dst: img, Src: image.NewUniform(color.RGBA{38, 38, 46, 255}), Face: face}
	d.Dot = fixed.P(page.Min.X+90, page.Min.Y+90)
	d.DrawString(fmt.Sprintf("样例材料 · 第 %d 页 · 仅供演示", n))
	for i := range 12 {
		d.Dot = fixed.P(page.Min.X+90, page.Min.Y+170+i*58)
		d.DrawString(fmt.Sprintf("%d.  示范县清河镇柳树村便民服务站  演示用文字，不属于任何人", i+1))
	}
	r := rand.New(rand.NewPCG(1, uint64(n))) // the grain of a sensor
	for i := range img.Pix {
		if i%4 != 3 {
			img.Pix[i] = uint8(max(0, min(255, float64(img.Pix[i])+r.NormFloat64()*3)))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88}); err != nil {
		return nil, fmt.Errorf("demo: sample paper: %w", err)
	}
	return out.Bytes(), nil
}
