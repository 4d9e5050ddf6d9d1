// Command gen makes the two files of the sample county that no hand should write: roster.json, with ID numbers and
// card numbers whose check digits are right, and dictionary.zdict, trained on made-up cases of the county's forms.
//
// It is deterministic: the same forms give the same files. Run it in the county's folder after a form has changed.
// The persons of the training cases are not those of the roster: nothing of a roster may stand in a public pack.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", ".", "the county's folder")
	flag.Parse()
	if err := run(*dir); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	roster, err := makeRoster()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "roster.json"), roster, 0o644); err != nil {
		return err
	}
	dict, err := trainDictionary(os.DirFS(dir), casesPerForm)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "dictionary.zdict"), dict, 0o644)
}
