package cli_test

import (
	"strings"
	"testing"

	"bianmin/app/cli"
)

func TestPinyin(t *testing.T) {
	p := newPlace(t)
	out := p.ok("shenqinggaolingjintie\nwang xiu ying\n\nxi'an\n", "pinyin", "--top", "5")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 4 || lines[2] != "" {
		t.Fatalf("%d lines: %q", len(lines), out)
	}
	for i, want := range []string{"申请高龄津贴", "王秀英", "", "西安"} {
		got := strings.Split(lines[i], "\t")
		if got[0] != want || want != "" && len(got) != 5 {
			t.Errorf("line %d: %q, want %s first of 5", i+1, got, want)
		}
	}
	for _, bad := range [][]string{{"--top", "0"}, {"--field", "colour"}, {"--operator", "wang"}} {
		if _, _, code := p.run("", append([]string{"pinyin"}, bad...)...); code != cli.ExitUsage {
			t.Errorf("%v: exit %d", bad, code)
		}
	}

	p.enroll()
	p.ok("", "sync", "--once")
	// Local words come with a login.
	as := []string{"--operator", "wang", "--pin-file", "pin", "--top", "1"}
	for _, tt := range []struct{ field, in, want string }{
		{"address", "liu shu cun", "柳树村"}, {"text", "gaolingjintieshenling", "高龄津贴申领"}, {"name", "liuyuzhen", "刘玉珍"},
	} {
		got := strings.TrimSpace(p.ok(tt.in+"\n", append([]string{"pinyin", "--field", tt.field}, as...)...))
		if !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s in a %s field: %q, want %s", tt.in, tt.field, got, tt.want)
		}
	}
	p.file("wrong", "000000\n")
	if _, _, code := p.run("a\n", "pinyin", "--operator", "wang", "--pin-file", "wrong"); code != cli.ExitPIN {
		t.Errorf("wrong PIN: exit %d", code)
	}
}

func TestPinyinRare(t *testing.T) {
	p := newPlace(t)
	out := p.ok("木+辰\nU+20BB7\n氵+水\nzzz\nchen\n", "pinyin", "--rare", "--top", "3")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], "桭\t") || lines[1] != "𠮷" || lines[3] != "" || strings.Count(lines[4], "\t") != 2 {
		t.Errorf("%q", lines)
	}
	if _, _, code := p.run("", "pinyin", "--rare", "--operator", "wang", "--pin-file", "pin"); code != cli.ExitUsage {
		t.Errorf("exit %d", code)
	}
}
