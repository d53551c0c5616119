package cli

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/tallystick/tallystick/internal/terminal"
)

// maxHealthBytes bounds a response of /readyz.
const maxHealthBytes = 64 << 10

// health asks the server on this machine, with the flags that it was started with: in a container they come from the same environment.
type health struct {
	listen, tlsCert string
	live            bool
	timeout         time.Duration
}

func healthCommand() *cobra.Command {
	var h health
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the server on this machine whether it is ready",
		Long: "Ends with status 0 when the server is ready, else 1: a health check for containers, which have no shell and no curl.\n" +
			"It takes TALLY_LISTEN and TALLY_TLS_CERT as the server does.",
		Example: "  tally health\n  tally health --live --listen 127.0.0.1:8080",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), h.timeout)
			defer cancel()
			if err := h.ask(ctx, cmd.OutOrStdout()); err != nil {
				return statusError{err, statusFailed} // health checks know no other
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&h.listen, "listen", "127.0.0.1:8080", "address that the server listens on, host:port")
	flags.StringVar(&h.tlsCert, "tls-cert", "", "certificate that the server was given, if any: it is asked over https then")
	flags.BoolVar(&h.live, "live", false, "ask only whether it serves at all, not whether its database does")
	flags.DurationVar(&h.timeout, "timeout", 5*time.Second, "how long the server may take")
	return cmd
}

// url is where the server answers requests of this machine.
func (h *health) url() (string, error) {
	host, port, err := net.SplitHostPort(h.listen)
	if err != nil {
		return "", usagef("--listen %q is no host:port: %w", h.listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	scheme, path := "http://", "/readyz"
	if h.tlsCert != "" {
		scheme = "https://"
	}
	if h.live {
		path = "/healthz"
	}
	return scheme + net.JoinHostPort(host, port) + path, nil
}

func (h *health) ask(ctx context.Context, out io.Writer) error {
	url, err := h.url()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	// The certificate names the host by which clients reach the server, not this machine. Nothing secret is sent.
	unnamed := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12} //nolint:gosec // see above
	transport := &http.Transport{TLSClientConfig: unnamed, DisableKeepAlives: true}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err // names the method and the URL
	}
	defer response.Body.Close() //nolint:errcheck // the status counts
	var body struct {
		Detail   string
		Warnings []string
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBytes))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	_ = json.Unmarshal(text, &body) // what else answers there has a status, too
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s: %s", url, response.Status, terminal.Line(body.Detail))
	}
	fmt.Fprintln(out, "ok")
	for _, warning := range body.Warnings {
		fmt.Fprintln(out, "warning:", terminal.Line(warning))
	}
	return nil
}
