package desktop

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"

	"bianmin/app/window"
)

// placesEnv names a Unix socket at which the window of the sample county tells where everything stands that it shows: each
// connection gets one JSON value, a [window.Place]. Programs that click in a real window find their way by it. On a machine
// of a station, where it would show what citizens say, it does nothing.
const placesEnv = "BIANMIN_PLACES"

// tellPlaces answers until ctx ends. places runs where the caller wants, and returns what is shown at the moment.
func tellPlaces(ctx context.Context, socket string, log *slog.Logger, places func() window.Place) error {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("tell places: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		l.Close()
		return fmt.Errorf("tell places: %w", err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			if err := json.NewEncoder(c).Encode(places()); err != nil {
				log.Warn("tell places", slog.Any("cause", err))
			}
			c.Close()
		}
	}()
	return nil
}
