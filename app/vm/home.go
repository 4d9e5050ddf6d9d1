package vm

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"bianmin/app/device/scanner"
	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/ident"
	"bianmin/offline/pinyin"
	"bianmin/offline/receipt"
	"bianmin/offline/words"
)

// Limits of the home page's lists.
const (
	mostHits   = 5 // of one group of results
	mostDrafts = 4 // shown before "all"
)

// Home is the state of the screen 首页: one search for everything, what is due today, drafts to go on with.
type Home struct {
	t   Texts
	c   counter.Counter
	s   counter.Session
	now func() time.Time

	mu     sync.Mutex // guards what follows
	query  string
	all    bool // every draft is shown
	status counter.Status
	cases  []counter.Case
	drafts []counter.Draft
	index  *pinyin.Index // of cases, made at the first search
	press  press         // for what waits to be printed
}

// NewHome returns the state; Load fills it.
func NewHome(t Texts, c counter.Counter, s counter.Session, now func() time.Time) *Home {
	return &Home{t: t, c: c, s: s, now: now}
}

// HomeState is what the screen 首页 shows.
type HomeState struct {
	Greeting, Date string
	Query          string
	Groups         []HitGroup // of the search; empty while nothing is typed
	None           string     // nothing found, in words
	Tiles          []Tile
	Today          []TodayRow
	TodayDone      string // all is done; "" otherwise
	Drafts         []DraftRow
	MoreDrafts     string // word of the button that shows all; "" when all are shown
}

// HitGroup is what a search found of one kind.
type HitGroup struct {
	Title string
	Rows  []Hit
}

// Hit is one thing that a search found.
type Hit struct {
	Icon, Title, Note string
	State             string // "ok", "warn", "danger" or "": how Word is to be read
	Word              string // state in words, "" for none
	To                Target // zero: nothing to open
}

// Tile is one place to go to.
type Tile struct {
	Icon, Word, Note string
	To               Target
}

// TodayRow is one thing to look after today.
type TodayRow struct {
	Icon, Word, Note string
	Count            int
	State            string // "warn", "danger" or "info"
	To               Target
}

// DraftRow is a case begun and not submitted.
type DraftRow struct {
	ID, Title, Note string
	To              Target
}

// Load reads cases, drafts and where the machine stands. It takes a moment with many cases: call it off the screen's
// goroutine.
func (h *Home) Load(ctx context.Context) error {
	st, err := h.c.Status(ctx)
	if err != nil {
		return err
	}
	cases, err := h.s.Cases(ctx)
	if err != nil {
		return err
	}
	drafts, err := h.s.Drafts(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(drafts, func(a, b counter.Draft) int { return cmp.Compare(b.Updated.UnixMilli(), a.Updated.UnixMilli()) })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.cases, h.drafts, h.index = st, cases, drafts, nil
	return nil
}

// SetQuery takes what was typed, scanned or pasted into the search field.
func (h *Home) SetQuery(q string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.query = strings.TrimSpace(q)
}

// ShowAllDrafts shows every draft.
func (h *Home) ShowAllDrafts() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = true
}

// DropDraft deletes a draft. The screen asks first.
func (h *Home) DropDraft(ctx context.Context, id string) error {
	if err := h.s.DropDraft(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drafts = slices.DeleteFunc(slices.Clone(h.drafts), func(d counter.Draft) bool { return d.ID == id })
	return nil
}

// State returns what to show.
func (h *Home) State() HomeState {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, now := h.t, h.now()
	st := HomeState{
		Greeting: t.T("home.hello."+partOfDay(now), "name", h.s.Operator().Name), Date: DayText(t, now) + " " + WeekdayText(t, now), Query: h.query,
		Tiles: []Tile{
			{"service", t.T("home.serve"), t.T("home.serveNote"), Target{Page: pageServices}},
			{"cases", t.T("home.cases"), t.T("home.casesNote", "n", itoa(len(h.cases))), Target{Page: pageCases}},
			{"sync", t.T("home.sync"), h.syncNote(), Target{Page: pageSync}},
			{"settings", t.T("home.settings"), t.T("home.settingsNote"), Target{Page: pageSettings}},
		},
	}
	st.Today = h.today()
	if len(st.Today) == 0 {
		st.TodayDone = t.T("home.todayDone")
	}
	for i, d := range h.drafts {
		if i == mostDrafts && !h.all {
			st.MoreDrafts = t.T("home.moreDrafts", "n", itoa(len(h.drafts)))
			break
		}
		st.Drafts = append(st.Drafts, h.draftRow(d, now))
	}
	if h.query != "" {
		st.Groups = h.search()
		if len(st.Groups) == 0 {
			st.None = t.T("home.none", "text", short(h.query))
		}
	}
	return st
}

func partOfDay(now time.Time) string {
	switch h := now.In(ident.China).Hour(); {
	case h < 6 || h >= 18:
		return "evening"
	case h < 12:
		return "morning"
	case h < 14:
		return "noon"
	default:
		return "afternoon"
	}
}

func (h *Home) syncNote() string {
	if h.status.Pending > 0 {
		return h.t.T("home.syncPending", "n", itoa(h.status.Pending))
	}
	return h.t.T("home.syncDone")
}

// today counts what waits for the clerk. A case is counted once, under what is most pressing; papers that a case still lacks are
// counted beside that.
func (h *Home) today() []TodayRow {
	corrections, due, papers, tone := 0, 0, 0, "warn"
	for i := range h.cases {
		c := &h.cases[i]
		switch {
		case c.State == casefile.CorrectionAsked:
			corrections++
		case c.Clock.Lamp == casefile.LampYellow || c.Clock.Lamp == casefile.LampRed || c.Clock.Lamp == casefile.LampOverdue:
			due++
		}
		if c.MayHandIn() {
			papers++
		}
		if c.PapersLate {
			tone = "danger"
		}
	}
	var rows []TodayRow
	add := func(n int, icon, key, state string, to Target) {
		if n > 0 {
			rows = append(rows, TodayRow{icon, h.t.T("home." + key), h.t.T("home." + key + "Note"), n, state, to})
		}
	}
	add(corrections, "pen", "corrections", "danger", Target{pageCases, CasesNeedMe})
	add(due, "clock", "due", "warn", Target{pageCases, ""})
	add(papers, "file", "papers", tone, Target{pageCases, CasesPapers})
	add(h.status.Quarantine, "warn", "quarantine", "danger", Target{pageSync, ""})
	add(h.status.Pending, "sync", "pending", "info", Target{pageSync, ""})
	add(h.unprinted(), "print", "prints", "warn", Target{pagePrinters, ""})
	add(fresh(History(h.t, h.status), h.now()), "info", "history", "info", Target{pageSync, ""})
	return rows
}

// Filters of the page 办件 that the home screen leads to.
const (
	CasesNeedMe = "needs"  // cases that wait for the clerk
	CasesPapers = "papers" // cases whose papers may follow and are missing
)

func (h *Home) draftRow(d counter.Draft, now time.Time) DraftRow {
	name := itemName(h.t, h.s, d.Service, d.Item)
	row := DraftRow{ID: d.ID, Title: name, To: Target{pageWizard, "draft:" + d.ID}}
	if d.Case != 0 {
		row.Title = h.t.T("home.draftCorrection", "item", name)
		if d.Papers {
			row.Title = h.t.T("home.draftPapers", "item", name)
		}
	}
	who := d.Who
	if who == "" {
		who = h.t.T("home.draftNobody")
	}
	row.Note = who + " · " + h.t.T("home.draftSaved", "when", DayOrTime(h.t, d.Updated, now))
	return row
}

func (h *Home) search() []HitGroup {
	var groups []HitGroup
	add := func(key string, rows []Hit) {
		if len(rows) > 0 {
			groups = append(groups, HitGroup{h.t.T(key), rows})
		}
	}
	if rows, ok := h.receipts(); ok {
		add("home.group.receipt", rows)
		return groups
	}
	if rows, ok := h.enterprise(); ok {
		add("home.group.enterprise", rows)
	}
	c, err := h.s.Catalog()
	if err == nil {
		add("home.group.services", h.services(c))
		add("home.group.people", h.people(c))
	}
	add("home.group.cases", h.findCases())
	return groups
}

func (h *Home) services(c *catalog.Catalog) []Hit {
	var rows []Hit
	for _, it := range c.Items.Search(h.query, catalog.Filter{}, mostHits) {
		r := serviceRow(h.t, it, "")
		rows = append(rows, Hit{Icon: "service", Title: r.Name, Note: r.Summary, To: r.To})
	}
	return rows
}

// short cuts what somebody typed to what fits a line.
func short(text string) string {
	const most = 20
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// enough reports whether a query is enough to look for a person. One letter is not: a roster is not for browsing.
func enough(query string) bool {
	r := []rune(strings.TrimSpace(query))
	return len(r) > 1 || len(r) == 1 && ident.IsHan(r[0])
}

// people finds persons of the roster.
func (h *Home) people(c *catalog.Catalog) []Hit {
	if !enough(h.query) {
		return nil
	}
	found, err := h.s.FindPeople(h.query, mostHits)
	if err != nil {
		return nil // the session was closed meanwhile; the screen goes away with it
	}
	var rows []Hit
	for _, p := range found {
		r := personRow(h.t, c, p, h.now())
		note := strings.Join(slices.DeleteFunc([]string{r.About, r.Number, r.Where}, func(s string) bool { return s == "" }), " · ")
		rows = append(rows, Hit{Icon: "user", Title: r.Name, Note: note, Word: h.t.T("home.serveThem"), To: Target{pageServices, ForPerson + p.ID}})
	}
	return rows
}

// receipts answers a receipt's link or number; ok is false when the query is neither.
func (h *Home) receipts() (rows []Hit, ok bool) {
	switch code := scanner.Recognise(h.query); code.Kind {
	case scanner.Receipt:
		return []Hit{verdict(h.t, h.status.Device, h.c.Verify(code.Text))}, true
	case scanner.Link: // somebody else's code is no forged receipt
		return []Hit{{Icon: "info", Title: h.t.T("scan.notReceipt"), Note: h.t.T("scan.unknown", "kind", h.t.T("scan.kind.link"), "text", short(code.Text))}}, true
	}
	device, seq, err := casefile.ParseNumber(h.query)
	if err != nil {
		return nil, false
	}
	for i := range h.cases {
		if h.cases[i].Seq == seq && h.cases[i].Device == device {
			return []Hit{h.caseHit(&h.cases[i])}, true
		}
	}
	if device != h.status.Device {
		return []Hit{{Icon: "info", Title: casefile.Number(device, seq), Note: h.t.T("home.otherMachine", "device", itoa(int(device)))}}, true
	}
	return []Hit{{Icon: "info", Title: casefile.Number(device, seq), Note: h.t.T("home.noSuchCase")}}, true
}

func verdict(t Texts, here uint32, v receipt.Verdict) Hit {
	hit := Hit{Icon: "shield", Title: t.T("verdict." + string(v.State)), State: "warn"}
	var device uint32
	var seq uint64
	args := []string{"station", "—", "phone", "—", "at", "—", "item", "—", "name", "—", "no", "—", "official", "—", "due", "—"}
	set := func(name, value string) {
		if i := slices.Index(args, name); value != "" {
			args[i+1] = value
		}
	}
	if v.Key != nil {
		set("station", v.Key.Name)
		set("phone", v.Key.Telephone)
	}
	switch {
	case v.S1 != nil:
		device, seq = v.S1.Device, v.S1.Seq
		set("item", v.S1.Item)
		set("name", v.S1.Name)
		set("at", MomentText(t, time.Unix(v.S1.At, 0)))
		set("due", CivilText(t, casefile.Day(v.S1.Due)))
	case v.S2 != nil:
		device, seq = v.S2.Device, v.S2.Seq
		set("item", v.S2.Item)
		set("official", v.S2.OfficialNo)
		set("at", MomentText(t, time.Unix(v.S2.At, 0)))
		set("due", CivilText(t, casefile.Day(v.S2.Due)))
	}
	if seq != 0 {
		set("no", casefile.Number(device, seq))
	}
	key := "verify." + string(v.State)
	switch v.State {
	case receipt.Genuine:
		hit.State, key = "ok", key+itoa(int(v.Stage))
		if device == here {
			hit.To = Target{pageCase, itoa(int(seq))}
		}
	case receipt.Forged:
		hit.State = "danger"
	}
	hit.Note = t.T(key, args...)
	return hit
}

func (h *Home) findCases() []Hit {
	q := ident.Normalize(h.query)
	var rows []Hit
	seen := map[int]bool{}
	add := func(i int) {
		if len(rows) < mostHits && !seen[i] {
			seen[i] = true
			rows = append(rows, h.caseHit(&h.cases[i]))
		}
	}
	const tail = 4
	for i := range h.cases {
		c := &h.cases[i]
		if len(q) >= tail && (c.IDNumber == q || len(q) == tail && strings.HasSuffix(c.IDNumber, q) || c.OfficialNo != "" && strings.HasSuffix(c.OfficialNo, q)) {
			add(i)
		}
	}
	if h.index == nil {
		var b pinyin.Builder
		for i := range h.cases {
			b.AddName(h.cases[i].Applicant, h.cases[i].No)
		}
		h.index = b.Index()
	}
	for _, hit := range h.index.Search(h.query, mostHits) {
		add(hit.ID)
	}
	return rows
}

func (h *Home) caseHit(c *counter.Case) Hit {
	hit := Hit{
		Icon: "cases", Title: c.Applicant + " · " + itemName(h.t, h.s, c.Service, c.ItemName), Note: c.No, Word: h.t.T(c.State.Key()),
		To: Target{pageCase, utoa(c.Reference())},
	}
	if c.OfficialNo != "" {
		hit.Note += " · " + c.OfficialNo
	}
	switch {
	case c.State == casefile.CorrectionAsked:
		hit.State = "danger"
	case c.State.Closed():
		hit.State = "ok"
	default:
		hit.State = "info"
	}
	return hit
}

// HomeError says whether an error of Load only means that the session ended.
func HomeError(err error) bool {
	key, _ := words.KeyOf(err)
	return key == counter.ErrLocked.Key
}
