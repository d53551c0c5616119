package api_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/access"
	"github.com/tallystick/tallystick/internal/server"
)

// TestInventedKeysStarveNobody: while clients invent well-formed keys as fast as they can, holders of keys go on, new ones too, and no
// connection for reads is used up. (What it costs them is measured by the benches.)
func TestInventedKeysStarveNobody(t *testing.T) {
	d := openDoor(t, func(c *server.Config) { c.ReadConns = 3 })
	const attackers, requests = 16, 60
	var attack sync.WaitGroup
	var refused atomic.Int64
	stop := make(chan struct{})
	for range attackers {
		attack.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := d.try("GET", "/logs/in-1/views/totals/query", http.NoBody, "X-Api-Key: "+access.GenerateKey())
				if err != nil || r.status != http.StatusUnauthorized {
					t.Errorf("an invented key: %v %d %s", err, r.status, r.body)
					return
				}
				refused.Add(1)
			}
		})
	}
	d.await("the attack has begun", func() bool { return refused.Load() > attackers })
	var slowest time.Duration
	for i := range requests {
		began, before := time.Now(), refused.Load()
		for _, name := range []string{"POST /logs/theirs/append", "GET /logs/theirs/views/totals/query", "GET /logs/theirs/events"} {
			method, path, _ := strings.Cut(name, " ")
			if r := d.as(d.rival, method, path, map[string]string{"POST": `{"model":"m","tokens_in":1}`}[method]); r.status/100 != 2 {
				t.Fatalf("%s during the attack: %d %s", name, r.status, r.body)
			}
		}
		slowest = max(slowest, time.Since(began))
		// Three requests of one client, one after another, while each attacker does one after another: were they served in turn, the
		// attackers would get about three each.
		if got := refused.Load() - before; got > 100*3*attackers {
			t.Errorf("round %d: %d invented keys were refused while one client waited for three answers", i, got)
		}
		if i%20 == 0 { // a key that was not seen before has to be looked up among the invented ones
			_, text := d.keyIn("acme", "new-"+string(rune('a'+i/20)), "in-*", "read")
			d.want(http.StatusOK, d.as(text, "GET", "/logs/in-1", ""))
		}
	}
	close(stop)
	attack.Wait()
	t.Logf("%d invented keys were refused; three requests took %v at the most", refused.Load(), slowest)
}
