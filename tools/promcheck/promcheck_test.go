package promcheck_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/prometheus/common/model"

	"github.com/tallystick/tallystick/internal/server"
	"github.com/tallystick/tallystick/internal/testdb"
	"github.com/tallystick/tallystick/views"
)

const (
	alerts     = "../../deploy/prometheus/alerts.yaml"
	dashboard  = "../../deploy/grafana/tallystick.json"
	operations = "../../docs/operations.md"
	// patience turns a hang into a failure.
	patience = 2 * time.Minute
)

func TestMain(m *testing.M) { testdb.Main(m) }

// scrape runs a server, has it do a little of everything, and returns the series of its /metrics as Prometheus stores them.
func scrape(t *testing.T) []labels.Labels {
	t.Helper()
	config := server.DefaultConfig()
	config.Listen, config.OpsListen, config.DatabaseURL = "127.0.0.1:0", "127.0.0.1:0", testdb.New(t).DSN()
	config.AllowUnsafeDatabase, config.ModuleCacheDir, config.Version = true, t.TempDir(), "v-test"
	config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	call(t, s, "POST", "/logs", `{"name": "acme"}`)
	call(t, s, "POST", "/logs/acme/views/totals", string(views.MonthlyTotals()))
	call(t, s, "POST", "/logs/acme/append", `{"type": "api.call", "tokens_in": 1}`)
	call(t, s, "GET", "/logs/acme/views/totals/query", "")
	call(t, s, "POST", "/events", `{"log": "acme", "id": "1"}{"log": "acme"}`)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx, cancel := context.WithTimeout(t.Context(), patience); ; {
		text := get(t, s.OpsURL()+"/metrics")
		if strings.Contains(text, "\ntally_survey_age_seconds") { // the database was read
			cancel()
			return parse(t, text)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the server did not read its database")
		}
	}
}

func call(t *testing.T, s *server.Server, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := do(t, request); status >= http.StatusBadRequest {
		t.Fatalf("%s %s: %d, %s", method, path, status, text)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	status, text := do(t, request)
	if status != http.StatusOK {
		t.Fatalf("%s: %d", url, status)
	}
	return text
}

func do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is lost
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// parse returns the series, with the labels that Prometheus adds to what it collects, and the one that it makes itself.
func parse(t *testing.T, text string) []labels.Labels {
	t.Helper()
	targets := []string{"job", "tallystick", "instance", "127.0.0.1:9464"}
	series := []labels.Labels{labels.FromStrings(append(targets, "__name__", "up")...)}
	p := textparse.NewPromParser([]byte(text), labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if err == io.EOF { //nolint:errorlint // as the parser says
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var found labels.Labels
		p.Labels(&found)
		b := labels.NewBuilder(found)
		b.Set("job", "tallystick").Set("instance", "127.0.0.1:9464")
		series = append(series, b.Labels())
	}
	if len(series) < 300 {
		t.Fatalf("only %d series were found", len(series))
	}
	return series
}

// grafana are the variables of the dashboard.
var grafana = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".+", "$job", "tallystick")

// check reports what an expression asks for that is not there: series, or labels to group by.
func check(t *testing.T, where, expression string, series []labels.Labels) (selectors int) {
	t.Helper()
	tree, err := parser.ParseExpr(grafana.Replace(expression))
	if err != nil {
		t.Errorf("%s: %s: %v", where, expression, err)
		return 0
	}
	known := map[string]bool{} // the labels of all that is selected
	var grouping []string
	parser.Inspect(tree, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.VectorSelector:
			selectors++
			matching := slices.DeleteFunc(slices.Clone(series), func(s labels.Labels) bool { return !matches(s, node.LabelMatchers) })
			if len(matching) == 0 {
				t.Errorf("%s: /metrics has nothing that %s selects", where, node)
			}
			for _, alternative := range alternatives(node.LabelMatchers) {
				if !slices.ContainsFunc(series, func(s labels.Labels) bool { return s.Get(alternative.Name) == alternative.Value }) {
					t.Errorf("%s: no series has the %s %s", where, alternative.Name, alternative.Value)
				}
			}
			for _, s := range matching {
				s.Range(func(l labels.Label) { known[l.Name] = true })
			}
		case *parser.AggregateExpr:
			grouping = append(grouping, node.Grouping...)
		case *parser.BinaryExpr:
			if node.VectorMatching != nil {
				grouping = append(grouping, node.VectorMatching.MatchingLabels...)
			}
		}
		return nil
	})
	for _, name := range grouping {
		if !known[name] {
			t.Errorf("%s: what is grouped by %s does not have that label: %s", where, name, expression)
		}
	}
	return selectors
}

func matches(s labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Get(m.Name)) })
}

var words = regexp.MustCompile(`^[\w|]+$`)

// alternatives returns the values of matchers such as code=~"busy|log_busy".
func alternatives(matchers []*labels.Matcher) (found []labels.Label) {
	for _, m := range matchers {
		if m.Type == labels.MatchRegexp && words.MatchString(m.Value) {
			for value := range strings.SplitSeq(m.Value, "|") {
				found = append(found, labels.Label{Name: m.Name, Value: value})
			}
		}
	}
	return found
}

// TestAlertsAndDashboard: what they ask for is what a server shows.
func TestAlertsAndDashboard(t *testing.T) {
	series := scrape(t)
	selectors := 0
	for name, rule := range rules(t) {
		selectors += check(t, name, rule.Expr, series)
	}
	for title, expressions := range panels(t) {
		for _, expression := range expressions {
			selectors += check(t, title, expression, series)
		}
	}
	if selectors < 50 {
		t.Errorf("only %d selectors were checked", selectors)
	}
}

func rules(t *testing.T) map[string]rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alerts, false, model.UTF8Validation)
	for _, err := range errs {
		t.Error(err)
	}
	if groups == nil {
		t.FailNow()
	}
	found := map[string]rulefmt.Rule{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			_, twice := found[rule.Alert]
			if twice || rule.Alert == "" || rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
				t.Errorf("a rule has no name of its own, no severity, or no summary: %+v", rule)
			}
			found[rule.Alert] = rule
		}
	}
	return found
}

// panels returns the expressions of the dashboard's panels, by title.
func panels(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	found, ids := map[string][]string{}, map[int]bool{}
	for _, panel := range board.Panels {
		if ids[panel.ID] || panel.Title == "" || panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("a panel has no id or title of its own, or shows nothing: %+v", panel)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			found[panel.Title] = append(found[panel.Title], target.Expr)
		}
	}
	return found
}

// section returns what is under a heading of a page, up to the next of its level.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", operations, heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

var (
	paragraph = regexp.MustCompile(`(?m)^\*\*(Tally\w+)\*\*`)
	row       = regexp.MustCompile("(?m)^\\| ((?:`tally_\\w+`(?:, )?)+) \\| \\w+ \\| ([^|]*)\\|")
)

// list returns the names in a cell of a table.
func list(cell string) []string {
	return strings.Split(strings.NewReplacer("`", "", " ", "").Replace(cell), ",")
}

// TestAlertsAreExplained: each has its paragraph, and no other has one.
func TestAlertsAreExplained(t *testing.T) {
	var explained []string
	for _, match := range paragraph.FindAllStringSubmatch(section(t, "Alerts: what to do at each"), -1) {
		explained = append(explained, match[1])
	}
	slices.Sort(explained)
	if names := slices.Sorted(maps.Keys(rules(t))); !slices.Equal(names, explained) {
		t.Errorf("the rules are %q, and %s explains %q", names, operations, explained)
	}
}

// TestMetricsAreExplained: the table of metrics has all of ours, with their labels.
func TestMetricsAreExplained(t *testing.T) {
	shown := map[string]string{}
	histogram := regexp.MustCompile(`^(tally_(?:\w+_seconds|group_\w+|http_request_duration_seconds))_(?:bucket|sum|count)$`)
	for _, s := range scrape(t) {
		name := s.Get("__name__")
		if !strings.HasPrefix(name, "tally_") {
			continue
		}
		if match := histogram.FindStringSubmatch(name); match != nil {
			name = match[1]
		}
		var names []string
		s.Range(func(l labels.Label) {
			if !slices.Contains([]string{"__name__", "job", "instance", "le"}, l.Name) {
				names = append(names, l.Name)
			}
		})
		shown[name] = strings.Join(names, ", ")
	}
	explained := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(section(t, "Metrics"), -1) {
		names := list(match[2])
		slices.Sort(names)
		for _, metric := range list(match[1]) {
			explained[metric] = strings.Join(names, ", ")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if labels, ok := explained[name]; !ok || labels != shown[name] {
			t.Errorf("%s has the labels %q; %s says %q (there: %v)", name, shown[name], operations, labels, ok)
		}
	}
	for name := range explained {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s explains %s, which /metrics does not have", operations, name)
		}
	}
}
