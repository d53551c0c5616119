package intake

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Listed is a version of a source in a list, without its mapping.
type Listed struct {
	Name      string
	Version   int64
	Deleted   bool // by this version
	CreatedAt time.Time
	CreatedBy string
}

// List returns up to limit of the tenant's sources whose names come after the name after, in the order of their names: those that somebody
// has put. Their memory is booked in room, which may be nil.
func (r *Registry) List(ctx context.Context, tenant uuid.UUID, after string, limit int32, room *memory.Hold) ([]Listed, error) {
	page := dbsqlc.ListSourcesParams{TenantID: tenant, After: after, MaxRows: limit}
	rows, err := r.db.ListSources(ctx, db.Booked(r.db.Read, room), page)
	if err != nil {
		return nil, fmt.Errorf("listing sources: %w", db.Classify(err))
	}
	list := make([]Listed, len(rows))
	for i, row := range rows {
		list[i] = Listed{Name: row.Name, Version: row.Version, CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy}
	}
	return list, nil
}

// Versions returns up to limit versions of a source from before a version, newest first; before is 0 for the newest. They are there also
// once the source is deleted. Their memory is booked in room, which may be nil. The error is ErrSourceNotFound if it never had any, or the
// database's.
func (r *Registry) Versions(
	ctx context.Context, tenant uuid.UUID, name string, before int64, limit int32, room *memory.Hold,
) ([]Listed, error) {
	if eventlog.CheckName("", name) != nil {
		return nil, ErrSourceNotFound
	}
	if before == 0 {
		before = math.MaxInt64
	}
	page := dbsqlc.ListSourceVersionsParams{TenantID: tenant, Name: name, Before: before, MaxRows: limit}
	rows, err := r.db.ListSourceVersions(ctx, db.Booked(r.db.Read, room), page)
	if err != nil {
		return nil, fmt.Errorf("listing versions of a source: %w", db.Classify(err))
	}
	if len(rows) == 0 && before > 1 {
		return nil, ErrSourceNotFound
	}
	list := make([]Listed, len(rows))
	for i, row := range rows {
		list[i] = Listed{Name: name, Version: row.Version, Deleted: row.Deleted, CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy}
	}
	return list, nil
}

// Version returns one version of a source, which may be the one by which it was deleted. The error is ErrVersionNotFound, ErrNewerMapping
// or the database's.
func (r *Registry) Version(ctx context.Context, tenant uuid.UUID, name string, version int64) (*Source, error) {
	if eventlog.CheckName("", name) != nil {
		return nil, ErrVersionNotFound
	}
	row, err := r.db.GetSourceVersion(ctx, r.db.Read, dbsqlc.GetSourceVersionParams{TenantID: tenant, Name: name, Version: version})
	if err = db.Classify(err); errors.Is(err, db.ErrNotFound) {
		return nil, ErrVersionNotFound
	} else if err != nil {
		return nil, fmt.Errorf("reading a version of a source: %w", err)
	}
	return sourceFromRow(sourceKey{tenant, name}, dbsqlc.GetSourceRow(row))
}
