// Package house holds the tests of the house itself: who may import whom, how long a file may be, that every exported
// name says what it promises, and that every text a person may read exists in both languages.
//
// The rules stand in docs/ARCHITECTURE.md.
package house
