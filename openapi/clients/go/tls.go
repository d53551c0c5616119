package tally

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// trusting returns a configuration that also trusts the authorities in a PEM file.
func trusting(file string) (*tls.Config, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, fmt.Errorf("reading the authorities (CAFile): %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a system without authorities, such as an empty container
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("CAFile %s holds no certificate in PEM", file)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, nil
}

// adviceOnTLS says what to do about a connection that failed over TLS; "" where something else failed.
func adviceOnTLS(err error) string {
	var unknown x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "if the certificate's authority is yours, name its file by CAFile, or --ca-file"
	case errors.As(err, &plain), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the server does not serve https there: is the address right?"
	default:
		return ""
	}
}
