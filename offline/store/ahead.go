package store

import "fmt"

// aheadSize is how many bytes behind the last page of the file are kept written with zeros. bbolt lengthens a file by a hole.
// A page that is written into the hole needs a place on the disk first, and a sync then waits for the page and for the
// directory of places; where zeros lie it waits for the page alone.
const aheadSize = 1 << 20

// writeAhead writes zeros behind the last page, inside the file, when half of aheadSize is used up. It holds bbolt's lock of
// writing, so that the last page stays the last.
func (f *file) writeAhead() error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	tx, err := f.db.Begin(true)
	if err != nil {
		return fmt.Errorf("store: write ahead: %w", err)
	}
	defer tx.Rollback()
	end := tx.Size()
	if f.ahead-end >= aheadSize/2 {
		return nil
	}
	info, err := f.handle.Stat()
	if err != nil {
		return fmt.Errorf("store: write ahead: %w", err)
	}
	from, to := max(end, f.ahead), min(end+aheadSize, info.Size())
	if from >= to {
		return nil
	}
	// Page by page: Linux keeps what one long call wrote as one piece, and counts all of it whenever a page in it changes.
	for zeros := make([]byte, tx.DB().Info().PageSize); from < to; from += int64(len(zeros)) {
		if _, err := f.handle.WriteAt(zeros[:min(int64(len(zeros)), to-from)], from); err != nil {
			return fmt.Errorf("store: write ahead: %w", err)
		}
	}
	if err := dataSync(f.handle); err != nil {
		return fmt.Errorf("store: write ahead: %w", err)
	}
	f.ahead = to
	return nil
}
