package access

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// A key is the text that its holder keeps secret: tally_, the key's id, _, the secret, and a checksum of all before it. Secret scanners
// find it by KeyPattern, and tell it from what only looks like one by the checksum: the CRC-32 (IEEE) of the text before it, in base 62,
// most significant digit first.
const (
	// KeyPattern is a regular expression that matches a key in any text.
	KeyPattern = `tally_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}`

	keyPrefix     = "tally_"
	keyIDLength   = 16 // 95 bits: ids are never given out twice
	secretLength  = 43 // 256 bits
	checkedLength = len(keyPrefix) + keyIDLength + 1 + secretLength
	keyLength     = checkedLength + checksumLength

	checksumLength = 6
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newKeyID returns an id that no key has yet.
func newKeyID() string { return randomText(keyIDLength) }

// newKey returns a new key with this id.
func newKey(id string) string {
	text := keyPrefix + id + "_" + randomText(secretLength)
	return text + checksum(text)
}

// GenerateKey returns a key that no database knows yet, for a server's first start.
func GenerateKey() string { return newKey(newKeyID()) }

func randomText(length int) string {
	text := make([]byte, 0, length)
	var random [64]byte
	for len(text) < length {
		_, _ = rand.Read(random[:]) // never fails
		for _, b := range random {
			if int(b) < 4*len(base62) && len(text) < length { // else some digits would be likelier
				text = append(text, base62[int(b)%len(base62)])
			}
		}
	}
	return string(text)
}

func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [checksumLength]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = base62[sum%uint32(len(base62))]
		sum /= uint32(len(base62))
	}
	return string(digits[:])
}

// parseKey returns the id of a key. It reports false for what has another form or a wrong checksum.
func parseKey(text string) (id string, ok bool) {
	if len(text) != keyLength || !strings.HasPrefix(text, keyPrefix) || text[len(keyPrefix)+keyIDLength] != '_' {
		return "", false
	}
	if !isBase62(text[len(keyPrefix):len(keyPrefix)+keyIDLength]) || !isBase62(text[len(keyPrefix)+keyIDLength+1:]) {
		return "", false
	}
	if checksum(text[:checkedLength]) != text[checkedLength:] {
		return "", false
	}
	return text[len(keyPrefix) : len(keyPrefix)+keyIDLength], true
}

func isBase62(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') })
}

// KeyID returns the id of a key, which is no secret. It reports false for what is none, such as one with a letter mistyped.
func KeyID(text string) (id string, ok bool) { return parseKey(text) }

// LooksLikeKey reports whether a text is meant to be a key, right or wrong.
func LooksLikeKey(text string) bool { return strings.HasPrefix(text, keyPrefix) }

// secretHash is what is stored of a key.
func secretHash(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }

// signingKey is the key that signs the tokens which a key makes. It follows from the secret, so whoever lacks that can make none, and
// the database holds the half that verifies.
func signingKey(text string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("tallystick token signing\x00" + text))
	return ed25519.NewKeyFromSeed(seed[:])
}

func verifyingKey(text string) ed25519.PublicKey {
	return signingKey(text).Public().(ed25519.PublicKey) //nolint:forcetypeassert // as documented
}
