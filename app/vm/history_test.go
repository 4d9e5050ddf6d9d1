package vm_test

import (
	"strings"
	"testing"

	"bianmin/app/vm"
	"bianmin/offline/counter"
	"bianmin/offline/desk/desktest"
)

// TestHistory: what happened to the machine is said in words, with the numbers of the records, in both languages.
func TestHistory(t *testing.T) {
	at := desktest.Day
	for _, c := range []struct {
		name string
		st   counter.Status
		tone string
		zh   []string
		en   []string
	}{
		{
			"a fork with a branch",
			counter.Status{Former: []counter.Former{{Device: 17, To: 40, Last: 43, Into: 23, At: at}}},
			"info",
			[]string{"17", "23", "第 41 条", "第 43 条", "回执仍然有效"},
			[]string{"17", "23", "Records 41 to 43", "Receipts that were handed out still stand"},
		},
		{
			"a fork with nothing undelivered",
			counter.Status{Former: []counter.Former{{Device: 17, To: 40, Last: 40, Into: 23, At: at}}},
			"info",
			[]string{"没有未送达"},
			[]string{"Nothing of this machine was undelivered"},
		},
		{
			"records that are gone",
			counter.Status{Recovered: &counter.Recovered{At: at, From: 1, To: 40, MissingFrom: 41, MissingTo: 44, Drafts: 2, Blobs: 3}},
			"warn",
			[]string{"第 1 条至第 40 条", "第 41 条至第 44 条", "2 份", "3 个附件"},
			[]string{"Records 1 to 40 came back", "Records 41 to 44 never reached", "recovered: 2", "platform: 3"},
		},
		{
			"all is back",
			counter.Status{Recovered: &counter.Recovered{At: at, From: 5, To: 9, Mirror: 12}},
			"ok",
			[]string{"第 5 条至第 9 条", "到第 12 条", "没有丢失"},
			[]string{"Records 5 to 9", "up to 12", "No record is missing"},
		},
		{
			"nobody knows",
			counter.Status{Recovered: &counter.Recovered{At: at, From: 1, To: 9, Unknown: true}},
			"warn",
			[]string{"已无法得知"},
			[]string{"cannot be told"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for lang, want := range map[string][]string{"zh": c.zh, "en": c.en} {
				all := vm.History(speak(t, lang), c.st)
				if len(all) != 1 || all[0].Tone != c.tone {
					t.Fatalf("%+v", all)
				}
				text := all[0].Title + " " + all[0].Text
				for _, w := range want {
					if !strings.Contains(text, w) {
						t.Errorf("%s: no %q in %q", lang, w, text)
					}
				}
				if strings.Contains(text, "{") {
					t.Errorf("%s: an empty place in %q", lang, text)
				}
			}
		})
	}
}
