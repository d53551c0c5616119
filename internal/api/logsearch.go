package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/db"
	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/uuid"
)

// maxSearchBytes bounds a text that is searched for.
const maxSearchBytes = 200

// sortByActivity has the log with the latest event first.
const sortByActivity = "activity"

// searchProblem maps the error of a list that looks at everything that a tenant has; nil for others.
func searchProblem(err error) *Problem {
	if errors.Is(err, db.ErrTooLong) {
		return newProblem("search_too_broad", fmt.Sprintf("looking for it took more than %.0f seconds; "+
			"narrow it down: prefix names the beginning of logs' names, which is found at once", eventlog.SearchTime.Seconds()))
	}
	return nil
}

// takeSearch takes the slot of a list that looks at everything that a tenant has. The error is a *Problem.
func (s *server) takeSearch(ctx context.Context) (give func(), err error) {
	give, ok := s.searches.take(s.tenant(ctx))
	if !ok {
		return nil, retry(newProblem("busy", "as many searches as the server allows at a time, or all but one of one tenant, are under "+
			"way; try again a little later"), busyRetrySeconds)
	}
	return give, nil
}

// search returns what is searched for. The error is a *Problem.
func (in *listLogsInput) search() (search eventlog.Search, err error) {
	const code = "invalid_parameter"
	search = eventlog.Search{Text: in.Search, Labels: map[string]string{}}
	if err := event.CheckText(code, "search", []byte(in.Search), maxSearchBytes); err != nil {
		return search, newProblem(code, err.Error())
	}
	if in.Label == "" {
		return search, nil
	}
	for _, pair := range splitEscaped(in.Label, ',') {
		parts := splitEscaped(pair, '=')
		name, value := unescape(parts[0]), unescape(strings.Join(parts[1:], "="))
		if len(parts) == 1 || name == "" {
			return search, newProblem(code, "label must be name=value, or several of them with commas between them; "+
				`a comma, and in a name =, is written with \ before it, and so is \ itself`)
		}
		if _, twice := search.Labels[name]; twice {
			return search, newProblem(code, "label names "+strconv.Quote(shortened(name))+" twice")
		}
		search.Labels[name] = value
	}
	if len(search.Labels) > eventlog.MaxSearchedLabels {
		return search, newProblem(code,
			fmt.Sprintf("label has %d labels; at most %d are allowed", len(search.Labels), eventlog.MaxSearchedLabels))
	}
	if eventlog.CheckLabels(search.Labels) != nil {
		return search, newProblem(code, fmt.Sprintf("no log has such a label: names and values have at most %d bytes, "+
			"and no control characters", eventlog.MaxLabelBytes))
	}
	return search, nil
}

// splitEscaped splits a text where the separator is not after a \, and leaves escapes as they are.
func splitEscaped(text string, separator byte) (parts []string) {
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case separator:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	return append(parts, text[from:])
}

// unescape takes off the \ before any character.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// place reads the cursor of logs by activity. The error is a *Problem.
func (c PageCursor) place() (place eventlog.Place, err error) {
	if c.Cursor == "" {
		return place, nil
	}
	at, log, _ := strings.Cut(c.Cursor, ".")
	if place.RecordedAt, err = strconv.ParseInt(at, 10, 64); err == nil {
		place.Log, err = uuid.Parse(log)
	}
	if err != nil || !place.IsValid() {
		return place, notThisListsCursor()
	}
	return place, nil
}

func placeCursor(p eventlog.Place) string {
	return strconv.FormatInt(p.RecordedAt, 10) + "." + p.Log.String()
}

// listActiveLogs is listLogs by activity.
func (s *server) listActiveLogs(ctx context.Context, in *listLogsInput, search eventlog.Search) (*listLogsOutput, error) {
	after, err := in.place()
	if err != nil {
		return nil, err
	}
	answer := requestOf(ctx).answer
	places, err := s.Logs.Active(ctx, s.tenant(ctx), eventlog.Listing{
		Prefix: in.Prefix, Logs: requestOf(ctx).caller.Logs, Limit: in.Limit,
	}, search, after, answer)
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	out := &listLogsOutput{LogPage{Logs: []Log{}}}
	more := len(places) == int(in.Limit)
	for size := 0; len(places) > 0 && size < listBytes; {
		logs, n, err := s.Logs.At(ctx, s.tenant(ctx), places, answer)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		for i := range logs {
			size += logBytes(&logs[i])
			out.Body.Logs = append(out.Body.Logs, presentLog(logs[i]))
		}
		if err := s.bookNow(ctx, int64(listFactor*size)); err != nil {
			return nil, err
		}
		after, places = places[n-1], places[n:]
	}
	if more || len(places) > 0 {
		out.Body.NextCursor = placeCursor(after)
	}
	return out, nil
}
