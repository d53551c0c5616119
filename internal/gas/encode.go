package gas

import (
	"slices"
	"strconv"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// encode returns the rewritten module, and the number of the module's own mutable globals.
func (r *rewriter) encode() (wasm []byte, globals int) {
	exports, globals := r.exports()
	sections := map[byte][]byte{
		wasmbin.SectionGlobal: r.globals(),
		wasmbin.SectionExport: exports,
		wasmbin.SectionStart:  nil,
		wasmbin.SectionCode:   r.code(),
	}
	var names []byte
	for _, s := range r.module.Sections {
		_, rewritten := sections[s.ID]
		switch {
		case s.ID == wasmbin.SectionCustom && names == nil && wasmbin.NewReader(s.Data).Name() == customNames:
			names = functionNames(s.Data, len(r.module.Imports)+len(r.module.Functions))
		case s.ID != wasmbin.SectionCustom && !rewritten:
			sections[s.ID] = s.Data
		}
	}
	sections[wasmbin.SectionFunction] = more(sections[wasmbin.SectionFunction], 1, r.emptyType())
	if r.added > 0 {
		sections[wasmbin.SectionType] = more(sections[wasmbin.SectionType], int(r.added), r.types)
	}
	if r.refers {
		sections[wasmbin.SectionElement] = r.elements(sections[wasmbin.SectionElement])
	}
	wasm = []byte(wasmbin.Magic)
	for _, id := range wasmbin.SectionOrder {
		if data := sections[id]; len(data) > 0 {
			wasm = append(wasm, section(id, data)...)
		}
	}
	if names != nil {
		wasm = append(wasm, section(wasmbin.SectionCustom, names)...)
	}
	return wasm, globals
}

func section(id byte, data []byte) []byte {
	return append(wasmbin.AppendU([]byte{id}, uint32(len(data))), data...)
}

// data returns the contents of a section of the module, nil if there is no such section.
func (r *rewriter) data(id byte) []byte {
	for _, s := range r.module.Sections {
		if s.ID == id {
			return s.Data
		}
	}
	return nil
}

// more appends n encoded elements to a section that is a vector. Empty data is an empty vector.
func more(data []byte, n int, elements []byte) []byte {
	old := wasmbin.NewReader(data)
	length := 0
	if old.More() {
		length = int(old.U32())
	}
	out := wasmbin.AppendU(nil, uint32(length+n))
	out = append(out, data[old.At():]...)
	return append(out, elements...)
}

// globals returns the global section with the counters of gas and the stack appended.
func (r *rewriter) globals() []byte {
	const mutable = 1
	counter := func(start int64) []byte {
		return appendOp(appendI64([]byte{wasmbin.TypeI64, mutable}, start), wasmbin.OpEnd)
	}
	added := append(counter(0), counter(0)...) // gas and its reserve
	if r.prices.rates != nil {
		added = append(append(added, counter(1)...), counter(1)...)
	}
	if !r.recursive {
		return more(r.data(wasmbin.SectionGlobal), int(r.counters()), added)
	}
	added = appendOp(appendI32(append(added, wasmbin.TypeI32, mutable), StackBytes), wasmbin.OpEnd)
	return more(r.data(wasmbin.SectionGlobal), int(r.counters())+1, added)
}

// abiFunctions are the exported functions that are kept.
var abiFunctions = []string{
	"tally_alloc", "tally_event_room", "tally_fields", "tally_fold", "tally_fold_batch", "tally_guard", "tally_query", "_initialize",
}

func abiExport(e wasmbin.Export) bool {
	return e.Kind == wasmbin.KindMemory && e.Name == "memory" ||
		e.Kind == wasmbin.KindFunction && slices.Contains(abiFunctions, e.Name)
}

func (r *rewriter) exports() (section []byte, globals int) {
	n := 0
	var out []byte
	add := func(name string, kind byte, index uint32) {
		out = append(wasmbin.AppendU(out, uint32(len(name))), name...)
		out = wasmbin.AppendU(append(out, kind), index)
		n++
	}
	for _, e := range r.module.Exports {
		if abiExport(e) {
			add(e.Name, e.Kind, e.Index)
		}
	}
	add(ExportGas, wasmbin.KindGlobal, r.gas)
	add(ExportReserve, wasmbin.KindGlobal, r.reserve())
	add(ExportRefill, wasmbin.KindFunction, r.refillFunction())
	if r.prices.rates != nil {
		add(ExportRate, wasmbin.KindGlobal, r.rate())
		add(ExportMaxRate, wasmbin.KindGlobal, r.maxRate())
	}
	if r.recursive {
		add(ExportStack, wasmbin.KindGlobal, r.stack)
	}
	for i, global := range r.module.Globals {
		if global.Mutable {
			add(ExportGlobal+strconv.Itoa(globals), wasmbin.KindGlobal, uint32(i))
			globals++
		}
	}
	if r.module.HasStart {
		add(ExportStart, wasmbin.KindFunction, r.module.Start)
	}
	return append(wasmbin.AppendU(nil, uint32(n)), out...), globals
}

// elements appends a declarative segment with the functions whose exports are removed, so that code may still refer to
// them.
func (r *rewriter) elements(data []byte) []byte {
	const declarative, functions = 3, 0
	var dropped []uint32
	for _, e := range r.module.Exports {
		if e.Kind == wasmbin.KindFunction && !abiExport(e) {
			dropped = append(dropped, e.Index)
		}
	}
	if len(dropped) == 0 {
		return data
	}
	segment := wasmbin.AppendU([]byte{declarative, functions}, uint32(len(dropped)))
	for _, index := range dropped {
		segment = wasmbin.AppendU(segment, index)
	}
	return more(data, 1, segment)
}

func (r *rewriter) code() []byte {
	bodies := append(slices.Clip(r.bodies), r.refill())
	out := wasmbin.AppendU(nil, uint32(len(bodies)))
	for _, b := range bodies {
		out = wasmbin.AppendU(out, uint32(len(b)))
		out = append(out, b...)
	}
	return out
}
