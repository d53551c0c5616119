package webhook

import (
	"sync/atomic"

	"github.com/tallystick/tallystick/internal/stats"
)

// Stats counts since the server's start.
type Stats struct {
	Announced atomic.Int64 // deliveries that were put down
	Delivered atomic.Int64 // tries that a receiver took
	Failed    atomic.Int64 // tries that failed
	Refused   atomic.Int64 // tries that were not sent, since the address is not allowed; Failed has them, too
	Dead      atomic.Int64 // deliveries given up
	Disabled  atomic.Int64 // receivers that were disabled
	Postponed atomic.Int64 // tries that waited for their turn, while their receiver or tenant had as many under way as it may
	Tries     *stats.Histogram
}
