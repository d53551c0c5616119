// Package tallystick runs Tallystick in a container, for tests of programs that use it.
//
//	c, err := tallystick.Run(ctx, "tallystick/dev", tallystick.WithLog("acme", nil))
//	testcontainers.CleanupContainer(t, c)
//
// The image has the server and its PostgreSQL in it, and is ready in about a second. It asks for no key, unless WithKey is given.
package tallystick

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	tally "github.com/tallystick/tallystick/openapi/clients/go"
)

const (
	apiPort      = "8080/tcp"
	databasePort = "5432/tcp"
	// databasePassword is the image's own: docs/dev-image.md.
	databasePassword = "tally"
	// startTimeout bounds the start, once the image is there; it takes a second, or many on a busy machine.
	startTimeout = 2 * time.Minute
	pollInterval = 20 * time.Millisecond
)

// Container is a running server. Its methods may be called from several goroutines.
type Container struct {
	testcontainers.Container
	keys []string
}

// Run starts a container of the image, waits until the server is ready, and then makes what the options ask for: views first, so that logs
// have theirs from their first event, then logs, then keys. Beside those of this package, every option of testcontainers-go may be given.
//
// The container is returned also with an error, where there is one, so that testcontainers.CleanupContainer or
// testcontainers.TerminateContainer can remove it; both take nil.
func Run(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (*Container, error) {
	var asked options
	customizers := []testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(apiPort, databasePort),
		// Tests reach the server by whatever name their engine has.
		testcontainers.WithEnv(map[string]string{"TALLY_ALLOW_HOST": "*"}),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/readyz").WithPort(apiPort).
			WithStatusCodeMatcher(func(status int) bool { return status == http.StatusOK }).
			WithPollInterval(pollInterval).WithStartupTimeout(startTimeout)),
	}
	for _, opt := range opts {
		if o, ok := opt.(Option); ok {
			if err := o(&asked); err != nil {
				return nil, fmt.Errorf("run %s: %w", image, err)
			}
		}
	}
	if len(asked.keys) > 0 {
		customizers = append(customizers, testcontainers.WithEnv(map[string]string{"TALLY_KEYS": "true"}))
	}
	started, err := testcontainers.Run(ctx, image, append(customizers, opts...)...)
	var c *Container
	if started != nil {
		c = &Container{Container: started}
	}
	if err != nil {
		return c, fmt.Errorf("run %s: %w", image, err)
	}
	if err := c.prepare(ctx, asked); err != nil {
		return c, fmt.Errorf("run %s: %w", image, err)
	}
	return c, nil
}

// URL returns the server's address, such as http://localhost:32768. It is another one after the container was stopped and started again.
func (c *Container) URL(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, apiPort, "http")
}

// DatabaseURL returns the address of the server's PostgreSQL, for its superuser. To read is fine: docs/sql.md says what there is. It too
// is another one after a stop and a start.
func (c *Container) DatabaseURL(ctx context.Context) (string, error) {
	address, err := c.PortEndpoint(ctx, databasePort, "")
	if err != nil {
		return "", err
	}
	return "postgres://postgres:" + databasePassword + "@" + address + "/tally?sslmode=disable", nil
}

// Keys returns the keys that WithKey asked for, in the order of the options.
func (c *Container) Keys() []string { return c.keys }

// Key returns the first of Keys, "" where there are none.
func (c *Container) Key() string {
	if len(c.keys) == 0 {
		return ""
	}
	return c.keys[0]
}

// Client returns a client of the server, with the first key where there are keys. The caller must close it.
func (c *Container) Client(ctx context.Context) (*tally.Client, error) {
	url, err := c.URL(ctx)
	if err != nil {
		return nil, err
	}
	return tally.New(tally.Options{URL: url, Key: c.Key()})
}
