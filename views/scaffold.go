package views

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The kits: what a project gets. Files are named one by one or by patterns that no build product matches.
//
//go:embed requirements.txt c/*.c c/*.h
//go:embed c/template/.gitignore c/template/README.md.tmpl c/template/build.py c/template/view.c c/template/testdata
//go:embed c/guarded go/guarded rust/guarded typescript/guarded
//go:embed go/tally/*.go go/tally/guard/*.go
//go:embed go/template/.gitignore go/template/*.tmpl go/template/tally/go.mod.tmpl go/template/build.sh go/template/main.go
//go:embed go/template/testdata
//go:embed rust/tally/Cargo.toml rust/tally/src/*.rs
//go:embed rust/template/.gitignore rust/template/README.md.tmpl rust/template/build.sh rust/template/Cargo.toml.tmpl
//go:embed rust/template/src rust/template/testdata
//go:embed typescript/tally/*.ts
//go:embed typescript/template/.gitignore typescript/template/.npmrc typescript/template/*.tmpl typescript/template/*.json
//go:embed typescript/template/view.ts typescript/template/testdata
var kitFiles embed.FS

// Kit is what views are written with in one language.
type Kit struct {
	Language string
	Needs    string // what has to be installed, in words
	Build    string // the command that makes view.wasm, in the project's folder

	template string
	// guarded is laid over the template in a project with a guard; its golden folders take the place of the template's.
	guarded string
	// sources are patterns of the files in the folder kit that a project gets under tally/, so that it builds without asking
	// anybody; others are left out by name.
	kit     string
	sources []string
	without []string
	// more are files from elsewhere, by their place in the project.
	more map[string]string
}

var kits = []Kit{
	{
		Language: "c", Needs: "Python 3.9 or newer, with venv", Build: "python3 build.py",
		template: "c/template", guarded: "c/guarded", kit: "c", sources: []string{"*.[ch]"}, without: []string{"month.c", "month.h"},
		more: map[string]string{"requirements.txt": "requirements.txt"},
	},
	{
		Language: "go", Needs: "Go 1.24 or newer", Build: "sh build.sh",
		template: "go/template", guarded: "go/guarded", kit: "go/tally", sources: []string{"*.go", "guard/*.go"},
	},
	{
		Language: "rust", Needs: "Rust 1.63 or newer, with the target wasm32-unknown-unknown", Build: "sh build.sh",
		template: "rust/template", guarded: "rust/guarded", kit: "rust/tally", sources: []string{"Cargo.toml", "src/*.rs"},
	},
	{
		Language: "typescript", Needs: "Node.js 20 or newer, with npm", Build: "npm ci && npm run build",
		template: "typescript/template", guarded: "typescript/guarded", kit: "typescript/tally", sources: []string{"*.ts"},
	},
}

// Kits are the kits by language.
func Kits() []Kit { return slices.Clone(kits) }

// Languages are what [FindKit] knows.
func Languages() []string {
	names := make([]string, len(kits))
	for i, kit := range kits {
		names[i] = kit.Language
	}
	return names
}

// FindKit finds the kit of a language; the error lists those that there are.
func FindKit(language string) (Kit, error) {
	i := slices.IndexFunc(kits, func(k Kit) bool { return k.Language == language })
	if i < 0 {
		return Kit{}, fmt.Errorf("there is no kit for the language %q: there are %s", language, strings.Join(Languages(), ", "))
	}
	return kits[i], nil
}

// projectName is what Go modules, crates and npm packages can all be called, and views too.
var projectName = regexp.MustCompile(`^[a-z][a-z0-9]*([-_][a-z0-9]+)*$`)

// maxProjectName is npm's limit less room for a scope, and far below that of a view's name.
const maxProjectName = 100

// Project returns the files of a new project by their slash-separated paths: the kit's worked example, and the kit itself in
// tally/. The error of an invalid name tells the form of a valid one.
func (k Kit) Project(name string) (map[string][]byte, error) { return k.project(name, k.template) }

// GuardProject is Project with a worked example that has a guard.
func (k Kit) GuardProject(name string) (map[string][]byte, error) {
	return k.project(name, k.template, k.guarded)
}

// project lays the folders one over the other, and adds the kit.
func (k Kit) project(name string, folders ...string) (map[string][]byte, error) {
	if len(name) > maxProjectName || !projectName.MatchString(name) {
		return nil, fmt.Errorf("%q cannot name a project: use up to %d lower-case letters and digits, a letter first,"+
			" with single - or _ between, such as monthly-totals", name, maxProjectName)
	}
	files := map[string][]byte{}
	for _, folder := range folders {
		maps.DeleteFunc(files, func(place string, _ []byte) bool { return strings.HasPrefix(place, "testdata/") })
		if err := fill(files, folder, name); err != nil {
			return nil, err
		}
	}
	if err := k.addKit(files); err != nil {
		return nil, err
	}
	return files, nil
}

// fill adds the files of a folder, with the project's name where they ask for it.
func fill(files map[string][]byte, folder, name string) error {
	return fs.WalkDir(kitFiles, folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := kitFiles.ReadFile(file)
		place, filled := strings.CutSuffix(strings.TrimPrefix(file, folder+"/"), ".tmpl")
		if filled {
			text = []byte(strings.ReplaceAll(string(text), "{{name}}", name))
		}
		files[place] = text
		return err
	})
}

func (k Kit) addKit(files map[string][]byte) error {
	for _, pattern := range k.sources {
		sources, err := fs.Glob(kitFiles, path.Join(k.kit, pattern))
		if err != nil {
			return err
		}
		for _, file := range sources {
			place := strings.TrimPrefix(file, k.kit+"/")
			if slices.Contains(k.without, place) || strings.HasSuffix(place, "_test.go") {
				continue
			}
			if files["tally/"+place], err = kitFiles.ReadFile(file); err != nil {
				return err
			}
		}
	}
	for place, file := range k.more {
		text, err := kitFiles.ReadFile(file)
		if err != nil {
			return err
		}
		files[place] = text
	}
	return nil
}
