package form

import "testing"

// A job or a school: whoever comes to learn names the school and proves it.
func TestJuzhuAsksStudentsForTheirSchool(t *testing.T) {
	s, _ := sample(t, "juzhudengji").Load(env(), juzhuAnswers(t))
	if s.State("school").Relevant || s.State("schoolProof").Relevant {
		t.Error("a worker is asked for a school")
	}
	s.Set("purpose", "study")
	if got := keys(s.Problems()); got != "school=form.required schoolProof=form.requiredMaterial" {
		t.Errorf("problems %s", got)
	}
	s.Set("school", "示范县第一中学")
	s.Set("schoolProof", photos(8))
	if got := keys(s.Problems()); got != "" {
		t.Errorf("problems %s", got)
	}
}

// The village may apply for somebody, and find somebody itself: each says who, and why or when.
func TestLinshiTellsWhereItCameFrom(t *testing.T) {
	for origin, want := range map[string]string{
		"self":  "",
		"agent": "helperName=form.required helperPost=form.requiredChoice helperPhone=form.required helperReason=form.required",
		"found": "helperName=form.required helperPost=form.requiredChoice helperPhone=form.required foundOn=form.requiredChoice",
	} {
		s, _ := sample(t, "linshijiuzhu").Load(env(), linshiAnswers(t))
		s.Set("origin", origin)
		if got := keys(s.Problems()); got != want {
			t.Errorf("%s: problems %s\nwant %s", origin, got, want)
		}
	}
	s, _ := sample(t, "linshijiuzhu").Load(env(), linshiAnswers(t))
	s.Set("origin", "found")
	s.Set("foundOn", "2026-11-23")
	if x := s.State("foundOn").Error; x == nil || x.Key != "form.constraint" {
		t.Errorf("found tomorrow: %v", x)
	}
}

// The bank of the card comes from the county's list.
func TestGaolingAsksForTheBank(t *testing.T) {
	v := gaolingAnswers(t)
	v["bank"] = "999"
	if got := keys(sample(t, "gaoling").Check(env(), v)); got != "bank=form.option" {
		t.Errorf("problems %s", got)
	}
	delete(v, "bank")
	if got := keys(sample(t, "gaoling").Check(env(), v)); got != "bank=form.requiredChoice" {
		t.Errorf("problems %s", got)
	}
}
