package look

import (
	"bytes"
	"log/slog"
	"sync"
	_ "unsafe" // for go:linkname: docs/decisions/070-rare-glyphs.md

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"

	_ "fyne.io/fyne/v2/canvas" // pulls in Fyne's painter, whose fallback this takes over

	"bianmin/offline/glyph"
)

// Fyne looks for what a theme's font lacks in an index of all fonts of the system and then holds the whole of a font in
// memory: HanaMinB is 31 MB, and reading the index at the start takes seconds. These are its index, whether it was made, and
// their lock (fyne.io/fyne/v2/internal/painter/font.go). TestFyneAsksUs fails when a newer Fyne names them otherwise.

//go:linkname painterFonts fyne.io/fyne/v2/internal/painter.fm
var painterFonts *fontscan.FontMap

//go:linkname painterLoaded fyne.io/fyne/v2/internal/painter.loaded
var painterLoaded bool

//go:linkname painterLock fyne.io/fyne/v2/internal/painter.fontScanLock
var painterLock sync.Mutex

var prepared = struct {
	sync.Mutex
	fonts *fontscan.FontMap
	runes map[rune]bool
}{runes: map[rune]bool{}}

// installRare makes Fyne take what the interface font lacks from here. It is called once, before the first text is shown;
// more calls do nothing.
func installRare() {
	prepared.Lock()
	defer prepared.Unlock()
	install()
}

func install() {
	if prepared.fonts != nil {
		return
	}
	prepared.fonts = fontscan.NewFontMap(quiet{})
	painterLock.Lock()
	painterFonts, painterLoaded = prepared.fonts, true
	painterLock.Unlock()
}

// PrepareText makes sure that Fyne can show text: for each character that the interface font lacks it gets a font of that one
// glyph, once. A text without such characters costs next to nothing. Any goroutine may call it.
func PrepareText(text string) {
	for _, r := range text {
		if !glyph.Lacks(r) {
			if glyph.Foreign(r) {
				others()
			}
			continue
		}
		prepared.Lock()
		if !prepared.runes[r] {
			install()
			prepared.runes[r] = true
			face, err := font.ParseTTF(bytes.NewReader(glyph.System().Font(string(r))))
			if err != nil {
				slog.Error("font of a rare character", slog.Any("error", err))
			} else {
				painterLock.Lock()
				prepared.fonts.AddFace(face, fontscan.Location{File: string(r)}, font.Description{
					Family: "bianminrare", Aspect: font.Aspect{Style: font.StyleNormal, Weight: font.WeightNormal, Stretch: font.StretchNormal},
				})
				painterLock.Unlock()
			}
		}
		prepared.Unlock()
	}
}

// quiet keeps the index from writing to the log what text it looks for.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// others lets Fyne look into the fonts of the system after all, from the first foreign letter on.
var others = sync.OnceFunc(func() {
	prepared.Lock()
	defer prepared.Unlock()
	install()
	painterLock.Lock()
	defer painterLock.Unlock()
	if err := systemFonts(prepared.fonts); err != nil {
		slog.Warn("fonts of the system", slog.Any("error", err))
	}
})
