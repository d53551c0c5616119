package wasm

import (
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// signature is a function's type: its parameters and results, one byte per value type.
type signature struct{ params, results string }

// Value types of the ABI.
const (
	i32 = string(rune(api.ValueTypeI32))
	i64 = string(rune(api.ValueTypeI64))
)

func (s signature) String() string {
	return "(" + typeNames(s.params) + ") -> (" + typeNames(s.results) + ")"
}

func typeNames(types string) string {
	var names []string
	for i := range len(types) {
		names = append(names, api.ValueTypeName(types[i]))
	}
	return strings.Join(names, ", ")
}

// guestExport is a function that the host calls.
type guestExport struct {
	name      string
	signature signature
	optional  bool
}

var guestExports = []guestExport{
	{name: "tally_alloc", signature: signature{i32, i32}},
	{name: "tally_event_room", signature: signature{"", i64}, optional: true},
	{name: "tally_fields", signature: signature{"", i64}, optional: true},
	{name: "tally_fold", signature: signature{i32, i32}},
	{name: "tally_fold_batch", signature: signature{i32 + i32, i32}, optional: true},
	{name: guardExport, signature: signature{i32, i32}, optional: true},
	{name: "tally_query", signature: signature{i32 + i32, i64}},
	{name: "_initialize", optional: true},
}

// Modules that guests import from.
const (
	hostModule = "tally"
	wasiModule = "wasi_snapshot_preview1"
)

// hostFunction is a function that guests import.
type hostFunction struct {
	module    string
	name      string
	signature signature
	phases    phase // in which it may be called
	gas       int64 // price of a call, to which its work adds
	call      func(in *instance, stack []uint64)
}

// phase is the export that is running; it decides which imports the guest may call.
type phase uint8

const (
	phaseInit phase = 1 << iota // the start function and _initialize
	phaseFields
	phaseFold
	phaseGuard
	phaseQuery
	// phaseAlloc may not call imports that call tally_alloc: wazero's function objects are not reentrant.
	phaseAlloc
)

func (p phase) String() string {
	switch p {
	case phaseInit:
		return "_initialize"
	case phaseFields:
		return "tally_fields"
	case phaseFold:
		return "tally_fold"
	case phaseGuard:
		return "tally_guard"
	case phaseQuery:
		return "tally_query"
	case phaseAlloc:
		return "tally_alloc"
	default:
		return "no export"
	}
}

const (
	phasesOfState = phaseFold | phaseGuard | phaseQuery
	phasesOfAll   = phaseInit | phaseFields | phasesOfState | phaseAlloc
)

// tallyFunctions are the imports of the ABI.
var tallyFunctions = []hostFunction{
	{hostModule, "get", signature{i32 + i32, i64}, phasesOfState, gasGet, (*instance).hostGet},
	{hostModule, "set", signature{i32 + i32 + i32 + i32, ""}, phaseFold, gasSet, (*instance).hostSet},
	{hostModule, "delete", signature{i32 + i32, ""}, phaseFold, gasDelete, (*instance).hostDelete},
	{hostModule, "scan", signature{i32 + i32 + i32 + i32 + i32, i64}, phasesOfState, gasScan, (*instance).hostScan},
	{hostModule, "config", signature{"", i64}, phaseFields | phasesOfState, gasSmall, (*instance).hostConfig},
	{hostModule, "fail", signature{i32 + i32, ""}, phasesOfAll, gasSmall, (*instance).hostFail},
	{hostModule, "content_type", signature{i32 + i32, ""}, phaseQuery, gasSmall, (*instance).hostContentType},
	{hostModule, "get_into", signature{i32 + i32 + i32 + i32, i32}, phasesOfState, gasGet, (*instance).hostGetInto},
	{hostModule, "answer", signature{i32 + i32, ""}, phaseGuard, gasSmall, (*instance).hostAnswer},
	{hostModule, "retry_after", signature{i32, ""}, phaseGuard, gasSmall, (*instance).hostRetryAfter},
}

// hostFunctions are all functions that a guest may import.
var hostFunctions = slices.Concat(tallyFunctions, wasiFunctions)

func importSignature(module, name string) (signature, bool) {
	for _, f := range hostFunctions {
		if module == f.module && name == f.name {
			return f.signature, true
		}
	}
	return signature{}, false
}

// importNames lists what a guest may import, for error messages.
func importNames() string {
	var names []string
	for _, f := range tallyFunctions {
		names = append(names, f.module+"."+f.name)
	}
	return strings.Join(names, ", ") + " and the functions of " + wasiModule
}

// Layout of the events passed to tally_fold and tally_fold_batch, in bytes.
const (
	headerSize  = 40
	resultAt    = 36 // offset in an event's header where tally_fold_batch stores its result
	slotSize    = 24
	pointerSize = 4
	alignment   = 8 // of memory from tally_alloc, and of the events of a batch
)

// packed returns a pointer and a length as one i64.
func packed(ptr, length uint32) uint64 { return uint64(ptr)<<32 | uint64(length) }

// noValue is the packed result of get for a missing key: -1.
const noValue = ^uint64(0)
