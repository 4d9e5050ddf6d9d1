// Package glyph draws the characters that the interface font lacks: rare ones of people's names, of which there are more than
// 90,000.
//
// The outline of one character is read from a large font found on the machine (fonts-hanazono on Debian; others when it is
// not there), without loading the font: only its index and that glyph. Outlines are kept, so each is read once.
//
//   - Screens: look.PrepareText hands Fyne a font of one glyph before the text is shown.
//   - Pictures (thermal slips, PNG): [Source.Face], [Outline.Draw] or [Outline.Path].
//   - PDF: [Source.Font] makes a small TrueType font of just the characters of a text.
//
// What no font has gets a box with its code point in it, so that it can still be told apart.
package glyph
