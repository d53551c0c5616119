package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/internal/testrig"
	tallyclient "github.com/tallystick/tallystick/openapi/clients/go"
)

// pair is a self-signed certificate for 127.0.0.1 and its key, as files hold them.
type pair struct {
	cert, key []byte
	leaf      *x509.Certificate
}

func newPair(t *testing.T, serial int64, lives time.Duration) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "tallystick test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lives),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), leaf,
	}
}

func writeFile(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// counted counts the lines of a log that hold a text.
type counted struct {
	text string
	n    atomic.Int64
}

func (c *counted) Write(line []byte) (int, error) {
	if strings.Contains(string(line), c.text) {
		c.n.Add(1)
	}
	return len(line), nil
}

// TestTLS: requests are served over TLS on both protocols while the certificate is replaced, one file after the other.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	first, second := newPair(t, 1, 30*24*time.Hour), newPair(t, 2, 24*time.Hour)
	writeFile(t, cert, first.cert)
	writeFile(t, key, first.key)
	unread := &counted{text: "cannot be read again"}
	config := server.DefaultConfig()
	config.Listen, config.DatabaseURL, config.AllowUnsafeDatabase = "127.0.0.1:0", testdb.New(t).DSN(), true
	config.ModuleCacheDir, config.TLSCertFile, config.TLSKeyFile = testrig.ModuleCache(), cert, key
	config.Log = slog.New(slog.NewTextHandler(unread, nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.WithoutCancel(t.Context())) })
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("the server is at %s", s.URL())
	}
	roots := x509.NewCertPool()
	roots.AddCert(first.leaf)
	roots.AddCert(second.leaf)
	// get asks on a connection of its own, and returns the serial number of the certificate that it was shown.
	get := func(http2 bool, path string) (serial int64, body string, err error) {
		transport := &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: http2, DisableKeepAlives: !http2,
		}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, nil)
		if err != nil {
			return 0, "", err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close() //nolint:errcheck // it is read to its end
		text, err := io.ReadAll(response.Body)
		if want := map[bool]int{false: 1, true: 2}[http2]; err == nil && (response.ProtoMajor != want || response.StatusCode != 200) {
			err = fmt.Errorf("%s, status %d", response.Proto, response.StatusCode)
		}
		return response.TLS.PeerCertificates[0].SerialNumber.Int64(), string(text), err
	}
	var load sync.WaitGroup
	over := make(chan struct{})
	for _, http2 := range []bool{false, true} {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
				}
				if _, _, err := get(http2, "/healthz"); err != nil {
					t.Errorf("request %d: %v", n, err)
					return
				}
			}
		})
	}
	writeFile(t, cert, second.cert) // the key is still the first's
	await(t, "the server warns", func() bool {
		_, body, err := get(true, "/readyz")
		return err == nil && strings.Contains(body, "certificate cannot be read again")
	})
	looksAgain := time.Now().Add(3 * time.Second)
	await(t, "it has looked again", func() bool { return time.Now().After(looksAgain) })
	if serial, _, err := get(false, "/healthz"); serial != 1 || err != nil {
		t.Errorf("while the files do not fit each other, certificate %d is shown: %v", serial, err)
	}
	if n := unread.n.Load(); n != 1 {
		t.Errorf("files that do not fit each other are logged %d times", n)
	}
	writeFile(t, key, second.key)
	await(t, "the new certificate is shown", func() bool {
		serial, _, err := get(false, "/healthz")
		return err == nil && serial == 2
	})
	close(over)
	load.Wait()
	if _, body, err := get(true, "/readyz"); err != nil || strings.Contains(body, "again") || !strings.Contains(body, "expires at") {
		t.Errorf("/readyz of a certificate that ends in a day: %s, %v", body, err)
	}

	// What else comes to the port.
	address := strings.TrimPrefix(s.URL(), "https://")
	response, err := http.Get("http://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(response.Body) // what there is
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "HTTPS") {
		t.Errorf("plain HTTP is answered %d %q", response.StatusCode, text)
	}
	old := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", address, old); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}

	// The client trusts the system's authorities, and those that it is told of.
	writeFile(t, filepath.Join(dir, "ca.crt"), second.cert)
	for file, want := range map[string]string{"": "--ca-file", filepath.Join(dir, "ca.crt"): ""} {
		c, err := tallyclient.New(tallyclient.Options{URL: s.URL(), CAFile: file})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.CreateLog(t.Context(), "acme", nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("with authorities %q: %v", file, err)
		}
		c.Close()
	}
	noAuthority := tallyclient.Options{URL: s.URL(), CAFile: key}
	if _, err := tallyclient.New(noAuthority); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Errorf("a file without certificates: %v", err)
	}
}

// TestTLSFiles: a server does not start with files that make no certificate, and says what is wrong.
func TestTLSFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key, other := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "other.key")
	one, two := newPair(t, 1, time.Hour), newPair(t, 2, time.Hour)
	writeFile(t, cert, one.cert)
	writeFile(t, key, one.key)
	writeFile(t, other, two.key)
	for name, c := range map[string]struct{ cert, key, want string }{
		"no key":         {cert, "", "need each other"},
		"no certificate": {"", key, "need each other"},
		"another's key":  {cert, other, "private key does not match"},
		"no such file":   {cert, filepath.Join(dir, "none"), "no such file"},
		"the wrong way":  {key, cert, "--tls-cert"},
		"a folder":       {dir, key, "--tls-cert"},
	} {
		config := server.DefaultConfig()
		config.DatabaseURL, config.TLSCertFile, config.TLSKeyFile = "postgres://nowhere.invalid/none", c.cert, c.key
		if _, err := server.Start(t.Context(), config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, change := range map[string]func(*server.Config){
		"--trusted-proxy must be": func(c *server.Config) { c.TrustedProxies = []string{"10.0.0.0/8", "proxy.internal"} },
		"--proxy-header must be":  func(c *server.Config) { c.ProxyHeader = "X-Real-IP" },
	} {
		config := server.DefaultConfig()
		config.DatabaseURL = "postgres://nowhere.invalid/none"
		change(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	config := server.DefaultConfig()
	config.DatabaseURL, config.ProxyHeader = "postgres://db/x", "forwarded"
	config.TrustedProxies = []string{"10.0.0.0/8", "::1", "192.0.2.7"}
	if err := config.Validate(); err != nil {
		t.Error(err)
	}
}
