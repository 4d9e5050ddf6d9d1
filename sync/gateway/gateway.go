package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/clocks"
	"bianmin/offline/packet"
	"bianmin/offline/receipt"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Settings of a county, kept in the database.
type Settings struct {
	V          uint8  `cbor:"1,keyasint"`
	Name       string `cbor:"2,keyasint"` // of the platform, as citizens read it
	County     string `cbor:"3,keyasint"` // 6 digits
	Telephone  string `cbor:"4,keyasint"`
	ShortHost  string `cbor:"5,keyasint"` // host, and port if any, of receipt links
	Addr       string `cbor:"6,keyasint"` // host:port to listen on when none is given
	AutoAccept bool   `cbor:"7,keyasint"` // cases are accepted the moment they arrive
	Demo       bool   `cbor:"8,keyasint"` // a sample county
}

// Config says what a Gateway stands on. Store, Keys and Blobs are needed.
type Config struct {
	Store Store
	Keys  *Keys
	Blobs string       // folder of sealed attachments
	Suite vault.Suite  // nil: vault.SM(nil)
	Clock clocks.Clock // nil: the system's
	Log   *slog.Logger // nil: discard
	// Page returns a file of the citizen page by its URL path, with the headers to send; nil: no page.
	Page func(path string) (data []byte, header map[string]string, ok bool)
	// Slots is how many exchanges are worked on at once, those that only wait not counted; default 64.
	Slots int
	// Rate is how many status and enrolment requests one address may send in a second, Burst how many at once;
	// defaults 10 and 40.
	Rate, Burst float64
	// RetryAfter is the pace told to devices that have nothing to do; default 1 s, spread by half to both sides.
	RetryAfter time.Duration
	// Poll is how often to look for what another process wrote; default 200 ms.
	Poll time.Duration
}

// Now returns what the platform's wall clock says.
func (c Config) Now() time.Time { return clocks.Or(c.Clock).Now() }

// Gateway answers devices and citizens, and does what reviewers ask. Its methods may be called from any goroutine.
type Gateway struct {
	cfg   Config
	s     vault.Suite
	keys  *Keys
	store Store
	log   *slog.Logger

	slots chan struct{}
	hub   hub
	limit limiter
	parts parts

	backlog backlog

	dictionaries atomic.Pointer[map[vault.Hash][]byte]

	mu      sync.Mutex // guards library
	library *library
}

// New makes a gateway over an initialised store.
func New(cfg Config) (*Gateway, error) {
	if cfg.Store == nil || cfg.Keys == nil || cfg.Blobs == "" {
		return nil, errors.New("gateway: store, keys and blob folder are needed")
	}
	if cfg.Suite == nil {
		cfg.Suite = vault.SM(nil)
	}
	cfg.Clock = clocks.Or(cfg.Clock)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Slots <= 0 {
		cfg.Slots = 64
	}
	if cfg.Rate <= 0 {
		cfg.Rate = 10
	}
	if cfg.Burst <= 0 {
		cfg.Burst = 40
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = time.Second
	}
	if cfg.Poll <= 0 {
		cfg.Poll = 200 * time.Millisecond
	}
	g := &Gateway{
		cfg: cfg, s: cfg.Suite, keys: cfg.Keys, store: cfg.Store, log: cfg.Log, slots: make(chan struct{}, cfg.Slots),
		limit: limiter{rate: cfg.Rate, burst: cfg.Burst},
	}
	return g, nil
}

// Run does what no request does: it projects what was left, wakes waiting devices when another process wrote, and
// removes abandoned uploads. It returns when ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	if err := g.CatchUp(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	if err := g.parts.sweep(g.cfg.Blobs, g.cfg.Now()); err != nil {
		g.log.WarnContext(ctx, "sweep uploads", slog.Any("cause", err))
	}
	seen, err := g.store.Version(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	look := time.NewTicker(g.cfg.Poll)
	defer look.Stop()
	behind := time.NewTicker(10 * g.cfg.Poll)
	defer behind.Stop()
	backlog := g.backlog.open()
	defer g.backlog.close()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-backlog:
			due.Reset(g.projectBacklog(ctx))
		case <-due.C:
			due.Reset(g.projectBacklog(ctx))
		case <-look.C:
			v, err := g.store.Version(ctx)
			if err != nil {
				g.log.WarnContext(ctx, "watch store", slog.Any("cause", err))
				continue
			}
			if v != seen {
				seen = v
				g.wakeChanged(ctx)
			}
		case <-behind.C:
			if err := g.catchUp(ctx, g.backlog.has); err != nil && ctx.Err() == nil {
				g.log.ErrorContext(ctx, "project", slog.Any("cause", err))
			}
		}
	}
}

// Settings returns the county's settings. ErrNotFound before Init.
func (g *Gateway) Settings(ctx context.Context) (s Settings, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		s, err = settings(tx)
		return err
	})
	return s, err
}

func settings(tx Tx) (Settings, error) {
	d, err := tx.Doc("settings")
	if err != nil {
		return Settings{}, err
	}
	var s Settings
	if err := canon.Unmarshal(d.Data, &s); err != nil {
		return s, fmt.Errorf("gateway: settings: %w", err)
	}
	return s, nil
}

// SaveSettings replaces the county's settings and makes the pin set and an empty key list when there are none yet.
func (g *Gateway) SaveSettings(ctx context.Context, s Settings) error {
	s.V = 1
	return g.store.Update(ctx, func(tx Tx) error {
		var version uint64
		if d, err := tx.Doc("settings"); err == nil {
			version = d.Version
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := tx.PutDoc(DocRow{Name: "settings", Version: version + 1, Data: canon.MustMarshal(s)}); err != nil {
			return err
		}
		if _, err := tx.Doc("pins"); errors.Is(err, ErrNotFound) {
			if err := g.putPins(tx); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		if s.County == "" {
			return nil // a platform without a county yet
		}
		_, err := tx.Doc(keysDoc + s.County)
		if errors.Is(err, ErrNotFound) {
			_, err = g.putKeyList(tx, s.County)
		}
		return err
	})
}

func (g *Gateway) putPins(tx Tx) error {
	at := g.cfg.Now().UnixMilli()
	data, err := wire.SignPins(g.keys.Root, wire.PinSet{At: at, Pins: g.keys.Pins})
	if err != nil {
		return err
	}
	return tx.PutDoc(DocRow{Name: "pins", Version: uint64(at), Data: data})
}

const keysDoc = "keys/" // documents keys/<county>

// putKeyList signs a new version of a county's key list from the devices as they are now.
func (g *Gateway) putKeyList(tx Tx, county string) (DocRow, error) {
	set, err := settings(tx)
	if err != nil {
		return DocRow{}, err
	}
	var version uint64
	if d, err := tx.Doc(keysDoc + county); err == nil {
		version = d.Version
	} else if !errors.Is(err, ErrNotFound) {
		return DocRow{}, err
	}
	l := receipt.KeyList{County: county, Version: uint32(version + 1), At: g.cfg.Now().Unix()}
	l.Keys = append(l.Keys, receipt.Key{
		Public: g.keys.Sign.Public(), Stage: receipt.StagePlatform, Name: set.Name, Division: county + "000000",
		Telephone: set.Telephone,
	})
	stations, err := tx.Stations()
	if err != nil {
		return DocRow{}, err
	}
	for _, row := range stations {
		if row.County != county {
			continue
		}
		st, err := decodeStation(row)
		if err != nil {
			return DocRow{}, err
		}
		devices, err := tx.Devices(row.Division)
		if err != nil {
			return DocRow{}, err
		}
		for _, d := range devices {
			// No first or last second: a station's clock may be wrong by years (dead battery), the key is right all the same.
			l.Keys = append(l.Keys, receipt.Key{
				Public: d.SignKey, Stage: receipt.StageStation, Device: d.Device, Name: st.Name, Division: st.Division,
				Telephone: st.Telephone, Revoked: d.Revoked != 0, CutSeq: d.CutSeq, CutHash: [8]byte(d.CutHash[:8]),
			})
		}
	}
	data, err := receipt.SignKeyList(g.keys.Root, l)
	if err != nil {
		return DocRow{}, err
	}
	doc := DocRow{Name: keysDoc + county, Version: uint64(l.Version), Data: data}
	return doc, tx.PutDoc(doc)
}

func decodeStation(row StationRow) (wire.Station, error) {
	var st wire.Station
	if err := canon.Unmarshal(row.Data, &st); err != nil {
		return st, fmt.Errorf("gateway: station %s: %w", row.Division, err)
	}
	return st, nil
}

// KeyLists returns the newest receipt key list of every county.
func (g *Gateway) KeyLists(ctx context.Context) (lists []receipt.KeyList, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		docs, err := tx.Docs(keysDoc)
		if err != nil {
			return err
		}
		for _, d := range docs {
			l, err := receipt.OpenKeyList(g.s, g.keys.Root.Public(), d.Data)
			if err != nil {
				return err
			}
			lists = append(lists, l)
		}
		return nil
	})
	return lists, err
}

// seal seals a value for the database; what names the place it belongs to.
func (g *Gateway) seal(plain []byte, what string) ([]byte, error) {
	return g.s.Seal(g.keys.Store, plain, []byte("bianmin/gateway/v1\x00"+what))
}

func (g *Gateway) open(sealed []byte, what string) ([]byte, error) {
	return g.s.Open(g.keys.Store, sealed, []byte("bianmin/gateway/v1\x00"+what))
}

func (g *Gateway) ack(h Head) ([]byte, error) {
	return packet.SignAck(g.keys.Sign, packet.Ack{Device: h.Device, To: h.Seq, Head: h.Hash, At: g.cfg.Now().UnixMilli()})
}

// jitter spreads d by half to both sides.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d) }
