package live

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
)

// seal keeps notifications between servers. Whoever may connect to a database may listen to every channel of it, and notify on it: without
// a key, which the database lets only servers read, an analyst could see which logs change and how long they are, and could pretend
// changes. What is left to see is how much changes at a time.
type seal struct{ aead cipher.AEAD }

func newSeal(key []byte) (*seal, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("reading the key of notifications: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("reading the key of notifications: %w", err)
	}
	return &seal{aead}, nil
}

// maxSealedBytes is how much a notification can hold sealed: PostgreSQL accepts fewer than 8,000 bytes, and base64 makes four of three.
const maxSealedBytes = 5900

func (s *seal) close(payload string) string {
	sealed := s.aead.Seal(nil, nil, []byte(payload), nil) //nolint:gosec // it makes a random nonce itself
	return base64.StdEncoding.EncodeToString(sealed)
}

var errForged = errors.New("the notification is not from a server")

func (s *seal) open(sealed string) (payload string, err error) {
	bytes, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", errForged
	}
	opened, err := s.aead.Open(nil, nil, bytes, nil)
	if err != nil {
		return "", errForged
	}
	return string(opened), nil
}
