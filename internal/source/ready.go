package source

import (
	"embed"
	"strings"
)

// ready has a mapping for each program that sends in a form of its own, by the name of its file.
//
//go:embed ready/*.json
var ready embed.FS

// Ready returns the names of the ready mappings, sorted.
func Ready() []string {
	entries, err := ready.ReadDir("ready")
	if err != nil {
		panic(err) // it is part of the program
	}
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".json"))
	}
	return names
}

// ReadyMapping returns a ready mapping as it was written.
func ReadyMapping(name string) (raw []byte, ok bool) {
	raw, err := ready.ReadFile("ready/" + name + ".json")
	return raw, err == nil
}

// Default is the mapping of the source named default until it has another: records name their log, and are kept as they were sent.
const Default = `{"log": ["{/log}", "{/subject}", "{/attributes/tally.log}"], "id": ["{/id}", "{/attributes/tally.id}"],
 "create": {"most": 10000}, "keep": "bytes"}`
