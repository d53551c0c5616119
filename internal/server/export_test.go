package server

import "time"

// CutAfter has a server cut off requests so long after it was told to stop, whatever its shutdown timeout.
func (c *Config) CutAfter(d time.Duration) { c.cutAfter = d }
