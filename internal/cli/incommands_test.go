package cli

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// TestInCommands: what a server says of calls of its API is shown as commands, which there are; other errors stay as they are.
func TestInCommands(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	for said, want := range map[string]string{
		"there is no log; POST /logs creates one":                        "there is no log; tally log create creates one",
		"GET /logs/{log}/views lists them.":                              "tally view list LOG lists them.",
		"GET /logs/{log}/views/{view}/versions lists them":               "tally view versions LOG VIEW lists them",
		"no module " + hash + ": PUT /modules/" + hash + " uploads it":   "no module " + hash + ": tally module put FILE uploads it",
		"PUT /sources/{source} makes one, GET /sources lists them":       "tally source put SOURCE makes one, tally source list lists them",
		"a path that we do not know: GET /elsewhere/x; POSTS /logs, too": "a path that we do not know: GET /elsewhere/x; POSTS /logs, too",
	} {
		err := fmt.Errorf("asking: %w", &tally.Error{Code: "c", Detail: said})
		if got := inCommands(err); !strings.Contains(got, want) {
			t.Errorf("%q is shown as %q, not %q", said, got, want)
		}
		if got := inCommands(errors.New(said)); got != said {
			t.Errorf("an error of our own is shown as %q", got)
		}
	}
	root := New()
	for call, command := range calls {
		found, rest, err := root.Find(strings.Fields(command)[1:])
		if err != nil || !found.Runnable() && !found.HasParent() || strings.ToUpper(strings.Join(rest, "")) != strings.Join(rest, "") {
			t.Errorf("%s: there is no command %q: %v %v", call, command, rest, err)
		}
	}
}

// TestCallsOfProblemsAreKnown: each call that a problem of the server names has its command. Those of descriptions are not shown here.
func TestCallsOfProblemsAreKnown(t *testing.T) {
	seen := 0
	for _, folder := range []string{"api", "view", "source", "intake", "access", "limits", "eventlog"} {
		files, err := filepath.Glob("../" + folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if !isProblem(n) {
					return true
				}
				ast.Inspect(n, func(n ast.Node) bool {
					literal, ok := n.(*ast.BasicLit)
					if !ok || literal.Kind != gotoken.STRING {
						return true
					}
					text, _ := strconv.Unquote(literal.Value)
					for _, named := range call.FindAllString(strings.ReplaceAll(text, "%x", strings.Repeat("0a", 32)), -1) {
						seen++
						if inCommands(&tally.Error{Detail: named}) == (&tally.Error{Detail: named}).Error() {
							t.Errorf("%s: a problem says %q, for which calls in incommands.go has no command", file, named)
						}
					}
					return true
				})
				return false
			})
		}
	}
	if seen < 10 {
		t.Errorf("only %d calls were found in problems", seen)
	}
}

// isProblem reports whether code makes what the server answers instead of what was asked for.
func isProblem(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		name, ok := n.Fun.(*ast.Ident)
		return ok && name.Name == "newProblem"
	case *ast.CompositeLit:
		name, ok := n.Type.(*ast.Ident)
		return ok && strings.HasSuffix(name.Name, "Error")
	}
	return false
}

// TestColumnsAreMembers: a column is named as the API's member is, unless it is computed here.
func TestColumnsAreMembers(t *testing.T) {
	columnsOf(t, logTable)
	columnsOf(t, moduleTable)
	columnsOf(t, viewTable, "since")
	columnsOf(t, viewPatternTable)
	columnsOf(t, viewActionTable)
	columnsOf(t, sourceTable)
	columnsOf(t, sourceVersionTable)
	columnsOf(t, tenantTable, "state", "since")
	columnsOf(t, keyTable, "state")
	columnsOf(t, appendedTable)
	columnsOf(t, batchTable)
	columnsOf(t, auditTable)
	columnsOf(t, auditLogTable)
	columnsOf(t, newKeyTable)
	columnsOf(t, tokenTable)
	columnsOf(t, testedTable)
	columnsOf(t, replayedTable)
}

func columnsOf[T any](t *testing.T, columns table[T], computed ...string) {
	t.Helper()
	members := map[string]bool{remarkColumn: true}
	for _, name := range computed {
		members[name] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		members[name] = true
	}
	for _, column := range columns {
		if !members[column.name] {
			t.Errorf("%s has no member %s, which a column is named after", reflect.TypeFor[T](), column.name)
		}
	}
}
