package client_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/client"
	"bianmin/sync/wire"
)

var suite = vault.SM(nil)

// tlsKey makes an ECDSA P-256 certificate that is long out of date and for no name, and its pin.
func tlsKey(t *testing.T) (tls.Certificate, [32]byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1000, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &k.PublicKey, k)
	must(t, err)
	spki, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}, sha256.Sum256(spki)
}

// server is a gateway's wire side in little: enough to see what a client does. The real one is met in sync/faultnet's tests.
type server struct {
	*httptest.Server
	t        *testing.T
	pin      [32]byte
	root     vault.PrivateKey
	platform vault.PrivateKey
	device   vault.PrivateKey

	mu      gosync.Mutex // protects what follows
	nonce   string
	asked   map[string]int
	over    map[string]http.HandlerFunc // by path, instead of the usual
	blob    []byte
	blobLen int64
	pack    []byte
	pins    []byte
	signer  vault.PrivateKey // signs certificates and grants; nil: root
	codes   map[[8]byte]wire.EnrollCode
}

func newServer(t *testing.T) *server {
	t.Helper()
	cert, pin := tlsKey(t)
	s := &server{t: t, pin: pin, nonce: "nonce-1", asked: map[string]int{}, over: map[string]http.HandlerFunc{}, codes: map[[8]byte]wire.EnrollCode{}, blobLen: -1}
	for _, k := range []*vault.PrivateKey{&s.root, &s.platform, &s.device} {
		var err error
		*k, err = suite.GenerateKey()
		must(t, err)
	}
	s.pins = s.signPins(pin)
	s.Server = httptest.NewUnstartedServer(s)
	s.Server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	s.Server.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are expected
	s.Server.StartTLS()
	t.Cleanup(s.Server.Close)
	return s
}

func (s *server) signPins(pins ...[32]byte) []byte {
	b, err := wire.SignPins(s.root, wire.PinSet{At: 1, Pins: pins})
	must(s.t, err)
	return b
}

func (s *server) config() client.Config {
	return client.Config{BaseURL: s.URL, Suite: suite, Pins: func() [][32]byte { return [][32]byte{{1}, s.pin} }, Stall: 2 * time.Second, Dial: 2 * time.Second}
}

func (s *server) dial(t *testing.T) *client.Device {
	t.Helper()
	c, err := client.New(s.config())
	must(t, err)
	t.Cleanup(c.Close)
	return c.Device(7, s.device, s.platform.Public())
}

func (s *server) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

func (s *server) replace(path string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over[path] = h
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked[r.URL.Path]++
	h := s.over[r.URL.Path]
	s.mu.Unlock()
	if h == nil {
		switch {
		case r.URL.Path == wire.PathNonce:
			h = func(w http.ResponseWriter, _ *http.Request) {
				say(w, 200, wire.Nonce{V: 1, Nonce: []byte(s.nonceNow())})
			}
		case r.URL.Path == wire.PathExchange:
			h = s.exchange
		case r.URL.Path == wire.PathHello:
			h = s.hello
		case r.URL.Path == wire.PathEnroll:
			h = s.enroll
		case strings.HasPrefix(r.URL.Path, wire.PathPack):
			h = s.servePack
		case strings.HasPrefix(r.URL.Path, wire.PathBlob):
			h = s.serveBlob
		default:
			h = http.NotFound
		}
	}
	h(w, r)
}

func (s *server) nonceNow() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nonce
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", wire.ContentType)
	w.WriteHeader(status)
	_, _ = w.Write(canon.MustMarshal(v))
}

func refuse(w http.ResponseWriter, status int, code wire.Code, nonce string) {
	say(w, status, wire.Error{V: 1, Code: code, Nonce: []byte(nonce)})
}

func (s *server) exchange(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	q, err := wire.Decode[wire.Request](body)
	switch {
	case err != nil:
		refuse(w, 400, wire.CodeBadRequest, "")
	case string(q.Nonce) != s.nonceNow():
		refuse(w, 401, wire.CodeNonce, s.nonceNow())
	case q.Verify(suite, s.device.Public()) != nil || q.Device != 7:
		refuse(w, 401, wire.CodeSignature, "")
	default:
		say(w, 200, s.reply(q))
	}
}

func (s *server) reply(q wire.Request) wire.Reply {
	reply := wire.Reply{V: 1, Ack: []byte{1}, Nonce: []byte(s.nonceNow()), Time: wire.Time{At: 5, Nonce: q.Nonce}}
	if err := reply.Time.Sign(s.platform); err != nil {
		s.t.Error(err)
	}
	return reply
}

// authorised checks the three headers, as the gateway does.
func (s *server) authorised(w http.ResponseWriter, r *http.Request, offset int64) bool {
	a, err := wire.ParseAuth(r.Header.Get, r.Method, r.URL.Path, offset)
	switch {
	case err != nil:
		refuse(w, 400, wire.CodeBadRequest, "")
	case string(a.Nonce) != s.nonceNow():
		refuse(w, 401, wire.CodeNonce, s.nonceNow())
	case a.Verify(suite, s.device.Public()) != nil:
		refuse(w, 401, wire.CodeSignature, "")
	default:
		return true
	}
	return false
}

func (s *server) servePack(w http.ResponseWriter, r *http.Request) {
	h := suite.Hash(s.pack)
	if !s.authorised(w, r, 0) {
		return
	}
	if r.URL.Path != wire.PathPack+hex.EncodeToString(h[:]) {
		refuse(w, 404, wire.CodeNotFound, "")
		return
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(s.pack)))
}

func (s *server) serveBlob(w http.ResponseWriter, r *http.Request) {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(r.Header.Get(name), 10, 64)
		return n
	}
	signed := map[string]int64{http.MethodPatch: number(wire.HeaderUploadOffset), http.MethodPost: number(wire.HeaderUploadLength)}[r.Method]
	if !s.authorised(w, r, signed) {
		return
	}
	var body []byte
	if r.Method == http.MethodPatch {
		body, _ = io.ReadAll(r.Body) // what arrives before a cut counts
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get(wire.HeaderTusResumable) != wire.TusVersion {
		refuse(w, 412, wire.CodeBadRequest, "")
		return
	}
	if s.blobLen < 0 && r.Method != http.MethodPost {
		refuse(w, 404, wire.CodeNotFound, "")
		return
	}
	status := http.StatusOK
	switch r.Method {
	case http.MethodPost:
		s.blobLen, status = signed, http.StatusCreated
	case http.MethodPatch:
		if signed != int64(len(s.blob)) {
			refuse(w, 409, wire.CodeBadRequest, "")
			return
		}
		s.blob, status = append(s.blob, body...), http.StatusNoContent
	}
	w.Header().Set(wire.HeaderUploadOffset, strconv.Itoa(len(s.blob)))
	w.Header().Set(wire.HeaderUploadLength, strconv.FormatInt(s.blobLen, 10))
	w.WriteHeader(status)
}

func (s *server) hello(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	q, err := wire.Decode[wire.Hello](body)
	if err != nil {
		refuse(w, 400, wire.CodeBadRequest, "")
		return
	}
	h := wire.HelloReply{Root: s.root.Public(), Pins: s.pins, Nonce: []byte("enrol-nonce")}
	if err := h.Sign(s.root, q.Nonce); err != nil {
		s.t.Error(err)
	}
	say(w, 200, h)
}

func (s *server) enroll(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	q, err := wire.Decode[wire.Enroll](body)
	if err != nil || q.Verify(suite) != nil {
		refuse(w, 400, wire.CodeBadRequest, "")
		return
	}
	code, ok := s.codes[q.CodeID]
	if !ok || wire.EnrollProof(suite, code.Secret, q.Nonce, q.SignKey, q.SealKey) != q.Proof {
		refuse(w, 403, wire.CodeCodeUnknown, "")
		return
	}
	signer := s.signer
	if signer == nil {
		signer = s.root
	}
	g := wire.Grant{
		V: 1, Device: 7, SignCert: certify(s.t, signer, q.SignKey), SealCert: certify(s.t, signer, q.SealKey),
		Platform: wire.Platform{SignKey: s.platform.Public(), SealKey: s.platform.Public()}, At: 1,
	}
	sealed, err := suite.SealTo(q.SealKey, canon.MustMarshal(g))
	must(s.t, err)
	sig, err := vault.Sign(signer, "grant", sealed)
	must(s.t, err)
	say(w, 200, wire.EnrollReply{V: 1, Grant: sealed, Sig: sig})
}

// certify makes an X.509 certificate over an SM2 key.
func certify(t *testing.T, issuer vault.PrivateKey, key vault.PublicKey) []byte {
	t.Helper()
	d, err := issuer.Bytes()
	must(t, err)
	k := new(sm2.PrivateKey)
	k.Curve, k.D = sm2.P256(), new(big.Int).SetBytes(d)
	k.X, k.Y = k.Curve.ScalarBaseMult(d)
	spki, err := key.SPKI()
	must(t, err)
	pub, err := smx509.ParsePKIXPublicKey(spki)
	must(t, err)
	tpl := &smx509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "device"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1000, 0)}
	der, err := smx509.CreateCertificate(rand.Reader, tpl, tpl, pub, k)
	must(t, err)
	return der
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
