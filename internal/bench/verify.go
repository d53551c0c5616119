package bench

import (
	"context"
	"fmt"

	api "github.com/tallystick/tallystick/internal/client"
)

const verifyChain = "verify/chain"

func verifyRows() []rowKind {
	return []rowKind{{
		name: "verify", what: "checking the chain of a log of 1,000,000 events", unit: "/s", atLeast: 100_000, needs: []string{verifyChain},
		value: func(f figures, _ *stage) (float64, string) {
			chain := f[verifyChain]
			return chain.PerSecond, fmt.Sprintf("processor time for an event: %.1f µs in the server, %.1f µs in PostgreSQL", chain.ServerCPU, chain.PostgresCPU)
		},
	}}
}

// verifyPhase has the server read a long history again.
func verifyPhase() phase {
	return phase{
		prepare: func(ctx context.Context, s *stage, _ func(string, sample)) error {
			_, err := s.settledHistory(ctx)
			return err
		},
		measurements: []measurement{{names: []string{verifyChain}, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
			c, err := api.New(api.Config{URL: "http://" + s.server.address, Timeout: requestPatience})
			if err != nil {
				return err
			}
			defer c.Close()
			used, _ := s.usage()
			found, err := c.Verify(ctx, s.large.name(0), api.VerifyOptions{Views: "none"})
			if err != nil {
				return fmt.Errorf("verifying a log: %w", err)
			}
			if !found.OK || found.Events < int64(s.large.events) {
				return fmt.Errorf("verifying a log read %d of %d events and found %v", found.Events, s.large.events, found.Faults)
			}
			report(verifyChain, sample{count: int(found.Events), seconds: found.Seconds, used: s.usedSince(used)})
			return nil
		}}},
	}
}
