// Package sqlite keeps a gateway's data in one SQLite file, without cgo: the store of a county on day one.
//
// The file is in WAL mode with synchronous=FULL: what Update committed survives a power cut. Writers queue behind one
// another (also those of other processes, for up to 10 seconds); readers do not wait. The SQL is kept portable to
// PostgreSQL: numbered placeholders, no row ids, no driver's own types.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"bianmin/sync/gateway"
)

//go:embed sql/*.sql
var scripts embed.FS

// busyMS is how long a writer waits for another writer, in milliseconds.
const busyMS = 10_000

// readers is how many transactions may read at once.
const readers = 4

// Store is a gateway.Store over one SQLite file.
type Store struct {
	db    *sql.DB
	write chan *conn // holds the one connection that writes
	read  chan *conn // holds the connections that only read
	watch *sql.Conn  // PRAGMA data_version is told per connection
	all   []*conn

	mu sync.Mutex // guards watch: one statement at a time
}

var _ gateway.Store = (*Store)(nil)

// conn is a connection with its prepared statements. One transaction at a time uses it.
type conn struct {
	c *sql.Conn
	m map[string]*sql.Stmt
}

// Open opens or makes the database at path and brings its schema up to date. gateway.ErrNewerSchema when a newer
// program wrote it. The caller closes the store.
func Open(ctx context.Context, path string) (*Store, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", filepath.Base(path), err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", filepath.Base(path), err)
	}
	q := url.Values{"_pragma": {
		"busy_timeout(" + strconv.Itoa(busyMS) + ")", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "secure_delete(1)",
	}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open: %w", err)
	}
	s := &Store{db: db, write: make(chan *conn, 1), read: make(chan *conn, readers)}
	if err := s.connect(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context) error {
	for i := range readers + 1 {
		c, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		k := &conn{c: c, m: make(map[string]*sql.Stmt)}
		s.all = append(s.all, k)
		if i > 0 {
			s.read <- k
			continue
		}
		s.write <- k
		if err := s.migrate(ctx); err != nil {
			return err
		}
	}
	var err error
	s.watch, err = s.db.Conn(ctx)
	return err
}

// migrate runs the scripts that the file has not seen, in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(scripts, "sql/*.sql")
	if err != nil {
		return fmt.Errorf("scripts: %w", err)
	}
	sort.Strings(names)
	return s.transact(ctx, s.write, "BEGIN IMMEDIATE", func(t *txn) error {
		t.exec(`CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)`)
		var have int
		t.row([]any{&have}, `SELECT COALESCE(MAX(version), 0) FROM schema_version`)
		if t.err == nil && have > len(names) {
			return fmt.Errorf("%w: file %d, program %d", gateway.ErrNewerSchema, have, len(names))
		}
		for i := have; i < len(names); i++ {
			text, err := scripts.ReadFile(names[i])
			if err != nil {
				return fmt.Errorf("scripts: %w", err)
			}
			for _, one := range strings.Split(string(text), ";\n") {
				if strings.TrimSpace(one) != "" {
					t.exec(one)
				}
			}
			t.exec(`INSERT INTO schema_version (version) VALUES ($1)`, i+1)
		}
		return t.fail("migrate")
	})
}

// transact takes a connection out of pool for one transaction.
func (s *Store) transact(ctx context.Context, pool chan *conn, begin string, fn func(*txn) error) error {
	var c *conn
	select {
	case c = <-pool:
	case <-ctx.Done():
		return fmt.Errorf("sqlite: %w", ctx.Err())
	}
	if c == nil {
		return fmt.Errorf("sqlite: %w", sql.ErrConnDone)
	}
	defer func() { pool <- c }()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	// A transaction is short; once begun it is not interrupted, so that the connection stays sound.
	t := &txn{ctx: context.WithoutCancel(ctx), c: c}
	if t.exec(begin); t.err != nil {
		return t.fail("begin")
	}
	done := false
	defer func() {
		if !done {
			t.err = nil
			t.exec("ROLLBACK")
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	if t.err != nil {
		return t.fail("transaction")
	}
	if t.exec("COMMIT"); t.err != nil {
		return t.fail("commit")
	}
	done = true
	return nil
}

// View implements gateway.Store.
func (s *Store) View(ctx context.Context, fn func(gateway.Tx) error) error {
	return s.transact(ctx, s.read, "BEGIN", func(t *txn) error { return fn(t) })
}

// Update implements gateway.Store.
func (s *Store) Update(ctx context.Context, fn func(gateway.Tx) error) error {
	return s.transact(ctx, s.write, "BEGIN IMMEDIATE", func(t *txn) error { return fn(t) })
}

// Version implements gateway.Store.
func (s *Store) Version(ctx context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int64
	if err := s.watch.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqlite: data version: %w", err)
	}
	return n, nil
}

// Close implements gateway.Store. It waits for running transactions.
func (s *Store) Close() error {
	var errs []error
	for range cap(s.write) {
		if len(s.all) > 0 {
			<-s.write
		}
	}
	for range len(s.all) - 1 {
		<-s.read
	}
	for _, c := range s.all {
		for _, st := range c.m {
			errs = append(errs, st.Close())
		}
		errs = append(errs, c.c.Close())
	}
	if s.watch != nil {
		errs = append(errs, s.watch.Close())
	}
	errs = append(errs, s.db.Close())
	close(s.write)
	close(s.read)
	return errors.Join(errs...)
}
