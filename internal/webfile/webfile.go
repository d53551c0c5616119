// Package webfile serves the files of web pages that are part of the program: compressed where the browser takes that, with a policy that
// keeps a page from loading or sending anything elsewhere, and with a tag by which a browser keeps what has not changed.
package webfile

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// File is a file of a page. It is immutable.
type File struct {
	contentType string
	policy      string
	packed      func() []byte // in gzip
	plain       func() []byte
	tag         func() string
}

// New returns a file of a content type, which is sent with a Content-Security-Policy.
func New(content []byte, contentType, policy string) *File {
	f := &File{contentType: contentType, policy: policy, plain: func() []byte { return content }}
	f.packed = sync.OnceValue(func() []byte { return pack(content) })
	f.tag = sync.OnceValue(func() string { return tagOf(content) })
	return f
}

// FromGzip is New with a content that is compressed already.
func FromGzip(packed []byte, contentType, policy string) *File {
	f := &File{contentType: contentType, policy: policy, packed: func() []byte { return packed }}
	f.plain = sync.OnceValue(func() []byte { return unpack(packed) })
	f.tag = sync.OnceValue(func() string { return tagOf(packed) })
	return f
}

func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Security-Policy", f.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Encoding")
	body := f.plain
	tag := f.tag()
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body, tag = f.packed, tag+"-gzip"
	}
	tag = `"` + tag + `"`
	h.Set("Etag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content := body()
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client has gone
	}
}

func tagOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

func matches(header []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(header, ","), ",") {
		if candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/"); candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

func pack(content []byte) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // the level is one, and memory takes all that is written to it
	}
	return packed.Bytes()
}

func unpack(packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err) // it is part of the program
	}
	content, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return content
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
