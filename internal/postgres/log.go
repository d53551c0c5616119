package postgres

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// openLog opens the server's log for appending.
func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the user's own folder
}

// boundLog bounds the size of a running server's log. The server writes to the file itself, so that it can write even while this process is
// busy or dying. A log that is too long is therefore copied and truncated in place; lines written in between are lost.
func boundLog(path string, done <-chan struct{}, log *slog.Logger) {
	tick := time.NewTicker(logCheck)
	defer tick.Stop()
	for {
		if err := trimLog(path, logBytes); err != nil {
			log.Warn("could not shorten the PostgreSQL log", "path", path, "error", err)
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

func trimLog(path string, limit int64) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	older, err := os.OpenFile(path+".1", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return err
	}
	if _, err := f.Seek(-min(limit, info.Size()), io.SeekEnd); err != nil {
		return errors.Join(err, older.Close())
	}
	if _, err := io.Copy(older, f); err != nil {
		return errors.Join(err, older.Close())
	}
	return errors.Join(older.Close(), f.Truncate(0))
}

// tail returns the end of the server's log, to quote in an error.
func tail(path string) string {
	f, err := os.Open(path) //nolint:gosec // the user's own folder
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > logTail {
		if _, err := f.Seek(-logTail, io.SeekEnd); err != nil {
			return fmt.Sprintf("(%v)", err)
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, logTail))
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return strings.TrimSpace(string(text))
}
