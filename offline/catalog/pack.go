// Package catalog is what a county offers, and how it reaches a machine: service items, forms, lists, divisions,
// institutions, the calendar, the roster, and the dictionary for packets.
//
// All of it travels in packs: signed, versioned, immutable archives. [Open] verifies the signature first, then checks
// everything inside; a pack with one fault is refused whole, with file, line and reason, and the one before stays in
// use. A [Set] of packs makes one immutable [Catalog]. Packs are data: expressions in forms run under a cost limit, and
// nothing in a pack reaches a file or a network.
//
// See docs/packs.md for the bytes and the files.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/people"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Version is the format version of packs.
const Version = 1

// Kinds of packs. Kinds are append-only.
const (
	KindCounty = "county" // public: items, forms, lists, divisions, institutions, calendar, dictionary
	KindRoster = "roster" // personal data: the roster; for staffed stations only, and stored sealed
)

// Limits of a pack, checked before anything is allocated for it.
const (
	MaxPacked  = 8 << 20  // bytes as sent
	MaxPlain   = 64 << 20 // bytes unpacked, of a large roster
	MaxEntries = 4096

	// freePlain is what any pack may unpack to; beyond it, each packed byte may become maxRatio. Rosters pack to a tenth.
	freePlain = 16 << 20
	maxRatio  = 32
)

// Names of entries.
const (
	countyName       = "county.json"
	itemsName        = "items.json"
	divisionsName    = "divisions.json"
	calendarName     = "calendar.json"
	institutionsName = "institutions.json"
	dictionaryName   = "dictionary.zdict"
	rosterSource     = "roster.json" // in a county's folder
	rosterName       = "roster.cbor" // in a pack
	listsFolder      = "lists"
	formsFolder      = "forms"
)

// Errors that callers branch on.
var (
	// ErrSignature reports a pack that no key of the platform signed, or whose bytes were changed.
	ErrSignature error = words.New("pack.signature", nil)
	// ErrFormat reports bytes that are not a pack of a known version, or over a limit.
	ErrFormat error = words.New("pack.format", nil)
	// ErrLint reports a genuine pack with a fault inside; errors.As finds the *LintError.
	ErrLint error = words.New("pack.lint", nil)
	// ErrRollback reports a pack older than one that is held, or another one with the same version.
	ErrRollback error = words.New("pack.rollback", nil)
	// ErrCounty reports a pack of another county.
	ErrCounty error = words.New("pack.county", nil)
	// ErrMissing reports that the county's public pack has not arrived yet.
	ErrMissing error = words.New("pack.missing", nil)
)

const signDomain = "pack"

// envelope is a pack as sent and stored: canonical CBOR.
type envelope struct {
	V       uint8  `cbor:"1,keyasint"`
	County  string `cbor:"2,keyasint"` // 6 digits
	Kind    string `cbor:"3,keyasint"`
	Version uint32 `cbor:"4,keyasint"`
	Plain   uint32 `cbor:"5,keyasint"` // length of the body before compression
	Body    []byte `cbor:"6,keyasint"` // zstd of the canonical CBOR of body
	KID     []byte `cbor:"7,keyasint"`
	Sig     []byte `cbor:"8,keyasint"` // over the envelope with an empty Sig, domain "pack"
}

type body struct {
	V       uint8   `cbor:"1,keyasint"`
	Entries []Entry `cbor:"2,keyasint"` // by name, each once
}

// Entry is one file of a pack.
type Entry struct {
	Name  string `cbor:"1,keyasint"` // slash-separated, as in the county's folder
	Media string `cbor:"2,keyasint"`
	Data  []byte `cbor:"3,keyasint"`
}

// Built is a pack ready to be published.
type Built struct {
	Kind    string
	Version uint32
	Hash    vault.Hash
	Data    []byte
}

// Pack is an opened and checked pack. It is immutable.
type Pack struct {
	County  string
	Kind    string
	Version uint32
	Hash    vault.Hash // SM3 of the pack's bytes, by which it is asked for
	Size    int        // bytes as sent
	Names   []string   // its files, sorted

	content *content
}

// BuildCounty makes the packs of a county from its folder, signed by the platform: the public one, and the roster when
// there is one. They are checked like received ones, so a county cannot publish what its stations would refuse.
// Operators and their PINs stay out.
func BuildCounty(src fs.FS, version uint32, signer vault.PrivateKey) ([]Built, error) {
	out := []Built{}
	for _, kind := range []string{KindCounty, KindRoster} {
		if kind == KindRoster {
			if _, err := fs.Stat(src, rosterSource); errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		b, err := Build(src, kind, version, signer)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// Build makes one pack of a kind from a county's folder. The same folder, version and library give the same body; the
// signature is random.
func Build(src fs.FS, kind string, version uint32, signer vault.PrivateKey) (Built, error) {
	county, err := LoadCounty(src)
	if err != nil {
		return Built{}, err
	}
	var entries []Entry
	switch kind {
	case KindCounty:
		entries, err = publicEntries(src, county)
	case KindRoster:
		entries, err = rosterEntries(src)
	default:
		return Built{}, fmt.Errorf("catalog: unknown kind of pack %q", kind)
	}
	if err != nil {
		return Built{}, err
	}
	if _, faults := read(kind, county.Code, entries, false); len(faults) > 0 {
		return Built{}, &LintError{faults}
	}
	data, err := seal(county.Code, kind, version, entries, signer)
	if err != nil {
		return Built{}, err
	}
	return Built{Kind: kind, Version: version, Hash: vault.SM(nil).Hash(data), Data: data}, nil
}

func seal(county, kind string, version uint32, entries []Entry, signer vault.PrivateKey) ([]byte, error) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	plain, err := canon.Marshal(body{Version, entries})
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	if len(plain) > MaxPlain || len(entries) > MaxEntries {
		return nil, fmt.Errorf("%w: %d bytes in %d files", ErrFormat, len(plain), len(entries))
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("catalog: compressor: %w", err)
	}
	e := envelope{
		V: Version, County: county, Kind: kind, Version: version, Plain: uint32(len(plain)),
		Body: z.EncodeAll(plain, nil), KID: signer.Public().KID(), Sig: []byte{},
	}
	if e.Sig, err = vault.Sign(signer, signDomain, canon.MustMarshal(e)); err != nil {
		return nil, fmt.Errorf("catalog: sign pack: %w", err)
	}
	data := canon.MustMarshal(e)
	if len(data) > MaxPacked {
		return nil, fmt.Errorf("%w: %d bytes", ErrFormat, len(data))
	}
	return data, nil
}

func publicEntries(src fs.FS, county County) ([]Entry, error) {
	for i := range county.Stations {
		county.Stations[i].Operators = nil
	}
	clean, err := marshalJSON(county)
	if err != nil {
		return nil, err
	}
	entries := []Entry{{countyName, "application/json", clean}}
	for _, name := range []string{itemsName, divisionsName, calendarName, institutionsName, dictionaryName} {
		data, err := fs.ReadFile(src, name)
		if err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
		media := "application/json"
		if name == dictionaryName {
			media = "application/octet-stream"
		}
		entries = append(entries, Entry{name, media, data})
	}
	for _, dir := range []string{listsFolder, formsFolder} {
		files, err := fs.ReadDir(src, dir)
		if err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
		for _, f := range files {
			if f.IsDir() || path.Ext(f.Name()) != ".json" {
				continue
			}
			data, err := fs.ReadFile(src, path.Join(dir, f.Name()))
			if err != nil {
				return nil, fmt.Errorf("catalog: %w", err)
			}
			entries = append(entries, Entry{path.Join(dir, f.Name()), "application/json", data})
		}
	}
	return entries, nil
}

func rosterEntries(src fs.FS) ([]Entry, error) {
	data, err := fs.ReadFile(src, rosterSource)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	var r people.Roster
	l := &linter{}
	l.json(rosterSource, data, &r)
	if len(l.faults) > 0 {
		return nil, &LintError{l.faults}
	}
	packed, err := r.Marshal()
	if err != nil {
		return nil, fmt.Errorf("catalog: roster: %w", err)
	}
	return []Entry{{rosterName, "application/cbor", packed}}, nil
}

// Open verifies and reads a pack. pubs are the platform's keys; one of them must have signed. It returns ErrFormat,
// ErrSignature, or ErrLint with every fault found. Nothing of a refused pack is usable.
func Open(data []byte, pubs ...vault.PublicKey) (*Pack, error) { return open(data, false, pubs) }

// CheckVersion counts the rules by which Open checks what is inside a pack. It is raised with every new rule, so that packs
// held already are checked again.
const CheckVersion = 1

// OpenChecked is Open for a pack whose very bytes this machine has opened before with the same CheckVersion, and knows so
// by a seal of its own. The signature is verified again; forms and tables are read without looking for faults that were
// not there, and the rules of a form are analysed when it is first used.
func OpenChecked(data []byte, pubs ...vault.PublicKey) (*Pack, error) { return open(data, true, pubs) }

func open(data []byte, checked bool, pubs []vault.PublicKey) (*Pack, error) {
	e, err := parseEnvelope(data)
	if err != nil {
		return nil, err
	}
	suite := vault.SM(nil)
	unsigned := e
	unsigned.Sig = []byte{}
	msg := canon.MustMarshal(unsigned)
	if !slices.ContainsFunc(pubs, func(k vault.PublicKey) bool { return vault.Verify(suite, k, signDomain, msg, e.Sig) == nil }) {
		return nil, ErrSignature
	}
	b, err := e.unpack()
	if err != nil {
		return nil, err
	}
	c, faults := read(e.Kind, e.County, b.Entries, checked)
	if len(faults) > 0 {
		return nil, &LintError{faults}
	}
	p := &Pack{County: e.County, Kind: e.Kind, Version: e.Version, Hash: suite.Hash(data), Size: len(data), content: c}
	for _, x := range b.Entries {
		p.Names = append(p.Names, x.Name)
	}
	return p, nil
}

// Roster returns the roster of a roster pack; nil of other kinds.
func (p *Pack) Roster() *people.Roster { return p.content.roster }

func parseEnvelope(data []byte) (envelope, error) {
	var e envelope
	if len(data) > MaxPacked {
		return e, fmt.Errorf("%w: %d bytes", ErrFormat, len(data))
	}
	if err := canon.Unmarshal(data, &e); err != nil {
		return envelope{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if e.V != Version {
		return envelope{}, fmt.Errorf("%w: version %d", ErrFormat, e.V)
	}
	limit := freePlain
	if e.Kind == KindRoster {
		limit = max(limit, min(MaxPlain, maxRatio*len(e.Body)))
	}
	if int64(e.Plain) > int64(limit) {
		return envelope{}, fmt.Errorf("%w: %d bytes unpacked", ErrFormat, e.Plain)
	}
	return e, nil
}

// unpack decompresses the body into exactly the announced size, and no more.
func (e envelope) unpack() (body, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxPlain), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return body{}, fmt.Errorf("catalog: decompressor: %w", err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(e.Body, make([]byte, 0, e.Plain))
	if err != nil {
		return body{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if len(plain) != int(e.Plain) {
		return body{}, fmt.Errorf("%w: %d bytes unpacked, %d announced", ErrFormat, len(plain), e.Plain)
	}
	return parseBody(plain)
}

func parseBody(plain []byte) (body, error) {
	var b body
	if err := canon.Unmarshal(plain, &b); err != nil {
		return body{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if b.V != Version || len(b.Entries) > MaxEntries {
		return body{}, fmt.Errorf("%w: body version %d with %d files", ErrFormat, b.V, len(b.Entries))
	}
	for i, e := range b.Entries {
		if !fs.ValidPath(e.Name) || i > 0 && b.Entries[i-1].Name >= e.Name {
			return body{}, fmt.Errorf("%w: file %d has a bad name or is out of order", ErrFormat, i)
		}
	}
	return b, nil
}
