package form

import (
	"reflect"
	"testing"

	"bianmin/offline/canon"
)

// correcting loads submitted answers as a correction does, with only the given fields open.
func correcting(t *testing.T, name string, v Values, open ...Path) *Session {
	t.Helper()
	s, problems := sample(t, name).Load(env(), v)
	if len(problems) > 0 {
		t.Fatalf("problems %s", keys(problems))
	}
	s.Restrict(open)
	return s
}

// What a corrected answer brings onto the form can be answered; nothing else can.
func TestCorrectionOpensWhatFollows(t *testing.T) {
	s := correcting(t, "gaoling", gaolingAnswers(t), "way")
	if s.Set("agentName", "王小兰") != nil || !s.State("agentName").ReadOnly {
		t.Error("the helper's section is open before it is shown")
	}
	s.Set("way", "agent")
	for path, v := range map[Path]any{
		"agentName": "王小兰", "agentIdno": born(t, "1970-01-01", 2), "agentRelation": "child", "agentPhone": "13800000001",
		"agentReason": "老人行动不便", "agentPhoto": photos(9),
	} {
		if s.State(path).ReadOnly || s.Set(path, v) == nil {
			t.Errorf("%s is asked for and closed", path)
		}
		if s.State(path).ReadOnly {
			t.Errorf("%s closes once something is typed", path)
		}
	}
	if got := keys(s.Problems()); got != "" {
		t.Errorf("problems %s", got)
	}
	if s.Set("name", "王桂花") != nil || s.Set("contactPhone", "13900000000") != nil {
		t.Error("a field that nobody asked for was changed")
	}
	s.Set("way", "self")
	if !s.State("agentName").ReadOnly || s.Set("agentName", "甲乙") != nil {
		t.Error("the section stays open when the change is undone")
	}
	if got, want := s.Values(false), gaolingAnswers(t); !reflect.DeepEqual(got, want) {
		t.Errorf("undone: %v\nwant %v", got, want)
	}
}

// A field that was shown and optional opens when a corrected answer makes it needed, stays open while it is typed, and is
// empty again when the change is undone.
func TestCorrectionOpensWhatBecomesRequired(t *testing.T) {
	v := linshiAnswers(t)
	v["urgent"] = true
	for _, id := range []string{"bankcard", "hukouBook", "hardshipProof", "dibaoProof"} {
		delete(v, id)
	}
	s := correcting(t, "linshijiuzhu", v, "urgent")
	if s.Set("bankcard", card(t)) != nil || s.Set("hukouBook", photos(2)) != nil {
		t.Error("what is not needed is open")
	}
	s.Set("urgent", false)
	fresh := map[Path]any{"bankcard": card(t), "hukouBook": photos(2), "hardshipProof": photos(3), "dibaoProof": photos(4)}
	for path, x := range fresh {
		if s.State(path).ReadOnly || s.Set(path, x) == nil || s.State(path).ReadOnly {
			t.Errorf("%s is needed and closed", path)
		}
	}
	if s.Set("amount", "1") != nil || s.Set("family[1].name", "别人") != nil {
		t.Error("a field that nobody asked for was changed")
	}
	if got := keys(s.Problems()); got != "" {
		t.Errorf("problems %s", got)
	}
	packed := canon.MustMarshal(s.Draft())
	var d Draft
	if err := canon.Unmarshal(packed, &d); err != nil {
		t.Fatal(err)
	}
	again := correcting(t, "linshijiuzhu", v, "urgent") // the draft comes back after the form is restricted
	if lost := again.Restore(d); len(lost) > 0 || !reflect.DeepEqual(again.Values(true), s.Values(true)) || again.State("bankcard").ReadOnly {
		t.Errorf("resumed with %v, lost %v", again.Values(true), lost)
	}
	s.Set("urgent", true)
	for path := range fresh {
		if !s.State(path).ReadOnly || s.Set(path, nil) != nil {
			t.Errorf("%s stays open when the change is undone", path)
		}
	}
	if got := s.Values(false); !reflect.DeepEqual(got, v) {
		t.Errorf("undone: %v\nwant %v", got, v)
	}
}

// The kind of home decides about a person, a date and a material at once.
func TestCorrectionOpensChains(t *testing.T) {
	v := juzhuAnswers(t)
	v["homeType"] = "own"
	delete(v, "landlord")
	delete(v, "leaseUntil")
	delete(v, "lease")
	v["deed"] = photos(6)
	s := correcting(t, "juzhudengji", v, "homeType", "employed")
	s.Set("homeType", "rent")
	if s.Set("landlord.name", "王二") == nil || s.Set("landlord.phone", "13600000000") == nil || s.Set("leaseUntil", "2027-07-31") == nil ||
		s.Set("lease", photos(3)) == nil {
		t.Error("what a rented home needs is closed")
	}
	if s.State("deed").Relevant || len(s.Problems()) > 0 {
		t.Errorf("problems %s", keys(s.Problems()))
	}
	s.Set("employed", false)
	s.Set("employed", true)
	if st := s.State("employer"); !st.ReadOnly || st.Value != "柳河粮油加工厂" {
		t.Errorf("an answer that was submitted and came back: %+v", st)
	}
	s.Set("homeType", "own")
	if got := s.Values(false); !reflect.DeepEqual(got, v) {
		t.Errorf("undone: %v\nwant %v", got, v)
	}
}

// A whole group may follow from an answer; its rows can then be added, filled in and removed.
func TestCorrectionOpensAGroupThatFollows(t *testing.T) {
	p := program(t, small(`{"id":"ask","kind":"yesno",`+lbl("ask")+`},
{"id":"g","kind":"group","relevant":"ask == true","required":true,"rowLabel":{"zh":"行","en":"row"},`+lbl("g")+`,"fields":[{"id":"n","kind":"text","required":true,`+lbl("n")+`}]},
{"id":"h","kind":"group","required":"ask == true","rowLabel":{"zh":"行","en":"row"},`+lbl("h")+`,"fields":[{"id":"n","kind":"text","required":true,`+lbl("n")+`}]}`))
	s, problems := p.Load(env(), Values{"ask": false})
	if len(problems) > 0 {
		t.Fatal(keys(problems))
	}
	s.Restrict([]Path{"ask"})
	if row, _ := s.AddRow("h"); row >= 0 {
		t.Error("a row was added to a closed group")
	}
	s.Set("ask", true)
	for _, g := range []string{"g", "h"} {
		if row, _ := s.AddRow(g); row != 0 || s.Set(RowPath(g, 0, "n"), "甲") == nil {
			t.Errorf("group %s is closed", g)
		}
		if row, _ := s.AddRow(g); row != 1 || s.RemoveRow(g, 1) == nil {
			t.Errorf("no second row in %s", g)
		}
	}
	if got := keys(s.Problems()); got != "" {
		t.Errorf("problems %s", got)
	}
	s.Set("ask", false)
	if got := s.Values(false); !reflect.DeepEqual(got, Values{"ask": false}) {
		t.Errorf("undone: %v", got)
	}
}
