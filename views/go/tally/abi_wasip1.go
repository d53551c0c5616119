package tally

import (
	"errors"
	"strings"
	"unsafe"
)

// What docs/abi.md calls imports and exports. Nothing else in the kit knows that there is a server.

//go:wasmimport tally get_into
//go:noescape
func importGetInto(key string, room unsafe.Pointer, roomBytes uint32) int32

//go:wasmimport tally set
//go:noescape
func importSet(key, value string)

//go:wasmimport tally delete
//go:noescape
func importDelete(key string)

//go:wasmimport tally scan
//go:noescape
func importScan(prefix, after string, limit int32) int64

//go:wasmimport tally config
func importConfig() int64

//go:wasmimport tally content_type
//go:noescape
func importContentType(name string)

//go:wasmimport tally answer
//go:noescape
func importAnswer(text string)

//go:wasmimport tally retry_after
func importRetryAfter(seconds int32)

//go:wasmimport tally fail
//go:noescape
func importFail(text string)

// packed returns a text as the server reads it.
func packed(text []byte) int64 {
	return int64(uintptr(unsafe.Pointer(unsafe.SliceData(text))))<<32 | int64(len(text))
}

//go:wasmexport tally_alloc
func tallyAlloc(n uint32) uint32 {
	grant = take(int(n))
	return uint32(uintptr(grant))
}

// eventRoom is where the server lays out events, some eighty at a time; larger ones go where tally_alloc says.
var eventRoom [24 << 10 / roomAlignment]uint64 // words, so that it is aligned

//go:wasmexport tally_event_room
func tallyEventRoom() int64 {
	return packed(unsafe.Slice((*byte)(unsafe.Pointer(&eventRoom)), unsafe.Sizeof(eventRoom)))
}

//go:wasmexport tally_fields
func tallyFields() int64 {
	defer release()
	view, err := ready()
	if err != nil {
		return fail(err)
	}
	return packed([]byte(strings.Join(view.Fields, "\n")))
}

// A defer would cost as much as a decimal, and release need not be called where Fold panics: the server then throws the instance
// away, and shows what Go's runtime says of the panic.
//
//go:wasmexport tally_fold
func tallyFold(event *Event) int32 {
	result := fold(event)
	release()
	return result
}

func fold(event *Event) int32 {
	view := registered
	if !configured {
		var err error
		if view, err = ready(); err != nil {
			return int32(fail(err))
		}
	}
	switch err := view.Fold(event); err {
	case nil:
		return applied
	case Ignored:
		return ignored
	default:
		return int32(fail(err))
	}
}

//go:wasmexport tally_fold_batch
func tallyFoldBatch(list *uint32, n uint32) int32 {
	view, err := ready()
	if err != nil {
		return failed // the server then folds one event, and is told why
	}
	at := unsafe.Pointer(list) // the events lie behind it, in the same room
	if !foldBatch(view.Fold, at, uint32(uintptr(at)), unsafe.Slice(list, n)) {
		return failed
	}
	return applied
}

//go:wasmexport tally_query
func tallyQuery(at *byte, length uint32) int64 {
	defer release()
	view, err := ready()
	if err == nil && view.Query == nil {
		err = errors.New("this view answers no questions: read its state")
	}
	if err != nil {
		return fail(err)
	}
	answer, err := view.Query(Query(unsafe.String(at, length)))
	if err != nil {
		return fail(err)
	}
	return packed(answer)
}

// fail tells the server why the call that is about to return failed.
func fail(reason error) int64 {
	importFail(reason.Error())
	return failed
}

// ExportGuard returns what the export tally_guard calls. It is for package guard: if the function were exported from here, every module
// would have it, and the server would ask each of them.
func ExportGuard() func(*Event) int32 {
	guardExported = true
	return askGuard
}

func askGuard(event *Event) int32 {
	defer release()
	view, err := ready()
	if err != nil {
		return int32(fail(err))
	}
	verdict, err := view.Guard(event)
	if err != nil {
		return int32(fail(err))
	}
	if verdict.answer != nil {
		importAnswer(NoCopy(verdict.answer))
	}
	if verdict.seconds > 0 {
		importRetryAfter(verdict.seconds)
	}
	return verdict.status
}
