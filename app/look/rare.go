package look

import (
	"bytes"
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync"
	_ "unsafe" // for go:linkname: docs/decisions/070-rare-glyphs.md

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"
	"github.com/go-text/typesetting/shaping"

	"fyne.io/fyne/v2"
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

// painterShaper keeps what it learned of every font it ever shaped with, and with that the font.
//
//go:linkname painterShaper fyne.io/fyne/v2/internal/painter.shaper
var painterShaper *shaping.HarfbuzzShaper

// mostShown bounds how many rare characters Fyne has fonts for: about 10 KB each, and Fyne goes through them one by one. When
// there are more, the half that was not needed for longest goes.
const mostShown = 512

var prepared = struct {
	sync.Mutex
	fonts *fontscan.FontMap
	used  map[rune]uint64 // when it was needed last
	now   uint64
	full  func()
}{used: map[rune]uint64{}}

// SetOnRareFull sets what is called when fonts of rare characters went to make room: fn has [Renew] called soon, not at once,
// as it is called in the middle of measuring and drawing. nil does nothing.
func SetOnRareFull(fn func()) {
	prepared.Lock()
	defer prepared.Unlock()
	prepared.full = fn
}

// Renew lets Fyne drop the fonts that went, and has everything drawn anew, which brings back those that are needed. UI
// goroutine only.
func Renew(app fyne.App) {
	painterShaper = &shaping.HarfbuzzShaper{}
	app.Settings().SetTheme(app.Settings().Theme())
}

// installRare makes Fyne take what the interface font lacks from here. It is called once, before the first text is shown;
// more calls do nothing.
func installRare() {
	prepared.Lock()
	defer prepared.Unlock()
	if prepared.fonts == nil {
		install(fontscan.NewFontMap(quiet{}))
	}
}

// install gives Fyne an index; prepared is held.
func install(fonts *fontscan.FontMap) {
	prepared.fonts = fonts
	painterLock.Lock()
	defer painterLock.Unlock()
	painterFonts, painterLoaded = fonts, true
	if foreign {
		if err := systemFonts(fonts); err != nil {
			slog.Warn("fonts of the system", slog.Any("error", err))
		}
	}
}

// PrepareText makes sure that Fyne can show text: for each character that the interface font lacks it gets a font of that one
// glyph. A text without such characters costs next to nothing. Parts call it whenever they measure or draw. Any goroutine may
// call it.
func PrepareText(text string) {
	for _, r := range text {
		if glyph.Lacks(r) {
			prepare(r)
		} else if glyph.Foreign(r) {
			others()
		}
	}
}

func prepare(r rune) {
	prepared.Lock()
	if prepared.fonts == nil {
		install(fontscan.NewFontMap(quiet{}))
	}
	prepared.now++
	_, known := prepared.used[r]
	prepared.used[r] = prepared.now
	full := func() {}
	switch {
	case known:
	case len(prepared.used) > mostShown:
		makeRoom()
		if prepared.full != nil {
			full = prepared.full
		}
	default:
		add(r)
	}
	prepared.Unlock()
	full()
}

// makeRoom begins a new index with the characters that were needed last; prepared is held.
func makeRoom() {
	runes := slices.SortedFunc(maps.Keys(prepared.used), func(a, b rune) int { return cmp.Compare(prepared.used[b], prepared.used[a]) })
	for _, r := range runes[mostShown/2:] {
		delete(prepared.used, r)
	}
	install(fontscan.NewFontMap(quiet{}))
	for _, r := range runes[:mostShown/2] {
		add(r)
	}
}

// add puts the font of one character into the index; prepared is held.
func add(r rune) {
	face, err := font.ParseTTF(bytes.NewReader(glyph.System().Font(string(r))))
	if err != nil {
		slog.Error("font of a rare character", slog.Any("error", err))
		return
	}
	painterLock.Lock()
	defer painterLock.Unlock()
	prepared.fonts.AddFace(face, fontscan.Location{File: string(r)}, font.Description{
		Family: "bianminrare", Aspect: font.Aspect{Style: font.StyleNormal, Weight: font.WeightNormal, Stretch: font.StretchNormal},
	})
}

// quiet keeps the index from writing to the log what text it looks for.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// foreign says that texts have letters of scripts that need whole fonts; prepared is held.
var foreign bool

// others lets Fyne look into the fonts of the system after all, from the first foreign letter on.
var others = sync.OnceFunc(func() {
	prepared.Lock()
	defer prepared.Unlock()
	foreign = true
	if prepared.fonts == nil {
		install(fontscan.NewFontMap(quiet{}))
		return
	}
	painterLock.Lock()
	defer painterLock.Unlock()
	if err := systemFonts(prepared.fonts); err != nil {
		slog.Warn("fonts of the system", slog.Any("error", err))
	}
})
