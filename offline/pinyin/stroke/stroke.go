// Package stroke finds characters by the order of their strokes, as the five keys of a stroke keyboard give them: 1 for 一
// (and 提), 2 for 丨 (and 竖钩), 3 for 丿, 4 for 丶 (and 捺), 5 for every stroke that turns. A star stands for one stroke that
// one is not sure of.
//
// The table is made by packaging/stroke/gen from cnchar-order (LICENSE.txt): 6,939 characters, the order of strokes of
// mainland writing, commonest first.
package stroke

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed strokes.txt
var data string

// Keys are the keys: five strokes and the one that stands for any.
const Keys = "12345*"

// Longest is how many strokes are looked at.
const Longest = 40

// Table holds the orders of strokes. It is immutable and may be used from any goroutine.
type Table struct {
	chars  []string
	orders []string
}

// Load opens the table that the program carries, once.
var Load = sync.OnceValue(func() *Table {
	t := &Table{}
	for line := range strings.Lines(data) {
		line = strings.TrimSuffix(line, "\n")
		_, n := utf8.DecodeRuneInString(line)
		t.chars = append(t.chars, line[:n])
		t.orders = append(t.orders, line[n:])
	}
	return t
})

// Len returns how many characters it holds.
func (t *Table) Len() int { return len(t.chars) }

// Order returns the keys of a character; "" for one the table does not have.
func (t *Table) Order(char string) string {
	for i, c := range t.chars {
		if c == char {
			return t.orders[i]
		}
	}
	return ""
}

// Find returns the characters whose strokes begin with keys, at most most: those that are written with these strokes alone
// first, then the commonest.
func (t *Table) Find(keys string, most int) []string {
	if keys == "" {
		return nil
	}
	var whole, begun []string
	for i, o := range t.orders {
		if !begins(o, keys) {
			continue
		}
		if len(o) == len(keys) {
			whole = append(whole, t.chars[i])
		} else if len(begun) < most {
			begun = append(begun, t.chars[i])
		}
	}
	all := append(whole, begun...)
	return all[:min(len(all), most)]
}

func begins(order, keys string) bool {
	if len(order) < len(keys) {
		return false
	}
	for i := range len(keys) {
		if keys[i] != '*' && keys[i] != order[i] {
			return false
		}
	}
	return true
}

var names = strings.NewReplacer("1", "横", "2", "竖", "3", "撇", "4", "点", "5", "折", "*", "？")

// Names returns keys as people say them. Their shapes are in no font that the program brings.
func Names(keys string) string { return names.Replace(keys) }
