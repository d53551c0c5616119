package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// corsMaxAge is how long a browser may remember a preflight's answer, in seconds.
	corsMaxAge = "600"
	// corsHeaders are those of answers that a page may read.
	corsHeaders = "Tally-Sequence, Tally-Request-Id, Tally-Next-Cursor, Retry-After, RateLimit, RateLimit-Policy"
)

// crossOrigin serves what browsers ask before they send a request for a page of another origin (CORS), and marks such requests of allowed
// origins, for which only tokens count. It reports whether it has answered.
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) (handled bool) {
	origin := r.Header.Get("Origin")
	if origin == "" || len(s.Origins) == 0 {
		return false
	}
	w.Header().Add("Vary", "Origin")
	if isOwnOrigin(r, origin) || !slices.Contains(s.Origins, origin) && !slices.Contains(s.Origins, "*") {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", corsHeaders)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		w.Header().Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
		w.Header().Set("Access-Control-Allow-Headers", "Authorization, Last-Event-ID, Accept")
		w.Header().Set("Access-Control-Max-Age", corsMaxAge)
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	requestOf(r.Context()).fromAllowedOrigin = true
	return false
}

// isOwnOrigin reports whether the page comes from this server.
func isOwnOrigin(r *http.Request, origin string) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
