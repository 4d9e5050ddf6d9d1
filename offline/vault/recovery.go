package vault

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"bianmin/offline/canon"
	"bianmin/offline/durable"
)

// Kinds of a recovery request.
const (
	// RecoverOperator asks the county to seal the master to an operator: nobody else can log in.
	RecoverOperator = "operator"
	// RecoverMachine asks the county for the machine secret: the TPM is dead, or the file with the secret is gone.
	RecoverMachine = "machine"
)

const (
	requestDomain = "recovery-request"
	answerDomain  = "recovery-answer"
	pendingName   = "recovering"
	pendingAAD    = "recovering"
)

// RecoveryRequest is what a machine asks the county, by file, as text or as a QR code. It opens nothing.
type RecoveryRequest struct {
	V        uint8  `cbor:"1,keyasint"` // 1
	Kind     string `cbor:"2,keyasint"`
	Seal     []byte `cbor:"3,keyasint"` // device's encryption key, public half: names the device
	Escrow   []byte `cbor:"4,keyasint"` // what is sealed to the county's key
	To       []byte `cbor:"5,keyasint"` // public key that the answer is sealed to
	Slot     []byte `cbor:"6,keyasint"` // operator's slot; empty for a machine
	Operator string `cbor:"7,keyasint"` // operator's id, for the person who decides
	At       int64  `cbor:"8,keyasint"` // machine's clock, Unix milliseconds
	Sig      []byte `cbor:"9,keyasint"` // device signing key; empty for a machine, which has lost it
}

// recoveryAnswer is what the county gives back.
type recoveryAnswer struct {
	V      uint8  `cbor:"1,keyasint"` // 1
	Of     Hash   `cbor:"2,keyasint"` // SM3 of the request
	Sealed []byte `cbor:"3,keyasint"` // masterSlot, or the machine secret, sealed to RecoveryRequest.To
	Sig    []byte `cbor:"4,keyasint"` // county's recovery key
}

// pending is what a machine keeps between request and answer.
type pending struct {
	Request  []byte        `cbor:"1,keyasint"`
	Operator *operatorSlot `cbor:"2,keyasint,omitempty"` // takes the operator's place when the answer comes
	Scalar   []byte        `cbor:"3,keyasint,omitempty"` // opens the answer for a machine
}

// pendingFile is the file. A machine that has lost its secret has nothing to seal with: then Plain is used, and whoever has
// both this file and the county's answer has the machine secret.
type pendingFile struct {
	V      uint8    `cbor:"1,keyasint"` // 1
	Sealed []byte   `cbor:"2,keyasint,omitempty"`
	Plain  *pending `cbor:"3,keyasint,omitempty"`
}

func (q RecoveryRequest) unsigned() []byte {
	q.Sig = nil
	return canon.MustMarshal(q)
}

// ParseRecoveryRequest reads a request. It checks the form; the device's signature is checked by Verify.
func ParseRecoveryRequest(data []byte) (RecoveryRequest, error) {
	var q RecoveryRequest
	if err := canon.Unmarshal(data, &q); err != nil {
		return q, withCause(ErrRecoveryText, err)
	}
	sound := q.V == 1 && len(q.Seal) == PublicKeySize && len(q.To) == PublicKeySize && len(q.Escrow) > sealedExtra
	switch q.Kind {
	case RecoverOperator:
		sound = sound && len(q.Slot) == slotSize && q.Operator != "" && len(q.Sig) == SignatureSize
	case RecoverMachine:
		sound = sound && len(q.Slot) == 0 && q.Operator == "" && len(q.Sig) == 0
	default:
		sound = false
	}
	if !sound {
		return q, withCause(ErrRecoveryText, errors.New("vault: recovery request"))
	}
	return q, nil
}

// Verify checks that the device with the signing key pub made the request. A machine's request is not signed: only people
// can tell who asks.
func (q RecoveryRequest) Verify(s Suite, pub PublicKey) error {
	if q.Kind == RecoverMachine {
		return nil
	}
	return Verify(s, pub, requestDomain, q.unsigned(), q.Sig)
}

// AnswerRecovery answers a request with the county's recovery key. The caller has made sure who asks. Errors:
// ErrRecoveryText, ErrRecovery.
func AnswerRecovery(s Suite, county PrivateKey, request []byte) ([]byte, error) {
	q, err := ParseRecoveryRequest(request)
	if err != nil {
		return nil, err
	}
	e, err := openEscrow(s, county, q.Escrow, q.Seal)
	if err != nil {
		return nil, err
	}
	defer clear(e.Secret)
	plain := e.Secret
	if q.Kind == RecoverOperator {
		if plain, err = canon.Marshal(masterSlot{slotID(q.Slot), e.Master}); err != nil {
			return nil, err
		}
		defer clear(plain)
	}
	a := recoveryAnswer{V: 1, Of: s.Hash(request)}
	if a.Sealed, err = s.SealTo(q.To, plain); err != nil {
		return nil, err
	}
	if a.Sig, err = Sign(county, answerDomain, canon.MustMarshal(a)); err != nil {
		return nil, err
	}
	return canon.Marshal(a)
}

// openAnswer checks that an answer is the county's and to this request.
func openAnswer(s Suite, county PublicKey, request, data []byte) (recoveryAnswer, error) {
	var a recoveryAnswer
	if err := canon.Unmarshal(data, &a); err != nil || a.V != 1 {
		return a, withCause(ErrRecoveryText, err)
	}
	if a.Of != s.Hash(request) {
		return a, withCause(ErrRecovery, errors.New("vault: answer to another request"))
	}
	sig := a.Sig
	a.Sig = nil
	if err := Verify(s, county, answerDomain, canon.MustMarshal(a), sig); err != nil {
		return a, withCause(ErrRecovery, err)
	}
	return a, nil
}

// RequestOperator asks the county to let an operator in: with a PIN, a new key pair under it is made and takes the
// operator's place when the answer comes; with "" it is for somebody who waits to be admitted and keeps the PIN. Until then
// nothing changes. A second request takes the place of the first. Errors: ErrNoCounty, ErrNoOperator, ErrAdmitted, those of
// ChangePIN for the new PIN, ErrWrite.
func (r *Ring) RequestOperator(id, pin string) ([]byte, error) {
	op, a, ok := r.operator(id)
	switch {
	case !ok:
		return nil, ErrNoOperator
	case pin == "" && (len(op.Master) > 0 || op.MustChange):
		return nil, ErrAdmitted
	}
	var p pending
	to := op.Public
	if pin != "" {
		if err := r.checkNewPIN("", pin); err != nil {
			return nil, err
		}
		fresh, err := newOperatorSlot(r.suite, r.secret, a, r.kdf, NewOperator{
			ID: id, Name: op.Name, Role: op.Role, Division: op.Division, PIN: pin,
		})
		if err != nil {
			return nil, err
		}
		p.Operator, to = &fresh, fresh.Public
	}
	r.mu.Lock()
	county := r.file.County
	r.mu.Unlock()
	if county == nil {
		return nil, ErrNoCounty
	}
	q := RecoveryRequest{
		V: 1, Kind: RecoverOperator, Seal: r.seal, Escrow: county.Sealed, To: to, Slot: op.Slot[:], Operator: id, At: r.now().UnixMilli(),
	}
	var err error
	if q.Sig, err = Sign(r.device, requestDomain, q.unsigned()); err != nil {
		return nil, err
	}
	if p.Request, err = canon.Marshal(q); err != nil {
		return nil, err
	}
	sealed, err := sealSlot(r.suite, derive(r.suite, r.secret, "wrap"), pendingAAD, p)
	if err != nil {
		return nil, err
	}
	return p.Request, writePending(r.dir, pendingFile{V: 1, Sealed: sealed})
}

// TakeOperator takes the county's answer to RequestOperator: from now on the operator's PIN opens the machine. It returns
// the operator's id. Errors: ErrNoRequest, ErrRecoveryText, ErrRecovery, ErrNoOperator, ErrWrite.
func (r *Ring) TakeOperator(answer []byte) (string, error) {
	f, err := readPending(r.dir)
	if err != nil {
		return "", err
	}
	var p pending
	if err := openSlot(r.suite, derive(r.suite, r.secret, "wrap"), pendingAAD, f.Sealed, &p); err != nil {
		return "", withCause(ErrNoRequest, err)
	}
	q, err := ParseRecoveryRequest(p.Request)
	if err != nil {
		return "", withCause(ErrNoRequest, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.County == nil {
		return "", ErrNoCounty
	}
	a, err := openAnswer(r.suite, r.file.County.Public, p.Request, answer)
	if err != nil {
		return "", err
	}
	at := r.file.slot(slotID(q.Slot))
	if at < 0 {
		return "", ErrNoOperator
	}
	// The master may have been rotated since: a stale one would lock the operator out for good.
	if !Equal(r.file.County.Sealed, q.Escrow) {
		return "", withCause(ErrRecovery, errors.New("vault: the master was rotated since the request"))
	}
	slot := r.file.Operators[at]
	if p.Operator != nil {
		slot = *p.Operator
	}
	if !Equal(slot.Public, q.To) {
		return "", withCause(ErrRecovery, errors.New("vault: the operator's key was changed since the request"))
	}
	slot.Master = a.Sealed
	if err := r.save(r.file.withOperator(slot)); err != nil {
		return "", err
	}
	if err := r.forgive(slot.Slot); err != nil {
		return "", err
	}
	return q.Operator, removePending(r.dir)
}

// RequestMachine asks the county for the machine secret of a folder whose own is gone. It needs nothing but the key files.
// Errors: ErrNoRing, ErrDamaged, ErrNoCounty, ErrWrite.
func RequestMachine(dir string, s Suite, at int64) ([]byte, error) {
	f, err := readUnproven(dir)
	if err != nil {
		return nil, err
	}
	k, err := s.GenerateKey()
	if err != nil {
		return nil, err
	}
	d, err := k.Bytes()
	if err != nil {
		return nil, err
	}
	q := RecoveryRequest{V: 1, Kind: RecoverMachine, Seal: f.SealKey, Escrow: f.County.Sealed, To: k.Public(), Slot: []byte{}, At: at, Sig: []byte{}}
	data, err := canon.Marshal(q)
	if err != nil {
		return nil, err
	}
	return data, writePending(dir, pendingFile{V: 1, Plain: &pending{Request: data, Scalar: d}})
}

// TakeMachine takes the county's answer to RequestMachine and gives the secret to m, which is where it lives from now on.
// The key files prove it; nothing is written when they do not. Errors: ErrNoRequest, ErrRecoveryText, ErrRecovery,
// ErrNoRing, ErrDamaged, ErrWrite.
func TakeMachine(dir string, s Suite, m Machine, answer []byte) error {
	f, err := readPending(dir)
	if err != nil {
		return err
	}
	if f.Plain == nil {
		return withCause(ErrNoRequest, errors.New("vault: the request was for an operator"))
	}
	ring, err := readUnproven(dir)
	if err != nil {
		return err
	}
	a, err := openAnswer(s, ring.County.Public, f.Plain.Request, answer)
	if err != nil {
		return err
	}
	k, err := s.ParsePrivateKey(f.Plain.Scalar)
	if err != nil {
		return withCause(ErrNoRequest, err)
	}
	secret, err := k.OpenSealed(a.Sealed)
	if err != nil {
		return withCause(ErrRecovery, err)
	}
	defer clear(secret)
	// The key files were read without their MAC: only now they prove whose they are.
	p := readPair(dir, ringName, func(data []byte) (uint64, error) {
		f, err := parseRingFile(s, secret, data)
		return f.Version, err
	})
	if p.data == nil {
		return withCause(ErrRecovery, errors.Join(p.errs...))
	}
	keep, ok := m.(interface{ Keep(secret []byte) error })
	if !ok {
		return fmt.Errorf("vault: a machine secret cannot be brought back to the %s", m.Name())
	}
	if err := keep.Keep(secret); err != nil {
		return err
	}
	return removePending(dir)
}

// readUnproven reads the newest copy of the key file that has the right form, without the machine secret that would prove
// it, and with a county slot.
func readUnproven(dir string) (ringFile, error) {
	p := readPair(dir, ringName, func(data []byte) (uint64, error) {
		f, err := decodeRingFile(data)
		return f.Version, err
	})
	if p.missing == len(copies) {
		return ringFile{}, ErrNoRing
	}
	if p.data == nil {
		return ringFile{}, withCause(ErrDamaged, errors.Join(p.errs...))
	}
	f, err := decodeRingFile(p.data)
	if err == nil && f.County == nil {
		err = ErrNoCounty
	}
	return f, err
}

func writePending(dir string, f pendingFile) error {
	data, err := canon.Marshal(f)
	if err != nil {
		return err
	}
	if err := writeDurable(filepath.Join(dir, pendingName), data); err != nil {
		return withCause(ErrWrite, err)
	}
	return nil
}

func readPending(dir string) (pendingFile, error) {
	var f pendingFile
	data, err := readSmall(filepath.Join(dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return f, ErrNoRequest
	}
	if err == nil {
		err = canon.Unmarshal(data, &f)
	}
	if err != nil || f.V != 1 {
		return f, withCause(ErrNoRequest, err)
	}
	return f, nil
}

// removePending overwrites the file before it goes; a disk may keep old blocks.
func removePending(dir string) error { return shred(filepath.Join(dir, pendingName)) }

// shred overwrites a file with zeros, makes that durable and removes it. No error when there is none.
func shred(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("vault: destroy %s: %w", filepath.Base(path), err)
	}
	st, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, st.Size()))
	}
	if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("vault: destroy %s: %w", filepath.Base(path), err)
	}
	return durable.SyncDir(filepath.Dir(path))
}

// Texts of recovery messages begin with a word that says which way they go.
const (
	// RequestText begins the text of a request.
	RequestText = "BIANMIN-REQUEST-1"
	// AnswerText begins the text of an answer.
	AnswerText = "BIANMIN-ANSWER-1"
	textSum    = 5
	textLine   = 60
)

var textAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// RecoveryText writes a message so that it survives paper, a telephone and a QR code: capitals and digits without I, L, O
// and U, in lines of 60, with a check at the end. head is RequestText or AnswerText.
func RecoveryText(s Suite, head string, data []byte) string {
	sum := s.Hash([]byte(head), data)
	text := textAlphabet.EncodeToString(append(slices.Clone(data), sum[:textSum]...))
	var b strings.Builder
	b.WriteString(head + ":\n")
	for len(text) > 0 {
		n := min(len(text), textLine)
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return b.String()
}

// ParseRecoveryText reads what RecoveryText wrote, typed or scanned: any case, full-width forms, any blanks and dashes.
// ErrRecoveryText.
func ParseRecoveryText(s Suite, head, text string) ([]byte, error) {
	clean := strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			r = r - '！' + '!'
		}
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '\ufeff' {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
	body, ok := strings.CutPrefix(clean, strings.ReplaceAll(head, "-", "")+":")
	if !ok {
		return nil, ErrRecoveryText
	}
	body = strings.Map(func(r rune) rune {
		switch r {
		case 'I', 'L':
			return '1'
		case 'O':
			return '0'
		}
		return r
	}, body)
	raw, err := textAlphabet.DecodeString(body)
	if err != nil || len(raw) <= textSum || textAlphabet.EncodeToString(raw) != body {
		return nil, ErrRecoveryText
	}
	data := raw[:len(raw)-textSum]
	sum := s.Hash([]byte(head), data)
	if !bytes.Equal(sum[:textSum], raw[len(data):]) {
		return nil, ErrRecoveryText
	}
	return data, nil
}
