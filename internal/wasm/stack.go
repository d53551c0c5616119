package wasm

import (
	"reflect"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"
)

// maxStackBytes is the native stack that a waiting instance may keep for each export. A deep recursion makes it grow to
// many megabytes and it never shrinks; what most folds need is far less.
const maxStackBytes = 128 << 10

// stackSize is the size of the native stack that the runtime holds for an export; 0 when there is no export. The runtime has no call for
// it, so it is read from its field, if that is where it was when this was written. known is false where it is not: nothing may
// fail for it, as folds go through here.
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

// stackField says which of a struct's fields holds the stack; a negative index says that none does.
type stackField struct {
	of    reflect.Type
	index int
}

// knownStackField is what was found last. All exports are of one type.
var knownStackField atomic.Pointer[stackField]

func findStackField(t reflect.Type) *stackField {
	field, ok := t.FieldByName("stack")
	if !ok || field.Type != reflect.TypeFor[[]byte]() || len(field.Index) != 1 {
		return &stackField{t, -1} // the runtime has changed: TestStackIsKnown says so
	}
	return &stackField{t, field.Index[0]}
}
