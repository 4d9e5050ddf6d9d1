package vm

import (
	"strings"

	"bianmin/offline/counter"
)

// FaultText says what doctor found in one place. What is not known of it is left out: a locked machine cannot tell which
// record an attachment belongs to.
func FaultText(t Texts, f counter.Fault) string {
	no, about := "", []string{}
	if f.Seq != 0 {
		no = t.T("doctor.fault.no", "seq", utoa(f.Seq))
	}
	if f.Kind != "" {
		kind := t.T("kind." + f.Kind)
		if kind == "kind."+f.Kind {
			kind = f.Kind
		}
		about = append(about, kind)
	}
	if !f.At.IsZero() {
		about = append(about, MomentText(t, f.At))
	}
	brackets := ""
	if len(about) > 0 {
		brackets = t.T("doctor.fault.about", "what", strings.Join(about, t.T("case.comma")))
	}
	return t.T("doctor.fault", "where", t.T("doctor.where."+f.Where), "no", no, "about", brackets, "reason", t.T(f.Reason))
}

// CanMend reports whether rebuilding may mend what doctor found: it was not tried yet by somebody who is logged in, and
// there is more than what only the network or a person can bring back.
func CanMend(r counter.Report) bool {
	if r.Rebuilt && r.Deep {
		return false
	}
	for _, f := range r.Faults {
		switch f.Where {
		case "packs", "blob", "blobs", "uploads", "digests":
		default:
			return true
		}
	}
	return false
}
