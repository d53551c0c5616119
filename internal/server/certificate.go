package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookEvery is how often handshakes look whether the certificate's files have changed.
	lookEvery = time.Second
	// expiresSoon is how long before its end a certificate that was not renewed is warned of.
	expiresSoon = 7 * 24 * time.Hour
)

// certificate is a TLS certificate that follows its files: what renews it need not know of the server. While the files do not hold a
// certificate and its key, as when only one has been written yet, the last good pair stays.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // one handshake at a time looks
	looked  time.Time
	files   [2]fileStamp
	failing atomic.Pointer[string] // why the files could not be read the last time; nil when they could
}

// fileStamp changes when a file does.
type fileStamp struct {
	modified time.Time
	size     int64
}

// newCertificate reads the files; an error tells what is wrong with them.
func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, looked: time.Now()}
	files, err := c.stamps()
	if err == nil {
		err = c.read(files)
	}
	if err != nil {
		return nil, fmt.Errorf("reading --tls-cert and --tls-key: %w", err)
	}
	return c, nil
}

func (c *certificate) stamps() (files [2]fileStamp, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return files, err
		}
		files[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return files, nil
}

func (c *certificate) read(files [2]fileStamp) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.files = files
	c.current.Store(&pair)
	return nil
}

// get returns the certificate for a handshake.
func (c *certificate) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() {
		if now := time.Now(); now.Sub(c.looked) >= lookEvery {
			c.looked = now
			c.look(hello.Context())
		}
		c.mu.Unlock()
	}
	return c.current.Load(), nil
}

// look reads the files again if they have changed. Those that cannot be read are tried again at the next look, since a file's time need not
// change with its last bytes; that is logged once.
func (c *certificate) look(ctx context.Context) {
	files, err := c.stamps()
	if err == nil {
		if files == c.files && c.failing.Load() == nil {
			return
		}
		err = c.read(files)
	}
	if err != nil {
		if text := err.Error(); c.failing.Swap(&text) == nil {
			c.log.LogAttrs(ctx, slog.LevelWarn, "the TLS certificate cannot be read again; the last one stays in use",
				slog.Any("error", err))
		}
		return
	}
	c.failing.Store(nil)
	c.log.LogAttrs(ctx, slog.LevelInfo, "read the TLS certificate again", slog.Time("not_after", c.current.Load().Leaf.NotAfter))
}

// warnings tells an operator what clients will notice later.
func (c *certificate) warnings() (list []string) {
	if c == nil {
		return nil
	}
	if c.failing.Load() != nil {
		list = append(list, "the TLS certificate cannot be read again; the last one stays in use: see the log")
	}
	switch end := c.current.Load().Leaf.NotAfter; {
	case time.Now().After(end):
		list = append(list, "the TLS certificate expired at "+end.UTC().Format(time.RFC3339))
	case time.Until(end) < expiresSoon:
		list = append(list, "the TLS certificate expires at "+end.UTC().Format(time.RFC3339))
	}
	return list
}

// errTLSPair: one of the flags is of no use.
var errTLSPair = errors.New("--tls-cert and --tls-key need each other: pass the certificate's file and that of its key, or neither")
