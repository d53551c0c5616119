package gatewayclients_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A server that is stopped answers the requests that it has, once they are stored: exporters of OpenTelemetry Go drop what a connection
// takes with it. What they send again to the next server counts once.
func TestStoppedServerAnswersWhatItHas(t *testing.T) {
	const exporters = 8
	r := newRig(t, "calls", "genai-logs", "/tokens_in")
	var kept [exporters]*logsAgain
	export := func(url string) (finish func()) {
		var wg sync.WaitGroup
		for i := range exporters {
			pipeline, provider := r.logger(url, i%2 == 0)
			kept[i] = pipeline
			for n := i * batch; n < (i+1)*batch; n++ {
				provider.Logger("usage").Emit(t.Context(), callRecord("acme", n+1))
			}
			wg.Go(func() {
				if err := provider.ForceFlush(context.WithoutCancel(t.Context())); err != nil {
					t.Errorf("exporter %d: %v", i, err)
				}
			})
		}
		return wg.Wait
	}
	r.wire.Hang()
	finish := export(r.server.URL())
	r.await("all requests are with the server, and the database is asked", func() bool {
		return r.underWay() == exporters && r.wire.Waiting() > 0
	})
	address := strings.TrimPrefix(r.server.URL(), "http://")
	var stopping sync.WaitGroup
	stopping.Go(r.stop)
	r.await("the server takes no more connections", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	r.wire.Resume()
	finish()
	stopping.Wait()
	for i, pipeline := range kept {
		if given := pipeline.given.Load(); given != 1 {
			t.Errorf("exporter %d was not answered at once: it was given its batch %d times", i, given)
		}
	}

	r.start()
	r.wantOnce("acme", exporters*batch)
	export(r.server.URL())()
	r.wantOnce("acme", exporters*batch)
	r.verify("customer-acme")
}

// While servers come and go, exporters go on: what they were told has arrived is counted, once.
func TestServersComeAndGo(t *testing.T) {
	const rounds, each = 4, 60
	r := newRig(t, "calls", "genai-logs", "/tokens_in")
	for round := range rounds {
		_, provider := r.logger(r.front.URL, true)
		for n := round * each; n < (round+1)*each; n++ {
			provider.Logger("usage").Emit(t.Context(), callRecord("acme", n+1))
		}
		var flushing sync.WaitGroup
		flushing.Go(func() {
			if err := provider.ForceFlush(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		r.await("something was sent", func() bool { requests, _ := r.front.seen(); return requests > 0 })
		r.stop()
		r.start()
		r.front.moveTo(r.server.URL())
		flushing.Wait()
		r.wantOnce("acme", (round+1)*each)
		r.front.cause()
	}
	r.want(http.StatusOK, "GET", "/readyz", "")
	r.verify("customer-acme")
}
