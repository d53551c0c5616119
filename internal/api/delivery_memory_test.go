package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/api"
	"github.com/tallystick/tallystick/internal/memory"
)

// largeForm is how a long body of records is sent.
type largeForm struct {
	name, path, contentType, begin, record, end string

	last   bool   // the end has a record, too
	held   bool   // until its end, compressed: more of them than there is room for are told to come back
	unwrap string // of the mapping
}

// source is the mapping for such bodies.
func (f largeForm) source() string {
	return fmt.Sprintf(`{"log": %q, "id": null, "create": {}, "keep": {"n": "/n"}, "unwrap": %s}`, f.name, cmp.Or(f.unwrap, "null"))
}

// largeForms have many records of 8 KiB each, so many bytes in all. Those of OTLP are in one group: in order, and, as the OpenTelemetry
// Collector writes them, with scope and resource last.
func largeForms(size int) []largeForm {
	filler := strings.Repeat("x", 8<<10)
	record := protobuf(2, protobuf(append(attributes(6, "n", "1"), 5, protobuf(1, filler))...))
	records := size / len(record) * len(record)
	scope := protobuf(1, protobuf(1, "scope"))
	group := append(protobuf(1, protobuf(attributes(1, "r", "1")...)), 2<<3|2)
	group = append(binary.AppendUvarint(group, uint64(len(scope)+records)), scope...)
	begin := append(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(group)+records)), group...)
	resource := protobuf(1, protobuf(attributes(1, "r", "1")...))
	part := binary.AppendUvarint([]byte{2<<3 | 2}, uint64(len(scope)+records))
	backwards := append(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(part)+records+len(scope)+len(resource))), part...)
	inBase64 := `{"data":"` + base64.StdEncoding.EncodeToString([]byte(`{"n":1,"filler":"`+filler+`"}`)) + `"}`
	inJSON := `{"attributes":[{"key":"n","value":{"intValue":1}}],"body":{"stringValue":"` + filler + `"}}`
	return []largeForm{
		{name: "lines", path: "/events", record: `{"n":1,"filler":"` + filler + `"}` + "\n"},
		{name: "protobuf", path: "/v1/logs", contentType: "application/x-protobuf", begin: string(begin), record: string(record)},
		{
			name: "json", path: "/v1/logs", contentType: "application/json", record: inJSON + ",", end: inJSON + "]}]}]}", last: true,
			begin: `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"scope"},"logRecords":[`,
		},
		{
			name: "backwards", path: "/v1/logs", contentType: "application/x-protobuf",
			begin: string(backwards), record: string(record), end: string(scope) + string(resource), held: true,
		},
		{
			name: "envelope", path: "/events", begin: `{"requestId":"r","records":[`, record: inBase64 + ",", end: inBase64 + `],"at":1}`,
			last: true, unwrap: `{"at":"/records","data":"/data","as":"base64"}`,
		},
	}
}

// lines is how many records a body of that size has.
func (f largeForm) lines(size int) int {
	n := size / len(f.record)
	if f.last {
		n++
	}
	return n
}

// middle is what is between the body's beginning and its end.
func (f largeForm) middle(size int) io.Reader {
	return io.LimitReader(&repeating{text: f.record}, int64(size/len(f.record)*len(f.record)))
}

// TestLargeDeliveries: clients that send 32 MiB each at once are all taken, in memory that does not grow with what they send, whatever the
// form.
func TestLargeDeliveries(t *testing.T) {
	const clients, size = 6, 31 << 20
	s := start(t, leastMemory)
	for _, form := range largeForms(size) {
		s.putSource(form.name, form.source())
		var wg sync.WaitGroup
		senders := clients
		if form.held || form.unwrap != "" { // which take longer, and for which there is no more room than for half as many
			senders /= 2
		}
		for range senders {
			wg.Go(func() {
				send := func() (reply, error) {
					body := io.MultiReader(strings.NewReader(form.begin), form.middle(size), strings.NewReader(form.end))
					return s.deliver("/sources/"+form.name+form.path, body, "Content-Type: "+form.contentType)
				}
				r, err := send()
				for form.held && err == nil && r.status == http.StatusServiceUnavailable && r.header.Get("Retry-After") != "" {
					r, err = send()
				}
				if err != nil || r.status != http.StatusOK {
					t.Errorf("%s: %d %s, %v", form.name, r.status, r.body, err)
				}
			})
		}
		if most := heapWhile(wg.Wait); most > clients*size {
			t.Errorf("%s: %d MiB were in use", form.name, most>>20)
		}
		s.wantAt(form.name, senders*form.lines(size))
	}
}

// wantAt checks how many events a log has.
func (s *service) wantAt(log string, sequence int) {
	s.t.Helper()
	got := s.want(http.StatusOK, s.call("GET", "/logs/"+log, ""))
	if want := fmt.Sprintf(`"sequence":%d,`, sequence); !strings.Contains(string(got), want) {
		s.t.Errorf("the log is %s, not at %d", got, sequence)
	}
}

// TestStalledDeliveries: long bodies are taken, whose clients have all stopped sending for a while, and so are others meanwhile.
func TestStalledDeliveries(t *testing.T) {
	const clients, size, part = 16, 8 << 20, 5 << 20
	s := patiently(t)
	for _, form := range largeForms(size) {
		if form.held {
			continue
		}
		s.putSource(form.name, form.source())
		send := func(body io.Reader) {
			body = io.MultiReader(strings.NewReader(form.begin), body, strings.NewReader(form.end))
			r, err := s.deliver("/sources/"+form.name+form.path, body, "Content-Type: "+form.contentType)
			if err != nil || r.status != http.StatusOK {
				t.Errorf("%s: %d %s, %v", form.name, r.status, r.body, err)
			}
		}
		var wg sync.WaitGroup
		goOn := make(chan struct{})
		for range clients {
			body, writer := io.Pipe()
			wg.Go(func() { send(body) })
			middle := form.middle(size)
			if _, err := io.CopyN(writer, middle, part); err != nil {
				t.Fatal(err)
			}
			go func() {
				<-goOn
				_, err := io.Copy(writer, middle)
				_ = writer.CloseWithError(err)
			}()
		}
		send(form.middle(size))
		close(goOn)
		wg.Wait()
		s.wantAt(form.name, (clients+1)*form.lines(size))
	}
}

// TestManyHeldDeliveries: more clients than there is room for send what has to be held, as it is, at the same time: a group whose
// resource comes last, of what cannot be compressed, and an envelope of one element. Those that are told to come back are taken then, and
// everything counts once.
func TestManyHeldDeliveries(t *testing.T) {
	const clients, size, records = 64, 3 << 19, 100
	s := start(t, leastMemory)
	s.putSource("held", `{"log":"{/attributes/form}","id":"{/attributes/id}","create":{},"keep":{"r":"/resource/r"}}`)
	s.putSource("wrapped", `{"unwrap":{"at":"/message","data":"/data","as":"base64"},
		"log":"wrapped","id":"{/id}","create":{},"keep":{}}`)
	noise := make([]byte, size/records)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	held := func(client int) string {
		var all []byte
		for i := range records {
			shuffled := append(bytes.Clone(noise[client*7+i:]), noise[:client*7+i]...)
			id := attributes(6, "form", "held", "id", fmt.Sprintf("%d-%d", client, i))
			all = append(all, protobuf(2, protobuf(append(id, 5, protobuf(7, string(shuffled)))...))...)
		}
		return string(protobuf(1, protobuf(2, string(all), 1, protobuf(attributes(1, "r", "1")...))))
	}
	wrapped := func(client int) string {
		var lines bytes.Buffer
		for i := range records {
			text := base64.StdEncoding.EncodeToString(noise[:size/records/2])
			fmt.Fprintf(&lines, `{"id":"%d-%d","filler":"%s"}`+"\n", client, i, text)
		}
		return `{"message":{"data":"` + base64.StdEncoding.EncodeToString(lines.Bytes()) + `"}}`
	}
	var wg sync.WaitGroup
	refused := make(chan struct{}, 100*clients)
	for i := range clients {
		path, contentType, body := "/sources/held/v1/logs", "application/x-protobuf", ""
		if i%2 == 0 {
			body = held(i)
		} else {
			path, contentType, body = "/sources/wrapped/events", "application/json", wrapped(i)
		}
		wg.Go(func() {
			for {
				r := s.delivered(path, body, "Content-Type: "+contentType)
				if r.status == http.StatusOK {
					return
				}
				if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
					t.Errorf("%d %v %s", r.status, r.header, r.body)
					return
				}
				refused <- struct{}{}
			}
		})
	}
	most := heapWhile(wg.Wait)
	t.Logf("%d times 503, %d MiB in use at most", len(refused), most>>20)
	if limit := uint64(clients*size + memory.LeastLimit/2); most > limit { // the clients hold what they send
		t.Errorf("%d MiB were in use", most>>20)
	}
	for _, log := range []string{"held", "wrapped"} {
		s.wantAt(log, clients/2*records)
	}
}

// TestWhatNeverFits: a record that takes more memory than the server has for one request is refused for good and kept as a reject, and
// its sender does not come back for ever; what is beside it is taken.
func TestWhatNeverFits(t *testing.T) {
	s := start(t, leastMemory)
	s.putSource("o", `{"log":"o","id":"{/attributes/id}","create":{},"keep":{}}`)
	good := protobuf(1, protobuf(2, protobuf(2, protobuf(attributes(6, "id", "1")...))))
	long := protobuf(1, protobuf(2, protobuf(2, protobuf(5, protobuf(1, strings.Repeat("\n", 12<<20))))))
	for range 2 {
		r := s.delivered("/sources/o/v1/logs", string(good)+string(long), "Content-Type: application/x-protobuf")
		if r.status != http.StatusRequestEntityTooLarge || !strings.Contains(string(r.body), "raise --memory-limit") {
			t.Errorf("%d %s", r.status, r.body)
		}
	}
	if got := s.rejected("o"); !slices.Equal(got, []string{"body_too_large"}) {
		t.Errorf("rejected %v", got)
	}
	s.wantAt("o", 1)
}

// heapWhile returns the most bytes of the heap that are in use until something ends.
func heapWhile(ends func()) (most uint64) {
	ctx, done := context.WithCancel(context.Background())
	go func() { ends(); done() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return most
}

// repeating is a text again and again.
type repeating struct {
	text string
	at   int
}

func (r *repeating) Read(p []byte) (n int, err error) {
	for n < len(p) {
		copied := copy(p[n:], r.text[r.at:])
		n, r.at = n+copied, (r.at+copied)%len(r.text)
	}
	return n, nil
}

// patiently is a server with the room that the smallest has, whose clients may stop for as long as they like.
func patiently(t *testing.T) *service {
	t.Helper()
	bodies := memory.Limit{Bytes: memory.LeastLimit}.Shares().Bodies
	return slowlyIn(t, time.Hour, memory.NewBook(bodies, api.LargestBody, 5*time.Second).WithSmall(api.SmallBody)).service
}

// TestSmallDeliveriesGetThrough: clients have begun bodies that are held whole, more than there are places for, and others that are not,
// more than there is room for, and do not go on. Whatever is small is taken at once, in any form; and so are the slow ones, once
// they have ended and those that were refused came again.
func TestSmallDeliveriesGetThrough(t *testing.T) {
	s := patiently(t)
	s.putSource("wrapped", `{"unwrap":"/records","log":"l","create":{},"id":"{/id}","keep":{}}`)
	s.putSource("plain", `{"log":"p","create":{},"id":null,"keep":{}}`)
	filler := strings.Repeat(" ", 5<<20)
	begin, end := `{"records":[`, `{"id":"%d"}]}`
	const envelopes, clients = 6, 76
	finish, answers := make([]*io.PipeWriter, clients), make(chan int, clients)
	send := func(path string, body io.Reader) int {
		r, err := s.deliver(path, body)
		if err != nil || r.status != http.StatusOK && r.status != http.StatusServiceUnavailable {
			t.Errorf("%d %s, %v", r.status, r.body, err)
		}
		return r.status
	}
	for i := range clients {
		var body *io.PipeReader
		body, finish[i] = io.Pipe()
		path, first := "/sources/plain/events", strings.Repeat(`{"x":"`+filler[:8<<10]+`"}`, 50) // as a portion holds
		if i < envelopes {
			path, first = "/sources/wrapped/events", begin+filler
		}
		go func() { answers <- send(path, body) }()
		if _, err := io.WriteString(finish[i], first); err != nil {
			t.Fatal(err)
		}
	}
	small := strings.Repeat(`{"x":"`+filler[:4<<10]+`"}`+"\n", 20)
	record := []string{"x", strings.Repeat("x", 1<<10)}
	for i := range 2 {
		for _, c := range []struct{ path, body, header string }{
			{"/sources/wrapped/events", begin + fmt.Sprintf(end, i%envelopes), "Accept: */*"},
			{"/sources/plain/events", small, "Accept: */*"},
			{"/sources/plain/events", gzipped(t, small), "Content-Encoding: gzip"},
			{"/sources/plain/v1/logs", otlpOf(6, slices.Repeat([][]string{record}, 100)...), "Content-Type: application/x-protobuf"},
			{"/sources/plain/api/v1/events", fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"s","type":"t"}`, i), "Accept: */*"},
		} {
			if r := s.delivered(c.path, c.body, c.header); r.status/100 != 2 {
				t.Fatalf("delivery %d to %s: %d %s", i, c.path, r.status, r.body)
			}
		}
	}
	for i, w := range finish {
		go func() {
			if i < envelopes {
				_, _ = fmt.Fprintf(w, end, i) // one that is refused is read to its end
			}
			_ = w.Close()
		}()
	}
	taken := 0
	for range clients {
		if <-answers == http.StatusOK {
			taken++
		}
	}
	if taken <= clients-envelopes {
		t.Errorf("%d of %d were taken", taken, clients)
	}
	for i := range envelopes {
		again := begin + fmt.Sprintf(end, i)
		s.await("it is taken", func() bool { return send("/sources/wrapped/events", strings.NewReader(again)) == http.StatusOK })
	}
	s.wantAt("l", envelopes)
}
