package window

import (
	"strconv"

	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
	"bianmin/offline/counter"
)

// taskNote says over every screen that the machine rebuilds or checks, and that it can only be looked at meanwhile.
type taskNote struct {
	box    fyne.CanvasObject
	banner *look.Banner
	bar    *look.Bar
	shown  counter.Task // the zero Task: none
}

func newTaskNote() *taskNote {
	n := &taskNote{banner: look.NewBanner(look.StateWarning, "", ""), bar: look.NewBar()}
	n.box = look.Narrow(look.ColumnWidth, look.Pad(look.Gap3, look.Gap1, look.VStack(look.GapH, n.banner, n.bar)))
	return n
}

// showTask shows the task under way, or takes the note away when it has ended: then everything is read anew.
func (s *Shell) showTask() {
	n := s.task
	var task counter.Task
	busy := false
	if s.machine != nil {
		task, busy = s.machine.Counter.Task()
	}
	switch {
	case !busy && n.shown.Kind == "":
		return
	case !busy:
		n.shown = counter.Task{}
		s.drawNotes()
		s.reload()
		if s.view != nil && s.session != nil && s.alone == nil {
			s.view.Refresh()
		}
		return
	}
	n.shown = task
	share := float32(0)
	if task.Total > 0 {
		share = min(0.99, float32(task.Done)/float32(task.Total))
	}
	n.banner.Set(look.StateWarning, s.T("window.task."+task.Kind, "percent", strconv.Itoa(int(share*100))), s.T("window.task.note"))
	n.bar.Set(share)
	n.bar.Hidden = s.ownBar()
	s.drawNotes()
}

// ownBar reports whether the screen shows the task's bar itself: it was begun there.
func (s *Shell) ownBar() bool {
	if len(s.history) == 0 || s.alone != nil {
		return false
	}
	m, ok := s.here().model.(*vm.Settings)
	return ok && m.State().Checking
}

// object is the note; nil while there is no task.
func (n *taskNote) object() fyne.CanvasObject {
	if n.shown.Kind == "" {
		return nil
	}
	return n.box
}
