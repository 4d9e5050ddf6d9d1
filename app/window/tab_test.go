package window

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
)

// stop is a part that the keyboard comes to.
type stop struct {
	part   fyne.Focusable
	at     box
	scroll fyne.CanvasObject // what it scrolls in; nil: the window itself
}

// stops returns all parts that can have the keyboard, in the order in which Tab goes, with their places.
func stops(r *rig) []stop {
	var out []stop
	var visit func(o fyne.CanvasObject, at fyne.Position, scroll fyne.CanvasObject)
	visit = func(o fyne.CanvasObject, at fyne.Position, scroll fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		if f, ok := o.(fyne.Focusable); ok {
			if d, can := o.(fyne.Disableable); !can || !d.Disabled() {
				out = append(out, stop{f, boxOf(at, o.Size()), scroll})
			}
		}
		if s, ok := o.(*container.Scroll); ok {
			scroll = s
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, c := range o.Objects {
				visit(c, at.Add(c.Position()), scroll)
			}
		case fyne.Widget:
			for _, c := range test.WidgetRenderer(o).Objects() {
				visit(c, at.Add(c.Position()), scroll)
			}
		}
	}
	roots := r.s.win.Canvas().Overlays().List()
	if len(roots) == 0 {
		roots = []fyne.CanvasObject{r.s.Content()}
	}
	for _, o := range roots {
		visit(o, o.Position(), nil)
	}
	return out
}

// checkTab goes with Tab and Shift+Tab to every part of the screen that can be tapped or typed into: in the order in which
// one reads, and to nothing that is out of sight. Esc and Enter are covered by the tests of the screens.
func checkTab(t *testing.T, r *rig, name string) {
	t.Helper()
	c := r.s.win.Canvas()
	all := stops(r)
	if len(all) == 0 || strings.HasPrefix(name, "82") || strings.HasPrefix(name, "9") {
		return // a kiosk's question goes at the first key; the keys on the screen never take the focus
	}
	reach := map[fyne.Focusable]bool{}
	for _, s := range all {
		reach[s.part] = true
	}
	for _, hit := range inspect(r.s.win).targets {
		f, ok := hit.self.(fyne.Focusable)
		if _, veil := hit.self.(*sheet); veil {
			continue
		}
		if _, veil := hit.self.(*picker); veil {
			continue
		}
		if !ok && !insideReach(hit, reach) {
			t.Errorf("%s: %s is tapped and the keyboard never comes to it", name, hit.name)
		} else if ok && !reach[f] {
			t.Errorf("%s: %s is tapped and Tab passes over it", name, hit.name)
		}
	}
	for i := 1; i < len(all); i++ {
		// In reading order what follows is not above what was before, unless it stands to the right of it: in a column
		// of its own. What does not scroll stands still beside what is further down the page.
		a, b := all[i-1].at, all[i].at
		if all[i-1].scroll == all[i].scroll && b.b <= a.y+near && b.x < a.r-near && b.r > a.x+near {
			t.Errorf("%s: Tab goes up from %s (%v) to %s (%v)", name, partName(all[i-1]), a, partName(all[i]), b)
		}
	}
	if strings.HasPrefix(name, "8") {
		return // a kiosk's page buttons come and go as Tab moves the page
	}
	here := c.Focused()
	c.Focus(all[0].part)
	for i, s := range all {
		if got := c.Focused(); got != s.part {
			t.Errorf("%s: stop %d is %T, not %s", name, i, got, partName(s))
			break
		}
		o := s.part.(fyne.CanvasObject)
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		if at.Y+o.Size().Height <= 0 || at.Y >= c.Size().Height {
			t.Errorf("%s: the keyboard is at %s, which is out of sight at %.0f", name, partName(s), at.Y)
		}
		if k, ok := s.part.(interface{ HasFocus() bool }); ok && !k.HasFocus() {
			t.Errorf("%s: %s does not show that it has the keyboard", name, partName(s))
		}
		c.FocusNext()
	}
	back := map[fyne.Focusable]bool{} // parts inside others come after them in both directions
	for range all {
		back[c.Focused()] = true
		c.FocusPrevious()
	}
	for _, s := range all {
		if !back[s.part] {
			t.Errorf("%s: Shift+Tab does not come to %s", name, partName(s))
		}
	}
	c.Unfocus()
	if here != nil {
		c.Focus(here)
	}
}

func insideReach(hit target, reach map[fyne.Focusable]bool) bool {
	for _, o := range hit.trail {
		if f, ok := o.(fyne.Focusable); ok && reach[f] {
			return true
		}
	}
	return false
}

func partName(s stop) string {
	if o, ok := s.part.(fyne.CanvasObject); ok {
		return nameOf(o)
	}
	return fmt.Sprintf("%T", s.part)
}
