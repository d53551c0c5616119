package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
)

// MaxURLBytes bounds the URL of a receiver.
const MaxURLBytes = 2048

// ForbiddenError: a request would have gone to an address that is not allowed, and was not sent.
type ForbiddenError struct {
	Address netip.AddrPort
	Why     string
}

func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("%s is not allowed: %s", e.Address, e.Why)
}

// special are the networks that are not the public internet, and why. What net/netip tells is not among them.
var special = []struct {
	network netip.Prefix
	why     string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "it is of this network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "it is shared address space of a carrier or a cloud"},
	{netip.MustParsePrefix("168.63.129.16/32"), "it is a cloud's own address, for its machines"},
	{netip.MustParsePrefix("192.0.0.0/24"), "it is reserved for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "it is for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "it is a relay's"},
	{netip.MustParsePrefix("198.18.0.0/15"), "it is for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "it is for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "it is for documentation"},
	{netip.MustParsePrefix("240.0.0.0/4"), "it is reserved"},
	{netip.MustParsePrefix("2001::/23"), "it is reserved for protocols"},
	{netip.MustParsePrefix("2001:db8::/32"), "it is for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "it is for documentation"},
}

var (
	publicIPv6 = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// notPublic says why an address is not one of the public internet; "" if it is. An address that stands for an IPv4 address is what that is.
func notPublic(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	bytes := a.As16()
	switch {
	case a.IsLoopback():
		return "it is this machine's own"
	case a.IsUnspecified():
		return "it is no machine's"
	case a.IsLinkLocalUnicast():
		return "it is link-local, as are the addresses where clouds show a machine its secrets"
	case a.IsPrivate():
		return "it is of a private network"
	case a.IsMulticast():
		return "it is for many machines"
	case nat64.Contains(a):
		return notPublic(netip.AddrFrom4([4]byte(bytes[12:16])))
	case sixToFour.Contains(a):
		return notPublic(netip.AddrFrom4([4]byte(bytes[2:6])))
	case a.Is6() && !publicIPv6.Contains(a):
		return "it is not public"
	}
	for _, s := range special {
		if s.network.Contains(a) {
			return s.why
		}
	}
	return ""
}

// httpsPort and leastPort: requests to public addresses go to port 443, or to one that no service of a system has.
const (
	httpsPort = 443
	leastPort = 1024
)

// addresses tells where requests may go.
type addresses []netip.Prefix

// allowed reports whether the operator allows an address whatever it is.
func (a addresses) allowed(address netip.Addr) bool {
	address = address.WithZone("").Unmap()
	return slices.ContainsFunc(a, func(network netip.Prefix) bool { return network.Contains(address) })
}

// check returns a *ForbiddenError if no request may go there.
func (a addresses) check(to netip.AddrPort, encrypted bool) error {
	if a.allowed(to.Addr()) {
		return nil
	}
	why := notPublic(to.Addr())
	switch {
	case why != "":
	case !encrypted:
		why = "without encryption requests go only where the operator allows it (--webhook-allow)"
	case to.Port() != httpsPort && to.Port() < leastPort:
		why = fmt.Sprintf("its port is %d; 443 and those from %d on are allowed", to.Port(), leastPort)
	default:
		return nil
	}
	return &ForbiddenError{to, why}
}

// checkURL returns an *event.InvalidError for a URL that no receiver can have. A name is looked up when a request is sent: what it means
// may change, and is checked then, each time.
func (a addresses) checkURL(text string) error {
	const code = "invalid_url"
	if text == "" || len(text) > MaxURLBytes {
		return event.Invalid(code, "the URL has %d bytes; 1 to %d are allowed", len(text), MaxURLBytes)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return event.Invalid(code, "the URL is none; it must be such as https://example.com/webhooks")
	}
	plain := u.Scheme == "http" && len(a) > 0
	port, portErr := strconv.Atoi(u.Port())
	switch {
	case u.Scheme != "https" && !plain:
		return event.Invalid(code, "the URL must begin with https://")
	case u.User != nil:
		return event.Invalid(code, "the URL must not have a name or password in it: they would be shown to whoever lists webhooks")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return event.Invalid(code, "the URL must not have a fragment, which is never sent")
	case u.Port() != "" && (portErr != nil || port < 1 || port > 65535):
		return event.Invalid(code, "the URL's port must be 1 to 65535")
	}
	return a.checkHost(u.Hostname(), port, plain)
}

// checkHost refuses what can be refused without looking a name up.
func (a addresses) checkHost(host string, port int, plain bool) error {
	const code = "invalid_url"
	if port == 0 {
		port = httpsPort
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err == nil && ip.Zone() != "":
		return event.Invalid(code, "the URL's address must not have a zone")
	case err == nil:
		if err := a.check(netip.AddrPortFrom(ip, uint16(port)), !plain); err != nil {
			return event.Invalid(code, "requests cannot be sent there: %v", err)
		}
	case isNumber(host):
		return event.Invalid(code, "the URL's host is a number: write an address as in 203.0.114.7, or a name")
	case isLocalName(host) && !a.allowed(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
		return event.Invalid(code, "requests cannot be sent there: %s is this machine itself", host)
	case strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r > '~' }):
		return event.Invalid(code, "the URL's host must be ASCII: write an international name in its form with xn--")
	}
	return nil
}

// isNumber reports whether some programs would take a host for an IPv4 address in another form: 2130706433, 0x7f.1 or 0177.0.0.1.
func isNumber(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil || strings.Trim(last, "0123456789") == ""
}

func isLocalName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// parseDialled reads the address that a connection is about to be made to.
func parseDialled(address string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the address %q: %w", address, err)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the address %q: %w", address, err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading the port of %q: %w", address, err)
	}
	return netip.AddrPortFrom(ip, uint16(number)), nil
}

// hostOf is the host of a URL that was checked.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Host
}
