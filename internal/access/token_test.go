package access

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// issuer is a key with its text.
type issuer struct {
	text, id string
	known    *known
}

func newIssuer(scopes Scopes) issuer {
	text := GenerateKey()
	id, _ := parseKey(text)
	hash := secretHash(text)
	return issuer{text, id, &known{
		caller:     &Caller{Tenant: uuid.New(), TenantName: "t", KeyID: id, KeyName: "issuer", Scopes: scopes, Logs: "*"},
		secretHash: hash[:], tokenKey: verifyingKey(text),
	}}
}

// accepts verifies a token as a gate does.
func (i issuer) accepts(text string) bool {
	id, ok := tokenKeyID(text)
	if !ok || id != i.id {
		return false
	}
	_, err := i.known.verify(text, time.Now())
	return err == nil
}

func encode(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }

// sign signs a header and claims as they are, with the key's own text.
func (i issuer) sign(header, claims string) string {
	signed := encode(header) + "." + encode(claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(signingKey(i.text), []byte(signed)))
}

func (i issuer) header() string { return `{"alg":"EdDSA","kid":"` + i.id + `","typ":"JWT"}` }

func (i issuer) claims() string {
	expires := time.Now().Add(time.Hour).Unix()
	return fmt.Sprintf(`{"iss":"tallystick","sub":"c","iat":%d,"exp":%d,"scope":"query","logs":["a"],"views":["v"]}`, expires-60, expires)
}

func (i issuer) token(t *testing.T, q TokenRequest) string {
	t.Helper()
	if err := q.check(); err != nil {
		t.Fatal(err)
	}
	token, _, err := q.sign(i.id, i.text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokensGrantWhatTheySay(t *testing.T) {
	i := newIssuer(AllScopes)
	q := TokenRequest{Subject: "customer ☂ 4711", Scopes: Query, Logs: []string{"a", "b"}, Views: []string{"v"}, Lifetime: time.Hour}
	text := i.token(t, q)
	if id, ok := tokenKeyID(text); !ok || id != i.id || !LooksLikeToken(text) || LooksLikeKey(text) {
		t.Fatalf("%s is of the key %q", text, id)
	}
	verified, err := i.known.verify(text, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, grant := verified.caller, verified.caller.Token
	if c.Scopes != Query || c.KeyID != i.id || c.KeyName != "issuer" || c.Tenant != i.known.caller.Tenant || c.Logs != "*" {
		t.Errorf("%+v", c)
	}
	if grant.Subject != q.Subject || !slices.Equal(grant.Logs, q.Logs) || !slices.Equal(grant.Views, q.Views) ||
		time.Until(grant.Expires) > time.Hour || time.Until(grant.Expires) < time.Hour-time.Minute {
		t.Errorf("%+v", grant)
	}
	if i.known.caller.Token != nil || i.known.caller.Scopes != AllScopes {
		t.Errorf("the key itself has become %+v", i.known.caller)
	}
}

// TestTokensGainNothing: a token has no scope that its key has not, whatever is signed; and none but read and query.
func TestTokensGainNothing(t *testing.T) {
	sets := []Scopes{AllScopes, Read | Query, Append | Query, Admin | Operator}
	for one := Append; one <= Operator; one <<= 1 {
		sets = append(sets, one, AllScopes&^one)
	}
	for _, keys := range append(sets, 0) {
		i := newIssuer(keys)
		for _, asked := range sets {
			text := i.sign(i.header(), strings.Replace(i.claims(), `"query"`, `"`+strings.Join(asked.Names(), " ")+`"`, 1))
			verified, err := i.known.verify(text, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if got := verified.caller.Scopes; got != keys&asked&(Read|Query) || verified.caller.Token == nil {
				t.Fatalf("a key for %q made a token for %q that may %q", keys.Names(), asked.Names(), got.Names())
			}
		}
	}
}

// TestForgedTokens: whatever was not signed by the key whose id it has, or is no token as we make them, is refused.
func TestForgedTokens(t *testing.T) {
	i, other := newIssuer(AllScopes), newIssuer(AllScopes)
	good := i.sign(i.header(), i.claims())
	if !i.accepts(good) {
		t.Fatal("the token itself is refused")
	}
	parts := strings.Split(good, ".")
	mac := func(secret []byte, alg string) string {
		signed := encode(strings.Replace(i.header(), "EdDSA", alg, 1)) + "." + parts[1]
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(i.known.tokenKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	claims := func(old, changed string) string {
		return i.sign(i.header(), strings.Replace(i.claims(), old, changed, 1))
	}
	header := func(old, changed string) string {
		return i.sign(strings.Replace(i.header(), old, changed, 1), i.claims())
	}
	past := func(seconds int64) string { return fmt.Sprintf(`"exp":%d`, time.Now().Unix()-seconds) }
	exp := i.claims()[strings.Index(i.claims(), `"exp"`):strings.Index(i.claims(), `,"scope"`)]
	signature := []byte(parts[2])
	digits := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, signature[len(signature)-1])
	signature[len(signature)-1] = digits[last^1] // an unused bit: the same bytes to a lax decoder
	flipped := bytes.Clone([]byte(parts[2]))
	flipped[7] ^= 1
	for what, text := range map[string]string{
		"nothing":               "",
		"no algorithm":          encode(`{"alg":"none","kid":"`+i.id+`"}`) + "." + parts[1] + ".",
		"no algorithm, as None": encode(`{"alg":"None","kid":"`+i.id+`"}`) + "." + parts[1] + "." + parts[2],
		"no signature":          parts[0] + "." + parts[1] + ".",
		"two parts":             parts[0] + "." + parts[1],
		"four parts":            good + "." + parts[2],
		"HS256 with the key":    mac(i.known.tokenKey, "HS256"),
		"HS256 with PEM":        mac(public, "HS256"),
		"HS256 with DER":        mac(der, "HS256"),
		"HS256 called EdDSA":    mac(i.known.tokenKey, "EdDSA"),
		"ES256":                 header("EdDSA", "ES256"),
		"no alg":                header(`"alg":"EdDSA",`, ""),
		"signed by another":     other.sign(i.header(), i.claims()),
		"edited claims":         parts[0] + "." + encode(strings.Replace(i.claims(), `"a"`, `"b"`, 1)) + "." + parts[2],
		"edited header":         encode(strings.Replace(i.header(), "JWT", "jwt", 1)) + "." + parts[1] + "." + parts[2],
		"flipped bit":           parts[0] + "." + parts[1] + "." + string(flipped),
		"signature, otherwise":  parts[0] + "." + parts[1] + "." + string(signature),
		"padded":                good + "==",
		"line break":            parts[0] + "." + parts[1] + ".\n" + parts[2],
		"blank":                 good + " ",
		"standard base64":       parts[0] + "." + parts[1] + "." + strings.NewReplacer("-", "+", "_", "/").Replace(parts[2]) + "+",
		"expired":               claims(exp, past(1)),
		"expired at once":       claims(exp, past(0)),
		"never ends":            claims(exp+",", ""),
		"ends at null":          claims(exp, `"exp":null`),
		"ends in words":         claims(exp, `"exp":"2099-01-01T00:00:00Z"`),
		"ends, the last counts": claims(exp, exp+","+past(5)),
		"not yet":               claims(exp, exp+fmt.Sprintf(`,"nbf":%d`, time.Now().Add(time.Minute).Unix())),
		"another issuer":        claims("tallystick", "somebody"),
		"no issuer":             claims(`"iss":"tallystick",`, ""),
		"no scope":              claims(`"query"`, `""`),
		"unknown scope":         claims(`"query"`, `"query write"`),
		"scope as list":         claims(`"query"`, `["query"]`),
		"logs as text":          claims(`["a"]`, `"a"`),
		"no logs":               claims(`["a"]`, `[]`),
		"too many logs":         claims(`["a"]`, `["a`+strings.Repeat(`","a`, MaxTokenLogs)+`"]`),
		"too many views":        claims(`["v"]`, `["v`+strings.Repeat(`","v`, MaxTokenViews)+`"]`),
		"no log's name":         claims(`["a"]`, `[""]`),
		"a long subject":        claims(`"c"`, `"`+strings.Repeat("c", MaxSubjectBytes+1)+`"`),
		"good for years":        claims(`"iat":`, `"iat":1,"was":`),
		"made at no time":       claims(`"iat":`, `"was":`),
		"claims as list":        i.sign(i.header(), "["+i.claims()+"]"),
		"claims twice":          i.sign(i.header(), i.claims()+i.claims()),
		"claims of nothing":     i.sign(i.header(), ""),
		"claims of null":        i.sign(i.header(), "null"),
	} {
		if i.accepts(text) {
			t.Errorf("%s: accepted: %s", what, text)
		}
	}
}

// TestKeyIDsOfTokens: no text but 16 digits of ours is looked up as a key's id, so none can make a statement fail.
func TestKeyIDsOfTokens(t *testing.T) {
	i := newIssuer(AllScopes)
	for _, kid := range []string{
		`""`, `"short"`, `"` + i.id + `0"`, `"000000000000000\u0000"`, `"000000000000000 "`, `"000000000000000'"`, `"00000000000000\u00e9"`,
		`"000000000000000\ud800"`, `null`, `7`, `["` + i.id + `"]`, `{"kid":"` + i.id + `"}`,
	} {
		if id, ok := tokenKeyID(i.sign(`{"alg":"EdDSA","kid":`+kid+`}`, i.claims())); ok {
			t.Errorf("kid %s: %q would be looked up", kid, id)
		}
	}
	if id, ok := tokenKeyID(i.sign(`{"alg":"EdDSA"}`, i.claims())); ok {
		t.Errorf("no kid: %q would be looked up", id)
	}
	huge := i.sign(i.header(), strings.Replace(i.claims(), `"c"`, `"`+strings.Repeat("c", maxTokenBytes)+`"`, 1))
	if _, ok := tokenKeyID(huge); ok {
		t.Errorf("a token of %d bytes is read", len(huge))
	}
}

// TestLargestToken: what a request may ask for at most fits into what is read.
func TestLargestToken(t *testing.T) {
	i := newIssuer(AllScopes)
	name := strings.Repeat("n", 200)
	q := TokenRequest{
		Subject: strings.Repeat("\x01", MaxSubjectBytes), Scopes: Query, Logs: slices.Repeat([]string{name}, MaxTokenLogs),
		Views: slices.Repeat([]string{name}, MaxTokenViews), Lifetime: MaxTokenLifetime,
	}
	text := i.token(t, q)
	if _, ok := tokenKeyID(text); !ok {
		t.Fatalf("the largest token has %d bytes, more than are read", len(text))
	}
	if _, err := i.known.verify(text, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestTokenRequests(t *testing.T) {
	good := TokenRequest{Scopes: Query, Logs: []string{"a"}, Lifetime: time.Minute}
	for what, change := range map[string]func(*TokenRequest){
		"no scope":         func(q *TokenRequest) { q.Scopes = 0 },
		"append":           func(q *TokenRequest) { q.Scopes = Append | Read },
		"admin":            func(q *TokenRequest) { q.Scopes = Admin },
		"operator":         func(q *TokenRequest) { q.Scopes = Query | Operator },
		"no log":           func(q *TokenRequest) { q.Logs = nil },
		"many logs":        func(q *TokenRequest) { q.Logs = make([]string, MaxTokenLogs+1) },
		"many views":       func(q *TokenRequest) { q.Views = make([]string, MaxTokenViews+1) },
		"read of views":    func(q *TokenRequest) { q.Scopes, q.Views = Read|Query, []string{"v"} },
		"a view's pattern": func(q *TokenRequest) { q.Views = []string{"v*"} },
		"no time":          func(q *TokenRequest) { q.Lifetime = 0 },
		"negative time":    func(q *TokenRequest) { q.Lifetime = -time.Hour },
		"long":             func(q *TokenRequest) { q.Lifetime = MaxTokenLifetime + 1 },
		"long subject":     func(q *TokenRequest) { q.Subject = strings.Repeat("c", MaxSubjectBytes+1) },
		"broken subject":   func(q *TokenRequest) { q.Subject = "\xff" },
	} {
		q := good
		change(&q)
		var invalid *event.InvalidError
		if err := q.check(); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := good.check(); err != nil {
		t.Error(err)
	}
}

// FuzzTokens: no text is taken for a token of a key that did not sign it, and none makes the parser fail otherwise than by an error.
func FuzzTokens(f *testing.F) {
	i := newIssuer(AllScopes)
	good := i.sign(i.header(), i.claims())
	for _, seed := range []string{
		good, good + ".", "eyJ", "..", "eyJ..", "eyJhbGciOiJub25lIn0..", strings.Repeat(".", 100), GenerateKey(),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := tokenKeyID(text)
		if ok && (len(id) != keyIDLength || !isBase62(id)) {
			t.Errorf("%q would be looked up", id)
		}
		if i.accepts(text) && text != good {
			t.Errorf("%q is taken for a token", text)
		}
	})
}
