package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// emptyMark begins the cursor of an empty page, before the cursor of the page that follows it.
const emptyMark = "empty!"

// emptyPage answers the first request of each page with an empty one, and has the next one continue where that page is.
func (p *proxy) emptyPage(w http.ResponseWriter, in *http.Request, entry *request) (answered bool) {
	o := p.stand.document.byID(entry.operation)
	if o == nil || !o.pages || in.Method != http.MethodGet {
		return false
	}
	query := in.URL.Query()
	cursor := query.Get("cursor")
	if rest, marked := strings.CutPrefix(cursor, emptyMark); marked {
		query.Set("cursor", rest)
		if rest == "" {
			query.Del("cursor")
		}
		in.URL.RawQuery = query.Encode()
		return false
	}
	response, err := p.forward(in, nil)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	var members map[string]json.RawMessage
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&members) != nil {
		return false // the request is made again, and its answer passes
	}
	for name, value := range members {
		if value[0] == '[' {
			members[name] = json.RawMessage("[]")
		}
	}
	members["next_cursor"] = quoted(emptyMark + cursor)
	p.send(w, entry, response, encoded(members))
	return true
}

// answerLater changes an answer into one that a later server might send.
func (p *proxy) answerLater(w http.ResponseWriter, entry *request, response *http.Response) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	kind := response.Header.Get("Content-Type")
	if strings.Contains(kind, "json") && json.Valid(body) {
		if strings.HasSuffix(entry.operation, "query-view") {
			kind = "" // the answer is the view's
		} else {
			body = later(bytes.TrimSpace(body), strings.Contains(kind, "problem"))
		}
	}
	p.send(w, entry, response, body)
}

func (p *proxy) send(w http.ResponseWriter, entry *request, response *http.Response, body []byte) {
	maps.Copy(w.Header(), response.Header)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(response.StatusCode)
	p.stand.record.end(entry, func(r *request) { r.status = response.StatusCode })
	_, _ = w.Write(body) // a client that is gone does not matter
}

// usersOwn are members whose values users wrote, or views.
var usersOwn = map[string]bool{
	"data": true, "config": true, "labels": true, "mapping": true, "resolved": true, "event": true, "limits": true, "answer": true,
	"guards": true,
}

// later adds a member to each object of an answer, and values that nobody knows yet.
func later(value json.RawMessage, problem bool) json.RawMessage {
	switch value[0] {
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(value, &members); err != nil {
			return value // it was valid
		}
		for name, member := range members {
			switch {
			case usersOwn[name]:
			case name == "code" && problem:
				members[name] = quoted("code_of_tomorrow")
			case name == "status" && member[0] == '"':
				members[name] = quoted("hibernating")
			default:
				members[name] = later(member, problem)
			}
		}
		members["conformance_later"] = json.RawMessage(`{"list":[null,{"deep":1e400}]}`)
		return encoded(members)
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal(value, &elements); err != nil {
			return value
		}
		for i := range elements {
			elements[i] = later(elements[i], problem)
		}
		return encoded(elements)
	}
	return value
}

func quoted(text string) json.RawMessage { return encoded(text) }

// encoded encodes what always can be.
func encoded(value any) json.RawMessage {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(text.Bytes())
}
