package webfile_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/webfile"
)

var content = []byte(strings.Repeat("some text of a page; ", 1000))

func packed(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestEncodings: what comes is the content, whatever form it is kept in and the browser takes; and it is packed where it may be.
func TestEncodings(t *testing.T) {
	for name, file := range map[string]*webfile.File{
		"plain":  webfile.New(content, "text/css; charset=utf-8", "default-src 'none'"),
		"packed": webfile.FromGzip(packed(t), "text/css; charset=utf-8", "default-src 'none'"),
	} {
		for accept, wantPacked := range map[string]bool{
			"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "identity": false, "*": true, "GZIP": true,
		} {
			response := get(t, file, http.MethodGet, "Accept-Encoding", accept)
			body := io.Reader(response.Body)
			if isPacked := response.Header.Get("Content-Encoding") == "gzip"; isPacked != wantPacked {
				t.Errorf("%s, for %q: the encoding is %q", name, accept, response.Header.Get("Content-Encoding"))
			} else if isPacked {
				unpacked, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = unpacked
			}
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s, for %q: %d bytes come, %v", name, accept, len(got), err)
			}
			if vary := response.Header.Values("Vary"); len(vary) != 2 || vary[0] != "Origin" || vary[1] != "Accept-Encoding" {
				t.Errorf("%s varies by %q: what others said of it is lost", name, vary)
			}
		}
	}
}

// TestTags: a browser that has the file gets it once, in each encoding, and not after it has changed.
func TestTags(t *testing.T) {
	file := webfile.New(content, "text/css", "default-src 'none'")
	other := webfile.New(append([]byte("x"), content...), "text/css", "default-src 'none'")
	plain := get(t, file, http.MethodGet).Header.Get("Etag")
	zipped := get(t, file, http.MethodGet, "Accept-Encoding", "gzip").Header.Get("Etag")
	if plain == zipped || len(plain) < 10 {
		t.Errorf("the tags are %s and %s", plain, zipped)
	}
	for _, has := range []string{plain, "W/" + plain, `"x", ` + plain, "*"} {
		response := get(t, file, http.MethodGet, "If-None-Match", has)
		body, err := io.ReadAll(response.Body)
		if response.StatusCode != http.StatusNotModified || len(body) > 0 || err != nil {
			t.Errorf("who has %s gets %d with %d bytes", has, response.StatusCode, len(body))
		}
	}
	if response := get(t, other, http.MethodGet, "If-None-Match", plain); response.StatusCode != http.StatusOK {
		t.Errorf("who has an earlier one gets %d", response.StatusCode)
	}
	head := get(t, file, http.MethodHead)
	body, err := io.ReadAll(head.Body)
	if head.ContentLength != int64(len(content)) || len(body) > 0 || err != nil {
		t.Errorf("HEAD gives the length %d and %d bytes", head.ContentLength, len(body))
	}
}

func get(t *testing.T, file http.Handler, method string, header ...string) *http.Response {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	recorder.Header().Add("Vary", "Origin")
	file.ServeHTTP(recorder, request)
	return recorder.Result()
}
