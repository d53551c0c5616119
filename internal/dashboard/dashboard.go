// Package dashboard has the page at /: what happens, what is counted, and why, for a person with a key; and what a product shows its own
// customers by tokens, at /embed and by /embed.js. They are clients as any other, which call nothing but the API. The sources are in app;
// dist is built of them by make dashboard.
package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/tallystick/tallystick/internal/webfile"
)

//go:embed dist
var dist embed.FS

// policy lets the page load its own files and ask its own server, and nothing else: no script or style within the page, no frame around
// it, and no text that becomes markup.
const policy = "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
	"img-src 'self' data:; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

// framePolicy is that of /embed, which pages of the origins may have in a frame: a browser shows it nowhere else.
func framePolicy(origins []string) string {
	ancestors := "'none'"
	if len(origins) > 0 {
		ancestors = strings.Join(origins, " ")
	}
	return "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors " + ancestors + "; " +
		"img-src 'self'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// Serve adds the pages and their files to a server. Pages of the origins, which are valid or "*", may have /embed in a frame. Without the
// dashboard there is nothing at /; what products show their customers stays.
func Serve(mux *http.ServeMux, origins []string, withDashboard bool) {
	for name, content := range files() {
		if strings.Contains(name, "index.") && !withDashboard {
			continue
		}
		contentType := contentTypes[path.Ext(name)]
		switch name {
		case "index.html":
			mux.Handle("GET /{$}", webfile.New(content, contentType, policy))
		case "embed.html":
			mux.Handle("GET /embed", webfile.New(content, contentType, framePolicy(origins)))
		case "embed.js":
			mux.Handle("GET /embed.js", forOtherOrigins(webfile.New(content, contentType, policy)))
		default:
			mux.Handle("GET /"+name, webfile.New(content, contentType, policy))
		}
	}
}

// forOtherOrigins lets pages that keep out what does not ask for them (COEP) load a file. Whether they may read it, as a module is, the
// API decides for all paths: pages of the allowed origins may.
func forOtherOrigins(file http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		file.ServeHTTP(w, r)
	})
}

// files are all files of the page, by their paths.
func files() map[string][]byte {
	found := map[string][]byte{}
	built, err := fs.Sub(dist, "dist")
	if err == nil {
		err = fs.WalkDir(built, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			found[name], err = fs.ReadFile(built, name)
			return err
		})
	}
	if err != nil {
		panic(err) // they are embedded
	}
	return found
}

var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}
