package screen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// Master compares all that is read on the screen, in reading order, with testdata/<name>.txt. With BIANMIN_MASTERS set it
// writes the file instead.
func Master(t testing.TB, v View, name string) {
	t.Helper()
	var lines []string
	var visit func(o fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		switch k := o.(type) {
		case *canvas.Text:
			if k.Text != "" {
				lines = append(lines, k.Text)
			}
		case *fyne.Container:
			for _, c := range k.Objects {
				visit(c)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(k).Objects() {
				visit(c)
			}
		}
	}
	visit(v.Object())
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", name+".txt")
	if os.Getenv("BIANMIN_MASTERS") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s reads differently now:\n%s", name, got)
	}
}
