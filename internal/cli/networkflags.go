package cli

import (
	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/server"
)

// addNetworkFlags adds what concerns connections beyond where a server listens.
func addNetworkFlags(flags *pflag.FlagSet, c *server.Config) {
	flags.StringVar(&c.TLSCertFile, "tls-cert", "", "PEM file with the certificate to serve HTTPS with; read again when it changes")
	flags.StringVar(&c.TLSKeyFile, "tls-key", "", "PEM file with the certificate's key")
	flags.StringSliceVar(&c.TrustedProxies, "trusted-proxy", nil,
		"network or address of proxies that say who the client is, such as 10.0.0.0/8; may be repeated, or hold commas")
	flags.StringSliceVar(&c.WebhookAllow, "webhook-allow", c.WebhookAllow,
		"network or address that webhooks may go to although it is not public, also without encryption, such as 10.1.0.0/16; "+
			"may be repeated, or hold commas")
	flags.StringVar(&c.ProxyHeader, "proxy-header", "X-Forwarded-For",
		"the header in which they do: X-Forwarded-For or Forwarded; they must append to it, or set it")
}
