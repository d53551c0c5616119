package bench

import (
	"context"
	"fmt"

	api "github.com/tallystick/tallystick/openapi/clients/go"
)

const verifyChain = "verify/chain"

func verifyRows() []rowKind {
	return []rowKind{{
		name: "verify", what: "checking the chain of a log of 1,000,000 events", unit: "/s", atLeast: 100_000, needs: []string{verifyChain},
		value: func(f figures, _ *stage) (float64, string) {
			chain := f[verifyChain]
			return chain.PerSecond, fmt.Sprintf("processor time for an event: %.1f µs in the server, %.1f µs in PostgreSQL",
				chain.ServerCPU, chain.PostgresCPU)
		},
	}}
}

// verifyPhase has the server read a long history again.
func verifyPhase() phase {
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			_, err := s.vacuumedHistory(ctx)
			return err
		},
		measurements: []measurement{{names: []string{verifyChain}, run: func(ctx context.Context, s *stage, report reporter) error {
			c, err := newClient(s.server.address, "", requestTimeout)
			if err != nil {
				return err
			}
			defer c.Close()
			used, _ := s.usage()
			verified, err := c.VerifyLog(ctx, s.large.name(0), &api.VerifyLogOptions{Views: "none"})
			if err != nil {
				return fmt.Errorf("verifying a log: %w", err)
			}
			if !verified.OK || verified.Events < int64(s.large.events) {
				return fmt.Errorf("verifying a log read %d of %d events and found %v", verified.Events, s.large.events, verified.Faults)
			}
			report(verifyChain, sample{count: int(verified.Events), seconds: verified.Seconds, used: s.usedSince(used)})
			return nil
		}}},
	}
}
