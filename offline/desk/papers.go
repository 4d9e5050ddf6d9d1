package desk

import (
	"context"
	"slices"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/store"
)

// HandIn opens the papers that a case still lacks; see [counter.Session]. What was begun before is resumed.
func (s *Session) HandIn(ctx context.Context, seq uint64) (counter.Intake, error) {
	c, err := s.visible(seq)
	if err != nil {
		return nil, err
	}
	if !c.MayHandIn() {
		return nil, counter.ErrNoPapersDue
	}
	drafts, err := s.visibleDrafts()
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if d.CaseSeq == seq && d.Cursor == 0 {
			return s.resume(d)
		}
	}
	id, err := newDraftID()
	if err != nil {
		return nil, err
	}
	in, err := s.newIntake(store.Draft{ID: id, Service: c.Service, Operator: s.op.ID, CaseSeq: seq}, nil)
	if err != nil {
		return nil, err
	}
	if err := in.openCase(); err != nil {
		return nil, err
	}
	first := form.Path(c.Papers[0])
	in.Leave(ctx, string(in.stepOf(first)), first)
	return in, nil
}

// papers lists what may follow, and until when: the materials that the guide allows later and nobody has given, when the
// form gives days for them.
func (in *Intake) papers(outputs map[string]any, cal *casefile.Calendar, today casefile.Day) (fields []string, due casefile.Day) {
	days, _ := outputs["papersDays"].(int64)
	if days <= 0 {
		return nil, 0
	}
	for _, b := range in.fs.Visible() {
		for _, it := range b.Items {
			if it.Field.Kind != form.KindMaterial || it.Row >= 0 || in.fs.State(it.Path).Value != nil {
				continue
			}
			if slices.ContainsFunc(in.item.Materials, func(m catalog.Material) bool { return m.Later && m.ID == it.Field.Code }) {
				fields = append(fields, it.Field.ID)
			}
		}
	}
	if fields != nil {
		due, _ = casefile.Due(today, casefile.Limit{Days: int(days), Unit: casefile.Workdays}, cal, nil, today)
	}
	return fields, due
}
