package main

import (
	"errors"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// podLabels are those by which everything finds the pods.
var podLabels = map[string]string{"app.kubernetes.io/name": "tally"}

var errNoSelector = errors.New("the selector does not find the pods")

func checkSelector(labels map[string]string) error {
	if !maps.Equal(labels, podLabels) {
		return errNoSelector
	}
	return nil
}

// checkDeployment returns what is missing of Kubernetes' restricted pod security standard, and of what keeps a rollout from being noticed.
func checkDeployment(d *appsv1.Deployment) error {
	var missing []error
	want := func(holds bool, what string) {
		if !holds {
			missing = append(missing, errors.New(what))
		}
	}
	want(d.Spec.Selector != nil && maps.Equal(d.Spec.Selector.MatchLabels, podLabels), "the Deployment must select its pods")
	want(maps.Equal(d.Spec.Template.Labels, podLabels), "the pods need their label")
	pod := &d.Spec.Template.Spec
	want(is(pod.AutomountServiceAccountToken, false), "the pod must not have a token of the cluster")
	want(is(pod.EnableServiceLinks, false), "variables of services would be taken for flags: enableServiceLinks: false")
	if security := pod.SecurityContext; security == nil {
		want(false, "the pod has no securityContext")
	} else {
		want(is(security.RunAsNonRoot, true) && security.RunAsUser != nil && *security.RunAsUser > 0, "the pod must not run as root")
		want(security.SeccompProfile != nil && security.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
			"the pod needs the runtime's seccomp profile")
	}
	want(len(pod.Containers) > 0, "the pod has no container")
	for i := range pod.Containers {
		c := &pod.Containers[i]
		if security := c.SecurityContext; security == nil {
			want(false, c.Name+" has no securityContext")
		} else {
			want(is(security.AllowPrivilegeEscalation, false), c.Name+" could gain privileges")
			want(is(security.ReadOnlyRootFilesystem, true), c.Name+" needs a read-only root")
			want(security.Capabilities != nil && slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}),
				c.Name+" must drop all capabilities")
		}
		want(c.LivenessProbe != nil && c.ReadinessProbe != nil && c.StartupProbe != nil, c.Name+" lacks a probe")
		want(!c.Resources.Limits.Memory().IsZero(), c.Name+" needs a memory limit, which the server reads")
		for _, mount := range c.VolumeMounts {
			known := slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
			want(known, c.Name+" mounts "+mount.Name+", which is no volume")
		}
	}
	return errors.Join(missing...)
}

func is(value *bool, want bool) bool { return value != nil && *value == want }
