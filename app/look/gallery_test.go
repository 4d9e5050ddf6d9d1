package look

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// shoot paints the window into the folder BIANMIN_SHOTS names; without one it does nothing, painting takes seconds.
func shoot(t *testing.T, w fyne.Window, name string) {
	t.Helper()
	dir := os.Getenv("BIANMIN_SHOTS")
	if dir == "" {
		return
	}
	var out bytes.Buffer
	if err := png.Encode(&out, w.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// gallery is a page with every part of the package.
func gallery() fyne.CanvasObject {
	top := NewTopBar()
	top.Set(TopBarState{
		Station: "清水镇石桥村便民服务站", Page: "高龄津贴申请", Sync: "离线 · 3 件待送达", State: StateWarning, Offline: true,
		Devices: []string{"打印机缺纸"}, Operator: "李桂芳",
	})
	rail := NewRail(
		RailItem{ID: "home", Icon: "home", Word: "首页"}, RailItem{ID: "serve", Icon: "service", Word: "办事"},
		RailItem{ID: "cases", Icon: "cases", Word: "办件", Mark: 2}, RailItem{ID: "sync", Icon: "sync", Word: "同步"},
		RailItem{ID: "settings", Icon: "settings", Word: "设置"},
	)
	rail.Select("serve")
	steps := NewSteps("身份", "信息", "材料", "核对", "签名", "回执")
	steps.SetCurrent(1)

	phone := widget.NewEntry()
	phone.SetText("138 0013 8000")
	number := NewFieldFrame("手机号码", phone)
	number.SetRequired(true)
	number.SetHelp("用于通知办理进度，可以填子女的号码。")
	bad := NewFieldFrame("银行卡号", widget.NewEntry())
	bad.SetError("卡号少了 1 位，请对照卡片再核对一遍。已填的内容都保存在本机。")
	sourced := NewFieldFrame("姓名", widget.NewEntry())
	sourced.SetSource("公安人口库 · 2026-11-01", QuietButton("异议", "", nil))

	disabled := SecondaryButton("暂不可用", nil)
	disabled.Disable()
	chosen := NewPressable(Pad(Gap2, Gap2, Body("本人办理")), nil)
	chosen.SetSelected(true)
	focused := SecondaryButton("得到焦点", nil)
	focused.FocusGained()

	body := Column(VStack(Gap3,
		PageTitle("高龄津贴"),
		Tiles(NewTile("service", "办事", "受理群众申请", nil), NewTile("visit", "走访", "今天 3 户", nil),
			NewTile("cases", "办件", "", nil), NewTile("sync", "同步", "", nil)),
		NewBanner(StateWarning, "没有联网，已保存在本机", "联网后自动送达，不影响继续办理。", SecondaryButton("查看同步", nil)),
		Card(Title("申请人"), KeyValue("姓名", "王秀兰"), KeyValue("公民身份号码", "999***********0021"),
			KeyValue("户籍地址", "石桥县清水镇石桥村三组 18 号（与其长子王建国、长媳赵玉梅以及两个孙辈共同居住，门前有一棵老槐树）"),
			KeyObject("状态", HStack(Gap1, NewBadge(StateSuccess, "已受理"), NewBadge(StateInfo, "已送达"),
				NewBadge(StateWarning, "补正"), NewBadge(StateDanger, "超期"), NewBadge(StateNone, "草稿"))),
			KeyObject("津贴标准", Figure("50.00 元/月"))),
		Card(number, bad, sourced),
		RowsCard(NewRow(Pad(Gap2, Gap1, HStack(Gap1, NewIcon("file", RoleSecondary), Body("居民户口簿"), Spring())), nil),
			NewRow(Pad(Gap2, Gap1, HStack(Gap1, NewIcon("idcard", RoleSecondary), Grow(Body("身份证")))), nil)),
		Card(Title("办理进度"), Timeline(
			Moment{When: "2026年11月22日 14:02", What: "收件", More: "石桥村便民服务站 李桂芳", State: StateSuccess},
			Moment{When: "2026年11月22日 14:10", What: "受理", State: StateSuccess},
			Moment{What: "办结", When: "预计 2026年12月6日前"})),
		Wrap(Gap2, disabled, chosen, focused, DangerButton("撤回申请", nil), QuietButton("更多", "down", nil), NewStatusDot(StateSuccess, "已联网 · 全部送达 09:31")),
		EmptyState("cases", "还没有办件", "办理一件事项后，会显示在这里。", SecondaryButton("去办事", nil)),
		Busy(""),
	))
	page := Page(Head(steps), container.NewVScroll(body), ActionBar([]fyne.CanvasObject{SecondaryButton("上一步", nil), Label("已保存 14:02:31").Single()},
		SecondaryButton("稍后继续", nil), NewButton(Primary, "下一步", "next", nil)))
	return Frame(top, rail, page, nil)
}

func TestGalleryInEveryMode(t *testing.T) {
	for _, m := range Modes() {
		t.Run(m.String(), func(t *testing.T) {
			app := test.NewTempApp(t)
			Set(app, m)
			w := test.NewTempWindow(t, gallery())
			w.SetPadded(false)
			w.Resize(fyne.NewSize(1280, 2300))
			shoot(t, w, "look-"+m.String())
			w.Resize(fyne.NewSize(1024, 768))
			shoot(t, w, "look-small-"+m.String())
		})
	}
}
