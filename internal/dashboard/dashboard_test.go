package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// mostBytes is what all files of the dashboard may take together, compressed.
const mostBytes = 250 << 10

// TestFiles: each file is served, with and without compression, and not again while it is the same. Together they are small.
func TestFiles(t *testing.T) {
	mux := http.NewServeMux()
	Serve(mux, nil, true)
	total := 0
	for name, content := range files() {
		path := "/" + strings.TrimSuffix(strings.TrimSuffix(name, "index.html"), ".html")
		get := func(header ...string) *http.Response {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			for i := 0; i < len(header); i += 2 {
				request.Header.Set(header[i], header[i+1])
			}
			recorder := httptest.NewRecorder()
			mux.ServeHTTP(recorder, request)
			return recorder.Result()
		}
		plain, packed := get(), get("Accept-Encoding", "gzip")
		size := packed.ContentLength
		if got := body(t, plain); !bytes.Equal(got, content) || len(got) == 0 {
			t.Errorf("%s comes as %d bytes of %d", name, len(got), len(content))
		}
		total += int(size)
		unpacked, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s comes compressed as %d bytes, %v", name, len(got), err)
		}
		if plain.Header.Get("Content-Type") == "" || plain.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the headers %v", name, plain.Header)
		}
		if again := get("Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("Etag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s comes again: %d", name, again.StatusCode)
		}
		if other := get("If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
			t.Errorf("%s does not come to who has another: %d", name, other.StatusCode)
		}
	}
	t.Logf("%d bytes, compressed", total)
	if total > mostBytes || total < 10<<10 {
		t.Errorf("the dashboard has %d bytes, compressed; it may have %d", total, mostBytes)
	}
}

func body(t *testing.T, response *http.Response) []byte {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

var (
	inlineScript = regexp.MustCompile(`<script[^>]*>[^<]`)
	handler      = regexp.MustCompile(`\son\w+=`)
	elsewhere    = regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
)

// TestPolicy: pages hold what their policy allows, and that allows nothing from elsewhere.
func TestPolicy(t *testing.T) {
	for _, weak := range []string{"unsafe", "*", "http", "blob:"} {
		if strings.Contains(policy, weak) {
			t.Errorf("the policy allows %s: %s", weak, policy)
		}
	}
	for name, content := range files() {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, pattern := range []*regexp.Regexp{inlineScript, handler, elsewhere} {
			if found := pattern.Find(content); found != nil {
				t.Errorf("%s has %q", name, found)
			}
		}
		if strings.Contains(string(content), "<style") {
			t.Errorf("%s has a style within it", name)
		}
	}
}

// TestFramePolicy: /embed is shown in pages of the allowed origins and of no other.
func TestFramePolicy(t *testing.T) {
	for _, test := range []struct {
		origins []string
		want    string
	}{
		{nil, "frame-ancestors 'none';"},
		{[]string{"https://app.example.com"}, "frame-ancestors https://app.example.com;"},
		{[]string{"https://a.example.com", "http://b.example.com:80"}, "frame-ancestors https://a.example.com http://b.example.com:80;"},
		{[]string{"*"}, "frame-ancestors *;"},
	} {
		if got := framePolicy(test.origins); !strings.Contains(got, test.want) || strings.Contains(got, "unsafe") {
			t.Errorf("the policy for %q is %q, which should have %q", test.origins, got, test.want)
		}
	}
}

// TestDashboardIsInNoFrame: pages of allowed origins may have /embed in a frame, and never the dashboard, where a key is.
func TestDashboardIsInNoFrame(t *testing.T) {
	mux := http.NewServeMux()
	Serve(mux, []string{"https://app.example.com"}, true)
	response := httptest.NewRecorder()
	mux.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	got := response.Header().Get("Content-Security-Policy")
	if response.Code != http.StatusOK || !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("GET / is %d with the policy %q", response.Code, got)
	}
}

// TestWithoutDashboard: a server may have no dashboard; what products embed is there all the same.
func TestWithoutDashboard(t *testing.T) {
	mux := http.NewServeMux()
	Serve(mux, nil, false)
	for path, want := range map[string]int{
		"/": http.StatusNotFound, "/assets/index.js": http.StatusNotFound, "/assets/index.css": http.StatusNotFound,
		"/embed": http.StatusOK, "/embed.js": http.StatusOK, "/assets/frame.js": http.StatusOK, "/icon.svg": http.StatusOK,
	} {
		response := httptest.NewRecorder()
		mux.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if response.Code != want {
			t.Errorf("GET %s is %d, not %d", path, response.Code, want)
		}
	}
}
