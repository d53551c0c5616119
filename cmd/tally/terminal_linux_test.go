package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/testrig"
)

// onTerminal runs a command with standard output and error on a terminal of its own, and returns its exit status and what it printed there.
// With until, it is interrupted once it has printed that.
func onTerminal(t *testing.T, dir, until string, args ...string) (status int, printed string) {
	t.Helper()
	screen, tty := terminal(t)
	if _, err := term.MakeRaw(int(tty.Fd())); err != nil { // so that it adds nothing
		t.Fatal(err)
	}
	p := startOn(t, screen, tty, exec.Command(tally, args...), dir)
	if until != "" {
		p.says(until)
		p.signal(syscall.SIGINT)
	}
	return p.wait(), p.output.String()
}

// terminal is a new terminal: what its user sees and types, and what programs use.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	fd := int(screen.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return screen, tty
}

// startOn starts a command with its output on a terminal. It is done when all of that has been read.
func startOn(t *testing.T, screen, tty *os.File, cmd *exec.Cmd, dir string) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, output: &output{}, done: make(chan struct{})}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = tty.Close() // the command has it
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 4096)
		for {
			n, err := screen.Read(buf)
			_, _ = p.output.Write(buf[:n])
			if err != nil { // the other side is closed
				return
			}
		}
	}()
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // its state says all
		<-read
	}()
	return p
}

// obeyed are the characters of a text that a terminal would obey, or that change the order of what it shows.
func obeyed(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) && !unicode.Is(unicode.Bidi_Control, r) && r != unicode.ReplacementChar {
			return -1
		}
		return r
	}, text)
}

// hostile is what a sender or a view may write: it clears the screen, sets colors by two ways, turns what follows around, and fakes a line.
const hostile = "\x1b[2J\u009b31m\u202e\u2066\x7f\rtally: ok"

// TestTerminal: what events, views and their errors hold is shown as it is on a terminal, which obeys none of it; elsewhere data stays as
// it is, byte for byte, and errors are on one line.
func TestTerminal(t *testing.T) {
	o, _ := operate(t)
	quoted := `\u001b[2J` + "\u009b31m\u202e\u2066\x7f" + `\rtally: ok`
	event := `{"type":"a` + "\u202e" + `b","team":"` + quoted + `","n":1}`
	o.append("acme", event)
	o.succeeds(nil, "view", "deploy", "acme", "usage", "--ready", "meter", "--config", `{"group_by":{"team":"/team"}}`)
	write(t, filepath.Join(o.dir, "view.wasm"), string(testrig.Scripted()))
	o.succeeds(nil, "view", "deploy", "acme", "scripted")
	o.append("acme", testrig.ScriptEvent(testrig.Line("fail", "no"+hostile)))

	for name, test := range map[string]struct {
		args   []string
		status int
		words  []string
		piped  string // what standard output holds where it is no terminal
		until  string
	}{
		"text of a view": {
			args:  []string{"query", "acme", "usage", "group_by=team&format=csv"},
			words: []string{`\u001b[2J\u009b31m`, `\u202e\u2066\u007f`}, piped: hostile,
		},
		"JSON of a view": {args: []string{"query", "acme", "usage", "group_by=team"}, words: []string{`\u202e`}, piped: "\u202e"},
		"problem of a view": {
			args:   []string{"query", "acme", "usage", "%1b[2J%0atally:%20ok=%e2%80%ae"},
			status: 4, words: []string{"tally: asking", "query_refused"},
		},
		"events": {args: []string{"events", "list", "acme"}, words: []string{`a\u202eb`, `\u009b31m`}},
		"event": {
			args:  []string{"events", "show", "acme", "1", "--output", "ndjson"},
			words: []string{`\u009b31m\u202e`}, piped: event,
		},
		"CSV": {args: []string{"events", "list", "acme", "--output", "csv"}, words: []string{`\u009b31m\u202e`}, piped: "\u009b31m"},
		"tail": {
			args: []string{"events", "tail", "acme", "--from", "1"}, words: []string{`\u009b31m\u202e`},
			piped: event, until: `"sequence":2`,
		},
		"watch": {
			args:  []string{"watch", "acme", "usage", "group_by=team&format=csv"},
			words: []string{`\u009b31m\u202e`}, until: `31m`,
		},
		"list":     {args: []string{"view", "list", "acme"}, words: []string{"halted", `no\u001b[2J\u009b31m\u202e`}},
		"versions": {args: []string{"view", "versions", "acme", "scripted"}, words: []string{`no\u001b[2J\u009b31m\u202e`}},
		"halt": {
			args: []string{"view", "resume", "acme", "scripted"}, status: 1,
			words: []string{`no\u001b[2J\u009b31m\u202e`},
		},
		"audit":     {args: []string{"view", "audit", "acme"}, words: []string{"scripted"}},
		"verify":    {args: []string{"verify", "acme"}, words: []string{"scripted"}},
		"not found": {args: []string{"query", "acme", hostile}, status: 5, words: []string{"tally: asking"}},
		"export":    {args: []string{"events", "export", "acme", "--file", "-"}, words: []string{`\u009b31m\u202e`}, piped: event},
	} {
		t.Run(name, func(t *testing.T) {
			args := o.args(test.args)
			status, printed := onTerminal(t, o.dir, test.until, args...)
			// How watch clears the screen, how CSV ends lines, and colours.
			printed = colours.ReplaceAllString(strings.NewReplacer("\x1b[H\x1b[2J", "", "\r\n", "\n").Replace(printed), "")
			if name == "export" || name == "verify" {
				printed = strings.ReplaceAll(printed, "\r", "") // the bar's way back
			}
			if status != test.status {
				t.Errorf("on a terminal it ends with status %d, not %d:\n%q", status, test.status, printed)
			}
			if found := obeyed(printed); found != "" || status != 0 && strings.Contains(printed, "\ntally: ok") {
				t.Errorf("a terminal gets %q in\n%q", found, printed)
			}
			for _, word := range test.words {
				if !strings.Contains(printed, word) {
					t.Errorf("a terminal does not get %q but\n%q", word, printed)
				}
			}
			if test.until != "" {
				return // goes on until it is stopped
			}
			status, printed = run(t, o.dir, args...)
			if status != test.status || !strings.Contains(printed, test.piped) {
				t.Errorf("elsewhere it ends with status %d and says\n%q", status, printed)
			}
			if test.piped == "" && (obeyed(printed) != "" || status != 0 && strings.Contains(printed, "\ntally: ok")) {
				t.Errorf("what is for people is not safe elsewhere:\n%q", printed)
			}
		})
	}
	for line := range strings.Lines(o.server.output.String()) {
		if found := obeyed(line); found != "" {
			t.Errorf("the server writes %q in %q", found, line)
		}
	}
}

// colours are the sequences by which tables are coloured.
var colours = regexp.MustCompile("\x1b\\[(0|1|2|31|32|33)m")

// TestColours: states have colours on a terminal, and nowhere else: not in a pipe, not with NO_COLOR, not in JSON.
func TestColours(t *testing.T) {
	o, _ := operate(t)
	o.append("acme", `{"n":1}`)
	o.succeeds(nil, "view", "deploy", "acme", "usage", "--ready", "meter", "--config", `{"group_by":{"team":"/team"}}`)
	list := o.args([]string{"view", "list", "acme"})
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if _, printed := onTerminal(t, o.dir, "", list...); !strings.Contains(printed, "\x1b[32mlive\x1b[0m") {
		t.Errorf("a terminal gets no colours: %q", printed)
	}
	if _, printed := run(t, o.dir, list...); strings.Contains(printed, "\x1b") || !strings.Contains(printed, "live") {
		t.Errorf("a pipe gets %q", printed)
	}
	if _, printed := onTerminal(t, o.dir, "", append(list, "--output", "json")...); strings.Contains(printed, "\x1b") {
		t.Errorf("JSON on a terminal is %q", printed)
	}
	t.Setenv("NO_COLOR", "1")
	if _, printed := onTerminal(t, o.dir, "", list...); strings.Contains(printed, "\x1b") || !strings.Contains(printed, "live") {
		t.Errorf("with NO_COLOR a terminal gets %q", printed)
	}
}

// TestTerminalOfViewTest: what a module in development says is shown as it is.
func TestTerminalOfViewTest(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "view.wasm"), string(testrig.Scripted()))
	write(t, filepath.Join(dir, "testdata/a/events.ndjson"),
		testrig.ScriptEvent(testrig.Line("set", "k\u202e", `"`+"\u009b31m\x7f"+`"`), testrig.Line("fail", "no"+hostile))+"\n")
	for where, play := range map[string]func() (int, string){
		"on a terminal": func() (int, string) { return onTerminal(t, dir, "", "view", "test") },
		"elsewhere":     func() (int, string) { return run(t, dir, "view", "test") },
	} {
		status, printed := play()
		if found := obeyed(printed); status != 3 || found != "" || !strings.Contains(printed, `no\u001b[2J\u009b31m\u202e`) {
			t.Errorf("%s it ends with status %d, and %q in\n%q", where, status, found, printed)
		}
	}
}
