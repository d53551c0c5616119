package wasm

import (
	"encoding/binary"
	"strings"
	"testing"
)

// wasiGuest calls a WASI function with these arguments when it folds, and keeps its answer at wasiAnswerAt.
func wasiGuest(name string, arguments ...[]byte) *guest {
	g := newGuest()
	sig, _ := importSignature(wasiModule, name)
	g.imports[callGet] = importEntry{wasiModule, name, 0, sig}
	if sig.results == "" {
		return g.fold(code(arguments...), opCall(callGet), opConst(0))
	}
	return g.fold(opConst(wasiAnswerAt), code(arguments...), opCall(callGet), opStore(0), opConst(0))
}

const wasiAnswerAt = 60

func wasiLoopGuest(name string, arguments ...[]byte) *guest {
	g := wasiGuest(name)
	return g.fold(opLoop, code(arguments...), opCall(callGet), opDrop, opBr(0), opEnd, opUnreachable)
}

// wasiCall runs a fold that makes one call, and gives its answer and the memory afterwards.
func wasiCall(t *testing.T, e *Engine, g *guest) (answer uint32, memory []byte) {
	t.Helper()
	s := start(t, compile(t, e, g), "", newState())
	if _, err := s.Fold(&Event{Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	memory, _ = s.in.memory.Read(0, s.in.memory.Size())
	return binary.LittleEndian.Uint32(memory[wasiAnswerAt:]), memory
}

func TestWASI(t *testing.T) {
	e := newEngine(t)
	le := binary.LittleEndian
	const at = 512 // where results go; behind it all is 0xff
	untouched := strings.Repeat("\xff", 64)
	for _, tt := range []struct {
		name      string
		arguments []byte
		answer    uint32
		result    string // at 512
	}{
		{"args_sizes_get", code(opConst(at), opConst(at+4)), wasiSuccess, "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"environ_sizes_get", code(opConst(at), opConst(at+4)), wasiSuccess, "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"environ_sizes_get", code(opConst(-1), opConst(at+4)), wasiFault, untouched},
		{"args_get", code(opConst(at), opConst(at)), wasiSuccess, untouched},
		{"clock_time_get", code(opConst(0), opConst64(1), opConst(at)), wasiSuccess, string(le.AppendUint64(nil, wasiNow))},
		{"clock_time_get", code(opConst(1), opConst64(1), opConst(-4)), wasiFault, untouched},
		{"clock_res_get", code(opConst(0), opConst(at)), wasiSuccess, string(le.AppendUint64(nil, 1))},
		{"random_get", code(opConst(at), opConst(9)), wasiSuccess, "\xaf\xcd\x1d\x7b\x39\xa8\x20\xe2\xf4\xff"},
		{"random_get", code(opConst(at), opConst(-1)), wasiFault, untouched},
		{"sched_yield", nil, wasiSuccess, untouched},
		{"proc_raise", opConst(9), wasiNotSupported, untouched},
		{"fd_read", code(opConst(0), opConst(at), opConst(1), opConst(at)), wasiBadFD, untouched},
		{"fd_prestat_get", code(opConst(3), opConst(at)), wasiBadFD, untouched},
		{"fd_close", opConst(1), wasiBadFD, untouched},
		{"path_open", code(opConst(3), opConst(0), opConst(16), opConst(4), opConst(0),
			opConst64(-1), opConst64(-1), opConst(0), opConst(at)), wasiBadFD, untouched},
		{
			"fd_fdstat_get", code(opConst(2), opConst(at)), wasiSuccess,
			"\x02\x00\x00\x00\x00\x00\x00\x00\x40" + strings.Repeat("\x00", 15) + "\xff",
		},
		{"fd_fdstat_get", code(opConst(3), opConst(at)), wasiBadFD, untouched},
		{"fd_write", code(opConst(1), opConst(256), opConst(1), opConst(at)), wasiSuccess, "\x05\x00\x00\x00\xff"},
		{"fd_write", code(opConst(3), opConst(256), opConst(1), opConst(at)), wasiBadFD, untouched},
		{"fd_write", code(opConst(1), opConst(-8), opConst(2), opConst(at)), wasiFault, untouched},
		{"fd_write", code(opConst(1), opConst(256), opConst(maxWrites+1), opConst(at)), wasiInvalid, untouched},
		{
			"poll_oneoff", code(opConst(288), opConst(at), opConst(1), opConst(496)), wasiSuccess,
			"userdata\x00\x00\x00" + strings.Repeat("\x00", 21) + "\xff",
		},
		{"poll_oneoff", code(opConst(288), opConst(at), opConst(0), opConst(496)), wasiInvalid, untouched},
		{"poll_oneoff", code(opConst(-8), opConst(at), opConst(1), opConst(496)), wasiFault, untouched},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := wasiGuest(tt.name, tt.arguments)
			g.data[at] = strings.Repeat("\xff", 256)
			g.data[256] = string(le.AppendUint32(le.AppendUint32(nil, 264), 5)) + "hello"
			g.data[288] = "userdata"
			answer, memory := wasiCall(t, e, g)
			if answer != tt.answer {
				t.Errorf("it answered %d, want %d", answer, tt.answer)
			}
			if got := string(memory[at : at+len(tt.result)]); got != tt.result {
				t.Errorf("it wrote %q, want %q", got, tt.result)
			}
		})
	}
}

func TestWASIExit(t *testing.T) {
	e := newEngine(t)
	g := wasiGuest("proc_exit", opConst(-3))
	_, err := start(t, compile(t, e, g), "", newState()).Fold(&Event{Data: []byte("{}")})
	viewError(t, err, KindTrap, "tally_fold: the module ended itself with exit code -3")
}

// An error shows the end of a guest's output, or the beginning of a Go program's report of a panic.
func TestLastOutput(t *testing.T) {
	for _, tt := range []struct {
		name     string
		wrote    []string
		failText string
		want     string
	}{
		{"nothing", nil, "", ""},
		{"a line", []string{"no ", "price\n"}, "", "no price: "},
		{"fail goes first", []string{"x"}, "why", "why: "},
		{
			"the end",
			[]string{strings.Repeat("a", 9000), strings.Repeat("b", 600), strings.Repeat("c", 1000)},
			"",
			strings.Repeat("b", 24) + strings.Repeat("c", 1000) + ": ",
		},
		{"more than is kept", []string{"x", strings.Repeat("d", 20_000)}, "", strings.Repeat("d", 1024) + ": "},
		{
			"a panic",
			[]string{"log\n", "panic: ", "boom\n", strings.Repeat("t", 5000)},
			"",
			"panic: boom\n" + strings.Repeat("t", 1012) + ": ",
		},
		{"not UTF-8", []string{"\xff\x00"}, "", "\ufffd\ufffd: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := &instance{failText: tt.failText}
			for _, text := range tt.wrote {
				in.wrote([]byte(text))
			}
			if got := in.lastOutput(); got != tt.want {
				t.Errorf("%d bytes %.60q…, want %d bytes %.60q…", len(got), got, len(tt.want), tt.want)
			}
			if cap(in.written) > 4*maxWrittenBytes {
				t.Errorf("it keeps %d bytes", cap(in.written))
			}
		})
	}
}
