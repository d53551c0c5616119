package wasm

import (
	"reflect"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"
)

// maxStackBytes is the most native stack that a spare instance may hold for each export. A stack grows to many megabytes in
// a deep recursion, and never shrinks; most folds need far less.
const maxStackBytes = 128 << 10

// stackSize returns the size of the native stack that wazero holds for an export, 0 if the export is nil. wazero has no API for it, so
// it is read by reflection from an unexported field; known is false if the field is no longer there. This must not panic: every
// session ends here.
func stackSize(f api.Function) (size int, known bool) {
	if f == nil {
		return 0, true
	}
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return 0, false
	}
	v = v.Elem()
	field := knownStackField.Load()
	if field == nil || field.of != v.Type() {
		field = findStackField(v.Type())
		knownStackField.Store(field)
	}
	if field.index < 0 {
		return 0, false
	}
	return v.Field(field.index).Len(), true
}

// stackField is the index of the field of a struct that holds the stack, negative if there is none.
type stackField struct {
	of    reflect.Type
	index int
}

// knownStackField caches the last lookup. All exports have the same type.
var knownStackField atomic.Pointer[stackField]

func findStackField(t reflect.Type) *stackField {
	field, ok := t.FieldByName("stack")
	if !ok || field.Type != reflect.TypeFor[[]byte]() || len(field.Index) != 1 {
		return &stackField{t, -1} // wazero has changed: TestStackIsKnown fails
	}
	return &stackField{t, field.Index[0]}
}
