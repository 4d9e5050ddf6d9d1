package vm

import (
	"errors"
	"strings"
	"testing"

	"bianmin/app/device/idcard"
	"bianmin/app/device/photocheck"
	"bianmin/app/device/scanner"
	"bianmin/assets/translations"
	"bianmin/offline/ident"
	"bianmin/offline/journal"
)

// Every word that is put together from a kind or a fault is there, in both languages.
func TestWordsOfDevices(t *testing.T) {
	c, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, f := range []photocheck.Fault{
		photocheck.Blurred, photocheck.Cropped, photocheck.Skewed, photocheck.Glare, photocheck.Dark, photocheck.Small, photocheck.Number, photocheck.PageMiss,
	} {
		keys = append(keys, "photo."+string(f), "photo.short."+string(f))
	}
	for _, k := range []scanner.Kind{scanner.Link, scanner.Goods, scanner.Digits, scanner.Text, scanner.Nothing} {
		if k.Known() {
			t.Errorf("%s has a screen", k)
		}
		keys = append(keys, "scan.kind."+string(k))
	}
	for _, k := range []idcard.Kind{idcard.Resident, idcard.HMT, idcard.Foreigner} {
		keys = append(keys, "idcard.kind."+string(k))
	}
	for _, i := range []journal.Identity{journal.IdentityTyped, journal.IdentityCard, journal.IdentityCode} {
		keys = append(keys, "case.identity."+itoa(int(i)))
	}
	for _, code := range []string{"91", "92", "93", "51", "11", "Y1"} {
		keys = append(keys, "scan.credit."+creditKind(ident.Credit{Department: code[:1], Kind: code[1:]}))
	}
	for _, key := range keys {
		for _, lang := range []string{translations.Chinese, translations.English} {
			if text := c.T(lang, key, nil); text == "" || strings.Contains(text, key) {
				t.Errorf("%s in %s: %q", key, lang, text)
			}
		}
	}
}

func TestDevicesState(t *testing.T) {
	texts, err := translations.Load()
	if err != nil {
		t.Fatal(err)
	}
	d := NewDevices(texts.In("en"), "/dev/ttyUSB0", "", false)
	d.SetFound([]Choice{{Value: "/dev/ttyACM0", Label: "ttyACM0"}}, nil)
	st := d.State()
	if len(st.Ports) != 3 || st.Ports[2].Value != "/dev/ttyUSB0" || !st.Ports[2].On || st.Ports[2].Note == "" {
		t.Errorf("a reader that is unplugged stands as %+v", st.Ports)
	}
	if !st.TestReader || st.TestCamera {
		t.Error("what may be tested is not what is chosen")
	}
	if !d.Begin() || d.Begin() || d.State().TestReader {
		t.Error("two tests at once")
	}
	d.Done("", errors.Join(idcard.ErrNoReader))
	if st = d.State(); st.NoteKind != "danger" || !st.TestReader {
		t.Errorf("after a fault: %+v", st)
	}
	d.SetPort("")
	if st = d.State(); st.TestReader || st.Note != "" || !st.Ports[0].On {
		t.Errorf("without a reader: %+v", st)
	}
}
