package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tallystick/tallystick/views"
)

// example returns a kit's worked example, compiled: the embedded module, or one built here as the author of a view would build it. It
// returns nil if the build fails, and writes the reason to the progress.
func (s *stage) example(ctx context.Context, kit views.Kit) ([]byte, error) {
	if example := kit.Example(); example != nil {
		return example, nil
	}
	files, err := kit.Project("example")
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(s.folder, "example-"+kit.Language)
	for place, text := range files {
		file := filepath.Join(folder, filepath.FromSlash(place))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
	}
	command := strings.Fields(kit.Build)
	build := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the kit's own
	build.Dir = folder
	build.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local") // download nothing
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(s.config.Progress, "no figures of the %s kit: its example needs %s: %v: %s\n", kit.Language, kit.Needs, err, output)
		return nil, ctx.Err()
	}
	return os.ReadFile(filepath.Join(folder, "view.wasm")) //nolint:gosec // just built
}
