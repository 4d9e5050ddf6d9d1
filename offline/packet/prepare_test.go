package packet

import (
	"bytes"
	"errors"
	"testing"

	"bianmin/offline/vault"
)

func TestPreparedServesOnce(t *testing.T) {
	device, platform, other := mustKey(t), mustKey(t), mustKey(t)
	records := chain(t, 1, 0, vault.Hash{})
	o := options(device, platform)
	p, err := Prepare(suite, o.Recipients)
	if err != nil {
		t.Fatal(err)
	}
	o.Prepared = p
	first, second := mustParse(t, mustSeal(t, records, o)), mustParse(t, mustSeal(t, records, o))
	if bytes.Equal(first.Keys[0].Sealed, second.Keys[0].Sealed) {
		t.Error("one content key for two packets")
	}
	for _, got := range []*Packet{first, second} {
		if _, _, err := got.Open(suite, platform, nil); err != nil {
			t.Error(err)
		}
	}
	if _, _, ok := p.Take(); ok {
		t.Error("a used key is given away")
	}
	if o.Prepared, err = Prepare(suite, []vault.PublicKey{other.Public()}); err != nil {
		t.Fatal(err)
	}
	third := mustParse(t, mustSeal(t, records, o))
	if _, _, err := third.Open(suite, platform, nil); err != nil {
		t.Errorf("a key prepared for somebody else was used: %v", err)
	}
	if _, _, err := third.Open(suite, other, nil); !errors.Is(err, ErrNotForUs) {
		t.Errorf("opens for somebody else: %v", err)
	}
	o.Prepared.Clear()
	if _, _, ok := o.Prepared.Take(); ok {
		t.Error("a cleared key is given away")
	}
}
