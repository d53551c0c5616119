package wasm

import (
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// signature is a function's type: its parameters and results, one value type a byte.
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
	{name: "tally_fields", signature: signature{"", i64}, optional: true},
	{name: "tally_fold", signature: signature{i32, i32}},
	{name: "tally_query", signature: signature{i32 + i32, i64}},
	{name: "_initialize", optional: true},
}

// hostModule is the module that guests import from.
const hostModule = "tally"

// hostFunction is a function that guests import.
type hostFunction struct {
	name      string
	signature signature
	phases    phase // in which it may be called
	call      func(in *instance, stack []uint64)
}

// phase is which export of an instance is running; it decides which imports may be called.
type phase uint8

const (
	phaseInit phase = 1 << iota // _initialize
	phaseFields
	phaseFold
	phaseQuery
	// phaseAlloc may only call fail: the other imports may call tally_alloc themselves, and the runtime's function
	// objects must not be entered twice.
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
	case phaseQuery:
		return "tally_query"
	case phaseAlloc:
		return "tally_alloc"
	default:
		return "no export"
	}
}

const (
	phasesOfState = phaseFold | phaseQuery
	phasesOfFail  = phaseInit | phaseFields | phasesOfState | phaseAlloc
)

var hostFunctions = []hostFunction{
	{"get", signature{i32 + i32, i64}, phasesOfState, (*instance).hostGet},
	{"set", signature{i32 + i32 + i32 + i32, ""}, phaseFold, (*instance).hostSet},
	{"delete", signature{i32 + i32, ""}, phaseFold, (*instance).hostDelete},
	{"scan", signature{i32 + i32 + i32 + i32 + i32, i64}, phasesOfState, (*instance).hostScan},
	{"config", signature{"", i64}, phaseFields | phasesOfState, (*instance).hostConfig},
	{"fail", signature{i32 + i32, ""}, phasesOfFail, (*instance).hostFail},
}

func importSignature(module, name string) (signature, bool) {
	for _, f := range hostFunctions {
		if module == hostModule && name == f.name {
			return f.signature, true
		}
	}
	return signature{}, false
}

func importNames() string {
	var names []string
	for _, f := range hostFunctions {
		names = append(names, hostModule+"."+f.name)
	}
	return strings.Join(names, ", ")
}

// Layout of what tally_fold is given, in bytes.
const (
	headerSize = 40
	slotSize   = 24
	alignment  = 8 // of all room that tally_alloc gives
)

// packed puts a pointer and a length into one i64.
func packed(ptr, length uint32) uint64 { return uint64(ptr)<<32 | uint64(length) }

// nothing is the i64 for "there is none".
const nothing = ^uint64(0)
