package vm

import (
	"testing"

	"bianmin/assets/translations"
	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
)

// In English names of services and of the station are English wherever the packs have them.
func TestEnglishNames(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	m := desktest.New(t)
	d, s := m.Login(t)
	en, zh := texts.In("en"), texts.In("zh")
	of := counter.Case{Case: &casefile.Case{Service: "gaoling", ItemName: "高龄津贴"}}
	for _, test := range []struct {
		t    Texts
		of   string
		want string
	}{{en, "gaoling", "Old-age allowance"}, {zh, "gaoling", "高龄津贴"}, {en, "gone", "高龄津贴"}} {
		if got := itemName(test.t, s, test.of, of.ItemName); got != test.want {
			t.Errorf("%s in %s: %q, want %q", test.of, test.t.Lang(), got, test.want)
		}
	}
	const station = "Liushu Village service station"
	if got := d.Station(); got.In("en") != station || got.In("zh") != got.Name || got.Name == station {
		t.Errorf("station %+v", got)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = m.Open(t) // nobody is logged in: the packs are sealed
	if got := NewLogin(en, d.Counter(), m.Clock.Now, nil, false).State().Station; got != station {
		t.Errorf("log-in page in English: %q", got)
	}
}
