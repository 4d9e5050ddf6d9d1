package main

import (
	"bianmin/app/screen"
	"bianmin/app/vm"
)

// selfService opens the same folder as a self-service machine: staff open it, and a citizen, alone with it, looks in the
// old-age mode where the case of the receipt is, and at the materials of a new one. The window is left as the staff's again.
func (j *journey) selfService() error {
	j.stop()
	j.kiosk = true
	err := steps(j.start,
		func() error { return j.until("the login", func() bool { return j.hand.sees("王秀英") }) },
		func() error { return j.tap("王秀英") },
		func() error { return j.tryPIN("246810", "请点您要办的事") },
		func() error { return j.shot("kiosk-home-wide") },
		func() error { j.shell.Window().Resize(upright); j.settle(); return j.shot("kiosk-home") },
		func() error { return j.tap("长辈版") },
		func() error { return j.shot("kiosk-home-elder") },
		func() error { j.goTo(screen.PageScan, ""); return j.shot("kiosk-scan") },
		func() error {
			j.goTo(screen.PageProgress, vm.ByLink+j.links[1])
			return j.until("the progress", func() bool { return j.hand.sees("办结") && j.hand.sees(j.no) })
		},
		func() error { return j.shot("kiosk-progress") },
		func() error { return j.tap("返回首页", "高龄津贴", "开始办理") },
		func() error { return j.until("the form", func() bool { return j.hand.sees("先确认是谁在办") }) },
		func() error { return j.shot("kiosk-form") },
		func() error { return j.tap("结束") },
		func() error { return j.sees("没有提交的内容会清空") },
		func() error { j.shell.Window().Resize(screenSize); j.settle(); return nil },
	)
	j.stop()
	j.kiosk = false
	if err != nil {
		return err
	}
	return j.start()
}
