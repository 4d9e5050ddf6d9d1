package pinyin

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"bianmin/offline/canon"
)

// slow searches as the index promises to: it looks at every text.
func slow(entries [][][]token, query string, limit int) []Hit {
	q := parseQuery(query)
	var hits []Hit
	for id, texts := range entries {
		best, found := 0, false
		for k, toks := range texts {
			score, ok := match(q, toks)
			if k > 0 {
				score -= 50
			}
			if ok && (!found || score > best) {
				best, found = score, true
			}
		}
		if found {
			hits = append(hits, Hit{id, best})
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(limit, len(hits))]
}

// TestIndexIsComplete: what the index finds through its lists is what looking at every text finds, in the same order.
func TestIndexIsComplete(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	surname := []rune("王李张刘单解仇曾查任盖尉朴区乐员种秘召翟盛折缪")
	given := []rune("秀英华兰玉桂明芳国行重长乐传石曾参差调朝还㐂𠮷珍美德义成福祥贵庆光辉强勇")
	extra := []string{"欧阳秀英", "尉迟恭", "阿依古丽·买买提", "Öz李", "王5号", "ABC公司", "长江", "重庆银行", "给", "é", "zhang三"}
	var entries [][]string
	var taken [][][]token
	var b Builder
	add := func(texts ...string) {
		entries = append(entries, texts)
		var toks [][]token
		for k, s := range texts {
			toks = append(toks, tokens(s, k == 0))
		}
		taken = append(taken, toks)
		b.AddName(texts[0], texts[1:]...)
	}
	for _, s := range extra {
		add(s)
	}
	for range 1500 {
		s := string(surname[r.IntN(len(surname))])
		for range 1 + r.IntN(3) {
			s += string(given[r.IntN(len(given))])
		}
		if r.IntN(8) == 0 {
			add(s, string(given[r.IntN(len(given))])+"村"+s, extra[r.IntN(len(extra))])
		} else {
			add(s)
		}
	}
	x := b.Index()
	again, err := Read(canon.NewReader(x.Append(nil)))
	if err != nil || !reflect.DeepEqual(x, again) {
		t.Fatalf("an index that is written and read is another one: %v", err)
	}
	var queries []string
	for range 3000 {
		text := []rune(entries[r.IntN(len(entries))][0])
		from := r.IntN(len(text))
		part := text[from : from+1+r.IntN(len(text)-from)]
		q := ""
		for i, c := range part {
			py := reading(c)
			if len(second[c]) > 0 && r.IntN(2) == 0 {
				py = second[c][0]
			}
			switch {
			case py == "" || r.IntN(3) == 0:
				q += string(c)
			case i == len(part)-1 && r.IntN(2) == 0:
				q += py[:1+r.IntN(len(py))]
			case r.IntN(2) == 0:
				q += py
			default:
				q += py[:1]
			}
		}
		queries = append(queries, q)
	}
	for c := 'a'; c <= 'z'; c++ {
		for d := 'a'; d <= 'z'; d++ {
			queries = append(queries, string(c)+string(d))
		}
		queries = append(queries, string(c), string(c)+"h", "王"+string(c))
	}
	for i, q := range queries {
		limit := []int{0, 1, 20}[i%3]
		want := slow(taken, q, cmp.Or(limit, len(entries)))
		if got := x.Search(q, limit); len(got)+len(want) > 0 && !slices.Equal(got, want) {
			t.Fatalf("%q, at most %d: index %v, every text %v", q, limit, got, want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	var b Builder
	for i := range 5 {
		b.AddName(fmt.Sprintf("王秀%d", i))
	}
	data := b.Index().Append(nil)
	for i := range data {
		if _, err := Read(canon.NewReader(data[:i])); err == nil {
			t.Errorf("an index cut at %d is read", i)
		}
	}
}

func FuzzRead(f *testing.F) {
	var b Builder
	b.AddName("王秀英", "东村")
	f.Add(b.Index().Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := Read(canon.NewReader(data)); err == nil {
			x.Search("w", 3)
			x.Search("王秀", 3)
		}
	})
}
