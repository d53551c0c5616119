// Package analyst makes and revokes the logins of analysts who see one tenant's rows of tenant_reporting (migration 00016), with the rights
// of whoever asks: the login that owns the database, which may also make logins.
package analyst

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/db/dbsqlc"
	"github.com/tallystick/tallystick/internal/uuid"
)

// Role is what an analyst of one tenant is a member of.
const Role = "tally_tenant_analyst"

const (
	// connectionLimit is how many connections an analyst's login may have at a time.
	connectionLimit = 10
	// statementTimeout ends an analyst's forgotten queries, unless the session sets another.
	statementTimeout = "15min"
	// connectTimeout bounds opening the connection.
	connectTimeout = 10 * time.Second
	// endTimeout bounds how long Revoke waits for each of the login's sessions to end.
	endTimeout = 10 * time.Second
)

// PostgreSQL keeps up to 63 bytes of a name. One that needs no quotes is easier on analysts, and on administrators.
var validLogin = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// CheckLogin returns an error that says what a login may be called, if it may not be called that.
func CheckLogin(login string) error {
	if !validLogin.MatchString(login) || strings.HasPrefix(login, "pg_") || strings.HasPrefix(login, "tally_") ||
		login == "public" || login == "none" {
		return fmt.Errorf("a login cannot be called %q: use up to 63 lower-case letters, digits and underscores that do not begin "+
			"with a digit, pg_ or tally_", login)
	}
	return nil
}

// Manager makes and revokes logins, on one connection. It is for one goroutine.
type Manager struct {
	conn    *pgx.Conn
	queries *dbsqlc.Queries
	actor   string // for the record
}

// Open connects to the database at a URL. What is recorded names its login, and an actor that is not empty. Close it.
func Open(ctx context.Context, url, actor string) (*Manager, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("reading the database URL: %w", err)
	}
	config.ConnectTimeout = connectTimeout
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, db.Classify(err)
	}
	name := "login " + config.User + "@" + config.Database // as the commands of keys have it
	if actor != "" {
		name += " (" + actor + ")"
	}
	return &Manager{conn: conn, queries: dbsqlc.New(), actor: name}, nil
}

// Close closes the connection.
func (m *Manager) Close(ctx context.Context) { _ = m.conn.Close(ctx) } // its work is done

// ErrNoTenant: no tenant has that name.
var ErrNoTenant = errors.New("there is no such tenant")

// AdministratorError: the login in use may not do what is missing.
type AdministratorError struct {
	Login      string   // who may not
	Statements []string // what an administrator has to run in the database
	Password   string   // of the login that the statements make
	cause      error
}

func (e *AdministratorError) Error() string {
	return fmt.Sprintf("the login %s may not do this (%v): have an administrator run in the database:\n%s;\nthen run this command again",
		e.Login, e.cause, strings.Join(e.Statements, ";\n"))
}

func (e *AdministratorError) Unwrap() error { return e.cause }

// Create makes a login that sees the tenant's rows, and returns its password, which is kept nowhere. If the login is there already, as one
// that has no rights but those of Role, it gets the tenant's rows and keeps its password; what is returned is empty then. The error is
// ErrNoTenant, an AdministratorError or the database's.
func (m *Manager) Create(ctx context.Context, tenant, login string) (password string, err error) {
	if err := CheckLogin(login); err != nil {
		return "", err
	}
	tx, err := m.conn.Begin(ctx)
	if err != nil {
		return "", db.Classify(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // no effect after Commit
	tenantID, err := m.tenant(ctx, tx, tenant)
	if err != nil {
		return "", err
	}
	if owner, err := m.queries.AnalystTenant(ctx, tx, login); err == nil {
		return "", fmt.Errorf("%s is an analyst of the tenant %s already: revoke it first, or choose another name", login, owner.Name)
	} else if !errors.Is(err, pgx.ErrNoRows) {
		return "", m.explain(err)
	}
	exists, err := m.exists(ctx, tx, login)
	if err != nil {
		return "", err
	}
	if !exists {
		if password, err = m.makeLogin(ctx, tx, login); err != nil {
			return "", err
		}
	}
	row := dbsqlc.InsertAnalystParams{Login: login, TenantID: tenantID, CreatedBy: m.actor}
	if err := m.queries.InsertAnalyst(ctx, tx, row); err != nil {
		return "", m.explain(err)
	}
	if err := m.record(ctx, tx, tenantID, "analyst.create", login); err != nil {
		return "", err
	}
	if err := tx.Commit(ctx); err != nil {
		return "", db.Classify(err)
	}
	return password, nil
}

func (m *Manager) tenant(ctx context.Context, tx pgx.Tx, name string) (uuid.UUID, error) {
	found, err := m.queries.TenantByName(ctx, tx, name)
	if errors.Is(err, pgx.ErrNoRows) {
		return uuid.UUID{}, fmt.Errorf("%w: %q", ErrNoTenant, name)
	}
	return found.TenantID, m.explain(err)
}

// record adds to the tenant's record, in the transaction of what is recorded.
func (m *Manager) record(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, action, login string) error {
	return m.explain(m.queries.InsertAccessLog(ctx, tx, dbsqlc.InsertAccessLogParams{
		TenantID: tenant, Actor: m.actor, Action: action, Target: login, Detail: []byte("{}"),
	}))
}

// explain says which login is needed where the tables refuse this one.
func (m *Manager) explain(err error) error {
	if refused(err) {
		return fmt.Errorf("use the login that owns the database; %s may not do this: %w", m.conn.Config().User, err)
	}
	return db.Classify(err)
}

func refused(err error) bool {
	var failed *pgconn.PgError
	return errors.As(err, &failed) && failed.Code == "42501" // insufficient_privilege
}

// exists reports whether there is a login of that name. It fails if that has other rights than those of Role: it would keep them.
func (m *Manager) exists(ctx context.Context, tx pgx.Tx, login string) (bool, error) {
	plain, err := m.queries.HasOnlyRole(ctx, tx, dbsqlc.HasOnlyRoleParams{Role: Role, Login: login})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, db.Classify(err)
	case !plain:
		return true, fmt.Errorf("a login or role %s is there, with other rights than one tenant's analyst has: choose another name", login)
	}
	return true, nil
}

// makeLogin makes the login and returns its password.
func (m *Manager) makeLogin(ctx context.Context, tx pgx.Tx, login string) (string, error) {
	password := rand.Text()
	secret, err := verifier(password)
	if err != nil {
		return "", err
	}
	connect, err := m.queries.MayConnect(ctx, tx, Role)
	if err != nil {
		return "", db.Classify(err)
	}
	name, in := pgx.Identifier{login}.Sanitize(), pgx.Identifier{connect.Database}.Sanitize()
	const create = "CREATE ROLE %s LOGIN CONNECTION LIMIT %d PASSWORD '%s' IN ROLE %s"
	statements := []string{fmt.Sprintf(create, name, connectionLimit, secret, Role)}
	if !connect.Granted {
		statements = append(statements, fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s", in, Role))
	}
	for _, setting := range []string{
		"search_path = tenant_reporting", "default_transaction_read_only = on", "timezone = 'UTC'",
		"statement_timeout = '" + statementTimeout + "'",
	} {
		statements = append(statements, fmt.Sprintf("ALTER ROLE %s IN DATABASE %s SET %s", name, in, setting))
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); refused(err) { //nolint:forbidigo // sqlc knows no roles
			return "", &AdministratorError{m.conn.Config().User, statements, password, err}
		} else if err != nil {
			return "", db.Classify(err)
		}
	}
	return password, nil
}

// Analyst is a login that sees a tenant's rows.
type Analyst struct {
	Login     string    `json:"login"`
	Tenant    string    `json:"tenant"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	// CanLogIn is false where the login was dropped, or barred, by other means.
	CanLogIn bool `json:"can_log_in"`
}

// List returns the analysts of a tenant, or of all tenants if its name is empty.
func (m *Manager) List(ctx context.Context, tenant string) ([]Analyst, error) {
	rows, err := m.queries.ListAnalysts(ctx, m.conn, tenant)
	if err != nil {
		return nil, m.explain(err)
	}
	found := make([]Analyst, len(rows))
	for i, r := range rows {
		found[i] = Analyst(r)
	}
	return found, nil
}
