package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"bianmin/app/window"
)

// display is a virtual display with a window manager that gives every window the whole of it.
type display struct {
	number string // ":7"
	dir    string // of the servers' logs
	procs  []*exec.Cmd
}

// wholeScreen is what the window manager is told: no frames, one window as large as the display.
const wholeScreen = `<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew></focus>
  <mouse><context name="Client"><mousebind button="Left" action="Press"><action name="Focus"/></mousebind></context></mouse>
  <applications><application class="*"><decor>no</decor><maximized>yes</maximized><focus>yes</focus></application></applications>
</openbox_config>
`

// missingPrograms returns which programs a real window under a virtual display needs that are not on this machine.
func missingPrograms() []string {
	var out []string
	for _, p := range []string{"Xvfb", "openbox", "xdotool", "import", "zbarimg"} {
		if _, err := exec.LookPath(p); err != nil {
			out = append(out, p)
		}
	}
	return out
}

// openDisplay starts a display of the given size; close ends it.
func openDisplay(ctx context.Context, dir string, width, height int) (*display, error) {
	d := &display{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	x := exec.CommandContext(ctx, "Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", width, height), "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	err = d.start(x, "xvfb.log")
	w.Close()
	if err != nil {
		return nil, err
	}
	line := make([]byte, 16)
	n, err := r.Read(line)
	if err != nil {
		d.close()
		return nil, fmt.Errorf("the display does not start: %w", err)
	}
	d.number = ":" + strings.TrimSpace(string(line[:n]))
	conf := filepath.Join(dir, "openbox.xml")
	if err := os.WriteFile(conf, []byte(wholeScreen), 0o600); err != nil {
		d.close()
		return nil, err
	}
	if err := d.start(exec.CommandContext(ctx, "openbox", "--config-file", conf), "openbox.log"); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// env is that of a program on the display.
func (d *display) env(more ...string) []string {
	keep := os.Environ()[:0:0]
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "WAYLAND_DISPLAY", "FYNE_SCALE", "FYNE_THEME", "FYNE_FONT", "XDG_DATA_HOME", "XDG_CONFIG_HOME":
		default:
			keep = append(keep, v)
		}
	}
	return append(append(keep, "DISPLAY="+d.number, "LANG=C.UTF-8", "LIBGL_ALWAYS_SOFTWARE=1"), more...)
}

func (d *display) start(cmd *exec.Cmd, log string) error {
	f, err := os.Create(filepath.Join(d.dir, log))
	if err != nil {
		return err
	}
	defer f.Close() // the child has its own handle
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if cmd.Env == nil {
		cmd.Env = d.env()
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	d.procs = append(d.procs, cmd)
	return nil
}

// end asks a program to end and waits until it has.
func (d *display) end(p *exec.Cmd) error {
	d.procs = slices.DeleteFunc(d.procs, func(c *exec.Cmd) bool { return c == p })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(patience, func() { p.Process.Kill() })
	defer kill.Stop()
	return p.Wait()
}

// close ends what was started, the last first. What has ended by itself needs no more.
func (d *display) close() {
	for i := len(d.procs) - 1; i >= 0; i-- {
		_ = d.end(d.procs[i])
	}
}

// run runs a program on the display and returns what it prints.
func (d *display) run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.env()
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return string(out), fmt.Errorf("%s: %w: %s", name, err, clip(string(exit.Stderr)))
		}
		return string(out), fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

// finger clicks and draws on a display as a person does who has no keyboard, and reads off the window what it shows.
type finger struct {
	ctx    context.Context
	d      *display
	socket string // at which the window tells where things are
	clicks int
}

// clock is what on a screen changes by itself.
var clock = regexp.MustCompile(`\d\d:\d\d(:\d\d)?`)

// look asks the window what it shows: as it is, and written down without times, to see whether anything has changed.
func (f *finger) look() (p window.Place, raw string, err error) {
	c, err := net.Dial("unix", f.socket)
	if err != nil {
		return p, "", err
	}
	defer c.Close()
	all, err := io.ReadAll(c)
	if err != nil {
		return p, "", err
	}
	err = json.Unmarshal(all, &p)
	return p, clock.ReplaceAllString(string(all), ""), err
}

// until looks again and again until is says so.
func (f *finger) until(what string, is func(p window.Place, raw string) bool) error {
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		p, raw, err := f.look()
		if err == nil && is(p, raw) {
			return nil
		}
		select {
		case <-tick.C:
		case <-f.ctx.Done():
			return f.ctx.Err()
		case <-end.C:
			return errors.Join(fmt.Errorf("waited %v for %s; the window says: %s", patience, what, clip(wordsIn(p))), err)
		}
	}
}

// still looks until the window shows the same twice.
func (f *finger) still() (window.Place, string, error) {
	var now window.Place
	last := ""
	err := f.until("the window to stand still", func(p window.Place, raw string) bool {
		same := raw == last
		now, last = p, raw
		return same
	})
	return now, last, err
}

// changed waits until the window no longer shows what it did.
func (f *finger) changed(what, before string) error {
	return f.until("what "+what+" does", func(_ window.Place, raw string) bool { return raw != before })
}

// at turns a place into what xdotool understands.
func at(x, y float32) []string {
	return []string{"mousemove", strconv.Itoa(int(x + 0.5)), strconv.Itoa(int(y + 0.5))}
}

// click clicks on the middle of a place and waits for what follows.
func (f *finger) click(what string, p window.Place, before string) error {
	f.clicks++
	if _, err := f.d.run(f.ctx, "xdotool", append(at(p.X+p.W/2, p.Y+p.H/2), "click", "1")...); err != nil {
		return err
	}
	return f.changed(what, before)
}

// drag goes along points with the button down. It rests at the end, so that nothing is flung.
func (f *finger) drag(points [][2]float32) error {
	args := append(at(points[0][0], points[0][1]), "mousedown", "1")
	for _, p := range points[1:] {
		args = append(args, "sleep", "0.015")
		args = append(args, at(p[0], p[1])...)
	}
	f.clicks++
	_, err := f.d.run(f.ctx, "xdotool", append(args, "sleep", "0.25", "mouseup", "1")...)
	return err
}

// found is a place with what it stands in, the outermost first.
type found struct {
	window.Place
	in []window.Place
}

// places visits everything, parents first.
func places(p window.Place, in []window.Place, fn func(found)) {
	fn(found{p, in})
	in = append(in[:len(in):len(in)], p)
	for _, k := range p.In {
		places(k, in, fn)
	}
}

// wordsIn returns all words inside a place.
func wordsIn(p window.Place) string {
	var b strings.Builder
	places(p, nil, func(s found) { b.WriteString(s.Text) })
	return b.String()
}

// best returns the smallest place of a kind that says text, or, for fields, that stands in a block that says it.
func best(root window.Place, kind, text string) (found, bool) {
	var hit found
	least := -1
	want := squeeze(text)
	try := func(s found, words string) {
		if words = squeeze(words); strings.Contains(words, want) && (least < 0 || len(words) < least) {
			hit, least = s, len(words)
		}
	}
	places(root, nil, func(s found) {
		switch {
		case s.Kind != kind || s.Off:
		case kind == window.PlaceField:
			for i := len(s.in) - 1; i >= 0; i-- {
				if strings.Contains(squeeze(wordsIn(s.in[i])), want) {
					try(s, wordsIn(s.in[i]))
					return
				}
			}
		default:
			try(s, wordsIn(s.Place))
		}
	})
	return hit, least >= 0
}

// key returns a key of the keyboard on the screen.
func key(root window.Place, id string) (found, bool) {
	var hit found
	places(root, nil, func(s found) {
		if s.ID == id && !s.Off {
			hit = s
		}
	})
	return hit, hit.Kind != ""
}

// edge is how near to the edge of what scrolls something may be that is clicked on, in pixels.
const edge = 30

// reach finds something that stands still and, while it is out of sight, pushes the page until it is there.
func (f *finger) reach(what string, find func(window.Place) (found, bool)) (found, string, error) {
	for range 12 {
		var s found
		err := f.until(what, func(p window.Place, _ string) (ok bool) {
			s, ok = find(p)
			return ok
		})
		if err != nil {
			return s, "", err
		}
		root, raw, err := f.still()
		if err != nil {
			return s, "", err
		}
		s, ok := find(root)
		if !ok {
			continue
		}
		page, away := s.away()
		if away == 0 {
			return s, raw, nil
		}
		room := page.H * 0.6
		away = min(max(away, -room), room)
		x, from := page.X+8, page.Y+page.H/2+away/2 // beside everything
		var way [][2]float32
		const parts = 12
		for i := range parts + 1 {
			way = append(way, [2]float32{x, from - away*float32(i)/parts})
		}
		if err := f.drag(way); err != nil {
			return s, "", err
		}
		if err := f.changed("a push of the page", raw); err != nil {
			return s, "", err
		}
	}
	return found{}, "", fmt.Errorf("%s does not come into view", what)
}

// away returns what the place scrolls in, and how far its middle is from where it can be clicked on; 0: it can.
func (s found) away() (window.Place, float32) {
	for i := len(s.in) - 1; i >= 0; i-- {
		page := s.in[i]
		if page.Kind != window.PlaceScroll {
			continue
		}
		mid := s.Y + s.H/2
		if mid < page.Y+edge || mid > page.Y+page.H-edge {
			return page, mid - (page.Y + page.H/2)
		}
	}
	return window.Place{}, 0
}

// tap clicks on what says text.
func (f *finger) tap(texts ...string) error {
	for _, text := range texts {
		s, raw, err := f.reach(text, func(p window.Place) (found, bool) { return best(p, window.PlaceTap, text) })
		if err != nil {
			return err
		}
		if s.On {
			continue // chosen already
		}
		if err := f.click(text, s.Place, raw); err != nil {
			return err
		}
	}
	return nil
}

// sees waits until the window says all of it.
func (f *finger) sees(texts ...string) error {
	for _, text := range texts {
		if err := f.until(text, func(p window.Place, _ string) bool { return strings.Contains(squeeze(wordsIn(p)), squeeze(text)) }); err != nil {
			return err
		}
	}
	return nil
}

// strike clicks on keys of the keyboard on the screen, one after the other, as fast as a person can.
func (f *finger) strike(ids ...string) error {
	root, raw, err := f.still()
	if err != nil {
		return err
	}
	var args []string
	for _, id := range ids {
		s, ok := key(root, id)
		if !ok {
			return fmt.Errorf("no key %q; the window says: %s", id, clip(wordsIn(root)))
		}
		args = append(append(args, at(s.X+s.W/2, s.Y+s.H/2)...), "click", "1", "sleep", "0.06")
	}
	f.clicks += len(ids)
	if _, err := f.d.run(f.ctx, "xdotool", args...); err != nil {
		return err
	}
	return f.changed("the key "+ids[len(ids)-1], raw)
}

// isThere tells whether a key is shown now.
func (f *finger) isThere(id string) (bool, error) {
	root, _, err := f.still()
	if err != nil {
		return false, err
	}
	_, ok := key(root, id)
	return ok, nil
}
