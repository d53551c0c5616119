//go:build !wasip1

package tally

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"unsafe"
)

// Built for anything but WebAssembly, as go test and go vet do, a view keeps its state in this process.
var (
	localState  = map[string]string{}
	localConfig = "{}"
)

// grantText does what the server does with an answer: it asks for room and writes there.
func grantText(text string) int64 {
	grant = take(len(text))
	copy(given(int64(len(text))), text)
	return int64(len(text))
}

func importGetInto(key string, room unsafe.Pointer, roomBytes uint32) int32 {
	value, ok := localState[key]
	if !ok {
		return -1
	}
	if len(value) <= int(roomBytes) {
		copy(unsafe.Slice((*byte)(room), roomBytes), value)
	}
	return int32(len(value))
}

func importSet(key, value string) { localState[strings.Clone(key)] = strings.Clone(value) }

func importDelete(key string) { delete(localState, key) }

func importScan(prefix, after string, limit int32) int64 {
	var page []byte
	for _, key := range slices.Sorted(maps.Keys(localState)) {
		if limit > 0 && strings.HasPrefix(key, prefix) && (after == "" || key > after) {
			value := localState[key]
			page = binary.LittleEndian.AppendUint32(page, uint32(len(key)))
			page = binary.LittleEndian.AppendUint32(page, uint32(len(value)))
			page = append(append(page, key...), value...)
			limit--
		}
	}
	return grantText(string(page))
}

func importConfig() int64 { return grantText(localConfig) }

func importContentType(string) {}

// ExportGuard notes that the view's guard is exported, as package guard asks for.
func ExportGuard() { guardExported = true }
