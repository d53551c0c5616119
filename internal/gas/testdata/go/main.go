// A view that decodes every event and writes it back sorted, with what Go programs are made of: its scheduler, collector
// and maps, encoding/json with its reflection, goroutines, channels, defers and recovered panics.
package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"unsafe"
)

func main() {}

//go:wasmimport tally set
func set(key unsafe.Pointer, keyLength uint32, value unsafe.Pointer, valueLength uint32)

var pinned = map[uintptr][]byte{}

//go:wasmexport tally_alloc
func alloc(n uint32) uint32 {
	room := make([]byte, n+8)
	at := uintptr(unsafe.Pointer(&room[0]))
	pinned[at] = room
	return uint32(at)
}

//go:wasmexport tally_fold
func fold(event uint32) int32 {
	at := (*[8]uint32)(unsafe.Pointer(uintptr(event)))
	data := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(at[6]))), at[7])
	var value map[string]any
	if err := json.Unmarshal(data, &value); err != nil {
		return -1
	}
	keys := make(chan []string)
	go func() {
		var all []string
		for key := range value {
			all = append(all, key)
		}
		sort.Strings(all)
		keys <- all
	}()
	for _, key := range <-keys {
		text := fmt.Sprintf("%q", describe(value[key]))
		set(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
	}
	clear(pinned)
	return 0
}

func describe(v any) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint("no number: ", v)
		}
	}()
	return fmt.Sprintf("%.3f", v.(float64)/3)
}

//go:wasmexport tally_query
func query(ptr, length uint32) uint64 { return uint64(ptr)<<32 | uint64(length) }
