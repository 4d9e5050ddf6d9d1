package glyph

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"bianmin/assets/fonts"
)

// Em is the units of an outline across a full-width character.
const Em = 1000

// Where a character of Em reaches above and below the base line.
const (
	ascent  = 880
	descent = -120
)

// Point is a place in an outline: to the right and up from the left end of the base line, in units of Em.
type Point struct{ X, Y float32 }

// Op says what a Segment does.
type Op uint8

// The operations.
const (
	Move  Op = iota // to P[0]; begins a contour
	Line            // to P[0]
	Quad            // by P[0] to P[1]
	Cubic           // by P[0] and P[1] to P[2]
)

// Segment is a piece of a contour.
type Segment struct {
	Op Op
	P  [3]Point
}

// Outline is the form of a character. Contours are closed; overlaps add (non-zero winding).
type Outline struct {
	Rune     rune
	Advance  float32 // width, in units of Em
	Segments []Segment
	Found    bool // false: no font has it, the outline is a box with the code point
}

// family are fonts that have many rare characters, best first: parts of their file names in small letters. Files that match
// none are not opened: an office machine has hundreds.
var family = []string{
	"hanamin", "hanazono", "simsun-extb", "simsunextb", "simsunb", "simsun-extg", "simsunextg", "plangothic", "tianheng", "twfortyfive", "bz-ming",
	"jigmo", "fandolsong", "notoserifcjk", "notosanscjk", "sourcehan", "wqy", "uming", "ukai", "arphic",
}

// Source finds outlines in the fonts of some folders. It is safe for concurrent use.
type Source struct {
	dirs []string

	mu    sync.Mutex
	faces []*face // nil until the folders were searched
	found bool
	kept  map[rune]*Outline
	buf   sfnt.Buffer
}

// mostKept bounds the outlines that are kept: about 4 KB each.
const mostKept = 1024

// face is a font whose file stays open, as its font reads from it; only its index is in memory.
type face struct {
	path string
	thin bool // set like a book
	font *sfnt.Font
}

// NewSource returns a source that looks into dirs.
func NewSource(dirs ...string) *Source { return &Source{dirs: dirs, kept: map[rune]*Outline{}} }

// System is the source over the font folders of this machine.
var System = sync.OnceValue(func() *Source { return NewSource(folders()...) })

// folders are where fonts lie.
func folders() []string {
	out := []string{"/usr/share/fonts", "/usr/local/share/fonts"}
	if home, err := os.UserHomeDir(); err == nil {
		out = append(out, filepath.Join(home, ".fonts"), filepath.Join(home, ".local/share/fonts"))
	}
	if root := os.Getenv("SystemRoot"); root != "" {
		out = append(out, filepath.Join(root, "Fonts"))
	}
	if local := os.Getenv("LOCALAPPDATA"); local != "" {
		out = append(out, filepath.Join(local, "Microsoft", "Windows", "Fonts"))
	}
	return out
}

// Files returns the font files that rare characters are taken from, in the order they are asked.
func (s *Source) Files() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search()
	var out []string
	for _, f := range s.faces {
		if len(out) == 0 || out[len(out)-1] != f.path {
			out = append(out, f.path)
		}
	}
	return out
}

// search opens the fonts; mu is held.
func (s *Source) search() {
	if s.found {
		return
	}
	s.found = true
	type file struct {
		path string
		rank int
	}
	var files []file
	seen := map[string]bool{}
	for _, dir := range s.dirs {
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // a folder that cannot be read has no fonts
			}
			name := strings.ToLower(d.Name())
			if !slices.Contains([]string{".ttf", ".otf", ".ttc", ".otc"}, filepath.Ext(name)) || strings.Contains(name, "bold") || seen[name] {
				return nil
			}
			for rank, f := range family {
				if strings.Contains(name, f) {
					seen[name] = true
					files = append(files, file{path, rank})
					break
				}
			}
			return nil
		})
	}
	slices.SortFunc(files, func(a, b file) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.path, b.path)
	})
	for _, f := range files {
		s.faces = append(s.faces, open(f.path)...)
	}
}

// open opens the first font of a file: those of a collection differ in customs, hardly in what they have.
func open(path string) []*face {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	font, err := parse(file)
	if err != nil {
		file.Close()
		return nil
	}
	name := strings.ToLower(filepath.Base(path))
	return []*face{{path, slices.ContainsFunc(thin, func(f string) bool { return strings.Contains(name, f) }), font}}
}

func parse(r io.ReaderAt) (*sfnt.Font, error) {
	if c, err := sfnt.ParseCollectionReaderAt(r); err == nil && c.NumFonts() > 0 {
		return c.Font(0)
	}
	return sfnt.ParseReaderAt(r)
}

// Outline returns the form of a character: of the interface font when it has it, else of a large font, else a box.
func (s *Source) Outline(r rune) *Outline {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.kept[r]; ok {
		return o
	}
	o := s.read(r)
	if len(s.kept) >= mostKept {
		clear(s.kept)
	}
	s.kept[r] = o
	return o
}

func (s *Source) read(r rune) *Outline {
	if f := base(); f != nil {
		if o, err := outline(f, &s.buf, r); err == nil {
			return o
		}
	}
	s.search()
	for _, f := range s.faces {
		if o, err := outline(f.font, &s.buf, r); err == nil {
			if f.thin {
				o.heavier(heavierX, heavierY)
			}
			return o
		}
	}
	return box(r)
}

// Has reports whether some font on the machine has the character.
func (s *Source) Has(r rune) bool { return s.Outline(r).Found }

var errNone = errors.New("the font has no such character")

// outline reads one glyph, in units of Em.
func outline(f *sfnt.Font, buf *sfnt.Buffer, r rune) (*Outline, error) {
	x, err := f.GlyphIndex(buf, r)
	if err != nil {
		return nil, err
	}
	if x == 0 {
		return nil, errNone
	}
	const scale = Em << 6 // 26.6: one unit of Em is one pixel
	segments, err := f.LoadGlyph(buf, x, scale, nil)
	if err != nil {
		return nil, err
	}
	o := &Outline{Rune: r, Found: true, Segments: make([]Segment, len(segments))}
	point := func(p fixed.Point26_6) Point { return Point{float32(p.X) / 64, -float32(p.Y) / 64} }
	for i, s := range segments {
		d := &o.Segments[i]
		d.P = [3]Point{point(s.Args[0]), point(s.Args[1]), point(s.Args[2])}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			d.Op = Move
		case sfnt.SegmentOpLineTo:
			d.Op = Line
		case sfnt.SegmentOpQuadTo:
			d.Op = Quad
		case sfnt.SegmentOpCubeTo:
			d.Op = Cubic
		}
	}
	if len(o.Segments) == 0 && !unicode.IsSpace(r) {
		return nil, errNone // fonts have empty places for characters to come
	}
	advance, err := f.GlyphAdvance(buf, x, scale, 0)
	if err != nil {
		return nil, err
	}
	o.Advance = float32(advance) / 64
	return o, nil
}

// base is the interface font.
var base = sync.OnceValue(func() *sfnt.Font {
	f, err := sfnt.Parse(fonts.Regular)
	if err != nil {
		return nil
	}
	return f
})

// known says of characters whether the interface font has them: two bits each, that it was looked up and what came of it.
var known struct {
	asked, has [(unicode.MaxRune + 32) / 32]atomic.Uint32

	mu  sync.Mutex // guards buf
	buf sfnt.Buffer
}

// Lacks reports whether the interface font has no form of a character that one sees.
func Lacks(r rune) bool {
	if r < 0x2E80 || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF || !unicode.IsGraphic(r) && !private(r) && !unified(r) {
		return false
	}
	return !inBase(r)
}

func inBase(r rune) bool {
	if r < 0 || r > unicode.MaxRune {
		return true
	}
	at, bit := r/32, uint32(1)<<(r%32)
	if known.asked[at].Load()&bit != 0 {
		return known.has[at].Load()&bit != 0
	}
	f := base()
	if f == nil {
		return true
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	x, err := f.GlyphIndex(&known.buf, r)
	has := err == nil && x != 0
	if has {
		known.has[at].Or(bit)
	}
	known.asked[at].Or(bit) // last: who sees it sees what came of it
	return has
}

func private(r rune) bool { return r >= 0xE000 && r <= 0xF8FF || r >= 0xF0000 && r <= 0x10FFFD }

// unified: characters that are newer than the tables of the standard library.
func unified(r rune) bool { return r >= 0x20000 && r <= 0x3FFFD || r >= 0x9FF0 && r <= 0x9FFF }

// Foreign reports whether r is a letter of a script that the interface font does not have: Uyghur, Tibetan, Mongolian. These
// join and stack, so they need a whole font, not a glyph.
func Foreign(r rune) bool {
	if r < 0x0530 || r >= 0x2E80 && r < 0xA000 || r >= 0xAC00 && r < 0xFB50 || r >= 0xFE70 || !unicode.IsLetter(r) {
		return false
	}
	return !inBase(r)
}
