package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var shellBlock = regexp.MustCompile("(?ms)^ *```sh[^\n]*\n(.*?)^ *```$")

// pagesOfDocs are the pages that have commands.
func pagesOfDocs(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range found {
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			pages[strings.TrimPrefix(page, "../../")] = string(text)
		}
	}
	return pages
}

// TestCommandsInDocs: every command of tally that a page shows exists, and takes the arguments and flags that are shown.
func TestCommandsInDocs(t *testing.T) {
	commands := 0
	for page, text := range pagesOfDocs(t) {
		for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
			for _, words := range shellCommands(block[1]) {
				if words[0] != "tally" && words[0] != "bin/tally" {
					continue
				}
				commands++
				if err := parses(words[1:]); err != nil {
					t.Errorf("%s: %s: %v", page, strings.Join(words, " "), err)
				}
			}
		}
	}
	if commands < 100 {
		t.Errorf("only %d commands were found", commands)
	}
}

// parses returns why a command line would not be run, if so.
func parses(args []string) error {
	if n := len(args) - 1; n > 0 && args[n] == "…" && !strings.HasPrefix(args[n-1], "--") { // and more, of the reader's own
		args = args[:n]
	}
	cmd, rest, err := New().Find(args)
	if err != nil {
		return err
	}
	err = cmd.ParseFlags(rest)
	if err == nil && !cmd.Runnable() {
		return pflag.ErrHelp
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	return err
}

// shellCommands splits a script into its simple commands, each into words, without assignments, redirections and here documents. It knows
// as much of the shell as the pages use.
func shellCommands(script string) (commands [][]string) {
	var words []string
	end := func() {
		for len(words) > 0 && assignment.MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	for script != "" {
		switch match := token.FindStringSubmatch(script); {
		case match == nil: // a lone quote
			script = script[1:]
		case match[hereDocument] != "":
			_, script, _ = strings.Cut(script[len(match[0]):], "\n")
			_, script, _ = strings.Cut("\n"+script, "\n"+match[hereDocument]+"\n")
			end()
		case match[substitution] != "":
			commands = append(commands, shellCommands(match[substitution])...)
			script = script[len(match[0]):]
		case match[word] != "":
			words, script = append(words, unquote.ReplaceAllString(match[word], "$1$2")), script[len(match[0]):]
		default:
			if separates.MatchString(match[0]) {
				end()
			}
			script = script[len(match[0]):]
		}
	}
	end()
	return commands
}

// The groups of token.
const (
	hereDocument = 1 + iota
	substitution
	word
)

var (
	token = regexp.MustCompile(`^(?:[ \t]+|\\\n|#[^\n]*|<<-?'?(\w+)'?|[0-9]*>{1,2}[ \t]*\S+|<[ \t]*[^<\s]\S*|\n|;|\|\|?|&&?|[()]|` +
		`(?:export )?\w+=\$\(([^()]*)\)|((?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\;|&<>()]|[$][(][^()]*[)])+))`)
	separates  = regexp.MustCompile(`^[\n;|&()]+$`)
	assignment = regexp.MustCompile(`^\w+=`)
	unquote    = regexp.MustCompile(`'([^']*)'|"((?:[^"\\]|\\.)*)"`)
)

var (
	apiPath   = regexp.MustCompile(`(?m)^  (/\S*):$`)
	apiMethod = regexp.MustCompile(`(?m)^    (get|post|put|patch|delete):$`)
	serverURL = regexp.MustCompile(`^(?:https?://)?(?:localhost|127\.0\.0\.1:8080|localhost:8080|\$TALLY_URL|[\w.-]*tally\.example\.com|` +
		`metering\.example\.com)(/[^?]*)?`)
)

// operations are the method and path of every operation of the API's description, the path as an expression.
func operations(t *testing.T) map[string][]*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile("../../openapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string][]*regexp.Regexp{}
	paths := apiPath.FindAllSubmatchIndex(text, -1)
	for i, at := range paths {
		end := len(text)
		if i+1 < len(paths) {
			end = paths[i+1][0]
		}
		path := regexp.MustCompile("^" + regexp.MustCompile(`\\\{[^}]*\\\}`).ReplaceAllString(
			regexp.QuoteMeta(string(text[at[2]:at[3]])), `[^/]+`) + "$")
		for _, method := range apiMethod.FindAllSubmatch(text[at[1]:end], -1) {
			name := strings.ToUpper(string(method[1]))
			list[name] = append(list[name], path)
		}
	}
	return list
}

// TestCallsInDocs: every call of curl to a server of ours is one of the API's.
func TestCallsInDocs(t *testing.T) {
	calls := 0
	known := operations(t)
	for page, text := range pagesOfDocs(t) {
		for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
			for _, words := range shellCommands(block[1]) {
				method, path := curlCall(words)
				if path == "" {
					continue
				}
				calls++
				if !slices.ContainsFunc(known[method], func(r *regexp.Regexp) bool { return r.MatchString(path) }) {
					t.Errorf("%s: %s: the API has no %s %s", page, strings.Join(words, " "), method, path)
				}
			}
		}
	}
	if calls < 5 {
		t.Errorf("only %d calls were found", calls)
	}
}

// curlCall returns the method and path of a command that calls our server, else "".
func curlCall(words []string) (method, path string) {
	if words[0] != "curl" {
		return "", ""
	}
	method = "GET"
	for i, word := range words[1:] {
		switch {
		case word == "-X" || word == "--request":
			method = words[i+2]
		case (word == "-d" || strings.HasPrefix(word, "--data")) && method == "GET":
			method = "POST"
		}
		if match := serverURL.FindStringSubmatch(word); match != nil {
			path = match[1]
		}
	}
	return method, path
}
