// Package eventlog creates and finds logs, and reads the events that they hold.
package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Limits of a log's description.
const (
	MaxNameBytes  = 200
	MaxLabels     = 32
	MaxLabelBytes = 255 // of a label's name, and of its value
	MaxViews      = 64  // of one log: what one append may have to fold
	// MaxViewGas is the gas that all views of a log together may use to fold one event: about two seconds, which one append must be able to
	// take.
	MaxViewGas = 4_000_000_000
	// maxCreating bounds the logs that are created at a time, and patternPatience how long each waits for the lock on patterns: any login
	// of the database can hold that, and must not hold up more than this.
	maxCreating     = 6
	patternPatience = "5s"
	// maxResolved bounds the resolved names and ids that are remembered; when there are more, all are forgotten.
	maxResolved = 200_000
)

// ErrLogNotFound: the tenant has no log with that id or name.
var ErrLogNotFound = errors.New("log not found")

// NameTakenError: another log already has the name.
type NameTakenError struct{ LogID uuid.UUID }

func (e *NameTakenError) Error() string { return "the name belongs to log " + e.LogID.String() }

// Log describes a log and its head.
type Log struct {
	ID        uuid.UUID
	Name      string
	Labels    map[string]string
	CreatedAt time.Time
	Head      event.Head
}

// Logs creates, finds and lists logs. It is safe for concurrent use.
type Logs struct {
	db       *db.DB
	creating chan struct{} // holds one for each log that is being created

	mu       sync.RWMutex
	resolved map[logRef]Ref
	owners   map[uuid.UUID]owner // of resolved logs
}

// Ref is what never changes of a log.
type Ref struct {
	ID   uuid.UUID
	Name string
}

type logRef struct {
	tenant uuid.UUID
	ref    string
}

type owner struct {
	tenant uuid.UUID
	name   string
}

// NewLogs returns the logs of the database.
func NewLogs(d *db.DB) *Logs {
	return &Logs{db: d, creating: make(chan struct{}, maxCreating), resolved: map[logRef]Ref{}, owners: map[uuid.UUID]owner{}}
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@+=~-]*$`)

// CheckName returns an *event.InvalidError when a log or view cannot have this name; what names it in the error. A name never looks like a
// UUID, so that it cannot be taken for an id.
func CheckName(what, name string) error {
	if name == "" || len(name) > MaxNameBytes {
		return event.Invalid("invalid_name", "%s has %d bytes; 1 to %d are allowed", what, len(name), MaxNameBytes)
	}
	if !namePattern.MatchString(name) {
		return event.Invalid("invalid_name",
			"%s may hold letters, digits and any of . _ : @ + = ~ - and starts with a letter or digit; %q does not fit", what, name)
	}
	if _, err := uuid.Parse(name); err == nil {
		return event.Invalid("invalid_name", "%s must not have the form of a UUID: it could be taken for an id", what)
	}
	return nil
}

// CheckLabels returns an *event.InvalidError when a log cannot have these labels.
func CheckLabels(labels map[string]string) error {
	if len(labels) > MaxLabels {
		return event.Invalid("invalid_labels", "%d labels were given; at most %d are allowed", len(labels), MaxLabels)
	}
	for name, value := range labels {
		if err := event.CheckText("invalid_labels", "a label's name", []byte(name), MaxLabelBytes); err != nil {
			return err
		}
		if err := event.CheckText("invalid_labels", "label "+name, []byte(value), MaxLabelBytes); err != nil {
			return err
		}
	}
	return nil
}

// complete adds a new log's head and the views whose patterns its name matches. They are live before its first event.
func (l *Logs) complete(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, log Log) error {
	var pipeline db.Pipeline
	err := l.db.InsertLogHead(ctx, &pipeline, dbsqlc.InsertLogHeadParams{LogID: log.ID, Hash: log.Head.Hash[:], RecordedAt: log.CreatedAt})
	if err != nil {
		return err
	}
	if err := l.db.BoundLocks(ctx, &pipeline, patternPatience); err != nil {
		return err
	}
	if err := l.db.SharePatterns(ctx, &pipeline, tenant); err != nil {
		return err
	}
	err = l.db.PlacePatternViews(ctx, &pipeline, dbsqlc.PlacePatternViewsParams{
		LogID: log.ID, TenantID: tenant, Name: log.Name, MaxViews: MaxViews, MaxFoldGas: MaxViewGas,
	})
	if err != nil {
		return err
	}
	return pipeline.SendIn(ctx, tx)
}

// Create creates an empty log. The error is an *event.InvalidError, a *NameTakenError, or the database's.
func (l *Logs) Create(ctx context.Context, tenant uuid.UUID, name string, labels map[string]string) (Log, error) {
	return l.CreateIf(ctx, tenant, name, labels, func(context.Context, pgx.Tx) error { return nil })
}

// CreateIf is Create with a condition, which may write in the log's transaction. Its error is returned, and there is no log then. It may
// be called twice.
func (l *Logs) CreateIf(
	ctx context.Context, tenant uuid.UUID, name string, labels map[string]string, condition func(context.Context, pgx.Tx) error,
) (Log, error) {
	if err := errors.Join(CheckName("the log's name", name), CheckLabels(labels)); err != nil {
		return Log{}, err
	}
	if labels == nil {
		labels = map[string]string{}
	}
	encoded, err := json.Marshal(labels)
	if err != nil {
		return Log{}, fmt.Errorf("encoding labels: %w", err)
	}
	log := Log{ID: uuid.New(), Name: name, Labels: labels}
	log.Head = event.Head{Hash: event.Genesis(log.ID)}
	err = l.insert(ctx, tenant, &log, encoded, condition)
	if errors.Is(err, db.ErrOutcomeUnknown) {
		// Inserting again waits until the first transaction has ended, and then finds the log or creates it.
		if again := l.insert(ctx, tenant, &log, encoded, condition); again == nil || errors.Is(again, db.ErrAlreadyExists) {
			err = again
		} else {
			err = fmt.Errorf("%w: %w", err, again)
		}
	}
	if errors.Is(err, db.ErrAlreadyExists) {
		existing, findErr := l.db.LogIDByName(ctx, l.db.Read, dbsqlc.LogIDByNameParams{TenantID: tenant, Name: name})
		if findErr != nil {
			return Log{}, fmt.Errorf("finding the log that has the name: %w", db.Classify(findErr))
		}
		if existing == log.ID {
			// The first transaction was committed. When this one is durable, so is that.
			if err := l.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return l.db.WriteNothing(ctx, tx) }); err != nil {
				return Log{}, fmt.Errorf("creating a log: %w", err)
			}
			return l.Get(ctx, tenant, existing)
		}
		return Log{}, &NameTakenError{LogID: existing}
	}
	if err != nil {
		return Log{}, fmt.Errorf("creating a log: %w", err)
	}
	return log, nil
}

// insert stores a new log and sets its times.
func (l *Logs) insert(
	ctx context.Context, tenant uuid.UUID, log *Log, labels []byte, condition func(context.Context, pgx.Tx) error,
) error {
	select {
	case l.creating <- struct{}{}:
		defer func() { <-l.creating }()
	case <-ctx.Done():
		return fmt.Errorf("waiting to create a log: %w", ctx.Err())
	}
	return l.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
		params := dbsqlc.InsertLogParams{LogID: log.ID, TenantID: tenant, Name: log.Name, Labels: labels}
		log.CreatedAt, err = l.db.InsertLog(ctx, tx, params)
		if err != nil {
			return err
		}
		log.Head.RecordedAt = log.CreatedAt.UnixMicro()
		if err := condition(ctx, tx); err != nil {
			return err
		}
		return l.complete(ctx, tx, tenant, *log)
	})
}

// Resolve returns the log that ref names, by id or by name. Logs are never renamed or removed, so Resolve remembers what it
// found, until Forget. The error is ErrLogNotFound or the database's.
func (l *Logs) Resolve(ctx context.Context, tenant uuid.UUID, ref string) (Ref, error) {
	key := logRef{tenant, ref}
	l.mu.RLock()
	log, known := l.resolved[key]
	l.mu.RUnlock()
	if known {
		return log, nil
	}
	log, err := l.find(ctx, tenant, ref)
	if errors.Is(err, db.ErrNotFound) {
		return Ref{}, ErrLogNotFound
	}
	if err != nil {
		return Ref{}, fmt.Errorf("finding a log: %w", err)
	}
	l.remember(tenant, ref, log)
	return log, nil
}

func (l *Logs) remember(tenant uuid.UUID, ref string, log Ref) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.resolved) >= maxResolved {
		clear(l.resolved)
		clear(l.owners)
	}
	l.resolved[logRef{tenant, ref}] = log
	l.owners[log.ID] = owner{tenant, log.Name}
}

// ResolveNames is Resolve for many names. Those that no log has are left out. The error is the database's.
func (l *Logs) ResolveNames(ctx context.Context, tenant uuid.UUID, names []string) (map[string]Ref, error) {
	found := make(map[string]Ref, len(names))
	var unknown []string
	l.mu.RLock()
	for _, name := range names {
		if log, known := l.resolved[logRef{tenant, name}]; known {
			found[name] = log
		} else {
			unknown = append(unknown, name)
		}
	}
	l.mu.RUnlock()
	if len(unknown) == 0 {
		return found, nil
	}
	rows, err := l.db.LogIDsByNames(ctx, l.db.Read, dbsqlc.LogIDsByNamesParams{TenantID: tenant, Names: unknown})
	if err != nil {
		return nil, fmt.Errorf("finding logs: %w", db.Classify(err))
	}
	for _, row := range rows {
		log := Ref{row.LogID, row.Name}
		l.remember(tenant, row.Name, log)
		found[row.Name] = log
	}
	return found, nil
}

// TenantOf returns the tenant of a log that was resolved; zero for others.
func (l *Logs) TenantOf(log uuid.UUID) uuid.UUID {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.owners[log].tenant
}

// Owner returns the tenant and the name of a log that was resolved; known is false for others.
func (l *Logs) Owner(log uuid.UUID) (tenant uuid.UUID, name string, known bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	o, known := l.owners[log]
	return o.tenant, o.name, known
}

// Forget drops what Resolve remembers of ref, and reports whether there was anything: then Resolve may find another log. Call it when the
// log turns out not to exist, as after a restore to a time before it was created.
func (l *Logs) Forget(tenant uuid.UUID, ref string) bool {
	key := logRef{tenant, ref}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.resolved[key]
	delete(l.resolved, key)
	return known
}

func (l *Logs) find(ctx context.Context, tenant uuid.UUID, ref string) (Ref, error) {
	if id, err := uuid.Parse(ref); err == nil {
		name, err := l.db.LogName(ctx, l.db.Read, dbsqlc.LogNameParams{LogID: id, TenantID: tenant})
		return Ref{id, name}, db.Classify(err)
	}
	if CheckName("", ref) != nil {
		return Ref{}, db.ErrNotFound
	}
	id, err := l.db.LogIDByName(ctx, l.db.Read, dbsqlc.LogIDByNameParams{TenantID: tenant, Name: ref})
	return Ref{id, strings.Clone(ref)}, db.Classify(err)
}

// Get describes one log. The error is ErrLogNotFound or the database's.
func (l *Logs) Get(ctx context.Context, tenant, id uuid.UUID) (Log, error) {
	row, err := l.db.GetLog(ctx, l.db.Read, dbsqlc.GetLogParams{LogID: id, TenantID: tenant})
	if err := db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return Log{}, ErrLogNotFound
	} else if err != nil {
		return Log{}, fmt.Errorf("reading a log: %w", err)
	}
	return logFromRow(dbsqlc.ListLogsRow(row))
}

// Listing selects logs by their names.
type Listing struct {
	Prefix string  // of the names
	After  string  // only names that come after this one
	Logs   Pattern // which of them there are for whoever asks
	Limit  int32
}

// List returns logs in the order of their names. Their memory is booked in room, which may be nil. The error is memory.ErrFull or the
// database's.
func (l *Logs) List(ctx context.Context, tenant uuid.UUID, listing Listing, room *memory.Hold) ([]Log, error) {
	rows, err := l.db.ListLogs(ctx, db.Booked(l.db.Read, room), dbsqlc.ListLogsParams{
		TenantID: tenant, After: listing.After, NamePattern: escapeLike(listing.Prefix) + "%", Visible: listing.Logs.Like(),
		MaxRows: listing.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("listing logs: %w", db.Classify(err))
	}
	logs := make([]Log, len(rows))
	for i, row := range rows {
		if logs[i], err = logFromRow(row); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(s string) string { return likeEscaper.Replace(s) }

func logFromRow(row dbsqlc.ListLogsRow) (Log, error) {
	log := Log{ID: row.LogID, Name: row.Name, CreatedAt: row.CreatedAt}
	if err := json.Unmarshal(row.Labels, &log.Labels); err != nil {
		return Log{}, fmt.Errorf("reading the labels of log %s: %w", row.LogID, err)
	}
	log.Head = event.Head{Sequence: row.Sequence, Hash: event.Hash(row.Hash), RecordedAt: row.RecordedAt.UnixMicro()}
	return log, nil
}

// Resolved is how many names and ids of logs are remembered.
func (l *Logs) Resolved() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.resolved)
}
