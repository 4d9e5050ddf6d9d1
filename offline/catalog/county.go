package catalog

import (
	"fmt"
	"io/fs"

	"bianmin/offline/casefile"
	"bianmin/offline/form"
)

// County is who runs the platform, and its stations: county.json.
type County struct {
	Code      string    `json:"code"` // 6 digits
	Name      form.Text `json:"name"`
	ShortHost string    `json:"shortHost"` // host of receipt links
	Telephone string    `json:"telephone"`
	Sample    bool      `json:"sample,omitempty"` // a fictional county for demonstrations: its operators' PINs may be shown
	Stations  []Station `json:"stations"`
}

// Station is one service station.
type Station struct {
	Code      string     `json:"code"` // 12 digits, the village
	Name      form.Text  `json:"name"`
	Telephone string     `json:"telephone"`
	Address   string     `json:"address"`
	Hours     form.Text  `json:"hours,omitzero"`
	Operators []Operator `json:"operators,omitempty"` // at the platform only: never in a pack
}

// Operator is somebody who is to work at a station, with the one-time PIN that activates the account.
type Operator struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Role     string `json:"role"`               // "staff", "grid", "admin"
	Division string `json:"division,omitempty"` // "" = the station's
	PIN      string `json:"pin"`
}

// Institution is an office or body that items and people refer to: institutions.json.
type Institution struct {
	ID        string    `json:"id"`
	Kind      string    `json:"kind"` // "government", "police", "health", "school", "bank", "service"
	Name      form.Text `json:"name"`
	Credit    string    `json:"credit,omitempty"` // unified social credit code
	Division  string    `json:"division"`         // 12 digits
	Address   string    `json:"address"`
	Telephone string    `json:"telephone"`
	Hours     form.Text `json:"hours,omitzero"`
}

// calendarFile is calendar.json.
type calendarFile struct {
	Sample   bool         `json:"sample,omitempty"`
	Years    []int        `json:"years"`
	Holidays []holidayRow `json:"holidays"`
	Workdays []string     `json:"workdays"`
}

type holidayRow struct {
	From string `json:"from"`
	To   string `json:"to"`
	Name string `json:"name"`
}

const maxHoliday = 31 // days of one holiday

func (f calendarFile) calendar() (*casefile.Calendar, []Fault) {
	c := &casefile.Calendar{Years: f.Years, Sample: f.Sample, Holidays: map[casefile.Day]string{}, Workdays: map[casefile.Day]bool{}}
	var faults []Fault
	for i, h := range f.Holidays {
		from, err1 := casefile.ParseDay(h.From)
		to, err2 := casefile.ParseDay(h.To)
		if err1 != nil || err2 != nil || to < from || to-from > maxHoliday {
			faults = append(faults, Fault{File: calendarName, Path: fmt.Sprintf("/holidays/%d", i), Reason: "no range of days"})
			continue
		}
		for d := from; d <= to; d++ {
			c.Holidays[d] = h.Name
		}
	}
	for i, s := range f.Workdays {
		d, err := casefile.ParseDay(s)
		if err != nil {
			faults = append(faults, Fault{File: calendarName, Path: fmt.Sprintf("/workdays/%d", i), Reason: "no date"})
			continue
		}
		c.Workdays[d] = true
	}
	if len(faults) == 0 {
		if err := c.Check(); err != nil {
			faults = append(faults, Fault{File: calendarName, Reason: err.Error()})
		}
	}
	return c, faults
}

// LoadCounty reads county.json from a county's folder, with operators: what the platform sets up stations from.
func LoadCounty(src fs.FS) (County, error) {
	var c County
	data, err := fs.ReadFile(src, countyName)
	if err != nil {
		return c, fmt.Errorf("catalog: %w", err)
	}
	l := &linter{}
	l.json(countyName, data, &c)
	if len(l.faults) > 0 {
		return c, &LintError{l.faults}
	}
	return c, nil
}
