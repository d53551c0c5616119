package api_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
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
type largeForm struct{ name, path, contentType, begin, record, end string }

// largeForms have many records of 8 KiB each, so many bytes in all. Those of OTLP are in one group.
func largeForms(size int) []largeForm {
	filler := strings.Repeat("x", 8<<10)
	record := protobuf(2, protobuf(append(attributes(6, "n", "1"), 5, protobuf(1, filler))...))
	records := size / len(record) * len(record)
	scope := protobuf(1, protobuf(1, "scope"))
	group := append(protobuf(1, protobuf(attributes(1, "r", "1")...)), 2<<3|2)
	group = append(binary.AppendUvarint(group, uint64(len(scope)+records)), scope...)
	begin := append(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(group)+records)), group...)
	inJSON := `{"attributes":[{"key":"n","value":{"intValue":1}}],"body":{"stringValue":"` + filler + `"}}`
	return []largeForm{
		{name: "lines", path: "/events", record: `{"n":1,"filler":"` + filler + `"}` + "\n"},
		{name: "protobuf", path: "/v1/logs", contentType: "application/x-protobuf", begin: string(begin), record: string(record)},
		{
			name: "json", path: "/v1/logs", contentType: "application/json", record: inJSON + ",", end: inJSON + "]}]}]}",
			begin: `{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{"name":"scope"},"logRecords":[`,
		},
	}
}

// lines is how many records a body of that size has.
func (f largeForm) lines(size int) int {
	n := size / len(f.record)
	if f.end != "" {
		n++
	}
	return n
}

// middle is what is between the body's beginning and its end.
func (f largeForm) middle(size int) io.Reader {
	return io.LimitReader(&repeating{text: f.record}, int64(size/len(f.record)*len(f.record)))
}

// TestLargeDeliveries: clients that send 32 MiB each at once are all served, in memory that does not grow with what they send, whatever the
// form.
func TestLargeDeliveries(t *testing.T) {
	const clients, size = 6, 31 << 20
	s := start(t, leastMemory)
	for _, form := range largeForms(size) {
		s.putSource(form.name, `{"log": "`+form.name+`", "id": null, "create": {}, "keep": {"n": "/n"}}`)
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				body := io.MultiReader(strings.NewReader(form.begin), form.middle(size), strings.NewReader(form.end))
				r, err := s.deliver("/sources/"+form.name+form.path, body, "Content-Type: "+form.contentType)
				if err != nil || r.status != http.StatusOK {
					t.Errorf("%s: %d %s, %v", form.name, r.status, r.body, err)
				}
			})
		}
		if most := heapWhile(wg.Wait); most > clients*size {
			t.Errorf("%s: %d MiB were in use", form.name, most>>20)
		}
		s.wantAt(form.name, clients*form.lines(size))
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
		s.putSource(form.name, `{"log": "`+form.name+`", "id": null, "create": {}, "keep": {"n": "/n"}}`)
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
