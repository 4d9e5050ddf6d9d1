// Package fonts carries the interface typeface, so that no font of the host is ever needed.
//
// Bianmin Sans SC is cut from Noto Sans CJK SC by packaging/fonts/build.sh: the 8105 characters of the Table of
// General Standard Chinese Characters (通用规范汉字表, State Council 2013), Latin-1, pinyin vowels, punctuation and the
// symbols the screens use. Licence: SIL Open Font License 1.1, OFL.txt beside this file.
package fonts

import _ "embed"

// Regular is the text weight, an OpenType font with CFF outlines. Callers must not change the bytes.
//
//go:embed BianminSansSC-Regular.otf
var Regular []byte

// Bold is the weight of titles and buttons, with the same characters as Regular. Callers must not change the bytes.
//
//go:embed BianminSansSC-Bold.otf
var Bold []byte

// Licence is the text of the SIL Open Font License with the copyright lines of the original.
//
//go:embed OFL.txt
var Licence string
