package tallystick_test

import (
	"os"
	"regexp"
	"testing"
)

// released are the files that say the version of the API, and of the SDKs and what goes with them, which is the same.
var released = map[string]string{
	"internal/api/document.go":                                                  `(?m)^const Version = "(.*)"$`,
	"openapi/openapi.yaml":                                                      `(?m)^  version: (\S+)$`,
	"openapi/clients/CHANGELOG.md":                                              `(?m)^## (\S+)$`,
	"openapi/clients/go/client.go":                                              `(?m)^const Version = "(.*)"$`,
	"openapi/clients/python/src/tallystick/_version.py":                         `(?m)^__version__ = "(.*)"$`,
	"openapi/clients/typescript/package.json":                                   `(?m)^  "version": "(.*)",$`,
	"openapi/clients/typescript/src/version.ts":                                 `(?m)^export const version = "(.*)";$`,
	"openapi/clients/java/pom.xml":                                              `(?m)^  <version>(.*)</version>$`,
	"openapi/clients/java/src/main/java/io/github/tallystick/client/Tally.java": `VERSION = "(.*)";`,
	"testcontainers/python/src/tallystick_testcontainers/__init__.py":           `(?m)^__version__ = "(.*)"$`,
	"testcontainers/java/pom.xml":                                               `(?m)^  <version>(.*)</version>$`,
	"testcontainers/node/package.json":                                          `(?m)^  "version": "(.*)",$`,
}

// TestOneVersion: the SDKs, the modules for containers and the API's description go by one version.
func TestOneVersion(t *testing.T) {
	want := ""
	for file, pattern := range released {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if found == nil {
			t.Errorf("%s has no version that %s finds", file, pattern)
			continue
		}
		if want == "" {
			want = string(found[1])
		}
		if got := string(found[1]); got != want {
			t.Errorf("%s has the version %s, and another file %s", file, got, want)
		}
	}
}
