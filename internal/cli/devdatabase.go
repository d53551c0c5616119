package cli

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/postgres"
)

// databasePasswordEnv holds the password of connections over TCP. There is no such flag: other users of the machine can read those.
const databasePasswordEnv = envPrefix + "POSTGRES_PASSWORD"

// databaseFlags are the flags of who may connect to the PostgreSQL of tally dev.
type databaseFlags struct {
	listen string
}

func (f *databaseFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.listen, "postgres-listen", "", "address where PostgreSQL takes connections too, host:port, from the user "+
		postgres.Superuser+" with the password in "+databasePasswordEnv+"; empty for its socket only")
}

func (f *databaseFlags) apply(o *postgres.Options) error {
	if f.listen == "" {
		return nil
	}
	o.Listen, o.Password = f.listen, os.Getenv(databasePasswordEnv)
	if o.Password == "" {
		return fmt.Errorf("--postgres-listen needs a password: set %s", databasePasswordEnv)
	}
	return nil
}
