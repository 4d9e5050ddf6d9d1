//go:build !test

package look

import "github.com/go-text/typesetting/fontscan"

// systemFonts adds all fonts of the machine to an index, as Fyne does.
func systemFonts(m *fontscan.FontMap) error { return m.UseSystemFonts("") }
