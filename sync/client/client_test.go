package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"bianmin/offline/canon"
	"bianmin/offline/vault"
	"bianmin/sync/client"
	"bianmin/sync/engine"
	"bianmin/sync/faultnet"
	"bianmin/sync/wire"
)

var _ engine.Platform = (*client.Device)(nil)

func wantCode(t *testing.T, err error, code wire.Code) {
	t.Helper()
	if got := wire.CodeOf(err); got != code {
		t.Fatalf("code %q of %v, want %q", got, err, code)
	}
}

// through returns a device that reaches s through a proxy.
func through(t *testing.T, s *server, plan faultnet.Plan) (*client.Device, *faultnet.Proxy) {
	t.Helper()
	p, err := faultnet.NewProxy(s.Listener.Addr().String(), plan)
	must(t, err)
	t.Cleanup(func() { p.Close() })
	cfg := s.config()
	cfg.BaseURL = "https://" + p.Addr()
	cfg.Stall = 400 * time.Millisecond
	c, err := client.New(cfg)
	must(t, err)
	t.Cleanup(c.Close)
	return c.Device(7, s.device, s.platform.Public()), p
}

func TestExchangeKeepsItsNonce(t *testing.T) {
	s := newServer(t)
	d := s.dial(t)
	for range 3 {
		reply, err := d.Exchange(t.Context(), wire.Request{Cursor: 3})
		must(t, err)
		if reply.Time.At != 5 {
			t.Fatalf("reply %+v", reply)
		}
	}
	if n := s.count(wire.PathNonce); n != 1 {
		t.Fatalf("%d nonces fetched for three exchanges", n)
	}
	s.mu.Lock()
	s.nonce = "nonce-2"
	s.mu.Unlock()
	_, err := d.Exchange(t.Context(), wire.Request{})
	must(t, err)
	if n := s.count(wire.PathNonce); n != 1 {
		t.Fatal("the refusal carried a nonce, yet another was fetched")
	}
	if n := s.count(wire.PathExchange); n != 5 {
		t.Fatalf("%d exchanges", n)
	}
}

func TestStaleNonceIsAskedOnceMoreOnly(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 401, wire.CodeNonce, "") })
	_, err := s.dial(t).Exchange(t.Context(), wire.Request{})
	wantCode(t, err, wire.CodeNonce)
	if n := s.count(wire.PathExchange); n != 2 {
		t.Fatalf("%d exchanges", n)
	}
}

func TestReplyOfAnotherRequestIsRefused(t *testing.T) {
	s := newServer(t)
	stranger, err := suite.GenerateKey()
	must(t, err)
	for name, spoil := range map[string]func(*wire.Reply){
		"replayed": func(r *wire.Reply) { r.Time.Nonce = []byte("older"); _ = r.Time.Sign(s.platform) },
		"stranger": func(r *wire.Reply) { _ = r.Time.Sign(stranger) },
		"changed":  func(r *wire.Reply) { r.Time.At++ },
	} {
		s.replace(wire.PathExchange, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			q, _ := wire.Decode[wire.Request](body)
			reply := s.reply(q)
			spoil(&reply)
			say(w, 200, reply)
		})
		if _, err := s.dial(t).Exchange(t.Context(), wire.Request{}); wire.CodeOf(err) != wire.CodeInternal || wire.Permanent(err) {
			t.Fatalf("%s: err %v", name, err)
		}
	}
}

func TestOnlyPinnedKeysAreSpokenTo(t *testing.T) {
	s := newServer(t)
	cfg := s.config()
	cfg.Pins = func() [][32]byte { return [][32]byte{{9}} }
	c, err := client.New(cfg)
	must(t, err)
	_, err = c.Device(7, s.device, s.platform.Public()).Exchange(t.Context(), wire.Request{})
	wantCode(t, err, wire.CodePinMismatch)
	if n := s.count(wire.PathNonce); n != 0 {
		t.Fatal("something was sent to a key that is not pinned")
	}
	if strings.Contains(err.Error(), s.URL) {
		t.Fatalf("address in %v", err)
	}
}

func TestPinsAreAskedAtEachHandshake(t *testing.T) {
	s := newServer(t)
	pins := [][32]byte{s.pin}
	cfg := s.config()
	cfg.Pins = func() [][32]byte { return pins }
	c, err := client.New(cfg)
	must(t, err)
	d := c.Device(7, s.device, s.platform.Public())
	_, err = d.Exchange(t.Context(), wire.Request{})
	must(t, err)
	pins = nil
	c.Close()
	_, err = d.Exchange(t.Context(), wire.Request{})
	wantCode(t, err, wire.CodePinMismatch)
}

func TestFailuresHaveCodes(t *testing.T) {
	html := func(status int, h map[string]string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for k, v := range h {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, "<html>")
		}
	}
	e, err := zstd.NewWriter(nil)
	must(t, err)
	bomb := e.EncodeAll(make([]byte, 64<<20), nil)
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		code wire.Code
		wait int64
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, wire.CodeRevoked, "") }, wire.CodeRevoked, 0},
		"busy": {func(w http.ResponseWriter, _ *http.Request) {
			say(w, 503, wire.Error{V: 1, Code: wire.CodeBusy, RetryAfterMS: 70})
		}, wire.CodeBusy, 70},
		"relay busy":    {html(503, map[string]string{"Retry-After": "3"}), wire.CodeBusy, 3000},
		"too many":      {html(429, nil), wire.CodeBusy, 0},
		"relay down":    {html(502, nil), wire.CodeUnreachable, 0},
		"relay small":   {html(413, nil), wire.CodeTooLarge, 0},
		"relay error":   {html(500, nil), wire.CodeInternal, 0},
		"redirect":      {html(302, map[string]string{"Location": "https://127.0.0.1:1/"}), wire.CodeUnreachable, 0},
		"not a message": {html(200, nil), wire.CodeInternal, 0},
		"half an answer": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "x")
		}, wire.CodeUnreachable, 0},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 9 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, wire.CodeInternal, 0},
		"zstd bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "zstd")
			_, _ = w.Write(bomb)
		}, wire.CodeInternal, 0},
		"other coding": {html(200, map[string]string{"Content-Encoding": "br"}), wire.CodeInternal, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.replace(wire.PathExchange, c.h)
			_, err := s.dial(t).Exchange(t.Context(), wire.Request{})
			wantCode(t, err, c.code)
			var w *wire.Error
			if errors.As(err, &w) && w.RetryAfterMS != c.wait {
				t.Fatalf("retry after %d, want %d", w.RetryAfterMS, c.wait)
			}
			if n := s.count(wire.PathExchange); n != 1 {
				t.Fatalf("asked %d times", n)
			}
		})
	}
}

func TestZstdAnswer(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q, _ := wire.Decode[wire.Request](body)
		if r.Header.Get("Accept-Encoding") != "zstd" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		e, _ := zstd.NewWriter(nil)
		reply := s.reply(q)
		reply.Events = [][]byte{bytes.Repeat([]byte("event"), 10_000)}
		w.Header().Set("Content-Encoding", "zstd")
		_, _ = w.Write(e.EncodeAll(canon.MustMarshal(reply), nil))
	})
	reply, err := s.dial(t).Exchange(t.Context(), wire.Request{})
	must(t, err)
	if len(reply.Events) != 1 || len(reply.Events[0]) != 50_000 {
		t.Fatal("events did not survive")
	}
}

func TestNobodyAnswers(t *testing.T) {
	s := newServer(t)
	d := s.dial(t)
	s.Close()
	_, err := d.Exchange(t.Context(), wire.Request{})
	wantCode(t, err, wire.CodeUnreachable)
	if wire.Permanent(err) {
		t.Fatal("permanent")
	}
}

func TestBlackHoleIsGivenUp(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q, _ := wire.Decode[wire.Request](body)
		reply := s.reply(q)
		reply.Events = [][]byte{make([]byte, 100_000)}
		say(w, 200, reply)
	})
	for name, f := range map[string]faultnet.Fault{
		"from the start": {Hole: true},
		"answers":        {Up: -1, Down: 30_000, Hole: true},
		"upload":         {Up: 60_000, Down: -1, Hole: true},
	} {
		d, _ := through(t, s, faultnet.Always(f))
		start := time.Now()
		_, err := d.Exchange(t.Context(), wire.Request{Packets: [][]byte{make([]byte, 3<<20)}})
		if wire.CodeOf(err) != wire.CodeUnreachable || time.Since(start) > 8*time.Second {
			t.Fatalf("%s: %v after %v", name, err, time.Since(start))
		}
	}
}

func TestSlowIsNotStalled(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q, _ := wire.Decode[wire.Request](body)
		reply := canon.MustMarshal(s.reply(q))
		for i := range reply { // dribble: longer than the progress limit in all, never between two bytes
			_, _ = w.Write(reply[i : i+1])
			if i%4 == 0 {
				w.(http.Flusher).Flush()
				<-time.After(30 * time.Millisecond)
			}
		}
	})
	d, _ := through(t, s, faultnet.Always(faultnet.Clean))
	start := time.Now()
	_, err := d.Exchange(t.Context(), wire.Request{})
	must(t, err)
	if took := time.Since(start); took < 800*time.Millisecond {
		t.Fatalf("took %v: not slow enough to show anything", took)
	}
}

func TestLongPollMayKeepSilent(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q, _ := wire.Decode[wire.Request](body)
		<-time.After(900 * time.Millisecond)
		say(w, 200, s.reply(q))
	})
	d, _ := through(t, s, faultnet.Always(faultnet.Clean))
	_, err := d.Exchange(t.Context(), wire.Request{WaitMS: 1000})
	must(t, err)
	_, err = d.Exchange(t.Context(), wire.Request{})
	wantCode(t, err, wire.CodeUnreachable)
}

func TestCancelledByItsCaller(t *testing.T) {
	s := newServer(t)
	s.replace(wire.PathExchange, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := s.dial(t).Exchange(ctx, wire.Request{})
	wantCode(t, err, wire.CodeUnreachable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("cause of %v", err)
	}
}

func TestTooLargeIsNotSent(t *testing.T) {
	s := newServer(t)
	_, err := s.dial(t).Exchange(t.Context(), wire.Request{Packets: [][]byte{make([]byte, wire.MaxRequest)}})
	wantCode(t, err, wire.CodeTooLarge)
	if s.count(wire.PathExchange) != 0 {
		t.Fatal("sent")
	}
}

func TestPackComesInPieces(t *testing.T) {
	s := newServer(t)
	s.pack = make([]byte, 300_000)
	must(t, suite.Random(s.pack))
	d, p := through(t, s, func(n int) faultnet.Fault {
		if n < 6 {
			return faultnet.Fault{Up: -1, Down: 60_000}
		}
		return faultnet.Clean
	})
	ref := wire.PackRef{Hash: suite.Hash(s.pack), Size: int64(len(s.pack))}
	tries := 0
	for {
		data, err := d.Pack(t.Context(), ref)
		if err == nil {
			if !bytes.Equal(data, s.pack) {
				t.Fatal("pack differs")
			}
			break
		}
		wantCode(t, err, wire.CodeUnreachable)
		if tries++; tries > 6 {
			t.Fatalf("%d tries", tries)
		}
	}
	if _, cuts := p.Connections(); cuts == 0 || tries == 0 {
		t.Fatalf("%d cuts, %d tries", cuts, tries)
	}

	_, err := d.Pack(t.Context(), wire.PackRef{Hash: vault.Hash{1}, Size: 3})
	wantCode(t, err, wire.CodeNotFound)
	_, err = d.Pack(t.Context(), wire.PackRef{Hash: ref.Hash, Size: 100})
	wantCode(t, err, wire.CodeInternal)
	s.replace(wire.PathPack+vault.Hash(ref.Hash).String(), func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 300_000)) })
	_, err = d.Pack(t.Context(), ref)
	wantCode(t, err, wire.CodeInternal)
}

func TestBlobGoesOnWhereItStood(t *testing.T) {
	s := newServer(t)
	data := make([]byte, 3<<20)
	must(t, suite.Random(data))
	d, p := through(t, s, func(n int) faultnet.Fault {
		if n < 8 {
			return faultnet.Fault{Up: 300_000 + int64(n)*1000, Down: -1}
		}
		return faultnet.Clean
	})
	var held []int64
	tries := 0
	for {
		err := d.PutBlob(t.Context(), suite.Hash(data), int64(len(data)), bytes.NewReader(data), func(n int64) { held = append(held, n) })
		if err == nil {
			break
		}
		wantCode(t, err, wire.CodeUnreachable)
		if tries++; tries > 20 {
			t.Fatal("never done")
		}
	}
	if !bytes.Equal(s.blob, data) || held[len(held)-1] != int64(len(data)) {
		t.Fatalf("%d of %d bytes, told %v", len(s.blob), len(data), held)
	}
	if _, cuts := p.Connections(); cuts < 3 {
		t.Fatalf("%d cuts", cuts)
	}
	n := s.count(wire.PathBlob + suite.Hash(data).String())
	must(t, d.PutBlob(t.Context(), suite.Hash(data), int64(len(data)), bytes.NewReader(data), nil))
	if got := s.count(wire.PathBlob + suite.Hash(data).String()); got != n+1 {
		t.Fatalf("%d requests for a blob the gateway holds", got-n)
	}
}

func TestBlobFaults(t *testing.T) {
	s := newServer(t)
	d := s.dial(t)
	wantCode(t, d.PutBlob(t.Context(), [32]byte{}, wire.MaxBlob+1, bytes.NewReader(nil), nil), wire.CodeTooLarge)
	err := d.PutBlob(t.Context(), [32]byte{}, 10, bytes.NewReader([]byte("short")), nil)
	if err == nil || wire.CodeOf(err) != "" {
		t.Fatalf("err %v", err)
	}
	s.replace(wire.PathBlob+vault.Hash{2}.String(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(wire.HeaderUploadOffset, "999")
	})
	wantCode(t, d.PutBlob(t.Context(), [32]byte{2}, 10, bytes.NewReader(make([]byte, 10)), nil), wire.CodeInternal)
	s.mu.Lock()
	s.nonce = "nonce-9" // HEAD cannot carry a fresh one in its body
	s.blobLen = -1
	s.mu.Unlock()
	must(t, d.PutBlob(t.Context(), [32]byte{3}, 4, strings.NewReader("blob"), nil))
}

func TestNothingIsLogged(t *testing.T) {
	s := newServer(t)
	var log bytes.Buffer
	cfg := s.config()
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	c, err := client.New(cfg)
	must(t, err)
	s.Close()
	_, _ = c.Device(7, s.device, s.platform.Public()).Exchange(t.Context(), wire.Request{})
	if log.Len() > 0 {
		t.Fatalf("logged %q", log.String())
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, base := range []string{"http://x", "x", "https://", "://"} {
		if _, err := client.New(client.Config{BaseURL: base, Suite: suite, Pins: func() [][32]byte { return nil }}); err == nil {
			t.Errorf("%q accepted", base)
		}
	}
	if _, err := client.New(client.Config{BaseURL: "https://x", Suite: suite}); err == nil {
		t.Error("no pins accepted")
	}
	if _, err := client.New(client.Config{BaseURL: "https://x", Pins: func() [][32]byte { return nil }}); err == nil {
		t.Error("no suite accepted")
	}
}
