package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"sync"

	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/wire"
)

// Enroll turns a fresh machine into a device of the station the one-time code was made for. c.Pins is not used.
//
// Nothing that depends on the code's secret leaves the machine before all of this holds: the root that answers has the
// fingerprint in the code; it signed the answer for our random number; it signed a pin set; and the TLS key of every
// connection used is in that set. Then the proof goes out, and the grant is believed only when the root signed it, it opens
// with our key, and both certificates are the root's over our own keys.
//
// It returns the grant, the platform root, and the signed pin set as bytes to keep. Errors are *wire.Error:
// CodeRootMismatch (not the platform the code names), CodePinMismatch, CodeCodeUnknown, CodeCodeUsed, CodeCodeExpired,
// CodeUnreachable and the rest.
func Enroll(ctx context.Context, c Config, code wire.EnrollCode, sign, seal vault.PrivateKey, machine string) (wire.Grant, vault.PublicKey, []byte, error) {
	e := &enrolling{}
	cl, err := newClient(c, e.see)
	if err != nil {
		return wire.Grant{}, nil, nil, err
	}
	defer cl.Close()
	fail := func(err error) (wire.Grant, vault.PublicKey, []byte, error) { return wire.Grant{}, nil, nil, err }

	hello, pins, err := cl.hello(ctx, code)
	if err != nil {
		return fail(err)
	}
	if err := e.pin(pins.Pins); err != nil {
		return fail(err)
	}
	root := vault.PublicKey(hello.Root)
	grant, err := cl.enroll(ctx, code, hello.Nonce, root, sign, seal, machine)
	if err != nil {
		return fail(err)
	}
	return grant, root, hello.Pins, nil
}

// enrolling remembers the TLS keys seen while no pin set is known, and holds later ones to the set.
type enrolling struct {
	mu   sync.Mutex // protects what follows
	seen [][32]byte
	pins [][32]byte
}

func (e *enrolling) see(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errPin
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := pinOf(cs)
	if e.pins != nil && !slices.Contains(e.pins, p) {
		return errPin
	}
	e.seen = append(e.seen, p)
	return nil
}

// pin demands that all connections so far, and all to come, show a key of the set.
func (e *enrolling) pin(pins [][32]byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pins = append([][32]byte{}, pins...)
	for _, p := range e.seen {
		if !slices.Contains(e.pins, p) {
			return &wire.Error{V: wire.Version, Code: wire.CodePinMismatch, Detail: "the root signed other TLS keys"}
		}
	}
	return nil
}

func mismatch(detail string, cause error) error {
	return &wire.Error{V: wire.Version, Code: wire.CodeRootMismatch, Detail: detail, Cause: cause}
}

// hello asks who the platform is and believes only the root the code names.
func (c *Client) hello(ctx context.Context, code wire.EnrollCode) (wire.HelloReply, wire.PinSet, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(rand.Reader, nonce); err != nil {
		return wire.HelloReply{}, wire.PinSet{}, fmt.Errorf("client: read randomness: %w", err)
	}
	body, err := canon.Marshal(wire.Hello{V: wire.Version, Nonce: nonce})
	if err != nil {
		return wire.HelloReply{}, wire.PinSet{}, fmt.Errorf("client: hello: %w", err)
	}
	_, plain, err := c.do(ctx, http.MethodPost, wire.PathHello, body, nil)
	if err != nil {
		return wire.HelloReply{}, wire.PinSet{}, err
	}
	h, err := message[wire.HelloReply](plain)
	if err != nil {
		return wire.HelloReply{}, wire.PinSet{}, err
	}
	root := vault.PublicKey(h.Root)
	if wire.RootFingerprint(c.c.Suite, root) != code.Root || len(root) != vault.PublicKeySize {
		return h, wire.PinSet{}, mismatch("root has another fingerprint than the code", nil)
	}
	if err := h.Verify(c.c.Suite, nonce); err != nil {
		return h, wire.PinSet{}, mismatch("root did not sign the answer", err)
	}
	pins, err := wire.OpenPins(c.c.Suite, root, h.Pins)
	if err != nil {
		return h, wire.PinSet{}, mismatch("root did not sign the pin set", err)
	}
	return h, pins, nil
}

// enroll proves the secret and opens the grant.
func (c *Client) enroll(ctx context.Context, code wire.EnrollCode, nonce []byte, root vault.PublicKey, sign, seal vault.PrivateKey, machine string) (wire.Grant, error) {
	s := c.c.Suite
	q := wire.Enroll{CodeID: code.ID(s), Nonce: nonce, SignKey: sign.Public(), SealKey: seal.Public(), Machine: machine}
	q.Proof = wire.EnrollProof(s, code.Secret, nonce, q.SignKey, q.SealKey)
	if err := q.Sign(sign); err != nil {
		return wire.Grant{}, fmt.Errorf("client: %w", err)
	}
	body, err := canon.Marshal(q)
	if err != nil {
		return wire.Grant{}, fmt.Errorf("client: enrol: %w", err)
	}
	_, plain, err := c.do(ctx, http.MethodPost, wire.PathEnroll, body, nil)
	if err != nil {
		return wire.Grant{}, err
	}
	reply, err := message[wire.EnrollReply](plain)
	if err != nil {
		return wire.Grant{}, err
	}
	if err := vault.Verify(s, root, "grant", reply.Grant, reply.Sig); err != nil {
		return wire.Grant{}, mismatch("root did not sign the grant", err)
	}
	opened, err := seal.OpenSealed(reply.Grant)
	if err != nil {
		return wire.Grant{}, mismatch("grant is not sealed to this machine", err)
	}
	g, err := message[wire.Grant](opened)
	if err != nil {
		return wire.Grant{}, err
	}
	for _, cert := range []struct {
		name string
		der  []byte
		key  vault.PublicKey
	}{{"signing", g.SignCert, sign.Public()}, {"sealing", g.SealCert, seal.Public()}} {
		if err := checkCert(s, root, cert.der, cert.key); err != nil {
			return wire.Grant{}, mismatch(cert.name+" certificate", err)
		}
	}
	if g.Device == 0 || len(g.Platform.SignKey) != vault.PublicKeySize || len(g.Platform.SealKey) != vault.PublicKeySize {
		return wire.Grant{}, &wire.Error{V: wire.Version, Code: wire.CodeInternal, Detail: "grant is incomplete"}
	}
	return g, nil
}

// checkCert checks that root signed an X.509 certificate over key. Dates are not looked at.
func checkCert(s vault.Suite, root vault.PublicKey, der []byte, key vault.PublicKey) error {
	cert, err := smx509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("client: parse certificate: %w", err)
	}
	spki, err := key.SPKI()
	if err != nil {
		return err
	}
	if !bytes.Equal(cert.RawSubjectPublicKeyInfo, spki) {
		return fmt.Errorf("client: certificate is over another key")
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(cert.Signature, &sig); err != nil || len(rest) > 0 || sig.R.Sign() < 0 || sig.S.Sign() < 0 ||
		sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		return fmt.Errorf("client: certificate signature is malformed")
	}
	raw := make([]byte, vault.SignatureSize)
	sig.R.FillBytes(raw[:32])
	sig.S.FillBytes(raw[32:])
	if !s.VerifyRaw(root, cert.RawTBSCertificate, raw) {
		return vault.ErrSignature
	}
	return nil
}
