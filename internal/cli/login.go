package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tallystick/tallystick/internal/access"
	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

func loginCommand() *cobra.Command {
	var conn connection
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Keep a server's address and a key in a profile",
		Long: "Asks for a server's address and a key, checks both against the server, and keeps them in a profile, which is from then\n" +
			"on in use. Flags answer beforehand, and without a terminal the key is the first line of standard input; it may be\n" +
			"empty for a server that asks for none. Profiles are in ~/.config/tallystick/config.json, which nobody else can read.",
		Example: "  tally login\n" +
			"  tally login --url https://tally.example.com --key @/run/secrets/tally-key --profile production\n" +
			"  tally login --url http://127.0.0.1:8080 </dev/null   # tally dev asks for no key",
		Args: checkArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return login(cmd, &conn) },
	}
	conn.add(cmd.Flags())
	cmd.Flags().Lookup("profile").Usage = "name of the profile to write; " + defaultProfile + " when not given"
	return cmd
}

func login(cmd *cobra.Command, conn *connection) error {
	name := conn.profile
	if name == "" {
		name = defaultProfile
	}
	if err := checkProfileName(name); err != nil {
		return err
	}
	kept, err := readProfiles()
	if err != nil {
		return err
	}
	if err := askServer(cmd, conn, kept.ByName[name]); err != nil {
		return err
	}
	if err := checkLogin(cmd, conn); err != nil {
		return err
	}
	made := profile{URL: strings.TrimRight(conn.url, "/"), Key: conn.key, Tenant: conn.tenant, CAFile: conn.caFile}
	kept.ByName[name], kept.Current = made, name
	if err := kept.write(); err != nil {
		return err
	}
	by := "without a key"
	if id := made.keyID(); id != "" {
		by = "by the key " + id
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "profile %s asks %s %s, and is in use\n", name, made.URL, by)
	return err
}

// askServer asks for what flags do not say. former is the profile as it is.
func askServer(cmd *cobra.Command, conn *connection, former profile) error {
	onTerminal := ifTerminal(os.Stdin) != nil
	lines := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), maxSecretBytes))
	if given, byEnvironment := isGiven(cmd.Flags(), "url"); !given && !byEnvironment {
		if former.URL != "" {
			conn.url = former.URL
		}
		if onTerminal {
			fmt.Fprintf(cmd.ErrOrStderr(), "Server [%s]: ", conn.url)
			line, err := lines.ReadString('\n')
			if err != nil {
				return errDeclined
			}
			if line = strings.TrimSpace(line); line != "" {
				conn.url = line
			}
		}
	}
	if given, _ := isGiven(cmd.Flags(), "key"); given {
		var err error
		conn.key, err = readSecret(cmd, "--key", conn.key)
		return err
	}
	if onTerminal {
		fmt.Fprint(cmd.ErrOrStderr(), "Key (it is not shown; empty for a server without keys): ")
		secret, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(cmd.ErrOrStderr())
		if err != nil {
			return errDeclined
		}
		conn.key = strings.TrimSpace(string(secret))
		return nil
	}
	line, err := lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the key from standard input: %w", err)
	}
	if line = strings.TrimSpace(line); line != "" { // else that of the environment, if any
		conn.key = line
	}
	return nil
}

// checkLogin asks the server whether it knows the key. What the key may do is not at stake.
func checkLogin(cmd *cobra.Command, conn *connection) error {
	if access.LooksLikeKey(conn.key) {
		if _, ok := access.KeyID(conn.key); !ok {
			return usagef("this is no key: a character is missing or another one; keys are as tally key create prints them")
		}
	}
	c, err := conn.client()
	if err != nil {
		return err
	}
	defer c.Close()
	if conn.key != "" && isInTheClear(conn.url) {
		fmt.Fprintf(cmd.ErrOrStderr(), "tally: %s is not encrypted: whoever is in between reads the key\n", oneLine(conn.url))
	}
	_, err = c.ListLogs(cmd.Context(), &tally.ListLogsOptions{ListOptions: tally.ListOptions{Limit: 1}})
	refused, ok := errors.AsType[*tally.Error](err)
	switch {
	case err == nil, ok && refused.Status == http.StatusForbidden: // it knows whose key it is
		return nil
	case ok && refused.Status == http.StatusUnauthorized:
		return fmt.Errorf("%s does not take the key: %w", conn.url, err)
	}
	return fmt.Errorf("logging in at %s: %w", conn.url, err)
}

// isInTheClear reports whether requests leave this machine unencrypted.
func isInTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}
