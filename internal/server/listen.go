package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/api"
)

const (
	readHeaderTimeout = 10 * time.Second // for the TLS handshake too
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10

	// maxStreams bounds the requests under way on one HTTP/2 connection: as many clients as a gateway would have behind one.
	maxStreams = 250
	// streamBuffer and connectionBuffer bound what an HTTP/2 connection holds of bodies that no handler has read yet, and frameBuffer what
	// it reads at once. No book has an account of them: a client can have many connections.
	streamBuffer     = 128 << 10
	connectionBuffer = 256 << 10
	frameBuffer      = 16 << 10
	// pingAfter is how long a connection may be silent before it is asked whether it is still there, pingTimeout how long it may take to
	// answer. It is cut then, in the middle of a request's headers too, for which net/http has no limit of its own on HTTP/2.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
	// writeTimeout cuts a connection that takes no bytes at all: the deadlines of its streams can end them only once it takes some.
	writeTimeout = 30 * time.Second
)

// newHTTPServer returns a server of HTTP/1.1 and HTTP/2, with or without TLS.
func newHTTPServer(handler http.Handler, certificate *certificate, logger *slog.Logger) *http.Server {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: handler, Protocols: protocols,
		ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: maxStreams, MaxReceiveBufferPerStream: streamBuffer, MaxReceiveBufferPerConnection: connectionBuffer,
			MaxReadFrameSize: frameBuffer,
			SendPingTimeout:  pingAfter, PingTimeout: pingTimeout, WriteByteTimeout: writeTimeout,
		},
		ErrorLog: log.New(connectionLog{logger}, "", 0),
	}
	if certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	}
	return server
}

// acceptFrom serves until the server is closed.
func acceptFrom(listener net.Listener, server *http.Server) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "") // the configuration has the certificate
	}
	return server.Serve(listener)
}

// connectionLog logs what net/http reports of connections.
type connectionLog struct{ log *slog.Logger }

// peersFaults begin reports that whoever reaches the port can cause, and a balancer's health check does, every few seconds: no warnings.
var peersFaults = [][]byte{[]byte("http: TLS handshake error"), []byte("timeout waiting for PING response")}

func (l connectionLog) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	if slices.ContainsFunc(peersFaults, func(fault []byte) bool { return bytes.HasPrefix(line, fault) }) {
		level = slog.LevelDebug
	}
	l.log.LogAttrs(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}

// parseProxies reads networks such as 10.0.0.0/8, and single addresses, and the name of the header.
func parseProxies(networks []string, header string) (api.Proxies, error) {
	proxies := api.Proxies{Forwarded: strings.EqualFold(header, "Forwarded")}
	if !proxies.Forwarded && header != "" && !strings.EqualFold(header, "X-Forwarded-For") {
		return proxies, fmt.Errorf("--proxy-header must be X-Forwarded-For or Forwarded; it is %q", header)
	}
	var err error
	proxies.Networks, err = parseNetworks("--trusted-proxy", networks)
	return proxies, err
}

// parseNetworks reads what a flag says: networks, and addresses, each a network of its own.
func parseNetworks(flag string, texts []string) (networks []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			address = address.Unmap()
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s must be a network such as 10.0.0.0/8, or an address; it is %q", flag, text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
