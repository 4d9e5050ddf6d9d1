package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// step is one line of report.json.
type step struct {
	Name    string         `json:"name"`
	OK      bool           `json:"ok"`
	Millis  int64          `json:"ms"`
	Figures map[string]any `json:"figures,omitempty"`
	Error   string         `json:"error,omitempty"`
}

// report is what report.json holds.
type report struct {
	OK      bool      `json:"ok"`
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Steps   []step    `json:"steps"`
	LeftOut []string  `json:"left_out,omitempty"` // steps that this machine cannot do, with the reason

	now    *step  // under way
	failed func() // called when a step fails; nil does nothing
}

// do runs one step and prints its line. After a failed step the tour goes on where it can: later steps say what they
// lack.
func (r *report) do(name string, fn func() error) bool {
	s := step{Name: name, Figures: map[string]any{}}
	r.now = &s
	from := time.Now()
	err := fn()
	s.Millis = time.Since(from).Milliseconds()
	s.OK = err == nil
	mark := "ok  "
	if err != nil {
		s.Error = err.Error()
		mark = "FAIL"
		if r.failed != nil {
			r.failed()
		}
	}
	fmt.Printf("%s %-58s %6d ms", mark, name, s.Millis)
	if err != nil {
		fmt.Printf("\n     %v", err)
	}
	fmt.Println()
	r.Steps = append(r.Steps, s)
	r.now = nil
	return err == nil
}

// leaveOut notes a step that cannot be done here.
func (r *report) leaveOut(name, why string) {
	fmt.Printf("left out %s: %s\n", name, why)
	r.LeftOut = append(r.LeftOut, name+": "+why)
}

// figure notes a figure of the step under way.
func (r *report) figure(name string, v any) { r.now.Figures[name] = v }

func (r *report) write(dir string) error {
	r.Seconds = time.Since(r.Started).Seconds()
	r.OK = len(r.Steps) > 0
	passed := 0
	for _, s := range r.Steps {
		if s.OK {
			passed++
		}
	}
	r.OK = r.OK && passed == len(r.Steps)
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fmt.Printf("%d passed, %d failed\n", passed, len(r.Steps)-passed)
	return os.WriteFile(filepath.Join(dir, "report.json"), append(b, '\n'), 0o644)
}
