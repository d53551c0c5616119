package testcontainers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

const (
	defaultImage = "postgres:18"
)

// endContainer waits for the test process to end and then removes its container. $1 is the container.
const endContainer = `cat >/dev/null
docker rm --force --volumes "$1" >/dev/null 2>&1`

// startContainer runs a server in a container. Ryuk, the helper container of testcontainers-go, removes it after the tests; where that
// is turned off (TESTCONTAINERS_RYUK_DISABLED, because its image cannot be pulled), a watchdog does, with the docker command.
func startContainer(ctx context.Context, fsync bool) (*server, error) {
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
	command := []string{"postgres", "-c", "max_connections=" + maxConnections, "-c", "jit=off"}
	if !fsync {
		command = append(command, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	c, err := postgres.Run(ctx, image, testcontainers.WithCmd(command...), postgres.BasicWaitStrategies())
	if own && c != nil {
		err = errors.Join(err, watch(endContainer, c.GetContainerID()))
	}
	if err != nil {
		return nil, fmt.Errorf("start a container of %s: is a Docker engine running and the image there or within reach? "+
			"%s names another image, %s=local runs without containers: %w", image, imageEnv, modeEnv, err)
	}
	base, err := c.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return nil, err
	}
	return containerServer(base)
}

func containerServer(base string) (*server, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return &server{url: func(database string) string {
		one := *u
		one.Path = "/" + database
		return one.String()
	}}, nil
}
