package wasm

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// linkHost instantiates the modules that guests import. Their functions read arguments directly from the stack: wazero's
// reflection-based functions would cost more than the fold.
func linkHost(ctx context.Context, runtime wazero.Runtime) error {
	builders := map[string]wazero.HostModuleBuilder{}
	for _, f := range hostFunctions {
		if builders[f.module] == nil {
			builders[f.module] = runtime.NewHostModuleBuilder(f.module)
		}
		builders[f.module].NewFunctionBuilder().WithGoModuleFunction(
			api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
				in := ctx.(instanceContext).in //nolint:forcetypeassert // newInstance made it
				in.checkPhase(f.name, f.phases)
				units := f.gas
				if units == gasSmall {
					units = in.prices.small
				}
				in.charge(units)
				f.call(in, stack)
			}),
			[]api.ValueType(f.signature.params), []api.ValueType(f.signature.results),
		).Export(f.name)
	}
	for name, builder := range builders {
		if _, err := builder.Instantiate(ctx); err != nil {
			return fmt.Errorf("make the module %s that views import: %w", name, err)
		}
	}
	return nil
}

// unwind aborts the guest from within a host function: the call into the guest returns err, and the instance is spent.
func (in *instance) unwind(err error) {
	in.abort = err
	panic(err)
}

// checkPhase unwinds the guest if it may not call an import in the current phase.
func (in *instance) checkPhase(name string, phases phase) {
	if in.phase&phases != 0 {
		return
	}
	if phases == phaseFold {
		switch in.phase {
		case phaseQuery:
			in.unwind(trapf("%s was called in tally_query: a query must not write", name))
		case phaseGuard:
			in.unwind(trapf("%s was called in tally_guard: a guard must not write", name))
		default:
		}
	}
	in.unwind(trapf("%s was called in %v, which may not call it", name, in.phase))
}

// text returns the bytes at a pointer and length that the guest passed. They alias guest memory, and are valid until the
// guest runs again.
func (in *instance) text(call, what string, ptr, length uint64) []byte {
	b, ok := in.memory.Read(uint32(ptr), uint32(length))
	if !ok {
		in.unwind(trapf("%s: the %s of %d bytes at %d goes beyond the memory of %d bytes",
			call, what, uint32(length), uint32(ptr), in.memory.Size()))
	}
	in.charge(int64(len(b)))
	return b
}

func (in *instance) key(call string, ptr, length uint64) []byte {
	key := in.text(call, "key", ptr, length)
	if err := checkKey(key); err != nil {
		in.unwind(err)
	}
	return key
}

// copyToGuest copies b into memory from tally_alloc and returns its packed address.
func (in *instance) copyToGuest(b []byte) uint64 {
	if len(b) == 0 {
		return packed(0, 0)
	}
	in.charge(int64(len(b)))
	ptr, room, err := in.room(len(b))
	if err != nil {
		in.unwind(err)
	}
	copy(room, b)
	return packed(ptr, uint32(len(b)))
}

func (in *instance) hostGet(stack []uint64) {
	value, ok, err := in.state.Get(in.key("get", stack[0], stack[1]))
	if err != nil {
		in.unwind(err)
	}
	if !ok {
		stack[0] = noValue
		return
	}
	stack[0] = in.copyToGuest(value)
}

// hostGetInto copies a value into a buffer of the guest, if it fits, and returns its length, or -1 if there is none. Unlike get
// it needs no call of tally_alloc.
func (in *instance) hostGetInto(stack []uint64) {
	value, ok, err := in.state.Get(in.key("get_into", stack[0], stack[1]))
	if err != nil {
		in.unwind(err)
	}
	if !ok {
		stack[0] = api.EncodeI32(-1)
		return
	}
	if len(value) <= int(uint32(stack[3])) {
		copy(in.text("get_into", "room", stack[2], uint64(len(value))), value)
	}
	stack[0] = api.EncodeI32(int32(len(value)))
}

func (in *instance) hostSet(stack []uint64) {
	key := in.key("set", stack[0], stack[1])
	value := in.text("set", "value", stack[2], stack[3])
	in.countWrite(len(key) + len(value))
	in.charge(int64(len(value)) * in.prices.jsonByte)
	if err := checkJSON("value", value, MaxValueBytes); err != nil {
		in.unwind(err)
	}
	if err := in.state.Set(key, value); err != nil {
		in.unwind(err)
	}
}

func (in *instance) hostDelete(stack []uint64) {
	key := in.key("delete", stack[0], stack[1])
	in.countWrite(len(key))
	if err := in.state.Delete(key); err != nil {
		in.unwind(err)
	}
}

// countWrite enforces the limits on an event's writes. They count calls, not distinct keys, so that an event meets the same
// limit whatever else is in its batch.
func (in *instance) countWrite(size int) {
	in.writes++
	in.writeBytes += size
	switch {
	case in.writes > MaxWrites:
		in.unwind(limitf("the event makes %d writes; at most %d calls of set and delete are allowed for one event",
			in.writes, MaxWrites))
	case in.writeBytes > MaxWriteBytes:
		in.unwind(limitf("the event writes %d bytes; at most %d bytes of keys and values are allowed for one event",
			in.writeBytes, MaxWriteBytes))
	}
}

func (in *instance) hostConfig(stack []uint64) { stack[0] = in.copyToGuest(in.config) }

func (in *instance) hostFail(stack []uint64) {
	text := in.text("fail", "text", stack[0], stack[1])
	text = text[:min(len(text), MaxFailBytes+utf8.UTFMax)] // so that no character is cut at the limit
	in.failText = printable(string(text), MaxFailBytes)
}

func (in *instance) hostContentType(stack []uint64) {
	text := in.text("content_type", "type", stack[0], stack[1])
	at := slices.Index(answerTypes, string(text))
	if at < 0 {
		in.unwind(trapf("content_type: %.100q is not known; an answer is %s", text, strings.Join(answerTypes, ", ")))
	}
	in.answerType = answerTypes[at]
}

func (in *instance) hostScan(stack []uint64) {
	prefix := in.text("scan", "prefix", stack[0], stack[1])
	after := in.text("scan", "after", stack[2], stack[3])
	if err := checkKeyText("prefix of a scan", prefix); err != nil {
		in.unwind(err)
	}
	if err := checkKeyText("key after which to scan", after); err != nil {
		in.unwind(err)
	}
	limit := int32(uint32(stack[4]))
	if limit < 0 {
		in.unwind(limitf("the limit of a scan is %d; it must not be negative", limit))
	}
	used, err := in.gather(prefix, after, int(limit))
	if err != nil {
		in.held.Unuse(in.held.Used() - used)
		in.unwind(err)
	}
	stack[0] = in.copyToGuest(in.transfer)
	in.shrinkTransfer()
	in.held.Unuse(in.held.Used() - used)
}

// shrinkTransfer drops a buffer that is larger than most results need.
func (in *instance) shrinkTransfer() {
	if cap(in.transfer) > scanPage<<10 {
		in.transfer = nil
	}
}

// scanPage is how many entries are read from the state at once, at most 4 MiB: a guest may ask for billions, and gets what fits.
const scanPage = 64

// gather lays out the result of a scan in in.transfer: at most limit entries, and at most MaxScanBytes unless the first entry alone is
// larger. used is the memory that it has booked for them, also after an error.
func (in *instance) gather(prefix, after []byte, limit int) (used int64, err error) {
	const growth = 2 // append may allocate twice as much as it needs
	in.transfer = in.transfer[:0]
	for limit > 0 {
		ask := min(limit, scanPage)
		entries, err := in.state.Scan(prefix, after, ask)
		if err != nil {
			return used, err
		}
		for _, entry := range entries {
			size := 8 + len(entry.Key) + len(entry.Value)
			if len(in.transfer) > 0 && len(in.transfer)+size > MaxScanBytes {
				return used, nil
			}
			if err := in.held.Use(int64(growth * size)); err != nil {
				return used, err
			}
			used += int64(growth * size)
			in.transfer = binary.LittleEndian.AppendUint32(in.transfer, uint32(len(entry.Key)))
			in.transfer = binary.LittleEndian.AppendUint32(in.transfer, uint32(len(entry.Value)))
			in.transfer = append(in.transfer, entry.Key...)
			in.transfer = append(in.transfer, entry.Value...)
			in.charge(gasScanItem)
		}
		if len(entries) < ask {
			return used, nil
		}
		after = entries[len(entries)-1].Key
		limit -= len(entries)
	}
	return used, nil
}
