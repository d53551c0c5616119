package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/access"
)

// profile says which server to ask, and by which key.
type profile struct {
	URL    string `json:"url"`
	Key    string `json:"key,omitempty"`
	Tenant string `json:"tenant,omitempty"`
	CAFile string `json:"ca_file,omitempty"`
}

// keyID is what may be shown of the key: its id, or that it is a token.
func (p profile) keyID() string {
	if id, ok := access.KeyID(p.Key); ok || p.Key == "" {
		return id
	}
	return "token"
}

// profiles are the contents of the file of profiles.
type profiles struct {
	Current string             `json:"current,omitempty"` // the one in use where none is named
	ByName  map[string]profile `json:"profiles"`
}

// defaultProfile is the name of the profile that tally login writes when none is named.
const defaultProfile = "default"

// profileName keeps names easy to type, and to read.
var profileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func checkProfileName(name string) error {
	if !profileName.MatchString(name) {
		return usagef("%q is no name of a profile: it has letters, digits, '.', '_' and '-', at most 64, and begins with one of the "+
			"first two", name)
	}
	return nil
}

// profilesPath is where profiles are kept: for each user, and apart from what may be deleted.
func profilesPath() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" && runtime.GOOS == "windows" {
		var err error
		if dir, err = os.UserConfigDir(); err != nil {
			return "", fmt.Errorf("finding the folder of profiles: %w", err)
		}
	}
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the folder of profiles: %w", err)
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "tallystick", "config.json"), nil
}

// readProfiles reads the file of profiles. One that is missing holds none.
func readProfiles() (profiles, error) {
	p := profiles{ByName: map[string]profile{}}
	path, err := profilesPath()
	if err != nil {
		return p, nil //nolint:nilerr // without a home there are no profiles, as in a container
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user's own
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading the profiles: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%s holds no profiles: %w; mend it, or remove it and log in again", path, err)
	}
	if p.ByName == nil {
		p.ByName = map[string]profile{}
	}
	return p, nil
}

// write replaces the file of profiles, which nobody else can read, at once: a reader sees the former or the new one.
func (p profiles) write() error {
	path, err := profilesPath()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("making the folder of profiles: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), "config-*.json") // with mode 0600
	if err != nil {
		return fmt.Errorf("writing the profiles: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing the profiles: %w", err), os.Remove(file.Name()))
	}
	return nil
}

// find returns a profile by name.
func (p profiles) find(name string) (profile, error) {
	found, ok := p.ByName[name]
	if !ok {
		there := strings.Join(slices.Sorted(maps.Keys(p.ByName)), ", ")
		if there == "" {
			there = "none"
		}
		return found, notFound("there is no profile %s, but %s: tally login --profile %s makes it", name, there, name)
	}
	return found, nil
}
