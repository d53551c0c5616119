// Package container runs PostgreSQL servers for this project's tests in containers. TALLY_TEST_IMAGE names the image, postgres:18 unless
// set; it must start as the official one does.
//
// It is a module of its own, so that the server's does not need what starts containers: the program server/ is what the tests start.
package container

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that answering is waited for with
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/tallystick/tallystick/internal/testdb"
)

const (
	imageEnv     = "TALLY_TEST_IMAGE"
	defaultImage = "postgres:18"
	// readyTimeout bounds a container's start once its image is there; readyPoll is how often it is asked.
	readyTimeout = 2 * time.Minute
	readyPoll    = 20 * time.Millisecond
)

// endContainer waits for the test process to end and then removes its container. $1 is the container.
const endContainer = `cat >/dev/null
docker rm --force --volumes "$1" >/dev/null 2>&1`

// Start runs a server in a container. Ryuk, the helper container of testcontainers-go, removes it after the tests; where that
// is turned off (TESTCONTAINERS_RYUK_DISABLED, because its image cannot be pulled), a watchdog does, with the docker command.
func Start(ctx context.Context, fsync bool) (*testdb.Server, error) {
	image := os.Getenv(imageEnv)
	if image == "" {
		image = defaultImage
	}
	own := testcontainers.ReadConfig().RyukDisabled
	if own {
		if _, err := exec.LookPath("docker"); err != nil {
			return nil, fmt.Errorf("TESTCONTAINERS_RYUK_DISABLED is set, so the docker command must remove the container: %w", err)
		}
	}
	command := []string{"postgres", "-c", "max_connections=" + testdb.MaxConnections, "-c", "jit=off"}
	if !fsync {
		command = append(command, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	c, err := postgres.Run(ctx, image, testcontainers.WithCmd(command...), testcontainers.WithAdditionalWaitStrategy(
		wait.ForSQL("5432/tcp", "pgx", func(host string, port network.Port) string {
			return containerURL(net.JoinHostPort(host, port.Port()), "postgres")
		}).WithPollInterval(readyPoll).WithStartupTimeout(readyTimeout)))
	if own && c != nil {
		err = errors.Join(err, testdb.Watch(endContainer, c.GetContainerID()))
	}
	if err != nil {
		return nil, fmt.Errorf("start a container of %s: a Docker engine must run, and the image be there or within reach "+
			"(%s names another image; %s=local runs without containers): %w", image, imageEnv, testdb.ModeEnv, err)
	}
	address, err := c.PortEndpoint(ctx, "5432/tcp", "")
	if err != nil {
		return nil, fmt.Errorf("ask for the container's port: %w", err)
	}
	return &testdb.Server{URL: func(database string) string { return containerURL(address, database) }}, nil
}

// containerURL uses the role and password that the postgres module of testcontainers-go gives its containers.
func containerURL(address, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("postgres", "postgres"), Host: address, Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}
