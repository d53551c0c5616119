package otlp

import (
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// kind is the type of a field, in both encodings.
type kind int

const (
	textKind    kind = iota + 1 // a string
	blobKind                    // bytes, base64 in JSON
	idKind                      // bytes, hexadecimal in JSON
	timeKind                    // an unsigned integer; in JSON a number or a string
	integerKind                 // a signed integer; in JSON a number or a string
	doubleKind                  // in JSON a number or a string, also NaN, Infinity and -Infinity
	booleanKind
	enumKind     // in JSON a number or a name
	nestedKind   // a message
	repeatedKind // a message, any number of times; in JSON an array
)

func (k kind) wireType() protowire.Type {
	switch k {
	case timeKind, doubleKind:
		return protowire.Fixed64Type
	case integerKind, booleanKind, enumKind:
		return protowire.VarintType
	default:
		return protowire.BytesType
	}
}

// member is a field that is read; the others of the protocol are skipped, and so are those of its later versions.
type member struct {
	number int
	name   string // as in JSON
	kind   kind
	names  []string // of an enum's values, from 0
}

// schema is what is read of a message.
type schema struct {
	name      string
	wireTypes []protowire.Type // by number; unknownField where there is none
	byName    map[string]*member
	head      string // of a group: what headField is
}

const unknownField protowire.Type = -1

// message makes a schema. JSON members have the names that the mapping to JSON gives them, or those of the protobuf definition, as some
// senders write.
func message(name string, members ...member) schema {
	s := schema{name: name, byName: map[string]*member{}}
	for _, m := range members {
		for int(m.number) >= len(s.wireTypes) {
			s.wireTypes = append(s.wireTypes, unknownField)
		}
		s.wireTypes[m.number] = m.kind.wireType()
		s.byName[m.name] = &m
		if m.number == headField {
			s.head = m.name
		}
		s.byName[snakeCase(m.name)] = &m
	}
	return s
}

func snakeCase(camelCase string) string {
	var s strings.Builder
	for _, r := range camelCase {
		if 'A' <= r && r <= 'Z' {
			s.WriteByte('_')
			r += 'a' - 'A'
		}
		s.WriteRune(r)
	}
	return s.String()
}

// Numbers of fields, by message, as far as the code below needs to tell them apart.
const (
	requestGroups = 1 // ResourceLogs, ResourceSpans

	headField                  = 1 // the resource of a group, and the scope of its parts
	groupResource, groupScopes = headField, 2
	scopesScope, scopesRecords = headField, 2

	resourceAttributes = 1

	scopeName, scopeVersion, scopeAttributes = 1, 2, 3

	logTime, logSeverity, logSeverityText, logBody, logAttributes = 1, 2, 3, 5, 6
	logTraceID, logSpanID, logEvent                               = 9, 10, 12

	spanTraceID, spanSpanID, spanParent, spanName, spanKind, spanStart = 1, 2, 4, 5, 6, 7
	spanEnd, spanAttributes, spanEvents, spanStatus                    = 8, 9, 11, 15

	eventTime, eventName, eventAttributes = 1, 2, 3

	statusMessage, statusCode = 2, 3

	keyValueKey, keyValueValue = 1, 2
	listValues                 = 1

	valueString, valueBool, valueInt, valueDouble, valueArray, valueMap, valueBytes = 1, 2, 3, 4, 5, 6, 7
)

var (
	logsRequest   = message("ExportLogsServiceRequest", member{requestGroups, "resourceLogs", repeatedKind, nil})
	tracesRequest = message("ExportTraceServiceRequest", member{requestGroups, "resourceSpans", repeatedKind, nil})

	resourceLogs = message("ResourceLogs",
		member{groupResource, "resource", nestedKind, nil}, member{groupScopes, "scopeLogs", repeatedKind, nil})
	resourceSpans = message("ResourceSpans",
		member{groupResource, "resource", nestedKind, nil}, member{groupScopes, "scopeSpans", repeatedKind, nil})

	scopeLogs = message("ScopeLogs",
		member{scopesScope, "scope", nestedKind, nil}, member{scopesRecords, "logRecords", repeatedKind, nil})
	scopeSpans = message("ScopeSpans",
		member{scopesScope, "scope", nestedKind, nil}, member{scopesRecords, "spans", repeatedKind, nil})

	resourceMessage = message("Resource", member{resourceAttributes, "attributes", repeatedKind, nil})
	scopeMessage    = message("InstrumentationScope",
		member{scopeName, "name", textKind, nil},
		member{scopeVersion, "version", textKind, nil},
		member{scopeAttributes, "attributes", repeatedKind, nil})

	logMessage = message("LogRecord",
		member{logTime, "timeUnixNano", timeKind, nil},
		member{logSeverity, "severityNumber", enumKind, severityNames()},
		member{logSeverityText, "severityText", textKind, nil},
		member{logBody, "body", nestedKind, nil},
		member{logAttributes, "attributes", repeatedKind, nil},
		member{logTraceID, "traceId", idKind, nil},
		member{logSpanID, "spanId", idKind, nil},
		member{logEvent, "eventName", textKind, nil})

	spanMessage = message("Span",
		member{spanTraceID, "traceId", idKind, nil},
		member{spanSpanID, "spanId", idKind, nil},
		member{spanParent, "parentSpanId", idKind, nil},
		member{spanName, "name", textKind, nil},
		member{spanKind, "kind", enumKind, []string{
			"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
			"SPAN_KIND_CONSUMER",
		}},
		member{spanStart, "startTimeUnixNano", timeKind, nil},
		member{spanEnd, "endTimeUnixNano", timeKind, nil},
		member{spanAttributes, "attributes", repeatedKind, nil},
		member{spanEvents, "events", repeatedKind, nil},
		member{spanStatus, "status", nestedKind, nil})

	eventMessage = message("Span.Event",
		member{eventTime, "timeUnixNano", timeKind, nil},
		member{eventName, "name", textKind, nil},
		member{eventAttributes, "attributes", repeatedKind, nil})

	statusSchema = message("Status",
		member{statusMessage, "message", textKind, nil},
		member{statusCode, "code", enumKind, []string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}})

	keyValueMessage = message("KeyValue",
		member{keyValueKey, "key", textKind, nil}, member{keyValueValue, "value", nestedKind, nil})
	arrayMessage = message("ArrayValue", member{listValues, "values", repeatedKind, nil})
	mapMessage   = message("KeyValueList", member{listValues, "values", repeatedKind, nil})
	valueMessage = message("AnyValue",
		member{valueString, "stringValue", textKind, nil},
		member{valueBool, "boolValue", booleanKind, nil},
		member{valueInt, "intValue", integerKind, nil},
		member{valueDouble, "doubleValue", doubleKind, nil},
		member{valueArray, "arrayValue", nestedKind, nil},
		member{valueMap, "kvlistValue", nestedKind, nil},
		member{valueBytes, "bytesValue", blobKind, nil})
)

// severityNames are SEVERITY_NUMBER_TRACE, _TRACE2, _TRACE3, _TRACE4, _DEBUG and so on.
func severityNames() []string {
	names := []string{"SEVERITY_NUMBER_UNSPECIFIED"}
	for _, level := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		for _, step := range []string{"", "2", "3", "4"} {
			names = append(names, "SEVERITY_NUMBER_"+level+step)
		}
	}
	return names
}
