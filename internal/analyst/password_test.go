package analyst

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
)

// TestVerifier checks what a client proves by, and the server signs with, in the exchange of RFC 7677, section 3.
func TestVerifier(t *testing.T) {
	const exchange = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," +
		"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	decode := func(text string) []byte {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	got, err := verifierWith("pencil", decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
	if err != nil {
		t.Fatal(err)
	}
	keys, ok := strings.CutPrefix(got, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
	stored, server, _ := strings.Cut(keys, ":")
	if !ok || base64.StdEncoding.EncodeToString(sign(decode(server), exchange)) != "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=" {
		t.Errorf("the verifier is %s", got)
	}
	client := decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
	for i, b := range sign(decode(stored), exchange) {
		client[i] ^= b
	}
	if sum := sha256.Sum256(client); base64.StdEncoding.EncodeToString(sum[:]) != stored {
		t.Errorf("the client's proof does not fit %s", got)
	}
}
