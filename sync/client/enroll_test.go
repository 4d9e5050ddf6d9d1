package client_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bianmin/offline/vault"
	"bianmin/sync/client"
	"bianmin/sync/wire"
)

type newcomer struct{ sign, seal vault.PrivateKey }

func newNewcomer(t *testing.T) newcomer {
	t.Helper()
	var n newcomer
	var err error
	n.sign, err = suite.GenerateKey()
	must(t, err)
	n.seal, err = suite.GenerateKey()
	must(t, err)
	return n
}

func (s *server) code(t *testing.T) wire.EnrollCode {
	t.Helper()
	c, err := wire.NewEnrollCode(suite, s.root.Public(), nil)
	must(t, err)
	s.codes[c.ID(suite)] = c
	return c
}

func TestEnroll(t *testing.T) {
	s := newServer(t)
	n := newNewcomer(t)
	cfg := s.config()
	cfg.Pins = nil
	g, root, pins, err := client.Enroll(t.Context(), cfg, s.code(t), n.sign, n.seal, "desk")
	must(t, err)
	if g.Device != 7 || !vault.Equal(root, s.root.Public()) {
		t.Fatalf("grant %+v", g)
	}
	set, err := wire.OpenPins(suite, root, pins)
	must(t, err)
	if len(set.Pins) != 1 || set.Pins[0] != s.pin {
		t.Fatalf("pins %v", set)
	}
}

func TestEnrollRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, s *server) wire.EnrollCode
		want  wire.Code
		proof bool // whether the proof of the code may have been sent
	}{
		"code never issued": {func(t *testing.T, s *server) wire.EnrollCode {
			c, err := wire.NewEnrollCode(suite, s.root.Public(), nil)
			must(t, err)
			return c
		}, wire.CodeCodeUnknown, true},
		"used": {func(t *testing.T, s *server) wire.EnrollCode {
			s.replace(wire.PathEnroll, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, wire.CodeCodeUsed, "") })
			return s.code(t)
		}, wire.CodeCodeUsed, true},
		"expired": {func(t *testing.T, s *server) wire.EnrollCode {
			s.replace(wire.PathEnroll, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, wire.CodeCodeExpired, "") })
			return s.code(t)
		}, wire.CodeCodeExpired, true},
		"another platform": {func(t *testing.T, s *server) wire.EnrollCode {
			c := s.code(t)
			c.Root[3] ^= 1
			return c
		}, wire.CodeRootMismatch, false},
		"root claimed, not held": {func(t *testing.T, s *server) wire.EnrollCode {
			c := s.code(t)
			s.replace(wire.PathHello, func(w http.ResponseWriter, _ *http.Request) {
				h := wire.HelloReply{Pins: s.pins, Nonce: []byte("n")}
				_ = h.Sign(s.platform, nil)
				h.Root = s.root.Public()
				say(w, 200, h)
			})
			return c
		}, wire.CodeRootMismatch, false},
		"old answer replayed": {func(t *testing.T, s *server) wire.EnrollCode {
			s.replace(wire.PathHello, func(w http.ResponseWriter, _ *http.Request) {
				h := wire.HelloReply{Root: s.root.Public(), Pins: s.pins, Nonce: []byte("n")}
				_ = h.Sign(s.root, []byte("another number!!"))
				say(w, 200, h)
			})
			return s.code(t)
		}, wire.CodeRootMismatch, false},
		"pins of a stranger": {func(t *testing.T, s *server) wire.EnrollCode {
			var err error
			s.pins, err = wire.SignPins(s.platform, wire.PinSet{Pins: [][32]byte{s.pin}})
			must(t, err)
			return s.code(t)
		}, wire.CodeRootMismatch, false},
		"tls key not in the pins": {func(t *testing.T, s *server) wire.EnrollCode {
			s.pins = s.signPins([32]byte{5})
			return s.code(t)
		}, wire.CodePinMismatch, false},
		"no pins at all": {func(t *testing.T, s *server) wire.EnrollCode {
			s.pins = s.signPins()
			return s.code(t)
		}, wire.CodePinMismatch, false},
		"certificates by a stranger": {func(t *testing.T, s *server) wire.EnrollCode {
			s.signer = s.platform
			return s.code(t)
		}, wire.CodeRootMismatch, true},
		"grant for another machine": {func(t *testing.T, s *server) wire.EnrollCode {
			s.replace(wire.PathEnroll, func(w http.ResponseWriter, _ *http.Request) {
				sealed, err := suite.SealTo(s.root.Public(), []byte("grant"))
				must(t, err)
				sig, err := vault.Sign(s.root, "grant", sealed)
				must(t, err)
				say(w, 200, wire.EnrollReply{V: 1, Grant: sealed, Sig: sig})
			})
			return s.code(t)
		}, wire.CodeRootMismatch, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			code := c.spoil(t, s)
			n := newNewcomer(t)
			_, _, _, err := client.Enroll(t.Context(), s.config(), code, n.sign, n.seal, "desk")
			wantCode(t, err, c.want)
			if sent := s.count(wire.PathEnroll) > 0; sent != c.proof {
				t.Fatalf("proof sent: %v", sent)
			}
		})
	}
}

// TestSomebodyInBetween relays hello to the true gateway under its own TLS key: the answer is genuine, the line is not.
func TestSomebodyInBetween(t *testing.T) {
	s := newServer(t)
	cert, _ := tlsKey(t)
	asked := 0
	relay := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == wire.PathEnroll {
			asked++
		}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, Timeout: 5 * time.Second}
		resp, err := c.Post(s.URL+r.URL.Path, wire.ContentType, r.Body)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", wire.ContentType)
		_, _ = io.Copy(w, resp.Body)
	}))
	relay.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	relay.StartTLS()
	defer relay.Close()
	cfg := s.config()
	cfg.BaseURL = relay.URL
	n := newNewcomer(t)
	_, _, _, err := client.Enroll(t.Context(), cfg, s.code(t), n.sign, n.seal, "desk")
	wantCode(t, err, wire.CodePinMismatch)
	if asked != 0 || s.count(wire.PathHello) != 1 {
		t.Fatalf("%d proofs went through the relay", asked)
	}
}
