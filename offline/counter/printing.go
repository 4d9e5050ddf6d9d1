package counter

import (
	"context"

	"bianmin/offline/paper"
)

// How a paper leaves the machine, as the journal says it.
const (
	PrintPaper = "printer" // on paper; copies of it are marked and counted
	PrintPDF   = "pdf"     // as a file
	PrintPNG   = "png"     // as a picture
)

// Printing is what a session offers about papers that leave the machine. What is printed is described by it, laid out by
// package paper, and brought to a printer by the devices of the app.
type Printing interface {
	// SlipDoc describes a receipt for paper of a width in dots. From the second copy on it says so, with the time.
	SlipDoc(ctx context.Context, seq uint64, stage uint8, dots int, lang string, copy uint32) (paper.Doc, error)
	// Printed records that a paper leaves the machine and returns which copy it is, from 1. stage is 0 for the list of
	// answers; how is PrintPaper, PrintPDF or PrintPNG. It is called before the paper moves: the log never knows of fewer
	// papers than there are.
	Printed(ctx context.Context, seq uint64, stage uint8, how string) (copy uint32, err error)
	// Face is what papers are set in.
	Face() (*paper.Face, error)
}
