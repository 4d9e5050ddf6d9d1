// Command gen makes the dictionary of the pinyin input method from the npm packages beside it and our own lists.
//
// The same inputs give the same bytes. docs/pinyin.md says where everything comes from and how it is weighed.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"

	"bianmin/offline/pinyin/dict"
)

// Inputs are where the sources lie.
type Inputs struct {
	NPM      string // folder of the npm packages
	Lists    string // folder of our own lists
	Standard string // the characters of 通用规范汉字表
}

func main() {
	log.SetFlags(0)
	var in Inputs
	flag.StringVar(&in.NPM, "npm", "packaging/pinyin/node_modules", "folder of the npm packages")
	flag.StringVar(&in.Lists, "lists", "packaging/pinyin/lists", "folder of our own lists")
	flag.StringVar(&in.Standard, "standard", "assets/fonts/testdata/tgh8105.bin.gz", "the standard list of characters")
	out := flag.String("out", "offline/pinyin/dict/words.zst", "file to write")
	flag.Parse()
	data, err := Build(in)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, data, 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %d bytes\n", *out, len(data))
}

// Build makes the packed dictionary.
func Build(in Inputs) ([]byte, error) {
	v, err := readVocabulary(in)
	if err != nil {
		return nil, err
	}
	if err := v.addPlaces(in.NPM); err != nil {
		return nil, err
	}
	corpus, err := v.addCorpus(in.Lists)
	if err != nil {
		return nil, err
	}
	names, err := v.nameModel(in.Lists)
	if err != nil {
		return nil, err
	}
	src := dict.Source{Syllables: v.syllables, Words: v.dictWords(), Classes: len(classes), Names: names, Follow: classModel(corpus)}
	src.Pairs = func(t *dict.Trie) ([]dict.Pair, []dict.Leave) { return v.pairs(t, corpus, src.Follow) }
	return dict.Pack(src)
}
