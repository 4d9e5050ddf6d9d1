package ime

import "testing"

// TestASurnameAloneComesFirst: whoever has typed no more than a surname into a field for names is offered surnames.
func TestASurnameAloneComesFirst(t *testing.T) {
	for letters, want := range map[string]string{"wang": "王", "li": "李", "zhang": "张", "ouyang": "欧阳"} {
		if got := texts(Options{Field: NameField}, letters); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %.5q, want %s first", letters, got, want)
		}
	}
	if got := texts(Options{}, "li"); len(got) == 0 || got[0] == "李" {
		t.Errorf("in any other field surnames have no advantage: %.5q", got)
	}
}
