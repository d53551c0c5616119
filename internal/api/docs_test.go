package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// TestDocsPage: the page comes from the server alone, with all that it refers to, and may load nothing else.
func TestDocsPage(t *testing.T) {
	s := start(t)
	page := s.call("GET", "/docs", "")
	html := string(s.want(http.StatusOK, page))
	policy := page.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "http") || strings.Contains(policy, "unsafe") ||
		strings.Contains(policy, "*") {
		t.Errorf("the policy is %q", policy)
	}
	if strings.Contains(html, "//") || strings.Contains(html, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(html) {
		t.Errorf("the page refers to elsewhere, or has what its policy forbids: %s", html)
	}
	referred := 0
	for _, match := range regexp.MustCompile(`(?:src|href)="([^":]+)"`).FindAllStringSubmatch(html, -1) {
		referred++
		path := "/" + match[1]
		plain := s.call("GET", path, "", "Accept-Encoding: identity")
		s.want(http.StatusOK, plain)
		if !strings.HasSuffix(path, ".js") && !strings.HasSuffix(path, ".css") {
			continue
		}
		want := map[bool]string{true: "text/javascript", false: "text/css"}[strings.HasSuffix(path, ".js")]
		if !strings.HasPrefix(plain.header.Get("Content-Type"), want) {
			t.Errorf("%s is %q", path, plain.header.Get("Content-Type"))
		}
		packed := s.call("GET", path, "", "Accept-Encoding: br;q=1, gzip;q=0.5")
		if packed.header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(bytes.NewReader(packed.body))
			if err != nil {
				t.Fatal(err)
			}
			if packed.body, err = io.ReadAll(unpacked); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(packed.body, plain.body) || len(plain.body) == 0 {
			t.Errorf("%s has %d bytes, and %d when it comes compressed", path, len(plain.body), len(packed.body))
		}
		refused := s.call("GET", path, "", "Accept-Encoding: gzip;q=0")
		if refused.header.Get("Content-Encoding") != "" || !bytes.Equal(refused.body, plain.body) {
			t.Errorf("%s without gzip comes as %q", path, refused.header.Get("Content-Encoding"))
		}
	}
	if referred != 4 {
		t.Errorf("the page refers to %d files, want 4: %s", referred, html)
	}
	start := string(s.call("GET", "/docs/start.js", "").body)
	if !strings.Contains(start, "'openapi.json'") || !strings.Contains(start, "validatorUrl: null") {
		t.Errorf("the page starts by %s", start)
	}
	s.want(http.StatusOK, s.call("GET", "/openapi.json", ""))
	s.wantProblem(http.StatusNotFound, "no_such_path", s.call("GET", "/docs/other.js", ""))
}
