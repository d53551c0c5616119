package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tallystick/tallystick/internal/api"
)

// BenchmarkRequest is what any request costs before and after its operation, with an operation that does nothing.
func BenchmarkRequest(b *testing.B) {
	handler := api.New(api.Services{Log: slog.New(slog.DiscardHandler)})
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://127.0.0.1/healthz", nil)
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
}
