package look

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"bianmin/assets/fonts"
)

var (
	regularFont = fyne.NewStaticResource("BianminSansSC-Regular.otf", fonts.Regular)
	boldFont    = fyne.NewStaticResource("BianminSansSC-Bold.otf", fonts.Bold)
)

// Theme gives Fyne's own widgets the colours, sizes and typeface of a mode. Set installs it; tests may use it alone.
type Theme struct{ mode Mode }

var _ fyne.Theme = Theme{}

// NewTheme returns the theme of m.
func NewTheme(m Mode) Theme { return Theme{mode: m} }

// Font returns the bundled typeface: bold for bold, regular for everything else. There is no slanted and no separate
// monospaced face; digits are all equally wide.
func (t Theme) Font(style fyne.TextStyle) fyne.Resource {
	if style.Bold {
		return boldFont
	}
	return regularFont
}

// Icon returns Fyne's icon; the icons of our own parts come from assets/icons.
func (t Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Color returns our colour for each of Fyne's names, the same in its light and dark variants. Names Fyne may add later
// get the text colour rather than a colour of its default theme.
func (t Theme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	c := t.mode.Color
	switch name {
	case theme.ColorNameBackground:
		return c(RoleBackground)
	case theme.ColorNameButton, theme.ColorNameInputBackground, theme.ColorNameMenuBackground,
		theme.ColorNameOverlayBackground:
		return c(RoleSurface)
	case theme.ColorNameHeaderBackground:
		return c(RoleSunken)
	case theme.ColorNameDisabledButton, theme.ColorNameInnerWindowBorderInactive, theme.ColorNameInnerWindowBorder:
		return c(RoleDisabledFill)
	case theme.ColorNameDisabled:
		return c(RoleDisabled)
	case theme.ColorNameError, theme.ColorRed:
		return c(RoleDanger)
	case theme.ColorNameFocus:
		return veil(c(RoleFocus), 0x50)
	case theme.ColorNameForeground:
		return c(RoleText)
	case theme.ColorNameForegroundOnError, theme.ColorNameForegroundOnPrimary, theme.ColorNameForegroundOnSuccess,
		theme.ColorNameForegroundOnWarning:
		return c(RoleOnPrimary)
	case theme.ColorNameHover:
		return veil(c(RolePrimary), 0x18)
	case theme.ColorNamePressed:
		return veil(c(RolePrimary), 0x30)
	case theme.ColorNameHyperlink, theme.ColorNamePrimary, theme.ColorBlue:
		return c(RolePrimary)
	case theme.ColorNameInputBorder:
		return c(RoleInputBorder)
	case theme.ColorNamePlaceHolder, theme.ColorGray:
		return c(RoleSecondary)
	case theme.ColorNameScrollBar:
		return veil(c(RoleSecondary), 0xA0)
	case theme.ColorNameScrollBarBackground:
		return veil(c(RoleBorder), 0x60)
	case theme.ColorNameSelection:
		return veil(c(RolePrimary), 0x48)
	case theme.ColorNameSeparator:
		return c(RoleBorder)
	case theme.ColorNameShadow:
		return veil(rgb(0x0B1A2B), 0x22)
	case theme.ColorNameSuccess, theme.ColorGreen:
		return c(RoleSuccess)
	case theme.ColorNameWarning, theme.ColorOrange, theme.ColorYellow, theme.ColorBrown:
		return c(RoleWarning)
	default:
		return c(RoleText)
	}
}

// Size returns our measure for each of Fyne's names.
func (t Theme) Size(name fyne.ThemeSizeName) float32 {
	m := t.mode.Tokens()
	switch name {
	case theme.SizeNameText:
		return m.Body
	case theme.SizeNameCaptionText:
		return m.Label
	case theme.SizeNameSubHeadingText:
		return m.Title
	case theme.SizeNameHeadingText:
		return m.PageTitle
	case theme.SizeNamePadding:
		return m.Grid / 2
	case theme.SizeNameInnerPadding:
		return (m.Field - ceil(m.Body*naturalLine)) / 2
	case theme.SizeNameLineSpacing:
		return m.Body * (m.LineSpacing - 1)
	case theme.SizeNameInlineIcon:
		return m.Icon
	case theme.SizeNameScrollBar:
		return m.Grid * 2
	case theme.SizeNameScrollBarSmall:
		return m.Grid * 3 / 4
	case theme.SizeNameSeparatorThickness, theme.SizeNameSplitThickness:
		return m.Border
	case theme.SizeNameInputBorder:
		return max(m.Border, 1)
	case theme.SizeNameInputRadius, theme.SizeNameButtonRadius, theme.SizeNameCardRadius, theme.SizeNamePopupRadius,
		theme.SizeNameMenuRadius, theme.SizeNameDialogRadius, theme.SizeNameInnerWindowRadius:
		return m.Radius
	case theme.SizeNameSelectionRadius, theme.SizeNameScrollBarRadius:
		return m.Radius / 2
	default:
		return theme.DefaultTheme().Size(name)
	}
}

// naturalLine is the line height of the bundled typeface as a multiple of the text size (packaging/fonts/subset.py).
const naturalLine = 1.3
