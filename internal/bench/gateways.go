package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // one record
	"fmt"
	"net/http"
	"strconv"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

// The measurements of what gateways send.
const (
	linesMany   = "source/lines"
	batchesEach = "source/batch-each"
	otlpRecords = "source/otlp"
	litellmMany = "source/litellm"
)

const (
	// deliveryClients send deliveries at the same time.
	deliveryClients = 16
	// litellmRecords is the number of LiteLLM records in a delivery, which has 13 KB for each.
	litellmRecords = 64
	// otlpPerSecond is about the most requests that one client of deliveryClients sends in a second; they are made beforehand.
	otlpPerSecond = 10
	otlpSource    = "bench-otlp"
	litellmSource = "bench-litellm"
)

const otlpMapping = `{"log": "{/resource/service.name}", "type": "llm.call", "id": "{/attributes/request.id}",
	"time": {"at": "/time", "unit": "ns"},
	"keep": {"model": "/attributes/model", "team": "/attributes/team", "tokens_in": {"at": "/attributes/tokens_in", "as": "integer"},
		"tokens_out": {"at": "/attributes/tokens_out", "as": "integer"}}}`

const litellmMapping = `{"select": {"/status": "success"}, "log": "gateways-0", "type": "llm.call", "source": "litellm",
	"id": "{/litellm_call_id}", "time": {"at": "/endTime", "unit": "s"},
	"keep": {"model": "/model_group", "team": "/metadata/user_api_key_team_id", "tokens_in": "/prompt_tokens",
		"tokens_out": "/completion_tokens", "cost": "/response_cost", "user": "/end_user"}}`

//go:embed litellm.json
var litellmRecord []byte

// gatewayLogs are those that mapped records go to.
func gatewayLogs(*stage) logs { return logs{prefix: "gateways", count: 10} }

func gatewayRows() []rowKind {
	return []rowKind{
		{
			name: "source-lines",
			what: "POST /events, 1,000 lines for 1,000 logs ÷ the same lines by append_batch, a request for each log, 256 connections",
			unit: "×", atLeast: 0.8, needs: []string{linesMany, batchesEach},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[linesMany], f[batchesEach]) },
		},
		{
			name: "source-lines-batches", what: "the same lines of POST /events ÷ batches of 1,000 lines, each to one log",
			unit: "×", needs: []string{linesMany, batchIDsMany},
			value: func(f figures, _ *stage) (float64, string) { return ratio(f[linesMany], f[batchIDsMany]) },
		},
		recordsRow("source-otlp", "OTLP log records, 1,000 a request, protobuf, gzip, mapped to 10 logs with three views", otlpRecords,
			40_000),
		recordsRow("source-litellm", "LiteLLM records of 13 KB, projected to 6 members", litellmMany, 8_000),
	}
}

func recordsRow(name, what, figure string, atLeast float64) rowKind {
	return rowKind{
		name: name, what: what, unit: "/s", atLeast: atLeast, needs: []string{figure},
		value: func(f figures, _ *stage) (float64, string) {
			return f[figure].PerSecond, fmt.Sprintf("p50 %.1f ms, p99 %.1f ms a request", f[figure].P50, f[figure].P99)
		},
	}
}

func gatewayPhase() phase {
	return phase{
		prepare: func(ctx context.Context, s *stage, _ reporter) error {
			return s.putSources(ctx, map[string]string{otlpSource: otlpMapping, litellmSource: litellmMapping})
		},
		measurements: []measurement{
			driven(linesMany, deliveryClients, manyLogs, func(s *stage) workerFactory { return s.flowWorkers(deliveries(manyLogs(s))) }),
			driven(batchesEach, maxClients, manyLogs, func(s *stage) workerFactory { return s.flowWorkers(batchEach(manyLogs(s))) }),
			driven(otlpRecords, deliveryClients, gatewayLogs, func(s *stage) workerFactory {
				return s.flowWorkers(otlpDeliveries(int(s.config.Duration.Seconds()*otlpPerSecond) + 1))
			}),
			driven(litellmMany, deliveryClients, gatewayLogs, func(s *stage) workerFactory { return s.flowWorkers(litellmDeliveries) }),
		},
	}
}

func (s *stage) putSources(ctx context.Context, mappings map[string]string) error {
	c, err := dial(ctx, s.server.address)
	if err != nil {
		return err
	}
	defer c.close()
	for name, mapping := range mappings {
		if err := c.send(appendRequest(nil, http.MethodPut, "/sources/"+name, "", []byte(mapping))); err != nil {
			return err
		}
		if status, err := c.read(); err != nil || status/100 != 2 {
			return fmt.Errorf("putting a source: the server answered %d: %s (%w)", status, c.body, err)
		}
	}
	return nil
}

// line appends an event with an id, for a log that it names itself.
func (g *generator) line(b []byte, log []byte) []byte {
	b = append(append(append(b, `{"log":"`...), log...), `",`...)
	event := g.event(time.Now()).appendJSON(g.buf[:0])
	g.buf = event
	return append(append(b, event[1:]...), '\n')
}

// deliveries sends lines to the source default, one for each log of the set.
func deliveries(set logs) scriptFactory {
	names := make([][]byte, set.count)
	for i := range names {
		names[i] = []byte(set.name(i))
	}
	return func(g *generator, i int) script {
		g.distinct(i)
		var body []byte
		return func(b []byte) ([]byte, int) {
			body = body[:0]
			for _, name := range names {
				body = g.line(body, name)
			}
			return appendRequest(b, http.MethodPost, "/events", "", body), len(names)
		}
	}
}

// batchEach sends batches of one such line, each to its log.
func batchEach(set logs) scriptFactory {
	paths := set.paths("/append_batch")
	return func(g *generator, i int) script {
		g.distinct(i)
		var body []byte
		return func(b []byte) ([]byte, int) {
			n := g.random.IntN(len(paths))
			body = g.line(body[:0], []byte(set.name(n)))
			return appendRequest(b, http.MethodPost, paths[n], "", body), 1
		}
	}
}

// litellmDeliveries sends recorded LiteLLM records, each with an id of its own.
func litellmDeliveries(g *generator, i int) script {
	g.distinct(i)
	const member = `"litellm_call_id":"`
	at := bytes.Index(litellmRecord, []byte(member)) + len(member)
	end := at + bytes.IndexByte(litellmRecord[at:], '"')
	var body []byte
	return func(b []byte) ([]byte, int) {
		body = body[:0]
		for range litellmRecords {
			increment(g.id)
			body = append(append(append(body, litellmRecord[:at]...), g.id...), litellmRecord[end:]...)
		}
		return appendRequest(b, http.MethodPost, "/sources/"+litellmSource+"/events", "", body), litellmRecords
	}
}

// otlpDeliveries sends requests of batchEvents log records, so many of which are made before the measurement begins.
func otlpDeliveries(beforehand int) scriptFactory {
	const headers = "Content-Encoding: gzip\r\n"
	return func(g *generator, i int) script {
		g.distinct(i)
		made := make([][]byte, beforehand)
		for n := range made {
			made[n] = g.otlp()
		}
		return func(b []byte) ([]byte, int) {
			var body []byte
			if len(made) > 0 {
				body, made = made[0], made[1:]
			} else {
				body = g.otlp()
			}
			return appendProtobuf(b, "/sources/"+otlpSource+"/v1/logs", headers, body), batchEvents
		}
	}
}

// appendProtobuf is appendRequest for a body in protobuf.
func appendProtobuf(b []byte, path, headers string, body []byte) []byte {
	b = appendRequest(b, http.MethodPost, path, headers+"Content-Type: application/x-protobuf\r\nContent-Length: "+
		strconv.Itoa(len(body))+"\r\n", nil)
	return append(b, body...)
}

// otlp makes a request of ten resources, one for each log.
func (g *generator) otlp() []byte {
	text := func(key, value string) *common.KeyValue {
		return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
	}
	number := func(key string, value int64) *common.KeyValue {
		return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
	}
	request := &logspb.LogsData{}
	count := gatewayLogs(nil).count
	for n := range count {
		var records []*logspb.LogRecord
		for range batchEvents / count {
			e := g.event(time.Now())
			records = append(records, &logspb.LogRecord{
				TimeUnixNano: uint64(e.time.UnixNano()),
				Body:         &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: "request served"}},
				Attributes: []*common.KeyValue{
					text("request.id", string(e.id)), text("model", e.model), text("team", e.team), text("http.route", e.endpoint),
					number("tokens_in", e.tokensIn), number("tokens_out", e.tokensOut),
				},
			})
		}
		request.ResourceLogs = append(request.ResourceLogs, resourceLogs(gatewayLogs(nil).name(n), records))
	}
	message, err := proto.Marshal(request)
	if err != nil {
		panic(err) // it is made of valid values
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // the level exists
	_, _ = w.Write(message)                              // a buffer takes everything
	_ = w.Close()
	return packed.Bytes()
}

func resourceLogs(service string, records []*logspb.LogRecord) *logspb.ResourceLogs {
	name := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: service}}
	return &logspb.ResourceLogs{
		Resource:  &resource.Resource{Attributes: []*common.KeyValue{{Key: "service.name", Value: name}}},
		ScopeLogs: []*logspb.ScopeLogs{{LogRecords: records}},
	}
}
