package webhook

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/event"
)

// TestAddresses: requests go to public addresses, and not to those that stand for others, whatever they are written as.
func TestAddresses(t *testing.T) {
	public := []string{
		"1.1.1.1:443", "8.8.8.8:8443", "[2606:4700:4700::1111]:443", "[::ffff:1.1.1.1]:443", "[64:ff9b::1.1.1.1]:443",
		"[2002:101:101::1]:443", "172.32.0.1:443", "100.128.0.1:443", "192.167.255.255:443", "169.253.0.1:1024",
	}
	others := []string{
		"127.0.0.1:443", "127.255.255.254:443", "[::1]:443", "0.0.0.0:443", "0.1.2.3:443", "[::]:443",
		"10.0.0.1:443", "172.16.0.1:443", "172.31.255.255:443", "192.168.0.1:443", "[fc00::1]:443", "[fd00:ec2::254]:443",
		"169.254.169.254:443", "[fe80::1]:443", "[fe80::1%25eth0]:443", "100.64.0.1:443", "100.100.100.200:443", "100.127.255.255:443",
		"168.63.129.16:443", "192.0.0.192:443", "192.0.2.1:443", "198.18.0.1:443", "198.51.100.1:443", "203.0.113.1:443",
		"224.0.0.1:443", "239.255.255.255:443", "240.0.0.1:443", "255.255.255.255:443", "[ff02::1]:443", "192.88.99.1:443",
		"[::ffff:127.0.0.1]:443", "[::ffff:169.254.169.254]:443", "[::ffff:10.0.0.1]:443", "[::ffff:0:127.0.0.1]:443", "[::127.0.0.1]:443",
		"[64:ff9b::127.0.0.1]:443", "[64:ff9b::10.0.0.1]:443", "[64:ff9b::a9fe:a9fe]:443", "[64:ff9b:1::10.0.0.1]:443",
		"[2002:7f00:1::]:443", "[2002:a9fe:a9fe::1]:443", "[2002:a00:1::1]:443", "[2001::1]:443", "[2001:db8::1]:443", "[3fff::1]:443",
		"[100::1]:443", "[fec0::1]:443", "[5f00::1]:443",
		"1.1.1.1:22", "1.1.1.1:25", "1.1.1.1:80", "1.1.1.1:1023",
	}
	var none addresses
	for _, text := range public {
		to := netip.MustParseAddrPort(text)
		if err := none.check(to, true); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if none.check(to, false) == nil {
			t.Errorf("%s without encryption is allowed", text)
		}
	}
	for _, text := range others {
		if err := none.check(netip.MustParseAddrPort(text), true); !errors.As(err, new(*ForbiddenError)) {
			t.Errorf("%s is allowed", text)
		}
	}
	allowed := addresses{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/64")}
	for text, want := range map[string]bool{
		"10.1.2.3:80": true, "[::ffff:10.1.2.3]:22": true, "[fd00::1]:80": true, "10.2.0.1:443": false, "[fd00:0:0:1::1]:443": false,
		"127.0.0.1:443": false,
	} {
		if err := allowed.check(netip.MustParseAddrPort(text), false); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestURLs: what can be refused when a webhook is made is.
func TestURLs(t *testing.T) {
	for _, text := range []string{
		"https://example.com/", "https://example.com:8443/a?b=c", "https://1.1.1.1", "https://[2606:4700:4700::1111]/",
		"HTTPS://EXAMPLE.COM/x",
	} {
		if err := (addresses{}).checkURL(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"", "example.com", "//example.com/", "http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x",
		"https://user@example.com/", "https://user:password@example.com/", "https://:@example.com/", "https://example.com/#a",
		"https://example.com:0/", "https://example.com:65536/", "https://example.com:x/", "https://1.1.1.1:25/",
		"https://localhost/", "https://LocalHost./", "https://a.localhost/", "https://127.0.0.1/", "https://[::1]/", "https://0/",
		"https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://017700000001/",
		"https://127.0.0.1./", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[fe80::1%25eth0]/",
		"https://169.254.169.254/latest",
		"https://[64:ff9b::a00:1]/", "https://10.0.0.1/", "https://exämple.com/", "https://example.com/\x00", "https://exa mple.com/",
		"https://example.com/" + strings.Repeat("a", MaxURLBytes),
	} {
		var invalid *event.InvalidError
		if err := (addresses{}).checkURL(text); !errors.As(err, &invalid) {
			t.Errorf("%.80q is taken: %v", text, err)
		}
	}
	here := addresses(ourselves)
	for text, want := range map[string]bool{
		"http://127.0.0.1:9000/": true, "http://localhost:9000/": true, "https://127.0.0.1/": true, "http://10.0.0.1/": false,
		"http://1.1.1.1/": false, "http://2130706433/": false,
	} {
		if err := here.checkURL(text); (err == nil) != want {
			t.Errorf("%s where this machine is allowed: %v", text, err)
		}
	}
}
