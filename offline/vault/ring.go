package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"bianmin/offline/clocks"
	"bianmin/offline/words"
)

// Errors of the key ring, each with words for the clerk (the key of the translation). Compare with errors.Is.
var (
	// ErrNoRing reports a folder without key files: the machine is not enrolled.
	ErrNoRing = words.New("keys.none", nil)
	// ErrRingExists reports that CreateRing found key files; it never overwrites them.
	ErrRingExists = words.New("keys.exist", nil)
	// ErrDamaged reports that neither copy of the key file is sound.
	ErrDamaged = words.New("keys.damaged", nil)
	// ErrNewer reports key files written by a newer program.
	ErrNewer = words.New("keys.newer", nil)
	// ErrNoMachine reports that the machine secret of an enrolled machine is gone.
	ErrNoMachine = words.New("keys.machineLost", nil)
	// ErrMachineDamaged reports a machine secret that cannot be read.
	ErrMachineDamaged = words.New("keys.machineDamaged", nil)
	// ErrOtherMachine reports key files that belong to another machine's secret.
	ErrOtherMachine = words.New("keys.otherMachine", nil)
	// ErrWrite reports that key files could not be written; nothing was changed.
	ErrWrite = words.New("keys.write", nil)
	// ErrClosed reports the use of keys after Close.
	ErrClosed = words.New("keys.closed", nil)
	// ErrNoPeriod reports a period whose keys are not here, or were destroyed.
	ErrNoPeriod = words.New("keys.noPeriod", nil)
	// ErrNoOperator reports an operator id that is not in the ring.
	ErrNoOperator = words.New("pin.noOperator", nil)
	// ErrWrongPIN reports a wrong PIN; argument left is the number of tries before the lock.
	ErrWrongPIN = words.New("pin.wrong", nil)
	// ErrWait reports a try before the delay is over; argument seconds. The PIN was not looked at.
	ErrWait = words.New("pin.wait", nil)
	// ErrLocked reports an operator locked after too many wrong PINs; arguments until (HH:MM) and minutes.
	ErrLocked = words.New("pin.locked", nil)
	// ErrShortPIN reports a new PIN with too few characters; argument least.
	ErrShortPIN = words.New("pin.short", nil)
	// ErrSimplePIN reports a new PIN of one repeated character or a straight run.
	ErrSimplePIN = words.New("pin.simple", nil)
	// ErrSamePIN reports a new PIN that equals the old one.
	ErrSamePIN = words.New("pin.same", nil)
	// ErrActivate reports that the right one-time code was typed, and that the operator has to choose a PIN (Activate)
	// before anything else.
	ErrActivate = words.New("pin.activate", nil)
	// ErrWaiting reports a right PIN of an operator to whom nobody has sealed the master yet.
	ErrWaiting = words.New("pin.waiting", nil)
)

func withCause(e *words.Error, cause error) error { return words.New(e.Key, cause) }

// Argon sets the cost of Argon2id (RFC 9106). The zero value means 3 passes over 64 MiB with one thread.
type Argon struct {
	Time      uint32 `cbor:"1,keyasint"` // passes; 0: 3
	MemoryKiB uint32 `cbor:"2,keyasint"` // KiB; 0: 65536
	Threads   uint8  `cbor:"3,keyasint"` // lanes; 0: 1
}

func (a Argon) withDefaults() Argon {
	if a.Time == 0 {
		a.Time = 3
	}
	if a.MemoryKiB == 0 {
		a.MemoryKiB = 64 << 10
	}
	if a.Threads == 0 {
		a.Threads = 1
	}
	return a
}

// sound bounds what a key file may ask of the machine.
func (a Argon) sound() bool {
	return a.Time >= 1 && a.Time <= 64 && a.MemoryKiB >= 8*uint32(a.Threads) && a.MemoryKiB <= 1<<20 && a.Threads >= 1 && a.Threads <= 16
}

// NewOperator is a person who may log in, as the platform's grant names them.
type NewOperator struct {
	ID, Name, Role, Division string
	PIN                      string // first PIN; not held to the rules of ChangePIN
	OneTime                  bool   // the first PIN must be changed at the first login
}

// RingOptions is what CreateRing needs.
type RingOptions struct {
	Sign, Seal PrivateKey    // the device's two key pairs; their scalars must be able to leave their module
	Operators  []NewOperator // 1 to 256, ids unique
	County     PublicKey     // county's recovery key, public half; nil: none yet
	Argon      Argon         // zero value: defaults
	Demo       bool          // a sample county: ChangePIN takes four characters and simple PINs; kept in the ring
	Clock      clocks.Clock  // nil: the system's
}

// OpenOptions is what OpenRing needs; the zero value will do.
type OpenOptions struct {
	Demo  bool         // true: as if the ring had been created with RingOptions.Demo
	Clock clocks.Clock // nil: the system's
}

// OperatorInfo tells about an operator without any key.
type OperatorInfo struct {
	ID, Name, Role, Division string
	MustChange               bool      // the PIN is a one-time activation code
	Waiting                  bool      // nobody has sealed the master to the operator yet
	Failed                   int       // wrong PINs in a row since the last right one or the last lock
	NotBefore                time.Time // earliest next try; zero when at once
	Locked                   bool      // NotBefore comes from the lock, not from the delay
}

// MachinePeriodID names the period for records written while nobody is logged in.
const MachinePeriodID = "machine"

// Period holds the keys of a stretch of time (a month). Destroying them erases what they seal.
type Period struct {
	ID    string
	Store Key      // seals values in the store
	Blob  Key      // seals the keys and names of blobs kept apart
	Salt  [32]byte // salt key of body hashes (journal.BodyHash)
}

// Format keeps the keys out of formatted text and logs, whatever the verb.
func (p Period) Format(f fmt.State, _ rune) { hide(f, "[period "+p.ID+"]") }

// MarshalJSON keeps the keys out of JSON logs.
func (p Period) MarshalJSON() ([]byte, error) { return json.Marshal("[period " + p.ID + "]") }

// Ring is the key ring of one device, opened at machine level: enough to sign, to seal, to send, not to read.
// All methods may be called from any goroutine; one process at a time may have a folder's ring open.
type Ring struct {
	dir    string
	suite  Suite
	secret []byte
	mach   Machine
	demo   bool
	now    func() time.Time
	kdf    func(a Argon, pin, salt []byte) []byte
	write  func(dir, name string, data []byte) error

	device   PrivateKey
	mkey     Key
	mperiod  Period
	seal     PublicKey
	repaired []string

	mu     sync.Mutex // protects what follows
	file   ringFile
	ops    []operator
	live   int // operators logged in
	master Key // while one is

	checkMu sync.Mutex // held while a PIN is checked, so that tries come one after the other; taken before tryMu and mu

	tryMu sync.Mutex // protects tries and waits
	tries tries
	waits map[slotID]time.Time // when a wait began, with the monotonic clock of this process
}

// RingExists reports whether dir has a key file, sound or not.
func RingExists(dir string) bool {
	return readPair(dir, ringName, func([]byte) (uint64, error) { return 0, nil }).missing < len(copies)
}

// CreateRing makes the key files of a newly enrolled device in dir, and opens them. It refuses to overwrite
// (ErrRingExists). When it returns, the files are durable.
func CreateRing(dir string, s Suite, m Machine, o RingOptions) (*Ring, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, withCause(ErrWrite, err)
	}
	if RingExists(dir) {
		return nil, ErrRingExists
	}
	secret, err := secretOf(m, false)
	if err != nil {
		return nil, err
	}
	f, mkey, err := newRingFile(s, secret, o)
	if err != nil {
		return nil, err
	}
	data, err := f.marshal(s, secret)
	if err != nil {
		return nil, err
	}
	// Tries first: where there are keys there are tries, so missing tries always mean somebody removed them.
	if err := writeTries(s, mkey, dir, writePair, tries{}); err != nil {
		return nil, err
	}
	if err := writePair(dir, ringName, data); err != nil {
		return nil, withCause(ErrWrite, err)
	}
	return OpenRing(dir, s, m, OpenOptions{Clock: o.Clock})
}

// OpenRing opens the key files in dir at machine level. A copy that is damaged, missing or older is written again from
// the newest sound one. Errors: ErrNoRing, ErrDamaged, ErrNewer, ErrNoMachine, ErrMachineDamaged, ErrOtherMachine,
// ErrWrite.
func OpenRing(dir string, s Suite, m Machine, o OpenOptions) (*Ring, error) {
	p := readPair(dir, ringName, func([]byte) (uint64, error) { return 0, nil })
	if p.missing == len(copies) {
		return nil, ErrNoRing
	}
	secret, err := secretOf(m, true)
	if err != nil {
		return nil, err
	}
	r := &Ring{
		dir: dir, suite: s, secret: secret, mach: m, demo: o.Demo, now: clocks.Or(o.Clock).Now, kdf: argon, write: overwritePair,
		waits: map[slotID]time.Time{},
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.load(); err != nil {
		return nil, err
	}
	if err := r.openMachine(); err != nil {
		return nil, err
	}
	r.tryMu.Lock()
	defer r.tryMu.Unlock()
	if err := r.loadTries(); err != nil {
		return nil, err
	}
	return r, nil
}

func secretOf(m Machine, mustExist bool) ([]byte, error) {
	get := m.Secret
	if e, ok := m.(existing); ok && mustExist {
		get = e.existing
	}
	secret, err := get()
	if err != nil {
		return nil, err
	}
	if len(secret) != MachineSecretSize {
		return nil, withCause(ErrMachineDamaged, fmt.Errorf("vault: machine secret of %d bytes", len(secret)))
	}
	return secret, nil
}

// load reads the newest sound copy into r.file and r.ops, and repairs the other. Called with mu held.
func (r *Ring) load() error {
	p := readPair(r.dir, ringName, func(data []byte) (uint64, error) {
		f, err := parseRingFile(r.suite, r.secret, data)
		return f.Version, err
	})
	if p.data == nil {
		return ringFault(errors.Join(p.errs...))
	}
	f, err := parseRingFile(r.suite, r.secret, p.data)
	if err != nil {
		return ringFault(err)
	}
	ops, err := f.openOperators(r.suite, r.secret)
	if err != nil {
		return withCause(ErrDamaged, err)
	}
	// A newer program's copy is not damage: writing over it would destroy what it added.
	if err := errors.Join(p.errs...); errors.Is(err, ErrNewer) {
		return withCause(ErrNewer, err)
	}
	if len(p.damaged) > 0 || p.stale {
		if err := r.write(r.dir, ringName, p.data); err != nil {
			return withCause(ErrWrite, err)
		}
		r.repaired = append(r.repaired, p.damaged...)
	}
	r.file, r.ops = f, ops
	return nil
}

// ringFault picks the words for a key file of which no copy is sound.
func ringFault(err error) error {
	for _, e := range []*words.Error{ErrNewer, ErrOtherMachine} {
		if errors.Is(err, e) {
			return withCause(e, err)
		}
	}
	return withCause(ErrDamaged, err)
}

// save makes f the ring's file: durable first, then in memory. Called with mu held.
func (r *Ring) save(f ringFile) error {
	f.V, f.Version = ringVersion, r.file.Version+1
	data, err := f.marshal(r.suite, r.secret)
	if err != nil {
		return err
	}
	ops, err := f.openOperators(r.suite, r.secret)
	if err != nil {
		return err
	}
	if err := r.write(r.dir, ringName, data); err != nil {
		return withCause(ErrWrite, err)
	}
	r.file, r.ops = f, ops
	return nil
}

// Format keeps the keys out of formatted text and logs, whatever the verb.
func (*Ring) Format(f fmt.State, _ rune) { hide(f, "[key ring]") }

// DeviceKey returns the device's signing key.
func (r *Ring) DeviceKey() PrivateKey { return r.device }

// MachineKey returns the key that seals what a locked machine must read: headers, ack state, summaries.
func (r *Ring) MachineKey() Key { return r.mkey }

// SealPublic returns the public half of the device's encryption key.
func (r *Ring) SealPublic() PublicKey { return append(PublicKey{}, r.seal...) }

// MachinePeriod returns the period of records written while nobody is logged in; its ID is MachinePeriodID.
func (r *Ring) MachinePeriod() Period { return r.mperiod }

// MachineName says where the machine secret lives, and whether a thief of the disk is kept from it.
func (r *Ring) MachineName() (name string, protected bool) { return r.mach.Name(), protectedBy(r.mach) }

// Demo reports whether the ring belongs to a sample county.
func (r *Ring) Demo() bool { return r.demo }

// Repaired lists files whose damaged or missing copy was written again since the ring was opened.
func (r *Ring) Repaired() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.repaired...)
}

// Operators lists who may log in, in the order of the platform's grant.
func (r *Ring) Operators() []OperatorInfo {
	r.mu.Lock()
	ops := append([]operator{}, r.ops...)
	r.mu.Unlock()
	r.tryMu.Lock()
	defer r.tryMu.Unlock()
	out := make([]OperatorInfo, len(ops))
	for i, op := range ops {
		out[i] = r.infoOf(op)
	}
	return out
}

func protectedBy(m Machine) bool {
	p, ok := m.(interface{ Protected() bool })
	return ok && p.Protected()
}
