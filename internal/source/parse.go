package source

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/internal/event"
	"github.com/tallystick/tallystick/internal/eventlog"
	"github.com/tallystick/tallystick/internal/jsonscan"
)

// maxAboutBytes bounds what a mapping says of itself to people.
const maxAboutBytes = 2048

// Parse checks a mapping. The error is an *event.InvalidError with the code [CodeInvalid], whose detail has the JSON pointer of the fault.
func Parse(raw []byte) (*Mapping, error) {
	var d decoder
	root := d.root(raw)
	if d.err != nil {
		return nil, d.err
	}
	if root.get("ready") != nil {
		root = d.based(root)
	}
	m := d.mapping(root)
	if d.err != nil {
		return nil, d.err
	}
	return m, nil
}

// root reads a mapping as a tree, in its canonical form.
func (d *decoder) root(raw []byte) *tree {
	if len(raw) > MaxMappingBytes {
		d.err = event.Invalid(CodeInvalid, "the mapping has %d bytes; at most %d are allowed", len(raw), MaxMappingBytes)
		return nil
	}
	if err := jsonscan.Valid(raw); err != nil {
		d.err = event.Invalid(CodeInvalid, "the mapping is no JSON: %v", err)
		return nil
	}
	return d.grow(&walker{data: raw}, "")
}

// based returns the mapping with the members of its ready mapping that it does not replace.
func (d *decoder) based(t *tree) *tree {
	name := d.string(t.get("ready"), MaxPointerBytes, "the name of a ready mapping")
	raw, ok := ReadyMapping(name)
	if !ok {
		d.fail(t.get("ready"), "names no ready mapping: there are %s", strings.Join(Ready(), ", "))
		return t
	}
	merged := &tree{kind: jsonscan.Object}
	for _, m := range d.grow(&walker{data: raw}, "").members {
		if t.get(m.name) == nil {
			merged.members = append(merged.members, m)
		}
	}
	for _, m := range t.members {
		if m.name != "ready" {
			merged.members = append(merged.members, m)
		}
	}
	return merged
}

// encode returns the canonical form.
func (t *tree) encode() []byte {
	members := []byte{'{'}
	for _, m := range t.members {
		members = append(append(appendString(members, []byte(m.name)), ':'), m.value.source...)
		members = append(members, ',')
	}
	var w writer
	return w.append(nil, &walker{data: closeWith(members, 1, '}')})
}

func (d *decoder) mapping(t *tree) *Mapping {
	d.object(t, "about", "answer", "create", "id", "keep", "log", "missing", "origins", "ready", "rejects", "select", "source", "time",
		"type", "unwrap")
	if d.err != nil {
		return nil
	}
	m := &Mapping{json: t.encode(), ownID: -1}
	if len(m.json) > MaxMappingBytes {
		d.fail(&tree{}, "has %d bytes with those of its ready mapping; at most %d are allowed", len(m.json), MaxMappingBytes)
	}
	if about := t.get("about"); !about.isNull() {
		d.string(about, maxAboutBytes, "what the mapping is for")
	}
	m.conditions = d.conditions(t.get("select"))
	m.unwrap = d.unwrap(t.get("unwrap"))
	m.absent = d.missing(t.get("missing"))
	if m.log = d.templates(t.get("log"), true); m.log == nil {
		d.fail(t, `has no log: write a template for the name of the log, such as "customer-{/customer}"`)
	}
	m.create = d.creation(t.get("create"))
	m.types = d.templates(t.get("type"), false)
	m.source = d.templates(t.get("source"), false)
	m.clock = d.clock(t.get("time"))
	m.keep, m.members = d.keep(t.get("keep"))
	d.identity(t, m)
	d.envelope(t, m)
	if answer := t.get("answer"); !answer.isNull() {
		m.answer = d.choice(answer, "firehose")
	}
	m.origins = d.origins(t.get("origins"))
	var with []string
	m.raw, with = d.rejects(t.get("rejects"), m.keep)
	if d.err != nil {
		return nil
	}
	if m.raw == rawNamed {
		m.root = d.branches(with)
	}
	if d.err != nil {
		return nil
	}
	m.paths = d.pointers
	pointers, err := jsonscan.Compile(m.paths)
	if err != nil {
		d.err = event.Invalid(CodeInvalid, "%v", err)
		return nil
	}
	m.pointers = pointers
	return m
}

// identity decodes id. Only null does without one.
func (d *decoder) identity(t *tree, m *Mapping) {
	id := t.get("id")
	m.needsID = id == nil || id.kind != jsonscan.Null
	m.id = d.templates(id, false)
	for i := range m.id {
		if len(m.id[i].slots) == 0 {
			d.fail(id, "has a template without a value: all events would have one identity")
		}
	}
	switch {
	case !m.needsID:
	case m.keep != keepMembers:
		m.ownID = d.slot(t, "/id")
	case m.id == nil:
		d.fail(t, `has no id: write a template that is different for every event, such as "{/request_id}"; `+
			`or null, and an event that is sent twice is stored twice`)
	}
}

// envelope adds the members that an event has besides the kept ones.
func (d *decoder) envelope(t *tree, m *Mapping) {
	if m.keep != keepMembers {
		for _, name := range []string{"type", "source", "time"} {
			if value := t.get(name); !value.isNull() {
				d.fail(value, "goes with members to keep only: an event that is kept as it is has its own %s", name)
			}
		}
		return
	}
	if m.types != nil {
		m.members = append(m.members, newMember("type", (*line).appendType))
	}
	if m.source != nil {
		m.members = append(m.members, newMember("source", (*line).appendSource))
	}
	if m.id != nil {
		m.members = append(m.members, newMember("id", (*line).appendID))
	}
	if m.clock.slots != nil {
		m.members = append(m.members, newMember("time", (*line).appendTime))
	}
	slices.SortFunc(m.members, func(a, b member) int { return cmp.Compare(a.name, b.name) })
}

func (d *decoder) clock(t *tree) clock {
	c := clock{unit: unitRFC3339}
	if t.isNull() {
		return c
	}
	if t.kind != jsonscan.Object {
		c.slots = d.slots(t)
		return c
	}
	d.object(t, "at", "unit", "optional")
	at := t.get("at")
	if at.isNull() {
		d.fail(t, "must have at, a JSON pointer or a list of them")
		return c
	}
	c.slots = d.slots(at)
	if u := t.get("unit"); !u.isNull() {
		c.unit = unit(d.choice(u, "rfc3339", "s", "ms", "us", "ns", "clf"))
	}
	c.optional = d.boolean(t.get("optional"))
	return c
}

// missing decodes the strings that count as not being there.
func (d *decoder) missing(t *tree) [][]byte {
	if t.isNull() {
		return nil
	}
	var all [][]byte
	for _, item := range d.list(t, MaxAlternatives) {
		if item.kind != jsonscan.String {
			d.fail(item, `must be a string that stands for nothing, such as "-"`)
		}
		all = append(all, []byte(item.text))
	}
	return all
}

func (d *decoder) creation(t *tree) *creation {
	if t.isNull() {
		return nil
	}
	d.object(t, "labels", "most")
	c := &creation{labels: map[string]string{}, most: DefaultMostLogs}
	if most := t.get("most"); !most.isNull() {
		n, err := strconv.Atoi(string(most.source))
		if err != nil || n < 1 || n > MaxMostLogs {
			d.fail(most, "must be an integer of 1 to %d: how many logs the source may create", MaxMostLogs)
		}
		c.most = n
	}
	if labels := t.get("labels"); !labels.isNull() {
		if labels.kind != jsonscan.Object {
			d.fail(labels, `must be an object of strings, such as {"from": "litellm"}`)
		}
		for _, m := range labels.members {
			if m.value.kind != jsonscan.String {
				d.fail(m.value, "must be a string")
			}
			c.labels[m.name] = m.value.text
		}
		if err := eventlog.CheckLabels(c.labels); err != nil {
			d.fail(labels, "cannot be the labels of a log: %v", err)
		}
	}
	return c
}

func (d *decoder) origins(t *tree) []string {
	if t.isNull() {
		return nil
	}
	if t.kind != jsonscan.Array || len(t.items) > MaxOrigins {
		d.fail(t, "must be a list of up to %d origins", MaxOrigins)
		return nil
	}
	var origins []string
	for _, item := range t.items {
		origin := d.string(item, MaxOriginBytes, "an origin, such as eventgrid.azure.net")
		if !bytes.ContainsFunc([]byte(origin), func(r rune) bool { return r <= ' ' || r > '~' }) {
			origins = append(origins, origin)
			continue
		}
		d.fail(item, "must be an origin without spaces or control characters, such as eventgrid.azure.net")
	}
	return origins
}
