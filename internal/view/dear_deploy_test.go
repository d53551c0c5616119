package view_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testrig"
	"github.com/tallystick/tallystick/internal/view"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

// maxTimesPlainDeploy is how many times the processor time of deploying a view that computes without end a deploy may take that does its
// worst in memory: measured, 6 times. Before gas had a price for memory it was more than a thousand times.
const maxTimesPlainDeploy = 30

// TestDearDeploy deploys a view whose every fold loads, without end, what the next load's address is, from anywhere in 64 MiB.
func TestDearDeploy(t *testing.T) {
	node, _ := start(t, testrig.Settings{})
	deploy := func(code []byte) time.Duration {
		log := node.NewLog(t)
		node.Append(t, log, counted(t, 0, 5)...)
		began := processorTime(t)
		info, err := node.Views.Deploy(t.Context(), log, "v", view.Deployment{Code: code, Config: []byte("{}")})
		took := processorTime(t) - began
		if err != nil || info.Status != view.Halted {
			t.Errorf("the view is %s, %v; it should have run out of gas", info.Status, err)
		}
		return took
	}
	const links = 1 << 18 // of 256 bytes each
	next := []byte{0x20, 0, 0x41}
	next = append(wasmbin.AppendS(next, 1664525), 0x6c, 0x41) // × and + give each link once, in an order that no processor foresees
	next = append(wasmbin.AppendS(next, 1013904223), 0x6a, 0x41)
	next = append(wasmbin.AppendS(next, links-1), 0x71)
	lay := slices.Concat([]byte{0x03, 0x40, 0x20, 0, 0x41, 8, 0x74}, next, []byte{0x41, 8, 0x74, 0x36, 2, 32, // link it to the next
		0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41}, wasmbin.AppendS(nil, links), []byte{0x49, 0x0d, 0, 0x0b})
	loads := slices.Concat([]byte{0x03, 0x40, 0x20, 1}, slices.Repeat([]byte{0x28, 2, 32}, 40), []byte{0x21, 1, 0x0c, 0, 0x0b, 0x00})
	plain := deploy(rawGuest(1, nil, []byte{0x03, 0x40, 0x20, 1, 0x41, 1, 0x6a, 0x21, 1, 0x0c, 0, 0x0b, 0x00}))
	if dear := deploy(rawGuest(1024, lay, loads)); dear > maxTimesPlainDeploy*plain {
		t.Errorf("the deploy took %v of processor time, that of plain computing %v; %d times as much is allowed",
			dear, plain, maxTimesPlainDeploy)
	}
}

// processorTime is what this process has taken of it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// rawGuest is a view without imports, with so much memory and the instructions of its _initialize and tally_fold, each with a local more
// than it has parameters, of type i32.
func rawGuest(pages uint32, start, fold []byte) []byte {
	sized := func(b []byte) []byte { return append(wasmbin.AppendU(nil, uint32(len(b))), b...) }
	body := func(code ...byte) []byte {
		return sized(slices.Concat([]byte{1, 1, wasmbin.TypeI32}, code, []byte{0x0b}))
	}
	export := func(name string, kind, index byte) []byte { return append(sized([]byte(name)), kind, index) }
	const i32, i64 = wasmbin.TypeI32, wasmbin.TypeI64
	out := []byte(wasmbin.Magic)
	for _, section := range []struct {
		id   byte
		data []byte
	}{
		{wasmbin.SectionType, []byte{3, 0x60, 0, 0, 0x60, 1, i32, 1, i32, 0x60, 2, i32, i32, 1, i64}},
		{wasmbin.SectionFunction, []byte{4, 0, 1, 1, 2}},
		{wasmbin.SectionMemory, wasmbin.AppendU([]byte{1, 0}, pages)},
		{wasmbin.SectionExport, slices.Concat([]byte{5},
			export("_initialize", wasmbin.KindFunction, 0), export("tally_alloc", wasmbin.KindFunction, 1),
			export("tally_fold", wasmbin.KindFunction, 2), export("tally_query", wasmbin.KindFunction, 3),
			export("memory", wasmbin.KindMemory, 0))},
		{wasmbin.SectionCode, slices.Concat([]byte{4}, body(start...), body(0x41, 0x80, 0x20), body(fold...), body(0x42, 0))},
	} {
		out = append(append(out, section.id), sized(section.data)...)
	}
	return out
}
