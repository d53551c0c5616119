// Package promcheck holds the alert rules and the dashboard of deploy/ against a server's own /metrics: that they parse, and that each
// expression finds something there. It is a module of its own, so that the server does not inherit Prometheus.
package promcheck
