package view

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/uuid"
	"github.com/tallystick/tallystick/internal/wasm"
)

const (
	// MaxConfigBytes bounds a view's configuration, which the guest may copy at every event.
	MaxConfigBytes = 64 << 10
	// MaxViewsPerLog bounds what one append may have to fold.
	MaxViewsPerLog = eventlog.MaxViews
	// MaxGasPerLog bounds what all of them may use to fold one event.
	MaxGasPerLog = eventlog.MaxViewGas
	// MaxFoldGas bounds the budget of one event's fold: about a second of work, for which a lane's other logs wait too.
	MaxFoldGas = 1_000_000_000
	// deployPatience is how long a deploy, rollback or resume waits for its version to be built before it answers that it is building.
	deployPatience = 2 * time.Second
)

// RefusedError says why a view cannot be deployed. Code is stable, Detail is for people.
type RefusedError struct{ Code, Detail string }

func (e *RefusedError) Error() string { return e.Code + ": " + e.Detail }

// Deployment is a view that somebody wants to run: what was requested, and, once it is checked, all that its version's row will hold.
type Deployment struct {
	Code    []byte // the module
	Config  []byte // JSON
	FoldGas int64  // the budget of one event's fold; 0: the server's
	OnHalt  OnHalt // of a module with a guard; "": that of the version which runs already, else OnHaltAdmit
	Actor   string // who deploys it; "" is unknown

	module wasm.ModuleID
	fields []string // what the view reads of an event
	guard  bool     // it decides on events
	// compiled is the module while it is being deployed; loaded: it was in memory before, since some version runs it, or did lately.
	compiled *wasm.Module
	loaded   bool
	// unchanged: it is what was asked for last already, and nothing was recorded.
	unchanged bool
}

// Deploy makes a module with a configuration the newest version of the view called name on the log, and builds it from the
// log's history. Where a version that is building or live has the same module and configuration, it becomes the newest instead.
// Deploy returns after little more than two seconds at most; a version that is still building goes on in the background. One that
// a newer deploy has overtaken meanwhile comes back retired.
// The error is a *RefusedError, an *event.InvalidError or the database's.
func (v *Views) Deploy(ctx context.Context, log uuid.UUID, name string, d Deployment) (Info, error) {
	if err := eventlog.CheckName("the view's name", name); err != nil {
		return Info{}, err
	}
	if err := v.check(ctx, &d); err != nil {
		return Info{}, err
	}
	version, err := v.deploy(ctx, log, name, &d)
	if err != nil {
		v.unload(ctx, &d)
		return Info{}, err
	}
	info, err := v.awaitBuilt(ctx, log, version)
	info.Unchanged = d.unchanged
	return info, err
}

// check checks the settings first, since compiling may take seconds; then it compiles the module and asks it for its fields.
// The error is a *RefusedError or not the deployment's fault.
func (v *Views) check(ctx context.Context, d *Deployment) error {
	if err := checkSettings(d); err != nil {
		return err
	}
	v.identify(d)
	var err error
	if d.compiled, err = v.compileInTurn(ctx, d); err != nil {
		return err
	}
	if d.fields, err = v.fieldsOf(ctx, d.compiled, d.Config); err == nil {
		d.guard = d.compiled.HasGuard()
		err = d.checkGuard()
	}
	if err != nil {
		v.unload(ctx, d)
		return err
	}
	return nil
}

func (v *Views) identify(d *Deployment) {
	d.module = wasm.ModuleID{SHA256: sha256.Sum256(d.Code), Model: wasm.LatestCostModel}
	d.loaded = v.engine.Compiled(d.module) != nil
}

// compileInTurn compiles a deployment's code. New code needs a trial, as its rehearsal will: many deploys at once use no more of the
// cores than one.
func (v *Views) compileInTurn(ctx context.Context, d *Deployment) (*wasm.Module, error) {
	if !d.loaded {
		t, err := v.beginTrial(ctx)
		if err != nil {
			return nil, err
		}
		defer t.end()
	}
	return v.compile(ctx, d.Code)
}

// unload forgets the module of a deployment that failed: many of them must not evict what others run.
func (v *Views) unload(ctx context.Context, d *Deployment) {
	if !d.loaded {
		v.engine.Forget(context.WithoutCancel(ctx), d.compiled)
	}
}

// deploy rehearses a deployment and records it as the version with the highest turn.
func (v *Views) deploy(ctx context.Context, log uuid.UUID, name string, d *Deployment) (version uuid.UUID, err error) {
	if err := v.rehearse(ctx, log, d); err != nil {
		return uuid.UUID{}, err
	}
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.db.InsertModule(ctx, tx, dbsqlc.InsertModuleParams{Sha256: d.module.SHA256[:], Wasm: d.Code}); err != nil {
			return fmt.Errorf("keeping the module: %w", err)
		}
		if err := v.db.InsertLogModule(ctx, tx, dbsqlc.InsertLogModuleParams{LogID: log, Sha256: d.module.SHA256[:]}); err != nil {
			return fmt.Errorf("keeping whose module it is: %w", err)
		}
		if err := v.db.DropLogUpload(ctx, tx, dbsqlc.DropLogUploadParams{LogID: log, Sha256: d.module.SHA256[:]}); err != nil {
			return fmt.Errorf("taking a module from those that were only uploaded: %w", err)
		}
		if version, err = v.record(ctx, tx, log, name, d); err != nil {
			return err
		}
		taken, err := v.db.OwnView(ctx, tx, dbsqlc.OwnViewParams{LogID: log, Name: name})
		d.unchanged = d.unchanged && taken == 0
		return err
	})
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("recording a view version: %w", err)
	}
	return version, nil
}

// awaitBuilt builds a version for as long as a caller waits, and describes what became of it.
func (v *Views) awaitBuilt(ctx context.Context, log, version uuid.UUID) (Info, error) {
	if err := v.buildFor(ctx, log, version, deployPatience); err != nil {
		return Info{}, err
	}
	return v.describe(ctx, log, version)
}

// checkSettings refuses what can be refused without the module.
func checkSettings(d *Deployment) error {
	if err := checkGas(d.FoldGas); err != nil {
		return err
	}
	switch d.OnHalt {
	case "", OnHaltAdmit, OnHaltRefuse:
	default:
		return &RefusedError{"invalid_on_halt", fmt.Sprintf("on_halt is %.100q; it must be admit or refuse", d.OnHalt)}
	}
	if len(d.Config) > MaxConfigBytes {
		return &RefusedError{
			"config_too_large",
			fmt.Sprintf("the configuration has %d bytes; at most %d are allowed", len(d.Config), MaxConfigBytes),
		}
	}
	if err := jsonscan.Valid(d.Config); err != nil {
		return &RefusedError{"invalid_config", fmt.Sprintf("the configuration is not valid JSON: %v", err)}
	}
	return nil
}

// checkGuard refuses what the deployment asks of a guard that is not there.
func (d *Deployment) checkGuard() error {
	if d.OnHalt == OnHaltRefuse && !d.guard {
		return &RefusedError{"no_guard", "on_halt is refuse, but the module has no guard: nothing that it could refuse depends on it"}
	}
	return nil
}

func (v *Views) compile(ctx context.Context, code []byte) (*wasm.Module, error) {
	module, err := v.engine.Compile(ctx, code)
	var refused *wasm.RefusedError
	if errors.As(err, &refused) {
		return nil, &RefusedError{refused.Code, refused.Reason}
	} else if err != nil {
		return nil, fmt.Errorf("compiling a module: %w", err)
	}
	return module, nil
}

// fieldsOf returns the fields that a view reads.
func (v *Views) fieldsOf(ctx context.Context, module *wasm.Module, config []byte) ([]string, error) {
	fields, err := module.Fields(ctx, config)
	var refused *wasm.RefusedError
	var failed *wasm.ViewError
	if errors.As(err, &failed) {
		return nil, &RefusedError{"view_refused_config", "the view refused to start with this configuration: " + failed.Message}
	} else if errors.As(err, &refused) {
		return nil, &RefusedError{refused.Code, refused.Reason}
	} else if err != nil {
		return nil, fmt.Errorf("asking a view for its fields: %w", err)
	}
	if _, err := v.fields.Of(fields); err != nil {
		return nil, &RefusedError{"invalid_fields", err.Error()}
	}
	if fields == nil {
		fields = []string{}
	}
	return fields, nil
}

func checkGas(gas int64) error {
	if gas < 0 || gas > MaxFoldGas {
		return &RefusedError{
			"invalid_gas",
			fmt.Sprintf("the gas of one fold is %d; it must be 1 to %d, or 0 for the server's own", gas, MaxFoldGas),
		}
	}
	return nil
}

// foldGas is the deployment's own budget, or else the server's.
func (v *Views) foldGas(d *Deployment) int64 { return cmp.Or(d.FoldGas, v.config.FoldGas) }

// runs reports whether a version is already what is to be deployed. A deployment without a budget accepts the version's own, and every
// deployment its cost model: deploying the same view again must not rebuild it for that.
func (d *Deployment) runs(row *dbsqlc.ActiveVersionsRow) bool {
	return Status(row.Status) != Halted && bytes.Equal(row.ModuleSha256, d.module.SHA256[:]) && sameConfig(row.Config, d.Config) &&
		(d.FoldGas == 0 || d.FoldGas == row.FoldGas) && (d.OnHalt == "" || d.OnHalt == OnHalt(row.OnHalt))
}

// onHalt is what the deployment asks for, or else the default.
func (d *Deployment) onHalt() string { return string(cmp.Or(d.OnHalt, OnHaltAdmit)) }

// sameConfig compares valid JSON, white space aside: what sends a configuration lays it out as it likes. The order of members counts, since
// a view may read meaning into it.
func sameConfig(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var compactA, compactB bytes.Buffer
	return json.Compact(&compactA, a) == nil && json.Compact(&compactB, b) == nil && bytes.Equal(compactA.Bytes(), compactB.Bytes())
}

// record gives, in tx, the highest turn to the deployment's version of the log's view, and returns it: the one that runs already where it
// is the same, else a new one. The version is to be built once tx is committed.
// It locks the log against other deploys. The error is a *RefusedError, eventlog.ErrLogNotFound or the database's.
func (v *Views) record(ctx context.Context, tx pgx.Tx, log uuid.UUID, name string, d *Deployment) (uuid.UUID, error) {
	if err := v.lockLog(ctx, tx, log); err != nil {
		return uuid.UUID{}, err
	}
	if err := v.db.InsertView(ctx, tx, dbsqlc.InsertViewParams{LogID: log, ViewID: uuid.New(), Name: name}); err != nil {
		return uuid.UUID{}, err
	}
	view, err := v.viewID(ctx, tx, log, name)
	if err != nil {
		return uuid.UUID{}, err
	}
	if err := v.checkRoom(ctx, tx, log, view, v.foldGas(d)); err != nil {
		return uuid.UUID{}, err
	}
	active, err := v.db.ActiveVersions(ctx, tx, dbsqlc.ActiveVersionsParams{LogID: log, ViewID: view})
	if err != nil {
		return uuid.UUID{}, err
	}
	d.unchanged = len(active) > 0 && d.runs(&active[0])
	if d.unchanged {
		return active[0].VersionID, nil
	}
	for i := range active {
		if !d.runs(&active[i]) {
			continue
		}
		return active[i].VersionID, v.selectVersion(ctx, tx, selection{
			log: log, view: view, version: active[i].Version, action: "deploy", actor: d.Actor,
		})
	}
	if d.OnHalt == "" && len(active) > 0 { // it stays as it is
		d.OnHalt = OnHalt(active[0].OnHalt)
	}
	last, err := v.db.LastViewVersion(ctx, tx, dbsqlc.LastViewVersionParams{LogID: log, ViewID: view})
	if err != nil {
		return uuid.UUID{}, err
	}
	id := uuid.New()
	return id, v.db.InsertViewVersion(ctx, tx, dbsqlc.InsertViewVersionParams{
		LogID: log, VersionID: id, ViewID: view, Version: last.Version + 1, Turn: last.Turn + 1, ModuleSha256: d.module.SHA256[:],
		Config: d.Config, Fields: d.fields, FoldGas: v.foldGas(d), CostModel: int16(d.module.Model), Actor: d.Actor,
		Guard: d.guard, OnHalt: d.onHalt(),
	})
}

// lockLog locks the log against other deploys, rollbacks, resumptions and retirements.
func (v *Views) lockLog(ctx context.Context, tx pgx.Tx, log uuid.UUID) error {
	if _, err := v.db.LockLog(ctx, tx, log); isNotFound(db.Classify(err)) {
		return eventlog.ErrLogNotFound
	} else if err != nil {
		return fmt.Errorf("locking a log against other deploys: %w", err)
	}
	return nil
}

// checkRoom refuses a view that the log has no room for, or whose fold could cost more than the log's other views leave. What it finds
// holds for as long as the log is locked.
func (v *Views) checkRoom(ctx context.Context, tx dbsqlc.DBTX, log, view uuid.UUID, foldGas int64) error {
	others, err := v.db.OtherViews(ctx, tx, dbsqlc.OtherViewsParams{LogID: log, ViewID: view})
	switch {
	case err != nil:
		return fmt.Errorf("counting a log's views: %w", err)
	case others.Views >= MaxViewsPerLog:
		return &RefusedError{"too_many_views", fmt.Sprintf("the log has %d views; at most %d are allowed", others.Views, MaxViewsPerLog)}
	case others.FoldGas+foldGas > MaxGasPerLog:
		return &RefusedError{"too_much_gas", fmt.Sprintf("the view may use %d units of gas for one event and the log's other views %d; "+
			"together at most %d are allowed: deploy it with less gas, or retire another view",
			foldGas, others.FoldGas, int64(MaxGasPerLog))}
	}
	return nil
}
