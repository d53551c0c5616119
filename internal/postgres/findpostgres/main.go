// Command findpostgres prints the folder that holds the bin folder of PostgreSQL's programs, which it finds or downloads as tally dev does.
// TALLY_POSTGRES_BIN and TALLY_POSTGRES_MAJOR select them.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/postgres"
)

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	found, err := postgres.Find(context.Background(), postgres.FindOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "findpostgres:", err)
		os.Exit(1)
	}
	fmt.Println(filepath.Dir(found.Dir))
}
