package catalog

import (
	"slices"

	"bianmin/offline/casefile"
	"bianmin/offline/form"
	"bianmin/offline/pinyin"
)

// Item is one service item as the counter explains and offers it. The elements are those of the implementing list in
// the national exchange tables (GB/T 39554.2 names in the comments); everything that varies by place is data.
type Item struct {
	ID             string          `json:"id"`                   // short id within the county, for example "gaoling"
	Scheme         string          `json:"scheme"`               // how Code is made: "national-31", or the name of a local scheme
	Code           string          `json:"code"`                 // task_code 实施编码, opaque; national-31 = credit code 18 + level 1 + basic code 12
	BasicCode      string          `json:"basicCode"`            // catalog_code 基本编码
	HandleItem     string          `json:"handleItem,omitempty"` // task_handle_item 业务办理项编码
	Version        int             `json:"version"`              // task_version
	Name           form.Text       `json:"name"`                 // task_name; Chinese at most 16 characters, as receipts print it
	Summary        form.Text       `json:"summary"`              // one sentence for lists
	Aliases        []string        `json:"aliases,omitempty"`    // other names people use
	Type           string          `json:"type"`                 // task_type: 01 licence … 05 payment, 07 confirmation, 20 public service
	Level          string          `json:"level"`                // use_level 行使层级: 4 county, 5 town, 6 village
	Department     form.Text       `json:"department"`           // dept_name 实施主体
	DepartmentCode string          `json:"departmentCode"`       // dept_code, unified social credit code
	Accepts        form.Text       `json:"accepts"`              // who accepts the case
	Audience       []string        `json:"audience"`             // server_type: "person", "household", "enterprise"
	Themes         []string        `json:"themes"`               // user_topic_type: codes of the list "theme"
	LifeEvents     []string        `json:"lifeEvents,omitempty"` // codes of the list "lifeevent"
	Conditions     []form.Text     `json:"conditions"`           // accept_condition 受理条件
	Materials      []Material      `json:"materials"`
	Project        Project         `json:"project"`                // project_type 办件类型
	Statutory      casefile.Limit  `json:"statutory"`              // anticipate_day 法定办结时限
	StatutoryNote  form.Text       `json:"statutoryNote,omitzero"` // anticipate_explain
	Promised       casefile.Limit  `json:"promised"`               // promise_day 承诺办结时限
	PromisedNote   form.Text       `json:"promisedNote,omitzero"`
	Urgent         *casefile.Limit `json:"urgent,omitempty"`   // promised limit of a case with the hardship flag
	Fee            form.Text       `json:"fee"`                // is_fee, fee_basis
	Basis          []Basis         `json:"basis"`              // by_law 设定依据
	Flow           []Step          `json:"flow,omitempty"`     // handle_flow 办理流程
	Where          form.Text       `json:"where"`              // transact_addr
	When           form.Text       `json:"when"`               // transact_time
	Phone          string          `json:"phone"`              // link_way 咨询方式
	Complaint      string          `json:"complaint"`          // supervise_way 监督投诉方式
	Visits         int             `json:"visits"`             // limit_scene_num 到办事现场次数
	Result         form.Text       `json:"result"`             // result_name
	Coverage       string          `json:"coverage,omitempty"` // handle_area 通办范围: "county", "city", "province", "national"
	Terminal       bool            `json:"terminal"`           // is_service_terminals: may be taken in at a self-service machine
	Form           string          `json:"form"`               // id of its form
	Notes          []form.Text     `json:"notes,omitempty"`
}

// Project is the kind of handling (办件类型).
type Project string

// The two kinds.
const (
	Instant Project = "instant" // 即办件: done on the spot
	Promise Project = "promise" // 承诺件: done within the promised limit
)

// Material is one paper or file that an item asks for.
type Material struct {
	ID       string    `json:"id"`
	Name     form.Text `json:"name"`              // material_name
	Need     string    `json:"need"`              // is_need 材料必要性: "required", "conditional", "optional"
	If       form.Text `json:"if,omitzero"`       // for conditional ones: when it is needed
	Form     string    `json:"form"`              // material_format 材料形式: "paper", "electronic", "either"
	Original int       `json:"original"`          // page_num: originals to show
	Copies   int       `json:"copies"`            // page_num: copies to hand in
	Format   string    `json:"format,omitempty"`  // page_format 规格, for example "A4"
	Source   string    `json:"source"`            // source_type 来源渠道: "self", "government", "other"
	From     form.Text `json:"from,omitzero"`     // source_explain
	Standard form.Text `json:"standard,omitzero"` // accept_stand 受理标准
	Fill     form.Text `json:"fill,omitzero"`     // fill_explain 填报须知
	Basis    string    `json:"basis,omitempty"`   // by_law 依据
	Exempt   bool      `json:"exempt,omitempty"`  // 免提交: the counter gets it itself
	Later    bool      `json:"later,omitempty"`   // 容缺: may follow after acceptance
}

// Basis is one legal ground.
type Basis struct {
	Title   string `json:"title"`
	Article string `json:"article,omitempty"`
	Text    string `json:"text,omitempty"`
}

// Step is one step of the procedure.
type Step struct {
	Name  form.Text      `json:"name"`
	Who   form.Text      `json:"who"`
	Limit casefile.Limit `json:"limit,omitzero"`
}

// PromisedFor returns the promised limit of a case with or without the hardship flag.
func (it *Item) PromisedFor(urgent bool) casefile.Limit {
	if urgent && it.Urgent != nil {
		return *it.Urgent
	}
	return it.Promised
}

// Items is the county's service items. It is immutable and may be used from any goroutine.
type Items struct {
	all   []Item
	byID  map[string]int
	index *pinyin.Index
}

// newItems indexes items by name, aliases, department, themes and life events, whose names come from the lists.
func newItems(all []Item, lists Lists) *Items {
	x := &Items{all: all, byID: make(map[string]int, len(all))}
	var b pinyin.Builder
	for i := range all {
		it := &all[i]
		x.byID[it.ID] = i
		words := append([]string{it.Name.ZH}, it.Aliases...)
		words = append(words, it.Name.EN, it.ID, it.Department.ZH)
		for _, c := range it.Themes {
			words = append(words, lists.label("theme", c))
		}
		for _, c := range it.LifeEvents {
			words = append(words, lists.label("lifeevent", c))
		}
		b.Add(words...)
	}
	x.index = b.Index()
	return x
}

// All returns the items in the county's order. The caller must not change them.
func (x *Items) All() []Item { return x.all }

// Get returns an item by its short id.
func (x *Items) Get(id string) (Item, bool) {
	i, ok := x.byID[id]
	if !ok {
		return Item{}, false
	}
	return x.all[i], true
}

// Filter narrows a search. Empty members do not narrow.
type Filter struct {
	Theme     string // code of the list "theme"
	LifeEvent string // code of the list "lifeevent"
	Audience  string
}

func (f Filter) fits(it *Item) bool {
	return (f.Theme == "" || slices.Contains(it.Themes, f.Theme)) &&
		(f.LifeEvent == "" || slices.Contains(it.LifeEvents, f.LifeEvent)) &&
		(f.Audience == "" || slices.Contains(it.Audience, f.Audience))
}

// Search returns the items that a query names and the filter lets through, best first, at most limit (0: all). The
// query is a name, an alias, a theme, a life event, pinyin or initials; an empty one returns the county's order.
func (x *Items) Search(query string, f Filter, limit int) []Item {
	var out []Item
	for _, h := range x.index.Search(query, 0) {
		if it := &x.all[h.ID]; f.fits(it) {
			out = append(out, *it)
			if len(out) == limit {
				break
			}
		}
	}
	return out
}

// Themes returns the theme codes that have items, in the order of the list "theme".
func (x *Items) Themes(lists Lists) []form.Option {
	return lists.used("theme", func(code string) bool { return len(x.Search("", Filter{Theme: code}, 1)) > 0 })
}

// LifeEvents returns the life events that have items, in the order of the list "lifeevent".
func (x *Items) LifeEvents(lists Lists) []form.Option {
	return lists.used("lifeevent", func(code string) bool { return len(x.Search("", Filter{LifeEvent: code}, 1)) > 0 })
}
