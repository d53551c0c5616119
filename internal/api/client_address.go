package api

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are trusted to say who sent a request that comes from them.
type Proxies struct {
	Networks []netip.Prefix
	// Forwarded reads the header of RFC 7239 in place of X-Forwarded-For. Never both: a client may send the one that a proxy does not
	// know and therefore passes on.
	Forwarded bool
}

// clientAddress returns the address of the client that sent a request: that of the connection or, where it comes from a trusted proxy,
// the right-most address in the header that is none of a trusted proxy. Left of that is what the client wrote itself. An entry that holds
// no address ends the search at the proxy that wrote it. The result is not valid where a request came by no IP connection.
func (p *Proxies) clientAddress(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := canonicalAddress(peer.Addr())
	if !p.trust(address) {
		return address
	}
	if p.Forwarded {
		return p.lastUntrusted(address, forwardedFor(r.Header.Values("Forwarded")))
	}
	return p.lastUntrusted(address, strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ","))
}

func (p *Proxies) trust(address netip.Addr) bool {
	return slices.ContainsFunc(p.Networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// lastUntrusted goes through nodes, the last of which was added by the proxy that address is of.
func (p *Proxies) lastUntrusted(address netip.Addr, nodes []string) netip.Addr {
	for _, node := range slices.Backward(nodes) {
		before, err := parseNode(node)
		if err != nil {
			return address
		}
		if address = before; !p.trust(address) {
			return address
		}
	}
	return address
}

// parseNode reads an address, with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80.
func parseNode(text string) (netip.Addr, error) {
	text = strings.Trim(text, " \t")
	if with, err := netip.ParseAddrPort(text); err == nil {
		return canonicalAddress(with.Addr()), nil
	}
	if inside, bracketed := strings.CutPrefix(text, "["); bracketed {
		text, bracketed = strings.CutSuffix(inside, "]")
		if address, err := netip.ParseAddr(text); bracketed && err == nil && address.Is6() {
			return canonicalAddress(address), nil
		}
		return netip.Addr{}, errNoAddress
	}
	address, err := netip.ParseAddr(text)
	return canonicalAddress(address), err
}

var errNoAddress = errors.New("this is no address")

// canonicalAddress gives an address one form, whichever kind of socket it came by.
func canonicalAddress(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// forwardedFor returns the value of "for" in each element of Forwarded headers, "" where there is none; nothing if a header is malformed:
// a client may have left a quotation open to swallow what the proxy added.
func forwardedFor(headers []string) (nodes []string) {
	rest := strings.Join(headers, ",")
	node := ""
	for {
		rest = strings.TrimLeft(rest, " \t")
		if name, value, found := strings.Cut(rest, "="); found && isToken(name) {
			var ok bool
			if value, rest, ok = cutValue(value); !ok {
				return nil
			}
			if strings.EqualFold(name, "for") {
				node = value
			}
		}
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case rest == "":
			return append(nodes, node)
		case rest[0] == ',':
			nodes, node = append(nodes, node), ""
		case rest[0] != ';':
			return nil
		}
		rest = rest[1:]
	}
}

// cutValue cuts a token or a quoted string from the beginning of text.
func cutValue(text string) (value, rest string, ok bool) {
	quoted, isQuoted := strings.CutPrefix(text, `"`)
	if !isQuoted {
		end := strings.IndexAny(text, `;, "`)
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], end > 0
	}
	var unescaped strings.Builder
	for i := 0; i < len(quoted); i++ {
		switch quoted[i] {
		case '"':
			return unescaped.String(), quoted[i+1:], true
		case '\\':
			if i++; i == len(quoted) {
				return "", "", false
			}
		}
		unescaped.WriteByte(quoted[i])
	}
	return "", "", false
}

// isToken reports whether text is a token of RFC 9110.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
