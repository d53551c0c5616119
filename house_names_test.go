package tallystick_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// sources are the names that our Go sources declare.
type sources struct {
	packages  map[string]bool                       // by name
	names     map[string]bool                       // package.Name
	constants map[string]ast.Expr                   // likewise, those that have a value of their own
	members   map[string]map[string]map[string]bool // type → package → its methods and fields
}

func parseSources(t *testing.T) *sources {
	t.Helper()
	s := &sources{map[string]bool{}, map[string]bool{}, map[string]ast.Expr{}, map[string]map[string]map[string]bool{}}
	for path, text := range files(t, ".", ".go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.add(file)
	}
	if len(s.packages) < 20 || len(s.names) < 2000 {
		t.Fatalf("%d packages with %d names were found; there are more", len(s.packages), len(s.names))
	}
	return s
}

func (s *sources) add(file *ast.File) {
	in := file.Name.Name
	s.packages[in] = true
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				s.names[in+"."+d.Name.Name] = true
			} else {
				s.addMember(in, receiver(d.Recv.List[0].Type), d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for i, name := range spec.Names {
						s.names[in+"."+name.Name] = true
						if d.Tok == token.CONST && i < len(spec.Values) {
							s.constants[in+"."+name.Name] = spec.Values[i]
						}
					}
				case *ast.TypeSpec:
					s.names[in+"."+spec.Name.Name] = true
					s.addMembers(in, spec)
				}
			}
		}
	}
}

func (s *sources) addMembers(in string, spec *ast.TypeSpec) {
	s.addMember(in, spec.Name.Name, "")
	var fields *ast.FieldList
	switch kind := spec.Type.(type) {
	case *ast.StructType:
		fields = kind.Fields
	case *ast.InterfaceType:
		fields = kind.Methods
	default:
		return
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			s.addMember(in, spec.Name.Name, name.Name)
		}
		if len(field.Names) == 0 { // embedded
			s.addMember(in, spec.Name.Name, receiver(field.Type))
		}
	}
}

func (s *sources) addMember(in, of, name string) {
	if s.members[of] == nil {
		s.members[of] = map[string]map[string]bool{}
	}
	if s.members[of][in] == nil {
		s.members[of][in] = map[string]bool{}
	}
	s.members[of][in][name] = true
}

// receiver is the name of a type, without its star, package and parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	default:
		return ""
	}
}

// has tells whether a name such as view.MaxPatterns, view.Views.Query or lane.admit is declared. What begins with neither a package nor a
// type of ours is none of our names.
func (s *sources) has(name string) bool {
	parts := strings.Split(name, ".")
	if s.packages[parts[0]] && s.names[parts[0]+"."+parts[1]] {
		return len(parts) < 3 || s.members[parts[1]][parts[0]][parts[2]]
	}
	for _, members := range s.members[parts[0]] {
		if members[parts[1]] {
			return true
		}
	}
	return !s.packages[parts[0]] && s.members[parts[0]] == nil
}

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	backquoted = regexp.MustCompile("`([^`\n]+)`")
	goName     = regexp.MustCompile(`^([A-Za-z]\w*(?:\.[A-Za-z]\w*){1,2})(?:\(.*\))?$`)
	fileName   = regexp.MustCompile(`^[\w./-]+\.(?:go|sql|c|h|rs|ts|sh|md|lua|yaml|yml|wasm|py|txt|json|csv|ndjson|zst)$`)
	ourFile    = regexp.MustCompile(`\.(?:go|sql|c|h|rs|ts|lua|md)$`)
	word       = regexp.MustCompile(`^[A-Za-z_]\w*$`)
	// instruction is one of WebAssembly's, not a name of ours.
	instruction = regexp.MustCompile(`^(?:memory|table)\.(?:get|set|size|grow|fill|copy|init)$`)
	// told is what a webhook is told, not a name of ours.
	told = regexp.MustCompile(`^(?:alert\.(?:fired|resolved)|view\.(?:halted|live)|webhook\.(?:test|create|update|delete|disable|replay))$`)
)

// pages are the pages that speak of the sources as they are. The changelog speaks of what was.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := files(t, "docs", ".md")
	for _, name := range []string{"ARCHITECTURE.md", "README.md", "CONTRIBUTING.md", "SECURITY.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	for path, text := range found {
		found[path] = codeBlock.ReplaceAllString(text, "")
	}
	return found
}

// TestDocsNameWhatExists: what the docs name as a part of a package or of a type, or as a file, is there.
func TestDocsNameWhatExists(t *testing.T) {
	declared := parseSources(t)
	paths := files(t, ".", "")
	checked := 0
	for page, text := range pages(t) {
		for _, found := range backquoted.FindAllStringSubmatch(text, -1) {
			switch name := found[1]; {
			case fileName.MatchString(name):
				if ourFile.MatchString(name) && !isFile(paths, page, name) {
					t.Errorf("%s speaks of the file %s, which is not there", page, name)
				}
			case goName.MatchString(name) && !instruction.MatchString(name) && !told.MatchString(name):
				checked++
				if name, _, _ = strings.Cut(name, "("); !declared.has(name) {
					t.Errorf("%s speaks of %s, which is not declared", page, name)
				}
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d names were found in the docs", checked)
	}
}

// isFile tells whether a page may call a file so: by its path, or by the end of it.
func isFile(paths map[string]string, page, name string) bool {
	if _, ok := paths[filepath.Join(filepath.Dir(page), name)]; ok {
		return true
	}
	for path := range paths {
		if path == name || strings.HasSuffix(path, "/"+name) {
			return true
		}
	}
	return false
}

// TestArchitectureNamesWhatExists: each word of code in ARCHITECTURE.md is one of the sources.
func TestArchitectureNamesWhatExists(t *testing.T) {
	known := map[string]bool{}
	for _, kind := range []string{".go", ".sql", "Makefile"} {
		for _, source := range files(t, ".", kind) {
			for _, name := range strings.FieldsFunc(source, isNoWord) {
				known[name] = true
			}
		}
	}
	for _, found := range backquoted.FindAllStringSubmatch(pages(t)["ARCHITECTURE.md"], -1) {
		if name := found[1]; word.MatchString(name) && !known[name] {
			t.Errorf("ARCHITECTURE.md speaks of %s, which the sources do not", name)
		}
	}
}

func isNoWord(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) }
