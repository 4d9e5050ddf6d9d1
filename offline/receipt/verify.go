package receipt

import (
	"bytes"
	"errors"
	"time"

	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// State is what a verifier may say about a receipt without asking the platform.
type State string

// States, from best to worst for the bearer.
const (
	// Genuine: signed by a listed key that is in force. Stage 1 still proves only that the station took the case in.
	Genuine State = "genuine"
	// Withdrawn: signed by a listed key, but the key was revoked or the receipt's time is outside the key's time.
	// Nothing can be said offline: ask the platform.
	Withdrawn State = "withdrawn"
	// UnknownKey: no list at hand names the signer. Nothing can be said: get the signer's key list.
	UnknownKey State = "unknown"
	// Forged: not a receipt, or not signed by whom it names.
	Forged State = "forged"
)

// Reasons of a Verdict and words keys of errors. Each has a text in assets/translations.
const (
	ReasonGenuine   = "receipt.genuine"
	ReasonCut       = "receipt.keyCut"      // key revoked; the receipt is not after the cut
	ReasonAfterCut  = "receipt.keyAfterCut" // key revoked; the receipt is after the last record the platform holds
	ReasonNotYet    = "receipt.keyNotYet"   // before the key's time
	ReasonExpired   = "receipt.keyExpired"  // after the key's time
	ReasonUnknown   = "receipt.unknownKey"  // no list names the signer
	ReasonMalformed = "receipt.malformed"   // not the bytes of a receipt
	ReasonSignature = "receipt.signature"   // the signature is not the named signer's
	ReasonNotLink   = "receipt.notLink"     // not a receipt's link
	ReasonHost      = "receipt.otherHost"   // a link to another host
	ReasonNoCode    = "receipt.noCode"      // no QR code found in the picture
	ReasonPicture   = "receipt.badPicture"  // not a picture we read
)

// clockSlack is how far a station's clock may be off before its key's time is held against a receipt.
const clockSlack = 24 * 60 * 60

// Verdict is the outcome of VerifyAt.
type Verdict struct {
	State  State
	Stage  uint8   // 1 or 2; 0 when the payload could not be read
	S1     *Stage1 // what the receipt says, when it could be read; believe it only when State is Genuine
	S2     *Stage2
	Key    *Key   // the key that signed; nil when Forged or UnknownKey
	Reason string // words key
}

// VerifyAt judges an envelope by the key lists at a moment. Of several lists of one county the newest counts. The kid
// is a hint: every key with it is tried, and of several that fit the worst verdict counts. A key that is not yet in
// force now, or was not when the receipt says it was made (a day of slack), gives Withdrawn; now is never taken to be
// before the list was signed. A revoked key gives Withdrawn for every receipt. A signer whom the lists know but who
// did not sign gives Forged; one they do not know gives UnknownKey.
func VerifyAt(s vault.Suite, envelope []byte, now time.Time, lists ...KeyList) Verdict {
	p, err := open(envelope)
	if err != nil {
		return Verdict{State: Forged, Reason: ReasonMalformed}
	}
	content, err := ParsePayload(p.payload)
	if err != nil {
		return Verdict{State: Forged, Reason: ReasonMalformed}
	}
	v := Verdict{State: UnknownKey, Reason: ReasonUnknown}
	var (
		device uint32
		seq    uint64
		at     int64
	)
	switch c := content.(type) {
	case Stage1:
		v.Stage, v.S1, device, seq, at = StageStation, &c, c.Device, c.Seq, c.At
	case Stage2:
		v.Stage, v.S2, device, seq, at = StagePlatform, &c, 0, 0, c.At
	}
	for _, l := range newest(lists) {
		for i := range l.Keys {
			k := &l.Keys[i]
			named := bytes.Equal(keyHint(s, k.Public), p.kid)
			if !named && (k.Stage != v.Stage || v.Stage == StageStation && k.Device != device) {
				continue // says nothing about this receipt
			}
			if v.State == UnknownKey {
				v.State, v.Reason = Forged, ReasonSignature
			}
			if !named || k.Stage != v.Stage || v.Stage == StageStation && k.Device != device ||
				!s.VerifyRaw(k.Public, p.tbs, p.sig) {
				continue
			}
			state, reason := k.judge(seq, at, max(now.Unix(), l.At))
			if v.State != Withdrawn {
				v.State, v.Reason, v.Key = state, reason, k
			}
		}
	}
	return v
}

// spkiPrefix is the DER SubjectPublicKeyInfo of an SM2 key up to the point. With it a list of thousands of keys is
// searched without taking each through the curve; a test compares it with vault's encoding.
var spkiPrefix = []byte{
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf,
	0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00,
}

func keyHint(s vault.Suite, pub vault.PublicKey) []byte {
	h := s.Hash(spkiPrefix, pub)
	return h[:4]
}

func (k *Key) judge(seq uint64, at, now int64) (State, string) {
	switch {
	case k.Revoked && seq > k.CutSeq:
		return Withdrawn, ReasonAfterCut
	case k.Revoked:
		return Withdrawn, ReasonCut
	case k.From != 0 && (k.From > now || at < k.From-clockSlack):
		return Withdrawn, ReasonNotYet
	case k.To != 0 && at > k.To+clockSlack:
		return Withdrawn, ReasonExpired
	}
	return Genuine, ReasonGenuine
}

// newest keeps the highest version of each county's list.
func newest(lists []KeyList) []KeyList {
	var out []KeyList
next:
	for _, l := range lists {
		for i := range out {
			if out[i].County == l.County {
				if l.Version > out[i].Version {
					out[i] = l
				}
				continue next
			}
		}
		out = append(out, l)
	}
	return out
}

// VerifyLink judges a link as VerifyAt judges its envelope. A link that is broken, or leads to a host that is not
// allowed (none given: any), is Forged.
func VerifyLink(s vault.Suite, link string, hosts []string, now time.Time, lists ...KeyList) Verdict {
	_, envelope, err := ParseLink(link, hosts...)
	if err != nil {
		reason := ReasonNotLink
		var w *words.Error
		if errors.As(err, &w) {
			reason = w.Key
		}
		return Verdict{State: Forged, Reason: reason}
	}
	return VerifyAt(s, envelope, now, lists...)
}
