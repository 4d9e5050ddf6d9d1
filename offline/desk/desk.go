package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"bianmin/offline/casefile"
	"bianmin/offline/catalog"
	"bianmin/offline/clocks"
	"bianmin/offline/counter"
	"bianmin/offline/form"
	"bianmin/offline/glyph"
	"bianmin/offline/journal"
	"bianmin/offline/paper"
	"bianmin/offline/store"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// Config says where the machine's folder is and what it stands on. Only Dir is needed.
type Config struct {
	Dir     string
	Suite   vault.Suite   // nil: SM2, SM3, SM4 by the library
	Machine vault.Machine // nil: what a file in Dir says, else the best this machine has (vault.MachineIn)
	Clock   clocks.Clock  // nil: the system's
	Log     *slog.Logger  // nil: discard; never gets personal data
	Argon   vault.Argon   // zero: the default cost; matters at installation only
	Glyphs  paper.Glyphs  // shapes of characters that the interface font lacks, for papers; nil: none
}

// Now returns what the machine's wall clock says.
func (c Config) Now() time.Time { return clocks.Or(c.Clock).Now() }

func (c Config) filled() Config {
	if c.Suite == nil {
		c.Suite = vault.SM(nil)
	}
	if c.Machine == nil {
		var err error
		if c.Machine, err = vault.MachineIn(c.Dir, ""); err != nil {
			c.Machine = vault.KeyFile(filepath.Join(c.Dir, "machine.key"))
		}
	}
	c.Clock = clocks.Or(c.Clock)
	if c.Glyphs == nil {
		c.Glyphs = largeFonts{glyph.System()}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Desk is one machine's folder, held by this process. Its methods may be called from any goroutine.
type Desk struct {
	cfg   Config
	ring  *vault.Ring
	en    Enrolment
	store *store.Store
	guard guard

	announced announced
	prints    sync.Mutex // held while a print is counted and recorded

	mu       sync.Mutex                 // guards what follows
	face     *paper.Face                // of papers; nil before the first
	sessions int                        // operators at work
	unlocked *vault.Unlocked            // of the first of them
	catalog  *catalog.Catalog           // packs, opened; nil while nobody is at work, or there are none
	noPacks  error                      // why catalog is nil while somebody is at work
	programs map[[32]byte]*form.Program // compiled forms by hash
	seen     int                        // newest commit when Tend was called last

	nameEN   atomic.Pointer[string] // the station's English name; see learnStation
	behind   sync.WaitGroup         // what no screen waits for
	erasures atomic.Uint64          // since the folder was opened
}

// Open takes the folder of an enrolled machine. It returns [ErrNotEnrolled] when it belongs to no station, and an error
// with the key "store.busy" when another program holds it.
func Open(cfg Config) (*Desk, error) {
	cfg = cfg.filled()
	if Wiped(cfg.Dir) {
		return nil, ErrWiped
	}
	if !Enrolled(cfg.Dir) {
		return nil, ErrNotEnrolled
	}
	ring, err := vault.OpenRing(cfg.Dir, cfg.Suite, cfg.Machine, vault.OpenOptions{Clock: cfg.Clock})
	if err != nil {
		return nil, err
	}
	en, err := readEnrolment(cfg.Dir, cfg.Suite, ring.MachineKey())
	if err != nil {
		return nil, err
	}
	if err := finishWipe(cfg, en); err != nil {
		return nil, err
	}
	st, err := openStore(cfg, ring, en, true)
	if err != nil {
		return nil, err
	}
	endEnrolling(cfg)
	d := newDesk(cfg, ring, en)
	d.store = st
	if err := d.loadOrders(); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	if d.Wiping() { // a power cut came between the order and the end
		return nil, errors.Join(ErrWiped, d.Wipe())
	}
	d.readStation()
	return d, nil
}

func newDesk(cfg Config, ring *vault.Ring, en Enrolment) *Desk {
	return &Desk{
		cfg: cfg, ring: ring, en: en, programs: map[[32]byte]*form.Program{},
		guard: guard{sessions: map[*Session]bool{}, savers: map[*saver]bool{}},
	}
}

func openStore(cfg Config, ring *vault.Ring, en Enrolment, enrolled bool) (*store.Store, error) {
	o, err := storeOptions(cfg, ring, en)
	if err != nil {
		return nil, err
	}
	o.Enrolled = enrolled
	return store.Open(o)
}

func storeOptions(cfg Config, ring *vault.Ring, en Enrolment) (store.Options, error) {
	var none store.Options
	dict, err := readDict(cfg.Dir)
	if err != nil {
		return none, err
	}
	f, err := readEpochs(cfg.Dir, cfg.Suite, ring.MachineKey())
	if err != nil {
		return none, err
	}
	epochs, err := storeEpochs(cfg.Suite, f)
	if err != nil {
		return none, err
	}
	return store.Options{
		Dir: cfg.Dir, Suite: cfg.Suite, Ring: ring, Device: en.Device, Enrolled: true, Epochs: epochs, Clock: cfg.Clock, Log: cfg.Log, Dict: dict,
		Platform: store.Platform{SignKey: en.SignKey, SealKey: en.SealKey},
	}, nil
}

// Close ends every session and gives the folder back.
func (d *Desk) Close() error {
	d.mu.Lock()
	d.lock()
	d.mu.Unlock()
	d.behind.Wait()
	d.guard.mu.Lock()
	closed := d.guard.wiped
	d.guard.mu.Unlock()
	if closed {
		return nil
	}
	return d.store.Close()
}

// Station returns where the machine stands.
func (d *Desk) Station() counter.Station {
	st := d.en.Station
	st.NameEN = d.stationEN()
	return st
}

// Enrolment returns what the platform granted, under the number that this machine has now.
func (d *Desk) Enrolment() Enrolment {
	en := d.en
	en.Device = d.store.Device()
	return en
}

// Demo reports whether the station is the sample county's.
func (d *Desk) Demo() bool { return d.en.Demo }

// Ring returns the machine's keys, for the way to the platform.
func (d *Desk) Ring() *vault.Ring { return d.ring }

// Store returns the two logs, for the way to the platform.
func (d *Desk) Store() *store.Store { return d.store }

// Suite returns the cryptographic suite.
func (d *Desk) Suite() vault.Suite { return d.cfg.Suite }

// Dir returns the machine's folder.
func (d *Desk) Dir() string { return d.cfg.Dir }

// Clock returns the machine's clocks.
func (d *Desk) Clock() clocks.Clock { return d.cfg.Clock }

// Operators returns who may log in here.
func (d *Desk) Operators() []vault.OperatorInfo { return d.ring.Operators() }

// Login opens a session for an operator. Errors carry the keys "pin.wrong", "pin.wait", "pin.locked" and
// "pin.noOperator". A refusal is recorded, too.
func (d *Desk) Login(ctx context.Context, id, pin string) (*Session, error) {
	if err := d.enforce(); err != nil {
		return nil, err
	}
	if err := d.store.Ready(); err != nil { // before a try is counted
		return nil, err
	}
	u, err := d.ring.Unlock(id, pin)
	if err != nil {
		key, _ := words.KeyOf(err)
		if _, cerr := d.store.Commit(ctx, store.Act{Kind: journal.KindLoginRefused, Body: journal.Note{What: id, To: key}}); cerr != nil {
			d.cfg.Log.ErrorContext(ctx, "record refused login", slog.Any("cause", cerr))
		}
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions == 0 {
		if err := d.unlock(u); err != nil {
			d.lock()
			return nil, err
		}
	}
	if d.withdrawn(id) || d.enforce() != nil { // the platform's word came with the events that were opened just now
		err := d.enforce()
		if err == nil {
			err = ErrWithdrawn
		}
		if d.sessions == 0 {
			d.lock()
		}
		u.Close()
		return nil, err
	}
	op := u.Operator()
	s := &Session{d: d, op: op, scope: d.scopeOf(op), keys: u, erasures: d.erasures.Load()}
	_, err = d.store.Commit(ctx, store.Act{Operator: id, Kind: journal.KindLogin, Body: journal.Note{What: "desk"}})
	if errors.Is(err, store.ErrLost) {
		err = nil // somebody must be logged in for the platform to give back what was lost; the record of it says who
	}
	if err != nil {
		if d.sessions == 0 {
			d.lock()
		}
		return nil, err
	}
	d.sessions++
	d.guard.mu.Lock()
	d.guard.sessions[s] = true
	d.guard.mu.Unlock()
	return s, nil
}

// unlock opens the store and the packs. d.mu is held.
func (d *Desk) unlock(u *vault.Unlocked) error {
	if err := d.store.Unlock(u); err != nil {
		return err
	}
	if err := d.EnterEpoch(context.Background()); err != nil { // the old number goes on as it is; the line says so
		d.cfg.Log.Error("enter epoch", slog.Any("cause", err))
	}
	if err := d.finishErasure(context.Background(), u); err != nil { // nothing of it can be read; the next login tries again
		d.cfg.Log.Error("finish erasure", slog.Any("cause", err))
	}
	d.unlocked = u
	d.setCatalog(u.SealKey())
	d.follow(context.Background(), u)
	return nil
}

// setCatalog opens the packs. Without them nothing can be taken in, but everything else goes on: what was taken in is
// sent, shown and checked. d.mu is held.
func (d *Desk) setCatalog(key vault.PrivateKey) {
	d.closeBook()
	d.catalog, d.noPacks = d.openCatalog(key)
	if d.noPacks != nil {
		d.cfg.Log.Error("packs do not open", slog.Any("cause", d.noPacks))
	}
	if d.catalog != nil {
		d.learnStation(d.catalog) // packs that came before this was kept
	}
	if d.catalog != nil && d.catalog.Roster != nil {
		c := d.catalog
		d.behind.Go(func() { d.checkBook(c) }) // no screen waits for it
	}
}

// lock closes the store and forgets what was opened. d.mu is held.
func (d *Desk) lock() {
	d.store.Lock()
	d.closeBook()
	if d.unlocked != nil {
		d.unlocked.Close()
	}
	d.unlocked, d.catalog, d.noPacks, d.programs, d.sessions = nil, nil, nil, map[[32]byte]*form.Program{}, 0
}

// Session is one operator at work. Close it when the operator leaves; until then what is personal can be read.
type Session struct {
	d     *Desk
	op    vault.OperatorInfo
	scope scope
	keys  *vault.Unlocked
	// erasures is how many the desk had seen when the session began.
	erasures uint64

	mu     sync.Mutex // guards what follows
	closed bool
	codes  map[string]int64 // when persons of the roster showed an e-credential, Unix milliseconds
}

// Operator returns who works.
func (s *Session) Operator() vault.OperatorInfo { return s.op }

// Desk returns the machine.
func (s *Session) Desk() *Desk { return s.d }

// Close ends the session. The last one locks the machine: it still sends, but opens nothing.
func (s *Session) Close(ctx context.Context) error {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if was {
		return nil
	}
	s.d.guard.mu.Lock()
	delete(s.d.guard.sessions, s)
	s.d.guard.mu.Unlock()
	_, err := s.d.store.Commit(ctx, store.Act{Operator: s.op.ID, Kind: journal.KindLocked, Body: journal.Note{What: "desk"}})
	if errors.Is(err, store.ErrLost) {
		err = nil
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.sessions--; s.d.sessions == 0 {
		s.d.lock()
	}
	if s.keys != s.d.unlocked { // the first one's keys serve until the last one leaves
		s.keys.Close()
	}
	return err
}

func (s *Session) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return counter.ErrLocked
	}
	return nil
}

// ChangePIN replaces the operator's PIN. The old one is asked for again.
func (s *Session) ChangePIN(ctx context.Context, old, fresh string) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.keys.ChangePIN(old, fresh); err != nil {
		return err
	}
	s.op.MustChange = false
	_, err := s.d.store.Commit(ctx, store.Act{Operator: s.op.ID, Kind: journal.KindPINChanged, Body: journal.Note{What: s.op.ID}})
	return err
}

// packs returns what the machine's packs hold, the whole roster included: for this package only.
func (s *Session) packs() (*catalog.Catalog, error) {
	if err := s.open(); err != nil {
		return nil, err
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.d.noPacks != nil {
		return nil, s.d.noPacks
	}
	if s.d.catalog == nil {
		return nil, words.New("desk.noPacks", nil)
	}
	return s.d.catalog, nil
}

// Item returns a service item by its short id.
func (s *Session) Item(id string) (catalog.Item, error) {
	c, err := s.Catalog()
	if err != nil {
		return catalog.Item{}, err
	}
	it, ok := c.Item(id)
	if !ok {
		return catalog.Item{}, words.New("desk.noService", nil, "service", id)
	}
	return it, nil
}

// form returns a form that cases are taken in with now.
func (s *Session) form(it catalog.Item) (*form.Form, error) {
	c, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	f, ok := c.Form(it.Form)
	if !ok {
		return nil, words.New("desk.noForm", fmt.Errorf("item %s names form %s", it.ID, it.Form))
	}
	return f, nil
}

// formOf returns the version of the form that a case was taken in with; the present one when no pack has it any more.
func (s *Session) formOf(c *casefile.Case) (*form.Form, error) {
	cat, err := s.Catalog()
	if err != nil {
		return nil, err
	}
	if f, ok := cat.FormByHash(c.FormHash); ok {
		return f, nil
	}
	it, err := s.Item(c.Service)
	if err != nil {
		return nil, err
	}
	return s.form(it)
}

// compile returns the program of a form; made once while somebody is at work.
func (s *Session) compile(f *form.Form) (*form.Program, error) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if p := s.d.programs[f.Hash()]; p != nil {
		return p, nil
	}
	p, err := form.Compile(f, form.Options{})
	if err != nil {
		return nil, words.New("desk.noForm", err)
	}
	s.d.programs[f.Hash()] = p
	return p, nil
}

// Install makes the folder a station's machine. The enrolment file is written last: a cut before leaves a folder that
// still belongs to nobody, and a second Install after [Begin] clears what the first one left.
func Install(ctx context.Context, cfg Config, g Grant) error {
	cfg = cfg.filled()
	if Enrolled(cfg.Dir) {
		return ErrEnrolled
	}
	if Wiped(cfg.Dir) {
		return ErrWiped
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	if err := clearCut(cfg.Dir); err != nil {
		return err
	}
	var county vault.PublicKey
	if len(g.Enrolment.Recovery) > 0 {
		var err error
		if county, _, err = vault.OpenCountyKey(cfg.Suite, g.Enrolment.Root, g.Enrolment.Recovery); err != nil {
			return err
		}
	}
	ring, err := vault.CreateRing(cfg.Dir, cfg.Suite, cfg.Machine, vault.RingOptions{
		Sign: g.Sign, Seal: g.Seal, Operators: g.Operators, Argon: cfg.Argon, Clock: cfg.Clock, Demo: g.Enrolment.Demo,
		County: county,
	})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(cfg.Dir, packsFolder), 0o700); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	d := newDesk(cfg, ring, g.Enrolment)
	for _, p := range g.Packs {
		if err := d.keepPack(p); err != nil {
			return err
		}
	}
	st, err := openStore(cfg, ring, g.Enrolment, false)
	if err != nil {
		return err
	}
	_, err = st.Commit(ctx, store.Act{Kind: journal.KindEnrolled, Body: journal.Note{What: g.Enrolment.Station.Division, Count: int64(g.Enrolment.Device)}})
	if cerr := st.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	// The enrolment file comes last: without it the folder is nobody's.
	if err := writeEnrolment(cfg.Dir, cfg.Suite, ring.MachineKey(), g.Enrolment); err != nil {
		return words.New("desk.folderUnwritable", err)
	}
	endEnrolling(cfg)
	return nil
}
