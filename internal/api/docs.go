package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// docsPage is the page that shows the API's description, whole: it loads nothing from elsewhere.
//
//go:embed docspage/index.html docspage/start.js docspage/swagger-ui.js.gz docspage/swagger-ui.css.gz
var docsPage embed.FS

// docsPolicy lets the page load its own files and ask its own server, and nothing else.
const docsPolicy = "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
	"img-src 'self' data:; script-src 'self'; style-src 'self'"

// serveDocs adds the page at /docs.
func serveDocs(mux *http.ServeMux) {
	for path, file := range map[string]struct{ name, contentType string }{
		"/docs":                {"index.html", "text/html; charset=utf-8"},
		"/docs/start.js":       {"start.js", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui.js":  {"swagger-ui.js.gz", "text/javascript; charset=utf-8"},
		"/docs/swagger-ui.css": {"swagger-ui.css.gz", "text/css; charset=utf-8"},
	} {
		content, err := docsPage.ReadFile("docspage/" + file.name)
		if err != nil {
			panic(err) // it is embedded
		}
		mux.Handle("GET "+path, docsFile(content, strings.HasSuffix(file.name, ".gz"), file.contentType))
	}
}

// docsFile serves a file whose content is in gzip if compressed is set.
func docsFile(content []byte, compressed bool, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		var body io.Reader = bytes.NewReader(content)
		if compressed {
			h.Set("Vary", "Accept-Encoding")
			if acceptsGzip(r.Header.Values("Accept-Encoding")) {
				h.Set("Content-Encoding", "gzip")
			} else {
				unpacked, err := gzip.NewReader(body)
				if err != nil {
					panic(err) // it is embedded
				}
				body = unpacked
			}
		}
		if r.Method != http.MethodHead {
			_, _ = io.Copy(w, body) // the client has gone
		}
	}
}

// acceptsGzip reports whether an Accept-Encoding header allows gzip.
func acceptsGzip(accept []string) bool {
	for coding := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, params, _ := strings.Cut(coding, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		quality, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if q, err := strconv.ParseFloat(quality, 64); !found || err != nil || q > 0 {
			return true
		}
	}
	return false
}
