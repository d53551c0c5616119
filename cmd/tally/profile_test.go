package main_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// user runs commands with a folder for profiles, and nothing else in the environment that says whom to ask.
type user struct {
	t    *testing.T
	home string
}

func newUser(t *testing.T) *user { return &user{t, t.TempDir()} }

func (u *user) run(stdin string, env []string, args ...string) (int, string) {
	u.t.Helper()
	cmd := exec.CommandContext(u.t.Context(), tally, args...)
	cmd.Dir, cmd.Stdin = u.home, strings.NewReader(stdin)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + u.home, "USER=ada"}, env...)
	text, _ := cmd.CombinedOutput()
	return cmd.ProcessState.ExitCode(), string(text)
}

func (u *user) does(stdin string, args ...string) string {
	u.t.Helper()
	status, said := u.run(stdin, nil, args...)
	if status != 0 {
		u.t.Fatalf("tally %s ends with %d: %s", strings.Join(args, " "), status, said)
	}
	if strings.Contains(said, key) {
		u.t.Errorf("tally %s shows the key", strings.Join(args, " "))
	}
	return said
}

// listener remembers which keys it was asked by, as another server would.
func listener(t *testing.T) (url string, heard func() []string) {
	t.Helper()
	var mu sync.Mutex
	var keys []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, r.Header.Get("Authorization")+r.Header.Get("Tally-Tenant"))
		http.Error(w, `{"code":"log_not_found","detail":"none","status":404}`, http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return keys
	}
}

// TestLogin: the address and the key are checked, kept where only their owner can read them, and used from then on.
func TestLogin(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	url := o.server.url
	u := newUser(t)
	if said := u.does(key+"\n", "login", "--url", url); !strings.Contains(said, idOf(key)) || !strings.Contains(said, url) {
		t.Errorf("login says %s", said)
	}
	file := filepath.Join(u.home, ".config", "tallystick", "config.json")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the profiles are %v, %v", info, err)
	}
	if folder, err := os.Stat(filepath.Dir(file)); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("their folder is %v, %v", folder, err)
	}
	if said := u.does("", "log", "show", "acme"); !strings.Contains(said, "acme") {
		t.Errorf("by the profile: %s", said)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	mistyped := key[:len(key)-1] + map[bool]string{true: "1", false: "0"}[key[len(key)-1] == '0']
	for want, login := range map[string]struct {
		status int
		stdin  string
		args   []string
	}{
		"does not take the key": {4, "", []string{"login", "--url", url}},
		"this is no key":        {2, mistyped, []string{"login", "--url", url}},
		"no server answers":     {6, key, []string{"login", "--url", "http://127.0.0.1:1"}},
		"is no name":            {2, key, []string{"login", "--url", url, "--profile", "a b"}},
		"is not the address":    {2, key, []string{"login", "--url", "acme.example.com"}},
	} {
		if status, said := u.run(login.stdin, nil, login.args...); status != login.status || !strings.Contains(said, want) {
			t.Errorf("%v ends with %d, and does not say %q but %s", login.args, status, want, said)
		}
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(kept) {
		t.Errorf("a login that failed leaves %s, %v", now, err)
	}
	write(t, filepath.Join(u.home, "key"), key+"\n")
	u.does("", "login", "--url", url, "--key", "@key", "--profile", "second")
	if list := u.does("", "profile", "list", "--output", "csv"); list != "profile,in_use,url,key_id,tenant,ca_file\r\n"+
		"default,false,"+url+","+idOf(key)+",,\r\nsecond,true,"+url+","+idOf(key)+",,\r\n" {
		t.Errorf("the profiles are %q", list)
	}
	u.does("", "profile", "use", "default")
	u.does("", "profile", "remove", "second")
	status, said := u.run("", nil, "profile", "use", "second")
	if status != 5 || !strings.Contains(said, "there is no profile second, but default") {
		t.Errorf("a profile that is removed: %d: %s", status, said)
	}
	u.does("", "profile", "remove", "default")
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "tally_") {
		t.Errorf("when all are removed the file holds %s, %v", text, err)
	}
}

// TestProfilePrecedence: a flag goes before the environment, and that before the profile, but for a profile that a flag names; and nothing
// of a profile is sent to another server than its own.
func TestProfilePrecedence(t *testing.T) {
	o, _ := operate(t)
	o.empty("acme")
	u := newUser(t)
	u.does(key, "login", "--url", o.server.url, "--tenant", "default")
	other, heard := listener(t)
	show := []string{"log", "show", "acme"}
	for name, test := range map[string]struct {
		env, args []string
		status    int
	}{
		"the one in use":             {nil, nil, 0},
		"a flag":                     {nil, []string{"--key", "tally_other"}, 4},
		"the environment":            {[]string{"TALLY_KEY=tally_other"}, nil, 4},
		"a flag over the other":      {[]string{"TALLY_KEY=tally_other"}, []string{"--key", key}, 0},
		"a profile that a flag says": {[]string{"TALLY_KEY=tally_other", "TALLY_URL=" + other}, []string{"--profile", "default"}, 0},
		"a profile of the variable":  {[]string{"TALLY_PROFILE=default", "TALLY_KEY=tally_other"}, nil, 4},
		"none of that name":          {[]string{"TALLY_PROFILE=none"}, nil, 5},
	} {
		if status, said := u.run("", test.env, append(show, test.args...)...); status != test.status {
			t.Errorf("%s: it ends with %d, want %d, and says %s", name, status, test.status, said)
		}
	}
	if keys := heard(); len(keys) > 0 {
		t.Errorf("the environment's server was asked by %q", keys)
	}
	u.run("", nil, append(show, "--url", other)...)
	u.run("", []string{"TALLY_URL=" + other}, show...)
	u.run("", []string{"TALLY_URL=" + other, "TALLY_KEY=of-the-other"}, show...)
	if keys := heard(); strings.Join(keys, "|") != "||Bearer of-the-other" {
		t.Errorf("another server was asked by %q", keys)
	}
	if status, said := u.run(key+"\n", nil, append(show, "--key", "-")...); status != 0 {
		t.Errorf("with the key on standard input it ends with %d: %s", status, said)
	}
}
