package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// AnyHost in Services.AllowHosts accepts requests whatever host they name.
const AnyHost = "*"

// hosts are the names by which requests may reach a server that asks for no keys, so that whoever reaches it may use it: a stranger's web
// page could point its own name at 127.0.0.1, and its reader's browser would let the page send anything to this server, as its own origin.
// The Host header is then the page's name. So only names that no stranger controls are served: localhost, loopback addresses, the very
// address that the connection came to, and those that the operator allows.
type hosts struct {
	any     bool
	allowed map[string]bool
}

func newHosts(allow []string) hosts {
	h := hosts{allowed: map[string]bool{"localhost": true}}
	for _, host := range allow {
		if host == AnyHost {
			h.any = true
		}
		h.allowed[canonicalHost(host)] = true
	}
	return h
}

// canonicalHost is a host without its port, in small letters, and without the dot that may end a full name.
func canonicalHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// allow reports whether a request may be served. One without a host is no browser's.
func (h *hosts) allow(r *http.Request) bool {
	if h.any || r.Host == "" {
		return true
	}
	host := canonicalHost(r.Host)
	if h.allowed[host] {
		return true
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	address = address.Unmap()
	if address.IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap().WithZone("") == address.WithZone("")
}
