// Package form holds forms as data: what is asked, when, with which checks, and what follows from the answers.
//
// A form is one JSON file, checked against the JSON Schema in schema/form.schema.json (2020-12) and against the rules
// that a schema can't state (lint). Facts such as ages, amounts and days stand in the form's "data", never in code.
// Conditions are CEL expressions: no input or output, no loops without end, a cost limit on each.
//
//	f, err := form.Parse(bytes)                  // schema and lint; a *LintError lists every fault with its line
//	p, err := form.Compile(f, form.Options{})    // once for a version of a form; may be shared by goroutines
//	s := p.Start(form.Env{Now: clock})           // one person filling it in; one goroutine
//	s.Set("idno", "999999194102030021")          // evaluates only what depends on it
//	s.Problems()                                 // every fault in reading order
//	s.Values(true)                               // the answers, ready for canonical CBOR
//
// The command line and the gateway use [Program.Answers] and [Program.Check], which run the same engine.
//
// # Missing answers
//
// An answer that is missing, or whose field is not shown, is null in expressions (a group or a list of files is empty).
// Comparing null gives no answer, as in SQL; && and || still decide when the other side does. No answer counts as
// "not relevant", "not required", "not read-only", "constraint met", and an empty computed value. Use filled(x) to ask.
//
// The format is described in docs/forms.md.
package form
