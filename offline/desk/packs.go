package desk

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"bianmin/offline/canon"
	"bianmin/offline/catalog"
	"bianmin/offline/journal"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

const (
	packsFolder = "packs"
	packSuffix  = ".pack"
	badSuffix   = ".damaged" // after a pack's name: it did not open, and is fetched again
	dictFile    = "dictionary"
	stationFile = "station"

	maxStationName = 200 // bytes
	packAAD        = "bianmin/pack-at-rest/v1"
)

// Packs hold rosters, so they are sealed at rest: their content to the device's encryption key, which opens at a login.
// What may be known without one is their name: <kind>-<version>-<hash>.pack.

type packName struct {
	kind    string
	version uint32
	hash    vault.Hash
}

func (n packName) file() string {
	return fmt.Sprintf("%s-%d-%s%s", n.kind, n.version, n.hash, packSuffix)
}

func parsePackName(file string) (packName, bool) {
	base, ok := strings.CutSuffix(file, packSuffix)
	if !ok {
		return packName{}, false
	}
	p := strings.Split(base, "-")
	if len(p) != 3 {
		return packName{}, false
	}
	var n packName
	n.kind = p[0]
	if _, err := fmt.Sscanf(p[1], "%d", &n.version); err != nil {
		return packName{}, false
	}
	h, err := hex.DecodeString(p[2])
	if err != nil || len(h) != vault.HashSize {
		return packName{}, false
	}
	n.hash = vault.Hash(h)
	return n, n.file() == file
}

// heldPacks returns the packs on this machine, the oldest version first.
func heldPacks(dir string) ([]packName, error) { return packFiles(dir, "") }

// badPacks returns the packs that did not open and were not fetched again yet.
func badPacks(dir string) ([]packName, error) { return packFiles(dir, badSuffix) }

func packFiles(dir, suffix string) ([]packName, error) {
	files, err := os.ReadDir(filepath.Join(dir, packsFolder))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, words.New("desk.folderUnreadable", err)
	}
	var held []packName
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), suffix)
		if n, isPack := parsePackName(name); ok && isPack {
			held = append(held, n)
		}
	}
	slices.SortFunc(held, func(a, b packName) int { return cmp.Compare(a.version, b.version) })
	return held, nil
}

// newestPacks returns the newest version of each kind.
func newestPacks(held []packName) map[string]packName {
	out := map[string]packName{}
	for _, n := range held {
		out[n.kind] = n
	}
	return out
}

// sealedPack is a pack at rest.
type sealedPack struct {
	V    uint8  `cbor:"1,keyasint"`
	Key  []byte `cbor:"2,keyasint"` // content key, sealed to the device's encryption key
	Body []byte `cbor:"3,keyasint"` // SM4-GCM
}

// keepPack checks a pack's signature and content and keeps it. An older version than the one held is refused.
func (d *Desk) keepPack(data []byte) error {
	p, err := catalog.Open(data, d.en.Root)
	if err != nil {
		return words.New("desk.packRefused", err)
	}
	held, err := heldPacks(d.cfg.Dir)
	if err != nil {
		return err
	}
	n := packName{kind: p.Kind, version: p.Version, hash: d.cfg.Suite.Hash(data)}
	old, had := newestPacks(held)[n.kind]
	if had && old.version > n.version {
		return words.New("desk.packRefused", catalog.ErrRollback)
	}
	key, err := d.cfg.Suite.NewKey()
	if err != nil {
		return err
	}
	var sp sealedPack
	sp.V = 1
	if sp.Key, err = d.cfg.Suite.SealTo(d.ring.SealPublic(), key[:]); err != nil {
		return err
	}
	if sp.Body, err = d.cfg.Suite.Seal(key, data, []byte(packAAD)); err != nil {
		return err
	}
	county, err := countyOf(p)
	if err != nil {
		return err
	}
	if county != nil {
		d.learnStation(county)
	}
	if county != nil && county.Dictionary != nil {
		if err := writeFile(filepath.Join(d.cfg.Dir, packsFolder, dictFile), county.Dictionary); err != nil {
			return words.New("desk.folderUnwritable", err)
		}
	}
	if err := writeFile(filepath.Join(d.cfg.Dir, packsFolder, n.file()), canon.MustMarshal(sp)); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := os.Remove(filepath.Join(d.cfg.Dir, packsFolder, n.file()+badSuffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
		d.cfg.Log.Warn("remove damaged pack", slog.Any("cause", err))
	}
	d.noteChecked(n, n.hash)
	if r := p.Roster(); r != nil {
		if err := d.makeBook(n, r); err != nil {
			return err
		}
	}
	// Forms of older versions stay: cases taken in with them are still corrected. A roster is only ever the newest.
	if had && old != n && n.kind == catalog.KindRoster {
		if err := os.Remove(filepath.Join(d.cfg.Dir, packsFolder, old.file())); err != nil {
			d.cfg.Log.Warn("remove old pack", slog.Any("cause", err))
		}
		d.dropChecked(old)
		d.dropBook(old)
	}
	return nil
}

// learnStation keeps the station's English name where it can be read while nobody is logged in. The enrolment holds the
// Chinese one, which is the legal one, so that a file that cannot be written takes away a translation and nothing else.
func (d *Desk) learnStation(c *catalog.Catalog) {
	st, ok := c.Station(d.en.Station.Division)
	if !ok || st.Name.EN == "" || st.Name.EN == d.stationEN() {
		return
	}
	d.nameEN.Store(&st.Name.EN)
	if err := writeFile(filepath.Join(d.cfg.Dir, packsFolder, stationFile), []byte(st.Name.EN)); err != nil {
		d.cfg.Log.Warn("keep station's name", slog.Any("cause", err))
	}
}

// stationEN returns the station's English name, "" when it is not known.
func (d *Desk) stationEN() string {
	if name := d.nameEN.Load(); name != nil {
		return *name
	}
	return ""
}

// readStation reads what learnStation kept.
func (d *Desk) readStation() {
	b, err := os.ReadFile(filepath.Join(d.cfg.Dir, packsFolder, stationFile))
	if err == nil && len(b) <= maxStationName && utf8.Valid(b) {
		name := string(b)
		d.nameEN.Store(&name)
	}
}

// countyOf opens the county's pack; nil for other kinds.
func countyOf(p *catalog.Pack) (*catalog.Catalog, error) {
	if p.Kind != catalog.KindCounty {
		return nil, nil
	}
	set := catalog.NewSet()
	if err := set.Add(p); err != nil {
		return nil, words.New("desk.packRefused", err)
	}
	c, err := set.Catalog()
	if err != nil {
		return nil, words.New("desk.packRefused", err)
	}
	return c, nil
}

func readDict(dir string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, packsFolder, dictFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, words.New("desk.folderUnreadable", err)
	}
	return b, nil
}

// openCatalog opens the packs of this machine; nil when it has none yet. A pack that does not open is set aside, so that
// the next exchange fetches it again; until then a case is taken in with what the others hold.
func (d *Desk) openCatalog(key vault.PrivateKey) (*catalog.Catalog, error) {
	held, err := heldPacks(d.cfg.Dir)
	if err != nil {
		return nil, err
	}
	bad, err := badPacks(d.cfg.Dir)
	if err != nil || len(held)+len(bad) == 0 {
		return nil, err
	}
	set := catalog.NewSet()
	for _, n := range held {
		if n.kind == catalog.KindRoster {
			if err := set.Add(d.rosterPack(n, key)); err != nil {
				return nil, words.New("desk.packDamaged", err)
			}
			continue
		}
		p, err := d.openPack(n, key)
		if errors.Is(err, errPackDamaged) {
			if err := d.setPackAside(n, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := set.Add(p); err != nil {
			return nil, words.New("desk.packDamaged", err)
		}
	}
	c, err := set.Catalog()
	if err != nil {
		return nil, words.New("desk.packDamaged", err)
	}
	return c, nil
}

// errPackDamaged reports a pack file that is not what was written.
var errPackDamaged = words.New("desk.packDamaged", nil)

func (d *Desk) setPackAside(n packName, cause error) error {
	d.cfg.Log.Error("pack set aside", slog.String("pack", n.file()), slog.Any("cause", cause))
	path := filepath.Join(d.cfg.Dir, packsFolder, n.file())
	if err := os.Rename(path, path+badSuffix); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	return nil
}

func (d *Desk) openPack(n packName, key vault.PrivateKey) (*catalog.Pack, error) {
	raw, err := os.ReadFile(filepath.Join(d.cfg.Dir, packsFolder, n.file()))
	if err != nil {
		return nil, words.New("desk.folderUnreadable", err)
	}
	var sp sealedPack
	if err := canon.Unmarshal(raw, &sp); err != nil {
		return nil, words.New("desk.packDamaged", err)
	}
	k, err := key.OpenSealed(sp.Key)
	if err != nil || len(k) != vault.KeySize {
		return nil, words.New("desk.packDamaged", err)
	}
	data, err := d.cfg.Suite.Open(vault.Key(k), sp.Body, []byte(packAAD))
	if err != nil {
		return nil, words.New("desk.packDamaged", err)
	}
	p, err := d.readPack(n, data)
	if err != nil {
		return nil, words.New("desk.packDamaged", err)
	}
	return p, nil
}

// WantedPacks returns the packs that were announced and are not held yet; see engine.Packs.
func (d *Desk) WantedPacks(context.Context) (kinds []string, versions []uint32, hashes [][32]byte, sizes []int64, err error) {
	all, err := heldPacks(d.cfg.Dir)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	held := newestPacks(all)
	newest := map[string]journal.PackPublished{}
	err = d.eachEvent(journal.EventPack, func(body []byte) {
		b, err := journal.DecodeBody[journal.PackPublished](body)
		if err == nil && b.Version >= newest[b.Kind].Version {
			newest[b.Kind] = b
		}
	})
	if err != nil {
		return nil, nil, nil, nil, err
	}
	bad, err := badPacks(d.cfg.Dir)
	if err != nil {
		return nil, nil, nil, nil, err
	}
	for _, n := range bad {
		if n.version >= held[n.kind].version && n.version >= newest[n.kind].Version {
			kinds, versions = append(kinds, n.kind), append(versions, n.version)
			hashes, sizes = append(hashes, n.hash), append(sizes, 0)
			delete(newest, n.kind)
		}
	}
	for kind, b := range newest {
		if b.Version > held[kind].version {
			kinds, versions = append(kinds, kind), append(versions, b.Version)
			hashes, sizes = append(hashes, b.Hash), append(sizes, b.Size)
		}
	}
	return kinds, versions, hashes, sizes, nil
}

// TakePack takes the bytes of one pack; see engine.Packs. Operators at work have it at once.
func (d *Desk) TakePack(_ context.Context, _ [32]byte, data []byte) error {
	if err := d.keepPack(data); err != nil {
		return err
	}
	dict, err := readDict(d.cfg.Dir)
	if err != nil {
		return err
	}
	if err := d.store.SetDict(dict); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unlocked == nil {
		return nil
	}
	d.setCatalog(d.unlocked.SealKey())
	return d.noPacks
}
