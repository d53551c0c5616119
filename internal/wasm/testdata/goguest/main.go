// Command goguest is a view written in Go without a kit, to show that Go's runtime lives in the sandbox: its heap and
// garbage collector, goroutines, maps, and panics. What it does is asked for by the event's text.
package main

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"
)

func main() {}

//go:wasmimport tally get
func get(key unsafe.Pointer, keyLen uint32) uint64

//go:wasmimport tally set
func set(key unsafe.Pointer, keyLen uint32, value unsafe.Pointer, valueLen uint32)

// room is what tally_alloc gave since the last call ended; that it is here keeps it from the garbage collector.
var room [][]uint64

//go:wasmexport tally_alloc
func alloc(n uint32) unsafe.Pointer {
	words := make([]uint64, n/8+1)
	room = append(room, words)
	return unsafe.Pointer(&words[0])
}

// remembered is state of the guest's own, which the host must take away.
var remembered = map[string]int{}

//go:wasmexport tally_fold
func fold(header unsafe.Pointer) int32 {
	defer func() { room = room[:0] }()
	data := *(*uint32)(unsafe.Add(header, 24))
	length := *(*uint32)(unsafe.Add(header, 28))
	text := unsafe.String((*byte)(unsafe.Pointer(uintptr(data))), length)
	what, arg, _ := strings.Cut(strings.Trim(text, `"`), " ")
	n, _ := strconv.Atoi(arg)
	switch what {
	case "count":
		count()
	case "panic":
		panic("boom " + arg)
	case "exit":
		fmt.Println("bye")
		os.Exit(n)
	case "garbage":
		store("garbage", garbage(n))
	case "grow":
		kept = append(kept, make([]byte, n))
	case "goroutines":
		store("goroutines", goroutines(n))
	case "world":
		store("world", world())
	case "remember":
		remembered[arg]++
		store("remembered", strconv.Itoa(remembered[arg]))
	case "map":
		order := fmt.Sprint(slices.Collect(maps.Keys(map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5})))
		store("map", order)
	default:
		return 1
	}
	return 0
}

// kept is what grow asked for.
var kept [][]byte

//go:wasmexport tally_query
func query(unsafe.Pointer, uint32) uint64 {
	answer := []byte("null")
	return uint64(uintptr(unsafe.Pointer(&answer[0])))<<32 | uint64(len(answer))
}

func store(key, text string) {
	value := strconv.Quote(text)
	set(unsafe.Pointer(unsafe.StringData(key)), uint32(len(key)), unsafe.Pointer(unsafe.StringData(value)), uint32(len(value)))
}

func count() {
	n := 0
	if packed := get(unsafe.Pointer(unsafe.StringData("n")), 1); int64(packed) >= 0 {
		text := unsafe.String((*byte)(unsafe.Pointer(uintptr(packed>>32))), uint32(packed))
		n, _ = strconv.Atoi(strings.Trim(text, `"`))
	}
	store("n", strconv.Itoa(n+1))
}

// garbage allocates n times 1 KiB and keeps a little of it in a map.
func garbage(n int) string {
	kept := map[int][]byte{}
	for i := range n {
		b := make([]byte, 1<<10)
		b[0] = byte(i)
		kept[i%50] = b
	}
	sum := 0
	for _, b := range kept {
		sum += int(b[0])
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return fmt.Sprint(sum, stats.NumGC > 0)
}

func goroutines(n int) string {
	var wg sync.WaitGroup
	results := make(chan int)
	for i := range n {
		wg.Go(func() { results <- i })
	}
	go func() { wg.Wait(); close(results) }()
	sum := 0
	for r := range results {
		sum += r
	}
	return strconv.Itoa(sum)
}

// world is all that a guest can see of the world around it.
func world() string {
	_, err := os.Open("/etc/passwd")
	_, dirErr := os.Getwd()
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	return fmt.Sprintf("%s args=%d env=%d open=%t dir=%t random=%x", time.Now().UTC().Format(time.RFC3339Nano), len(os.Args),
		len(os.Environ()), err != nil, dirErr != nil, random)
}
