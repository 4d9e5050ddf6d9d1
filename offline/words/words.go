// Package words carries what a person should read about a fault, apart from its cause.
//
// An [Error] names a translation key and its arguments. Screens and the command line show the key's text from
// assets/translations in the person's language (what happened, what is safe, what to do); the log has the whole
// chain. The package knows no language and no screen.
package words

import (
	"errors"
	"fmt"
	"log/slog"
)

// Error is a fault with words for the person at the counter.
type Error struct {
	Key   string            // translation key, for example "enroll.codeUsed"
	Args  map[string]string // values for the placeholders of the text; never personal data
	Cause error             // what the log shows; may be nil
}

// New returns an error that people read as the text of key. Pairs are placeholder names and values in turn.
func New(key string, cause error, pairs ...string) *Error {
	e := &Error{Key: key, Cause: cause}
	for i := 0; i+1 < len(pairs); i += 2 {
		if e.Args == nil {
			e.Args = make(map[string]string, len(pairs)/2)
		}
		e.Args[pairs[i]] = pairs[i+1]
	}
	return e
}

// Error returns the key and the cause, for logs and developers.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Key
	}
	return fmt.Sprintf("%s: %v", e.Key, e.Cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is reports whether target is an Error with the same key, so that a sentinel can be compared by key alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Key == e.Key
}

// LogValue keeps the log to the key and the cause.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// KeyOf returns the key and arguments of the first Error in err's chain; "error.unknown" when there is none.
func KeyOf(err error) (key string, args map[string]string) {
	var e *Error
	if errors.As(err, &e) {
		return e.Key, e.Args
	}
	return "error.unknown", nil
}
