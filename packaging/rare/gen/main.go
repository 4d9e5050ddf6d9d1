// Command gen makes the table of rare characters from Debian's unicode-data and the npm package beside it.
//
// The same inputs give the same bytes. docs/rare.md says where everything comes from.
package main

import (
	"bufio"
	"compress/bzip2"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	_ "modernc.org/sqlite" // the package's data are a SQLite file

	"bianmin/offline/pinyin/rare"
)

// Inputs are where the sources lie.
type Inputs struct {
	Unicode string // folder of Debian's unicode-data
	NPM     string // folder of the npm packages
}

// sources are the countries whose way to write a character is taken, best first.
const sources = "GHTJKPVUSBXYZM"

// entry collects what is known of a character.
type entry struct {
	readings []string
	strokes  int
	radical  int
	rest     int
	parts    string
}

func main() {
	log.SetFlags(0)
	var in Inputs
	flag.StringVar(&in.Unicode, "unicode", "/usr/share/unicode", "folder of Debian's unicode-data")
	flag.StringVar(&in.NPM, "npm", "packaging/rare/node_modules", "folder of the npm packages")
	out := flag.String("out", "offline/pinyin/rare/table.zst", "file to write")
	old := flag.String("old", "offline/ident/old.txt", "list of code points of old systems to write")
	flag.Parse()
	data, err := Build(in)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, data, 0o644); err != nil {
		log.Fatal(err)
	}
	list, err := Old(in)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*old, list, 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes\n%s: %d bytes\n", *out, len(data), *old, len(list))
}

// Build makes the packed table.
func Build(in Inputs) ([]byte, error) {
	all := map[rune]*entry{}
	at := func(r rune) *entry {
		e, ok := all[r]
		if !ok {
			e = &entry{}
			all[r] = e
		}
		return e
	}
	fields := map[string]func(r rune, value string){
		"kTotalStrokes": func(r rune, v string) { at(r).strokes, _ = strconv.Atoi(strings.Fields(v)[0]) },
		"kRSUnicode":    func(r rune, v string) { e := at(r); e.radical, e.rest = radical(v) },
		"kMandarin":     func(r rune, v string) { at(r).read(strings.Fields(v)...) },
		"kHanyuPinyin":  func(r rune, v string) { at(r).read(located(v)...) },
		"kXHC1983":      func(r rune, v string) { at(r).read(located(v)...) },
		"kTGHZ2013":     func(r rune, v string) { at(r).read(located(v)...) },
	}
	for _, file := range []string{"Unihan_IRGSources.txt.bz2", "Unihan_Readings.txt.bz2"} {
		if err := unihan(filepath.Join(in.Unicode, file), fields); err != nil {
			return nil, err
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(in.NPM, "@mandel59/mojidata/dist/moji.db")+"?mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	// Characters that Unicode took in after Debian's edition: the amendment of GB 18030-2022 has 622 of them.
	known := maps.Clone(all)
	for _, f := range []struct{ table, field string }{
		{"unihan_kTotalStrokes", "kTotalStrokes"}, {"unihan_kRSUnicode", "kRSUnicode"}, {"unihan_kMandarin", "kMandarin"},
	} {
		err := rows(db, `SELECT "UCS", "value" FROM "`+f.table+`" ORDER BY "UCS"`, func(v []string) {
			if r, ok := one(v[0]); ok && known[r] == nil {
				fields[f.field](r, v[1])
			}
		})
		if err != nil {
			return nil, err
		}
	}
	best := map[rune]int{}
	err = rows(db, `SELECT "UCS", "source", "IDS" FROM "ids" ORDER BY "UCS", "source", "IDS"`, func(v []string) {
		r, ok := one(v[0])
		if !ok || all[r] == nil {
			return
		}
		rank := len(sources)
		for i, s := range sources {
			if strings.ContainsRune(v[1], s) {
				rank = i
				break
			}
		}
		if b, seen := best[r]; seen && b <= rank || v[2] == v[0] {
			return
		}
		best[r] = rank
		all[r].parts = v[2]
	})
	if err != nil {
		return nil, err
	}
	var out []rare.Char
	for _, r := range slices.Sorted(maps.Keys(all)) {
		e := all[r]
		if !rare.Unified(r) || e.strokes == 0 {
			continue
		}
		out = append(out, rare.Char{Rune: r, Pinyin: e.readings, Strokes: e.strokes, Radical: e.radical, Rest: e.rest, Parts: e.parts})
	}
	return rare.Pack(out)
}

// read adds readings that are not there yet.
func (e *entry) read(readings ...string) {
	for _, s := range readings {
		if !slices.Contains(e.readings, s) {
			e.readings = append(e.readings, s)
		}
	}
}

// located takes the readings from "10019.020:tiàn,diàn 10020.030:x".
func located(v string) []string {
	var out []string
	for _, f := range strings.Fields(v) {
		_, readings, ok := strings.Cut(f, ":")
		if ok {
			out = append(out, strings.Split(readings, ",")...)
		}
	}
	return out
}

// radical reads the first of "85.4 86'.3".
func radical(v string) (number, rest int) {
	n, r, _ := strings.Cut(strings.Fields(v)[0], ".")
	number, _ = strconv.Atoi(strings.TrimRight(n, "'"))
	rest, _ = strconv.Atoi(r)
	return number, max(0, rest)
}

func one(s string) (rune, bool) {
	r, n := utf8.DecodeRuneInString(s)
	return r, n == len(s) && r != utf8.RuneError
}

func rows(db *sql.DB, query string, fn func(v []string)) error {
	found, err := db.Query(query)
	if err != nil {
		return err
	}
	defer found.Close()
	cols, err := found.Columns()
	if err != nil {
		return err
	}
	v := make([]string, len(cols))
	to := make([]any, len(cols))
	for i := range v {
		to[i] = &v[i]
	}
	for found.Next() {
		if err := found.Scan(to...); err != nil {
			return err
		}
		fn(v)
	}
	return found.Err()
}

func unihan(path string, fields map[string]func(rune, string)) error {
	return eachLine(path, func(line string) error {
		f := strings.SplitN(line, "\t", 3)
		if len(f) != 3 || fields[f[1]] == nil {
			return nil
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(f[0], "U+"), 16, 32)
		if err != nil {
			return fmt.Errorf("%s: %q: %w", path, line, err)
		}
		fields[f[1]](rune(n), f[2])
		return nil
	})
}

// eachLine calls fn with every line of a file that is no comment.
func eachLine(path string, fn func(line string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".bz2") {
		r = bzip2.NewReader(f)
	}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line, _, _ := strings.Cut(in.Text(), "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := fn(line); err != nil {
			return err
		}
	}
	return in.Err()
}
