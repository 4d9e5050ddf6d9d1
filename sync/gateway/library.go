package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/journal"
	"bianmin/offline/packet"
	"bianmin/offline/vault"
)

// library is what the published packs say, as far as the gateway needs it. It is immutable.
type library struct {
	of       []vault.Hash // packs it was made from
	catalog  *catalog.Catalog
	calendar *casefile.Calendar
}

func openPack(data []byte, k *Keys) (*catalog.Pack, error) {
	return catalog.Open(data, k.Root.Public())
}

// libraryOf returns the library of the newest packs; an empty one when none is published or none can be read.
func (g *Gateway) libraryOf(tx Tx) (*library, error) {
	rows, err := tx.Packs()
	if err != nil {
		return nil, err
	}
	of := make([]vault.Hash, len(rows))
	for i, r := range rows {
		of[i] = r.Hash
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.library != nil && slices.Equal(g.library.of, of) {
		return g.library, nil
	}
	lib := &library{of: of}
	set := catalog.NewSet()
	for _, r := range rows {
		if r.Kind != catalog.KindCounty {
			continue // rosters are for stations
		}
		full, err := tx.Pack(r.Hash)
		if err != nil {
			return nil, err
		}
		p, err := openPack(full.Bytes, g.keys)
		if err == nil {
			err = set.Add(p)
		}
		if err != nil { // published by an older program: cases are still taken in, without our guide
			g.log.Error("pack does not open", slog.String("kind", r.Kind), slog.Uint64("version", uint64(r.Version)), slog.Any("cause", err))
		}
	}
	c, err := set.Catalog()
	switch {
	case err == nil:
		lib.catalog, lib.calendar = c, c.Calendar
	case !errors.Is(err, catalog.ErrMissing):
		return nil, err
	}
	g.library = lib
	return lib, nil
}

// warm reads the library before a transaction that writes would have to.
func (g *Gateway) warm(ctx context.Context) error {
	return g.store.View(ctx, func(tx Tx) error {
		_, err := g.libraryOf(tx)
		return err
	})
}

// codeForm is what may begin an official number: at most 31 characters of a code, printable and without blanks.
var codeForm = regexp.MustCompile(`^[0-9A-Z]{1,31}$`)

// code returns the implementing code of an item: the platform's own, else the record's when it is one; "" when neither.
func (l *library) code(service, recorded string) string {
	if l.catalog != nil {
		if it, ok := l.catalog.Item(service); ok {
			recorded = it.Code
		}
	}
	if !codeForm.MatchString(recorded) {
		return ""
	}
	return recorded
}

// due returns the promised day of a case: from the item's limit and the calendar, else what the station printed.
func (l *library) due(c *casefile.Case, now time.Time) casefile.Day {
	if c.OfficialDue != 0 {
		return c.OfficialDue
	}
	if l.catalog == nil {
		return c.PromisedDue
	}
	it, ok := l.catalog.Item(c.Service)
	if !ok {
		return c.PromisedDue
	}
	return c.Clock(now, it.PromisedFor(c.Urgent), it.Statutory, l.calendar).Promised
}

const dictDoc = "dict/" // documents dict/<hash>: dictionaries of all packs ever published, for old packets

// putDict keeps the dictionary of a public pack.
func putDict(tx Tx, s vault.Suite, p *catalog.Pack) error {
	if p.Kind != catalog.KindCounty {
		return nil
	}
	set := catalog.NewSet()
	if err := set.Add(p); err != nil {
		return err
	}
	c, err := set.Catalog()
	if err != nil || len(c.Dictionary) == 0 {
		return err
	}
	h := s.Hash(c.Dictionary)
	err = tx.PutDoc(DocRow{Name: dictDoc + h.String(), Version: 1, Data: c.Dictionary})
	if errors.Is(err, ErrMoved) {
		return nil // there already
	}
	return err
}

// dicts returns the dictionaries read last.
func (g *Gateway) dicts() map[vault.Hash][]byte {
	if m := g.dictionaries.Load(); m != nil {
		return *m
	}
	return nil
}

// readDicts reads the dictionaries again.
func (g *Gateway) readDicts(ctx context.Context) error {
	m := map[vault.Hash][]byte{}
	err := g.store.View(ctx, func(tx Tx) error {
		docs, err := tx.Docs(dictDoc)
		for _, d := range docs {
			b, err := hex.DecodeString(strings.TrimPrefix(d.Name, dictDoc))
			if err != nil || len(b) != vault.HashSize {
				continue
			}
			m[vault.Hash(b)] = d.Data
		}
		return err
	})
	if err == nil {
		g.dictionaries.Store(&m)
	}
	return err
}

// openPacket decrypts with the platform's sealing keys, newest first.
func (g *Gateway) openPacket(p *packet.Packet) ([]journal.Record, error) {
	records, _, err := g.openSalted(p)
	return records, err
}

// openSalted also returns the salt key of the records' period.
func (g *Gateway) openSalted(p *packet.Packet) ([]journal.Record, [32]byte, error) {
	var last error = packet.ErrNotForUs
	for _, k := range g.keys.Seals {
		records, salt, err := p.Open(g.s, k, g.dicts())
		if errors.Is(err, packet.ErrNeedDict) { // published since, perhaps by another process
			if rerr := g.readDicts(context.Background()); rerr != nil {
				return nil, salt, rerr
			}
			records, salt, err = p.Open(g.s, k, g.dicts())
		}
		if err == nil || !errors.Is(err, packet.ErrNotForUs) && !errors.Is(err, vault.ErrOpen) {
			return records, salt, err
		}
		last = err
	}
	return nil, [32]byte{}, last
}
