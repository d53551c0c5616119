package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

// connection holds the flags of commands that call a server.
type connection struct{ profile, url, caFile, key, tenant, actor string }

const defaultURL = "http://127.0.0.1:8080"

func (c *connection) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.profile, "profile", "", "profile to ask by, as tally login wrote it; the one in use when not given")
	flags.StringVar(&c.url, "url", defaultURL, "address of the server")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM file with authorities to trust for https, beside those of the system")
	flags.StringVar(&c.key, "key", "", "key or token to ask with: @FILE holds it, - reads it from standard input; better in a profile or "+
		"TALLY_KEY than in a flag, which other users of the machine can read")
	flags.StringVar(&c.tenant, "tenant", "", "tenant to act in, for a key with the scope operator; the key's own when not given")
	addActor(flags, &c.actor)
}

func addActor(flags *pflag.FlagSet, actor *string) {
	flags.StringVar(actor, "actor", os.Getenv("USER"), "who asks, for the record")
	flags.Lookup("actor").DefValue = "$USER" // help and manual are the same for everybody
}

// open returns a client for the server that the flags, the environment and the profile say. The caller closes it.
func (c *connection) open(cmd *cobra.Command) (*tally.Client, error) {
	if err := c.resolve(cmd); err != nil {
		return nil, err
	}
	return c.client()
}

// client returns a client of the server that the fields name.
func (c *connection) client() (*tally.Client, error) {
	options := tally.Options{
		URL: c.url, Key: c.key, Anonymous: c.key == "", Tenant: c.tenant, Actor: c.actor, CAFile: c.caFile,
		NoRetries: true, Timeout: -1, Deadline: -1, // whoever waits at a terminal decides, and commands that go on retry by themselves
	}
	opened, err := tally.New(options)
	if err == nil {
		return opened, nil
	}
	flag := "--url"
	if options.CAFile = ""; c.caFile != "" {
		if other, urlErr := tally.New(options); urlErr == nil { // then it is the file
			other.Close()
			flag = "--ca-file"
		}
	}
	return nil, usagef("%s: %w", flag, err)
}

// resolve adds what the profile says to what flags and environment do. A flag goes before the environment, and that before the profile; one
// that --profile names goes before the environment, too. A profile is for one server: nothing of it goes to another.
func (c *connection) resolve(cmd *cobra.Command) error {
	kept, err := readProfiles()
	if err != nil {
		return err
	}
	flags := cmd.Flags()
	name := c.profile
	named, _ := isGiven(flags, "profile")
	if name == "" {
		name = kept.Current
	}
	if name != "" {
		found, err := kept.find(name)
		if err != nil {
			return err
		}
		c.apply(found, func(flag string) bool {
			byFlag, byEnvironment := isGiven(flags, flag)
			return byFlag || byEnvironment && !named
		})
	}
	c.key, err = readSecret(cmd, "--key", c.key)
	return err
}

// apply takes what is not given from a profile.
func (c *connection) apply(p profile, isGiven func(flag string) bool) {
	if isGiven("url") && !sameURL(c.url, p.URL) {
		return
	}
	for _, setting := range []struct {
		flag, value string
		to          *string
	}{{"url", p.URL, &c.url}, {"key", p.Key, &c.key}, {"tenant", p.Tenant, &c.tenant}, {"ca-file", p.CAFile, &c.caFile}} {
		if !isGiven(setting.flag) {
			*setting.to = setting.value
		}
	}
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// maxSecretBytes bounds a file that holds a key or a token.
const maxSecretBytes = 16 << 10

// readSecret returns the secret that a flag gives: itself, @FILE that holds it, or - for standard input.
func readSecret(cmd *cobra.Command, flag, value string) (string, error) {
	file, isFile := strings.CutPrefix(value, "@")
	if value == "-" {
		file, isFile = "-", true
	}
	if !isFile {
		return value, nil
	}
	text, err := readAtMost(cmd, file, maxSecretBytes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, " \t\r\n") {
		return "", usagef("%s: %s holds no key: it must be a line, and nothing else", flag, file)
	}
	return secret, nil
}

// withClient adapts a function that needs a client to a command.
func (c *connection) withClient(run func(*cobra.Command, []string, *tally.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		opened, err := c.open(cmd)
		if err != nil {
			return err
		}
		defer opened.Close()
		return run(cmd, args, opened)
	}
}
