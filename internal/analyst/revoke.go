package analyst

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/db"
)

// Revoke takes a tenant's rows from a login, ends its sessions and drops it. From the first of these on, it sees nothing in new queries;
// where a later one fails, Revoke again goes on. The error is ErrNoTenant, an AdministratorError or the database's.
func (m *Manager) Revoke(ctx context.Context, tenant, login string) error {
	if err := CheckLogin(login); err != nil {
		return err
	}
	known, err := m.forget(ctx, tenant, login)
	if err != nil {
		return err
	}
	exists, err := m.existsNow(ctx, login)
	if err != nil {
		return err
	}
	if !exists {
		if !known {
			return fmt.Errorf("the tenant %s has no analyst %s", tenant, login)
		}
		return nil
	}
	return m.drop(ctx, login)
}

// forget removes the login's right to see rows, and records that. It reports whether there was one.
func (m *Manager) forget(ctx context.Context, tenant, login string) (known bool, err error) {
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return false, db.Classify(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // no effect after Commit
	tenantID, err := m.tenant(ctx, tx, tenant)
	if err != nil {
		return false, err
	}
	owner, err := m.queries.AnalystTenant(ctx, tx, login)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, m.explain(err)
	case owner.TenantID != tenantID:
		return false, fmt.Errorf("the tenant %s has no analyst %s", tenant, login)
	}
	if err := m.queries.DeleteAnalyst(ctx, tx, login); err != nil {
		return false, m.explain(err)
	}
	if err := m.record(ctx, tx, tenantID, "analyst.revoke", login); err != nil {
		return false, err
	}
	return true, db.Classify(tx.Commit(ctx))
}

func (m *Manager) existsNow(ctx context.Context, login string) (bool, error) {
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return false, db.Classify(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was changed
	return m.exists(ctx, tx, login)
}

// drop lets nobody log in as the login any more, ends who has, and drops it with what it made. Ending sessions takes membership.
func (m *Manager) drop(ctx context.Context, login string) error {
	name := pgx.Identifier{login}.Sanitize()
	end := fmt.Sprintf("SELECT pg_terminate_backend(pid, %d) FROM pg_stat_activity WHERE usename = '%s'", endTimeout.Milliseconds(), login)
	statements := []string{"ALTER ROLE " + name + " NOLOGIN", end, "DROP OWNED BY " + name, "DROP ROLE " + name}
	for i, statement := range statements {
		if i == 1 {
			statement = m.membership(name) + statement
		}
		_, err := m.conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol) //nolint:forbidigo // sqlc knows no roles
		if refused(err) {
			return &AdministratorError{Login: m.conn.Config().User, Statements: statements, cause: err}
		} else if err != nil {
			return fmt.Errorf("dropping the login %s: %w", login, db.Classify(err))
		}
	}
	return nil
}

// membership makes this login a member of another, until that is dropped. A superuser needs none.
func (m *Manager) membership(name string) string {
	return "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN GRANT " + name +
		" TO CURRENT_USER; END IF; END $$; "
}
