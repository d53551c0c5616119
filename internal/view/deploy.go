package view

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// MaxConfigBytes bounds a view's configuration, which the guest may copy at every event.
	MaxConfigBytes = 64 << 10
	// MaxViewsPerLog bounds what one append may have to fold.
	MaxViewsPerLog = 64
	// deployPatience is how long a deploy waits for its version to be built before it answers that it is building.
	deployPatience = 2 * time.Second
)

// Status is where a version of a view is in its life.
type Status string

// A version builds, then is live until it halts or another takes its place.
const (
	Building Status = "building"
	Live     Status = "live"
	Halted   Status = "halted"
	Retired  Status = "retired"
)

// Info describes one version of a view.
type Info struct {
	Name           string
	ViewID         db.UUID
	VersionID      db.UUID
	Version        int32
	ModuleSHA256   string
	Config         []byte
	Status         Status
	Applied        int64  // the sequence it has folded up to; the head's for a live one
	Head           int64  // the log's head when this was read
	HaltedSequence int64  // the event it could not fold; 0 unless it halted
	Error          string // why it halted
	CreatedAt      time.Time
}

// RefusedError says why a view cannot be deployed. Code is stable, Detail is for people.
type RefusedError struct{ Code, Detail string }

func (e *RefusedError) Error() string { return e.Code + ": " + e.Detail }

// Deploy makes code, with config, the newest version of the view called name on the log, and builds it from the
// log's history. A version that is being built or live and has the same code and config is taken for the one meant.
// Deploy answers after at most two seconds and a bit; a version still building goes on in the background. One that a newer
// deploy has overtaken meanwhile comes back retired.
// The error is a *RefusedError, an *eventlog.InvalidError or the database's.
func (v *Views) Deploy(ctx context.Context, log db.UUID, name string, code, config []byte) (Info, error) {
	if err := eventlog.CheckName("the view's name", name); err != nil {
		return Info{}, err
	}
	module, fields, err := v.check(ctx, code, config)
	if err != nil {
		return Info{}, err
	}
	version, err := v.insertVersion(ctx, log, name, module.SHA256(), code, config, fields)
	if err != nil {
		return Info{}, err
	}
	if err := v.buildFor(ctx, log, version, deployPatience); err != nil {
		return Info{}, err
	}
	row, err := v.db.GetViewVersion(ctx, v.db.Read, dbsqlc.GetViewVersionParams{LogID: log, VersionID: version})
	if err != nil {
		return Info{}, fmt.Errorf("reading a view version: %w", db.Classify(err))
	}
	return infoFromRow(dbsqlc.ListViewsRow(row)), nil
}

func (v *Views) check(ctx context.Context, code, config []byte) (*wasm.Module, []string, error) {
	if len(config) > MaxConfigBytes {
		return nil, nil, &RefusedError{"config_too_large", fmt.Sprintf("the configuration has %d bytes; at most %d are allowed", len(config), MaxConfigBytes)}
	}
	if err := jsonscan.Valid(config); err != nil {
		return nil, nil, &RefusedError{"invalid_config", fmt.Sprintf("the configuration is not valid JSON: %v", err)}
	}
	module, err := v.compile(ctx, code)
	var refused *wasm.RefusedError
	if errors.As(err, &refused) {
		return nil, nil, &RefusedError{refused.Code, refused.Reason}
	} else if err != nil {
		return nil, nil, fmt.Errorf("compiling a module: %w", err)
	}
	fields, err := module.Fields(ctx, config)
	var failed *wasm.ViewError
	if errors.As(err, &failed) {
		return nil, nil, &RefusedError{"view_refused_config", "the view refused to start with this configuration: " + failed.Message}
	} else if errors.As(err, &refused) {
		return nil, nil, &RefusedError{refused.Code, refused.Reason}
	} else if err != nil {
		return nil, nil, fmt.Errorf("asking a view for its fields: %w", err)
	}
	if _, err := v.fields.of(fields); err != nil {
		return nil, nil, &RefusedError{"invalid_fields", err.Error()}
	}
	return module, fields, nil
}

func (v *Views) insertVersion(ctx context.Context, log db.UUID, name string, sha256 [32]byte, code, config []byte, fields []string) (db.UUID, error) {
	id := db.NewUUID()
	err := v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.db.InsertModule(ctx, tx, dbsqlc.InsertModuleParams{Sha256: sha256[:], Wasm: code}); err != nil {
			return err
		}
		if err := v.db.InsertView(ctx, tx, dbsqlc.InsertViewParams{LogID: log, ViewID: db.NewUUID(), Name: name}); err != nil {
			return err
		}
		count, err := v.db.CountViews(ctx, tx, log)
		if err != nil {
			return err
		}
		if count > MaxViewsPerLog {
			return &RefusedError{"too_many_views", fmt.Sprintf("the log has %d views; at most %d are allowed", count-1, MaxViewsPerLog)}
		}
		viewID, err := v.db.LockView(ctx, tx, dbsqlc.LockViewParams{LogID: log, Name: name})
		if err != nil {
			return err
		}
		last, err := v.db.LastViewVersion(ctx, tx, dbsqlc.LastViewVersionParams{LogID: log, ViewID: viewID})
		if err != nil && !isNotFound(db.Classify(err)) {
			return err
		}
		running := last.Status == string(Building) || last.Status == string(Live)
		if running && bytes.Equal(last.ModuleSha256, sha256[:]) && bytes.Equal(last.Config, config) {
			id = last.VersionID
			return nil
		}
		if fields == nil {
			fields = []string{}
		}
		return v.db.InsertViewVersion(ctx, tx, dbsqlc.InsertViewVersionParams{
			LogID: log, VersionID: id, ViewID: viewID, Version: last.Version + 1, ModuleSha256: sha256[:], Config: config, Fields: fields,
		})
	})
	if err != nil {
		return db.UUID{}, fmt.Errorf("recording a view version: %w", err)
	}
	return id, nil
}

// ErrViewNotFound: the log has no view with that name.
var ErrViewNotFound = errors.New("view not found")

// List describes the versions of a log's views that are not retired.
func (v *Views) List(ctx context.Context, log db.UUID) ([]Info, error) {
	rows, err := v.db.ListViews(ctx, v.db.Read, log)
	if err != nil {
		return nil, fmt.Errorf("listing views: %w", db.Classify(err))
	}
	infos := make([]Info, len(rows))
	for i, row := range rows {
		infos[i] = infoFromRow(row)
	}
	return infos, nil
}

func infoFromRow(row dbsqlc.ListViewsRow) Info {
	info := Info{
		Name: row.Name, ViewID: row.ViewID, VersionID: row.VersionID, Version: row.Version,
		ModuleSHA256: hex.EncodeToString(row.ModuleSha256), Config: row.Config, Status: Status(row.Status),
		Applied: row.AppliedSequence, Head: row.Head, CreatedAt: row.CreatedAt,
	}
	if info.Status == Live {
		info.Applied = row.Head
	}
	if row.HaltedSequence != nil {
		info.HaltedSequence = *row.HaltedSequence
	}
	if row.Error != nil {
		info.Error = *row.Error
	}
	return info
}

// Get describes the versions of one view that are not retired. The error is ErrViewNotFound or the database's.
func (v *Views) Get(ctx context.Context, log db.UUID, name string) ([]Info, error) {
	all, err := v.List(ctx, log)
	if err != nil {
		return nil, err
	}
	var infos []Info
	for _, info := range all {
		if info.Name == name {
			infos = append(infos, info)
		}
	}
	if len(infos) == 0 {
		return nil, ErrViewNotFound
	}
	return infos, nil
}
