package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"bianmin/app/cli"
	"bianmin/app/desktop"
	"bianmin/app/device/escpos/fake"
	"bianmin/app/device/idcard"
	"bianmin/app/screen"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/paper"
	"bianmin/packaging/likeness"
)

// rare takes the cards of the simulated reader into the window: names with characters beyond the first plane, one that does
// not fit its place on the card, a card that has expired. The names become cases, from the card to the printed slip; on
// every picture the name is compared, character for character, with what another program draws.
func (j *journey) rare() error {
	cards := desktop.SampleCards()
	regular, err := likeness.New(j.work, false)
	if err != nil {
		return err
	}
	bold, err := likeness.New(j.work, true)
	if err != nil {
		return err
	}
	roll := fake.New(paper.Dots58)
	defer roll.Close()
	addr, err := roll.Listen()
	if err != nil {
		return err
	}
	n := &names{journey: j, roll: roll, regular: regular, bold: bold, cells: map[string][]likeness.Cell{}}
	// A village without a network. What is printed is the station's own receipt.
	if err := j.county.Down(); err != nil {
		return err
	}
	err = steps(
		func() error { return n.printer(addr) },
		func() error { j.goTo(screen.PageSettings, ""); return j.tap("模拟读卡器（演示）") },
		func() error { return j.tap("试读身份证") },
		func() error {
			return j.until("the reader's answer", func() bool { return j.hand.sees("读卡器正常，读到" + cards[0].Name) })
		},
		func() error { return j.shot("settings-reader") },
	)
	for _, c := range cards[1:] {
		if err == nil {
			err = n.card(c)
		}
	}
	for where, cells := range n.cells {
		j.report.figure("likeness, "+where, likeness.Summary(cells))
	}
	if err != nil {
		return err
	}
	if faults := roll.Faults(); len(faults) > 0 {
		return fmt.Errorf("the printer did not understand: %w", faults[0])
	}
	j.goTo(screen.PageHome, "")
	return errors.Join(j.dropDrafts(), j.county.Up(j.ctx))
}

// cut is what a card holds of a name.
func cut(name string) string {
	const places = 15
	r := []rune(name)
	return string(r[:min(places, len(r))])
}

// names is the way of the rare names.
type names struct {
	*journey
	roll          *fake.Printer
	regular, bold *likeness.Pen
	cells         map[string][]likeness.Cell // what was compared, by kind of picture
	papers        int                        // printed so far
}

// printer makes the simulated roll the printer of the station.
func (n *names) printer(addr string) error {
	if err := n.expect(cli.ExitOK, "窄卷", "print", "add", "--name", "窄卷", "--kind", "tcp", "--to", addr); err != nil {
		return err
	}
	out, _, err := n.command("print", "list", "--json")
	if err != nil {
		return err
	}
	var list []struct{ ID, Name string }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return err
	}
	return n.expect(cli.ExitOK, "", "print", "first", list[len(list)-1].ID)
}

// card reads one card in the window. An expired one is only warned of; the others become cases.
func (n *names) card(c idcard.Card) error {
	whole, held := c.Name, cut(c.Name)
	old := !c.Until.IsZero()
	err := steps(
		func() error { n.goTo(screen.PageHome, ""); n.goTo(screen.PageWizard, "new:gaoling"); return nil },
		func() error { return n.sees("读身份证") },
		func() error { return n.tap("读身份证") },
		func() error {
			return n.until("the card", func() bool {
				return n.hand.sees("已读出"+held+"的身份证") && n.hand.sees("请对照证件把姓名补全") == (held != whole) &&
					n.hand.sees("已到期") == old
			})
		},
		func() error { return n.shot(fmt.Sprintf("card-%d", len([]rune(whole)))) },
	)
	if err != nil || old {
		return err
	}
	if held != whole {
		if err := n.write("姓名", whole); err != nil {
			return err
		}
	}
	return steps(
		func() error { return n.onScreen("field", whole) },
		func() error { return n.tap("是") },
		func() error { return n.tap("下一步") },
		func() error { return n.tap("首次发放") },
		func() error { return n.tap("请选择", "农业银行") },
		func() error { return n.write("社保卡银行账号", "6299990020000079196") },
		func() error { return n.write("联系人姓名", whole) },
		func() error { return n.onScreen("field", whole) },
		func() error { return n.write("联系电话", "13900000001") },
		func() error { return n.tap("子女") },
		func() error { return n.tap("本人申请") },
		func() error { return n.tap("下一步") },
		func() error { return n.tap("选择文件") },
		func() error { return n.tap("选择文件") },
		func() error { return n.tap("都在这一张上") },
		func() error { return n.tap("去核对") },
		func() error { return n.sees("请与群众一起核对") },
		func() error { return n.onScreen("review", whole) },
		func() error { return n.tap("去签名") },
		func() error { return n.tap("以上信息属实", "同意为办理本事项") },
		func() error { return n.hand.draw(isPad, handwriting()) },
		func() error { n.settle(); return n.tap("签好了，提交") },
		func() error {
			return n.until("the receipt", func() bool {
				return n.hand.sees("已保存在本机，联网后自动送达") && n.hand.sees("存为 PDF")
			})
		},
		func() error { return n.taken(whole) },
	)
}

// taken follows a case from its receipt to paper.
func (n *names) taken(name string) error {
	s, err := n.session()
	if err != nil {
		return err
	}
	list, err := s.Cases(n.ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(c counter.Case) bool { return c.Applicant == name })
	if at < 0 {
		return errors.New("a rare name became no case, or another name's")
	}
	c, err := s.Case(n.ctx, list[at].Seq)
	if err != nil {
		return err
	}
	if c.Identity != journal.IdentityCard || slices.Contains(c.Read, "name") != (cut(name) == name) {
		return fmt.Errorf("a rare name: identity %d, read by machine: %v", c.Identity, c.Read)
	}
	r, err := s.Receipt(n.ctx, c.Seq, 1)
	if err != nil {
		return err
	}
	short := ident.MaskName(name)
	if c.MaskedName() != short {
		return fmt.Errorf("the masked name is another: %d characters", len([]rune(c.MaskedName())))
	}
	count := len([]rune(name))
	clear(n.saved)
	return steps(
		func() error { return n.slipOnScreen(short) },
		func() error { return n.tap("保存图片") },
		func() error { return n.file("receipt as picture", ".png", short, slipSize) },
		func() error { return n.shot(fmt.Sprintf("receipt-rare-%d", count)) },
		func() error { return n.print("打印", "slip", fmt.Sprintf("rare-%d-slip", count), short, r.Link) },
		func() error { return n.tap("存为 PDF") },
		func() error { return n.file("receipt as PDF", ".pdf", short, pageSize) },
		func() error { n.goTo(screen.PageCases, ""); return nil },
		func() error { return n.until("the list", func() bool { return n.hand.sees(c.No) }) },
		func() error { return n.onScreen("list", name) },
		func() error { n.goTo(screen.PageCase, fmt.Sprint(c.Seq)); return n.sees("身份证机读") },
		func() error { return n.tap("显示完整信息") },
		func() error { return n.onScreen("case", name) },
		func() error { return n.shot(fmt.Sprintf("case-rare-%d", count)) },
		func() error {
			return n.print("打印申请内容", "answers on a slip", fmt.Sprintf("rare-%d-answers", count), name, "")
		},
		func() error { return n.tap("申请内容存为 PDF") },
		func() error { return n.file("answers as PDF", ".pdf", name, pageSize) },
	)
}

// Sizes of the lines with names on paper, in dots an em.
const (
	slipSize = 24
	pageSize = 32 // at 203 dots an inch, too
)

// compare looks for a name on a picture.
func (n *names) compare(where string, p *likeness.Pen, img image.Image, area image.Rectangle, name string, size float64) error {
	cells, err := p.Text(n.ctx, img, area, name, size)
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", where, err), n.keep("unlike", img))
	}
	n.cells[where] = append(n.cells[where], cells...)
	return nil
}

// print taps a button that prints, and reads the paper.
func (n *names) print(button, where, file, name, link string) error {
	if err := n.tap(button); err != nil {
		return err
	}
	n.papers++
	err := n.until("the paper", func() bool { return len(n.roll.Papers()) == n.papers && n.hand.sees("已打印（窄卷）") })
	if err != nil {
		return err
	}
	sheet := n.roll.Papers()[n.papers-1]
	var out bytes.Buffer
	if err := png.Encode(&out, paper.Paper(sheet)); err != nil {
		return err
	}
	path := filepath.Join(n.out, file+".png")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		return err
	}
	if link != "" {
		if err := n.zbarSays(path, link); err != nil {
			return err
		}
	}
	return n.compare(where, n.regular, sheet, sheet.Rect, name, slipSize)
}

// file looks at the file that was saved last.
func (n *names) file(where, kind, name string, size float64) error {
	n.settle()
	for file, data := range n.saved {
		if !strings.HasSuffix(file, kind) {
			continue
		}
		clear(n.saved)
		if kind == ".pdf" {
			var err error
			if data, err = n.firstPage(data); err != nil {
				return err
			}
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return err
		}
		area := img.Bounds()
		if kind == ".pdf" {
			area.Max.Y /= 2 // names stand at the top
		}
		return n.compare(where, n.regular, img, area, name, size)
	}
	return fmt.Errorf("no %s was saved", kind)
}

// firstPage draws the first page of a PDF, dot for dot.
func (n *names) firstPage(data []byte) ([]byte, error) {
	in, out := filepath.Join(n.work, "page.pdf"), filepath.Join(n.work, "page")
	if err := os.WriteFile(in, data, 0o600); err != nil {
		return nil, err
	}
	if _, err := n.tool("pdftoppm", "-r", fmt.Sprint(25.4*paper.PerMM), "-f", "1", "-l", "1", "-singlefile", "-png", in, out); err != nil {
		return nil, err
	}
	return os.ReadFile(out + ".png")
}

// onScreen looks for a name in the window, wherever it says that it stands.
func (n *names) onScreen(where, name string) error {
	lines, err := n.hand.lines(name)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	pen := n.regular
	if lines.bold {
		pen = n.bold
	}
	return n.compare(where+" on the screen", pen, n.hand.c.Capture(), lines.area, name, float64(lines.size))
}

// slipOnScreen looks for a name on the slip that the receipt's screen shows.
func (n *names) slipOnScreen(name string) error {
	const paperDots = paper.Dots58 + 80 // with its margins
	var slip spot
	n.hand.walk(func(s spot) {
		if i, ok := s.obj.(*canvas.Image); ok && i.Resource != nil && i.Resource.Name() == "slip.png" {
			slip = s
		}
	})
	if slip.obj == nil {
		return errors.New("the receipt's screen shows no slip")
	}
	at, size := fyne.CurrentApp().Driver().AbsolutePositionForObject(slip.obj), slip.obj.Size()
	area := image.Rect(int(at.X), int(at.Y), int(at.X+size.Width), int(at.Y+size.Width))
	return n.compare("slip on the screen", n.regular, n.hand.c.Capture(), area, name, slipSize*float64(size.Width)/paperDots)
}
