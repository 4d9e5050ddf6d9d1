package receipt

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"bianmin/offline/canon"
)

// What parses re-encodes to the same bytes; nothing crashes.

func FuzzParsePayload(f *testing.F) {
	f.Add(sampleStage1().Payload())
	f.Add(sampleStage2().Payload())
	for _, v := range loadVectors(f) {
		f.Add(unhex(f, v.Payload))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePayload(data)
		if err != nil {
			return
		}
		if again := p.(interface{ Payload() []byte }).Payload(); !bytes.Equal(again, data) {
			t.Errorf("%x became %x", data, again)
		}
	})
}

func FuzzEnvelope(f *testing.F) {
	list := testList(f)
	for _, v := range loadVectors(f) {
		f.Add(unhex(f, v.Envelope))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := VerifyAt(suite, data, time.Unix(vectorClock, 0), list)
		p, err := open(data)
		if err != nil {
			if v.State != Forged {
				t.Errorf("%+v", v)
			}
			return
		}
		again := canon.MustMarshal(coseSign1{Protected: protected(p.kid), Unprotected: map[int64]int64{}, Payload: p.payload, Signature: p.sig})
		if !bytes.Equal(again, data) {
			t.Errorf("%x became %x", data, again)
		}
		if _, _, err := Explain(data); err != nil {
			t.Error(err)
		}
	})
}

func FuzzParseLink(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add(v.Link)
	}
	f.Fuzz(func(t *testing.T, link string) {
		host, env, err := ParseLink(link)
		if err != nil {
			return
		}
		if again := Link(host, env); !strings.HasPrefix(strings.TrimSpace(link), again) {
			t.Errorf("%q became %q", link, again)
		}
	})
}

func FuzzBase41(f *testing.F) {
	f.Add("", []byte{1, 2, 3})
	f.Add("H:-", []byte{255, 255})
	f.Fuzz(func(t *testing.T, text string, data []byte) {
		if got, err := decode41(text); err == nil && encode41(got) != text {
			t.Errorf("%q became %q", text, encode41(got))
		}
		if got, err := decode41(encode41(data)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%x became %x, %v", data, got, err)
		}
	})
}

func FuzzOpenKeyList(f *testing.F) {
	root := scalar(f, "root")
	data, err := SignKeyList(root, testList(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	var w signedKeyList
	if err := canon.Unmarshal(data, &w); err != nil {
		f.Fatal(err)
	}
	f.Add(w.List)
	f.Fuzz(func(t *testing.T, data []byte) {
		if l, err := OpenKeyList(suite, root.Public(), data); err == nil {
			if _, err := SignKeyList(root, l); err != nil {
				t.Error(err)
			}
		}
		var l KeyList // the inner list, as if the root had signed it
		if canon.Unmarshal(data, &l) == nil && l.check() == nil && !bytes.Equal(canon.MustMarshal(l), data) {
			t.Errorf("%x", data)
		}
	})
}

func FuzzFit(f *testing.F) {
	f.Add("高龄\u202e津贴", 16)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := Fit(s, limit)
		if again := Fit(got, limit); again != got || len(got) > len(s) {
			t.Errorf("%q, %q", got, again)
		}
	})
}

func FuzzScanPicture(f *testing.F) {
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	var b bytes.Buffer
	c, err := QR("A", LevelM)
	if err != nil {
		f.Fatal(err)
	}
	if err := png.Encode(&b, c.Image(2, QuietZone)); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > 1<<18 {
			return // sound, but each would take seconds
		}
		if text, err := ScanPicture(data); err == nil && text == "" {
			t.Error("no error and no text")
		}
	})
}
