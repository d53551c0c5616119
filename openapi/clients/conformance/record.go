package main

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// request is one that came through a proxy.
type request struct {
	proxy, method, path, query string
	operation                  string // its id; "" for none of the document
	idempotencyKey, userAgent  string
	body                       [sha256.Size]byte
	began                      time.Time
	status                     int           // of the server's answer, or of the proxy's in its place; 0 for none
	lost                       bool          // the answer did not reach the client
	wait                       time.Duration // what Retry-After asked for
	ended                      time.Time     // when the answer was sent
}

// same identifies requests that are tries of one call.
type same struct {
	proxy, method, path, query, key string
	body                            [sha256.Size]byte
}

func (r *request) same() same {
	return same{r.proxy, r.method, r.path, r.query, r.idempotencyKey, r.body}
}

// call describes a request for people.
func (r *request) call() string {
	text := r.method + " " + r.path
	if r.query != "" {
		text += "?" + r.query
	}
	return text + " through the proxy " + r.proxy
}

// recorder keeps what the proxies carried.
type recorder struct {
	mu       sync.Mutex
	requests []*request
	seen     map[same]int
	paths    map[string]bool // proxy and path of requests that came
}

// begin records a request, and says how many of the same came before, and whether it is the first of its path.
func (r *recorder) begin(proxy string, d *document, in *http.Request, body []byte) (entry *request, before int, first bool) {
	entry = &request{
		proxy: proxy, method: in.Method, path: in.URL.EscapedPath(), query: in.URL.RawQuery, body: sha256.Sum256(body), began: time.Now(),
		idempotencyKey: in.Header.Get("Idempotency-Key"), userAgent: in.UserAgent(),
	}
	if o := d.find(in.Method, strings.TrimSuffix(entry.path, "/")); o != nil {
		entry.operation = o.ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen, r.paths = map[same]int{}, map[string]bool{}
	}
	place := proxy + " " + entry.path
	before, first = r.seen[entry.same()], !r.paths[place]
	r.seen[entry.same()]++
	r.paths[place] = true
	r.requests = append(r.requests, entry)
	return entry, before, first
}

// end records what became of a request.
func (r *recorder) end(entry *request, change func(*request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(entry)
	entry.ended = time.Now()
}

// all returns copies of all requests, in the order in which they came.
func (r *recorder) all() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]request, 0, len(r.requests))
	for _, entry := range r.requests {
		list = append(list, *entry)
	}
	return slices.Clip(list)
}
