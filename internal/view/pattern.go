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
	"github.com/tallystick/tallystick/internal/memory"
	"github.com/tallystick/tallystick/internal/uuid"
)

const (
	// MaxPatterns bounds a tenant's view patterns: every log that is created is compared with each.
	MaxPatterns = 1000
	// lockPatience is how long a deploy on a pattern waits for logs that are being created, or for whoever else holds that lock.
	lockPatience = "30s"
)

// PatternStatus is where a view's pattern is in its life.
type PatternStatus string

// A pattern is active until it is retired, which takes the time to go over its logs.
const (
	PatternActive   PatternStatus = "active"
	PatternRetiring PatternStatus = "retiring"
	PatternRetired  PatternStatus = "retired"
)

// PatternInfo describes a view that is deployed on a pattern.
type PatternInfo struct {
	Name         string
	ID           uuid.UUID
	Pattern      eventlog.Pattern
	Revision     int32 // grows with each deploy that changes something
	ModuleSHA256 string
	Config       []byte
	FoldGas      int64
	Guard        bool // it decides on events
	OnHalt       OnHalt
	Actor        string // who deployed it; "" is unknown
	Status       PatternStatus
	Spreading    bool // not every log has been looked at yet
	CreatedAt    time.Time
	DeployedAt   time.Time
	Unchanged    bool // of a deploy alone: what it asked for had been asked for last already
}

// PatternLogs counts the logs that a pattern matches, each by the status of the view's version with the highest turn there.
type PatternLogs struct {
	Matching int64
	Live     int64
	Building int64
	Halted   int64
	Retired  int64 // on the log itself; the next revision brings it back
	Waiting  int64 // for the newest revision; once the pattern has spread, for want of room: MaxViewsPerLog
	Own      int64 // with a view of the log's own, which the pattern does not replace
	Done     int64 // events that are folded, of those in logs that the pattern covers
	Total    int64
}

// ErrPatternNotFound: no view of that name is deployed on a pattern.
var ErrPatternNotFound = errors.New("no view of that name is deployed on a pattern of logs")

// PatternDiffersError: the view is deployed on another pattern.
type PatternDiffersError struct{ Name, Pattern string }

func (e *PatternDiffersError) Error() string {
	return fmt.Sprintf("view %s is deployed on the logs %s; retire it there first, or deploy under another name", e.Name, e.Pattern)
}

// DeployPattern makes a module with a configuration the newest revision of the view called name on every log of the tenant
// whose name the pattern matches, now and later; an empty pattern stands for the one that the view has already. Logs on
// which the view was deployed by itself keep theirs. Deploying the same again only retries the logs that had no room.
// Existing logs get their version in the background; DeployPattern returns after little more than two seconds.
// The error is a *RefusedError, a *PatternDiffersError, an *event.InvalidError or the database's.
func (v *Views) DeployPattern(
	ctx context.Context, tenant uuid.UUID, name string, pattern eventlog.Pattern, d Deployment,
) (PatternInfo, error) {
	if err := eventlog.CheckName("the view's name", name); err != nil {
		return PatternInfo{}, err
	}
	if pattern == "" {
		existing, err := v.Pattern(ctx, tenant, name)
		if err != nil && !errors.Is(err, ErrPatternNotFound) {
			return PatternInfo{}, err
		}
		pattern = existing.Pattern
	}
	if err := pattern.Check(); err != nil {
		return PatternInfo{}, err
	}
	if err := v.check(ctx, &d); err != nil {
		return PatternInfo{}, err
	}
	if err := v.deployPattern(ctx, tenant, name, pattern, &d); err != nil {
		v.unload(ctx, &d)
		return PatternInfo{}, err
	}
	if err := v.spreadFor(ctx, tenant, name, deployPatience); err != nil {
		return PatternInfo{}, err
	}
	info, err := v.Pattern(ctx, tenant, name)
	info.Unchanged = d.unchanged
	return info, err
}

// deployPattern rehearses a deployment with one of the pattern's logs and makes it the view's newest revision.
func (v *Views) deployPattern(ctx context.Context, tenant uuid.UUID, name string, pattern eventlog.Pattern, d *Deployment) error {
	sample, err := v.db.PatternSampleLog(ctx, v.db.Read, dbsqlc.PatternSampleLogParams{TenantID: tenant, LikePattern: pattern.Like()})
	if kind := db.Classify(err); kind != nil && !isNotFound(kind) {
		return fmt.Errorf("finding a log to rehearse with: %w", kind)
	}
	if err := v.rehearse(ctx, sample, d); err != nil {
		return err
	}
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error { return v.recordPattern(ctx, tx, tenant, name, pattern, d) })
	if err != nil {
		return fmt.Errorf("recording a view pattern: %w", err)
	}
	return nil
}

// recordPattern makes a deployment the view's newest revision. It excludes the creation of logs, which would miss the pattern.
func (v *Views) recordPattern(
	ctx context.Context, tx pgx.Tx, tenant uuid.UUID, name string, pattern eventlog.Pattern, d *Deployment,
) error {
	if err := v.db.BoundLocks(ctx, tx, lockPatience); err != nil {
		return err
	}
	if err := v.db.LockPatterns(ctx, tx, tenant); err != nil {
		return err
	}
	if err := v.db.InsertModule(ctx, tx, dbsqlc.InsertModuleParams{Sha256: d.module.SHA256[:], Wasm: d.Code}); err != nil {
		return err
	}
	if err := v.db.InsertTenantModule(ctx, tx, dbsqlc.InsertTenantModuleParams{TenantID: tenant, Sha256: d.module.SHA256[:]}); err != nil {
		return err
	}
	if err := v.db.DropUpload(ctx, tx, dbsqlc.DropUploadParams{TenantID: tenant, Sha256: d.module.SHA256[:]}); err != nil {
		return err
	}
	row, err := v.db.LockPattern(ctx, tx, dbsqlc.LockPatternParams{TenantID: tenant, Name: name})
	found := !isNotFound(db.Classify(err))
	if err != nil && found {
		return err
	}
	active := found && PatternStatus(row.Status) == PatternActive
	d.unchanged = active && row.Pattern == string(pattern) && v.isNewest(row, d)
	switch {
	case active && row.Pattern != string(pattern):
		return &PatternDiffersError{Name: name, Pattern: row.Pattern}
	case d.unchanged:
		return v.db.SpreadPatternAgain(ctx, tx, dbsqlc.SpreadPatternAgainParams{
			AfterLog: firstLog, TenantID: tenant, PatternID: row.PatternID,
		})
	}
	if !found || PatternStatus(row.Status) == PatternRetired {
		count, err := v.db.CountPatterns(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if count >= MaxPatterns {
			return &RefusedError{
				"too_many_patterns",
				fmt.Sprintf("%d views are deployed on patterns of logs; at most %d are allowed", count, MaxPatterns),
			}
		}
	}
	if active && d.OnHalt == "" { // it stays as it is
		d.OnHalt = OnHalt(row.OnHalt)
	}
	if found {
		return v.db.UpdatePattern(ctx, tx, dbsqlc.UpdatePatternParams{
			TenantID: tenant, PatternID: row.PatternID, Pattern: string(pattern), LikePattern: pattern.Like(), Revision: row.Revision + 1,
			ModuleSha256: d.module.SHA256[:], Config: d.Config, Fields: d.fields, FoldGas: v.foldGas(d), CostModel: int16(d.module.Model),
			Guard: d.guard, OnHalt: d.onHalt(), Actor: d.Actor, AfterLog: firstLog,
		})
	}
	return v.db.InsertPattern(ctx, tx, dbsqlc.InsertPatternParams{
		TenantID: tenant, PatternID: uuid.New(), Name: name, Pattern: string(pattern), LikePattern: pattern.Like(),
		ModuleSha256: d.module.SHA256[:], Config: d.Config, Fields: d.fields, FoldGas: v.foldGas(d), CostModel: int16(d.module.Model),
		Guard: d.guard, OnHalt: d.onHalt(), Actor: d.Actor, AfterLog: firstLog,
	})
}

// isNewest reports whether a pattern's newest revision is what is to be deployed.
func (v *Views) isNewest(row dbsqlc.ViewPattern, d *Deployment) bool {
	return bytes.Equal(row.ModuleSha256, d.module.SHA256[:]) && sameConfig(row.Config, d.Config) && row.FoldGas == v.foldGas(d) &&
		(d.OnHalt == "" || d.OnHalt == OnHalt(row.OnHalt))
}

// RetirePattern ends a view's pattern: later logs do not get the view, and it is retired on those that have it from the
// pattern, in the background; with keep it stays there as it is. A later deploy covers those logs again.
// The error is ErrPatternNotFound or the database's.
func (v *Views) RetirePattern(ctx context.Context, tenant uuid.UUID, name string, keep bool, actor string) (PatternInfo, error) {
	err := v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.db.BoundLocks(ctx, tx, lockPatience); err != nil {
			return err
		}
		if err := v.db.LockPatterns(ctx, tx, tenant); err != nil {
			return err
		}
		row, err := v.db.LockPattern(ctx, tx, dbsqlc.LockPatternParams{TenantID: tenant, Name: name})
		if isNotFound(db.Classify(err)) || err == nil && PatternStatus(row.Status) == PatternRetired {
			return ErrPatternNotFound
		} else if err != nil {
			return err
		}
		end := dbsqlc.EndPatternParams{TenantID: tenant, PatternID: row.PatternID, Actor: actor}
		end.Status, end.AfterLog = string(PatternRetiring), firstLog
		if keep {
			end.Status, end.AfterLog = string(PatternRetired), nil
		}
		return v.db.EndPattern(ctx, tx, end)
	})
	if err != nil {
		return PatternInfo{}, fmt.Errorf("retiring a view pattern: %w", err)
	}
	if !keep {
		if err := v.spreadFor(ctx, tenant, name, deployPatience); err != nil {
			return PatternInfo{}, err
		}
	}
	row, err := v.db.GetPattern(ctx, v.db.Read, dbsqlc.GetPatternParams{TenantID: tenant, Name: name})
	if err != nil {
		return PatternInfo{}, fmt.Errorf("reading a view pattern: %w", db.Classify(err))
	}
	return patternInfo(row), nil
}

// Patterns describes the tenant's views that are deployed on patterns, by name. Their memory is room's, which may be nil.
func (v *Views) Patterns(ctx context.Context, tenant uuid.UUID, room *memory.Hold) ([]PatternInfo, error) {
	rows, err := v.db.ListPatterns(ctx, db.Booked(v.db.Read, room), tenant)
	if err != nil {
		return nil, fmt.Errorf("listing view patterns: %w", db.Classify(err))
	}
	infos := make([]PatternInfo, len(rows))
	for i, row := range rows {
		infos[i] = patternInfo(row)
	}
	return infos, nil
}

// Pattern describes one view that is deployed on a pattern. The error is ErrPatternNotFound or the database's.
func (v *Views) Pattern(ctx context.Context, tenant uuid.UUID, name string) (PatternInfo, error) {
	row, err := v.db.GetPattern(ctx, v.db.Read, dbsqlc.GetPatternParams{TenantID: tenant, Name: name})
	if kind := db.Classify(err); isNotFound(kind) || kind == nil && PatternStatus(row.Status) == PatternRetired {
		return PatternInfo{}, ErrPatternNotFound
	} else if kind != nil {
		return PatternInfo{}, fmt.Errorf("reading a view pattern: %w", kind)
	}
	return patternInfo(row), nil
}

func patternInfo(row dbsqlc.ViewPattern) PatternInfo {
	return PatternInfo{
		Name: row.Name, ID: row.PatternID, Pattern: eventlog.Pattern(row.Pattern), Revision: row.Revision,
		ModuleSHA256: hex.EncodeToString(row.ModuleSha256), Config: row.Config, FoldGas: row.FoldGas,
		Guard: row.Guard, OnHalt: OnHalt(row.OnHalt), Actor: row.Actor, Status: PatternStatus(row.Status), Spreading: row.AfterLog != nil,
		CreatedAt: row.CreatedAt, DeployedAt: row.DeployedAt,
	}
}

// PatternLogs counts the logs that a pattern matches. It reads all of them.
func (v *Views) PatternLogs(ctx context.Context, tenant uuid.UUID, info PatternInfo) (PatternLogs, error) {
	row, err := v.db.PatternProgress(ctx, v.db.Read, dbsqlc.PatternProgressParams{
		Revision: info.Revision, Name: info.Name, TenantID: tenant, LikePattern: info.Pattern.Like(),
	})
	if err != nil {
		return PatternLogs{}, fmt.Errorf("counting a pattern's logs: %w", db.Classify(err))
	}
	return PatternLogs(row), nil
}
