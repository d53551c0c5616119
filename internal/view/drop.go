package view

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// dropChunk is how many keys one transaction drops.
const dropChunk = 5000

// dropRound drops some of the state that retired versions no longer keep, and reports whether there was any.
func (v *Views) dropRound(ctx context.Context) (worked bool, err error) {
	versions, err := v.db.DroppingVersions(ctx, v.db.Read, maxBuildsListed)
	if err != nil {
		return false, fmt.Errorf("listing state to drop: %w", db.Classify(err))
	}
	var failures []error
	for _, version := range versions {
		dropped, err := v.dropSome(ctx, version.LogID, version.VersionID)
		if err != nil {
			failures = append(failures, fmt.Errorf("dropping state of version %s of log %s: %w", version.VersionID, version.LogID, err))
		}
		worked = worked || dropped
	}
	return worked, errors.Join(failures...)
}

// dropSome drops some of a retired version's state, and reports whether it could.
func (v *Views) dropSome(ctx context.Context, log, version uuid.UUID) (dropped bool, err error) {
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := v.db.LockDroppingVersion(ctx, tx, dbsqlc.LockDroppingVersionParams{LogID: log, VersionID: version})
		if isNotFound(db.Classify(err)) {
			return nil
		} else if err != nil {
			return fmt.Errorf("locking a version: %w", err)
		}
		dropped, err = v.dropLocked(ctx, tx, log, version)
		return err
	})
	return dropped, err
}

// dropLocked drops some of the state of a version whose row is locked.
func (v *Views) dropLocked(ctx context.Context, tx pgx.Tx, log, version uuid.UUID) (dropped bool, err error) {
	n, err := v.db.DropViewState(ctx, tx, dbsqlc.DropViewStateParams{LogID: log, VersionID: version, MaxRows: dropChunk})
	if err != nil {
		return false, fmt.Errorf("dropping state: %w", err)
	}
	if n == dropChunk {
		return true, nil
	}
	return true, v.db.SetStateDropped(ctx, tx, dbsqlc.SetStateDroppedParams{LogID: log, VersionID: version})
}
