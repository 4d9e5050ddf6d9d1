package gateway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"bianmin/offline/durable"
	"bianmin/offline/vault"
	"bianmin/offline/words"
)

// certYears is how long certificates are valid. Devices check pinned keys, not dates; this is for other readers.
const certYears = 20

// Keys are the platform's secrets. They live in a folder beside the database, each in a file of mode 0600.
type Keys struct {
	Root   vault.PrivateKey   // certifies devices, pin sets, key lists, packs
	Sign   vault.PrivateKey   // acks, events, time, stage-2 receipts
	Seals  []vault.PrivateKey // packets are sealed to the first; older ones still open
	Store  vault.Key          // seals projections and copies in the database
	Nonce  []byte             // makes and checks nonces; the same on every replica
	TLS    tls.Certificate    // ECDSA P-256, current
	Pins   [][32]byte         // SHA-256 of SubjectPublicKeyInfo: current, backup
	RootCA []byte             // self-signed SM2 certificate of Root, DER
}

// Seal is the key that new packets are sealed to.
func (k *Keys) Seal() vault.PrivateKey { return k.Seals[0] }

// CreateKeys makes the platform's keys in dir, which must not hold any. hosts are names and addresses for the TLS
// certificate.
func CreateKeys(dir string, s vault.Suite, hosts []string, now time.Time) (*Keys, error) {
	if _, err := os.Stat(filepath.Join(dir, "root.key")); err == nil {
		return nil, words.New("gateway.madeBefore", ErrExists)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: make key folder: %w", err)
	}
	for _, name := range []string{"sign", "seal", "root"} { // root last: it says that the set is whole
		k, err := s.GenerateKey()
		if err != nil {
			return nil, fmt.Errorf("gateway: make %s key: %w", name, err)
		}
		d, err := k.Bytes()
		if err != nil {
			return nil, fmt.Errorf("gateway: make %s key: %w", name, err)
		}
		if name == "root" {
			if err := createPlain(dir, s, k, hosts, now); err != nil {
				return nil, err
			}
		}
		if err := writeSecret(filepath.Join(dir, name+".key"), []byte(hex.EncodeToString(d)+"\n")); err != nil {
			return nil, err
		}
	}
	return OpenKeys(dir, s)
}

// createPlain makes what is not an SM2 key: storage and nonce keys, TLS keys, certificates.
func createPlain(dir string, s vault.Suite, root vault.PrivateKey, hosts []string, now time.Time) error {
	for name, n := range map[string]int{"store": vault.KeySize, "nonce": 32} {
		b := make([]byte, n)
		if err := s.Random(b); err != nil {
			return fmt.Errorf("gateway: make %s key: %w", name, err)
		}
		if err := writeSecret(filepath.Join(dir, name+".key"), []byte(hex.EncodeToString(b)+"\n")); err != nil {
			return err
		}
	}
	ca, err := rootCert(s, root, now)
	if err != nil {
		return err
	}
	if err := writeSecret(filepath.Join(dir, "root.crt"), pemOf("CERTIFICATE", ca)); err != nil {
		return err
	}
	for _, name := range []string{"tls", "tls-backup"} {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return fmt.Errorf("gateway: make TLS key: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return fmt.Errorf("gateway: make TLS key: %w", err)
		}
		cert, err := tlsCert(s, k, hosts, now)
		if err != nil {
			return err
		}
		if err := writeSecret(filepath.Join(dir, name+".key"), pemOf("PRIVATE KEY", der)); err != nil {
			return err
		}
		if err := writeSecret(filepath.Join(dir, name+".crt"), pemOf("CERTIFICATE", cert)); err != nil {
			return err
		}
	}
	return nil
}

// OpenKeys reads the keys that CreateKeys made. ErrNotFound when there are none. Files seal-*.key are older sealing
// keys.
func OpenKeys(dir string, s vault.Suite) (*Keys, error) {
	if _, err := os.Stat(filepath.Join(dir, "root.key")); errors.Is(err, fs.ErrNotExist) {
		return nil, words.New("gateway.noPlatform", ErrNotFound)
	}
	k := new(Keys)
	for name, to := range map[string]*vault.PrivateKey{"root": &k.Root, "sign": &k.Sign} {
		p, err := readSM2(filepath.Join(dir, name+".key"), s)
		if err != nil {
			return nil, err
		}
		*to = p
	}
	old, err := filepath.Glob(filepath.Join(dir, "seal-*.key"))
	if err != nil {
		return nil, fmt.Errorf("gateway: list sealing keys: %w", err)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(old)))
	for _, path := range append([]string{filepath.Join(dir, "seal.key")}, old...) {
		p, err := readSM2(path, s)
		if err != nil {
			return nil, err
		}
		k.Seals = append(k.Seals, p)
	}
	b, err := readHex(filepath.Join(dir, "store.key"), vault.KeySize)
	if err != nil {
		return nil, err
	}
	k.Store = vault.Key(b)
	if k.Nonce, err = readHex(filepath.Join(dir, "nonce.key"), 32); err != nil {
		return nil, err
	}
	if k.TLS, err = tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")); err != nil {
		return nil, fmt.Errorf("gateway: TLS key: %w", err)
	}
	for _, name := range []string{"tls.crt", "tls-backup.crt", "root.crt"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("gateway: certificate: %w", err)
		}
		block, _ := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("gateway: %s is not PEM", name)
		}
		if name == "root.crt" {
			k.RootCA = block.Bytes
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("gateway: %s: %w", name, err)
		}
		k.Pins = append(k.Pins, sha256.Sum256(c.RawSubjectPublicKeyInfo))
	}
	return k, nil
}

// TLSConfig returns the server's side: TLS 1.3 only.
func (k *Keys) TLSConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{k.TLS}}
}

func readHex(path string, size int) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gateway: read key: %w", err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(b) != size {
		return nil, fmt.Errorf("gateway: %s is not a key of %d bytes", filepath.Base(path), size)
	}
	return b, nil
}

func readSM2(path string, s vault.Suite) (vault.PrivateKey, error) {
	b, err := readHex(path, 32)
	if err != nil {
		return nil, err
	}
	k, err := s.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("gateway: %s: %w", filepath.Base(path), err)
	}
	return k, nil
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// PEM returns an SM2 public key as OpenSSL reads it.
func PEM(k vault.PublicKey) ([]byte, error) {
	der, err := k.SPKI()
	if err != nil {
		return nil, err
	}
	return pemOf("PUBLIC KEY", der), nil
}

// writeSecret writes a file that only its owner reads, whole or not at all.
func writeSecret(path string, data []byte) error {
	if err := writeFile(path, data); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}

// writeFile replaces a file so that a cut leaves the old or the new one.
func writeFile(path string, data []byte) error { return durable.WriteFile(path, data) }

// signer makes a vault key usable for certificates: smx509 hands it the bytes to sign, not a digest.
type signer struct {
	k   vault.PrivateKey
	pub *ecdsa.PublicKey
}

func newSigner(k vault.PrivateKey) (signer, error) {
	pub, err := ecdsaOf(k.Public())
	return signer{k, pub}, err
}

func ecdsaOf(k vault.PublicKey) (*ecdsa.PublicKey, error) {
	der, err := k.SPKI()
	if err != nil {
		return nil, err
	}
	p, err := smx509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, fmt.Errorf("gateway: public key: %w", err)
	}
	pub, ok := p.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("gateway: public key is a %T", p)
	}
	return pub, nil
}

// Public implements crypto.Signer.
func (s signer) Public() crypto.PublicKey { return s.pub }

// Sign implements crypto.Signer over a whole message.
func (s signer) Sign(_ io.Reader, msg []byte, _ crypto.SignerOpts) ([]byte, error) {
	raw, err := s.k.SignRaw(msg)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
}

func serial(s vault.Suite) (*big.Int, error) {
	var b [16]byte
	if err := s.Random(b[:]); err != nil {
		return nil, err
	}
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:]), nil
}

func rootCert(s vault.Suite, root vault.PrivateKey, now time.Time) ([]byte, error) {
	sn, err := serial(s)
	if err != nil {
		return nil, err
	}
	sg, err := newSigner(root)
	if err != nil {
		return nil, err
	}
	t := &smx509.Certificate{
		SerialNumber: sn, Subject: pkix.Name{CommonName: "Bianmin platform root"}, NotBefore: now.AddDate(0, 0, -1),
		NotAfter: now.AddDate(certYears, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: smx509.KeyUsageCertSign,
		SubjectKeyId: root.Public().KID(),
	}
	der, err := smx509.CreateCertificate(rand.Reader, t, t, sg.pub, sg)
	if err != nil {
		return nil, fmt.Errorf("gateway: root certificate: %w", err)
	}
	return der, nil
}

// deviceCert certifies one of a device's keys.
func (k *Keys) deviceCert(s vault.Suite, device uint32, station string, pub vault.PublicKey, use smx509.KeyUsage, now time.Time) ([]byte, error) {
	ca, err := smx509.ParseCertificate(k.RootCA)
	if err != nil {
		return nil, fmt.Errorf("gateway: root certificate: %w", err)
	}
	sg, err := newSigner(k.Root)
	if err != nil {
		return nil, err
	}
	subject, err := ecdsaOf(pub)
	if err != nil {
		return nil, err
	}
	sn, err := serial(s)
	if err != nil {
		return nil, err
	}
	t := &smx509.Certificate{
		SerialNumber: sn, Subject: pkix.Name{CommonName: fmt.Sprintf("device %d", device), OrganizationalUnit: []string{station}},
		NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(certYears, 0, 0), KeyUsage: use,
		SubjectKeyId: pub.KID(),
	}
	der, err := smx509.CreateCertificate(rand.Reader, t, ca, subject, sg)
	if err != nil {
		return nil, fmt.Errorf("gateway: device certificate: %w", err)
	}
	return der, nil
}

func tlsCert(s vault.Suite, k *ecdsa.PrivateKey, hosts []string, now time.Time) ([]byte, error) {
	sn, err := serial(s)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: sn, Subject: pkix.Name{CommonName: "Bianmin gateway"}, NotBefore: now.AddDate(0, 0, -1),
		NotAfter: now.AddDate(certYears, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if host, _, err := net.SplitHostPort(h); err == nil {
			h = host
		}
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if h != "" {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		return nil, fmt.Errorf("gateway: TLS certificate: %w", err)
	}
	return der, nil
}
