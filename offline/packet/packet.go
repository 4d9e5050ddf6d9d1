// Package packet seals runs of journal records for the way to the platform.
//
// A packet is a run of consecutive records of one period: encoded without what follows from other fields, compressed,
// encrypted under a fresh SM4 key that is sealed to each recipient, and signed by the device. The same bytes go over
// HTTP, into the mirror, or on a USB stick; who carries them cannot read them. [Seal] makes one, [Parse] reads its
// form, [Packet.Verify] checks the device's signature, [Packet.Open] gives the records back with headers rebuilt and
// the chain checked.
//
// [Ack] and [Fork] are the platform's signed answers. See docs/packet.md for the bytes.
package packet

import (
	"errors"
	"fmt"

	"bianmin/offline/canon"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
)

// Version is the format version of packets, acks and forks.
const Version = 1

// Limits. Decoders check them before they allocate.
const (
	MaxBytes      = 4 << 20  // a whole packet
	MaxRecords    = 5000     // in one packet
	MaxPlain      = 16 << 20 // records after decompression, in bytes: with what reading them takes, below 64 MB
	MaxRecipients = 16
	MaxDict       = 1 << 20 // a dictionary, in bytes

	kidSize       = 4
	sealedKeySize = vault.PublicKeySize + vault.HashSize + vault.KeySize
)

// Codecs say how records become the bytes that are encrypted. Codecs are lossless and append-only.
const (
	CodecPlain uint8 = 0 // canonical CBOR
	CodecZstd  uint8 = 1 // canonical CBOR, then zstd (RFC 8878), with a dictionary or without
)

// Errors that callers branch on.
var (
	// ErrFormat reports bytes that are not a packet of a known version, or that break a limit.
	ErrFormat = errors.New("packet: not a known format")
	// ErrTooLarge reports records that do not fit one packet: seal fewer. errors.As finds a *SizeError when the number of
	// bytes is known.
	ErrTooLarge = errors.New("packet: too large")
	// ErrCodec reports a codec this program cannot decode. The gateway answers with what it needs.
	ErrCodec = errors.New("packet: unknown codec")
	// ErrNeedDict reports a packet compressed with a dictionary that is not at hand.
	ErrNeedDict = errors.New("packet: dictionary is not here")
	// ErrNotForUs reports a packet sealed to other keys than the given one.
	ErrNotForUs = errors.New("packet: not sealed to this key")
	// ErrContent reports a packet that opens but whose records are not the ones its head names.
	ErrContent = errors.New("packet: records do not give the head")
)

// Options says how to seal.
type Options struct {
	Suite      vault.Suite
	Device     uint32            // device number; the records' own
	Signer     vault.PrivateKey  // the device's signing key
	Salt       [32]byte          // salt key of the records' period (vault.Period.Salt)
	Recipients []vault.PublicKey // 1 to MaxRecipients keys that may open the packet
	Codec      uint8             // CodecPlain (default) or CodecZstd
	Dict       []byte            // dictionary of CodecZstd: zstd's own format or any bytes; nil: none
	MaxBytes   int               // largest packet wanted; 0, or more than MaxBytes: MaxBytes
	Prepared   *Prepared         // made before for these Recipients, to seal sooner; nil, used or of others: made now
}

func (o Options) limit() int {
	if o.MaxBytes <= 0 {
		return MaxBytes
	}
	return min(o.MaxBytes, MaxBytes)
}

// SizeError says by how much records do not fit, so that the next try is the last. errors.Is finds ErrTooLarge.
type SizeError struct {
	Bytes int // of the packet, or of its encoded records when they alone are too many
	Limit int
}

// Error names both sizes in bytes.
func (e *SizeError) Error() string {
	return fmt.Sprintf("%v: %d bytes, at most %d", ErrTooLarge, e.Bytes, e.Limit)
}

// Unwrap returns ErrTooLarge.
func (e *SizeError) Unwrap() error { return ErrTooLarge }

// Key is the content key sealed to one recipient.
type Key struct {
	KID    []byte `cbor:"1,keyasint"` // vault.PublicKey.KID of the recipient: a hint
	Sealed []byte `cbor:"2,keyasint"` // SM2-sealed SM4 key
}

// wire is the packet as it is signed and sent.
type wire struct {
	V      uint8      `cbor:"1,keyasint"`
	Device uint32     `cbor:"2,keyasint"`
	From   uint64     `cbor:"3,keyasint"`
	To     uint64     `cbor:"4,keyasint"`
	Prev   vault.Hash `cbor:"5,keyasint"`
	Head   vault.Hash `cbor:"6,keyasint"`
	Codec  uint8      `cbor:"7,keyasint"`
	Dict   []byte     `cbor:"8,keyasint"` // SM3 of the dictionary; empty when none
	Keys   []Key      `cbor:"9,keyasint"`
	Body   []byte     `cbor:"10,keyasint"` // SM4-GCM of the encoded records
	Sig    []byte     `cbor:"11,keyasint"` // device, domain "packet", over the packet with Sig empty
}

// aad binds the ciphertext to what is said about it in clear.
func (w wire) aad() ([]byte, error) {
	w.Keys, w.Body, w.Sig = nil, nil, nil
	b, err := canon.Marshal(w)
	if err != nil {
		return nil, err
	}
	return append([]byte("bianmin/packet-body/v1\x00"), b...), nil
}

func (w wire) unsigned() ([]byte, error) {
	w.Sig = nil
	return canon.Marshal(w)
}

// Packet is a parsed packet. Nothing about it is proven until Verify and Open have passed.
type Packet struct {
	Device uint32
	From   uint64     // seq of the first record
	To     uint64     // seq of the last record
	Prev   vault.Hash // hash of record From-1; zero before the first
	Head   vault.Hash // hash of record To
	Codec  uint8
	Dict   vault.Hash // SM3 of the dictionary; zero when none
	Keys   []Key      // recipients

	raw  []byte
	wire wire
}

// Bytes returns the packet as it was parsed. The caller must not change it.
func (p *Packet) Bytes() []byte { return p.raw }

// Parse reads a packet's form and checks its limits. It keeps data; the caller must not change it afterwards.
// It proves nothing: see Verify and Open. Error: ErrFormat.
func Parse(data []byte) (*Packet, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFormat, len(data), MaxBytes)
	}
	var w wire
	if err := canon.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	p := &Packet{
		Device: w.Device, From: w.From, To: w.To, Prev: w.Prev, Head: w.Head, Codec: w.Codec, Keys: w.Keys,
		Dict: w.dictName(), raw: data, wire: w,
	}
	return p, nil
}

func (w wire) check() error {
	switch {
	case w.V != Version:
		return fmt.Errorf("version %d", w.V)
	case w.From == 0 || w.To < w.From || w.To-w.From >= MaxRecords:
		return fmt.Errorf("records %d to %d", w.From, w.To)
	case (w.From == 1) != w.Prev.IsZero():
		return fmt.Errorf("record %d with the wrong kind of predecessor", w.From)
	case len(w.Dict) != 0 && (len(w.Dict) != vault.HashSize || vault.Hash(w.Dict).IsZero()):
		return errors.New("dictionary name")
	case w.Codec == CodecPlain && len(w.Dict) != 0:
		return errors.New("dictionary without compression")
	case len(w.Keys) == 0 || len(w.Keys) > MaxRecipients:
		return fmt.Errorf("%d recipients", len(w.Keys))
	case len(w.Body) < vault.NonceSize+vault.TagSize:
		return errors.New("no body")
	case len(w.Sig) != vault.SignatureSize:
		return errors.New("no signature")
	}
	for _, k := range w.Keys {
		if len(k.KID) != kidSize || len(k.Sealed) != sealedKeySize {
			return errors.New("recipient")
		}
	}
	return nil
}

// Verify checks that the device made the packet. Error: vault.ErrSignature.
func (p *Packet) Verify(s vault.Suite, devicePub vault.PublicKey) error {
	body, err := p.wire.unsigned()
	if err != nil {
		return err
	}
	if err := vault.Verify(s, devicePub, "packet", body, p.wire.Sig); err != nil {
		return fmt.Errorf("packet: device %d records %d to %d: %w", p.Device, p.From, p.To, err)
	}
	return nil
}

// Open decrypts and decodes the records, rebuilds their headers, and checks that they lead from Prev to Head. It
// returns them with the salt key of their period. Dictionaries are looked up in dicts by their SM3. A record whose body
// was purged comes back with a nil Body; an empty body is not nil.
//
// Errors: ErrNotForUs, vault.ErrOpen, ErrCodec, ErrNeedDict, ErrFormat, ErrContent.
func (p *Packet) Open(s vault.Suite, key vault.PrivateKey, dicts map[vault.Hash][]byte) ([]journal.Record, [32]byte, error) {
	content, err := p.contentKey(key)
	if err != nil {
		return nil, [32]byte{}, err
	}
	defer clear(content[:])
	return p.open(s, content, dicts)
}

// contentKey opens the key sealed to us. KIDs are hints: two keys may share one, so all that match are tried.
func (p *Packet) contentKey(key vault.PrivateKey) (vault.Key, error) {
	err := error(ErrNotForUs)
	kid := string(key.Public().KID())
	for _, k := range p.Keys {
		if string(k.KID) != kid {
			continue
		}
		plain, oerr := key.OpenSealed(k.Sealed)
		if oerr == nil && len(plain) == vault.KeySize {
			defer clear(plain)
			return vault.Key(plain), nil
		}
		err = vault.ErrOpen
	}
	return vault.Key{}, fmt.Errorf("packet: device %d records %d to %d: %w", p.Device, p.From, p.To, err)
}

func (p *Packet) open(s vault.Suite, content vault.Key, dicts map[vault.Hash][]byte) ([]journal.Record, [32]byte, error) {
	var dict []byte
	switch {
	case p.Codec > CodecZstd:
		return nil, [32]byte{}, fmt.Errorf("%w: %d", ErrCodec, p.Codec)
	case !p.Dict.IsZero():
		var ok bool
		if dict, ok = dicts[p.Dict]; !ok {
			return nil, [32]byte{}, fmt.Errorf("%w: %s", ErrNeedDict, p.Dict)
		}
	}
	aad, err := p.wire.aad()
	if err != nil {
		return nil, [32]byte{}, err
	}
	plain, err := s.Open(content, p.wire.Body, aad)
	if err != nil {
		return nil, [32]byte{}, fmt.Errorf("packet: body: %w", err)
	}
	if p.Codec == CodecZstd {
		if plain, err = decompress(s, plain, p.Dict, dict); err != nil {
			return nil, [32]byte{}, err
		}
	}
	r, err := parseRun(plain)
	if err != nil {
		return nil, [32]byte{}, err
	}
	records, head, err := r.records(s, p)
	if err != nil {
		return nil, [32]byte{}, err
	}
	if head != p.Head {
		return nil, [32]byte{}, fmt.Errorf("%w: device %d records %d to %d", ErrContent, p.Device, p.From, p.To)
	}
	return records, r.Salt, nil
}

// Seal makes a packet of consecutive records of one period. It decodes its own packet and compares before it returns,
// so that no fault of an encoder, or of memory, reaches the platform as history.
//
// Errors: ErrTooLarge (seal fewer), journal.ErrGap, journal.ErrBody, journal.ErrFormat, ErrCodec.
func Seal(records []journal.Record, o Options) ([]byte, error) {
	data, verified, err := Begin(records, o)
	if err != nil {
		return nil, err
	}
	if err := verified(); err != nil {
		return nil, err
	}
	return data, nil
}

// Begin is Seal whose signature is not verified yet: another processor does that, while the caller goes on. What is in the packet
// was compared. verified must be called, once: a packet whose signature is not the signer's says nothing false, but the
// platform would not take it. Errors are those of Seal, here or from verified.
func Begin(records []journal.Record, o Options) (data []byte, verified func() error, err error) {
	data, content, err := seal(records, o)
	if err != nil {
		return nil, nil, err
	}
	defer clear(content[:])
	p, err := Parse(data)
	if err == nil {
		err = sameRecords(p, records, *content, o)
	}
	if err != nil {
		if cerr := check(records, o); cerr != nil {
			return nil, nil, cerr // the records are at fault, and which one
		}
		return nil, nil, fmt.Errorf("packet: own packet: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Verify(o.Suite, o.Signer.Public()) }()
	return data, func() error {
		if err := <-done; err != nil {
			return fmt.Errorf("packet: own packet: %w", err)
		}
		return nil
	}, nil
}

// seal makes a packet and returns the key of its body with it.
func seal(records []journal.Record, o Options) ([]byte, *vault.Key, error) {
	w, err := describe(records, o)
	if err != nil {
		return nil, nil, err
	}
	plain, err := newRun(records, o.Salt).marshal()
	if err != nil {
		return nil, nil, err
	}
	if len(plain) > MaxPlain {
		return nil, nil, fmt.Errorf("%w: records of %d bytes, at most %d", ErrTooLarge, len(plain), MaxPlain)
	}
	if o.Codec == CodecZstd {
		if plain, err = compress(o.Suite, plain, w.dictName(), o.Dict); err != nil {
			return nil, nil, err
		}
	}
	if len(plain) > o.limit() { // known before anything is sealed and proven
		return nil, nil, &SizeError{len(plain), o.limit()}
	}
	content, keys, ok := o.Prepared.take(o.Recipients)
	if !ok {
		if content, keys, err = sealKey(o.Suite, o.Recipients); err != nil {
			return nil, nil, err
		}
	}
	aad, err := w.aad()
	if err != nil {
		return nil, nil, err
	}
	if w.Body, err = o.Suite.Seal(content, plain, aad); err != nil {
		return nil, nil, fmt.Errorf("packet: seal body: %w", err)
	}
	w.Keys = keys
	body, err := w.unsigned()
	if err != nil {
		return nil, nil, err
	}
	if w.Sig, err = vault.Sign(o.Signer, "packet", body); err != nil {
		return nil, nil, fmt.Errorf("packet: sign: %w", err)
	}
	data, err := canon.Marshal(w)
	if err != nil {
		return nil, nil, err
	}
	if len(data) > o.limit() {
		return nil, nil, &SizeError{len(data), o.limit()}
	}
	return data, &content, nil
}

// check finds out what is wrong with records whose packet was not proven.
func check(records []journal.Record, o Options) error {
	headers := make([]journal.Header, len(records))
	for i, r := range records {
		if err := journal.CheckBody(o.Suite, o.Salt[:], r); err != nil {
			return fmt.Errorf("packet: %w", err)
		}
		headers[i] = r.Header
	}
	if _, err := journal.CheckChain(o.Suite, o.Device, headers[0].Seq-1, headers[0].Prev, headers); err != nil {
		return fmt.Errorf("packet: %w", err)
	}
	return nil
}

// dictName returns Dict as a hash; zero when there is none.
func (w wire) dictName() vault.Hash {
	var h vault.Hash
	copy(h[:], w.Dict)
	return h
}

// describe fills the clear part of the packet. Whether bodies belong to headers and headers to one another shows when
// the packet is proven: every header is made again there, from the bodies as they arrive.
func describe(records []journal.Record, o Options) (wire, error) {
	switch {
	case len(records) == 0:
		return wire{}, errors.New("packet: no records")
	case len(records) > MaxRecords:
		return wire{}, fmt.Errorf("%w: %d records, at most %d", ErrTooLarge, len(records), MaxRecords)
	case len(o.Recipients) == 0 || len(o.Recipients) > MaxRecipients:
		return wire{}, fmt.Errorf("packet: %d recipients", len(o.Recipients))
	case o.Codec > CodecZstd:
		return wire{}, fmt.Errorf("%w: %d", ErrCodec, o.Codec)
	case o.Codec == CodecPlain && len(o.Dict) > 0:
		return wire{}, fmt.Errorf("%w: codec 0 takes no dictionary", ErrCodec)
	case records[0].Seq == 0:
		return wire{}, fmt.Errorf("packet: %w: record 0", journal.ErrGap)
	}
	first, last := records[0].Header, records[len(records)-1].Header
	w := wire{
		V: Version, Device: o.Device, From: first.Seq, To: first.Seq + uint64(len(records)) - 1,
		Prev: first.Prev, Head: last.Hash(o.Suite), Codec: o.Codec,
	}
	if len(o.Dict) > 0 {
		h := o.Suite.Hash(o.Dict)
		w.Dict = h[:]
	}
	return w, nil
}

// sameRecords opens a packet just made as its recipient will, and compares.
func sameRecords(p *Packet, records []journal.Record, content vault.Key, o Options) error {
	again, salt, err := p.open(o.Suite, content, map[vault.Hash][]byte{p.Dict: o.Dict})
	if err != nil {
		return err
	}
	if salt != o.Salt || len(again) != len(records) {
		return ErrContent
	}
	for i, r := range again { // the head covers headers, the salted hashes in them cover bodies; a purged one must stay so
		if r.Header != records[i].Header || (r.Body == nil) != (records[i].Body == nil) {
			return fmt.Errorf("%w: record %d", ErrContent, r.Seq)
		}
	}
	return nil
}
