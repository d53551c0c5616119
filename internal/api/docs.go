package api

import (
	"embed"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick/internal/webfile"
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
		asFile := webfile.New
		if strings.HasSuffix(file.name, ".gz") {
			asFile = webfile.FromGzip
		}
		mux.Handle("GET "+path, asFile(content, file.contentType, docsPolicy))
	}
}
