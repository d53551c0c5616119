package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// anyQuery marks, in an operation's metadata, one whose query string is not checked: that of a query belongs to its view, and a load
// balancer may add what it likes to a health check, where it does no harm.
const anyQuery = "any query"

// singleHeaders are headers that a request may have once, with the code of the problem if it has more. mayBeNil allows an empty value.
var singleHeaders = map[string]struct {
	code     string
	mayBeNil bool
}{
	tenantHeader:        {code: "invalid_parameter"},
	"Idempotency-Key":   {code: "invalid_idempotency_key"},
	"Expected-Sequence": {code: "invalid_expected_sequence"},
	"Tally-Actor":       {code: "invalid_actor", mayBeNil: true},
	"Last-Event-ID":     {code: "invalid_event_id", mayBeNil: true},
}

// checkParameters refuses, before an operation reads its parameters, what would else be left out without a word: a parameter that does not
// exist or comes twice, one of the query string that is empty and no text, and a header that comes twice or is empty.
func checkParameters(ctx huma.Context, next func(huma.Context)) {
	request, w := humago.Unwrap(ctx)
	operation := ctx.Operation()
	p := checkHeaders(operation, request.Header)
	if p == nil && operation.Metadata[anyQuery] == nil && request.URL.RawQuery != "" {
		p = checkQuery(operation, request.URL)
	}
	if p != nil {
		writeProblem(w, p)
		return
	}
	next(ctx)
}

func checkHeaders(operation *huma.Operation, header http.Header) *Problem {
	for _, parameter := range operation.Parameters {
		rule, known := singleHeaders[parameter.Name]
		if parameter.In != "header" || !known {
			continue
		}
		switch values := header.Values(parameter.Name); {
		case len(values) > 1:
			return newProblem(rule.code, "the request has "+strconv.Itoa(len(values))+" headers "+parameter.Name+"; one at most is allowed")
		case len(values) == 1 && values[0] == "" && !rule.mayBeNil:
			return newProblem(rule.code, "the header "+parameter.Name+" is empty: give it a value, or leave it out")
		}
	}
	return nil
}

// checkQuery also sets a parameter without a value, such as ?stream, to true: huma finds parameters by their =.
func checkQuery(operation *huma.Operation, u *url.URL) *Problem {
	const code = "invalid_parameter"
	parts := strings.Split(u.RawQuery, "&")
	seen := make([]string, 0, len(parts))
	for i, part := range parts {
		if part == "" {
			continue
		}
		escaped, value, valued := strings.Cut(part, "=")
		name, err := url.QueryUnescape(escaped)
		if err == nil {
			_, err = url.QueryUnescape(value)
		}
		switch {
		case err != nil:
			return newProblem(code, "the query string is not valid: "+strconv.Quote(shortened(part))+
				" is not percent-encoded as it should be; % itself is written %25")
		case !slices.Contains(queryParameters(operation), name):
			return newProblem(code, "there is no parameter "+strconv.Quote(shortened(name))+" here: "+parameterNames(operation))
		case slices.Contains(seen, name):
			return newProblem(code, "the parameter "+name+" comes twice: give it once")
		case valued && value == "" && !mayBeEmpty(operation, name):
			return newProblem(code, "the parameter "+name+" is empty: give it a value, or leave it out")
		}
		seen = append(seen, name)
		if !valued {
			parts[i] += "=true"
		}
	}
	u.RawQuery = strings.Join(parts, "&")
	return nil
}

// mayBeEmpty reports whether a parameter of the query string is a text of any kind. For another huma takes what is empty for what is
// absent: a bound of time that some script left empty would be none.
func mayBeEmpty(operation *huma.Operation, name string) bool {
	for _, p := range operation.Parameters {
		if p.In == "query" && p.Name == name {
			return p.Schema.Type == huma.TypeString && p.Schema.Format == "" && len(p.Schema.Enum) == 0
		}
	}
	return true
}

// queryParameters are the names of all parameters of the query string that an operation takes.
func queryParameters(operation *huma.Operation) (names []string) {
	for _, p := range operation.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	hidden, _ := operation.Metadata[hiddenQuery].([]string)
	return append(names, hidden...)
}

func parameterNames(operation *huma.Operation) string {
	names := queryParameters(operation)
	if len(names) == 0 {
		return "the operation takes none"
	}
	return "the operation takes " + strings.Join(names, ", ")
}

// shortened keeps what a client sent from filling the problem that quotes it.
func shortened(text string) string {
	const enough = 64
	if len(text) <= enough {
		return text
	}
	return text[:enough] + "…"
}

// refuseBinaryEvents refuses CloudEvents in binary mode, which have their id, type and time in headers: they would be lost.
func refuseBinaryEvents(ctx huma.Context, next func(huma.Context)) {
	request, w := humago.Unwrap(ctx)
	for name := range request.Header {
		if strings.HasPrefix(name, "Ce-") {
			writeProblem(w, newProblem("binary_event", "the header "+strings.ToLower(shortened(name))+
				" belongs to a CloudEvent in binary mode, which is not taken: its attributes "+
				"would be lost; send it in structured mode, as one JSON object with id, source, type, time and data; nothing was stored"))
			return
		}
	}
	next(ctx)
}
