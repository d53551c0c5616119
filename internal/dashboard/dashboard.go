// Package dashboard has the page at /: what happens, what is counted, and why, for a person with a key. It is a client as any other, which
// calls nothing but the API. The sources are in app; dist is built of them by make dashboard.
package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
	"path"

	"github.com/tallystick/tallystick/internal/webfile"
)

//go:embed dist
var dist embed.FS

// policy lets the page load its own files and ask its own server, and nothing else: no script or style within the page, no frame around
// it, and no text that becomes markup.
const policy = "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; " +
	"img-src 'self' data:; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

// Serve adds the page and its files to a server.
func Serve(mux *http.ServeMux) {
	for name, content := range files() {
		at := "/" + name
		if name == "index.html" {
			at = "/{$}"
		}
		mux.Handle("GET "+at, webfile.New(content, contentTypes[path.Ext(name)], policy))
	}
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
