package vm

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/pinyin"
)

// Filters of the page 办件, beside [CasesNeedMe].
const (
	CasesAll       = ""
	CasesHere      = "machine"   // something of it was not acknowledged yet
	CasesDelivered = "delivered" // at the platform, which has not accepted it yet
	CasesAccepted  = "accepted"  // accepted and not decided
	CasesDone      = "done"      // over
)

var caseFilters = []string{CasesAll, CasesNeedMe, CasesPapers, CasesHere, CasesDelivered, CasesAccepted, CasesDone}

func inFilter(c *counter.Case, filter string) bool {
	switch filter {
	case CasesNeedMe:
		return c.Delivery == casefile.NeedsYou
	case CasesPapers:
		return c.MayHandIn()
	case CasesHere:
		return c.Delivery == casefile.OnMachine
	case CasesDelivered:
		return c.Delivery == casefile.AtPlatform && !c.State.Closed()
	case CasesAccepted:
		return c.Delivery == casefile.PlatformTook && !c.State.Closed()
	case CasesDone:
		return c.State.Closed()
	}
	return true
}

// Cases is the state of the screen 办件: what needs the clerk first, then by legal deadline, as the counter orders them.
// It stays quick with 20,000 cases: rows are put into words only when they are seen.
type Cases struct {
	t   Texts
	s   counter.Session
	now func() time.Time

	mu     sync.Mutex // guards what follows
	filter string
	query  string
	book   *caseBook
	rows   []int // places in book.cases, after filter and query
}

// caseBook is what one Load read. It is not changed afterwards.
type caseBook struct {
	cases  []counter.Case
	units  map[string]casefile.Unit // of the promised limit, by service
	index  *pinyin.Index            // names of applicants, same order as cases
	items  []string                 // names of items that occur
	counts map[string]int           // by filter
}

// NewCases returns the state for a filter: one of CasesAll, CasesNeedMe and so on; another word shows all. Load fills it.
func NewCases(t Texts, s counter.Session, now func() time.Time, filter string) *Cases {
	v := &Cases{t: t, s: s, now: now}
	if slices.Contains(caseFilters, filter) {
		v.filter = filter
	}
	return v
}

// CasesState is what the screen 办件 shows.
type CasesState struct {
	Loaded                bool
	Filters               []Chip // with their counts; those without a case are left out
	Query                 string
	Count                 string // how many are shown, in words
	Len                   int    // rows; Row gives each
	EmptyTitle, EmptyText string // why there is no row; "" otherwise

	row func(int) CaseRow
}

// Row puts row i into words, 0 ≤ i < Len.
func (st CasesState) Row(i int) CaseRow { return st.row(i) }

// CaseRow is one case in a list. Tones are "ok", "info", "warn", "danger" or "".
type CaseRow struct {
	Seq                    uint64
	Who, Item              string
	No, When               string // receipt number; when it was taken in
	State, StateTone       string // where the case stands with the authority
	Delivery, DeliveryTone string // how far its data got
	Days, DaysTone         string // days left in words, "" when no clock runs
	Urgent                 string // the hardship flag in a word, "" without
	To                     Target
}

// Load reads the cases and makes them searchable. It takes a moment with many: call it off the screen's goroutine.
func (v *Cases) Load(ctx context.Context) error {
	cases, err := v.s.Cases(ctx)
	if err != nil {
		return err
	}
	b := &caseBook{cases: cases, units: map[string]casefile.Unit{}, counts: map[string]int{}}
	cat, caterr := v.s.Catalog() // without packs the days are called working days, which most are
	var names pinyin.Builder
	seen := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		names.AddName(c.Applicant)
		if !seen[c.ItemName] {
			seen[c.ItemName] = true
			b.items = append(b.items, c.ItemName)
		}
		if _, ok := b.units[c.Service]; !ok && caterr == nil {
			it, _ := cat.Item(c.Service)
			b.units[c.Service] = it.Promised.Unit
		}
		for _, f := range caseFilters {
			if inFilter(c, f) {
				b.counts[f]++
			}
		}
	}
	b.index = names.Index()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.book = b
	v.choose()
	return nil
}

// SetFilter takes a filter.
func (v *Cases) SetFilter(filter string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.filter = filter
	v.choose()
}

// Filter returns the filter in use, for the history.
func (v *Cases) Filter() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.filter
}

// SetQuery takes what was typed or scanned: a receipt number or its beginning, the 办件编号 or its end, a name, its
// pinyin or initials, an item, the last four of the ID number or all of it.
func (v *Cases) SetQuery(q string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.query = strings.TrimSpace(q)
	v.choose()
}

// choose fills rows. The caller holds the lock.
func (v *Cases) choose() {
	if v.book == nil {
		return
	}
	found := v.book.finder(v.query)
	rows := make([]int, 0, len(v.book.cases)) // a new one: states that were given out keep theirs
	for i := range v.book.cases {
		if inFilter(&v.book.cases[i], v.filter) && found(i) {
			rows = append(rows, i)
		}
	}
	v.rows = rows
}

// finder returns whether a case is meant by a query.
func (b *caseBook) finder(query string) func(int) bool {
	if query == "" {
		return func(int) bool { return true }
	}
	if device, seq, err := casefile.ParseNumber(query); err == nil {
		return func(i int) bool { return b.cases[i].Seq == seq && b.cases[i].Device == device }
	}
	named := make([]bool, len(b.cases))
	for _, hit := range b.index.Search(query, 0) {
		named[hit.ID] = true
	}
	items := map[string]bool{}
	for _, item := range b.items {
		if _, ok := pinyin.Match(query, item); ok {
			items[item] = true
		}
	}
	const least = 4 // digits of an ID number or 办件编号 that mean one
	number, begins := ident.Normalize(query), strings.Map(plainNumber, query)
	return func(i int) bool {
		c := &b.cases[i]
		return named[i] || items[c.ItemName] || strings.HasPrefix(c.No, begins) ||
			len(number) >= least && (strings.HasSuffix(c.IDNumber, number) || strings.HasSuffix(c.OfficialNo, number))
	}
}

// plainNumber turns full-width digits and the dashes of Chinese keyboards into those of a receipt number.
func plainNumber(r rune) rune {
	switch {
	case r >= '０' && r <= '９':
		return r - '０' + '0'
	case r == '－', r >= 0x2010 && r <= 0x2015:
		return '-'
	}
	return r
}

// State returns what to show.
func (v *Cases) State() CasesState {
	v.mu.Lock()
	defer v.mu.Unlock()
	st := CasesState{Loaded: v.book != nil, Query: v.query, Len: len(v.rows)}
	count := func(f string) string {
		if v.book == nil {
			return "…"
		}
		return itoa(v.book.counts[f])
	}
	for _, f := range caseFilters {
		name := f
		if f == CasesAll {
			name = "all"
		}
		if f != CasesAll && f != CasesNeedMe && f != v.filter && (v.book == nil || v.book.counts[f] == 0) {
			continue // nothing to see there
		}
		st.Filters = append(st.Filters, Chip{f, v.t.T("cases.filter."+name, "n", count(f)), f == v.filter})
	}
	if v.book == nil {
		return st
	}
	st.Count = v.t.T("cases.count", "n", itoa(st.Len))
	if st.Len == 0 {
		st.EmptyTitle, st.EmptyText = v.empty()
	}
	t, op, now, book, rows := v.t, v.s.Operator().ID, v.now(), v.book, v.rows
	st.row = func(i int) CaseRow {
		c := &book.cases[rows[i]]
		r := CaseRow{
			Seq: c.Seq, Who: whoOf(t, c, op, false), Item: itemName(t, v.s, c.Service, c.ItemName), No: c.No, When: DayOrTime(t, time.UnixMilli(c.SubmittedAt), now),
			To: Target{pageCase, utoa(c.Reference())},
		}
		r.State, r.StateTone = t.T(c.State.Key()), stateTone(c.State)
		r.Delivery, r.DeliveryTone = t.T(c.Delivery.Key()), deliveryTone(c.Delivery)
		r.Days, r.DaysTone = daysLeft(t, c, book.units[c.Service])
		if c.Urgent {
			r.Urgent = t.T("cases.urgent")
		}
		return r
	}
	return st
}

func (v *Cases) empty() (title, text string) {
	switch {
	case len(v.book.cases) == 0:
		return v.t.T("cases.none"), v.t.T("cases.noneText")
	case v.query != "":
		return v.t.T("cases.notFound", "text", v.query), v.t.T("cases.notFoundText")
	case v.filter == CasesNeedMe:
		return v.t.T("cases.nothingNeeded"), v.t.T("cases.nothingNeededText")
	default:
		return v.t.T("cases.noneHere"), v.t.T("cases.noneHereText")
	}
}

// whoOf names an applicant: in full to the clerk who took the case in, masked to others unless they asked to see it.
func whoOf(t Texts, c *counter.Case, operator string, reveal bool) string {
	switch {
	case c.Applicant == "":
		return t.T("cases.erased")
	case reveal || c.Operator == operator:
		return c.Applicant
	default:
		return c.MaskedName()
	}
}

// stateTone says how a state reads.
func stateTone(s casefile.State) string {
	switch s {
	case casefile.CorrectionAsked:
		return "warn"
	case casefile.Accepted, casefile.Granted, casefile.Decided, casefile.Delivered, casefile.Rated:
		return "ok"
	case casefile.Refused, casefile.Denied, casefile.Returned:
		return "danger"
	case casefile.TakenIn, casefile.CorrectionDone, casefile.Processing, casefile.Special:
		return "info"
	}
	return ""
}

func deliveryTone(d casefile.Delivery) string {
	switch d {
	case casefile.NeedsYou:
		return "danger"
	case casefile.AtPlatform:
		return "info"
	case casefile.PlatformTook:
		return "ok"
	}
	return ""
}

// daysLeft says how long is left to the day that counts: 还剩 3 个工作日, 今天到期, 已超期 1 天. unit is that of the
// promised limit; an answer to a correction is counted in working days (行政许可法 §32, §82).
func daysLeft(t Texts, c *counter.Case, unit casefile.Unit) (text, tone string) {
	k := c.Clock
	asked := c.State == casefile.CorrectionAsked && k.AnswerBy != 0
	switch {
	case c.State.Closed() || !asked && k.Promised == 0:
		return "", ""
	case k.Stopped && !asked:
		return t.T("cases.days.stopped"), ""
	}
	switch k.Lamp {
	case casefile.LampYellow:
		tone = "warn"
	case casefile.LampRed, casefile.LampOverdue:
		tone = "danger"
	}
	n, key := k.Left, "cases.days.left"
	switch {
	case n == 0:
		return t.T("cases.days.today"), tone
	case n < 0:
		n, key = -n, "cases.days.over"
	}
	if n == 1 {
		key += "One"
	}
	if unit == casefile.NaturalDays && !asked {
		key += ".day"
	} else {
		key += ".workday"
	}
	return t.T(key, "n", itoa(n)), tone
}
