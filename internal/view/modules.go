package view

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// MaxUploads bounds the modules of a tenant that were uploaded and are not deployed: the latest are kept.
const MaxUploads = 32

// ModuleInfo describes a module that a tenant has.
type ModuleInfo struct {
	SHA256    []byte
	Bytes     int64
	CreatedAt time.Time // when the tenant deployed it first; before that, when it uploaded it last
	Deployed  bool      // at some time: it is kept for ever
}

// PutModule keeps a module for the tenant, so that it can be deployed by its SHA-256, and reports whether the tenant did not have it. It is
// checked and compiled as a deploy does. Until some view of the tenant uses it, it is dropped once MaxUploads others were uploaded later.
// The error is a *RefusedError or the database's.
func (v *Views) PutModule(ctx context.Context, tenant uuid.UUID, digest [sha256.Size]byte, code []byte) (
	info ModuleInfo, created bool, err error,
) {
	if found := sha256.Sum256(code); found != digest {
		return info, false, &RefusedError{"module_hash_mismatch", fmt.Sprintf("the body has %d bytes, and their SHA-256 is %x, "+
			"which is not that of the path: send the whole module, under its own SHA-256", len(code), found)}
	}
	if _, err := v.Module(ctx, tenant, digest); err != nil { // one that the tenant has was checked then
		if err := v.checkModule(ctx, code); err != nil {
			return info, false, err
		}
	}
	if created, err = v.keepUpload(ctx, tenant, digest, code); err != nil {
		return info, false, err
	}
	info, err = v.Module(ctx, tenant, digest)
	return info, created, err
}

// keepUpload makes a module the tenant's latest upload, unless it is deployed, and reports whether the tenant did not have it.
func (v *Views) keepUpload(ctx context.Context, tenant uuid.UUID, digest [sha256.Size]byte, code []byte) (created bool, err error) {
	err = v.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := v.db.LockUploads(ctx, tx, tenant); err != nil {
			return err
		}
		created, err = v.db.InsertUploadedModule(ctx, tx, dbsqlc.InsertUploadedModuleParams{
			TenantID: tenant, Sha256: digest[:], Wasm: code,
		})
		if isNotFound(db.Classify(err)) { // it is deployed
			return nil
		} else if err != nil {
			return err
		}
		return v.db.DropOldUploads(ctx, tx, dbsqlc.DropOldUploadsParams{TenantID: tenant, Kept: MaxUploads})
	})
	if err != nil {
		return false, fmt.Errorf("keeping an uploaded module: %w", err)
	}
	return created, nil
}

// checkModule compiles a module to see whether it can be deployed. The error is a *RefusedError or not the module's fault.
func (v *Views) checkModule(ctx context.Context, code []byte) error {
	d := Deployment{Code: code}
	v.identify(&d)
	var err error
	if d.compiled, err = v.compileInTurn(ctx, &d); err != nil {
		return err
	}
	v.unload(ctx, &d)
	return nil
}

// Module describes a module that the tenant has. The error is a *RefusedError when it has not, or the database's.
func (v *Views) Module(ctx context.Context, tenant uuid.UUID, digest [sha256.Size]byte) (ModuleInfo, error) {
	row, err := v.db.DescribeTenantModule(ctx, v.db.Read, dbsqlc.DescribeTenantModuleParams{TenantID: tenant, Sha256: digest[:]})
	return moduleInfo(row), moduleError(digest, err)
}

func moduleInfo(row dbsqlc.DescribeTenantModuleRow) ModuleInfo {
	return ModuleInfo{SHA256: row.Sha256, Bytes: row.Bytes, CreatedAt: row.CreatedAt, Deployed: row.Deployed}
}

// Modules describes the modules that the tenant has, by SHA-256, from the one that comes next to after: at most limit.
func (v *Views) Modules(ctx context.Context, tenant uuid.UUID, after []byte, limit int32) ([]ModuleInfo, error) {
	rows, err := v.db.ListTenantModules(ctx, v.db.Read, dbsqlc.ListTenantModulesParams{TenantID: tenant, After: after, MaxRows: limit})
	if err != nil {
		return nil, fmt.Errorf("listing modules: %w", db.Classify(err))
	}
	infos := make([]ModuleInfo, len(rows))
	for i, row := range rows {
		infos[i] = moduleInfo(dbsqlc.DescribeTenantModuleRow(row))
	}
	return infos, nil
}

// ModuleCode returns the bytes of a module that the tenant has. The error is a *RefusedError when it has not, or the database's.
func (v *Views) ModuleCode(ctx context.Context, tenant uuid.UUID, digest [sha256.Size]byte) ([]byte, error) {
	code, err := v.db.GetTenantModule(ctx, v.db.Read, dbsqlc.GetTenantModuleParams{TenantID: tenant, Sha256: digest[:]})
	return code, moduleError(digest, err)
}
