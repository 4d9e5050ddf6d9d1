package vm

import (
	"slices"
	"sync"
)

// Devices is the state of what is connected, on the screen 设置.
type Devices struct {
	t Texts

	mu       sync.Mutex // guards what follows
	ports    []Choice
	cameras  []Choice
	port     string
	camera   string
	busy     bool
	note     string
	noteKind string
	print    bool // the machine can read print
}

// NewDevices returns the state; port and camera are those in use, "" for none.
func NewDevices(t Texts, port, camera string, print bool) *Devices {
	return &Devices{t: t, port: port, camera: camera, print: print}
}

// DevicesState is what is shown.
type DevicesState struct {
	Ports, Cameras         []Choice // the first is none
	TestReader, TestCamera bool     // may be tested now
	Note, NoteKind         string
	About                  string // what is compared and what cannot be
}

// SetFound takes what is connected now. What is in use and not there stays in the list, so that it can be seen.
func (d *Devices) SetFound(ports, cameras []Choice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ports, d.cameras = d.with(ports, d.port), d.with(cameras, d.camera)
}

func (d *Devices) with(all []Choice, used string) []Choice {
	all = slices.Clone(all)
	if used != "" && !slices.ContainsFunc(all, func(c Choice) bool { return c.Value == used }) {
		all = append(all, Choice{Value: used, Label: used, Note: d.t.T("devices.gone")})
	}
	return all
}

// SetPort notes which port the reader is at.
func (d *Devices) SetPort(port string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.port, d.note = port, ""
}

// SetCamera notes which camera is used.
func (d *Devices) SetCamera(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.camera, d.note = id, ""
}

// Begin marks a test as running; false when one is.
func (d *Devices) Begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.busy {
		return false
	}
	d.busy, d.note, d.noteKind = true, d.t.T("devices.testing"), "info"
	return true
}

// Done takes the outcome of a test of the reader; name is whose card was read, "" when only the reader was asked.
func (d *Devices) Done(name string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = false
	switch {
	case err != nil:
		d.note, d.noteKind = Words(d.t, err), "danger"
	case name != "":
		d.note, d.noteKind = d.t.T("devices.readerRead", "name", name), "ok"
	default:
		d.note, d.noteKind = d.t.T("devices.readerReady"), "ok"
	}
}

// State returns what to show.
func (d *Devices) State() DevicesState {
	d.mu.Lock()
	defer d.mu.Unlock()
	mark := func(all []Choice, used string) []Choice {
		out := append([]Choice{{Label: d.t.T("devices.none")}}, all...)
		for i := range out {
			out[i].On = out[i].Value == used
		}
		return out
	}
	st := DevicesState{
		Ports: mark(d.ports, d.port), Cameras: mark(d.cameras, d.camera), Note: d.note, NoteKind: d.noteKind,
		TestReader: d.port != "" && !d.busy, TestCamera: d.camera != "" && !d.busy, About: d.t.T("devices.noPrint"),
	}
	if d.print {
		st.About = d.t.T("devices.print")
	}
	return st
}
