package checkpoint_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/checkpoint"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/uuid"
)

func keys(t testing.TB, name string) (*checkpoint.Signer, string) {
	t.Helper()
	private, verifier, err := checkpoint.GenerateKey(name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := checkpoint.NewSigner(private + "\n")
	if err != nil || signer.Verifier() != verifier {
		t.Fatalf("the key %s gives the verifier %v, want %s: %v", private, signer, verifier, err)
	}
	return signer, verifier
}

func example() checkpoint.Checkpoint {
	id := uuid.MustParse("018f4f3c-0000-7000-8000-000000000001")
	recordedAt := time.Date(2025, 3, 1, 10, 5, 30, 120_941_000, time.UTC)
	return checkpoint.Checkpoint{LogID: id, Sequence: 42, Hash: event.Genesis(id), RecordedAt: recordedAt}
}

func TestSignAndOpen(t *testing.T) {
	signer, verifier := keys(t, "billing.example.com")
	signed, err := signer.Sign(example())
	if err != nil {
		t.Fatal(err)
	}
	const want = "tallystick.chain/018f4f3c-0000-7000-8000-000000000001\n42\nsVFk4fJmADYunGa6DdwqISFYuf8CBl64QIMNHq3uHRQ=\n" +
		"recorded_at 2025-03-01T10:05:30.120941Z\n\n— billing.example.com "
	if !strings.HasPrefix(string(signed), want) {
		t.Errorf("the note is\n%s\nwant\n%s", signed, want)
	}
	if got, err := checkpoint.Open(signed, verifier+"\n"); err != nil || got != example() {
		t.Errorf("opened: %+v, %v", got, err)
	}
}

// TestForgeries: Open rejects every altered note.
func TestForgeries(t *testing.T) {
	signer, verifier := keys(t, "billing.example.com")
	_, stranger := keys(t, "other.example.com")
	_, namesake := keys(t, "billing.example.com")
	signed, err := signer.Sign(example())
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		changed := bytes.Clone(signed)
		changed[i] ^= 1
		if got, err := checkpoint.Open(changed, verifier); err == nil {
			t.Fatalf("with byte %d changed it is taken for %+v:\n%s", i, got, changed)
		}
		if _, err := checkpoint.Open(signed[:i], verifier); err == nil {
			t.Fatalf("the first %d bytes are taken", i)
		}
	}
	for name, key := range map[string]string{
		"a stranger's": stranger, "a namesake's": namesake, "no": "", "a broken": verifier[:len(verifier)-2],
	} {
		if _, err := checkpoint.Open(signed, key); err == nil {
			t.Errorf("%s key opens it", name)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "a\n", "é"} {
		if _, _, err := checkpoint.GenerateKey(name); err == nil {
			t.Errorf("%q is the name of a key", name)
		}
	}
	if _, err := checkpoint.NewSigner(verifier); err == nil {
		t.Error("a verifier key signs")
	}
}

func FuzzOpen(f *testing.F) {
	signer, verifier := keys(f, "billing.example.com")
	signed, err := signer.Sign(example())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add([]byte("tallystick.chain/x\n\n— a b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := checkpoint.Open(text, verifier); err == nil && got != example() {
			t.Errorf("%q is taken for %+v", text, got)
		}
	})
}
