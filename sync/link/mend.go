package link

import "context"

// Mend gets records that are damaged in both copies of this machine from the platform, and returns how many were put
// right. Somebody must be logged in. Errors carry a key for people.
func (l *Link) Mend(ctx context.Context) (int, error) {
	st := l.line.d.Store()
	bad, err := st.Broken()
	if err != nil {
		return 0, err
	}
	found := len(bad)
	for done := uint64(0); len(bad) > 0; {
		if bad[0] <= done {
			bad = bad[1:]
			continue
		}
		after, hash, err := st.Before(bad[0])
		if err != nil {
			return 0, err
		}
		part, err := l.line.now().Snapshot(ctx, st.Device(), after, hash, noEvents)
		if err != nil {
			return 0, Words(err)
		}
		if part.Diverged || len(part.Packets) == 0 {
			break // not what the platform holds: it stays reported
		}
		if done, err = l.line.d.TakeRecords(ctx, after, hash, part.Packets); err != nil {
			return 0, err
		}
	}
	left, err := st.Broken()
	return found - len(left), err
}
