// Package link joins a machine's folder (package desk) with the way to the platform (client and engine): it enrols a
// fresh machine, and runs or steps the engine of an enrolled one.
package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"

	"bianmin/offline/counter"
	"bianmin/offline/desk"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/client"
	"bianmin/sync/engine"
	"bianmin/sync/wire"
)

// EnrollOptions say how a fresh machine becomes a station's device.
type EnrollOptions struct {
	Config  desk.Config
	Gateway string // https://host[:port]
	Code    string // one-time code as typed
	Machine string // name of the machine for the county's list; "" takes the host name
}

// Operator is somebody who may log in at the station.
type Operator struct {
	ID   string
	Name string
}

// Enroll makes o.Config.Dir the folder of a device of the station that the code was made for. Every error carries a key
// for people: "enroll.…" and "desk.…", or "wire.…" for what the platform or the line said.
func Enroll(ctx context.Context, o EnrollOptions) (desk.Enrolment, []Operator, error) {
	en, ops, err := enroll(ctx, o)
	err = Words(err)
	// Nothing is kept on this machine yet that could wait for the line or be sent again by itself.
	switch key, _ := words.KeyOf(err); key {
	case "wire.unreachable":
		err = words.New("enroll.unreachable", err)
	case "wire.busy", "wire.internal", "wire.nonce":
		err = words.New("enroll.busy", err)
	}
	return en, ops, err
}

func enroll(ctx context.Context, o EnrollOptions) (desk.Enrolment, []Operator, error) {
	var none desk.Enrolment
	if desk.Enrolled(o.Config.Dir) {
		return none, nil, desk.ErrEnrolled
	}
	code, err := wire.ParseEnrollCode(o.Code)
	if err != nil {
		return none, nil, err
	}
	s := o.Config.Suite
	if s == nil {
		s = vault.SM(nil)
	}
	if o.Machine == "" {
		if o.Machine, err = os.Hostname(); err != nil {
			o.Machine = "unnamed"
		}
	}
	gateway := strings.TrimRight(strings.TrimSpace(o.Gateway), "/")
	if !strings.Contains(gateway, "://") {
		gateway = "https://" + gateway
	}
	if u, err := url.Parse(gateway); err != nil || u.Scheme != "https" || u.Host == "" {
		return none, nil, words.New("enroll.badGateway", err)
	}
	id := code.ID(s)
	sign, seal, err := desk.Begin(o.Config, id[:])
	if err != nil {
		return none, nil, err
	}
	cc := client.Config{BaseURL: gateway, Suite: s, Log: o.Config.Log, Clock: o.Config.Clock}
	grant, root, pins, err := client.Enroll(ctx, cc, code, sign, seal, o.Machine)
	if err != nil {
		return none, nil, err
	}
	set, err := wire.OpenPins(s, root, pins)
	if err != nil {
		return none, nil, err
	}
	cc.Pins = func() [][32]byte { return set.Pins }
	cl, err := client.New(cc)
	if err != nil {
		return none, nil, err
	}
	defer cl.Close()
	dev := cl.Device(grant.Device, sign, grant.Platform.SignKey)
	var packs [][]byte
	for _, ref := range grant.Packs {
		p, err := dev.Pack(ctx, ref)
		if err != nil {
			return none, nil, err
		}
		packs = append(packs, p)
	}
	g := desk.Grant{
		Enrolment: desk.Enrolment{
			Device: grant.Device, Station: counter.Station{
				Division: grant.Station.Division, Name: grant.Station.Name, Telephone: grant.Station.Telephone,
				County: grant.Station.County, ShortHost: grant.Station.ShortHost,
			}, Root: root, SignKey: grant.Platform.SignKey,
			SealKey: grant.Platform.SealKey, Gateway: gateway, Pins: pins, KeyList: grant.KeyList,
			SignCert: grant.SignCert, SealCert: grant.SealCert, Demo: grant.Demo, At: grant.At, Recovery: grant.Recovery,
		},
		Sign: sign, Seal: seal, Packs: packs,
	}
	var ops []Operator
	for _, p := range grant.Operators {
		g.Operators = append(g.Operators, vault.NewOperator{
			ID: p.ID, Name: p.Name, Role: p.Role, Division: p.Division, PIN: p.Activation, OneTime: p.OneTime,
		})
		ops = append(ops, Operator{p.ID, p.Name})
	}
	if err := desk.Install(ctx, o.Config, g); err != nil {
		return none, nil, err
	}
	return g.Enrolment, ops, nil
}

// Words gives an error of the line a key for people: "wire." and the code. Other errors, and nil, come back as they are.
func Words(err error) error {
	var w *words.Error
	if err == nil || errors.As(err, &w) {
		return err
	}
	if c := wire.CodeOf(err); c != "" {
		return words.New("wire."+string(c), err)
	}
	return err
}

// Options of a Link.
type Options struct {
	Log     *slog.Logger       // nil: discard
	OnEvent func(engine.Event) // called on the engine's goroutine; nil: nobody listens
}

// Link is the line of one machine. Its methods may be called from any goroutine.
type Link struct {
	engine *engine.Engine
	client *client.Client
	line   *line
	desk   *desk.Desk

	mu    sync.Mutex // guards what follows
	wiped bool
	stop  context.CancelFunc // ends Run; nil while it does not run
}

// wipe reports, once, that the keys are to be destroyed now, and ends Run.
func (l *Link) wipe() bool {
	if !l.desk.Wiping() {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.wiped
	l.wiped = true
	if l.stop != nil {
		l.stop()
	}
	return !was
}

// heard passes on what the engine tells. Between two rounds it carries out a wipe: what waited has left by then, or no network
// is there to take it.
func (l *Link) heard(ev engine.Event, o Options) {
	if ev.State != engine.Sending && ev.State != engine.Connecting && l.wipe() {
		if err := l.desk.Wipe(); err != nil && o.Log != nil {
			o.Log.Error("wipe", slog.Any("cause", err))
		}
	}
	if o.OnEvent != nil {
		o.OnEvent(ev)
	}
}

// New prepares the line of an enrolled machine. It does not connect.
func New(d *desk.Desk, o Options) (*Link, error) {
	en := d.Enrolment()
	cl, err := client.New(client.Config{BaseURL: en.Gateway, Pins: func() [][32]byte { return pins(d, o.Log) }, Suite: d.Suite(), Log: o.Log, Clock: d.Clock()})
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	n := &line{d: d, c: cl}
	l := &Link{client: cl, line: n, desk: d}
	l.engine, err = engine.New(engine.Config{
		Journal: d.Journal(), Packs: d, Platform: n, Recovery: n, Log: o.Log, OnEvent: func(ev engine.Event) { l.heard(ev, o) }, Clock: d.Clock(),
	})
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return l, nil
}

// pins returns the TLS keys the machine may talk to: of the newest pin set that the platform root signed.
func pins(d *desk.Desk, log *slog.Logger) [][32]byte {
	var newest wire.PinSet
	for _, data := range d.PinSets() {
		p, err := wire.OpenPins(d.Suite(), d.Enrolment().Root, data)
		switch {
		case err != nil && log != nil:
			log.Warn("pin set refused", slog.Any("cause", err))
		case err == nil && p.At >= newest.At:
			newest = p
		}
	}
	return newest.Pins
}

// Run keeps the line until ctx ends, or the machine is wiped.
func (l *Link) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	l.stop = cancel
	l.mu.Unlock()
	return l.engine.Run(ctx)
}

// Once exchanges with the platform once; while Run is running it waits for Run's next round.
func (l *Link) Once(ctx context.Context) (engine.Result, error) {
	r, err := l.engine.Once(ctx)
	return r, Words(err)
}

// Wake tells that there is something to send.
func (l *Link) Wake() { l.engine.Wake() }

// State returns what the line is doing.
func (l *Link) State() engine.Event { return l.engine.Status() }

// Close drops idle connections.
func (l *Link) Close() { l.client.Close() }
