package vm

import (
	"strings"
	"testing"
	"time"

	"bianmin/assets/translations"
	"bianmin/offline/counter"
	"bianmin/offline/journal"
)

func TestFaultsLeaveOutWhatIsNotKnown(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 20, 5, 0, 0, time.UTC)
	for _, test := range []struct {
		f      counter.Fault
		zh, en string
	}{
		{counter.Fault{Where: "blob", Reason: "doctor.blob"}, "附件：附件被改动过", "attachment: "},
		{counter.Fault{Where: "headers", Seq: 7, Reason: "doctor.lost"}, "记录 第 7 条：应有的内容不见了", "no. 7: "},
		{counter.Fault{Where: "bodies", Seq: 7, Kind: string(journal.KindCaseSubmitted), At: at, Reason: "doctor.body"}, "记录正文 第 7 条（收件，2026年11月23日 04:05）：", "no. 7 (Case taken in, 23 Nov 2026 04:05): "},
	} {
		if got := FaultText(texts.In("zh"), test.f); !strings.HasPrefix(got, test.zh) || strings.Contains(got, "—") || strings.Contains(got, "第 0") {
			t.Errorf("%+v: %s", test.f, got)
		}
		if got := FaultText(texts.In("en"), test.f); !strings.Contains(got, test.en) || strings.Contains(got, "—") {
			t.Errorf("%+v: %s", test.f, got)
		}
	}
}

func TestRebuildingIsOfferedWhereItCanMend(t *testing.T) {
	lost, blob := counter.Fault{Where: "headers"}, counter.Fault{Where: "blob"}
	for _, test := range []struct {
		r    counter.Report
		want bool
	}{
		{counter.Report{}, false},
		{counter.Report{Faults: []counter.Fault{blob}}, false},
		{counter.Report{Faults: []counter.Fault{blob, lost}}, true},
		{counter.Report{Faults: []counter.Fault{lost}, Rebuilt: true}, true}, // nobody was logged in
		{counter.Report{Faults: []counter.Fault{lost}, Rebuilt: true, Deep: true}, false},
	} {
		if CanMend(test.r) != test.want {
			t.Errorf("%+v: %v", test.r, !test.want)
		}
	}
}
