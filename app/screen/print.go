package screen

import (
	"fyne.io/fyne/v2"

	"bianmin/app/look"
	"bianmin/app/vm"
)

// printBox shows how the printing of one paper stands: which printer, the job, what can be done about it.
type printBox struct {
	env           *Env
	onPick        func(printer string)
	retry, cancel func(job uint64) error // they write to the disk
	box           *fyne.Container
}

func newPrintBox(env *Env, onPick func(string), retry, cancel func(uint64) error) *printBox {
	b := &printBox{env: env, onPick: onPick, retry: retry, cancel: cancel, box: look.VStack(look.Gap1)}
	b.box.Hide()
	return b
}

// show shows st.
func (b *printBox) show(st vm.PrintState) {
	var parts []fyne.CanvasObject
	if len(st.Printers) > 0 {
		chips := look.Wrap(look.Gap1)
		for _, p := range st.Printers {
			chip := newPickChip(p.Label, func() { b.onPick(p.Value) })
			chip.set(p.On)
			chips.Objects = append(chips.Objects, chip)
		}
		parts = append(parts, look.VStack(look.GapH, look.Label(b.env.T("print.to")), chips))
	}
	if st.Job != nil {
		parts = append(parts, jobRow(b.env, *st.Job, false, b.retry, b.cancel))
	}
	if st.Note != "" && (st.Job == nil || st.Job.Retry == "") {
		parts = append(parts, look.Label(st.Note))
	}
	b.box.Hidden = len(parts) == 0
	replace(b.box, parts...)
}

// jobRow is a job in words, with what can be done about it. titled names the paper and the printer, too.
func jobRow(env *Env, j vm.PrintJob, titled bool, retry, cancel func(uint64) error) fyne.CanvasObject {
	role := map[string]look.Role{"ok": look.RoleSuccess, "warn": look.RoleWarning}[j.Tone]
	icon := map[string]string{"ok": "success", "warn": "warn"}[j.Tone]
	if j.Tone == "info" {
		role, icon = look.RolePrimary, "print"
	}
	var lines []fyne.CanvasObject
	if titled {
		lines = append(lines, look.Strong(j.What), look.Label(j.Where+" · "+j.When))
	}
	lines = append(lines, look.HStackTop(look.Gap1, look.NewIcon(icon, role), look.Grow(look.NewText(j.Text, look.StyleBody, role))))
	work := func(fn func(uint64) error) {
		env.Work(func() {
			if err := fn(j.ID); err != nil {
				env.Post(func() { env.Fail(err) })
			}
		})
	}
	acts := look.Wrap(look.Gap2)
	if j.Retry != "" {
		acts.Objects = append(acts.Objects, look.NewButton(look.Secondary, j.Retry, "sync", func() { work(retry) }))
	}
	if j.Cancel != "" {
		acts.Objects = append(acts.Objects, look.QuietButton(j.Cancel, "cross", func() {
			env.Confirm(env.T("print.cancelTitle"), env.T("print.cancelText", "what", j.What), env.T("print.cancelYes"), true, func() { work(cancel) })
		}))
	}
	if len(acts.Objects) > 0 {
		lines = append(lines, acts)
	}
	return look.VStack(look.GapH, lines...)
}

// printNow puts a paper into the queue, or leads to the printers when there is none.
func printNow(env *Env, st vm.PrintState, add func() error, then func()) {
	if !st.Any {
		env.Say("info", env.T("print.addPrinter"))
		env.Go(Route{Page: PagePrinters})
		return
	}
	env.Work(func() {
		err := add()
		env.Post(func() {
			if err != nil {
				env.Fail(err)
			}
			then()
		})
	})
}

// saveMade makes a file off the UI goroutine and offers to save it.
func saveMade(env *Env, make func() (name string, data []byte, err error)) {
	env.Work(func() {
		name, data, err := make()
		env.Post(func() {
			if err != nil {
				env.Fail(err)
				return
			}
			env.SaveFile(name, data)
		})
	})
}
