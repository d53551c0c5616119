package views

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed ready earlier
var readyFiles embed.FS

// Ready is a view that every server has, and deploys by its name.
type Ready struct {
	Name        string          `json:"-"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Config      json.RawMessage `json:"config"` // JSON Schema of the newest version's configuration
	// Versions are all that were ever released, and then what may be released next; never empty. The newest is the last.
	Versions []ReadyVersion `json:"versions"`
}

// ReadyVersion is one module of a ready view. Versions are numbered from 1, in the order of Ready.Versions.
type ReadyVersion struct {
	SHA256  string `json:"module"`  // of the module, in hexadecimal
	Release string `json:"release"` // the first that has it; "" while there is none
	Module  []byte `json:"-"`       // shared: do not change it
}

// Catalog is ready views by name.
type Catalog []Ready

// UnknownReadyError says which ready view there is not, and which there are.
type UnknownReadyError struct{ Detail string }

func (e *UnknownReadyError) Error() string { return e.Detail }

// BuiltIn returns the ready views that come with this program.
var BuiltIn = sync.OnceValue(func() Catalog {
	catalog := Catalog{}
	for name, newest := range map[string][]byte{
		"cost_by_team": costByTeam, "meter": meter, "monthly_totals": monthlyTotals, "quota": quota,
		"rate_check": rateCheck,
	} {
		ready, err := readReady(name, newest)
		if err != nil { // TestReadyVersions fails before any program is built of this
			panic(err)
		}
		catalog = append(catalog, ready)
	}
	slices.SortFunc(catalog, func(a, b Ready) int { return strings.Compare(a.Name, b.Name) })
	return catalog
})

// readReady reads what ready/NAME.json says of a view, and joins it with the modules.
func readReady(name string, newest []byte) (Ready, error) {
	text, err := readyFiles.ReadFile("ready/" + name + ".json")
	if err != nil {
		return Ready{}, err
	}
	ready := Ready{Name: name}
	if err := json.Unmarshal(text, &ready); err != nil {
		return Ready{}, fmt.Errorf("reading the description of the ready view %s: %w", name, err)
	}
	for i := range ready.Versions {
		version := &ready.Versions[i]
		if version.Module = newest; i < len(ready.Versions)-1 {
			if version.Module, err = readyFiles.ReadFile("earlier/" + version.SHA256 + ".wasm"); err != nil {
				return Ready{}, fmt.Errorf("reading version %d of the ready view %s: %w", i+1, name, err)
			}
		}
		if found := sha256.Sum256(version.Module); hex.EncodeToString(found[:]) != version.SHA256 {
			return Ready{}, fmt.Errorf("version %d of the ready view %s has the SHA-256 %x, not %s", i+1, name, found, version.SHA256)
		}
	}
	if len(ready.Versions) == 0 {
		return Ready{}, fmt.Errorf("the ready view %s has no version", name)
	}
	return ready, nil
}

// minDigest is how many digits of a digest name a version at least; fewer digits are a version's number.
const minDigest = 8

// Find returns what a reference names: NAME is the newest version of a ready view, NAME@2 its second, NAME@0123abcd the one whose SHA-256
// begins so, with 8 digits at least. The error is an *UnknownReadyError.
func (c Catalog) Find(reference string) (*ReadyVersion, error) {
	name, which, chosen := strings.Cut(reference, "@")
	i := slices.IndexFunc(c, func(r Ready) bool { return r.Name == name })
	if i < 0 {
		return nil, &UnknownReadyError{fmt.Sprintf("there is no ready view %s: there are %s", quoted(name), c.names())}
	}
	versions := c[i].Versions
	newest := &versions[len(versions)-1]
	if !chosen {
		return newest, nil
	}
	if len(which) < minDigest {
		if n, err := strconv.ParseUint(which, 10, 32); err == nil && n >= 1 && n <= uint64(len(versions)) {
			return &versions[n-1], nil
		}
	} else if i := slices.IndexFunc(versions, func(v ReadyVersion) bool { return strings.HasPrefix(v.SHA256, which) }); i >= 0 {
		return &versions[i], nil
	}
	return nil, &UnknownReadyError{fmt.Sprintf("this server has no version %s of the ready view %s: GET /ready-views lists 1 to %d; "+
		"a newer server may have more", quoted(which), name, len(versions))}
}

// Reference returns the name and version of the ready view with a module, such as "meter@2"; "" where none has it.
func (c Catalog) Reference(moduleSHA256 string) string {
	for _, ready := range c {
		for i := range ready.Versions {
			if ready.Versions[i].SHA256 == moduleSHA256 {
				return ready.Name + "@" + strconv.Itoa(i+1)
			}
		}
	}
	return ""
}

func (c Catalog) names() string {
	names := make([]string, len(c))
	for i := range c {
		names[i] = c[i].Name
	}
	return strings.Join(names, ", ")
}

// quoted bounds what an error repeats of a request.
func quoted(text string) string {
	const enough = 64
	if len(text) > enough {
		text = text[:enough] + "…"
	}
	return strconv.Quote(text)
}
