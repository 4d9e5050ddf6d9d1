// Package corpus makes the data that figures are measured with: cases as a village station takes them in, and a roster
// of a town. The same seed gives the same bytes on every machine. Nothing that ships reaches this package.
//
// A case has the fields, lengths and chances of the reference corpus of 3.2 KB records: applicant, address, household,
// eighteen answers with their labels, materials, a visit report and notes. Its free text is made of 8,000 invented words whose
// frequencies fall as those of a Chinese text do, so that it packs as well as the reference, and no better.
package corpus

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
	"bianmin/offline/pinyin"
)

// Service is the short id of the bench service whose cases [Cases.Next] makes.
const Service = "bench"

// Division is the village in which they are taken in.
const Division = "999901101201"

const (
	county = "999901"
	words  = 8000
)

// Count is how many things a benchmark measures with: usual, or what the environment asks for under name, for a quick look.
func Count(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return usual
}

// Cases makes case after case. It must not be used by several goroutines at once.
type Cases struct {
	r     *rand.Rand
	words []string
	cum   []float64
	n     int
	now   time.Time
}

// NewCases returns a generator. Equal seeds give equal cases.
func NewCases(seed uint64) *Cases {
	g := &Cases{r: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)}
	w := rand.New(rand.NewPCG(99, 7)) // the language is the same for all seeds
	sum := 0.0
	for i := range words {
		word := ""
		for range 1 + w.IntN(2) + min(1, i/400) {
			word += string(rune(0x4e00 + int(w.ExpFloat64()*600)%5000))
		}
		sum += 1 / (float64(i) + 2.7)
		g.words, g.cum = append(g.words, word), append(g.cum, sum)
	}
	return g
}

// Next returns the next case: a body of about 3.2 KB.
func (g *Cases) Next() journal.CaseSubmitted {
	g.n++
	start := g.now.Add(time.Duration(g.r.IntN(20*60*1000)) * time.Millisecond)
	saved := start.Add(time.Duration(60_000+g.r.IntN(900_000)) * time.Millisecond)
	if g.now = saved; g.now.Hour() >= 18 {
		g.now = time.Date(g.now.Year(), g.now.Month(), g.now.Day()+1, 8, 30, 0, 0, time.UTC)
	}
	item := items[g.zipf(len(items))]
	p := g.person()
	village := villages[g.r.IntN(len(villages))]
	group := 1 + g.r.IntN(12)
	answers := map[string]any{
		"id": g.uuid(), "form": "village_service_case", "form_version": "2025030101", "device_id": "kiosk-999901-6350",
		"operator_id": fmt.Sprintf("BS999901%03d", g.r.IntN(3)*131), "case_no": fmt.Sprintf("999901105%s%05d", start.Format("20060102"), g.n),
		"started_at": start.Format("2006-01-02T15:04:05.000Z07:00"), "saved_at": saved.Format("2006-01-02T15:04:05.000Z07:00"),
		"lat": fmt.Sprintf("%.6f", 29.97+float64(g.r.IntN(60_000))/1e6), "lon": fmt.Sprintf("%.6f", 111.63+float64(g.r.IntN(60_000))/1e6),
		"gps_accuracy_m": fmt.Sprintf("%.1f", float64(30+g.r.IntN(300))/10),
		"item":           map[string]any{"code": item.code, "name": item.name, "category": item.category},
		"applicant":      p,
		"address": map[string]any{
			"province": "示例省", "city": "示例市", "county": "示例县", "township": "示例镇", "village": village,
			"group": fmt.Sprintf("第%d村民小组", group), "detail": fmt.Sprintf("%s%d组%d号", village, group, 1+g.r.IntN(160)), "division_code": Division,
		},
		"household": g.household(), "answers": g.answers(), "materials": g.materials(),
		"visit_record": g.text(28, 84), "consent": true, "priority": priorities[g.zipf(len(priorities))],
	}
	if g.chance(0.7) {
		answers["notes"] = g.text(8, 36)
	}
	return journal.CaseSubmitted{
		Service: Service, ItemCode: item.code, ItemName: item.short, FormID: "village_service_case", FormVersion: 2025030101,
		FormHash: [32]byte{1, 2, 3}, Answers: canon.MustMarshal(answers), Applicant: p["name"].(string),
		IDNumber: p["id_number"].(string), Phone: p["phone"].(string), Division: Division,
		Due: int32(saved.Unix()/86400) + 20, Consent: "consent.submit",
	}
}

func (g *Cases) chance(p float64) bool { return g.r.Float64() < p }

func (g *Cases) pick(s []string) string { return s[g.r.IntN(len(s))] }

// zipf draws i with a chance proportional to 1/(i+2).
func (g *Cases) zipf(n int) int { return zipf(g.r, n) }

func zipf(r *rand.Rand, n int) int {
	sum := 0.0
	for i := range n {
		sum += 1 / float64(i+2)
	}
	u := r.Float64() * sum
	for i := range n {
		if u -= 1 / float64(i+2); u < 0 {
			return i
		}
	}
	return n - 1
}

func (g *Cases) word() string {
	u := g.r.Float64() * g.cum[len(g.cum)-1]
	lo, hi := 0, len(g.cum)-1
	for lo < hi {
		if mid := (lo + hi) / 2; g.cum[mid] < u {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return g.words[lo]
}

func (g *Cases) text(least, most int) string {
	var b strings.Builder
	b.WriteString(g.pick(openers))
	n := least + g.r.IntN(most-least+1)
	for i := range n {
		b.WriteString(g.word())
		if i%6 == 5 && i != n-1 {
			b.WriteString("，")
		}
	}
	b.WriteString("。")
	b.WriteString(g.pick(closers))
	return b.String()
}

func (g *Cases) uuid() string {
	a, b := g.r.Uint64(), g.r.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>50, b&(1<<48-1))
}

func name(r *rand.Rand) string {
	s := string(surnames[zipf(r, len(surnames))])
	for range 1 + min(1, r.IntN(5)) {
		s += string(given[r.IntN(len(given))])
	}
	return s
}

func phone(r *rand.Rand) string {
	return phones[r.IntN(len(phones))] + fmt.Sprintf("%08d", r.IntN(1e8))
}

// number makes an ID number of the fictional county.
func number(r *rand.Rand, seq int) (id string, birth time.Time, sex string) {
	birth = time.Date(1935, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(365*84))
	id, err := ident.MakeID(county, birth, seq)
	if err != nil {
		panic(err) // parts are in range
	}
	sex = "女"
	if seq%2 == 1 {
		sex = "男"
	}
	return id, birth, sex
}

func (g *Cases) person() map[string]any {
	who := name(g.r)
	id, birth, sex := number(g.r, g.r.IntN(1000))
	return map[string]any{
		"name": who, "name_pinyin": strings.Join(pinyin.NameFull(who), ""), "gender": sex, "ethnicity": ethnic[g.zipf(len(ethnic))],
		"birth_date": birth.Format(time.DateOnly), "id_type": "居民身份证", "id_number": id, "phone": phone(g.r),
		"marital_status": marital[g.zipf(len(marital))], "education": g.pick(schooling), "occupation": g.pick(work),
		"household_type": registers[g.zipf(len(registers))], "bank_name": g.pick(banks),
		"bank_account": fmt.Sprintf("62%04d%013d", 1700+g.r.IntN(6)*11, g.r.Int64N(1e13)),
	}
}

func (g *Cases) household() []any {
	out := []any{}
	for range g.r.IntN(6) {
		id, _, sex := number(g.r, g.r.IntN(1000))
		out = append(out, map[string]any{
			"name": name(g.r), "relation": g.pick(relations), "gender": sex, "id_number": id, "health_status": health[g.zipf(len(health))],
			"occupation": g.pick(work), "annual_income": g.r.IntN(400) * 100, "has_insurance": g.chance(0.93),
		})
	}
	return out
}

func (g *Cases) answers() []any {
	var out []any
	for i, q := range questions {
		a := map[string]any{"q": fmt.Sprintf("A%02d", i+1), "label": q.label}
		if q.max > 0 {
			a["value"] = fmt.Sprint(g.r.IntN(q.max))
		} else {
			a["value"] = q.values[g.zipf(len(q.values))]
		}
		out = append(out, a)
	}
	return out
}

func (g *Cases) materials() []any {
	out := []any{}
	for _, m := range materials {
		if g.chance(0.35) {
			out = append(out, m)
		}
	}
	return out
}
