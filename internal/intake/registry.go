package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/source"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxSources bounds the sources that a tenant has at a time.
	MaxSources = 1000
	// maxNameBytes bounds a source's name: its log of rejects has that name with a prefix.
	maxNameBytes = eventlog.MaxNameBytes - len(rejectsPrefix)
	// MaxMappingBytes bounds a mapping as it is sent, and with the ready mapping that it names written out.
	MaxMappingBytes = 64 << 10
)

// DefaultSource is the name of the source that each tenant has, and that takes what names no source.
const DefaultSource = "default"

// defaultMapping is what the source default does before anybody has said what it is to do: it takes events as they are, with the name of
// their log in them.
const defaultMapping = `{"log": ["{/log}", "{/subject}", "{/attributes/tally.log}"], "id": ["{/id}", "{/attributes/tally.id}"], ` +
	`"create": {"most": 10000}, "keep": "bytes"}`

// Errors of sources.
var (
	ErrSourceNotFound  = errors.New("source not found")
	ErrVersionNotFound = errors.New("the source has no such version")
	ErrTooManySources  = errors.New("too many sources")
	// ErrNewerMapping: the mapping was made by a newer server, and this one does not understand it.
	ErrNewerMapping = errors.New("the mapping is of a newer server")
)

// Source is what a source is told to do. It is never changed, and shared: its mapping must not be, either.
type Source struct {
	Tenant    uuid.UUID
	Name      string
	Version   int64           // 0: the source default, of which nobody has said what it is to do
	Mapping   *source.Mapping // nil in the version by which a source was deleted
	Sent      json.RawMessage // the mapping as it was sent; nil likewise
	CreatedAt time.Time       // when this version was made; zero for version 0
	CreatedBy string
}

// Registry holds the sources. What it knows of them it keeps in memory, and believes for less than a second unless the database confirms
// that nothing has changed. It is safe for concurrent use.
type Registry struct {
	db       *db.DB
	record   *access.Registry
	standard *source.Mapping // of the source default
	lookups  chan struct{}   // holds one for each lookup under way
	asking   chan struct{}   // holds one while somebody asks what has changed
	began    time.Time
	Stats    RegistryStats

	mu      sync.RWMutex
	known   map[sourceKey]*known
	absent  map[sourceKey]*known // apart, so that whoever invents names drives out no sources
	bytes   int                  // about, of known
	version dbsqlc.SourcesVersionRow
	epoch   uint64        // grows whenever something is forgotten: what was read before may be out of date
	asked   time.Duration // since began: when the database was last asked what has changed, and answered
	failed  time.Duration // since began: when it last did not answer
	failure error         // why; nil once it has answered
}

// RegistryStats counts what a registry asks the database.
type RegistryStats struct {
	Lookups   atomic.Int64 // of sources
	Refreshes atomic.Int64 // whether anything has changed
}

type sourceKey struct {
	tenant uuid.UUID
	name   string
}

// known is what is known of a name: a source, or why there is none.
type known struct {
	source *Source
	err    error
	bytes  int
}

// NewRegistry returns the registry of the database's sources.
func NewRegistry(d *db.DB) *Registry {
	standard, err := source.Parse([]byte(defaultMapping))
	if err != nil {
		panic(fmt.Sprintf("the mapping of the source default: %v", err)) // it is part of the program
	}
	return &Registry{
		db: d, record: access.NewRegistry(d), standard: standard, lookups: make(chan struct{}, maxLookups), asking: make(chan struct{}, 1),
		began: time.Now(), known: map[sourceKey]*known{}, absent: map[sourceKey]*known{}, asked: -time.Hour, failed: -time.Hour,
	}
}

// Put makes this mapping what the source does, from now on; within a second on every server. What it does already makes no version:
// changed is false then, and the source is as it was. The error is an *event.InvalidError, ErrTooManySources, or the database's.
func (r *Registry) Put(
	ctx context.Context, by access.Actor, tenant uuid.UUID, name string, mapping []byte,
) (put *Source, changed bool, err error) {
	if err := eventlog.CheckName("the source's name", name); err != nil {
		return nil, false, err
	}
	if len(name) > maxNameBytes {
		return nil, false, event.Invalid("invalid_name", "the source's name has %d bytes; 1 to %d are allowed", len(name), maxNameBytes)
	}
	if len(mapping) > MaxMappingBytes {
		return nil, false, mappingTooLarge("the mapping", len(mapping))
	}
	if !utf8.Valid(mapping) {
		return nil, false, event.Invalid("invalid_mapping", "the mapping is not UTF-8")
	}
	parsed, err := source.Parse(mapping)
	if err != nil {
		return nil, false, err
	}
	resolved := parsed.JSON()
	if len(resolved) > MaxMappingBytes {
		return nil, false, mappingTooLarge("the mapping, with the ready one that it names written out,", len(resolved))
	}
	put = &Source{Tenant: tenant, Name: name, Mapping: parsed, Sent: mapping, CreatedBy: by.Name}
	err = r.change(ctx, "putting a source", put, func(tx pgx.Tx, present dbsqlc.GetSourceRow, number int64) error {
		if string(present.Resolved) == string(resolved) {
			put.Version, put.Sent, put.CreatedAt, put.CreatedBy = present.Version, present.Mapping, present.CreatedAt, present.CreatedBy
			return nil
		}
		if present.Resolved == nil {
			count, err := r.db.CountSources(ctx, tx, tenant)
			if err != nil {
				return err
			}
			if count >= MaxSources {
				return ErrTooManySources
			}
		}
		changed = true
		if err := r.insert(ctx, tx, put, resolved, number); err != nil {
			return err
		}
		return r.record.Record(ctx, tx, tenant, by, "source.put", name, map[string]int64{"version": put.Version})
	})
	if err != nil {
		return nil, false, err
	}
	return put, changed, nil
}

func mappingTooLarge(what string, size int) error {
	return event.Invalid("invalid_mapping", "%s has %d bytes; at most %d are allowed", what, size, MaxMappingBytes)
}

// Delete ends a source, within a second on every server; its versions stay, and so do its events and rejects. The source default does
// again what it did before anybody said something else. The error is ErrSourceNotFound or the database's.
func (r *Registry) Delete(ctx context.Context, by access.Actor, tenant uuid.UUID, name string) error {
	if eventlog.CheckName("", name) != nil {
		return ErrSourceNotFound
	}
	deleted := &Source{Tenant: tenant, Name: name, CreatedBy: by.Name}
	return r.change(ctx, "deleting a source", deleted, func(tx pgx.Tx, present dbsqlc.GetSourceRow, number int64) error {
		if present.Resolved == nil {
			return ErrSourceNotFound
		}
		if err := r.insert(ctx, tx, deleted, nil, number); err != nil {
			return err
		}
		return r.record.Record(ctx, tx, tenant, by, "source.delete", name, map[string]int64{"version": deleted.Version})
	})
}

// change runs fn with the present version of a source in a transaction that other servers notice, one change after the other. of.Version
// is the next version's number.
func (r *Registry) change(
	ctx context.Context, what string, of *Source, fn func(tx pgx.Tx, present dbsqlc.GetSourceRow, number int64) error,
) error {
	err := r.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		number, err := r.db.NextSourcesVersion(ctx, tx)
		if err != nil {
			return err
		}
		present, err := r.db.GetSource(ctx, tx, dbsqlc.GetSourceParams{TenantID: of.Tenant, Name: of.Name})
		if err = db.Classify(err); err != nil && !errors.Is(err, db.ErrNotFound) {
			return err
		}
		of.Version = present.Version + 1
		return fn(tx, present, number)
	})
	r.forget(sourceKey{of.Tenant, of.Name}) // also when it is not known what became of it
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (r *Registry) insert(ctx context.Context, tx pgx.Tx, s *Source, resolved []byte, number int64) (err error) {
	err = r.db.SetSource(ctx, tx, dbsqlc.SetSourceParams{
		TenantID: s.Tenant, Name: s.Name, Version: s.Version, Deleted: resolved == nil, Changed: number,
	})
	if err != nil {
		return err
	}
	s.CreatedAt, err = r.db.InsertSourceVersion(ctx, tx, dbsqlc.InsertSourceVersionParams{
		TenantID: s.Tenant, Name: s.Name, Version: s.Version, Mapping: s.Sent, Resolved: resolved, CreatedBy: s.CreatedBy,
	})
	return err
}
