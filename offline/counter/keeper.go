package counter

import (
	"context"

	"bianmin/offline/vault"
)

// NewOperator is somebody to be invited to the machine.
type NewOperator struct {
	ID, Name, Role string
	Division       string // 12 digits; "": the inviting operator's
}

// Colleague is an operator of this machine, and what the session may do about them.
type Colleague struct {
	vault.OperatorInfo
	Self   bool
	Admit  bool // may be admitted by this session now
	Manage bool // may be reset and removed by this session
}

// Keeper is what a session offers about who may log in. Errors carry the keys "operator.…"; what a session may not do is
// words operator.forbidden.
type Keeper interface {
	// Colleagues lists who may log in or waits to, in the order of the grant.
	Colleagues() []Colleague
	// Manages reports whether the session may invite others and rotate the master.
	Manages() bool
	// AddOperator invites somebody and returns the one-time code.
	AddOperator(ctx context.Context, op NewOperator) (code string, err error)
	AdmitOperator(ctx context.Context, id string) error
	// ResetOperator makes a forgotten PIN void and returns a one-time code.
	ResetOperator(ctx context.Context, id string) (code string, err error)
	RemoveOperator(ctx context.Context, id string) error
	// RotateMaster makes a new master key; everybody logs in as before.
	RotateMaster(ctx context.Context) error
}
