package testrig

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/tidwall/btree"
)

//go:embed scripted/scripted.wasm
var scripted []byte

// Scripted returns a view that executes the scripts in its events: scripted/scripted.c describes the language. The bytes are shared: do not
// change them.
func Scripted() []byte { return scripted }

// ScriptedByDetail is Scripted for events whose scripts are their details, as those of rejects may be.
func ScriptedByDetail() []byte {
	return bytes.ReplaceAll(scripted, []byte("/script"), []byte("/detail"))
}

// ScriptEvent returns an event whose script has these lines, each built by Line.
func ScriptEvent(lines ...string) string {
	text, err := json.Marshal(strings.Join(lines, "\n"))
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return `{"script":` + string(text) + `}`
}

// Line returns one instruction of a script, or a query for the scripted view.
func Line(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return strings.Join(texts, "\t")
}

// Script is the model of the scripted view.
type Script struct {
	state   btree.Map[string, string]
	details bool // scripts are details
}

// NewScript returns a model with an empty state.
func NewScript() *Script { return &Script{} }

var errTrap = errors.New("unreachable")

// Fold implements Model.
func (s *Script) Fold(e *Event) error {
	var event struct{ Script, Detail any }
	if err := json.Unmarshal(e.Data, &event); err != nil {
		return err
	}
	if s.details {
		event.Script = event.Detail
	}
	text, ok := event.Script.(string)
	if !ok {
		return nil
	}
	return s.Run(text)
}

// Run executes a script. It changes nothing if the script fails.
func (s *Script) Run(text string) error {
	before := s.state.Copy()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if text == "" {
			break
		}
		if err := s.perform(line); err != nil {
			s.state = *before
			return err
		}
	}
	return nil
}

func (s *Script) perform(line string) error {
	name, rest, _ := strings.Cut(line, "\t")
	switch name {
	case "set":
		key, value, _ := strings.Cut(rest, "\t")
		s.state.Set(key, value)
	case "delete":
		s.state.Delete(rest)
	case "copy":
		key, to, _ := strings.Cut(rest, "\t")
		s.state.Set(to, s.get(key))
	case "scan":
		at := strings.LastIndexByte(rest, '\t')
		s.state.Set(rest[at+1:], s.digest(rest[:at]))
	case "spin":
	case "trap":
		return errTrap
	default:
		return errors.New(rest)
	}
	return nil
}

func (s *Script) get(key string) string {
	if value, ok := s.state.Get(key); ok {
		return value
	}
	return "null"
}

// digest answers a scan, given as its prefix, after, limit and page.
func (s *Script) digest(scan string) string {
	parts := strings.Split(scan, "\t")
	prefix, after := parts[0], parts[1]
	limit, err := strconv.Atoi(parts[2])
	if err != nil {
		panic(err) // the tests wrote the script
	}
	hash, entries := fnv.New64a(), 0
	s.state.Ascend(max(prefix, after), func(key, value string) bool {
		if entries == limit || !strings.HasPrefix(key, prefix) && key > prefix {
			return false
		}
		if key > after && strings.HasPrefix(key, prefix) {
			_, _ = hash.Write([]byte(key + "\x00" + value + "\x00")) // never fails
			entries++
		}
		return true
	})
	return fmt.Sprintf(`{"entries":%d,"digest":"%020d"}`, entries, hash.Sum64())
}

// Answer returns the answer of the view to a query that it does not refuse.
func (s *Script) Answer(query string) string {
	name, rest, _ := strings.Cut(query, "\t")
	if name == "get" {
		return s.get(rest)
	}
	return s.digest(rest)
}

// Len returns the number of keys.
func (s *Script) Len() int { return s.state.Len() }

// State implements Model.
func (s *Script) State() map[string]string {
	state := make(map[string]string, s.state.Len())
	s.state.Scan(func(key, value string) bool {
		state[key] = value
		return true
	})
	return state
}
