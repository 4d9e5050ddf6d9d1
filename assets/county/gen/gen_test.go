package main

import (
	"bytes"
	"os"
	"testing"
)

func TestRosterIsTheOneInTheFolder(t *testing.T) {
	got, err := makeRoster()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../roster.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("roster.json is not what gen makes: run go generate bianmin/assets/county")
	}
}

func TestDictionaryIsMadeTheSameTwice(t *testing.T) {
	a, err := trainDictionary(os.DirFS(".."), 20)
	if err != nil {
		t.Fatal(err)
	}
	b, err := trainDictionary(os.DirFS(".."), 20)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two runs give two dictionaries")
	}
}
