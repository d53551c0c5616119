package wasm

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// Language runtimes expect an operating system. This file lets those of Go, wasi-libc, Rust and AssemblyScript start and
// run: it implements WASI preview 1 for a world without files, arguments, environment variables and time. No result
// depends on the machine or on earlier calls, so a fold remains a function of its event and state.

// Error numbers of WASI preview 1.
const (
	wasiSuccess      = 0
	wasiBadFD        = 8
	wasiFault        = 21
	wasiInvalid      = 28
	wasiNotSupported = 58
)

// wasiNow is the time that all clocks show, in nanoseconds: 2000-01-01T00:00:00Z, unlikely to be mistaken for an event's time.
const wasiNow = 946_684_800_000_000_000

// Layout of the arguments and results of poll_oneoff, in bytes.
const (
	subscriptionSize = 48
	pollEventSize    = 32
	pollMaximum      = 1024 // subscriptions in one call; runtimes pass a few
	pollClock        = 0    // the tag of a subscription to a clock
)

// fd_write takes an array of buffers.
const (
	vectorSize = 8    // bytes of an element: a pointer and a length
	maxWrites  = 1024 // buffers in one call; runtimes pass a few
)

// wasiFunctions is all of preview 1. Functions that need a file return EBADF.
var wasiFunctions = []hostFunction{
	wasi("args_get", i32+i32, wasiOK),
	wasi("args_sizes_get", i32+i32, wasiNone),
	wasi("environ_get", i32+i32, wasiOK),
	wasi("environ_sizes_get", i32+i32, wasiNone),
	wasi("clock_res_get", i32+i32, (*instance).wasiClockRes),
	wasi("clock_time_get", i32+i64+i32, (*instance).wasiClockTime),
	wasi("random_get", i32+i32, (*instance).wasiRandom),
	wasi("sched_yield", "", wasiOK),
	wasi("poll_oneoff", i32+i32+i32+i32, (*instance).wasiPoll),
	{wasiModule, "proc_exit", signature{i32, ""}, phasesOfAll, gasSmall, (*instance).wasiExit},
	wasi("proc_raise", i32, wasiUnsupported),

	wasi("fd_write", i32+i32+i32+i32, (*instance).wasiWrite),
	wasi("fd_fdstat_get", i32+i32, (*instance).wasiFDStat),
	wasi("fd_advise", i32+i64+i64+i32, wasiNoFile),
	wasi("fd_allocate", i32+i64+i64, wasiNoFile),
	wasi("fd_close", i32, wasiNoFile),
	wasi("fd_datasync", i32, wasiNoFile),
	wasi("fd_fdstat_set_flags", i32+i32, wasiNoFile),
	wasi("fd_fdstat_set_rights", i32+i64+i64, wasiNoFile),
	wasi("fd_filestat_get", i32+i32, wasiNoFile),
	wasi("fd_filestat_set_size", i32+i64, wasiNoFile),
	wasi("fd_filestat_set_times", i32+i64+i64+i32, wasiNoFile),
	wasi("fd_pread", i32+i32+i32+i64+i32, wasiNoFile),
	wasi("fd_prestat_get", i32+i32, wasiNoFile),
	wasi("fd_prestat_dir_name", i32+i32+i32, wasiNoFile),
	wasi("fd_pwrite", i32+i32+i32+i64+i32, wasiNoFile),
	wasi("fd_read", i32+i32+i32+i32, wasiNoFile),
	wasi("fd_readdir", i32+i32+i32+i64+i32, wasiNoFile),
	wasi("fd_renumber", i32+i32, wasiNoFile),
	wasi("fd_seek", i32+i64+i32+i32, wasiNoFile),
	wasi("fd_sync", i32, wasiNoFile),
	wasi("fd_tell", i32+i32, wasiNoFile),
	wasi("path_create_directory", i32+i32+i32, wasiNoFile),
	wasi("path_filestat_get", i32+i32+i32+i32+i32, wasiNoFile),
	wasi("path_filestat_set_times", i32+i32+i32+i32+i64+i64+i32, wasiNoFile),
	wasi("path_link", i32+i32+i32+i32+i32+i32+i32, wasiNoFile),
	wasi("path_open", i32+i32+i32+i32+i32+i64+i64+i32+i32, wasiNoFile),
	wasi("path_readlink", i32+i32+i32+i32+i32+i32, wasiNoFile),
	wasi("path_remove_directory", i32+i32+i32, wasiNoFile),
	wasi("path_rename", i32+i32+i32+i32+i32+i32, wasiNoFile),
	wasi("path_symlink", i32+i32+i32+i32+i32, wasiNoFile),
	wasi("path_unlink_file", i32+i32+i32, wasiNoFile),
	wasi("sock_accept", i32+i32+i32, wasiNoFile),
	wasi("sock_recv", i32+i32+i32+i32+i32+i32, wasiNoFile),
	wasi("sock_send", i32+i32+i32+i32+i32, wasiNoFile),
	wasi("sock_shutdown", i32+i32, wasiNoFile),
}

// wasi declares a function that returns an error number.
func wasi(name, params string, call func(in *instance, stack []uint64)) hostFunction {
	return hostFunction{wasiModule, name, signature{params, i32}, phasesOfAll, gasSmall, call}
}

func wasiOK(_ *instance, stack []uint64)          { stack[0] = wasiSuccess }
func wasiNoFile(_ *instance, stack []uint64)      { stack[0] = wasiBadFD }
func wasiUnsupported(_ *instance, stack []uint64) { stack[0] = wasiNotSupported }

// wasiNone reports that there are no arguments or environment variables: 0 of them in 0 bytes.
func wasiNone(in *instance, stack []uint64) {
	number, size := uint32(stack[0]), uint32(stack[1])
	stack[0] = wasiResult(in.memory.WriteUint32Le(number, 0) && in.memory.WriteUint32Le(size, 0))
}

func wasiResult(written bool) uint64 {
	if !written {
		return wasiFault
	}
	return wasiSuccess
}

func (in *instance) wasiClockRes(stack []uint64) {
	stack[0] = wasiResult(in.memory.WriteUint64Le(uint32(stack[1]), 1))
}

func (in *instance) wasiClockTime(stack []uint64) {
	stack[0] = wasiResult(in.memory.WriteUint64Le(uint32(stack[2]), wasiNow))
}

// wasiRandom fills a buffer with the same pseudo-random bytes on every call: runtimes seed their hash tables with them.
func (in *instance) wasiRandom(stack []uint64) {
	buffer, ok := in.memory.Read(uint32(stack[0]), uint32(stack[1]))
	if ok {
		in.charge(int64(len(buffer)))
		fillFixed(buffer)
	}
	stack[0] = wasiResult(ok)
}

// fillFixed writes the output of SplitMix64 with seed 0.
func fillFixed(buffer []byte) {
	var seed uint64
	var word [8]byte
	for len(buffer) > 0 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(word[:], z^z>>31)
		buffer = buffer[copy(buffer, word[:]):]
	}
}

// wasiPoll completes every subscription at once: clocks have expired, and files do not exist.
func (in *instance) wasiPoll(stack []uint64) {
	from, to, n, result := uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])
	if n == 0 || n > pollMaximum {
		stack[0] = wasiInvalid
		return
	}
	in.charge(int64(n) * in.prices.subscription)
	subscriptions, ok := in.memory.Read(from, n*subscriptionSize)
	events, okToo := in.memory.Read(to, n*pollEventSize)
	if !ok || !okToo {
		stack[0] = wasiFault
		return
	}
	subscriptions = bytes.Clone(subscriptions) // the events may overlap them
	for i := range int(n) {
		subscription, event := subscriptions[i*subscriptionSize:][:subscriptionSize], events[i*pollEventSize:][:pollEventSize]
		clear(event)
		copy(event, subscription[:8]) // the guest's own id for it
		event[10] = subscription[8]
		if subscription[8] != pollClock {
			event[8] = wasiBadFD
		}
	}
	stack[0] = wasiResult(in.memory.WriteUint32Le(result, n))
}

func (in *instance) wasiExit(stack []uint64) {
	in.unwind(trapf("%v: %sthe module ended itself with exit code %d", in.phase, in.lastOutput(), api.DecodeI32(stack[0])))
}

// wasiFDStat reports standard output and standard error as writable character devices.
func (in *instance) wasiFDStat(stack []uint64) {
	fd, at := uint32(stack[0]), uint32(stack[1])
	if fd != 1 && fd != 2 {
		stack[0] = wasiBadFD
		return
	}
	stat, ok := in.memory.Read(at, 24)
	if ok {
		clear(stat)
		stat[0] = 2      // a character device
		stat[8] = 1 << 6 // the right to write
	}
	stack[0] = wasiResult(ok)
}

// wasiWrite keeps the end of what the guest writes to standard output and standard error, for the error of a call that
// fails. It goes nowhere else.
func (in *instance) wasiWrite(stack []uint64) {
	fd, vectors, n, result := uint32(stack[0]), uint32(stack[1]), uint32(stack[2]), uint32(stack[3])
	switch {
	case fd != 1 && fd != 2:
		stack[0] = wasiBadFD
		return
	case n > maxWrites:
		stack[0] = wasiInvalid
		return
	}
	in.charge(int64(n) * in.prices.buffer)
	var total uint32
	for i := range n {
		at, ok := in.memory.ReadUint32Le(vectors + vectorSize*i)
		length, okToo := in.memory.ReadUint32Le(vectors + vectorSize*i + 4)
		text, okAll := in.memory.Read(at, length)
		if !ok || !okToo || !okAll || total+length < total {
			stack[0] = wasiFault
			return
		}
		in.charge(int64(length))
		in.wrote(text)
		total += length
	}
	stack[0] = wasiResult(in.memory.WriteUint32Le(result, total))
}

// maxWrittenBytes bounds the output that is kept: a crash report and what came just before it.
const maxWrittenBytes = 8 << 10

func (in *instance) wrote(text []byte) {
	if len(text) >= maxWrittenBytes {
		in.written = append(in.written[:0], text[len(text)-maxWrittenBytes:]...)
		return
	}
	if over := len(in.written) + len(text) - maxWrittenBytes; over > 0 {
		in.written = in.written[:copy(in.written, in.written[over:])]
	}
	in.written = append(in.written, text...)
}

// lastOutput returns the guest's explanation of a failure, followed by a separator: the text passed to fail, or else the
// end of its output, from a Go program's report of a panic if there is one. It is cut to MaxFailBytes, and empty when
// the guest left neither.
func (in *instance) lastOutput() string {
	if in.failText != "" {
		return in.failText + ": "
	}
	text := string(in.written)
	for _, start := range []string{"panic: ", "fatal error: "} {
		if at := strings.Index("\n"+text, "\n"+start); at >= 0 {
			return printable(text[at:], MaxFailBytes) + ": "
		}
	}
	text = strings.TrimSpace(text[max(0, len(text)-MaxFailBytes):])
	if text == "" {
		return ""
	}
	return printable(text, MaxFailBytes) + ": "
}
