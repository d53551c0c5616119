package source_test

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/source"
)

var (
	mappingBlock = regexp.MustCompile("(?s)```json mapping\n(.*?)```")
	// mappingInline is a mapping in a sentence.
	mappingInline = regexp.MustCompile("[`'](\\{\"ready\": .*?\\})[`']")
	putReady      = regexp.MustCompile(`tally source put \S+ --ready (\S+)`)
)

// TestGatewayPages: every mapping that the pages of docs/gateways show is accepted; every ready mapping has a page that shows how to use it
// and names all that it keeps; every page says what can be lost, and which setting helps; and the collector's page has the mapping that the
// recordings are tested with.
func TestGatewayPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/gateways/*.md")
	if err != nil || len(pages) < 2 {
		t.Fatal("no pages: ", err)
	}
	explained := map[string]string{} // the pages of each ready mapping
	for _, page := range pages {
		text := string(read(t, page))
		found := slices.Concat(mappingBlock.FindAllStringSubmatch(text, -1), mappingInline.FindAllStringSubmatch(text, -1))
		for _, match := range found {
			if _, err := source.Parse([]byte(match[1])); err != nil {
				t.Errorf("%s: %s: %v", page, match[1], err)
			}
			var named struct{ Ready string }
			fatal(t, json.Unmarshal([]byte(match[1]), &named))
			explained[named.Ready] += text
		}
	}
	for _, page := range pages {
		text := string(read(t, page))
		for _, match := range putReady.FindAllStringSubmatch(text, -1) {
			parse(t, `{"ready":"`+match[1]+`"}`)
			explained[match[1]] += text
		}
	}
	for _, page := range pages {
		if text := string(read(t, page)); filepath.Base(page) != "README.md" &&
			(!strings.Contains(text, "hat it can lose") || !strings.Contains(text, "the setting that helps")) {
			t.Errorf("%s does not say what can be lost, and which setting helps", page)
		}
	}
	overview := string(read(t, "../../docs/gateways/README.md"))
	for _, name := range source.Ready() {
		raw, _ := source.ReadyMapping(name)
		var mapping struct{ Keep any }
		fatal(t, json.Unmarshal(raw, &mapping))
		if explained[name] == "" || !strings.Contains(overview, "`"+name+"`") {
			t.Errorf("the ready mapping %s is on no page of docs/gateways, or not in its README.md", name)
		}
		kept, _ := mapping.Keep.(map[string]any)
		for member := range maps.Keys(kept) {
			if !strings.Contains(explained[name], "`"+member+"`") {
				t.Errorf("the page of %s does not say that it keeps %s", name, member)
			}
		}
	}
	shown := mappingBlock.FindStringSubmatch(string(read(t, "../../docs/gateways/collector.md")))
	if shown == nil || string(parse(t, shown[1]).JSON()) != string(parse(t, string(read(t, gateways+"/collector/mapping.json"))).JSON()) {
		t.Errorf("docs/gateways/collector.md shows another mapping than %s/collector has", gateways)
	}
}
