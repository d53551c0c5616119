package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	api "github.com/tallystick/tallystick/internal/client"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

const (
	memoryAttack = "memory-attack/" // and its name: appends to another log meanwhile
	// memoryPeak, and an attack's name, is the most that the server held, in bytes; memoryRefused how many were told to come back, and
	// memoryCut how many connections ended without an answer.
	memoryPeak    = "memory peak "
	memoryRefused = "memory refused "
	memoryCut     = "memory cut "
	// attackedMemory is the limit of the server that is attacked.
	attackedMemory = 1 << 30
	// attackTurns times the duration of a measurement is how long clients hold what they asked for.
	attackTurns = 2
	innocentLog = "innocent"
	attackedLog = "attacked"
	largeBody   = 10 << 20 // bytes: the largest batch
	// innocentEvery is when another innocent event is appended.
	innocentEvery = 20 * time.Millisecond
)

// memoryAttackKind is something that many clients do at once so that the server runs out of memory.
type memoryAttackKind struct {
	name    string
	clients int // an eighth of them in quick runs
	prepare func(ctx context.Context, c *api.Client, quick bool) error
	anew    bool // the server is started anew once it is prepared: it knows nothing of the logs
	// run does it as one client, until ctx ends or it has nothing more to do.
	run func(ctx context.Context, a *memoryAttackers, client int) error
}

// memoryAttacks are in the order in which they are tried.
var memoryAttacks = []memoryAttackKind{
	{name: "pages", clients: 200, prepare: longHistory, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs/"+attackedLog+"/events?limit=10000")
	}},
	{name: "lists", clients: 100, prepare: longLabels, run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs?limit=1000")
	}},
	{name: "answers", clients: 400, prepare: deployGuest(longAnswer), run: func(ctx context.Context, a *memoryAttackers, _ int) error {
		return a.unread(ctx, "/logs/"+attackedLog+"/views/"+hostileView+"/query")
	}},
	{name: "writes", clients: 16, prepare: manyWriters, run: func(ctx context.Context, a *memoryAttackers, client int) error {
		return a.batches(ctx, attackedLog+"-"+strconv.Itoa(client), strings.Repeat("{}\n", 150))
	}},
	coldStates,
	{name: "claims", clients: 52, run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.claim(ctx) }},
	{name: "bodies", clients: 512, prepare: attackedOnly, run: func(ctx context.Context, a *memoryAttackers, _ int) error { return a.body(ctx) }},
}

// memoryAttackers are the clients of one attack.
type memoryAttackers struct {
	address             string
	large               []byte // a batch of largeBody bytes
	quick               bool
	oneByOne            sync.Mutex
	heads               sync.WaitGroup // that are not sent yet
	answered            atomic.Int64
	refused, cutWithout atomic.Int64
}

func memoryAttackPhase() phase {
	names := make([]string, len(memoryAttacks))
	for i := range memoryAttacks {
		names[i] = memoryAttack + memoryAttacks[i].name
	}
	return phase{once: true, measurements: []measurement{{names: names, run: func(ctx context.Context, s *stage, report func(string, sample)) error {
		for i := range memoryAttacks {
			if err := s.attackMemory(ctx, &memoryAttacks[i], report); err != nil {
				return fmt.Errorf("the attack %s: %w", memoryAttacks[i].name, err)
			}
		}
		return s.startServer(ctx) // without a limit
	}}}}
}

// attackMemory attacks a server of its own with a limit, and appends to another log meanwhile.
func (s *stage) attackMemory(ctx context.Context, kind *memoryAttackKind, report func(string, sample)) error {
	if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
		return err
	}
	client, err := api.New(api.Config{URL: "http://" + s.server.address, Timeout: requestPatience})
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.CreateLog(ctx, innocentLog+"-"+kind.name, nil); err != nil {
		return err
	}
	if kind.prepare != nil {
		if err := kind.prepare(ctx, client, s.config.Quick); err != nil {
			return fmt.Errorf("preparing: %w", err)
		}
	}
	if kind.anew {
		if err := s.startServer(ctx, "--memory-limit", strconv.Itoa(attackedMemory)); err != nil {
			return err
		}
	}
	a := &memoryAttackers{address: s.server.address, large: largeBatch(), quick: s.config.Quick}
	ctx, cancel := context.WithTimeout(ctx, requestPatience)
	defer cancel()
	attack, end := context.WithTimeout(ctx, attackTurns*s.config.Duration)
	defer end()
	clients := kind.clients
	if s.config.Quick {
		clients /= 8
	}
	a.heads.Add(clients)
	var attackers errgroup.Group
	for i := range clients {
		attackers.Go(func() error { return kind.run(attack, a, i) })
	}
	beside, innocent := s.innocent(attack, innocentLog+"-"+kind.name)
	if err := errors.Join(attackers.Wait(), innocent); err != nil {
		return err
	}
	report(memoryAttack+kind.name, beside.sorted())
	s.found(memoryRefused+kind.name, float64(a.refused.Load()))
	s.found(memoryCut+kind.name, float64(a.cutWithout.Load()))
	kib, err := procField("/proc/"+strconv.Itoa(s.server.cmd.Process.Pid)+"/status", "VmHWM:")
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	s.found(memoryPeak+kind.name, float64(kib<<10))
	return err
}

// innocent appends one event after the other until ctx ends, each of which must be taken.
func (s *stage) innocent(ctx context.Context, log string) (all sample, err error) {
	c, err := dial(context.WithoutCancel(ctx), s.server.address)
	if err != nil {
		return all, err
	}
	defer c.close()
	began := time.Now()
	for ctx.Err() == nil {
		sent := time.Now()
		if _, err := c.do(http.MethodPost, "/logs/"+log+"/append", "", []byte(`{"type":"innocent"}`)); err != nil {
			return all, fmt.Errorf("an innocent append: %w", err)
		}
		all.add(1, time.Since(sent))
		select {
		case <-ctx.Done():
		case <-time.After(innocentEvery):
		}
	}
	all.seconds = time.Since(began).Seconds()
	return all, nil
}

// connect opens a connection that ends with ctx.
func (a *memoryAttackers) connect(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	return conn, err
}

// unread asks again and again and reads no more than the first line, unless that says that there is no room: then it asks anew.
func (a *memoryAttackers) unread(ctx context.Context, path string) error {
	const requests = 64 // on a connection: more than its buffers take
	request := strings.Repeat(string(appendRequest(nil, http.MethodGet, path, "", nil)), requests)
	for ctx.Err() == nil {
		conn, err := a.connect(ctx)
		if err != nil {
			return ended(ctx, err)
		}
		if _, err = io.WriteString(conn, request); err == nil {
			err = a.hold(ctx, conn)
		}
		_ = conn.Close()
		if err != nil {
			return ended(ctx, err)
		}
	}
	return nil
}

// hold waits for an answer and then, unless it is a refusal, for the end.
func (a *memoryAttackers) hold(ctx context.Context, conn net.Conn) error {
	line, err := bufio.NewReaderSize(conn, 16).ReadString('\n')
	if err != nil {
		return err
	}
	a.answered.Add(1)
	if !strings.HasPrefix(line, "HTTP/1.1 200") {
		a.refused.Add(1)
		return nil
	}
	<-ctx.Done()
	return nil
}

// batches sends a batch again and again. That it is refused is what should happen.
func (a *memoryAttackers) batches(ctx context.Context, log, batch string) error {
	conn, err := dial(ctx, a.address)
	if err != nil {
		return ended(ctx, err)
	}
	defer conn.close()
	for ctx.Err() == nil {
		if _, err := conn.conn.Write(appendRequest(nil, http.MethodPost, "/logs/"+log+"/append_batch", "", []byte(batch))); err != nil {
			return ended(ctx, err)
		}
		status, err := conn.read()
		if err != nil {
			return ended(ctx, err)
		}
		if a.answered.Add(1); status >= http.StatusBadRequest {
			a.refused.Add(1)
		}
	}
	return nil
}

// claim says that a large body follows, and sends nothing.
func (a *memoryAttackers) claim(ctx context.Context) error {
	conn, err := a.connect(ctx)
	if err != nil {
		return ended(ctx, err)
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	_, err = fmt.Fprintf(conn, "POST /logs/%s/append_batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", innocentLog, largeBody)
	if err == nil {
		<-ctx.Done()
	}
	return ended(ctx, err)
}

// body sends a large batch, once, and waits for its answer, whenever that comes. All clients send the head of their requests first: on a
// busy machine a client would else connect and not come to send anything in the time that the server gives it.
func (a *memoryAttackers) body(ctx context.Context) error {
	conn, err := a.head(context.WithoutCancel(ctx))
	a.heads.Done()
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing is lost
	a.heads.Wait()
	if _, err = conn.Write(a.large); err != nil {
		a.cutWithout.Add(1)
		return nil //nolint:nilerr // that is what is counted
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		a.cutWithout.Add(1)
		return nil //nolint:nilerr // likewise
	}
	_ = response.Body.Close()
	if a.answered.Add(1); response.StatusCode >= http.StatusBadRequest {
		a.refused.Add(1)
	}
	return nil
}

// head opens a connection and sends a request but for its body.
func (a *memoryAttackers) head(ctx context.Context) (net.Conn, error) {
	a.oneByOne.Lock()
	defer a.oneByOne.Unlock()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
	if err != nil {
		return nil, err
	}
	request := appendRequest(nil, http.MethodPost, "/logs/"+attackedLog+"-bodies/append_batch", "", a.large)
	_, err = conn.Write(request[:len(request)-len(a.large)])
	return conn, errors.Join(err, conn.SetDeadline(time.Now().Add(requestPatience)))
}

// ended is an error, unless the attack is over.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil
	}
	return err
}

func largeBatch() []byte {
	const events = 1000
	event := `{"text":"` + strings.Repeat("x", largeBody/events-20) + `"}` + "\n"
	return bytes.Repeat([]byte(event), events)
}

func attackedOnly(ctx context.Context, c *api.Client, _ bool) error {
	return c.CreateLog(ctx, attackedLog+"-bodies", nil)
}

// longHistory has pages of 8 MiB.
func longHistory(ctx context.Context, c *api.Client, _ bool) error {
	if err := c.CreateLog(ctx, attackedLog, nil); err != nil {
		return err
	}
	_, err := c.AppendBatch(ctx, attackedLog, bytes.NewReader(largeBatch()))
	return err
}

// longLabels makes logs whose descriptions are as long as they may be.
func longLabels(ctx context.Context, c *api.Client, quick bool) error {
	const labels, labelBytes, most, few = 32, 255, 1000, 100
	long := map[string]string{}
	for i := range labels {
		long["label-"+strconv.Itoa(i)] = strings.Repeat("<", labelBytes)
	}
	count := most
	if quick {
		count = few
	}
	for i := range count {
		if err := c.CreateLog(ctx, "long-"+strconv.Itoa(i), long); err != nil {
			return err
		}
	}
	return nil
}

func deployGuest(make func() guest) func(context.Context, *api.Client, bool) error {
	return func(ctx context.Context, c *api.Client, _ bool) error {
		err := c.CreateLog(ctx, attackedLog, nil)
		var problem *api.Problem
		if err != nil && (!errors.As(err, &problem) || problem.Code != "name_taken") {
			return err
		}
		module := make()
		_, err = c.Deploy(ctx, attackedLog, hostileView, api.Deployment{Module: module.encode()})
		return err
	}
}

func manyWriters(ctx context.Context, c *api.Client, _ bool) error {
	module := manyWrites()
	for i := range 16 {
		log := attackedLog + "-" + strconv.Itoa(i)
		if err := c.CreateLog(ctx, log, nil); err != nil {
			return err
		}
		if _, err := c.Deploy(ctx, log, hostileView, api.Deployment{Module: module.encode()}); err != nil {
			return err
		}
	}
	return nil
}

// longAnswer is a view whose answer is as long as one may be.
func longAnswer() guest {
	const length, after = 1 << 20, nullAt + len("null")
	return guest{
		pages: length>>16 + 64, alloc: opConst(length + 1<<16), query: opConst64(int64(after)<<32 | length),
		nonce: []byte(`"` + strings.Repeat("x", length-2) + `"`),
	}
}

// manyWrites is a view that sets 63 values of 64 KiB for each event: just within what one event may write.
func manyWrites() guest { return writing(63, nil) }

// writing is a view that sets so many values of 64 KiB for each event for which the condition, instructions that leave an i32, holds; nil:
// for all.
func writing(values int, condition []byte) guest {
	const length = 64<<10 - 1<<10
	const valueAt = nullAt + len("null")
	value := `"` + strings.Repeat("x", length-2) + `"`
	keysAt := valueAt + len(value)
	keys := make([]byte, values)
	var fold [][]byte
	for i := range keys {
		keys[i] = byte('0' + i)
		fold = append(fold, opConst(int64(keysAt+i)), opConst(1), opConst(int64(valueAt)), opConst(int64(len(value))), opWith(wasmbin.OpCall, importedSet))
	}
	if condition != nil {
		fold = [][]byte{condition, opStart(wasmbin.OpIf), code(fold...), op(wasmbin.OpEnd)}
	}
	return guest{
		pages: 4, alloc: opConst(2 << 16), fold: code(append(fold, opConst(0))...), sets: true,
		nonce: slices.Concat([]byte(value), keys),
	}
}
