// Package casefile says what a case is: its states and the legal moves between them, its number, its time line, and
// the legal clock that runs from the desk.
//
// A [Case] is a projection of the two logs: it is built from the journal records and platform events about one
// submission and can be rebuilt from them at any time, in any order, with the same result. Where a case stands with
// the authority ([State]) and where its data has got to ([Delivery]) are different things and never mixed.
//
// All functions are pure; a Case belongs to one goroutine at a time. See docs/casefile.md.
package casefile

import (
	"bianmin/offline/words"
)

// State says where a case stands with the authority.
type State string

// The states, in the usual order.
const (
	Draft           State = "draft"            // 草稿: on this machine only, nobody has signed
	TakenIn         State = "taken-in"         // 收件: the desk has it, the legal clock runs
	CorrectionAsked State = "correction-asked" // 补正告知: the authority asks for something
	CorrectionDone  State = "correction-done"  // 补正收齐: the desk has answered
	Accepted        State = "accepted"         // 受理
	Refused         State = "refused"          // 不予受理
	Processing      State = "processing"       // 办理中
	Special         State = "special"          // 特别程序: hearing, survey, publicity; the clock stands
	Decided         State = "decided"          // 办结, result not yet opened because the machine is locked
	Granted         State = "granted"          // 办结·准予
	Denied          State = "denied"           // 办结·不予
	Returned        State = "returned"         // 办结·退件
	Withdrawn       State = "withdrawn"        // 办结·撤回
	Void            State = "void"             // 办结·作废
	Delivered       State = "delivered"        // 送达: the result is in the citizen's hands
	Rated           State = "rated"            // 评价
)

// States lists all states in the usual order.
var States = []State{
	Draft, TakenIn, CorrectionAsked, CorrectionDone, Accepted, Refused, Processing, Special, Decided,
	Granted, Denied, Returned, Withdrawn, Void, Delivered, Rated,
}

// ErrMove reports a move that the table of legal moves does not have.
var ErrMove error = words.New("case.move", nil)

var labels = map[State]string{
	Draft: "草稿", TakenIn: "收件", CorrectionAsked: "补正告知", CorrectionDone: "补正收齐", Accepted: "受理", Refused: "不予受理",
	Processing: "办理中", Special: "特别程序", Decided: "办结", Granted: "办结·准予", Denied: "办结·不予", Returned: "办结·退件",
	Withdrawn: "办结·撤回", Void: "办结·作废", Delivered: "送达", Rated: "评价",
}

// Label returns the official Chinese word, for papers and for logs of the counter; screens translate Key instead.
func (s State) Label() string { return labels[s] }

// Key returns the translation key: "case.state." and the state.
func (s State) Key() string { return "case.state." + string(s) }

// Closed reports whether the case is over: decided in any way, refused, delivered or rated.
func (s State) Closed() bool {
	switch s {
	case Refused, Decided, Granted, Denied, Returned, Withdrawn, Void, Delivered, Rated:
		return true
	}
	return false
}

// Stopped reports whether the legal clock stands still in this state (补正, 特别程序).
func (s State) Stopped() bool { return s == CorrectionAsked || s == Special }

// results are the ways a case can end.
var results = []State{Decided, Granted, Denied, Returned, Withdrawn, Void}

// legal is the table of moves: what may follow each state.
var legal = map[State][]State{
	Draft:           {TakenIn},
	TakenIn:         {CorrectionAsked, Accepted, Refused, Returned, Withdrawn, Void},
	CorrectionAsked: {CorrectionDone, Refused, Returned, Withdrawn, Void},
	// What comes after an answered correction depends on whether the case had been accepted before; see CanMove.
	CorrectionDone: append([]State{CorrectionAsked, Accepted, Refused, Processing, Special}, results...),
	Accepted:       append([]State{CorrectionAsked, Processing, Special}, results...),
	Processing:     append([]State{CorrectionAsked, Special}, results...),
	Special:        append([]State{Processing}, results...),
	Decided:        {Granted, Denied, Returned, Withdrawn, Void, Delivered, Rated},
	Refused:        {Delivered, Rated},
	Granted:        {Delivered, Rated, Void},
	Denied:         {Delivered, Rated, Void},
	Returned:       {Delivered, Rated},
	Withdrawn:      {Delivered, Rated},
	Void:           {Delivered, Rated},
	Delivered:      {Rated, Void},
	Rated:          {},
}

// CanMove reports whether a case may go from one state to another. accepted says whether the authority has accepted
// the case at any time: an answered correction leads to acceptance or refusal in a case that has not been accepted
// (行政许可法 §32), and back into the procedure in one that has.
func CanMove(from, to State, accepted bool) bool {
	found := false
	for _, s := range legal[from] {
		found = found || s == to
	}
	if found && from == CorrectionDone {
		switch to {
		case Processing, Special, Decided, Granted, Denied:
			return accepted
		case Refused:
			return !accepted
		}
	}
	return found
}

// Moves returns the states that may follow, in the order of [States].
func Moves(from State, accepted bool) []State {
	var out []State
	for _, to := range States {
		if CanMove(from, to, accepted) {
			out = append(out, to)
		}
	}
	return out
}

// resultOf gives the state for the result word of a journal.Decided.
func resultOf(word string) (State, bool) {
	switch word {
	case "granted":
		return Granted, true
	case "denied":
		return Denied, true
	case "returned":
		return Returned, true
	case "withdrawn":
		return Withdrawn, true
	case "void":
		return Void, true
	}
	return "", false
}

// Delivery says how far a case's data has got, apart from what the authority does with it.
type Delivery string

// The four answers, worst last.
const (
	OnMachine    Delivery = "on-machine" // 本机: saved here, not yet acknowledged
	AtPlatform   Delivery = "delivered"  // 已送达: the platform's signed acknowledgement covers it
	PlatformTook Delivery = "accepted"   // 平台已受理
	NeedsYou     Delivery = "needs-you"  // 需要处理: a correction is asked, or the platform could not use a record
)

// Label returns the Chinese word.
func (d Delivery) Label() string {
	switch d {
	case OnMachine:
		return "本机"
	case AtPlatform:
		return "已送达"
	case PlatformTook:
		return "已受理"
	case NeedsYou:
		return "需要处理"
	}
	return ""
}

// Key returns the translation key: "case.delivery." and the value.
func (d Delivery) Key() string { return "case.delivery." + string(d) }
