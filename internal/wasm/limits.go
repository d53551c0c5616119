package wasm

import (
	"bytes"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/gas"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// Limits of the view ABI, in bytes unless said otherwise; docs/abi.md promises them to guests.
const (
	MaxModuleBytes = 4 << 20
	MaxConfigBytes = 64 << 10
	MaxKeyBytes    = 1 << 10
	MaxValueBytes  = 64 << 10
	MaxAnswerBytes = 1 << 20
	MaxFields      = 64 // pointers that tally_fields may return
	MaxFieldBytes  = 1 << 10
	MaxFailBytes   = 1 << 10
	// MaxGuardAnswerBytes bounds what a guard answers: it is part of a problem, or of the answer to an append.
	MaxGuardAnswerBytes = 4 << 10
	// MaxRetryAfter is the longest that a guard may have a client wait, in seconds: 366 days.
	MaxRetryAfter = 366 * 24 * 60 * 60
	// MaxWrites and MaxWriteBytes bound what one event may write, so that one transaction holds it: calls of set and
	// delete, and the bytes of their keys and values.
	MaxWrites     = 10_000
	MaxWriteBytes = 4 << 20
	// MaxScanBytes bounds the result of one scan; the first entry is returned whatever its size.
	MaxScanBytes = 1 << 20
	// MaxScanKeys bounds the entries of one call of State.Scan; the host asks for fewer at a time.
	MaxScanKeys = 1024
	// MaxMemoryPages is the largest memory of one instance, in pages of 64 KiB: 64 MiB. Growth is metered up to it.
	MaxMemoryPages = gas.MaxGrowPages
)

// checkKey returns a *ViewError for a key that state cannot hold.
func checkKey(key []byte) error {
	if len(key) == 0 {
		return limitf("the key is empty; a key has 1 to %d bytes", MaxKeyBytes)
	}
	return checkKeyText("key", key)
}

// checkKeyText checks a key or a part of one.
func checkKeyText(what string, text []byte) error {
	switch {
	case len(text) > MaxKeyBytes:
		return limitf("the %s has %d bytes; at most %d are allowed", what, len(text), MaxKeyBytes)
	case plain(text):
	case !utf8.Valid(text):
		return limitf("the %s %.100q is not valid UTF-8", what, text)
	case bytes.IndexByte(text, 0) >= 0:
		return limitf("the %s %.100q contains a NUL byte", what, text)
	}
	return nil
}

// plain reports whether text is ASCII without NUL, as nearly every key is: this is cheaper than the two full checks.
func plain(text []byte) bool {
	for _, c := range text {
		if c-1 >= utf8.RuneSelf-1 {
			return false
		}
	}
	return true
}

// checkJSON returns a *ViewError for text that is too long or not JSON.
func checkJSON(what string, text []byte, allowed int) error {
	if len(text) > allowed {
		return limitf("the %s has %d bytes; at most %d are allowed", what, len(text), allowed)
	}
	if err := jsonscan.Valid(text); err != nil {
		return limitf("the %s must be JSON: %v; it starts %.100q", what, err, text)
	}
	return nil
}

// Types of an answer. The default is TypeJSON.
const (
	TypeJSON = "application/json"
	TypeCSV  = "text/csv"
	TypeText = "text/plain"
)

var answerTypes = []string{TypeJSON, TypeCSV, TypeText}

// checkAnswer returns a *ViewError for an answer that is not valid for its type.
func checkAnswer(kind string, text []byte) error {
	if kind == TypeJSON {
		return checkJSON("answer", text, MaxAnswerBytes)
	}
	if !utf8.Valid(text) {
		return limitf("the answer must be valid UTF-8 to be %s; it starts %.100q", kind, text)
	}
	return nil
}

// checkConfig returns a *RefusedError for a configuration that no view may have. Empty stands for {}.
func checkConfig(config []byte) error {
	if len(config) == 0 {
		return nil
	}
	if len(config) > MaxConfigBytes {
		return refusef(CodeBadConfig, "the config has %d bytes; at most %d are allowed", len(config), MaxConfigBytes)
	}
	if err := jsonscan.Valid(config); err != nil {
		return refusef(CodeBadConfig, "the config must be JSON: %v", err)
	}
	return nil
}
