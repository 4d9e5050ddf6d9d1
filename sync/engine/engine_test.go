package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"bianmin/offline/journal"
	"bianmin/offline/words"
	"bianmin/sync/engine"
	"bianmin/sync/wire"
)

func TestOnceDeliversEverything(t *testing.T) {
	for name, set := range map[string]func(*memJournal){
		"batches":             func(*memJournal) {},
		"one packet a record": func(j *memJournal) { j.single = true },
		"large records":       func(j *memJournal) { j.pad = 9000 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			set(r.j)
			r.j.add(700)
			for range 7 {
				r.p.tell(journal.EventAccepted, 1)
			}
			res, err := r.e.Once(t.Context())
			must(t, err)
			r.wantDelivered(t)
			if res.Sent != 700 || res.Events != 7 || res.Pending() != 0 || res.LastAck.IsZero() {
				t.Fatalf("result %+v", res)
			}
			if got, want := r.states(), []engine.State{engine.Connecting, engine.Sending, engine.Idle}; !slices.Equal(got, want) {
				t.Fatalf("states %v, want %v", got, want)
			}
			for _, q := range r.p.requests {
				size := 0
				for _, p := range q.Packets {
					size += len(p)
				}
				if len(q.Packets) > wire.MaxPackets || size > wire.MaxRequest {
					t.Fatalf("request of %d packets, %d bytes", len(q.Packets), size)
				}
			}
		})
	}
}

func TestLostReplyCostsNothing(t *testing.T) {
	r := newRig(t)
	r.j.add(120)
	lost := 0
	r.p.after = func(n int, _ *wire.Reply) error {
		if n%2 == 0 {
			lost++
			return unreachable(errTest)
		}
		return nil
	}
	for range 6 {
		if _, err := r.e.Once(t.Context()); err == nil {
			break
		}
	}
	if lost == 0 {
		t.Fatal("no reply was lost")
	}
	r.wantDelivered(t)
}

func TestNoticesByItselfThatThePlatformIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		down := true
		r.p.before = func(int) error {
			if down {
				return unreachable(errTest)
			}
			return nil
		}
		r.j.add(3)
		r.start(t)
		start := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		for i := 1; i < len(r.p.asked); i++ {
			if gap := r.p.asked[i].Sub(r.p.asked[i-1]); gap > 5*time.Second || gap < 500*time.Millisecond {
				t.Fatalf("knock %d came %v after the one before", i, gap)
			}
		}
		if n := r.p.count(); n < 12 {
			t.Fatalf("%d knocks in the first minute", n)
		}
		if ev := r.e.Status(); ev.State != engine.Offline || ev.Pending != 3 || ev.Key != "wire.unreachable" || ev.NextTry.Before(time.Now()) {
			t.Fatalf("status %+v", ev)
		}

		time.Sleep(3 * time.Hour)
		synctest.Wait()
		last := r.p.asked[len(r.p.asked)-1]
		before := r.p.asked[len(r.p.asked)-2]
		if gap := last.Sub(before); gap > 5*time.Minute || gap < 3*time.Minute {
			t.Fatalf("late gap %v", gap)
		}
		if n := r.p.count(); n > 100 {
			t.Fatalf("%d knocks in %v", n, time.Since(start))
		}

		r.p.set(func() { down = false })
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		r.wantDelivered(t)
		if ev := r.e.Status(); ev.State != engine.Idle || ev.Err != nil || !ev.NextTry.IsZero() {
			t.Fatalf("status %+v", ev)
		}
	})
}

func TestWakeAndNewNetworkStartOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.before = func(int) error { return unreachable(errTest) }
		r.start(t)
		time.Sleep(2 * time.Hour)
		synctest.Wait()

		n := r.p.count()
		r.e.Wake()
		synctest.Wait()
		if got := r.p.count(); got != n+1 {
			t.Fatalf("%d knocks after a wake", got-n)
		}
		time.Sleep(20 * time.Second)
		if got := r.p.count() - n; got < 4 {
			t.Fatalf("%d knocks in 20 s after a wake", got)
		}

		time.Sleep(2 * time.Hour)
		n = r.p.count()
		r.setAddrs(&net.IPNet{IP: net.IPv4(192, 168, 1, 9), Mask: net.CIDRMask(24, 32)})
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := r.p.count(); got <= n {
			t.Fatal("a new network address was not noticed")
		}
	})
}

func TestLaterMeansLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.j.add(1)
		r.p.before = func(n int) error {
			if n == 0 {
				return &wire.Error{Code: wire.CodeBusy, RetryAfterMS: 40_000}
			}
			return nil
		}
		r.start(t)
		for range 39 {
			r.e.Wake()
			time.Sleep(time.Second)
		}
		if n := r.p.count(); n != 1 {
			t.Fatalf("%d knocks while the platform asked for patience", n)
		}
		if ev := r.e.Status(); ev.State != engine.Offline || ev.Key != "wire.busy" {
			t.Fatalf("status %+v", ev)
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		r.wantDelivered(t)
	})
}

func TestAdviceYieldsToNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.after = func(_ int, reply *wire.Reply) error {
			reply.RetryAfterMS = 600_000
			return nil
		}
		r.start(t)
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if n := r.p.count(); n != 1 {
			t.Fatalf("%d knocks against advice", n)
		}
		r.j.add(1)
		r.e.Wake()
		synctest.Wait()
		r.wantDelivered(t)
	})
}

func TestEventsAndRecordsMoveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start(t)
		time.Sleep(10 * time.Second)
		at := time.Now()
		r.p.tell(journal.EventAccepted, 1)
		synctest.Wait()
		if len(r.j.events) != 1 || !time.Now().Equal(at) {
			t.Fatalf("%d events after %v", len(r.j.events), time.Since(at))
		}
		r.j.add(2)
		r.e.Wake()
		synctest.Wait()
		r.wantDelivered(t)
		if !time.Now().Equal(at) {
			t.Fatalf("record took %v", time.Since(at))
		}
		before := r.p.count()
		time.Sleep(10 * time.Minute)
		if n := r.p.count() - before; n < 20 || n > 30 {
			t.Fatalf("%d polls in ten idle minutes", n)
		}
		if got := r.states(); slices.Contains(got, engine.Offline) || slices.Contains(got, engine.NeedsAttention) {
			t.Fatalf("states %v", got)
		}
	})
}

func TestPlatformThatDoesNotHoldIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.noHold = true
		r.start(t)
		time.Sleep(10 * time.Minute)
		if n := r.p.count(); n > 125 {
			t.Fatalf("%d requests in ten minutes", n)
		}
	})
}

func TestForkStopsRecordsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.j.add(5)
		other := r.j.records[1]
		other.At = 99
		r.p.headers = []journal.Header{r.j.records[0], other} // restored from a backup, the device wrote its second record anew
		r.start(t)
		synctest.Wait()
		if !r.j.forked {
			t.Fatal("fork was not kept")
		}
		if ev := r.e.Status(); ev.State != engine.NeedsAttention || ev.Key != "sync.fork" {
			t.Fatalf("status %+v", ev)
		}
		r.j.add(1)
		r.e.Wake()
		r.p.tell(journal.EventDeviceLocked, 0)
		time.Sleep(time.Hour)
		synctest.Wait()
		sent := 0
		for _, q := range r.p.requests {
			if len(q.Packets) > 0 {
				sent++
			}
		}
		if sent != 1 || len(r.j.events) != 1 {
			t.Fatalf("%d requests with records, %d events", sent, len(r.j.events))
		}
	})
}

func TestNeedOtherEncoding(t *testing.T) {
	r := newRig(t)
	r.j.add(10)
	refuse := 2
	r.p.maxSize = 1 << 20
	r.p.after = func(_ int, reply *wire.Reply) error {
		if refuse > 0 {
			refuse--
			r.p.headers = nil
			r.p.stored = map[uint64]int{}
			reply.Need, reply.Ack = "codec 1", ackOf(r.p, 0, journal.Header{})
		}
		return nil
	}
	_, err := r.e.Once(t.Context())
	must(t, err)
	r.wantDelivered(t)
	if !slices.Equal(r.j.needs, []string{"codec 1", "codec 1"}) {
		t.Fatalf("needs %v", r.j.needs)
	}

	r.j.add(1)
	r.p.after = func(_ int, reply *wire.Reply) error {
		reply.Need, reply.Ack = "codec 0", ackOf(r.p, 10, r.j.records[9])
		return nil
	}
	_, err = r.e.Once(t.Context())
	wantKey(t, err, "sync.needCodec")
	if ev := r.e.Status(); ev.State != engine.NeedsAttention {
		t.Fatalf("status %+v", ev)
	}
}

func TestStuckPlatformIsNotAskedForever(t *testing.T) {
	r := newRig(t)
	r.j.add(4)
	r.p.after = func(_ int, reply *wire.Reply) error {
		r.p.headers = nil
		reply.Ack = ackOf(r.p, 0, journal.Header{})
		return nil
	}
	_, err := r.e.Once(t.Context())
	wantKey(t, err, "sync.stuck")
	if n := r.p.count(); n > 5 {
		t.Fatalf("%d requests", n)
	}
}

func TestPlatformSetBackGetsWhatItLost(t *testing.T) {
	r := newRig(t)
	r.j.add(30)
	_, err := r.e.Once(t.Context())
	must(t, err)
	r.p.headers = r.p.headers[:12]
	for i := range r.p.stored {
		if i > 12 {
			delete(r.p.stored, i)
		}
	}
	r.j.add(2)
	_, err = r.e.Once(t.Context())
	must(t, err)
	r.wantDelivered(t)
}

func TestTooLargeMakesSmaller(t *testing.T) {
	r := newRig(t)
	r.j.single, r.j.pad = true, 2000
	r.j.add(400)
	r.p.maxSize = 40 << 10
	_, err := r.e.Once(t.Context())
	must(t, err)
	r.wantDelivered(t)
}

func TestEventsThatDoNotVerifyDoNotHoldRecordsBack(t *testing.T) {
	r := newRig(t)
	r.j.add(300)
	r.p.tell(journal.EventAccepted, 1)
	r.p.events = append(r.p.events, []byte{1, 2, 3})
	_, err := r.e.Once(t.Context())
	wantKey(t, err, "store.eventForeign")
	r.wantDelivered(t)
	if len(r.j.events) != 1 {
		t.Fatalf("%d events", len(r.j.events))
	}
	if ev := r.e.Status(); ev.State != engine.NeedsAttention || ev.Key != "store.eventForeign" {
		t.Fatalf("status %+v", ev)
	}
}

func TestForeignAckIsNotBelieved(t *testing.T) {
	r := newRig(t)
	r.j.add(2)
	stranger, err := suite.GenerateKey()
	must(t, err)
	real := r.p.key
	r.p.key = stranger
	_, err = r.e.Once(t.Context())
	wantKey(t, err, "store.ackForeign")
	if r.j.acked != 0 {
		t.Fatalf("acked %d", r.j.acked)
	}
	r.p.key = real
	_, err = r.e.Once(t.Context())
	must(t, err)
	r.wantDelivered(t)
}

func TestWithdrawnDeviceKnocksRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.before = func(int) error { return &wire.Error{Code: wire.CodeRevoked} }
		r.start(t)
		time.Sleep(time.Hour)
		if n := r.p.count(); n < 12 || n > 17 {
			t.Fatalf("%d knocks in an hour", n)
		}
		if ev := r.e.Status(); ev.State != engine.NeedsAttention || ev.Key != "wire.revoked" {
			t.Fatalf("status %+v", ev)
		}
	})
}

func TestBlobsSmallFirstAndRecordsInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.took = time.Second
		big, small := r.j.addBlob(blobOf(1000)), r.j.addBlob(blobOf(50))
		r.j.add(1)
		parts := 0
		r.p.onPart = func() {
			if parts++; parts == 5 {
				r.j.add(1)
				r.e.Wake()
			}
		}
		r.start(t)
		time.Sleep(8 * time.Second)
		synctest.Wait()
		r.wantDelivered(t) // while the big one is on its way
		if r.j.sent[big] || !r.j.sent[small] {
			t.Fatal("big before small")
		}
		if ev := r.e.Status(); ev.State != engine.Sending || ev.Blobs != 1 || ev.BlobBytes <= 0 || ev.BlobBytes >= 1000 || ev.Left <= 0 {
			t.Fatalf("status %+v", ev)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(r.p.done, [][32]byte{small, big}) || !r.j.sent[big] {
			t.Fatalf("done %d", len(r.p.done))
		}
		if ev := r.e.Status(); ev.State != engine.Idle || ev.Blobs != 0 || ev.BlobBytes != 0 {
			t.Fatalf("status %+v", ev)
		}
	})
}

func TestOneBadBlobOrPackKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		bad := r.j.addBlob([]byte{1}) // BlobReader refuses it
		good := r.j.addBlob(blobOf(200))
		data := []byte("pack")
		r.p.packs[suite.Hash(data)] = data
		r.j.packs[suite.Hash(data)] = 4
		r.j.packs[[32]byte{9}] = 4 // the platform does not hold it
		r.start(t)
		time.Sleep(time.Second)
		synctest.Wait()
		if !r.j.sent[good] || r.j.sent[bad] || string(r.j.got[suite.Hash(data)]) != "pack" {
			t.Fatal("the sound ones were kept waiting")
		}
		ev := r.e.Status()
		if ev.State != engine.NeedsAttention || ev.Key == "" {
			t.Fatalf("status %+v", ev)
		}
		n := len(r.p.asked)
		r.p.set(func() { r.p.packs[[32]byte{9}] = []byte("late") })
		r.j.mu.Lock()
		r.j.blobs[bad] = blobOf(3)
		r.j.mu.Unlock()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if !r.j.sent[bad] || r.j.got[[32]byte{9}] == nil || r.e.Status().State != engine.Idle {
			t.Fatalf("not tried again: %+v", r.e.Status())
		}
		if len(r.p.asked)-n > 120 {
			t.Fatalf("%d requests in ten minutes", len(r.p.asked)-n)
		}
	})
}

func TestRefusedPackIsShownOnce(t *testing.T) {
	r := newRig(t)
	data := []byte("pack")
	r.p.packs[suite.Hash(data)], r.j.packs[suite.Hash(data)] = data, 4
	r.j.refuse = words.New("pack.signature", nil)
	_, err := r.e.Once(t.Context())
	wantKey(t, err, "pack.signature")
	_, err = r.e.Once(t.Context())
	must(t, err)
}

func TestJournalFaultIsShownAndMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.j.add(1)
		r.j.fail = words.New("store.failed", nil)
		r.start(t)
		synctest.Wait()
		if ev := r.e.Status(); ev.State != engine.NeedsAttention || ev.Key != "store.failed" {
			t.Fatalf("status %+v", ev)
		}
		r.j.mu.Lock()
		r.j.fail = nil
		r.j.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		r.wantDelivered(t)
	})
}

func TestOnceWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		stop := r.start(t)
		time.Sleep(time.Second)
		r.j.add(9)
		res, err := r.e.Once(t.Context())
		must(t, err)
		if res.Sent != 9 || res.Head != 9 || res.Acked != 9 {
			t.Fatalf("result %+v", res)
		}
		r.p.set(func() { r.p.before = func(int) error { return unreachable(errTest) } })
		if _, err = r.e.Once(t.Context()); wire.CodeOf(err) != wire.CodeUnreachable {
			t.Fatalf("err %v", err)
		}
		stop()
		r.p.before = nil
		r.j.add(1)
		_, err = r.e.Once(t.Context())
		must(t, err)
		r.wantDelivered(t)
	})
}

func TestOnceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.p.took = time.Hour
		r.j.add(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.e.Once(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("err %v", err)
		}
	})
}

// TestRandomDays runs seeded days of saves, outages, lost answers, news and restarts, and demands that all of it arrives
// once.
func TestRandomDays(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			r := newRig(t)
			r.j.single = seed%2 == 0
			down, lossy := false, 0
			r.p.before = func(int) error {
				if down {
					return unreachable(errTest)
				}
				return nil
			}
			r.p.after = func(int, *wire.Reply) error {
				if lossy > 0 {
					lossy--
					return unreachable(errTest)
				}
				return nil
			}
			r.p.took = time.Duration(rnd.IntN(3)) * 300 * time.Millisecond
			stop := r.start(t)
			for range 60 {
				r.p.mu.Lock()
				switch rnd.IntN(7) {
				case 0:
					down = true
				case 1, 2:
					down = false
				case 3:
					lossy = rnd.IntN(4)
				}
				r.p.mu.Unlock()
				switch rnd.IntN(5) {
				case 0, 1:
					r.j.add(1 + rnd.IntN(20))
					r.e.Wake()
				case 2:
					r.p.tell(journal.EventProcessing, 1)
				case 3:
					r.j.addBlob(blobOf(2 + rnd.IntN(900)))
				case 4:
					if rnd.IntN(4) == 0 {
						stop()
						r.restart(t)
						stop = r.start(t)
					}
				}
				time.Sleep(time.Duration(rnd.IntN(90)) * time.Second)
				synctest.Wait()
			}
			r.p.mu.Lock()
			down, lossy = false, 0
			r.p.mu.Unlock()
			r.e.Wake()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			r.wantDelivered(t)
			if len(r.j.events) != len(r.p.events) || len(r.j.sent) != len(r.j.blobs) || r.e.Status().State != engine.Idle {
				t.Fatalf("seed %d: %d of %d events, %d of %d blobs, %+v", seed, len(r.j.events), len(r.p.events), len(r.j.sent), len(r.j.blobs), r.e.Status())
			}
			stop()
		})
	}
}
