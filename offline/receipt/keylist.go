package receipt

import (
	"errors"
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

// KeyListVersion is the format version of key lists.
const KeyListVersion = 1

// Limits of a key list.
const (
	maxKeys    = 20_000
	maxListLen = 4 << 20
)

// keyListDomain is the domain of the root's signature over a key list.
const keyListDomain = "keylist"

// ErrKeyList reports a key list that is not of a known version, not in its one encoding, or not signed by the root.
var ErrKeyList = errors.New("receipt: bad key list")

// Key is one public key that signs receipts, with what the county says about its holder. On the wire it is the array
// [public, stage, device, name, division, telephone, revoked, cutSeq, cutHash, from, to].
type Key struct {
	_         struct{}        `cbor:",toarray"`
	Public    vault.PublicKey // SM2, 04‖x‖y
	Stage     uint8           // 1 station, 2 platform: a key signs receipts of its own stage only
	Device    uint32          // the station's device; 0 for the platform
	Name      string          // of the station or the platform, as people know it
	Division  string          // division code, 12 digits
	Telephone string
	Revoked   bool
	CutSeq    uint64  // when revoked: last record the platform holds
	CutHash   [8]byte // first bytes of that record's hash
	From      int64   // first second of use, Unix; 0 open
	To        int64   // last second of use, Unix; 0 open
}

// KeyList is a county's list of receipt keys. On the wire it is the array [v, county, version, at, keys], wrapped with
// the root's signature as [1, list, signature].
type KeyList struct {
	_       struct{} `cbor:",toarray"`
	V       uint8    // KeyListVersion; set by SignKeyList
	County  string   // 6 digits
	Version uint32   // grows with every change; a device never goes back
	At      int64    // when it was signed, Unix seconds
	Keys    []Key
}

type signedKeyList struct {
	_    struct{} `cbor:",toarray"`
	V    uint8
	List []byte
	Sig  []byte
}

// SignKeyList signs a list with the platform root, domain "keylist".
func SignKeyList(root vault.PrivateKey, l KeyList) ([]byte, error) {
	l.V = KeyListVersion
	if err := l.check(); err != nil {
		return nil, err
	}
	list, err := canon.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("receipt: key list: %w", err)
	}
	sig, err := vault.Sign(root, keyListDomain, list)
	if err != nil {
		return nil, fmt.Errorf("receipt: sign key list: %w", err)
	}
	return canon.Marshal(signedKeyList{V: KeyListVersion, List: list, Sig: sig})
}

// OpenKeyList reads a list and checks the root's signature. ErrKeyList when it cannot be used. The caller still
// refuses a list whose Version is below the one it holds.
func OpenKeyList(s vault.Suite, root vault.PublicKey, data []byte) (KeyList, error) {
	if len(data) > maxListLen {
		return KeyList{}, fmt.Errorf("%w: %d bytes", ErrKeyList, len(data))
	}
	var w signedKeyList
	if err := canon.Unmarshal(data, &w); err != nil {
		return KeyList{}, fmt.Errorf("%w: %w", ErrKeyList, err)
	}
	if w.V != KeyListVersion {
		return KeyList{}, fmt.Errorf("%w: version %d", ErrKeyList, w.V)
	}
	if err := vault.Verify(s, root, keyListDomain, w.List, w.Sig); err != nil {
		return KeyList{}, fmt.Errorf("%w: %w", ErrKeyList, err)
	}
	var l KeyList
	if err := canon.Unmarshal(w.List, &l); err != nil {
		return KeyList{}, fmt.Errorf("%w: %w", ErrKeyList, err)
	}
	if err := l.check(); err != nil {
		return KeyList{}, err
	}
	return l, nil
}

func (l KeyList) check() error {
	if l.V != KeyListVersion || len(l.County) != 6 || l.At < 0 || l.At > maxAt || len(l.Keys) > maxKeys {
		return fmt.Errorf("%w: version %d, county %q, %d keys", ErrKeyList, l.V, l.County, len(l.Keys))
	}
	for i := range len(l.County) {
		if l.County[i] < '0' || l.County[i] > '9' {
			return fmt.Errorf("%w: county %q", ErrKeyList, l.County)
		}
	}
	for i, k := range l.Keys {
		if len(k.Public) != vault.PublicKeySize || k.Public[0] != 4 || k.Stage != StageStation && k.Stage != StagePlatform ||
			k.CutSeq > maxSeq || k.From < 0 || k.From > maxAt || k.To < 0 || k.To > maxAt {
			return fmt.Errorf("%w: key %d", ErrKeyList, i)
		}
	}
	return nil
}
