package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/ingest"
)

// cutPart: the last cutPart-th of the time for stopping is left to requests that have been cut off, so that they end and their clients hear
// of it, also on a machine whose cores are all busy. A part as large of that is left to clients that still send, or read.
const cutPart = 4

// connections are the open ones.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// note is for http.Server.ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	if state != http.StateNew && state != http.StateClosed && state != http.StateHijacked {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != http.StateNew {
		delete(c.open, conn)
		return
	}
	if c.open == nil {
		c.open = map[net.Conn]struct{}{}
	}
	c.open[conn] = struct{}{}
}

// endWaiting has no connection wait for its client any longer than until a deadline. A response that begins later has time of its own on
// HTTP/1; a connection of HTTP/2 ends then.
func (c *connections) endWaiting(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.SetDeadline(at) // fails on connections that have just been closed
	}
}

// finishRequests accepts no more requests and finishes those under way. Those that are left when three quarters of the time until ctx's
// deadline have passed are cut off: they fail, and their clients hear that the server is stopping. The error says that some did not even
// end then, and that their connections were closed.
func (s *Server) finishRequests(ctx context.Context) error {
	s.live.EndWatches() // watchers would stay for ever
	patient, cancel := s.untilCut(ctx)
	defer cancel()
	if s.http.Shutdown(patient) == nil {
		return nil
	}
	s.config.Log.LogAttrs(ctx, slog.LevelWarn, "requests took too long for a server that stops; they are cut off")
	s.cutRequests(ctx)
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("finishing requests: %w", err), s.http.Close())
	}
	return nil
}

// untilCut returns a context that ends when requests are to be cut off.
func (s *Server) untilCut(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.config.cutAfter > 0 {
		return context.WithTimeout(ctx, s.config.cutAfter)
	}
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/cutPart))
}

// cutRequests ends whatever requests wait for: their own work, appends that wait for their group or are in one, and clients.
func (s *Server) cutRequests(ctx context.Context) {
	s.cut(ingest.ErrClosed)
	if deadline, bounded := ctx.Deadline(); bounded {
		s.connections.endWaiting(time.Now().Add(time.Until(deadline) / cutPart))
	}
	now, cancel := context.WithCancel(ctx)
	cancel()
	_ = s.ingester.Stop(now) // always nil
}
