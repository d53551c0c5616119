package api

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// TestClientAddress: a client cannot choose the address that it is known by, whatever headers it sends.
func TestClientAddress(t *testing.T) {
	proxies := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	const proxy, stranger = "10.0.0.1:40000", "203.0.113.9:40000"
	long := strings.Repeat("10.1.1.1, ", 5000)
	for _, c := range []struct {
		name, peer, header string
		values             []string
		want               string
	}{
		{"no header", proxy, "X-Forwarded-For", nil, "10.0.0.1"},
		{"one client", proxy, "X-Forwarded-For", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a stranger's header", stranger, "X-Forwarded-For", []string{"198.51.100.7"}, "203.0.113.9"},
		{"a stranger that says it is a proxy", stranger, "X-Forwarded-For", []string{"198.51.100.7, 10.0.0.1"}, "203.0.113.9"},
		{"what the client wrote is left of it", proxy, "X-Forwarded-For", []string{"127.0.0.1, 198.51.100.7"}, "198.51.100.7"},
		{"in lines of their own", proxy, "X-Forwarded-For", []string{"127.0.0.1", "198.51.100.7"}, "198.51.100.7"},
		{"two proxies", proxy, "X-Forwarded-For", []string{"1.2.3.4, 198.51.100.7 , 10.9.9.9"}, "198.51.100.7"},
		{"a client that claims to be a proxy", proxy, "X-Forwarded-For", []string{"10.3.3.3, 198.51.100.7"}, "198.51.100.7"},
		{"all are proxies", proxy, "X-Forwarded-For", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"very many", proxy, "X-Forwarded-For", []string{long + "198.51.100.7"}, "198.51.100.7"},
		{"with a port", proxy, "X-Forwarded-For", []string{"198.51.100.7:443"}, "198.51.100.7"},
		{"IPv6", proxy, "X-Forwarded-For", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", proxy, "X-Forwarded-For", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", proxy, "X-Forwarded-For", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		{"IPv6 with a zone", proxy, "X-Forwarded-For", []string{"fe80::7%eth0"}, "fe80::7"},
		{"IPv4 in IPv6", proxy, "X-Forwarded-For", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"a proxy, IPv4 in IPv6", "[::ffff:10.0.0.1]:1", "X-Forwarded-For", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy by IPv6", "[fd00::1]:1", "X-Forwarded-For", []string{"198.51.100.7"}, "198.51.100.7"},
		{"unknown", proxy, "X-Forwarded-For", []string{"127.0.0.1, unknown"}, "10.0.0.1"},
		{"unknown behind a second proxy", proxy, "X-Forwarded-For", []string{"127.0.0.1, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"nothing", proxy, "X-Forwarded-For", []string{""}, "10.0.0.1"},
		{"an empty entry", proxy, "X-Forwarded-For", []string{"127.0.0.1,"}, "10.0.0.1"},
		{"no address", proxy, "X-Forwarded-For", []string{"127.0.0.1, <script>"}, "10.0.0.1"},
		{"a host's name", proxy, "X-Forwarded-For", []string{"localhost"}, "10.0.0.1"},
		{"octal", proxy, "X-Forwarded-For", []string{"010.0.0.1"}, "10.0.0.1"},
		{"IPv4 in brackets", proxy, "X-Forwarded-For", []string{"[198.51.100.7]"}, "10.0.0.1"},
		{"a bracket", proxy, "X-Forwarded-For", []string{"[2001:db8::7"}, "10.0.0.1"},
		{"the other header does not count", proxy, "X-Forwarded-For, Forwarded", []string{"198.51.100.7", "for=127.0.0.1"}, "198.51.100.7"},

		{"one client", proxy, "Forwarded", []string{"for=198.51.100.7"}, "198.51.100.7"},
		{"with more", proxy, "Forwarded", []string{`by=10.0.0.1;For="198.51.100.7:80" ; proto=http;host=a`}, "198.51.100.7"},
		{"IPv6", proxy, "Forwarded", []string{`for="[2001:db8::7]:4711"`}, "2001:db8::7"},
		{"two proxies", proxy, "Forwarded", []string{`for=1.2.3.4, for=198.51.100.7;proto=https,for=10.9.9.9`}, "198.51.100.7"},
		{"in lines of their own", proxy, "Forwarded", []string{"for=127.0.0.1", "for=198.51.100.7"}, "198.51.100.7"},
		{"a comma in quotes", proxy, "Forwarded", []string{`for=198.51.100.7;host="a, for=127.0.0.1"`}, "198.51.100.7"},
		{"an escaped quote", proxy, "Forwarded", []string{`for=198.51.100.7;host="a\", for=127.0.0.1"`}, "198.51.100.7"},
		{"hidden", proxy, "Forwarded", []string{"for=127.0.0.1, for=_hidden"}, "10.0.0.1"},
		{"without for", proxy, "Forwarded", []string{"for=127.0.0.1, proto=https"}, "10.0.0.1"},
		{"a quote left open", proxy, "Forwarded", []string{`for=127.0.0.1;host="`, "for=198.51.100.7"}, "10.0.0.1"},
		{"a quote left open, closed by the proxy's", proxy, "Forwarded", []string{`for="127.0.0.1, `, `for="[2001:db8::7]"`}, "10.0.0.1"},
		{"an escape left open", proxy, "Forwarded", []string{`for=127.0.0.1;host="\`}, "10.0.0.1"},
		{"no value", proxy, "Forwarded", []string{"for="}, "10.0.0.1"},
		{"no name", proxy, "Forwarded", []string{"=127.0.0.1"}, "10.0.0.1"},
		{"nothing", proxy, "Forwarded", []string{""}, "10.0.0.1"},
		{"a stranger's header", stranger, "Forwarded", []string{"for=127.0.0.1"}, "203.0.113.9"},
		{"the other header does not count", proxy, "Forwarded, X-Forwarded-For", []string{"for=198.51.100.7", "127.0.0.1"}, "198.51.100.7"},

		{"no address of a peer", "@", "X-Forwarded-For", []string{"127.0.0.1"}, "invalid IP"},
	} {
		header, other, _ := strings.Cut(c.header, ", ")
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{header: c.values}}
		if other != "" {
			r.Header = http.Header{header: c.values[:1], other: c.values[1:]}
		}
		proxies.Forwarded = header == "Forwarded"
		if got := proxies.clientAddress(r); got.String() != c.want {
			t.Errorf("%s, %s %q: the client is %v, want %s", c.header, c.name, c.values, got, c.want)
		}
	}
}

// FuzzClientAddress: whatever a client sends, what its proxy adds after it decides.
func FuzzClientAddress(f *testing.F) {
	f.Add(`for=1.2.3.4`)
	f.Add(`for="`)
	f.Add(`for="\`)
	f.Add(`unknown, [::1`)
	f.Fuzz(func(t *testing.T, sent string) {
		proxies := Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
		client, proxy := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("10.0.0.1")
		for _, header := range []string{"X-Forwarded-For", "Forwarded"} {
			proxies.Forwarded = header == "Forwarded"
			added := map[string]string{"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}[header]
			for _, values := range [][]string{{sent, added}, {sent + ", " + added}} {
				r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{header: values}}
				// A header that cannot be read makes the client unknown, never somebody else.
				if got := proxies.clientAddress(r); got != client && (got != proxy || !proxies.Forwarded) {
					t.Errorf("%s %q: the client is %v", header, values, got)
				}
			}
		}
	})
}
