package wire

import (
	"bytes"
	"strings"
	"testing"

	"bianmin/offline/canon"
)

func same[T any](t *testing.T, data []byte) {
	t.Helper()
	v, err := Decode[T](data)
	if err == nil && !bytes.Equal(canon.MustMarshal(v), data) {
		t.Fatalf("%T reads %x, writes %x", v, data, canon.MustMarshal(v))
	}
}

// What decodes encodes to the same bytes, whatever message it is.
func FuzzDecode(f *testing.F) {
	for _, v := range []any{
		Request{V: 1, Packets: [][]byte{{1}}, Nonce: []byte{1}},
		Reply{V: 1, Events: [][]byte{{1}}},
		Enroll{V: 1, Machine: "m"},
		PinSet{V: 1, Pins: [][32]byte{{}}},
		Hello{V: 1},
		HelloReply{V: 1},
		Error{V: 1, Code: CodeBusy},
		Nonce{V: 1},
		Grant{V: 1, Operators: []Operator{{}}, Packs: []PackRef{{}}},
		EnrollReply{V: 1},
	} {
		f.Add(canon.MustMarshal(v))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		same[Request](t, data)
		same[Reply](t, data)
		same[Enroll](t, data)
		same[PinSet](t, data)
		same[Hello](t, data)
		same[HelloReply](t, data)
		same[Error](t, data)
		same[Nonce](t, data)
		same[Grant](t, data)
		same[EnrollReply](t, data)
		if _, err := OpenPins(suite, nil, data); err == nil {
			t.Fatal("pins of nobody")
		}
	})
}

// A code that is read is written as the code that was meant, however it was typed.
func FuzzEnrollCode(f *testing.F) {
	f.Add(EnrollCode{Secret: [10]byte{1}, Root: [10]byte{2}}.String())
	f.Add(strings.ToLower(EnrollCode{}.String()))
	f.Add("０")
	f.Fuzz(func(t *testing.T, typed string) {
		c, err := ParseEnrollCode(typed)
		if err != nil {
			return
		}
		again, err := ParseEnrollCode(c.String())
		if err != nil || again != c {
			t.Fatalf("%q reads as %s, which does not read: %v", typed, c, err)
		}
	})
}

// Headers that are read are written the same.
func FuzzParseAuth(f *testing.F) {
	f.Add("7", "bm9uY2U", strings.Repeat("A", 86))
	f.Fuzz(func(t *testing.T, device, nonce, sig string) {
		in := map[string]string{HeaderDevice: device, HeaderNonce: nonce, HeaderSig: sig}
		a, err := ParseAuth(func(n string) string { return in[n] }, "GET", "/", 0)
		if err != nil {
			return
		}
		out := a.Headers()
		if out[HeaderDevice] != device || out[HeaderNonce] != nonce || out[HeaderSig] != sig {
			t.Fatalf("%v reads, but writes %v", in, out)
		}
	})
}
