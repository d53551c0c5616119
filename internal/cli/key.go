package cli

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/access"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make, list, rotate and revoke the keys by which servers are asked",
		Long: "A key says who asks a server, and what they may do. These commands ask a server, by a key with the scope admin;\n" +
			"with --database-url they ask the database itself, and need no key: for the first one, and where all are lost.",
		Example: "  tally key create --name gateway-1 --scopes append\n  tally key list",
	}
	cmd.AddCommand(keyCreateCommand(), keyListCommand(), keyShowCommand(), keyRotateCommand(), keyRevokeCommand(), keyGenerateCommand())
	return cmd
}

// keyring makes keys and looks after them: a server, or a database.
type keyring interface {
	CreateKey(ctx context.Context, q tally.NewKey) (tally.CreatedKey, error)
	Keys(ctx context.Context) iter.Seq2[tally.Key, error]
	RotateKey(ctx context.Context, id string, formerValid *time.Duration) (tally.CreatedKey, error)
	RevokeKey(ctx context.Context, id string) (tally.Key, error)
	Close()
}

// keyFlags say where keys are.
type keyFlags struct {
	connection
	databaseURL string
	out         printer
}

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.connection.add(flags)
	f.out.addOutput(cmd)
	flags.StringVar(&f.databaseURL, "database-url", "",
		"ask this PostgreSQL database, and no server: a URL or key=value pairs, of a login that servers could use")
}

// withKeys adapts a function that needs a keyring to a command.
func (f *keyFlags) withKeys(run func(*cobra.Command, []string, keyring) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		keys, err := f.openKeys(cmd)
		if err != nil {
			return err
		}
		defer keys.Close()
		return run(cmd, args, keys)
	}
}

func (f *keyFlags) openKeys(cmd *cobra.Command) (keyring, error) {
	url, urlByEnv := isGiven(cmd.Flags(), "url")
	database, databaseByEnv := isGiven(cmd.Flags(), "database-url")
	switch { // a flag goes before a variable
	case url && database, !url && !database && urlByEnv && databaseByEnv:
		return nil, usagef("--url asks a server and --database-url the database itself: give one of them")
	case f.databaseURL == "", url:
		return f.open(cmd)
	}
	return openDatabaseKeys(cmd.Context(), f.databaseURL, f.tenant, f.actor)
}

func keyCreateCommand() *cobra.Command {
	var f keyFlags
	var wanted tally.NewKey
	var expiry expiryFlags
	var own ownLimits
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a key",
		Long: "Makes a key and prints it on standard output, this once: nobody can look it up later. What it is goes to standard\n" +
			"error. The scopes are append, read (events), query (views), deploy (views and patterns), admin (the keys of the\n" +
			"tenant) and operator (all tenants). Give each gateway, service and person a key of their own: its name is recorded\n" +
			"with what they do.",
		Example: "  tally key create --name gateway-1 --scopes append --logs 'customer-*'\n" +
			"  tally key create --name reports --scopes read,query --expires-in 90d\n" +
			"  KEY=$(tally key create --name ci --scopes deploy --expires-in 1h)\n" +
			"  tally key create --database-url postgres://tally@db.internal/tally --name admin \\\n" +
			"    --scopes append,read,query,deploy,admin,operator",
		RunE: func(cmd *cobra.Command, args []string) error {
			if wanted.Name == "" {
				return usagef("--name is missing: say who will have the key, such as gateway-1")
			}
			if len(wanted.Scopes) == 0 {
				return usagef("--scopes is missing: say what the key may do, such as append, or read,query")
			}
			var err error
			if wanted.ExpiresAt, err = expiry.moment(time.Now()); err != nil {
				return err
			}
			wanted.Limits = own
			return f.withKeys(func(cmd *cobra.Command, _ []string, keys keyring) error {
				key, err := keys.CreateKey(cmd.Context(), wanted)
				if err != nil {
					return fmt.Errorf("making the key %s: %w", wanted.Name, err)
				}
				return f.printNew(cmd, key)
			})(cmd, args)
		},
	}
	flags := cmd.Flags()
	f.add(cmd)
	flags.StringVar(&wanted.Name, "name", "", "who will have it; unique among the tenant's keys that are not revoked")
	flags.StringSliceVar(&wanted.Scopes, "scopes", nil, "what it may do, with commas between: append, read, query, deploy, admin, operator")
	flags.StringVar(&wanted.Logs, "logs", "", "pattern of the names of logs that it is for, such as 'customer-*'; all when not given")
	expiry.add(flags)
	own.add(flags, "TALLY_KEY_LIMIT",
		"a limit of its own, such as requests_per_second=100; may be repeated, or hold commas; see docs/api.md, Limits of tenants and keys")
	return cmd
}

// printNew prints a key's secret, and nothing else, on standard output.
func (f *keyFlags) printNew(cmd *cobra.Command, key tally.CreatedKey) error {
	if !f.out.isText() {
		return newKeyTable.one(cmd, &f.out, key)
	}
	description := fmt.Sprintf("key %s, id %s, of logs %s: %s; %s", key.Name, key.KeyID, key.Logs, strings.Join(key.Scopes, ", "),
		expires(key.Key))
	if key.FormerUntil != nil {
		description += "; the secret from before is good until " + moment(key.FormerUntil)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s\nKeep it now: it is not shown again.\n", description)
	_, err := fmt.Fprintln(cmd.OutOrStdout(), key.Secret)
	return err
}

func expires(key tally.Key) string {
	if key.ExpiresAt == nil {
		return "it does not expire"
	}
	return "it expires at " + moment(key.ExpiresAt)
}

func keyListCommand() *cobra.Command {
	var f keyFlags
	var some listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tenant's keys, revoked and expired ones too",
		Example: "  tally key list\n  tally key list --tenant acme --all\n" +
			"  tally key list --database-url postgres://tally@db.internal/tally",
		RunE: f.withKeys(func(cmd *cobra.Command, _ []string, keys keyring) error {
			return list(cmd, keyTable, &f.out, &some, explained("listing keys", keys.Keys(cmd.Context())))
		}),
	}
	f.add(cmd)
	some.add(cmd)
	return cmd
}

var (
	keyTable = table[tally.Key]{
		{"key_id", func(k tally.Key) any { return k.KeyID }},
		{"name", func(k tally.Key) any { return k.Name }},
		{"state", func(k tally.Key) any { return state(keyState(k, time.Now())) }},
		{"scopes", func(k tally.Key) any { return k.Scopes }},
		{"logs", func(k tally.Key) any { return k.Logs }},
		{"created_by", func(k tally.Key) any { return k.CreatedBy }},
		{"created_at", func(k tally.Key) any { return k.CreatedAt }},
		{"last_used_at", func(k tally.Key) any { return k.LastUsedAt }},
	}
	keyDetails = append(slices.Clone(keyTable), table[tally.Key]{
		{"limits", func(k tally.Key) any { return describeLimits(k.Limits) }},
		{"expires_at", func(k tally.Key) any { return k.ExpiresAt }},
		{"rotated_at", func(k tally.Key) any { return k.RotatedAt }},
		{"former_until", func(k tally.Key) any { return k.FormerUntil }},
		{"revoked_at", func(k tally.Key) any { return k.RevokedAt }},
	}...)
	newKeyTable = table[tally.CreatedKey]{
		{"key_id", func(k tally.CreatedKey) any { return k.KeyID }},
		{"name", func(k tally.CreatedKey) any { return k.Name }},
		{"key", func(k tally.CreatedKey) any { return k.Secret }},
	}
)

func keyState(key tally.Key, now time.Time) string {
	switch {
	case key.RevokedAt != nil:
		return "revoked"
	case key.ExpiresAt == nil:
		return "active"
	case key.ExpiresAt.After(now):
		return "until " + moment(key.ExpiresAt)
	}
	return "expired"
}

func keyShowCommand() *cobra.Command {
	var f keyFlags
	cmd := &cobra.Command{
		Use:     "show KEY",
		Short:   "Describe a key, given by its id or name",
		Example: "  tally key show gateway-1",
		RunE: f.withKeys(func(cmd *cobra.Command, args []string, keys keyring) error {
			key, err := findKey(cmd.Context(), keys, args[0])
			if err != nil {
				return err
			}
			return keyDetails.one(cmd, &f.out, key)
		}),
	}
	f.add(cmd)
	return cmd
}

// findKey returns the key with an id, or else the one with that name that is not revoked.
func findKey(ctx context.Context, keys keyring, ref string) (tally.Key, error) {
	if access.LooksLikeKey(ref) {
		return tally.Key{}, usagef("KEY is the key itself: give its id, which are the 16 characters after tally_, or its name, " +
			"and keep the rest out of command lines")
	}
	found, err := tally.Collect(keys.Keys(ctx))
	if err != nil {
		return tally.Key{}, fmt.Errorf("looking for the key %s: %w", ref, err)
	}
	for _, key := range found {
		if key.KeyID == ref {
			return key, nil
		}
	}
	for _, key := range found {
		if key.Name == ref && key.RevokedAt == nil {
			return key, nil
		}
	}
	return tally.Key{}, notFound("the tenant has no key with the id %s, and none with that name that is not revoked: "+
		"tally key list shows them", ref)
}

func keyRotateCommand() *cobra.Command {
	var f keyFlags
	var keep longDuration
	cmd := &cobra.Command{
		Use:   "rotate KEY",
		Short: "Give a key another secret",
		Long: "Gives a key another secret, and prints it as tally key create does. The secret from before stays good for as long as\n" +
			"--keep says, so that its holders can change over; the one from before that ends at once. Id, name and rights stay.",
		Example: "  tally key rotate gateway-1\n  tally key rotate gateway-1 --keep 2d\n" +
			"  tally key rotate gateway-1 --keep 0   # the secret has leaked",
		RunE: f.withKeys(func(cmd *cobra.Command, args []string, keys keyring) error {
			key, err := findKey(cmd.Context(), keys, args[0])
			if err != nil {
				return err
			}
			var formerValid *time.Duration
			if cmd.Flags().Changed("keep") {
				formerValid = (*time.Duration)(&keep)
			}
			rotated, err := keys.RotateKey(cmd.Context(), key.KeyID, formerValid)
			if err != nil {
				return fmt.Errorf("rotating the key %s: %w", args[0], err)
			}
			return f.printNew(cmd, rotated)
		}),
	}
	f.add(cmd)
	cmd.Flags().Var(&keep, "keep", "how long the secret from before stays good, such as 2d, 12h or 0; at most 7d; 1h when not given")
	return cmd
}

func keyRevokeCommand() *cobra.Command {
	var f keyFlags
	var sure confirmation
	cmd := &cobra.Command{
		Use:   "revoke KEY",
		Short: "End a key, for good, on every server within a second",
		Long: "Ends a key, given by its id or name, for good: every server refuses it within a second, streams that it opened end,\n" +
			"and so do the tokens that were made with it.",
		Example: "  tally key revoke gateway-1 --yes\n" +
			"  tally key revoke 4fJ0aZq7TnYkP2Lw --database-url postgres://tally@db.internal/tally --yes",
		RunE: f.withKeys(func(cmd *cobra.Command, args []string, keys keyring) error {
			key, err := findKey(cmd.Context(), keys, args[0])
			if err != nil {
				return err
			}
			if err := sure.ask(cmd, fmt.Sprintf("This ends the key %s, id %s, for good.", oneLine(key.Name), key.KeyID)); err != nil {
				return err
			}
			revoked, err := keys.RevokeKey(cmd.Context(), key.KeyID)
			if err != nil {
				return fmt.Errorf("revoking the key %s: %w", args[0], err)
			}
			return keyDetails.oneAs(cmd, &f.out, revoked, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "key %s, id %s, is revoked\n", oneLine(revoked.Name), revoked.KeyID)
				return err
			})
		}),
	}
	f.add(cmd)
	sure.add(cmd)
	return cmd
}

func keyGenerateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "generate",
		Short: "Print a key that no database knows yet",
		Long: "Prints a new key. It asks nothing and stores nothing: a server that is started with it in " + bootstrapKeyEnv + "\n" +
			"knows it from then on, with all scopes, in the tenant default.",
		Example: "  (umask 077; tally key generate > bootstrap.key)\n" +
			"  " + bootstrapKeyEnv + "=$(cat bootstrap.key) tally serve --database-url …",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), access.GenerateKey())
			return err
		},
	}
}
