package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"bianmin/assets/county"
	receiptpage "bianmin/assets/receipt-page"
	"bianmin/offline/clocks"
	"bianmin/offline/vault"
	"bianmin/offline/words"
	"bianmin/sync/gateway"
	"bianmin/sync/gateway/sqlite"
)

const (
	defaultAddr  = "127.0.0.1:8443"
	graceful     = 10 * time.Second
	watchParent  = 300 * time.Millisecond
	databaseName = "gateway.db"
	keysFolder   = "keys"
	blobsFolder  = "blobs"
)

// version is set by the linker.
var version = "dev"

// open opens the platform in the data folder. The caller calls the returned function.
func (t *tool) open(ctx context.Context) (*gateway.Gateway, *gateway.Keys, func() error, error) {
	s := vault.SM(nil)
	keys, err := gateway.OpenKeys(filepath.Join(t.dir, keysFolder), s)
	if err != nil {
		return nil, nil, nil, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(t.dir, databaseName))
	if err != nil {
		return nil, nil, nil, err
	}
	level := slog.LevelWarn
	if t.verbose {
		level = slog.LevelDebug
	}
	g, err := gateway.New(gateway.Config{
		Store: db, Keys: keys, Suite: s, Blobs: filepath.Join(t.dir, blobsFolder),
		Log:  slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level})),
		Page: page,
	})
	if err != nil {
		return nil, nil, nil, errors.Join(err, db.Close())
	}
	return g, keys, db.Close, nil
}

func page(path string) ([]byte, map[string]string, bool) {
	f, ok := receiptpage.Lookup(path)
	return f.Data, f.Header, ok
}

// with runs fn over the opened platform.
func (t *tool) with(ctx context.Context, fn func(g *gateway.Gateway) error) error {
	g, _, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(fn(g), done())
}

func runInit(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	sample := fs.Bool("sample", false, "装入示范县，自动受理 / load the sample county, accept cases at once")
	short := fs.String("short-host", "", "回执链接的主机名 / host of receipt links")
	addr := fs.String("addr", defaultAddr, "监听地址 / address to listen on")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	hosts := []string{"localhost", "127.0.0.1", "::1", *addr, *short}
	if _, err := gateway.CreateKeys(filepath.Join(t.dir, keysFolder), vault.SM(nil), hosts, clocks.System().Now()); err != nil {
		return err
	}
	recovery, err := gateway.CreateRecovery(filepath.Join(t.dir, keysFolder), vault.SM(nil))
	if err != nil {
		return err
	}
	return t.with(ctx, func(g *gateway.Gateway) error {
		set := gateway.Settings{Addr: *addr, ShortHost: *short, AutoAccept: *sample}
		var err error
		if *sample {
			_, err = g.LoadCounty(ctx, county.FS(), county.Version, set)
		} else {
			err = g.SaveSettings(ctx, set)
		}
		if err == nil {
			err = g.PublishRecovery(ctx, recovery)
		}
		if err != nil {
			return err
		}
		if set, err = g.Settings(ctx); err != nil {
			return err
		}
		out := map[string]any{"data": t.dir, "county": set.County, "shortHost": set.ShortHost, "addr": set.Addr, "sample": set.Demo}
		return t.print(out, func(w io.Writer) {
			fmt.Fprintln(w, t.say("平台已建立：", "platform made:"), t.dir)
			fmt.Fprintln(w, t.say("密钥在 keys 目录，请离线备份，勿放进数据库备份。", "Its keys are in the folder keys: back them up off-line, apart from the database."))
			fmt.Fprintln(w, t.say("恢复密钥 keys/recovery.key 只在救援时用：请移到保险柜，不要留在服务器。", "keys/recovery.key is for emergencies only: move it to a safe, off this server."))
		})
	})
}

func runServe(ctx context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	addr := fs.String("addr", "", "监听地址 / address to listen on (init's)")
	ready := fs.String("ready-file", "", "就绪后写入网址的文件 / file to write the URL to when ready")
	parent := fs.Bool("exit-with-parent", false, "父进程结束时一同结束 / end when the parent process ends")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	g, _, done, err := t.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(t.serve(ctx, g, *addr, *ready, *parent), done())
}

func (t *tool) serve(ctx context.Context, g *gateway.Gateway, addr, ready string, parent bool) error {
	set, err := g.Settings(ctx)
	if err != nil {
		return err
	}
	if addr == "" {
		addr = set.Addr
	}
	if addr == "" {
		addr = defaultAddr
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return words.New("gateway.addr", err, "addr", addr)
	}
	url := "https://" + reachable(l.Addr().String())
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if parent {
		go func() {
			waitParent(ctx, t.in)
			stop()
		}()
	}
	srv := g.Server()
	// Long polls end when the server is to stop; a device asks again.
	base, cut := context.WithCancel(context.Background())
	srv.BaseContext = func(net.Listener) context.Context { return base }
	t.checkpointDue(ctx, g)
	eg, ctx := errgroup.WithContext(ctx)
	eg.Go(func() error { return g.Run(ctx) })
	eg.Go(func() error { return t.keepCheckpoints(ctx, g) })
	eg.Go(func() error {
		err := srv.ServeTLS(l, "", "") // the certificate is in srv.TLSConfig
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve: %w", err)
	})
	eg.Go(func() error {
		<-ctx.Done()
		cut()
		ctx, cancel := context.WithTimeout(context.Background(), graceful)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			return errors.Join(fmt.Errorf("serve: stop: %w", err), srv.Close())
		}
		return nil
	})
	if ready != "" {
		if err := writeReady(ready, url); err != nil {
			stop()
			return errors.Join(err, eg.Wait())
		}
	}
	if err := t.print(map[string]any{"url": url, "pid": os.Getpid()}, func(w io.Writer) { fmt.Fprintln(w, url) }); err != nil {
		stop()
		return errors.Join(err, eg.Wait())
	}
	return eg.Wait()
}

// reachable replaces an address that means "all" by one that can be asked.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// writeReady writes the file whole: who waits for it never reads half a line.
func writeReady(path, url string) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(url+"\n"), 0o600); err != nil {
		return fmt.Errorf("serve: ready file: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("serve: ready file: %w", err)
	}
	return nil
}

// waitParent returns when the parent process ends: on Unix the process gets another parent; everywhere a pipe on
// standard input is closed.
func waitParent(ctx context.Context, in io.Reader) {
	if f, ok := in.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
			ended := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, f)
				close(ended)
			}()
			select {
			case <-ended:
			case <-ctx.Done():
			}
			return
		}
	}
	mine := os.Getppid()
	tick := time.NewTicker(watchParent)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if os.Getppid() != mine {
				return
			}
		}
	}
}

func runVersion(_ context.Context, t *tool, fs *flag.FlagSet, args []string) error {
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "dev" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v += " " + s.Value[:min(12, len(s.Value))]
			}
		}
	}
	return t.print(map[string]string{"version": v, "crypto": vault.SM(nil).Name()}, func(w io.Writer) {
		fmt.Fprintf(w, "bianmin-gatewayd %s\n%s\n", v, vault.SM(nil).Name())
	})
}
