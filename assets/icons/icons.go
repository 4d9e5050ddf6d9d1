// Package icons carries the drawings of the interface: SVG on a 24 × 24 grid, two-unit strokes, round ends.
//
// Every stroke and fill is written as #000000; Colored replaces that by the colour of the moment. The drawings are
// the project's own.
package icons

import (
	"bytes"
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed *.svg
var files embed.FS

// ink is the one colour the drawings use, replaced when they are shown.
var ink = []byte("#000000")

// Colored returns the drawing called name, without ".svg", in the colour rgb, written "#rrggbb". It returns false when
// there is no such drawing.
func Colored(name, rgb string) ([]byte, bool) {
	raw, err := files.ReadFile(name + ".svg")
	if err != nil {
		return nil, false
	}
	return bytes.ReplaceAll(raw, ink, []byte(rgb)), true
}

// Names returns the names of all drawings in order.
func Names() []string {
	paths, _ := fs.Glob(files, "*.svg")
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(p, ".svg")
	}
	slices.Sort(paths)
	return paths
}
