package gateways_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// often is how often calls are made.
const often = 20 * time.Millisecond

// okBody is the body that the gateways of testdata/ answer with.
const okBody = "ok\n"

// get asks a gateway for something as a customer, and returns the response's header.
func get(ctx context.Context, address, customer string) (http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/things", nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("X-Customer", customer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the gateway answers %s", response.Status)
	}
	return response.Header, nil
}

// TestEnvoy: the access log as OTLP, sent by Envoy itself, with the retry policy of its cluster.
func TestEnvoy(t *testing.T) {
	t.Parallel()
	r := newRig(t, "/bytes_out")
	r.putSource("envoy", `{"ready": "envoy"}`)
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	_, frontPort, _ := net.SplitHostPort(r.front.address)
	config := configure(t, r.dir, "envoy.yaml", map[string]string{
		"Port": port, "FrontPort": frontPort, "URL": r.url("envoy"), "Key": r.gatewayKey,
	})
	envoy := start(t, nil, installed(t, "python", "bin", "envoy"),
		"--config-path", config, "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning")
	envoy.accepts(address)
	var made usage
	calls := r.calling(&made, often, func(customer string) (call, error) {
		header, err := get(t.Context(), address, customer)
		return call{header.Get("X-Request-Id"), customer, int64(len(okBody))}, err
	})
	r.outages(calls, nil)
	calls.end()
	r.settle(&made, "customer-", envoy)
	r.conclude(&made, "customer-")
}

// TestNginxSyslogNG: an access log in a file, sent by syslog-ng.
func TestNginxSyslogNG(t *testing.T) {
	t.Parallel()
	r := newRig(t, "/status")
	r.putSource("nginx", `{"ready": "nginx"}`)
	address := freeAddress(t)
	nginx := start(t, nil, debian(t, "nginx", "nginx-light"),
		"-c", configure(t, r.dir, "nginx.conf", map[string]string{"Dir": r.dir, "Address": address}))
	nginx.accepts(address)
	config := configure(t, r.dir, "syslog-ng.conf", map[string]string{"Dir": r.dir, "URL": r.url("nginx"), "Key": r.gatewayKey})
	syslog := start(t, nil, debian(t, "syslog-ng", "syslog-ng-core syslog-ng-mod-http"),
		"--foreground", "--no-caps", "--stderr", "--cfgfile", config,
		"--persist-file", filepath.Join(r.dir, "persist"), "--pidfile", filepath.Join(r.dir, "syslog-ng.pid"),
		"--control", filepath.Join(r.dir, "syslog-ng.ctl"))
	var made usage
	calls := r.calling(&made, often, func(customer string) (call, error) {
		header, err := get(t.Context(), address, customer)
		return call{header.Get("X-Request-Id"), customer, http.StatusOK}, err
	})
	r.outages(calls, nil)
	calls.end()
	r.settle(&made, "customer-", nginx, syslog)
	r.conclude(&made, "customer-")
}

// TestBenthos: CloudEvents from the core of Redpanda Connect: lines, and arrays to the call of OpenMeter, as OpenMeter's collector sends.
func TestBenthos(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]map[string]string{
		"lines":     {"Path": "events", "Type": "application/x-ndjson", "Archive": "lines"},
		"openmeter": {"Path": "api/v1/events", "Type": "application/json", "Archive": "json_array"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, "/data/tokens")
			r.putSource("benthos", `{"ready": "cloudevents"}`)
			values["URL"], values["Key"] = r.url("benthos"), r.gatewayKey
			benthos := start(t, nil, installed(t, "benthos"), "--config", configure(t, r.dir, "benthos.yaml", values))
			var made usage
			i := 0
			calls := r.calling(&made, often, func(customer string) (call, error) {
				i++
				c := call{fmt.Sprintf("call-%d", i), customer, int64(i)}
				_, err := fmt.Fprintf(benthos.input, `{"specversion":"1.0","id":%q,"source":"edge","type":"api.call","subject":%q,`+
					`"time":%q,"data":{"tokens":%d}}`+"\n", c.id, c.customer, time.Now().UTC().Format(time.RFC3339Nano), c.value)
				return c, err
			})
			r.outages(calls, nil)
			calls.end()
			r.settle(&made, "customer-", benthos)
			r.conclude(&made, "customer-")
		})
	}
}

// collectorMapping reads the lines that the Collector's test writes.
const collectorMapping = `{
	"log": "customer-{/attributes/customer}", "create": {"most": 10}, "type": "api.call", "source": "collector",
	"id": "{/attributes/id}", "time": {"at": "/time", "unit": "ns"},
	"keep": {"tokens": {"at": "/attributes/tokens", "as": "integer", "required": true}}
}`

// TestCollector: lines of a file, sent by an OpenTelemetry Collector with its queue on disk, which is killed while the server is away.
func TestCollector(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"proto", "json"} {
		t.Run(encoding, func(t *testing.T) {
			r := newRig(t, "/tokens")
			r.putSource("collector", collectorMapping)
			config := configure(t, r.dir, "collector.yaml", map[string]string{
				"Dir": r.dir, "URL": r.url("collector"), "Key": r.gatewayKey, "Encoding": encoding,
			})
			run := func() *process {
				return start(t, nil, installed(t, "otelcol"), "--config", "file:"+config, "--feature-gates", "stanza.synchronousLogEmitter")
			}
			file, err := os.Create(filepath.Join(r.dir, "access.log"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close() //nolint:errcheck // the test is over
			collector := run()
			var made usage
			i := 0
			calls := r.calling(&made, often, func(customer string) (call, error) {
				i++
				c := call{fmt.Sprintf("call-%d", i), customer, int64(i)}
				now := time.Now()
				_, err := fmt.Fprintf(file, `{"id":%q,"customer":%q,"tokens":%d,"ts":%d.%03d}`+"\n",
					c.id, c.customer, c.value, now.Unix(), now.Nanosecond()/1e6)
				return c, err
			})
			r.outages(calls, func() {
				collector.end(syscall.SIGKILL)
				calls.more(10)
				collector = run()
			})
			collector.end(syscall.SIGKILL) // with requests in flight
			calls.more(10)
			collector = run()
			calls.end()
			r.settle(&made, "customer-", collector)
			r.conclude(&made, "customer-")
		})
	}
}
