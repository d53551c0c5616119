package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/jsonscan"
	"github.com/tallystick/tallystick/internal/logfile"
	"github.com/tallystick/tallystick/internal/source"
)

// mappingFlags say what events become of records that go to one log. A source has a mapping of its own, on the server.
type mappingFlags struct {
	file               string
	typ, id            string
	time, unit         string
	keep               []string
	positional         bool // --id-from position
	idFrom, log, given string
}

// The values of --id-from.
const (
	idFromMapping  = "mapping"
	idFromPosition = "position"
)

func (m *mappingFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&m.file, "mapping", "", "file with a mapping, as a source has one, instead of --type, --id, --time and --keep")
	flags.StringVar(&m.typ, "type", "", "the events' type: a text, with {/member} for what a record has there")
	flags.StringVar(&m.id, "id", "", "the events' identity, likewise, such as {/request_id}")
	flags.StringVar(&m.time, "time", "", "where a record has its time, such as /ts")
	flags.StringVar(&m.unit, "time-unit", "rfc3339", "how it is written there: rfc3339, clf, or a number of s, ms, us or ns since 1970")
	flags.StringSliceVar(&m.keep, "keep", nil, "what the events keep of a record: NAME, NAME=/pointer or NAME=/pointer:integer (or\n"+
		"number, string, boolean), separated by commas; all of it when not given, but of access\n"+
		"logs host, user, method, path, status and bytes")
	flags.StringVar(&m.idFrom, "id-from", idFromMapping, "where the identity comes from: mapping (--id, or the record's id), or\n"+
		"position: the content of the file up to the record's end")
}

// check refuses flags that do not go together.
func (m *mappingFlags) check(flags *pflag.FlagSet, toSource bool) error {
	for _, name := range []string{"mapping", "type", "id", "time", "time-unit", "keep"} {
		if byFlag, _ := isGiven(flags, name); byFlag {
			m.given = name
			if name != "mapping" && m.file != "" {
				return usagef("--%s and --mapping both say what becomes of a record: give one of them", name)
			}
		}
	}
	switch m.idFrom {
	case idFromMapping:
	case idFromPosition:
		m.positional = true
	case "line":
		return usagef("--id-from line would count two honest lines that are equal once: --id-from position tells them apart by " +
			"what is before them in the file; --id names a member that each record has for itself")
	default:
		return usagef("--id-from %q is none of mapping and position", m.idFrom)
	}
	switch {
	case toSource && m.given != "":
		return usagef("--%s goes with --log: the mapping of a source is on the server, where tally source put changes it", m.given)
	case m.positional && m.id != "":
		return usagef("--id and --id-from position both say what a record is known by: give one of them")
	case strings.ContainsAny(m.log, "{}"):
		return usagef("--log names one log: the mapping of a source can choose a log for each record, see --source")
	}
	return nil
}

// accessKept are the members that an event keeps of a line of an access log, unless --keep says otherwise: what is metered. Events are for
// ever, so addresses, queries, referrers and browsers are not among them.
var accessKept = []string{"host", "user", "method", "path", "status", "bytes"}

// mapping is the mapping for files of a format, with these columns if it is CSV.
func (m *mappingFlags) mapping(format logfile.Format, columns []string) (*source.Mapping, error) {
	made := map[string]any{}
	var err error
	if m.file != "" {
		made, err = m.fromFile()
	} else {
		err = m.fromFlags(made, format, columns)
	}
	if err != nil {
		return nil, err
	}
	made["log"] = m.log
	if m.positional {
		made["id"] = "{/id}"
	}
	raw, err := json.Marshal(made)
	if err != nil {
		return nil, err
	}
	mapping, err := source.Parse(raw)
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return nil, fmt.Errorf("what the flags say of events is no mapping: %s", invalid.Detail)
	}
	return mapping, err
}

func (m *mappingFlags) fromFile() (map[string]any, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return nil, err
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%s is no mapping, which is a JSON object: %w", m.file, err)
	}
	_, unwraps := raw["unwrap"]
	switch {
	case string(raw["id"]) == "null":
		return nil, fmt.Errorf(`%s has "id": null, which cannot be sent again without counting twice: give it an id, or --id-from position`,
			m.file)
	case unwraps && m.positional:
		return nil, usagef("--id-from position is the identity of a whole record, which this mapping takes several events out of")
	}
	made := make(map[string]any, len(raw))
	for name, value := range raw {
		made[name] = value
	}
	return made, nil
}

func (m *mappingFlags) fromFlags(made map[string]any, format logfile.Format, columns []string) error {
	keep, err := m.kept()
	if err != nil {
		return err
	}
	if m.keep == nil {
		switch format {
		case logfile.Access:
			columns = append(slices.Clone(accessKept), "time")
		case logfile.CSV:
		default:
			return m.whole(made)
		}
	}
	optional := "time"
	for _, name := range columns {
		pointer := "/" + jsonscan.EscapeToken(name)
		switch {
		case name == "type" || name == "id" || name == "source":
			made[name] = "{" + pointer + "}"
		case name != optional && m.keep == nil:
			keep[name] = pointer
		}
	}
	made["keep"] = keep
	made["time"] = map[string]any{"at": "/time", "unit": "rfc3339", "optional": true}
	if format == logfile.Access {
		made["type"] = "http.request"
	}
	if m.typ != "" {
		made["type"] = template(m.typ)
	}
	if m.time != "" {
		made["time"] = map[string]any{"at": m.time, "unit": m.unit}
	}
	switch {
	case m.id != "":
		made["id"] = template(m.id)
	case made["id"] != nil || m.positional:
	case format == logfile.CSV || format == logfile.Access:
		return fmt.Errorf("nothing says what a record of this %s file is known by when it is sent again: --id names what each has "+
			"for itself, --id-from position takes its place in the file", format)
	default:
		made["id"] = "{/id}"
	}
	return nil
}

// whole is the mapping of records that are kept whole.
func (m *mappingFlags) whole(made map[string]any) error {
	if m.typ != "" || m.time != "" {
		return usagef("--type and --time make new events of records: --keep says what of a record goes into them")
	}
	made["keep"] = "bytes"
	if m.positional {
		made["keep"] = true
	}
	if m.id != "" {
		made["id"] = template(m.id)
	}
	return nil
}

// template is the template that a flag stands for: a lone pointer is one, too.
func template(text string) string {
	if strings.HasPrefix(text, "/") && !strings.ContainsAny(text, "{}") {
		return "{" + text + "}"
	}
	return text
}

// kinds are what --keep can convert a member to.
var kinds = []string{"integer", "number", "string", "boolean"}

// kept reads --keep.
func (m *mappingFlags) kept() (map[string]any, error) {
	keep := map[string]any{}
	for _, text := range m.keep {
		name, pointer, ok := strings.Cut(text, "=")
		as := ""
		if at := strings.LastIndexByte(text, ':'); at >= 0 && slices.Contains(kinds, text[at+1:]) {
			as = text[at+1:]
			name, pointer, ok = strings.Cut(text[:at], "=")
		}
		if !ok {
			pointer = "/" + name
		}
		if name == "" || !strings.HasPrefix(pointer, "/") {
			return nil, usagef("--keep %q is none of NAME, NAME=/pointer and NAME=/pointer:integer", text)
		}
		if keep[name] = pointer; as != "" {
			keep[name] = map[string]any{"at": pointer, "as": as}
		}
	}
	return keep, nil
}
