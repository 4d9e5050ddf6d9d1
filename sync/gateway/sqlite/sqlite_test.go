package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"bianmin/sync/gateway"
	"bianmin/sync/gateway/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() (gateway.Store, error) {
		path := filepath.Join(t.TempDir(), "gateway.db")
		return func() (gateway.Store, error) { return Open(context.Background(), path) }
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.db")
	s, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO schema_version (version) VALUES (999)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), path); !errors.Is(err, gateway.ErrNewerSchema) {
		t.Fatalf("got %v", err)
	}
}

// TestDurable: the settings without which a committed packet could be lost.
func TestDurable(t *testing.T) {
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "a b%c.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only pragmas are read
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		for _, c := range s.all {
			var got string
			if err := c.c.QueryRowContext(context.Background(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %q, %v", pragma, got, err)
			}
		}
	}
}
