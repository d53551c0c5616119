// Package gatewayclients holds the endpoints for gateways against clients that others wrote: the exporters of OpenTelemetry Go and the
// client of CloudEvents. It is a module of its own, so that the server does not inherit them.
package gatewayclients
