package views

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// The kits: what a project gets. Files are named one by one or by patterns that no build product matches.
//
//go:embed requirements.txt c/*.c c/*.h
//go:embed c/template/.gitignore c/template/README.md.tmpl c/template/build.py c/template/view.c c/template/testdata
//go:embed go/tally/*.go
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
		template: "c/template", kit: "c", sources: []string{"*.[ch]"}, without: []string{"month.c", "month.h"},
		more: map[string]string{"requirements.txt": "requirements.txt"},
	},
	{
		Language: "go", Needs: "Go 1.24 or newer", Build: "sh build.sh",
		template: "go/template", kit: "go/tally", sources: []string{"*.go"},
	},
	{
		Language: "rust", Needs: "Rust 1.63 or newer, with the target wasm32-unknown-unknown", Build: "sh build.sh",
		template: "rust/template", kit: "rust/tally", sources: []string{"Cargo.toml", "src/*.rs"},
	},
	{
		Language: "typescript", Needs: "Node.js 20 or newer, with npm", Build: "npm ci && npm run build",
		template: "typescript/template", kit: "typescript/tally", sources: []string{"*.ts"},
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
func (k Kit) Project(name string) (map[string][]byte, error) {
	if len(name) > maxProjectName || !projectName.MatchString(name) {
		return nil, fmt.Errorf("%q cannot name a project: use up to %d lower-case letters and digits, a letter first,"+
			" with single - or _ between, such as monthly-totals", name, maxProjectName)
	}
	files := map[string][]byte{}
	err := fs.WalkDir(kitFiles, k.template, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := kitFiles.ReadFile(file)
		place, filled := strings.CutSuffix(strings.TrimPrefix(file, k.template+"/"), ".tmpl")
		if filled {
			text = []byte(strings.ReplaceAll(string(text), "{{name}}", name))
		}
		files[place] = text
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, pattern := range k.sources {
		sources, err := fs.Glob(kitFiles, path.Join(k.kit, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range sources {
			place := strings.TrimPrefix(file, k.kit+"/")
			if slices.Contains(k.without, place) || strings.HasSuffix(place, "_test.go") {
				continue
			}
			if files["tally/"+place], err = kitFiles.ReadFile(file); err != nil {
				return nil, err
			}
		}
	}
	for place, file := range k.more {
		if files[place], err = kitFiles.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}
