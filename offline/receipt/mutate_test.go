package receipt

import (
	"bufio"
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
)

func full() bool { return os.Getenv("BIANMIN_FULL") == "1" }

// twenty are links of twenty receipts: both stages, short and long, with and without a day.
func twenty(t testing.TB) []string {
	var links []string
	items := []string{"高龄津贴", "居住登记", "临时救助", "城乡居民基本养老保险参保登记变更"}
	for i := range 20 {
		key, payload := scalar(t, "station"), []byte(nil)
		if i%4 == 3 {
			r := sampleStage2()
			r.Seq, r.Item, r.OfficialNo = uint64(1+i*7919), items[i/4%3], fmt.Sprintf("99999912%035d", i)
			key, payload = scalar(t, "platform"), r.Payload()
		} else {
			r := sampleStage1()
			r.Seq, r.Item, r.At, r.Quality = uint64(1+i*i*99991), items[i%4], 1795298520+int64(i)*61, uint8(i%3)
			r.Name, r.Due, r.Prev[0] = []string{"欧阳*华", "王*", "阿依古丽·买*提"}[i%3], int32(20799*(i%2)), byte(i)
			payload = r.Payload()
		}
		links = append(links, Link(testHost, must[[]byte](t)(Sign(key, payload))))
	}
	return links
}

// others are the characters that stand in for one: the rest of the alphabet, one in lower case, and one foreign.
const others = alphabet41 + "a+"

// mutations calls fn with every link that differs from link in the one character at place at.
func mutations(link string, at int, fn func(string)) {
	for i := range len(others) {
		if others[i] != link[at] {
			fn(link[:at] + others[i:i+1] + link[at+1:])
		}
	}
}

// Every other character in every place of the link, host and scheme included: nothing of it is called genuine.
func TestEverySingleCharacter(t *testing.T) {
	links := twenty(t)
	if !full() {
		links = links[2:4]
	}
	list, now := testList(t), time.Unix(vectorClock, 0)
	var tried, wrong atomic.Int64
	var wg sync.WaitGroup
	for _, link := range links {
		if v := VerifyLink(suite, link, []string{testHost}, now, list); v.State != Genuine {
			t.Fatalf("%s: %+v", link, v)
		}
		wg.Go(func() {
			for at := range len(link) {
				mutations(link, at, func(bad string) {
					tried.Add(1)
					if v := VerifyLink(suite, bad, []string{testHost}, now, list); v.State == Genuine {
						wrong.Add(1)
						t.Errorf("genuine: %s", bad)
					}
				})
			}
		})
	}
	wg.Wait()
	if least := int64(len(links) * 10_000); tried.Load() < least {
		t.Errorf("only %d tried", tried.Load())
	}
	t.Logf("%d links with one other character, %d genuine", tried.Load(), wrong.Load())
}

// scripted takes a link apart as check.sh in docs/receipt.md does, without a line of this package's readers: what was
// signed, and r and s; ok is false where the script says that it is not a receipt.
func scripted(link string) (tbs, sig []byte, ok bool) {
	_, text, _ := strings.Cut(link, "#")
	var hexText strings.Builder
	for at := 0; at < len(text); at += 3 {
		n, unit, count := 0, 1, 0
		for count < 3 && at+count < len(text) {
			v := strings.IndexByte(alphabet41, text[at+count])
			if v < 0 {
				break
			}
			n += v * unit
			unit *= 41
			count++
		}
		if count == 3 {
			fmt.Fprintf(&hexText, "%04x", n)
			continue
		}
		if count == 2 {
			fmt.Fprintf(&hexText, "%02x", n)
		}
		break
	}
	h := hexText.String()
	if len(h) < 32+132 || h[:22]+h[30:32]+h[len(h)-132:len(h)-128] != "844da2013a000100000444a05840" {
		return nil, nil, false
	}
	tbs, err := hex.DecodeString("846a5369676e617475726531" + h[2:30] + "40" + h[32:len(h)-132])
	if err != nil {
		return nil, nil, false
	}
	sig, err = hex.DecodeString(h[len(h)-128:])
	return tbs, sig, err == nil
}

func derOf(t testing.TB, sig []byte) []byte {
	return must[[]byte](t)(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])}))
}

func writePEM(t testing.TB, path string, pub vault.PublicKey) {
	t.Helper()
	spki := append(bytes.Clone(spkiPrefix), pub...)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// openssl asks OpenSSL about one signature.
func openssl(t testing.TB, dir, key, uid string, msg, der []byte) bool {
	t.Helper()
	in, sig := filepath.Join(dir, "tbs"), filepath.Join(dir, "sig.der")
	for path, data := range map[string][]byte{in: msg, sig: der} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-digest", "sm3", "-in", in, "-sigfile", sig,
		"-pkeyopt", "distid:"+uid).CombinedOutput()
	if err == nil != bytes.Contains(out, []byte("Signature Verified Successfully")) {
		t.Fatalf("OpenSSL said %s, and ended with %v", out, err)
	}
	return err == nil
}

// libcrypto is OpenSSL's library in a process of its own, which is asked about many signatures: testdata/sm2verify.py.
type libcrypto struct {
	t   testing.TB
	cmd *exec.Cmd
	in  *bufio.Writer
	end io.Closer
	out *bufio.Reader
}

func newLibcrypto(t testing.TB) *libcrypto {
	t.Helper()
	cmd := exec.Command("python3", "testdata/sm2verify.py")
	cmd.Stderr = os.Stderr
	in := must[io.WriteCloser](t)(cmd.StdinPipe())
	out := must[io.ReadCloser](t)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &libcrypto{t, cmd, bufio.NewWriterSize(in, 1<<20), in, bufio.NewReader(out)}
}

// verify asks about all of the signatures, and returns what OpenSSL says of each.
func (c *libcrypto) verify(asked []signed) []bool {
	c.t.Helper()
	go func() {
		for _, a := range asked {
			fmt.Fprintf(c.in, "%s %x %x\n", a.key, a.tbs, a.der)
		}
		_ = c.in.Flush()
		_ = c.end.Close()
	}()
	out := make([]bool, len(asked))
	for i := range out {
		line, err := c.out.ReadString('\n')
		if err != nil || line != "0\n" && line != "1\n" {
			c.t.Errorf("libcrypto says %q, %v", line, err)
			break
		}
		out[i] = line == "1\n"
	}
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("libcrypto: %v", err)
	}
	return out
}

// signed is one signature to be judged.
type signed struct {
	link, key string
	tbs, der  []byte
}

// OpenSSL refuses the same: every other character in every place of every receipt (without FULL, of one of them). What the steps of
// docs/receipt.md do not take apart is no receipt, and never reaches it. That its library says what its program says is looked
// at for every receipt, and for one changed character of each.
func TestOpenSSLRefusesChangedCharacters(t *testing.T) {
	links := twenty(t)
	if !full() {
		links = links[3:4]
	}
	dir := t.TempDir()
	keys := map[bool]string{true: filepath.Join(dir, "platform.pem"), false: filepath.Join(dir, "station.pem")}
	writePEM(t, keys[true], scalar(t, "platform").Public())
	writePEM(t, keys[false], scalar(t, "station").Public())
	var genuine, changed []signed
	tried := 0
	for i, link := range links {
		_, env, err := ParseLink(link, testHost)
		if err != nil {
			t.Fatal(err)
		}
		p := must[parts](t)(open(env))
		content := must[any](t)(ParsePayload(p.payload))
		_, second := content.(Stage2)
		tbs, sig, ok := scripted(link)
		if !ok || !bytes.Equal(tbs, p.tbs) || !openssl(t, dir, keys[second], "1234567812345678", tbs, derOf(t, sig)) {
			t.Fatalf("OpenSSL does not take receipt %d", i)
		}
		genuine = append(genuine, signed{link, keys[second], tbs, derOf(t, sig)})
		before := len(changed)
		for at := strings.IndexByte(link, '#') + 1; at < len(link); at++ {
			mutations(link, at, func(bad string) {
				tried++
				if tbs, sig, ok := scripted(bad); ok {
					changed = append(changed, signed{bad, keys[second], tbs, derOf(t, sig)})
				}
			})
		}
		if one := changed[before+(len(changed)-before)/2]; openssl(t, dir, one.key, "1234567812345678", one.tbs, one.der) {
			t.Errorf("OpenSSL takes %s", one.link)
		}
	}
	for i, took := range newLibcrypto(t).verify(genuine) {
		if !took {
			t.Fatalf("OpenSSL's library does not take receipt %d", i)
		}
	}
	half := len(changed) / 2
	var wg sync.WaitGroup
	for _, some := range [][]signed{changed[:half], changed[half:]} {
		wg.Go(func() {
			for i, took := range newLibcrypto(t).verify(some) {
				if took {
					t.Errorf("OpenSSL takes %s", some[i].link)
				}
			}
		})
	}
	wg.Wait()
	if len(changed) < len(links)*4000 {
		t.Errorf("OpenSSL was asked only %d times", len(changed))
	}
	t.Logf("%d links with one other character, OpenSSL asked about %d", tried, len(changed))
}

// smVector is one of the 220 SM2 vectors, 17 of them hostile.
type smVector struct {
	Name, Pub, Msg, Uid, R, S, Der string //nolint:revive // names of the file
	Valid                          bool
}

func smVectors(t testing.TB) []smVector {
	t.Helper()
	data, err := os.ReadFile("testdata/sm2-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []smVector
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 220 {
		t.Fatalf("%d vectors: %v", len(list), err)
	}
	return list
}

// The 220 vectors by OpenSSL: what vault's test and the page's test say of them, OpenSSL says.
func TestSM2VectorsByOpenSSL(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pem")
	for i, v := range smVectors(t) {
		if !full() && v.Valid && i%10 != 0 {
			continue
		}
		writePEM(t, key, unhex(t, v.Pub))
		if got := openssl(t, dir, key, v.Uid, unhex(t, v.Msg), unhex(t, v.Der)); got != v.Valid {
			t.Errorf("%s: OpenSSL says %v", v.Name, got)
		}
	}
}

// The same vectors on the way a receipt goes: their signatures in envelopes, under their keys in a list. None was made
// for a receipt, so each must be forged, whatever is strange about its numbers or its key; and the signature over the
// vector's own message is judged by the call that judges receipts.
func TestSM2VectorsAsReceipts(t *testing.T) {
	payload := sampleStage1().Payload()
	for _, v := range smVectors(t) {
		pub := vault.PublicKey(unhex(t, v.Pub))
		sig := append(leftPad(unhex(t, v.R)), leftPad(unhex(t, v.S))...)
		env := canon.MustMarshal([]any{protected(keyHint(suite, pub)), map[int]int{}, payload, sig})
		list := KeyList{County: "999999", Version: 1, Keys: []Key{{Public: pub, Stage: StageStation, Device: 7}}}
		if got := VerifyAt(suite, env, time.Unix(vectorClock, 0), list); got.State != Forged {
			t.Errorf("%s in a receipt: %+v", v.Name, got)
		}
		// The suite knows the default user id only, so what is valid or not under another is the other way round.
		want := v.Valid == (v.Uid == "1234567812345678")
		if got := suite.VerifyRaw(pub, unhex(t, v.Msg), sig); got != want {
			t.Errorf("%s: %v", v.Name, got)
		}
	}
}
