// Command manifests checks what deploys Tallystick: each Kubernetes manifest against the types of its kind, strictly, and what a hardened
// cluster asks of it; and compose.yaml against the Compose specification. It needs no cluster, no engine and no network.
//
//	manifests kubernetes FILE...   "-" is standard input
//	manifests compose FILE
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsjson "sigs.k8s.io/json"
	sigsyaml "sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "kubernetes":
		failures := make([]error, len(args))
		for i, file := range args[1:] {
			failures[i] = checkFile(file)
		}
		return errors.Join(failures...)
	case len(args) == 2 && args[0] == "compose":
		return checkCompose(args[1])
	}
	return errors.New("usage: manifests kubernetes FILE... | compose FILE")
}

func checkFile(name string) error {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil { //nolint:gosec // the file that the user names
			return err
		}
		defer file.Close() //nolint:errcheck // it was read only
	}
	documents := 0
	for reader := yaml.NewYAMLReader(bufio.NewReader(file)); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		documents++
		if err := check(document); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if documents == 0 {
		return fmt.Errorf("%s holds no manifest", name)
	}
	return nil
}

// check decodes one manifest: unknown and repeated fields are errors, and so are values of another type.
func check(document []byte) error {
	var kind struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := sigsyaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	switch schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind) {
	case appsv1.SchemeGroupVersion.WithKind("Deployment"):
		var deployment appsv1.Deployment
		if err := decode(document, &deployment); err != nil {
			return err
		}
		return checkDeployment(&deployment)
	case corev1.SchemeGroupVersion.WithKind("Service"):
		var service corev1.Service
		return errors.Join(decode(document, &service), checkSelector(service.Spec.Selector))
	case corev1.SchemeGroupVersion.WithKind("Secret"):
		var secret corev1.Secret
		return decode(document, &secret)
	case policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget"):
		var budget policyv1.PodDisruptionBudget
		if err := decode(document, &budget); err != nil || budget.Spec.Selector == nil {
			return errors.Join(err, errNoSelector)
		}
		return checkSelector(budget.Spec.Selector.MatchLabels)
	}
	return fmt.Errorf("%s %s: this kind is not checked yet: add it to tools/manifests", kind.APIVersion, kind.Kind)
}

// decode is as strict as an API server that was asked to validate: names of fields are taken letter by letter.
func decode(document []byte, into any) error {
	text, err := sigsyaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	strict, err := sigsjson.UnmarshalStrict(text, into)
	return errors.Join(append(strict, err)...)
}

func checkCompose(file string) error {
	secrets := []string{"POSTGRES_PASSWORD=p", "TALLY_BOOTSTRAP_KEY=k"} // any: they must be set
	options, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(secrets), cli.WithName("tallystick"))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	tally, err := project.GetService("tally")
	if err != nil {
		return err
	}
	if !tally.ReadOnly || len(tally.CapDrop) == 0 {
		return errors.New("the service tally must have a read-only root and no capabilities")
	}
	return nil
}
