package gateways_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// liteLLM runs LiteLLM's proxy, and returns it with its address. What sends once, or gives up soon, has something beside it that does not:
// retrying and collector are their addresses.
func liteLLM(r *rig, retrying, collector string) (p *process, address string) {
	r.Helper()
	address = freeAddress(r)
	host, port, _ := strings.Cut(address, ":")
	config := configure(r, r.dir, "litellm.yaml", map[string]string{
		"URL": r.url("litellm"), "Key": r.gatewayKey, "MasterKey": masterKey,
	})
	p = start(r, func(cmd *exec.Cmd) {
		cmd.Dir = r.dir
		cmd.Env = append(
			cmd.Env, "HOME="+r.dir, "LITELLM_LOCAL_MODEL_COST_MAP=True", "DEFAULT_FLUSH_INTERVAL_SECONDS=1",
			"OPENMETER_API_ENDPOINT=http://"+retrying+"/sources/litellm-openmeter", "OPENMETER_API_KEY="+r.gatewayKey,
			// A callback may take as long as the server is away: 20 s, and 100 of them at a time, when not given.
			"LOGGING_WORKER_MAX_TIME_PER_COROUTINE=600", "LOGGING_WORKER_CONCURRENCY=1000",
			"OTEL_EXPORTER=otlp_http", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_ENDPOINT=http://"+collector+"/v1/traces",
			"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=300", "OTEL_BSP_SCHEDULE_DELAY=500",
		)
	}, installed(r, "python", "bin", "litellm"), "--config", config, "--host", host, "--port", port)
	p.accepts(address)
	return p, address
}

// masterKey is what callers of LiteLLM show.
const masterKey = "sk-for-callers-of-the-mock"

// chat calls the model as a customer. ids are those of the call, as LiteLLM's three callbacks name it.
func chat(r *rig, address, customer string) (callID, responseID string, tokens int64, err error) {
	body := fmt.Sprintf(`{"model":"mock","user":%q,"messages":[{"role":"user","content":"hello"}]}`, customer)
	url := "http://" + address + "/v1/chat/completions"
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", "", 0, err
	}
	request.Header.Set("Authorization", "Bearer "+masterKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", 0, err
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	var answer struct {
		ID    string
		Usage struct {
			Total int64 `json:"total_tokens"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		return "", "", 0, fmt.Errorf("LiteLLM answers %s, %w", response.Status, err)
	}
	return response.Header.Get("X-Litellm-Call-Id"), answer.ID, answer.Usage.Total, nil
}

// retrying runs an Envoy that sends requests to the server again until they are taken, and returns it with its address.
func retrying(r *rig) (p *process, address string) {
	r.Helper()
	address = freeAddress(r)
	_, port, _ := strings.Cut(address, ":")
	_, frontPort, _ := strings.Cut(r.front.address, ":")
	p = start(r, nil, installed(r, "python", "bin", "envoy"), "--config-path",
		configure(r, r.dir, "envoy-retry.yaml", map[string]string{"Port": port, "FrontPort": frontPort}),
		"--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning")
	p.accepts(address)
	return p, address
}

// TestLiteLLM: the three ways in which LiteLLM says what was used, through outages of the server. generic_api sends again by itself; what
// openmeter sends once, an Envoy repeats; what otel would drop, a Collector has on disk, which is killed meanwhile.
func TestLiteLLM(t *testing.T) {
	t.Parallel()
	r := newRig(t, "/tokens_total")
	for source, log := range map[string]string{
		"litellm":           "generic-{/end_user}",
		"litellm-openmeter": "openmeter-{/subject}",
		"litellm-otel":      "otel-{/attributes/metadata.user_api_key_end_user_id}",
	} {
		r.putSource(source, fmt.Sprintf(`{"ready": %q, "log": %q}`, source, log))
	}
	r.front.watched = "/sources/litellm"
	envoy, repeats := retrying(r)
	otlp := freeAddress(t)
	config := configure(t, r.dir, "litellm-collector.yaml", map[string]string{
		"Dir": r.dir, "URL": r.url("litellm-otel"), "Key": r.gatewayKey, "Address": otlp,
	})
	collect := func() *process {
		p := start(t, nil, installed(t, "otelcol"), "--config", "file:"+config)
		p.accepts(otlp)
		return p
	}
	collector := collect()
	proxy, address := liteLLM(r, repeats, otlp)
	var byCall, byResponse usage
	calls := r.calling(&byCall, 5*often, func(customer string) (call, error) {
		callID, responseID, tokens, err := chat(r, address, customer)
		if err == nil {
			err = byResponse.add(call{responseID, customer, tokens})
		}
		return call{callID, customer, tokens}, err
	})
	r.outages(calls, func() {
		collector.end(syscall.SIGKILL) // what it has not sent is on disk
		collector = collect()
		calls.more(10)
	})
	calls.end()
	r.arrive(&byResponse, "openmeter-")
	r.arrive(&byCall, "otel-")
	r.settle(&byCall, "generic-", proxy)
	r.settle(&byResponse, "openmeter-", envoy)
	r.settle(&byCall, "otel-", collector)
	r.conclude(&byCall, "generic-", "openmeter-", "otel-")
}
