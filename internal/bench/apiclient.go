package bench

import (
	"time"

	api "github.com/tallystick/tallystick/openapi/clients/go"
)

// newClient calls a server of the bench, in a tenant, "" for the first. It sends each request once: what is measured is the server.
func newClient(address, tenant string, timeout time.Duration) (*api.Client, error) {
	return api.New(api.Options{
		URL: "http://" + address, Key: benchKey, Tenant: tenant, Timeout: timeout, Deadline: -1, NoRetries: true,
	})
}
