package receipt_test

import (
	"errors"
	"testing"
	"time"

	"bianmin/offline/receipt"
	"bianmin/offline/vault"
)

func TestCredential(t *testing.T) {
	s := vault.SM(nil)
	key := func() vault.PrivateKey {
		k, err := s.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	platform, station, stranger := key(), key(), key()
	at := time.Unix(1_795_000_000, 0)
	list := receipt.KeyList{V: 1, County: "999999", Version: 1, At: at.Unix() - 1000, Keys: []receipt.Key{
		{Public: platform.Public(), Stage: receipt.StagePlatform, Name: "示范县", Division: "999999000000"},
		{Public: station.Public(), Stage: receipt.StageStation, Device: 1, Name: "河湾村", Division: "999999101201"},
	}}
	const number = "999999194403081220"
	issue := func(k vault.PrivateKey) string {
		text, err := receipt.NewCredential(s, k, "医保电子凭证", "高兰英", number, []byte("saltsalt"), at)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	text := issue(platform)
	if !receipt.IsCredential(text) {
		t.Fatalf("%q is no credential", text[:8])
	}
	c, err := receipt.OpenCredential(s, text, at.Add(receipt.CredentialLife), list)
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != "医保电子凭证" || c.Name != "高*英" || !c.Of(s, number) || c.Of(s, "999999194403081239") {
		t.Errorf("it says %q of %q", c.Kind, c.Name)
	}
	for name, x := range map[string]struct {
		text string
		now  time.Time
		want error
	}{
		"after its minute":       {text, at.Add(receipt.CredentialLife + time.Second), receipt.ErrCredentialOld},
		"a clock that is behind": {text, at.Add(-time.Minute), receipt.ErrCredentialEarly},
		"a station's key":        {issue(station), at, receipt.ErrCredentialKey},
		"a stranger's key":       {issue(stranger), at, receipt.ErrCredentialKey},
		"cut":                    {text[:len(text)-3], at, receipt.ErrCredential},
		"not base41":             {"BMC1abc", at, receipt.ErrCredential},
		"other text":             {"hello", at, receipt.ErrCredential},
	} {
		if _, err := receipt.OpenCredential(s, x.text, x.now, list); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	// Every changed character is refused.
	for i := 4; i < len(text); i++ {
		b := []byte(text)
		if b[i]++; b[i] > 'Z' || b[i] == ';' {
			b[i] = '0'
		}
		if string(b) == text {
			continue
		}
		if _, err := receipt.OpenCredential(s, string(b), at, list); err == nil {
			t.Fatalf("character %d changed and still believed", i)
		}
	}
	// A revoked platform key, and one out of its time.
	revoked := list
	revoked.Keys = []receipt.Key{list.Keys[0]}
	revoked.Keys[0].Revoked = true
	if _, err := receipt.OpenCredential(s, text, at, revoked); !errors.Is(err, receipt.ErrCredential) {
		t.Errorf("a revoked key: %v", err)
	}
	// A credential is no receipt, and a receipt no credential.
	if v := receipt.VerifyLink(s, "https://fw.example/r#"+text[4:], nil, at, list); v.State == receipt.Genuine {
		t.Error("a credential passed for a receipt")
	}
}
