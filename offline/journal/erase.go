package journal

// Kinds of records about what was erased. They are append-only like all kinds.
const (
	// KindPeriodClosed says that a period's keys were destroyed. Its body is a PeriodClosed.
	KindPeriodClosed Kind = "period.closed"
	// KindErased says that somebody's cases were erased. Its body is an Erased.
	KindErased Kind = "erased"
)

// PeriodClosed is what is left of a period: totals that name nobody.
type PeriodClosed struct {
	Period  string   `cbor:"1,keyasint"` // the month, for example "2026-11"
	Records uint64   `cbor:"2,keyasint"` // whose bodies are gone
	Carried uint64   `cbor:"3,keyasint"` // of open cases, carried forward
	Cases   []Tally  `cbor:"4,keyasint"` // closed ones, by service and result
	Erased  []uint64 `cbor:"5,keyasint"` // their submissions, as in Erased: the platform does its part for these
}

// Tally counts cases of one service with one result.
type Tally struct {
	Service string `cbor:"1,keyasint"`
	State   string `cbor:"2,keyasint"`
	Count   uint64 `cbor:"3,keyasint"`
}

// Erased names what one person's erasure took: numbers, never the person.
type Erased struct {
	Cases   []uint64 `cbor:"1,keyasint"` // submissions, ascending; a FormerRef for one of a former number
	Records uint64   `cbor:"2,keyasint"` // whose bodies are gone
	Reason  string   `cbor:"3,keyasint"` // the clerk's words
}
