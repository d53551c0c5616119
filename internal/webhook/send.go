package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	// MaxAnswerBytes is how much of an answer's body is kept, and read.
	MaxAnswerBytes = 1 << 10
	// maxAnswerHeaderBytes bounds the headers of an answer.
	maxAnswerHeaderBytes = 16 << 10
	// answerPatience is how long the body of an answer may take. Its status, which has come by then, is all that counts.
	answerPatience = 2 * time.Second
	// idleConnection is how long a connection to a receiver is kept for its next message.
	idleConnection = 30 * time.Second
	maxIdle        = 100
	maxIdlePerHost = 4
)

// result is what became of one try.
type result struct {
	at         time.Time
	took       time.Duration
	status     int           // of the answer; 0 without one
	answer     string        // the first of its body
	retryAfter time.Duration // as the answer asks
	err        error         // why there is no answer, or which answer is none of success; nil for success
	forbidden  bool          // nothing was sent
}

// sender sends requests. It follows no redirects, uses no proxy, and checks each address that it connects to.
type sender struct {
	encrypted, plain *http.Client
	timeout          time.Duration
	agent            string
}

// resolver looks names up; nil for the machine's own.
type resolver = *net.Resolver

func newSender(config Config) *sender {
	allow := addresses(config.Allow)
	return &sender{
		encrypted: newClient(config.resolver, allow, true, config.roots),
		plain:     newClient(config.resolver, allow, false, nil),
		timeout:   config.timeout, agent: strings.TrimSuffix("Tallystick-Webhooks/"+config.Version, "/"),
	}
}

func newClient(names resolver, allow addresses, encrypted bool, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{
		Resolver: names,
		// Here the address is what the connection is made to, whatever a name meant before or means next.
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := parseDialled(address)
			if err != nil {
				return err
			}
			return allow.check(to, encrypted)
		},
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeaderBytes, Protocols: protocols,
			MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdlePerHost, IdleConnTimeout: idleConnection,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *sender) close() {
	s.encrypted.CloseIdleConnections()
	s.plain.CloseIdleConnections()
}

// send tries once. Its message is signed with each of the secrets.
func (s *sender) send(ctx context.Context, url, id string, message []byte, secrets [][]byte) result {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r := result{at: time.Now()}
	defer func() { r.took = time.Since(r.at) }()
	request, err := s.request(ctx, url, id, r.at, message, secrets)
	if err != nil {
		r.err = err
		return r
	}
	client := s.encrypted
	if request.URL.Scheme == "http" {
		client = s.plain
	}
	response, err := client.Do(request)
	if err != nil {
		var forbidden *ForbiddenError
		r.forbidden = errors.As(err, &forbidden)
		r.err = s.explain(err)
		r.took = time.Since(r.at)
		return r
	}
	enough := time.AfterFunc(answerPatience, cancel)
	defer enough.Stop()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, MaxAnswerBytes))
	_ = response.Body.Close() // what is left of it is not read
	r.status, r.answer, r.err = response.StatusCode, readable(answer), judge(response.StatusCode)
	r.retryAfter = retryAfter(response.Header.Get("Retry-After"), time.Now())
	r.took = time.Since(r.at)
	return r
}

func (s *sender) request(
	ctx context.Context, url, id string, at time.Time, message []byte, secrets [][]byte,
) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(message))
	if err != nil {
		return nil, errors.New("the URL is none")
	}
	request.GetBody = nil // one connection, one try
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		webhook, err := standardwebhooks.NewWebhookRaw(secret)
		if err == nil {
			signatures[i], err = webhook.Sign(id, at, message)
		}
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"},
		"User-Agent":   {s.agent},
		http.CanonicalHeaderKey(standardwebhooks.HeaderWebhookID):        {id},
		http.CanonicalHeaderKey(standardwebhooks.HeaderWebhookTimestamp): {strconv.FormatInt(at.Unix(), 10)},
		http.CanonicalHeaderKey(standardwebhooks.HeaderWebhookSignature): {strings.Join(signatures, " ")},
	}
	return request, nil
}

// judge returns why an answer is no success.
func judge(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("the receiver answered %d, a redirect; they are not followed: give the webhook the URL that it leads to", status)
	case status == http.StatusGone:
		return errors.New("the receiver answered 410: it does not want to be told any more")
	}
	return fmt.Errorf("the receiver answered %s", strings.TrimSpace(fmt.Sprint(status, " ", http.StatusText(status))))
}

// explain says in plain words why there is no answer. It leaves the URL out, which may have a secret in it.
func (s *sender) explain(err error) error {
	var forbidden *ForbiddenError
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &forbidden):
		return fmt.Errorf("nothing was sent: %w", forbidden)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the receiver did not answer within %v", s.timeout)
	case errors.As(err, &name) && name.IsNotFound:
		return fmt.Errorf("no address was found for the name %s", name.Name)
	case errors.As(err, &name):
		return fmt.Errorf("looking the name %s up failed", name.Name)
	case errors.As(err, &certificate):
		return fmt.Errorf("the receiver's certificate is not valid: %w", certificate.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the receiver refused the connection")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the receiver closed the connection without an answer")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errors.New("there is no way to the receiver's network")
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) { // the outer ones have the URL
		err = inner
	}
	return errors.New(readable([]byte(shorten(err.Error()))))
}

func shorten(text string) string {
	const enough = 200
	if len(text) <= enough {
		return text
	}
	return text[:enough] + "…"
}

// readable makes of bytes what PostgreSQL takes as text.
func readable(answer []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(answer), "\uFFFD"), "\x00", "\uFFFD")
}

// retryAfter reads a header Retry-After: seconds, or a time. 0 for none, or one that has passed.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
