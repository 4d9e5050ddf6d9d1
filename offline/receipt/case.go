package receipt

import (
	"bianmin/offline/ident"
	"bianmin/offline/journal"
)

// OfCase returns what the stage-1 receipt of a submission says. The desk signs it; the platform makes it again from the
// record, to name it in stage 2.
func OfCase(h journal.Header, b journal.CaseSubmitted) Stage1 {
	return Stage1{
		Device: h.Device, Seq: h.Seq, At: h.At / 1000, Quality: h.Clock.Quality(), Item: Fit(b.ItemName, MaxItem),
		Name: ident.MaskName(b.Applicant), Prev: [8]byte(h.Prev[:8]), Due: b.Due,
	}
}
