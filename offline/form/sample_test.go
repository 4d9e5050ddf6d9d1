package form

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	wang = "999999194102030021" // female, 85 on the day of the tests
	li   = "999999194102030013" // male, 85
)

func photos(seed byte) []any { return []any{blob(seed).Value()} }

func gaolingAnswers(t testing.TB) Values {
	return Values{
		"name": "王桂英", "idno": wang, "hukou": "999999101201", "hukouAddress": "柳河镇柳河村3组12号", "sameHome": true,
		"applyType": "first", "bank": "314", "bankcard": card(t), "contactName": "王小兰", "contactRelation": "child", "contactPhone": "13800000000",
		"way": "self", "idcardPhoto": photos(1), "hukouBook": photos(4), "promise": true, "share": true, "sign": signature(7).Value(),
	}
}

func linshiAnswers(t testing.TB) Values {
	return Values{
		"name": "李建国", "idno": born(t, "1980-01-01", 1), "phone": "13900000000", "origin": "self", "hukou": "999999101201", "live": "999999101201",
		"liveAddress": "柳河镇柳河村1组3号", "kind": "emergency", "urgent": false, "cause": "fire", "happenedOn": "2026-11-18",
		"story": "房屋失火，家中粮食和衣物烧毁", "sameCause": false, "amount": int64(300000), "category": "dibao", "bankcard": card(t),
		"income": int64(120000), "family": []any{
			map[string]any{"name": "张秀芳", "idno": born(t, "1982-05-06", 2), "relation": "spouse", "income": int64(80000), "sign": signature(9).Value()},
			map[string]any{"name": "李小明", "idno": born(t, "2015-09-01", 3), "relation": "child"},
			map[string]any{"name": "李有福", "idno": li, "relation": "parent", "income": int64(0), "sign": signature(12).Value()},
		},
		"idcardPhoto": photos(1), "hukouBook": photos(2), "hardshipProof": photos(3), "dibaoProof": photos(4),
		"authorise": true, "promise": true, "sign": signature(5).Value(),
	}
}

func juzhuAnswers(t testing.TB) Values {
	return Values{
		"name": "赵强", "idno": born(t, "1995-07-08", 1), "hukou": "999998000000", "hukouAddress": "邻县城关镇7号", "phone": "13700000000",
		"arrivedOn": "2026-08-01", "purpose": "work", "live": "999999101201", "liveAddress": "柳河村2组5号201室", "homeType": "rent",
		"landlord": map[string]any{"name": "王二", "phone": "13600000000"}, "leaseUntil": "2027-07-31", "together": []any{"spouse"},
		"employed": true, "employer": "柳河粮油加工厂", "photo": photos(1), "idcardPhoto": photos(2), "lease": photos(3),
		"promise": true, "sign": signature(5).Value(),
	}
}

var samples = map[string]func(testing.TB) Values{"gaoling": gaolingAnswers, "linshijiuzhu": linshiAnswers, "juzhudengji": juzhuAnswers}

// Each sample form takes a full set of answers three ways - typed, sent, as a line of JSON - with the same result.
func TestSampleFormsTakeACase(t *testing.T) {
	for name, answers := range samples {
		t.Run(name, func(t *testing.T) {
			p, v := sample(t, name), answers(t)
			loaded, problems := p.Load(env(), v)
			if len(problems) > 0 {
				t.Fatalf("problems %s", keys(problems))
			}
			if got := loaded.Values(false); !reflect.DeepEqual(got, v) {
				t.Errorf("loaded %v\nwant %v", got, v)
			}
			full := loaded.Values(true)
			if got := p.Check(env(), full); len(got) > 0 {
				t.Errorf("with computed values: %s", keys(got))
			}
			line := must[[]byte](t)(json.Marshal(v))
			s, problems := p.Answers(env(), 3, line)
			if len(problems) > 0 {
				t.Fatalf("answers: %s", keys(problems))
			}
			if got := s.Values(true); !reflect.DeepEqual(got, full) {
				t.Errorf("answers %v\nwant %v", got, full)
			}
			typed := p.Start(env())
			for _, id := range slices.Backward(sortedKeys(v)) {
				rows, isGroup := v[id].([]any)
				if !isGroup || typed.State(Path(id)).Field.Kind != KindGroup {
					typed.Set(Path(id), v[id])
					continue
				}
				for r, e := range rows {
					typed.AddRow(id)
					for child, x := range e.(map[string]any) {
						typed.Set(RowPath(id, r, child), x)
					}
				}
			}
			if got := typed.Values(true); !reflect.DeepEqual(got, full) || len(typed.Problems()) > 0 {
				t.Errorf("typed %v\nwant %v\nproblems %s", got, full, keys(typed.Problems()))
			}
			who, idno, phone := typed.Applicant()
			if who != v["name"] || idno != v["idno"] || phone == "" {
				t.Error("the applicant is not found")
			}
		})
	}
}

// A form that is only opened asks for everything that is needed, in reading order, and nothing of a hidden section.
func TestSampleFormsAskForWhatIsMissing(t *testing.T) {
	s := sample(t, "gaoling").Start(env())
	want := "name=form.required idno=form.required hukouAddress=form.required bank=form.requiredChoice bankcard=form.required contactName=form.required " +
		"contactRelation=form.requiredChoice contactPhone=form.required idcardPhoto=form.requiredMaterial hukouBook=form.requiredMaterial " +
		"promise=form.requiredConsent share=form.requiredConsent sign=form.requiredSignature"
	if got := keys(s.Problems()); got != want {
		t.Errorf("problems %s\nwant     %s", got, want)
	}
	if got := s.State("hukou"); got.Value != "999999101201" || got.Touched {
		t.Errorf("the station's division is not there: %+v", got)
	}
}

func TestGaolingBands(t *testing.T) {
	p := sample(t, "gaoling")
	for _, tt := range []struct {
		birth, band string
		age, amount any
		problem     string
	}{
		{"1947-11-23", "", int64(78), nil, "form.constraint"},
		{"1946-11-23", "", int64(79), nil, "form.constraint"},
		{"1946-11-22", "80", int64(80), int64(3000), ""},
		{"1936-11-23", "80", int64(89), int64(3000), ""},
		{"1936-11-22", "90", int64(90), int64(6000), ""},
		{"1926-11-23", "90", int64(99), int64(6000), ""},
		{"1926-11-22", "100", int64(100), int64(30000), ""},
	} {
		s := p.Start(env())
		s.Set("idno", born(t, tt.birth, 2))
		band, _ := s.State("band").Value.(string)
		if age, amount := s.State("age").Value, s.State("amount").Value; age != tt.age || amount != tt.amount || band != tt.band {
			t.Errorf("born %s: age %v, band %q, amount %v", tt.birth, age, band, amount)
		}
		key := ""
		if x := s.State("idno").Error; x != nil {
			key = x.Key
		}
		if key != tt.problem {
			t.Errorf("born %s: problem %q, want %q", tt.birth, key, tt.problem)
		}
	}
	s := p.Start(env())
	s.Set("idno", wang)
	if s.State("sex").Value != "F" || s.State("birth").Value != "1941-02-03" || s.Display("sex", "zh") != "女" {
		t.Error("sex and birth date do not follow from the number")
	}
	if got := s.Text(s.State("amountNote").Field.Label, "zh", "amountNote"); !strings.Contains(got, "30.00元") {
		t.Errorf("note %q", got)
	}
	s.Set("idno", "99999919410203002")
	if s.State("age").Value != nil || s.State("amount").Value != nil || s.State("idno").Error.Key != "ident.idLength" {
		t.Error("an incomplete number still has an age")
	}
}

func TestGaolingAgentSection(t *testing.T) {
	s := sample(t, "gaoling").Start(env())
	blocks := len(s.Visible())
	s.Set("idno", wang)
	s.Set("way", "agent")
	if got := len(s.Visible()); got != blocks+1 {
		t.Fatalf("%d sections, want %d", got, blocks+1)
	}
	if st := s.State("agentName"); !st.Relevant || !st.Required || st.Error == nil {
		t.Errorf("agent's name %+v", st)
	}
	if !s.State("agentPhoto").Required {
		t.Error("the agent's paper is not asked for")
	}
	s.Set("agentIdno", wang)
	if x := s.State("agentIdno").Error; x == nil || x.Key != "form.constraint" {
		t.Errorf("the elder as her own agent: %v", x)
	}
	s.Set("agentIdno", born(t, "1970-01-01", 1))
	if x := s.State("agentIdno").Error; x != nil {
		t.Errorf("agent: %v", x)
	}
	s.Set("way", "self")
	if _, there := s.Values(true)["agentIdno"]; there {
		t.Error("the agent's number goes out although nobody is agent")
	}
}

func TestLinshiSignaturesOfAllAdults(t *testing.T) {
	p := sample(t, "linshijiuzhu")
	v := linshiAnswers(t)
	s, _ := p.Load(env(), v)
	if s.State("family[0].sign").Relevant == false || s.State("family[1].sign").Relevant || !s.State("family[2].sign").Required {
		t.Error("adults sign, children do not")
	}
	if got := s.State("adults").Value; got != int64(3) {
		t.Errorf("adults %v", got)
	}
	if got := s.State("perHead").Value; got != int64(50000) || s.State("totalIncome").Value != int64(200000) {
		t.Errorf("income a head %v", got)
	}
	delete(v["family"].([]any)[2].(map[string]any), "sign")
	if got := keys(p.Check(env(), v)); got != "family[2].sign=form.requiredSignature" {
		t.Errorf("problems %s", got)
	}
	s.Set("family[2].idno", v["idno"])
	if x := s.State("family").Error; x == nil || x.Key != "form.constraint" {
		t.Errorf("the applicant as his own relative: %v", x)
	}
}

func TestLinshiHardshipChangesDaysAndPriority(t *testing.T) {
	p := sample(t, "linshijiuzhu")
	s, _ := p.Load(env(), linshiAnswers(t))
	calm := s.Outputs()
	if calm["promiseDays"] != int64(15) || calm["priority"] != int64(0) || calm["hardship"] != false || calm["papersDays"] != int64(0) {
		t.Errorf("outputs %v", calm)
	}
	s.Set("urgent", true)
	s.Set("hardshipProof", nil)
	s.Set("hukouBook", nil)
	urgent := s.Outputs()
	if urgent["promiseDays"] != int64(2) || urgent["priority"] != int64(2) || urgent["hardship"] != true || urgent["papersDays"] != int64(20) {
		t.Errorf("outputs %v", urgent)
	}
	if got := keys(s.Problems()); got != "" {
		t.Errorf("papers may follow: %s", got)
	}
	s.Set("amount", "6000")
	if s.State("decidedBy").Value != "county" {
		t.Error("above the township's limit the county decides")
	}
	s.Set("kind", "expense")
	if st := s.State("urgent"); st.Relevant || s.Outputs()["hardship"] != false {
		t.Error("expenses are never urgent")
	}
}

func TestJuzhuProofGoesWithTheHome(t *testing.T) {
	s, _ := sample(t, "juzhudengji").Load(env(), juzhuAnswers(t))
	for home, proof := range map[string]Path{"rent": "lease", "own": "deed", "employer": "employerNote", "kin": "hostNote"} {
		s.Set("homeType", home)
		for _, other := range []Path{"lease", "deed", "employerNote", "hostNote"} {
			if st := s.State(other); st.Relevant != (other == proof) || st.Required != (other == proof) {
				t.Errorf("home %s: %s relevant %v", home, other, st.Relevant)
			}
		}
		if st := s.State("landlord"); st.Relevant != (home == "rent") {
			t.Errorf("home %s: landlord relevant %v", home, st.Relevant)
		}
	}
	if got := s.State("permitFrom").Value; got != "2027-02-01" {
		t.Errorf("permit from %v", got)
	}
	s.Set("idno", born(t, "2014-07-08", 1))
	if !s.State("guardian").Required || s.State("employed").Relevant {
		t.Error("a child has a guardian and no job")
	}
	s.Set("guardian", map[string]any{"name": "赵强", "idno": born(t, "1985-07-08", 1), "phone": "13700000000", "relation": "父亲"})
	if x := s.State("guardian").Error; x != nil {
		t.Errorf("guardian: %v", x)
	}
	s.Set("guardian.idno", born(t, "2010-07-08", 1))
	if x := s.State("guardian").Error; x == nil || x.Key != "form.constraint" {
		t.Errorf("a child as guardian: %v", x)
	}
}

// What every sample form must have: both languages (the schema holds that), an element code for each value, and the mark
// on what is personal.
func TestSampleFormsAreComplete(t *testing.T) {
	for name := range samples {
		f := sample(t, name).Form()
		f.Each(func(fd, _ *Field) {
			if fd.Kind != KindNote && fd.Element == "" {
				t.Errorf("%s: field %s has no element code", name, fd.ID)
			}
			switch fd.Kind {
			case KindIDNumber, KindPhone, KindBankCard, KindPerson, KindSignature, KindMaterial, KindGroup:
				if !fd.Personal {
					t.Errorf("%s: field %s is personal", name, fd.ID)
				}
			}
		})
		for _, out := range []string{"promiseDays", "priority"} {
			if f.Outputs[out] == "" {
				t.Errorf("%s: no output %s", name, out)
			}
		}
	}
}
