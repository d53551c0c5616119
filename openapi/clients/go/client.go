package tally

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Version is the version of this client, as in its User-Agent.
const Version = "0.1.0"

const (
	// DefaultURL is the server's address where neither Options nor TALLY_URL name one: that of tally dev.
	DefaultURL = "http://127.0.0.1:8080"
	// DefaultTimeout bounds how long the server may be silent within one try.
	DefaultTimeout = 30 * time.Second
	// DefaultDeadline bounds a call with all its tries and the waits between them.
	DefaultDeadline = 60 * time.Second
	// dialTimeout bounds connecting to the server.
	dialTimeout = 10 * time.Second
)

// Options name the server to call, and the caller. The zero value takes both from the environment: TALLY_URL and TALLY_KEY.
type Options struct {
	// URL is the server's address, such as https://tally.example.com. It may have a path, which prefixes the API's. "" stands for
	// TALLY_URL, or DefaultURL where that is not set.
	URL string
	// Key is a key or token. "" stands for TALLY_KEY.
	Key string
	// Anonymous sends no key, not even TALLY_KEY: for a server that asks for none.
	Anonymous bool
	// Tenant is the one to act in, for a key with the scope operator. "" stands for the key's own.
	Tenant string
	// Actor is recorded by the server with each action, beside the key's name: at most 200 bytes. May be empty.
	Actor string

	// Timeout bounds how long the server may be silent within one try of a call. 0 stands for DefaultTimeout; negative: no bound. Calls
	// that read a whole log (AuditView) have none, and streams one of their own.
	Timeout time.Duration
	// Deadline bounds a call with all its tries and the waits between them, beside the call's context. 0 stands for DefaultDeadline;
	// negative: no bound but the context's. Calls without a Timeout, and streams, have no deadline but for how long they are retried.
	Deadline time.Duration
	// NoRetries sends each request once.
	NoRetries bool

	// CAFile is a PEM file with authorities to trust for https, beside the system's. May be empty.
	CAFile string
	// Connections bounds the requests in flight. 0: no bound.
	Connections int
	// HTTPClient sends the requests, in place of one made from CAFile and Connections. Its Timeout, if any, cuts off streams. Redirects
	// are not followed: a POST would become a GET.
	HTTPClient *http.Client
	// UserAgent is added to the client's own, such as "billing/1.4". May be empty.
	UserAgent string
}

// Client calls one server. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	header   http.Header // of every request
	http     *http.Client
	owned    bool // http was made here
	timeout  time.Duration
	deadline time.Duration
	retries  bool
}

// New checks the options; it does not connect. Close the client when it is no longer needed.
func New(o Options) (*Client, error) {
	address := cmp.Or(o.URL, os.Getenv("TALLY_URL"), DefaultURL)
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is not the address of a server: it must be such as %s", address, DefaultURL)
	}
	base.RawQuery, base.Fragment = "", ""
	caller, owned, err := o.httpClient()
	if err != nil {
		return nil, err
	}
	return &Client{
		base: base, header: o.header(), http: caller, owned: owned,
		timeout: max(cmp.Or(o.Timeout, DefaultTimeout), 0), deadline: max(cmp.Or(o.Deadline, DefaultDeadline), 0), retries: !o.NoRetries,
	}, nil
}

func (o *Options) header() http.Header {
	key := cmp.Or(o.Key, os.Getenv("TALLY_KEY"))
	if o.Anonymous {
		key = ""
	}
	header := http.Header{"User-Agent": {"tally-go/" + Version}}
	if o.UserAgent != "" {
		header.Set("User-Agent", "tally-go/"+Version+" "+o.UserAgent)
	}
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
	if o.Tenant != "" {
		header.Set("Tally-Tenant", o.Tenant)
	}
	if o.Actor != "" {
		header.Set("Tally-Actor", o.Actor)
	}
	return header
}

// httpClient returns the client to send requests with, and whether it is ours to close.
func (o *Options) httpClient() (caller *http.Client, owned bool, err error) {
	if o.HTTPClient != nil {
		if o.CAFile != "" || o.Connections != 0 {
			return nil, false, fmt.Errorf("CAFile and Connections have no effect beside HTTPClient: set them up in its Transport")
		}
		given := *o.HTTPClient
		given.CheckRedirect = keepRedirects
		return &given, false, nil
	}
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		DialContext:     (&net.Dialer{Timeout: dialTimeout}).DialContext,
		MaxConnsPerHost: o.Connections, MaxIdleConnsPerHost: cmp.Or(o.Connections, 64),
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: dialTimeout,
	}
	if o.CAFile != "" {
		if transport.TLSClientConfig, err = trusting(o.CAFile); err != nil {
			return nil, false, err
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: keepRedirects}, true, nil
}

func keepRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// URL is the server's address.
func (c *Client) URL() string { return c.base.String() }

// Close closes idle connections, unless Options.HTTPClient was given. It does not wait for calls.
func (c *Client) Close() {
	if c.owned {
		c.http.CloseIdleConnections()
	}
}

// isLocal reports whether the server is on this machine.
func (c *Client) isLocal() bool {
	host := c.base.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
