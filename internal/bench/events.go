package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

var (
	models    = [...]string{"gpt-4", "gpt-4-mini", "claude-3-opus", "llama-3-70b", "mistral-large"}
	teams     = [...]string{"search", "support", "growth", "platform", "research", "billing", "mobile", "data"}
	endpoints = [...]string{"/v1/generate", "/v1/embeddings", "/v1/chat/completions"}
)

// prices is the configuration of cost_by_team, and the prices that by-hand SQL multiplies with.
var prices = map[string]price{
	"gpt-4":         {"0.00003", "0.00006"},
	"gpt-4-mini":    {"0.00000015", "0.0000006"},
	"claude-3-opus": {"0.000015", "0.000075"},
	"llama-3-70b":   {"0.0000009", "0.0000009"},
	"mistral-large": {"0.000002", "0.000006"},
}

// price is the price of one token.
type price struct {
	In  string `json:"tokens_in"`
	Out string `json:"tokens_out"`
}

// event is one request to a language model, as a gateway would report it.
type event struct {
	time      time.Time
	model     string
	team      string
	endpoint  string
	tokensIn  int64
	tokensOut int64
	id        []byte // its idempotency key; none for most
}

// generator makes events. The same seed makes the same ones. It serves one goroutine.
type generator struct {
	random *rand.Rand
	buf    []byte
	id     []byte // the last event's
}

func newGenerator(seed int) *generator {
	return &generator{random: rand.New(rand.NewPCG(uint64(seed), 1))} //nolint:gosec // load, not secrets; seeds are small
}

// numberDigits is the length of the number at the end of an id, in which the ids of one generator differ.
const numberDigits = 9

// distinct adds an id to all further events, different from those of every other generator, whatever its seed.
func (g *generator) distinct(seed int) {
	g.id = fmt.Appendf(nil, "%x-%03x-%0*d", time.Now().UnixNano(), seed, numberDigits, 0)
}

// increment turns an id into the next one.
func increment(id []byte) {
	for i := len(id) - 1; i >= len(id)-numberDigits; i-- {
		if id[i]++; id[i] <= '9' {
			return
		}
		id[i] = '0'
	}
}

func (g *generator) event(at time.Time) event {
	bits := g.random.Uint64()
	if g.id != nil {
		increment(g.id)
	}
	return event{
		id:        g.id,
		time:      at.UTC(),
		model:     models[bits%uint64(len(models))],
		team:      teams[bits>>8%uint64(len(teams))],
		endpoint:  endpoints[bits>>16%uint64(len(endpoints))],
		tokensIn:  int64(1 + bits>>24&0x0fff),
		tokensOut: int64(1 + bits>>40&0x07ff),
	}
}

// json returns an event's JSON, about 170 bytes, valid until the next call.
func (g *generator) json(at time.Time) []byte {
	g.buf = g.event(at).appendJSON(g.buf[:0])
	return g.buf
}

// idMember is the beginning of an event with an id.
const idMember = `{"id":"`

func (e event) appendJSON(b []byte) []byte {
	if e.id == nil {
		b = append(b, '{')
	} else {
		b = append(b, idMember...)
		b = append(b, e.id...)
		b = append(b, `",`...)
	}
	b = append(b, `"type":"api.call","time":"`...)
	b = e.time.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","endpoint":"`...)
	b = append(b, e.endpoint...)
	b = append(b, `","model":"`...)
	b = append(b, e.model...)
	b = append(b, `","team":"`...)
	b = append(b, e.team...)
	b = append(b, `","tokens_in":`...)
	b = strconv.AppendInt(b, e.tokensIn, 10)
	b = append(b, `,"tokens_out":`...)
	b = strconv.AppendInt(b, e.tokensOut, 10)
	return append(b, `,"stream":true}`...)
}
