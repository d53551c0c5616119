package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/db"
)

const (
	// readyEvery is the shortest time between two looks at the database for /readyz: anybody may ask, as often as they like.
	readyEvery = 250 * time.Millisecond
	// readyTimeout is how long /readyz waits for the database.
	readyTimeout = 2 * time.Second
	// appendIsNews is how long a committed append counts as proof that appends can be committed.
	appendIsNews = 5 * time.Second
	// obstacleStays is how long an append that the database failed counts, unless another succeeds. A probe can succeed where appends fail,
	// on a disk that is nearly full.
	obstacleStays = 5 * time.Second
	// probeEvery is the shortest time between two probes of the database.
	probeEvery = time.Second
	// durabilityCheck is how often the settings that durability depends on are checked, each time on a new connection.
	durabilityCheck = 10 * time.Second
)

// health knows whether appends can be stored: from recent successes, from recent failures, and otherwise from a probe.
type health struct {
	db  *db.DB
	log *slog.Logger

	mu         sync.Mutex
	stored     time.Time // when an append or a probe last succeeded
	failed     time.Time // when an append last met an obstacle; zero if one has succeeded since
	obstacle   string
	away       bool          // whether the lanes' last attempt found no database
	untrusted  error         // why the database is no longer trusted; nil if it is
	configured db.Durability // at the last check

	looking sync.Mutex // held while ready looks; guards what follows
	looked  time.Time
	seen    error

	probing sync.Mutex // held during a probe; guards what follows
	probed  time.Time
	found   error // error of the last probe
}

// attempted records the outcome of an attempt to append.
func (h *health) attempted(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.stored, h.failed, h.away = time.Now(), time.Time{}, false
		return
	}
	h.away = errors.Is(err, db.ErrUnavailable)
	if obstacle := db.Obstacle(err); obstacle != "" {
		h.failed, h.obstacle = time.Now(), obstacle
	}
}

// ready returns an *api.NotReadyError if the server knows what keeps it from working.
func (h *health) ready(ctx context.Context) error {
	h.looking.Lock()
	defer h.looking.Unlock()
	if time.Since(h.looked) >= readyEvery {
		h.seen = h.look(context.WithoutCancel(ctx)) // others may wait for the same
		h.looked = time.Now()
	}
	return h.seen
}

func (h *health) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := h.db.Read.Ping(ctx); err != nil {
		return notReady(err)
	}
	h.mu.Lock()
	failed, obstacle, untrusted, away := h.failed, h.obstacle, h.untrusted, h.away
	fresh := failed.IsZero() && !away && time.Since(h.stored) < appendIsNews
	h.mu.Unlock()
	switch {
	case untrusted != nil:
		return notReady(untrusted)
	case fresh:
		return nil
	case time.Since(failed) < obstacleStays:
		return &api.NotReadyError{Reason: obstacle, Err: errors.New("an append failed for it")}
	}
	if away { // the lanes use a pool of their own
		if err := h.db.Append.Ping(ctx); err != nil {
			return notReady(err)
		}
	}
	if err := h.probe(ctx); err != nil {
		return notReady(err)
	}
	return nil
}

func (h *health) probe(ctx context.Context) error {
	h.probing.Lock()
	defer h.probing.Unlock()
	if time.Since(h.probed) < probeEvery {
		return h.found
	}
	h.found, h.probed = h.db.ProbeWrite(ctx), time.Now()
	if h.found == nil {
		h.mu.Lock()
		h.stored = h.probed
		h.mu.Unlock()
	}
	return h.found
}

func notReady(err error) error {
	if obstacle := db.Obstacle(err); obstacle != "" {
		return &api.NotReadyError{Reason: obstacle, Err: err}
	}
	return err
}

// watch checks the settings that durability depends on until ctx ends.
func (h *health) watch(ctx context.Context) {
	tick := time.NewTicker(durabilityCheck)
	defer tick.Stop()
	for {
		h.checkDurability(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *health) checkDurability(ctx context.Context) {
	now, err := h.db.CheckDurability(ctx)
	var untrusted *db.UntrustedError
	refused := errors.As(err, &untrusted)
	h.mu.Lock()
	before, told := h.configured, h.untrusted != nil
	switch {
	case err == nil:
		h.configured, h.untrusted = now, nil
	case refused:
		h.untrusted = untrusted
	}
	h.mu.Unlock()
	switch {
	case refused && !told:
		h.log.LogAttrs(ctx, slog.LevelError, "nothing is stored until the database can be trusted again", slog.Any("error", err))
	case err == nil && told:
		h.log.LogAttrs(ctx, slog.LevelInfo, "the database can be trusted again")
	}
	if text := overruled(now); err == nil && text != "" && now.SynchronousCommit != before.SynchronousCommit {
		h.log.LogAttrs(ctx, slog.LevelWarn, text)
	}
}

// overruled returns a warning if the connections overrule the configured synchronous_commit; otherwise "".
func overruled(d db.Durability) string {
	switch d.SynchronousCommit {
	case "off", "local", "remote_write":
		return fmt.Sprintf("synchronous_commit is set to %s, with which a crash or a failover could lose acknowledged events; "+
			"Tallystick's connections overrule it and commit with on", d.SynchronousCommit)
	}
	return ""
}

// warnings returns what an operator should know: appends wait for synchronous standbys although synchronous_commit is set not to.
func (h *health) warnings() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if text := overruled(h.configured); text != "" && h.configured.SynchronousCommit != "off" {
		return []string{text}
	}
	return nil
}
