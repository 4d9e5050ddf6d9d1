//go:build test

package look

import "github.com/go-text/typesetting/fontscan"

// systemFonts does nothing in tests, as Fyne does: what they measure must not depend on the machine.
func systemFonts(*fontscan.FontMap) error { return nil }
