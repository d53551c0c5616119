package access

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// exactly is KeyPattern for a text that is a key and nothing else.
var exactly = regexp.MustCompile(`\A(?:` + KeyPattern + `)\z`)

func TestKeysHaveTheirForm(t *testing.T) {
	ids, secrets := map[string]bool{}, map[string]bool{}
	inText := regexp.MustCompile(KeyPattern)
	for range 2000 {
		text := GenerateKey()
		id, ok := parseKey(text)
		if !ok || !exactly.MatchString(text) || len(text) != keyLength {
			t.Fatalf("%s is not a key", text)
		}
		if got := inText.FindString(`{"token":"` + text + `",`); got != text {
			t.Fatalf("a scanner finds %q", got)
		}
		secret := text[len(keyPrefix)+keyIDLength+1 : checkedLength]
		if ids[id] || secrets[secret] {
			t.Fatalf("%s has the id or the secret of another", text)
		}
		ids[id], secrets[secret] = true, true
		if again, ok := parseKey(newKey(id)); again != id || !ok {
			t.Fatalf("a rotated key has the id %s, not %s", again, id)
		}
	}
}

// TestKeyDigitsAreUniform: the chi-squared statistic of 62 digits has 61 degrees of freedom, so it is 61 ± 11 for uniform ones. Taking
// bytes modulo 62 without more ado would make it some thousands here.
func TestKeyDigitsAreUniform(t *testing.T) {
	const digits = 200_000
	counts := map[rune]float64{}
	for _, r := range randomText(digits) {
		counts[r]++
	}
	sum := 0.0
	for _, r := range base62 {
		off := counts[r] - digits/62.0
		sum += off * off / (digits / 62.0)
	}
	if len(counts) != len(base62) || sum > 61+10*11 {
		t.Errorf("chi-squared is %.0f over %d digits", sum, len(counts))
	}
}

// TestChecksumFindsEveryTypo: any other character, and any two characters that change places.
func TestChecksumFindsEveryTypo(t *testing.T) {
	text := []byte(GenerateKey())
	if _, ok := parseKey(string(text)); !ok {
		t.Fatal("the key itself is refused")
	}
	for i := range text {
		for c := range 256 {
			typo := bytes.Clone(text)
			if typo[i] = byte(c); typo[i] == text[i] {
				continue
			}
			if _, ok := parseKey(string(typo)); ok {
				t.Errorf("%q passes for %q", typo, text)
			}
		}
		if i > 0 && text[i] != text[i-1] {
			typo := bytes.Clone(text)
			typo[i], typo[i-1] = typo[i-1], typo[i]
			if _, ok := parseKey(string(typo)); ok {
				t.Errorf("%q passes for %q", typo, text)
			}
		}
	}
}

// TestKnownKey holds the format to what is documented: others compute the checksum, too.
func TestKnownKey(t *testing.T) {
	const text = "tally_0000000000000000_0000000000000000000000000000000000000000000"
	if sum := checksum(text); len(text) != checkedLength || sum != "204YDf" {
		t.Errorf("the checksum of %s is %s", text, sum)
	}
}

func lookAlikes() map[string]string {
	text := GenerateKey()
	upper := strings.ToUpper(keyPrefix) + text[len(keyPrefix):]
	withDash := text[:len(keyPrefix)+keyIDLength] + "-" + text[len(keyPrefix)+keyIDLength+1:]
	resummed := func(changed string) string { return changed[:checkedLength] + checksum(changed[:checkedLength]) }
	return map[string]string{
		"nothing": "", "the prefix": keyPrefix, "a word": "tally", "short": text[:len(text)-1], "long": text + "0", "twice": text + text,
		"space before": " " + text, "space after": text + " ", "line break": text + "\n", "NUL": text + "\x00",
		"no prefix": text[len(keyPrefix):], "another prefix": resummed("tally-" + text[len(keyPrefix):]), "upper case": resummed(upper),
		"another separator":             resummed(withDash),
		"underscore in the id":          resummed(text[:len(keyPrefix)] + "_" + text[len(keyPrefix)+1:]),
		"underscore in the secret":      resummed(text[:checkedLength-1] + "_" + text[checkedLength:]),
		"a letter that is none of ours": resummed(text[:checkedLength-2] + "é" + text[checkedLength:]),
		"full-width digit":              resummed(text[:checkedLength-3] + "１" + text[checkedLength:]),
		"quoted":                        `"` + text + `"`, "id alone": text[len(keyPrefix) : len(keyPrefix)+keyIDLength],
	}
}

func TestLookAlikesAreNoKeys(t *testing.T) {
	for what, text := range lookAlikes() {
		if id, ok := parseKey(text); ok || id != "" {
			t.Errorf("%s: %q is taken for the key %q", what, text, id)
		}
	}
}

// FuzzKeys: what is taken for a key matches KeyPattern and has its checksum, whatever it is.
func FuzzKeys(f *testing.F) {
	f.Add(GenerateKey())
	for _, text := range lookAlikes() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := parseKey(text)
		if want := exactly.MatchString(text) && checksum(text[:checkedLength]) == text[checkedLength:]; ok != want {
			t.Errorf("%q is a key: %t", text, ok)
		}
		if ok && text[len(keyPrefix):len(keyPrefix)+keyIDLength] != id {
			t.Errorf("%q has the id %q", text, id)
		}
		if _, token := tokenKeyID(text); ok && (token || LooksLikeToken(text)) {
			t.Errorf("%q is taken for a token, too", text)
		}
	})
}
