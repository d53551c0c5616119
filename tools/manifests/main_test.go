package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const deploy = "../../deploy/kubernetes/"

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMistakesAreFound: our own files pass, and each mistake that is made in them is reported.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct{ file, was, is, want string }{
		{"deployment.yaml", "replicas: 2", "replica: 2", "replica"},
		{"deployment.yaml", "replicas: 2", "replicas: two", "replicas"},
		{"deployment.yaml", "replicas: 2", "replicas: 2\n  replicas: 3", "replicas"},
		{"deployment.yaml", "kind: Deployment", "kind: Deploymint", "not checked"},
		{"deployment.yaml", "runAsUser: 65532", "runAsUser: 0", "root"},
		{"deployment.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "root"},
		{"deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "read-only"},
		{"deployment.yaml", "drop: [ALL]", "drop: [NET_RAW]", "capabilities"},
		{"deployment.yaml", "type: RuntimeDefault", "type: Unconfined", "seccomp"},
		{"deployment.yaml", "readinessProbe:", "livenessProbe:", "livenessProbe"},
		{"deployment.yaml", "startupProbe:", "# startupProbe:", ""},
		{"deployment.yaml", "- name: modules\n              mount", "- name: module\n              mount", "no volume"},
		{"deployment.yaml", "enableServiceLinks: false", "enableServiceLinks: true", "flags"},
		{"service.yaml", "app.kubernetes.io/name: tally\n  ports", "app.kubernetes.io/name: tali\n  ports", "selector"},
		{"service.yaml", "targetPort", "targetport: 8080\n      targetPort", "targetport"},
		{"disruption.yaml", "maxUnavailable: 1", "maxUnavailable: 1\n  minimum: 1", "minimum"},
	} {
		text := read(t, deploy+c.file)
		if err := check([]byte(text)); err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
		changed := strings.Replace(text, c.was, c.is, 1)
		if err := check([]byte(changed)); changed == text || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v", c.file, c.is, err)
		}
	}
	compose := filepath.Join(t.TempDir(), "compose.yaml")
	for was, is := range map[string]string{
		"read_only: true": "read_only: false", "cap_drop": "cap_dropp",
		"service_healthy": "service_healthful", "modules:/var": "module:/var",
	} {
		text := read(t, "../../compose.yaml")
		changed := strings.Replace(text, was, is, 1)
		if err := os.WriteFile(compose, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if checkCompose("../../compose.yaml") != nil || changed == text || checkCompose(compose) == nil {
			t.Errorf("compose.yaml with %q passes, or as it is does not", is)
		}
	}
}
