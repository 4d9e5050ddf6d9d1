package ime

import "testing"

// TestWhereASentenceEnds: what seldom ends a sentence does not come first at the end of one.
func TestWhereASentenceEnds(t *testing.T) {
	for letters, want := range map[string]string{"niquwenwentaba": "你去问问他吧", "najiusuanleba": "那就算了吧", "xianzuoxiaba": "先坐下吧"} {
		got := texts(Options{}, letters)
		if len(got) == 0 || got[0] != want {
			t.Errorf("%s: %.5q, want %s first", letters, got, want)
		}
	}
}

// TestTermsThatSayHowTheyAreRead: 长 is read zhang in the names of offices, which the lists have to say.
func TestTermsThatSayHowTheyAreRead(t *testing.T) {
	for letters, want := range map[string]string{"wanggezhang": "网格长", "hezhangzhi": "河长制", "linzhang": "林长"} {
		got := texts(Options{}, letters)
		if len(got) == 0 || got[0] != want {
			t.Errorf("%s: %.5q, want %s first", letters, got, want)
		}
	}
}
