// Package checkpoint signs the heads of logs, and verifies them. A customer who keeps a checkpoint can prove later what the log contained,
// whoever controls the database. The format is C2SP's signed note (c2sp.org/signed-note) with an Ed25519 signature; docs/evidence.md
// describes it line by line.
package checkpoint

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

// MaxBytes bounds a checkpoint that is read. A checkpoint has about 300 bytes, and some more for each signature that others add.
const MaxBytes = 64 << 10

const (
	originPrefix   = "tallystick.chain/"
	recordedPrefix = "recorded_at "
	timeText       = "2006-01-02T15:04:05.999999Z"
)

// Checkpoint is the head of a log at some time.
type Checkpoint struct {
	LogID      uuid.UUID
	Sequence   int64 // 0 for an empty log
	Hash       event.Hash
	RecordedAt time.Time // when the last event was recorded; for an empty log, when it was created
}

// text returns the signed text: the log, its last sequence, the hash of everything up to it, and when that was recorded.
func (c *Checkpoint) text() string {
	return originPrefix + c.LogID.String() + "\n" + strconv.FormatInt(c.Sequence, 10) + "\n" +
		base64.StdEncoding.EncodeToString(c.Hash[:]) + "\n" +
		recordedPrefix + c.RecordedAt.UTC().Format(timeText) + "\n"
}

// parse reads the text of a note. It ignores further lines, which later versions may add.
func parse(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 { // the last one is empty
		return c, errors.New("it has fewer than four lines of text")
	}
	id, ok := strings.CutPrefix(lines[0], originPrefix)
	if c.LogID, err = uuid.Parse(id); !ok || err != nil {
		return c, fmt.Errorf("its first line is %q, not %s and a log's id", lines[0], originPrefix)
	}
	if c.Sequence, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Sequence < 0 || strconv.FormatInt(c.Sequence, 10) != lines[1] {
		return c, fmt.Errorf("its second line is %q, not a sequence", lines[1])
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != len(c.Hash) {
		return c, fmt.Errorf("its third line is %q, not a hash of 32 bytes in base64", lines[2])
	}
	c.Hash = event.Hash(hash)
	recorded, ok := strings.CutPrefix(lines[3], recordedPrefix)
	if c.RecordedAt, err = time.Parse(time.RFC3339Nano, recorded); !ok || err != nil {
		return c, fmt.Errorf("its fourth line is %q, not %sand a time", lines[3], recordedPrefix)
	}
	return c, nil
}

// Signer signs checkpoints. It is safe for concurrent use.
type Signer struct {
	signer   note.Signer
	verifier string
}

const privatePrefix = "PRIVATE+KEY+"

// NewSigner reads a private key that GenerateKey made.
func NewSigner(key string) (*Signer, error) {
	key = strings.TrimSpace(key)
	signer, err := note.NewSigner(key)
	if err != nil {
		return nil, errors.New("this is no signing key as tally keygen makes one")
	}
	_, encoded, _ := strings.Cut(strings.TrimPrefix(key, privatePrefix+signer.Name()+"+"), "+")
	seed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(seed) != 1+ed25519.SeedSize { // the first byte is the algorithm
		return nil, errors.New("this is no Ed25519 signing key")
	}
	public, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("this is no Ed25519 signing key")
	}
	verifier, err := note.NewEd25519VerifierKey(signer.Name(), public)
	if err != nil {
		return nil, fmt.Errorf("deriving the verifier key: %w", err)
	}
	return &Signer{signer, verifier}, nil
}

// Verifier returns the public key, in the form that Open takes.
func (s *Signer) Verifier() string { return s.verifier }

// Sign returns the checkpoint as a signed note.
func (s *Signer) Sign(c Checkpoint) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, s.signer)
	if err != nil {
		return nil, fmt.Errorf("signing a checkpoint: %w", err)
	}
	return signed, nil
}

// GenerateKey makes a key pair. name, such as billing.example.com, is part of every signature: printable ASCII without spaces and plus
// signs.
func GenerateKey(name string) (private, verifier string, err error) {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == '+' || r >= 0x7f }) {
		return "", "", fmt.Errorf("the name %q does not fit: it may hold ASCII characters but spaces and plus signs", name)
	}
	private, verifier, err = note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("making a key: %w", err)
	}
	return private, verifier, nil
}

// Open reads a checkpoint and verifies that the owner of the verifier key signed it. It ignores other signatures.
func Open(signed []byte, verifier string) (Checkpoint, error) {
	known, err := note.NewVerifier(strings.TrimSpace(verifier))
	if err != nil {
		return Checkpoint{}, errors.New("this is no verifier key: it looks like name+01234567+ABC…, as tally keygen prints it")
	}
	n, err := note.Open(signed, note.VerifierList(known))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return Checkpoint{}, fmt.Errorf("the checkpoint is not signed by %s with this key", known.Name())
	case errors.As(err, &invalid):
		return Checkpoint{}, fmt.Errorf("the signature of %s does not fit the checkpoint: one of them was changed", known.Name())
	case err != nil:
		return Checkpoint{}, errors.New("this is no signed note: it must be the file as it came, with every line break")
	}
	for _, signature := range n.Sigs { // note takes bits that are no part of the signature, whatever they are
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return Checkpoint{}, fmt.Errorf("the signature of %s was changed: it is not written as it was signed", known.Name())
		}
	}
	c, err := parse(n.Text)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("this is a signed note, but no checkpoint of a log: %w", err)
	}
	return c, nil
}
