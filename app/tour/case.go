package main

import (
	"fmt"
	"strings"
	"time"

	"bianmin/app/screen"
	"bianmin/offline/casefile"
	"bianmin/offline/form"
)

// What happens to the case once it left the desk: journey steps 7 and 8.

func (j *journey) delivered() error {
	if err := j.county.Up(j.ctx); err != nil {
		return err
	}
	from := time.Now()
	return steps(
		func() error {
			return j.until("the engine to notice by itself", func() bool { return j.hand.sees("已联网") && j.hand.sees("全部送达") })
		},
		func() error { j.report.figure("noticed ms", time.Since(from).Milliseconds()); return nil },
		func() error {
			return j.until("the acceptance", func() bool {
				c, err := j.theCase()
				return err == nil && c.OfficialNo != "" && len(c.Stage2) > 0
			})
		},
		func() error { j.goTo(screen.PageCase, j.arg()); return nil },
		func() error {
			return j.until("the case", func() bool { return j.hand.sees("平台已受理") && j.hand.sees("送达平台") })
		},
		func() error { return j.shot("case-accepted") },
		func() error { j.goTo(screen.PageReceipt, j.arg()+":2"); return nil },
		func() error {
			return j.until("the second receipt", func() bool { return j.hand.sees("受理通知书") })
		},
		func() error { return j.shot("receipt-2") },
		func() error { clear(j.saved); return j.tap("保存图片") },
		func() error { return j.keepReceipt(2) },
		func() error { j.goTo(screen.PageSync, ""); return j.shot("sync") },
	)
}

func (j *journey) corrected() error {
	const note = "电话打不通，请与老人家属核对后改正"
	if _, err := j.county.Run(j.ctx, "case", "show", j.no); err != nil {
		return err
	}
	if _, err := j.county.Run(j.ctx, "case", "correct", j.no, "--field", "contactPhone", "--note", note, "--officer", "赵敏", "--phone", "0999-6001002"); err != nil {
		return err
	}
	return steps(
		func() error {
			return j.until("the correction", func() bool {
				c, err := j.theCase()
				return err == nil && c.Correction != nil
			})
		},
		func() error { j.goTo(screen.PageHome, ""); return nil },
		func() error {
			return j.until("the home screen to tell", func() bool { return j.hand.sees("需要补正") })
		},
		func() error { return j.shot("home-correction") },
		func() error { j.goTo(screen.PageCases, ""); return nil },
		func() error { return j.until("the list", func() bool { return j.hand.sees("补正告知") }) },
		func() error { return j.shot("cases") },
		func() error { j.goTo(screen.PageCase, j.arg()); return nil },
		func() error { return j.until("the reason", func() bool { return j.hand.sees(note) }) },
		func() error { return j.sees("个工作日", "联系电话", "去补正") },
		func() error { return j.shot("case-correction") },
		func() error { return j.tap("去补正") },
		func() error { return j.until("the form", func() bool { return j.hand.sees("审核意见") }) },
		func() error { return j.onlyOpen("contactPhone") },
		func() error { return j.write("联系电话", "13900000007") },
		func() error { return j.shot("wizard-correction") },
		func() error { return j.tap("去核对") },
		func() error { return j.shot("wizard-correction-review") },
		func() error { return j.tap("提交补正") },
		func() error {
			return j.until("the answer at the platform", func() bool {
				out, err := j.county.Run(j.ctx, "case", "show", j.no, "--json")
				return err == nil && strings.Contains(string(out), "correction-done")
			})
		},
		func() error { return j.tap("关闭") }, // the message is read
	)
}

// onlyOpen checks that one answer may be changed and no other.
func (j *journey) onlyOpen(path form.Path) error {
	s, err := j.session()
	if err != nil {
		return err
	}
	in, err := s.Correct(j.ctx, j.seq)
	if err != nil {
		return err
	}
	for _, b := range in.Form().Visible() {
		for _, it := range b.Items {
			if st := in.Form().State(it.Path); st.Field != nil && st.ReadOnly == (it.Path == path) {
				return fmt.Errorf("%s: read-only is %v", it.Path, st.ReadOnly)
			}
		}
	}
	return nil
}

func (j *journey) decided() error {
	if _, err := j.county.Run(j.ctx, "case", "decide", j.no, "--granted", "--note", "符合条件，自本月起发放"); err != nil {
		return err
	}
	return steps(
		func() error {
			return j.until("the decision", func() bool {
				c, err := j.theCase()
				return err == nil && c.State == casefile.Granted
			})
		},
		func() error { j.goTo(screen.PageCase, j.arg()); return nil },
		func() error {
			return j.until("the time line", func() bool {
				return j.hand.sees("办结") && j.hand.sees("补正告知") && j.hand.sees("补正收齐") && j.hand.sees("受理") && j.hand.sees("收件")
			})
		},
		func() error { return j.sees("符合条件，自本月起发放") },
		func() error { return j.shot("case-granted") },
	)
}
