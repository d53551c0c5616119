package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// types runs a command on a terminal, and types an answer each time that it has asked something. It returns the exit status, and all that
// is on the screen, with what the terminal echoes.
func (u *user) types(questions [][2]string, args ...string) (int, string) {
	u.t.Helper()
	screen, tty := terminal(u.t)
	cmd := exec.Command(tally, args...)
	cmd.Stdin = tty
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + u.home, "USER=ada"}
	p := startOn(u.t, screen, tty, cmd, u.home)
	for _, question := range questions {
		p.says(question[0])
		if _, err := screen.WriteString(question[1] + "\n"); err != nil {
			u.t.Fatal(err)
		}
	}
	return p.wait(), p.output.String()
}

// TestInteractive: on a terminal, login asks for what it is not told, and shows no key; what ends something asks first.
func TestInteractive(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	u := newUser(t)
	status, screen := u.types([][2]string{{"Server [http://127.0.0.1:8080]:", o.server.url}, {"Key (it is not shown", key}}, "login")
	if status != 0 || strings.Contains(screen, key) || !strings.Contains(screen, "asks "+o.server.url+" by the key "+idOf(key)) {
		t.Fatalf("login on a terminal ends with %d: %s", status, screen)
	}
	if status, screen := u.types([][2]string{{"Server [" + o.server.url + "]:", ""}, {"Key", "tally_wrong"}}, "login"); status != 2 {
		t.Errorf("with a key that is none it ends with %d: %s", status, screen)
	}
	u.does("", "source", "put", "gateway", "--ready", "cloudevents")
	ask := "This deletes the source gateway"
	status, screen = u.types([][2]string{{ask, "n"}}, "source", "delete", "gateway")
	if status != 1 || !strings.Contains(screen, "nothing was done") {
		t.Errorf("after a no it ends with %d: %s", status, screen)
	}
	if status, screen := u.types([][2]string{{ask, ""}}, "source", "delete", "gateway"); status != 1 {
		t.Errorf("after no word it ends with %d: %s", status, screen)
	}
	u.does("", "source", "show", "gateway") // it is there yet
	status, screen = u.types([][2]string{{ask, "y"}}, "source", "delete", "gateway")
	if status != 0 || !strings.Contains(screen, "is deleted") {
		t.Errorf("after a yes it ends with %d: %s", status, screen)
	}
	if status, said := u.run("", nil, "source", "show", "gateway"); status != 5 {
		t.Errorf("after a yes it is there: %d: %s", status, said)
	}
}
