package vault

import (
	"encoding/hex"
	"errors"
	"fmt"
	"sort"

	"bianmin/offline/canon"
)

// See docs/keys.md for the bytes.
const (
	ringName      = "keys"
	ringVersion   = 2
	triesVersion  = 1
	maxOperators  = 256
	maxPeriods    = 4096
	slotSize      = 8
	pinSaltSize   = 16
	keysDomain    = "bianmin/keys/v1\x00"
	slotMachine   = "machine"
	slotDeviceKey = "device"
)

// slotID names an operator's slots without telling the operator's id: HMAC of it under the machine secret.
type slotID [slotSize]byte

// ringFile is the key file: every secret in its own sealed slot, the whole under a MAC of the machine secret.
type ringFile struct {
	V         uint8          `cbor:"1,keyasint"`
	Version   uint64         `cbor:"2,keyasint"`            // counts writes; the higher of two sound copies is newer
	MachineID [8]byte        `cbor:"3,keyasint"`            // tells another machine's file from a damaged one
	Argon     Argon          `cbor:"4,keyasint"`            // cost of PINs
	SealKey   []byte         `cbor:"5,keyasint"`            // device's encryption key, public half
	Machine   []byte         `cbor:"6,keyasint"`            // machineSlot under the machine secret
	Device    []byte         `cbor:"7,keyasint"`            // device's encryption key, private half, under the master
	Operators []operatorSlot `cbor:"8,keyasint"`            // in the order of the grant
	Periods   []periodSlot   `cbor:"9,keyasint"`            // by id
	County    *countySlot    `cbor:"11,keyasint,omitempty"` // what the county's recovery key opens; nil while it has none
	MAC       []byte         `cbor:"23,keyasint"`           // HMAC-SM3 under the machine secret over all above, MAC empty
}

// ringFileV1 is the file as version 1 wrote it: without the county, the MAC under key 10. It is read, and written as
// version 2 with the next change.
type ringFileV1 struct {
	V         uint8          `cbor:"1,keyasint"`
	Version   uint64         `cbor:"2,keyasint"`
	MachineID [8]byte        `cbor:"3,keyasint"`
	Argon     Argon          `cbor:"4,keyasint"`
	SealKey   []byte         `cbor:"5,keyasint"`
	Machine   []byte         `cbor:"6,keyasint"`
	Device    []byte         `cbor:"7,keyasint"`
	Operators []operatorSlot `cbor:"8,keyasint"`
	Periods   []periodSlot   `cbor:"9,keyasint"`
	MAC       []byte         `cbor:"10,keyasint"`
}

// encode returns the canonical bytes in the file's own version.
func (f ringFile) encode() ([]byte, error) {
	if f.V == 1 {
		return canon.Marshal(ringFileV1{f.V, f.Version, f.MachineID, f.Argon, f.SealKey, f.Machine, f.Device, f.Operators, f.Periods, f.MAC})
	}
	return canon.Marshal(f)
}

type operatorSlot struct {
	Slot   slotID            `cbor:"1,keyasint"`
	Info   []byte            `cbor:"2,keyasint"` // operatorInfo under the machine secret
	Public []byte            `cbor:"3,keyasint"` // operator's SM2 key
	Salt   [pinSaltSize]byte `cbor:"4,keyasint"` // of Argon2id
	Key    []byte            `cbor:"5,keyasint"` // operator's SM2 scalar under PIN and machine secret
	Master []byte            `cbor:"6,keyasint"` // masterSlot sealed to Public; empty while the operator waits to be admitted
}

type periodSlot struct {
	ID   string `cbor:"1,keyasint"`
	Keys []byte `cbor:"2,keyasint"` // periodKeys under the master
}

type operatorInfo struct {
	ID         string `cbor:"1,keyasint"`
	Name       string `cbor:"2,keyasint"`
	Role       string `cbor:"3,keyasint"`
	Division   string `cbor:"4,keyasint"`
	MustChange bool   `cbor:"5,keyasint"`
}

type machineSlot struct {
	Sign   []byte     `cbor:"1,keyasint"` // device's signing scalar
	Key    Key        `cbor:"2,keyasint"`
	Period periodKeys `cbor:"3,keyasint"`
	Demo   bool       `cbor:"4,keyasint"` // a sample county
}

type masterSlot struct {
	Slot   slotID `cbor:"1,keyasint"` // SM2 sealing has no associated data: the slot is named inside
	Master Key    `cbor:"2,keyasint"`
}

type periodKeys struct {
	Store Key      `cbor:"1,keyasint"`
	Blob  Key      `cbor:"2,keyasint"`
	Salt  [32]byte `cbor:"3,keyasint"`
}

func (p periodKeys) period(id string) Period {
	return Period{ID: id, Store: p.Store, Blob: p.Blob, Salt: p.Salt}
}

// operator is an operatorSlot with its information opened.
type operator struct {
	operatorSlot
	operatorInfo
}

func aadOf(slot string) []byte { return []byte(keysDomain + slot) }

func (s slotID) name(part string) string { return "operator/" + hex.EncodeToString(s[:]) + "/" + part }

// derive makes a key for one purpose from the machine secret (or another secret).
func derive(s Suite, secret []byte, purpose string, parts ...[]byte) Key {
	h := s.MAC(secret, append([][]byte{[]byte(keysDomain + purpose + "\x00")}, parts...)...)
	return Key(h[:KeySize])
}

func slotOf(s Suite, secret []byte, id string) slotID {
	h := s.MAC(secret, []byte(keysDomain+"slot\x00"), []byte(id))
	return slotID(h[:slotSize])
}

func machineID(s Suite, secret []byte) [8]byte {
	h := s.MAC(secret, []byte(keysDomain+"id\x00"))
	return [8]byte(h[:8])
}

// mac covers the whole file. Its key is a full hash wide, unlike the slots' SM4 keys.
func (f ringFile) mac(s Suite, secret []byte) ([]byte, error) {
	f.MAC = nil
	data, err := f.encode()
	if err != nil {
		return nil, err
	}
	key := s.MAC(secret, []byte(keysDomain+"file\x00"))
	h := s.MAC(key[:], data)
	return h[:], nil
}

func (f ringFile) marshal(s Suite, secret []byte) ([]byte, error) {
	mac, err := f.mac(s, secret)
	if err != nil {
		return nil, err
	}
	f.MAC = mac
	return f.encode()
}

// parseRingFile reads one copy and checks every byte of it against the machine secret.
func parseRingFile(s Suite, secret, data []byte) (ringFile, error) {
	sound := macSound(s, secret, data)
	if v := leadingVersion(data); sound && v > ringVersion {
		return ringFile{}, fmt.Errorf("%w: file version %d, program %d", ErrNewer, v, ringVersion)
	}
	f, err := decodeRingFile(data)
	switch {
	case err != nil:
		return ringFile{}, err
	case sound:
		return f, nil
	case f.MachineID != machineID(s, secret):
		return ringFile{}, ErrOtherMachine
	}
	return ringFile{}, errors.New("vault: key file was changed")
}

// macSound checks the MAC by its place alone: in every version it is the last field, over the file with it empty. So a
// newer program's file can be told from a damaged one.
func macSound(s Suite, secret, data []byte) bool {
	const head, tail = 2, 2 + HashSize // 58 20, then the MAC
	n := len(data) - tail
	if n < 0 || data[n] != 0x58 || data[n+1] != HashSize {
		return false
	}
	key := s.MAC(secret, []byte(keysDomain+"file\x00"))
	mac := s.MAC(key[:], data[:n], []byte{0x40})
	return Equal(mac[:], data[n+head:])
}

// decodeRingFile checks form and limits, not the MAC.
func decodeRingFile(data []byte) (ringFile, error) {
	var f ringFile
	if leadingVersion(data) == 1 {
		var old ringFileV1
		if err := canon.Unmarshal(data, &old); err != nil {
			return ringFile{}, fmt.Errorf("vault: key file: %w", err)
		}
		f = ringFile{
			V: old.V, Version: old.Version, MachineID: old.MachineID, Argon: old.Argon, SealKey: old.SealKey,
			Machine: old.Machine, Device: old.Device, Operators: old.Operators, Periods: old.Periods, MAC: old.MAC,
		}
	} else if err := canon.Unmarshal(data, &f); err != nil {
		return ringFile{}, fmt.Errorf("vault: key file: %w", err)
	}
	switch {
	case f.V < 1 || f.V > ringVersion:
		return ringFile{}, fmt.Errorf("vault: key file of version %d", f.V)
	case !f.Argon.sound():
		return ringFile{}, errors.New("vault: key file asks for an unsound cost of PINs")
	case len(f.Operators) == 0 || len(f.Operators) > maxOperators:
		return ringFile{}, fmt.Errorf("vault: key file with %d operators", len(f.Operators))
	case len(f.Periods) > maxPeriods:
		return ringFile{}, fmt.Errorf("vault: key file with %d periods", len(f.Periods))
	}
	return f, nil
}

// leadingVersion reads the version of a file whose later fields this program does not know: a CBOR map whose first
// pair is 1: small unsigned integer, which every version keeps. 0 when it is not one.
func leadingVersion(data []byte) uint8 {
	switch {
	case len(data) >= 3 && data[0]>>5 == 5 && data[1] == 1 && data[2] <= 23:
		return data[2]
	case len(data) >= 4 && data[0]>>5 == 5 && data[1] == 1 && data[2] == 24:
		return data[3]
	}
	return 0
}

// openOperators opens what the machine may know of the operators.
func (f ringFile) openOperators(s Suite, secret []byte) ([]operator, error) {
	key := derive(s, secret, "wrap")
	out := make([]operator, len(f.Operators))
	for i, o := range f.Operators {
		var info operatorInfo
		if err := openSlot(s, key, o.Slot.name("info"), o.Info, &info); err != nil {
			return nil, err
		}
		out[i] = operator{o, info}
	}
	return out, nil
}

// openMachine opens the machine slot. Called once, with mu held.
func (r *Ring) openMachine() error {
	var m machineSlot
	if err := openSlot(r.suite, derive(r.suite, r.secret, "wrap"), slotMachine, r.file.Machine, &m); err != nil {
		return withCause(ErrDamaged, err)
	}
	k, err := r.suite.ParsePrivateKey(m.Sign)
	if err != nil {
		return withCause(ErrDamaged, err)
	}
	r.demo = r.demo || m.Demo
	r.device, r.mkey, r.mperiod, r.seal = k, m.Key, m.Period.period(MachinePeriodID), PublicKey(r.file.SealKey)
	clear(m.Sign)
	return nil
}

func sealSlot(s Suite, key Key, slot string, v any) ([]byte, error) {
	plain, err := canon.Marshal(v)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.Seal(key, plain, aadOf(slot))
}

func openSlot(s Suite, key Key, slot string, sealed []byte, v any) error {
	plain, err := s.Open(key, sealed, aadOf(slot))
	if err != nil {
		return fmt.Errorf("slot %s: %w", slot, err)
	}
	defer clear(plain)
	if err := canon.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("slot %s: %w", slot, err)
	}
	return nil
}

func newPeriodKeys(s Suite) (periodKeys, error) {
	var p periodKeys
	for _, b := range [][]byte{p.Store[:], p.Blob[:], p.Salt[:]} {
		if err := s.Random(b); err != nil {
			return periodKeys{}, err
		}
	}
	return p, nil
}

// newRingFile makes the first version of a key file, and returns the machine key it holds.
func newRingFile(s Suite, secret []byte, o RingOptions) (ringFile, Key, error) {
	f := ringFile{V: ringVersion, Version: 1, MachineID: machineID(s, secret), Argon: o.Argon.withDefaults()}
	if err := o.check(f.Argon); err != nil {
		return ringFile{}, Key{}, err
	}
	mkey, err := s.NewKey()
	if err != nil {
		return ringFile{}, Key{}, err
	}
	sign, err := o.Sign.Bytes()
	if err != nil {
		return ringFile{}, Key{}, fmt.Errorf("vault: wrap signing key: %w", err)
	}
	defer clear(sign)
	mp, err := newPeriodKeys(s)
	if err != nil {
		return ringFile{}, Key{}, err
	}
	wrap := derive(s, secret, "wrap")
	if f.Machine, err = sealSlot(s, wrap, slotMachine, machineSlot{sign, mkey, mp, o.Demo}); err != nil {
		return ringFile{}, Key{}, err
	}
	master, err := s.NewKey()
	if err != nil {
		return ringFile{}, Key{}, err
	}
	f.SealKey = o.Seal.Public()
	d, err := o.Seal.Bytes()
	if err != nil {
		return ringFile{}, Key{}, fmt.Errorf("vault: wrap encryption key: %w", err)
	}
	defer clear(d)
	if f.Device, err = s.Seal(master, d, aadOf(slotDeviceKey)); err != nil {
		return ringFile{}, Key{}, err
	}
	for _, op := range o.Operators {
		slot, err := newOperatorSlot(s, secret, f.Argon, argon, op)
		if err == nil {
			slot, err = slot.admit(s, master)
		}
		if err != nil {
			return ringFile{}, Key{}, err
		}
		f.Operators = append(f.Operators, slot)
	}
	if len(o.County) > 0 {
		if f, err = f.withCounty(s, secret, master, o.County); err != nil {
			return ringFile{}, Key{}, err
		}
	}
	return f, mkey, nil
}

func (o RingOptions) check(a Argon) error {
	switch {
	case o.Sign == nil || o.Seal == nil:
		return errors.New("vault: a ring needs both key pairs of the device")
	case !a.sound():
		return errors.New("vault: cost of PINs out of bounds")
	case len(o.Operators) == 0 || len(o.Operators) > maxOperators:
		return fmt.Errorf("vault: a ring needs 1 to %d operators, not %d", maxOperators, len(o.Operators))
	}
	seen := map[string]bool{}
	for _, op := range o.Operators {
		if op.ID == "" || seen[op.ID] {
			return errors.New("vault: operator ids must be there and differ")
		}
		if op.PIN == "" {
			return errors.New("vault: an operator needs a first PIN")
		}
		seen[op.ID] = true
	}
	return nil
}

// newOperatorSlot makes a person's key pair and wraps it by PIN and machine. The person waits until the master is sealed
// to it.
func newOperatorSlot(s Suite, secret []byte, a Argon, kdf func(Argon, []byte, []byte) []byte, op NewOperator) (operatorSlot, error) {
	k, err := s.GenerateKey()
	if err != nil {
		return operatorSlot{}, err
	}
	o := operatorSlot{Slot: slotOf(s, secret, op.ID), Public: k.Public(), Master: []byte{}}
	info := operatorInfo{ID: op.ID, Name: op.Name, Role: op.Role, Division: op.Division, MustChange: op.OneTime}
	if o.Info, err = sealSlot(s, derive(s, secret, "wrap"), o.Slot.name("info"), info); err != nil {
		return operatorSlot{}, err
	}
	d, err := k.Bytes()
	if err != nil {
		return operatorSlot{}, fmt.Errorf("vault: wrap operator's key: %w", err)
	}
	defer clear(d)
	return wrapOperatorKey(s, secret, a, kdf, o, d, op.PIN)
}

// admit seals the master to the operator.
func (o operatorSlot) admit(s Suite, master Key) (operatorSlot, error) {
	plain, err := canon.Marshal(masterSlot{o.Slot, master})
	if err != nil {
		return operatorSlot{}, err
	}
	defer clear(plain)
	o.Master, err = s.SealTo(o.Public, plain)
	return o, err
}

// wrapOperatorKey seals an operator's scalar under a new salt and PIN.
func wrapOperatorKey(s Suite, secret []byte, a Argon, kdf func(Argon, []byte, []byte) []byte, o operatorSlot, d []byte, pin string) (operatorSlot, error) {
	if err := s.Random(o.Salt[:]); err != nil {
		return operatorSlot{}, err
	}
	var err error
	o.Key, err = s.Seal(pinKey(s, secret, a, kdf, o, pin), d, aadOf(o.Slot.name("key")))
	return o, err
}

// pinKey mixes the slow hash of the PIN with the machine secret: neither is worth anything alone.
func pinKey(s Suite, secret []byte, a Argon, kdf func(Argon, []byte, []byte) []byte, o operatorSlot, pin string) Key {
	slow := kdf(a, plainPIN(pin), o.Salt[:])
	defer clear(slow)
	return derive(s, secret, "pin", o.Slot[:], slow)
}

func (f ringFile) period(id string) (periodSlot, bool) {
	i := sort.Search(len(f.Periods), func(i int) bool { return f.Periods[i].ID >= id })
	if i < len(f.Periods) && f.Periods[i].ID == id {
		return f.Periods[i], true
	}
	return periodSlot{}, false
}

// withPeriod returns the file with one more period; the receiver keeps its own slice.
func (f ringFile) withPeriod(p periodSlot) ringFile {
	f.Periods = append(append([]periodSlot{}, f.Periods...), p)
	sort.Slice(f.Periods, func(i, j int) bool { return f.Periods[i].ID < f.Periods[j].ID })
	return f
}
