package gas

import (
	"bytes"
	"slices"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// testModule is written by hand in the binary format, valid or not.
type testModule struct {
	types   []wasmbin.FuncType
	funcs   []testFunc
	globals []wasmbin.Global // all start with 0
	table   []uint32         // functions in a table
	exports map[string]uint32
	start   int // a function, below 0 for none
	data    []string
}

type testFunc struct {
	kind   uint32
	locals string // types, one per byte
	code   []byte // without the closing end
}

func code(parts ...[]byte) []byte { return slices.Concat(parts...) }

func op(o wasmbin.Op, index ...uint32) []byte {
	out := []byte{byte(o)}
	if o > 0xff {
		out = wasmbin.AppendU([]byte{byte(o >> 8)}, uint32(o&0xff))
	}
	for _, i := range index {
		out = wasmbin.AppendU(out, i)
	}
	return out
}

func num(v int64) []byte { return appendI32(nil, v) }

func opening(o wasmbin.Op) []byte { return []byte{byte(o), blockEmpty} }

func vector[T any](elements []T, encode func(T) []byte) []byte {
	out := wasmbin.AppendU(nil, uint32(len(elements)))
	for _, e := range elements {
		out = append(out, encode(e)...)
	}
	return out
}

func sized(b []byte) []byte { return append(wasmbin.AppendU(nil, uint32(len(b))), b...) }

func (m *testModule) encode() []byte {
	parts := map[byte][]byte{
		wasmbin.SectionType: vector(m.types, func(t wasmbin.FuncType) []byte {
			return code([]byte{wasmbin.FunctionForm}, sized([]byte(t.Params)), sized([]byte(t.Results)))
		}),
		wasmbin.SectionFunction: vector(m.funcs, func(f testFunc) []byte { return wasmbin.AppendU(nil, f.kind) }),
		wasmbin.SectionMemory:   {1, 0, 1},
		wasmbin.SectionGlobal: vector(m.globals, func(g wasmbin.Global) []byte {
			mutable := byte(0)
			if g.Mutable {
				mutable = 1
			}
			zero := map[byte][]byte{wasmbin.TypeI32: num(0), wasmbin.TypeI64: appendI64(nil, 0)}[g.Type]
			return code([]byte{g.Type, mutable}, zero, op(wasmbin.OpEnd))
		}),
		wasmbin.SectionCode: vector(m.funcs, func(f testFunc) []byte {
			locals := vector([]byte(f.locals), func(t byte) []byte { return []byte{1, t} })
			return sized(code(locals, f.code, op(wasmbin.OpEnd)))
		}),
	}
	exports := []wasmbin.Export{{Name: "memory", Kind: wasmbin.KindMemory}}
	for name, index := range m.exports {
		exports = append(exports, wasmbin.Export{Name: name, Kind: wasmbin.KindFunction, Index: index})
	}
	slices.SortFunc(exports, func(x, y wasmbin.Export) int { return bytes.Compare([]byte(x.Name), []byte(y.Name)) })
	parts[wasmbin.SectionExport] = vector(exports, func(e wasmbin.Export) []byte {
		return wasmbin.AppendU(append(sized([]byte(e.Name)), e.Kind), e.Index)
	})
	if m.start >= 0 {
		parts[wasmbin.SectionStart] = wasmbin.AppendU(nil, uint32(m.start))
	}
	if len(m.table) > 0 {
		parts[wasmbin.SectionTable] = wasmbin.AppendU([]byte{1, wasmbin.TypeFuncref, 0}, uint32(len(m.table)))
		parts[wasmbin.SectionElement] = code([]byte{1, 0}, num(0), op(wasmbin.OpEnd),
			vector(m.table, func(f uint32) []byte { return wasmbin.AppendU(nil, f) }))
	}
	if len(m.data) > 0 {
		parts[wasmbin.SectionDataCount] = wasmbin.AppendU(nil, uint32(len(m.data)))
		parts[wasmbin.SectionData] = vector(m.data, func(text string) []byte { return append([]byte{1}, sized([]byte(text))...) })
	}
	out := []byte(wasmbin.Magic)
	for _, id := range wasmbin.SectionOrder {
		if data, ok := parts[id]; ok {
			out = append(out, section(id, data)...)
		}
	}
	return out
}
