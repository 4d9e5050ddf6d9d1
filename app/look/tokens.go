package look

import (
	"strings"

	"fyne.io/fyne/v2"
)

// Mode is how the interface looks: standard or old-age sizes, normal colours or high contrast. The zero value is the
// standard look.
type Mode struct {
	Elder        bool // Elder is 长辈版: larger text, larger touch targets, wider lines
	HighContrast bool // HighContrast is light text on black with thick borders
}

// The looks people choose between.
var (
	Standard          = Mode{}
	Elder             = Mode{Elder: true}
	HighContrast      = Mode{HighContrast: true}
	HighContrastElder = Mode{Elder: true, HighContrast: true}
)

// Modes lists every look, for settings screens and tests.
func Modes() []Mode { return []Mode{Standard, Elder, HighContrast, HighContrastElder} }

// String returns the name under which the mode is kept in settings: standard, elder, contrast or contrast-elder.
func (m Mode) String() string {
	switch m {
	case Elder:
		return "elder"
	case HighContrast:
		return "contrast"
	case HighContrastElder:
		return "contrast-elder"
	default:
		return "standard"
	}
}

// ParseMode returns the mode String names; Standard for a name it does not know.
func ParseMode(name string) Mode {
	for _, m := range Modes() {
		if m.String() == strings.TrimSpace(name) {
			return m
		}
	}
	return Standard
}

// Tokens are the measures of one mode, in Fyne's device-independent pixels.
type Tokens struct {
	Body, Label, Title, PageTitle float32 // text sizes
	LineSpacing                   float32 // distance of two base lines, as a multiple of the text size
	Touch                         float32 // least width and height of anything that is tapped
	Field                         float32 // height of a one-line input
	Grid                          float32 // the unit of every distance
	Radius                        float32 // corner radius of cards, fields and buttons
	Border                        float32 // thickness of lines around cards and fields
	Focus                         float32 // thickness of the ring around the part that has the keyboard
	TopBar                        float32 // height of the bar at the top
	Rail                          float32 // width of the navigation at the left
	Icon                          float32 // icon beside text
	TileIcon                      float32 // icon of a home tile
}

// ColumnWidth is the greatest width of a screen's content: longer lines of Chinese are hard to follow.
const ColumnWidth float32 = 1100

// Tokens returns the measures of m. Sizes, line spacing and touch targets follow the old-age rules for public service
// programs (text ≥ 18, targets ≥ 60, line spacing ≥ 1.3).
func (m Mode) Tokens() Tokens {
	t := Tokens{
		Body: 16, Label: 14, Title: 20, PageTitle: 28, LineSpacing: 1.3, Touch: 44, Field: 48, Grid: 8,
		Radius: 8, Border: 1, Focus: 3, TopBar: 64, Rail: 92, Icon: 22, TileIcon: 40,
	}
	if m.Elder {
		t = Tokens{
			Body: 22, Label: 20, Title: 28, PageTitle: 36, LineSpacing: 1.5, Touch: 60, Field: 64, Grid: 12,
			Radius: 10, Border: 1, Focus: 4, TopBar: 80, Rail: 120, Icon: 28, TileIcon: 56,
		}
	}
	if m.HighContrast {
		t.LineSpacing, t.Touch, t.Field, t.Grid, t.Radius, t.Border, t.Focus = 1.5, 60, 64, 12, 0, 2, 4
		t.TopBar, t.Rail = max(t.TopBar, 80), max(t.Rail, 108)
	}
	return t
}

// Gap is a distance between parts, in steps of the grid.
type Gap int

// Distances. A step is 8 pixels, 12 in the old-age sizes and in high contrast.
const (
	Gap0 Gap = iota // none
	GapH            // half a step: lines that belong together
	Gap1            // one step: parts of one thing
	Gap2            // two steps: things in a group
	Gap3            // three steps: groups
	Gap4            // four steps: sections of a page
)

// Size returns the distance in pixels in the mode of the moment.
func (g Gap) Size() float32 {
	grid := Measures().Grid
	switch g {
	case Gap0:
		return 0
	case GapH:
		return grid / 2
	case Gap1, Gap2, Gap3, Gap4:
		return grid * float32(g-GapH)
	default:
		return grid
	}
}

// now is the mode of the moment and a count that grows whenever texts have to be measured again.
var now struct {
	mode       Mode
	generation uint64
}

// Current returns the mode of the moment.
func Current() Mode { return now.mode }

// Measures returns the tokens of the mode of the moment.
func Measures() Tokens { return now.mode.Tokens() }

// Set makes app look like m, at once and in every open window.
func Set(app fyne.App, m Mode) {
	installRare()
	now.mode = m
	now.generation++
	app.Settings().SetTheme(Theme{mode: m})
}
