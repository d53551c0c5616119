package server_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/testcontainers"
)

func TestStartsWhereEventsAreInTheDefaultPartition(t *testing.T) {
	d := testcontainers.New(t)
	node := testrig.Start(t, d.DSN(), testrig.Settings{})
	log := node.NewLog(t)
	node.Append(t, log, testrig.Parse(t, `{}`, ""))
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.AllowUnsafeDatabase = "127.0.0.1:0", d.DSN(), true
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}
