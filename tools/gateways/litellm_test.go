package gateways_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// liteLLM runs LiteLLM's proxy, and returns it with its address.
func liteLLM(r *rig) (p *process, address string) {
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
			"OPENMETER_API_ENDPOINT="+r.url("litellm-openmeter"), "OPENMETER_API_KEY="+r.gatewayKey,
			"OTEL_EXPORTER=otlp_http", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", "OTEL_ENDPOINT="+r.url("litellm-otel")+"/v1/traces",
			"OTEL_HEADERS=x-api-key="+r.gatewayKey, "OTEL_BSP_SCHEDULE_DELAY=500",
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

// TestLiteLLM: the three ways in which LiteLLM says what was used. Only generic_api sends again what a server did not take: so only that is
// owed through outages, and the others before them.
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
	proxy, address := liteLLM(r)
	var byCall, byResponse usage
	calling := func() *caller {
		return r.calling(&byCall, 5*often, func(customer string) (call, error) {
			callID, responseID, tokens, err := chat(r, address, customer)
			if err == nil {
				err = byResponse.add(call{responseID, customer, tokens})
			}
			return call{callID, customer, tokens}, err
		})
	}
	calls := calling()
	calls.more(30)
	calls.end()
	r.settle(&byCall, "generic-")
	r.settle(&byResponse, "openmeter-")
	r.settle(&byCall, "otel-")

	r.front.watched = "/sources/litellm/"
	calls = calling()
	r.outages(calls, nil)
	calls.end()
	r.settle(&byCall, "generic-", proxy)
	for prefix, made := range map[string]*usage{"openmeter-": &byResponse, "otel-": &byCall} {
		lost := 0
		for customer, calls := range made.calls {
			missing, more := r.compare(prefix+customer, calls)
			if lost += len(missing); len(more) > 0 {
				t.Errorf("%s%s: the events %q are of no call, or twice there", prefix, customer, more)
			}
		}
		t.Logf("%s lost %d calls of %d by itself in the outages", strings.TrimSuffix(prefix, "-"), lost, made.total)
	}
	r.conclude(&byCall, "generic-", "openmeter-", "otel-")
}
