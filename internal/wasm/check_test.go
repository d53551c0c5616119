package wasm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/gas"
	"github.com/tallystick/tallystick/internal/wasmbin"
)

func TestCompileRefuses(t *testing.T) {
	tests := []struct {
		name, code, reason string
		change             func(g *guest)
	}{
		{"no memory export", CodeMissingExport, `as "memory"; it exports "tally_alloc"`, func(g *guest) { g.exports = nil }},
		{"memory is a function", CodeWrongSignature, "export memory is a function", func(g *guest) {
			g.exports = []exportEntry{{"memory", wasmbin.KindFunction, ownFunctions}}
		}},
		{"memory that is not there", CodeInvalidModule, "does not have", func(g *guest) { g.memory, g.data = nil, nil }},
		{
			"no fold", CodeMissingExport, "must export tally_fold (i32) -> (i32)",
			func(g *guest) { g.function("tally_fold").export = "fold" },
		},
		{"no alloc", CodeMissingExport, "must export tally_alloc", func(g *guest) { g.function("tally_alloc").export = "alloc" }},
		{"no query", CodeMissingExport, "must export tally_query", func(g *guest) { g.function("tally_query").export = "query" }},
		{"fold of another type", CodeWrongSignature, "tally_fold is (i32, i32) -> (i32); it must be (i32) -> (i32)", func(g *guest) {
			g.function("tally_fold").signature.params = i32 + i32
		}},
		{"fields of another type", CodeWrongSignature, "tally_fields is () -> (i32)", func(g *guest) {
			*g.function("tally_fields") = function{export: "tally_fields", signature: signature{"", i32}, body: opConst(0)}
		}},
		{"initialize of another type", CodeWrongSignature, "_initialize is (i32) -> ()", func(g *guest) {
			g.initialize().function("_initialize").signature.params = i32
		}},
		{"fold is a global", CodeWrongSignature, "tally_fold is a global", func(g *guest) {
			g.function("tally_fold").export = "fold"
			g.exports = append(g.exports, exportEntry{"tally_fold", 3, 0})
		}},
		{"query is an import", CodeWrongSignature, "tally_query is one of its imports", func(g *guest) {
			g.function("tally_query").export = "query"
			g.exports = append(g.exports, exportEntry{"tally_query", wasmbin.KindFunction, callGet})
		}},
		{"export of no function", CodeInvalidModule, "tally_query is function 999", func(g *guest) {
			g.function("tally_query").export = "query"
			g.exports = append(g.exports, exportEntry{"tally_query", wasmbin.KindFunction, 999})
		}},
		{"another WASI", CodeUnknownImport, `"wasi_unstable"."clock_time_get" (i32, i64, i32) -> (i32)`, func(g *guest) {
			g.imports[0] = importEntry{"wasi_unstable", "clock_time_get", wasmbin.KindFunction, signature{i32 + i64 + i32, i32}}
		}},
		{"unknown import", CodeUnknownImport, `"tally"."now" () -> (i64); a view may import only tally.get, tally.set`, func(g *guest) {
			g.imports[0] = importEntry{hostModule, "now", wasmbin.KindFunction, signature{"", i64}}
		}},
		{"import of a global", CodeUnknownImport, `the global "tally"."get"`, func(g *guest) { g.imports[0].kind = 3 }},
		{"import of another type", CodeWrongSignature, "tally.get as (i32) -> (i64); it is (i32, i32) -> (i64)", func(g *guest) {
			g.imports[0].signature.params = i32
		}},
		{"start of another type", CodeInvalidModule, "start function is (i32) -> (i32); it must be () -> ()", func(g *guest) {
			g.sections = map[byte][]byte{wasmbin.SectionStart: {ownFunctions}}
		}},
		{"start that is not there", CodeInvalidModule, "start function is function 99; there are 13", func(g *guest) {
			g.sections = map[byte][]byte{wasmbin.SectionStart: {99}}
		}},
		{"exception tags", CodeUnsupportedFeature, "exception tags", func(g *guest) {
			g.sections = map[byte][]byte{wasmbin.SectionTag: {1, 0, 0}}
		}},
		{"SIMD", CodeUnsupportedFeature, "simd", func(g *guest) {
			g.fold([]byte{0xfd, 12}, make([]byte, 16), opDrop, opConst(0))
		}},
		{"SIMD local", CodeUnsupportedFeature, "local of type v128", func(g *guest) { g.function("tally_fold").locals += "\x7b" }},
		{"SIMD parameter", CodeUnsupportedFeature, "type 13 uses v128", func(g *guest) {
			*g.function("more") = function{export: "more", signature: signature{"\x7b", ""}}
		}},
		{"two memories", CodeUnsupportedFeature, "2 memories", func(g *guest) {
			g.sections = map[byte][]byte{wasmbin.SectionMemory: {2, 0, 1, 0, 1}}
		}},
		{"shared memory", CodeUnsupportedFeature, "limits of kind 0x03", func(g *guest) { g.memory = []byte{3, 1, 1} }},
		{"64-bit memory", CodeUnsupportedFeature, "limits of kind 0x04", func(g *guest) { g.memory = []byte{4, 1} }},
		{
			"big memory", CodeTooLarge, "1025 pages of 64 KiB; at most 1024",
			func(g *guest) { g.memory = append([]byte{0}, leb(MaxMemoryPages+1)...) },
		},
		{"big table", CodeTooLarge, "65537 entries in its tables; at most 65536", func(g *guest) {
			g.table = append([]byte{0x70, 0}, leb(maxTableEntries+1)...)
		}},
		{"big body", CodeTooLarge, "bytes of code; at most 262144", func(g *guest) {
			g.fold(bytes.Repeat([]byte{0x01}, maxBodyBytes), opConst(0))
		}},
		{"many locals", CodeTooLarge, "514 locals, parameters included; at most 512", func(g *guest) {
			g.function("tally_fold").locals = strings.Repeat(i32, maxLocals+1)
		}},
		{"a long path of calls", CodeTooLarge, "bytes of stack, recursion not counted; at most 8388608", func(g *guest) {
			for i := range 20 {
				g.functions = append(g.functions, function{
					export: fmt.Sprint("f", i), body: code(opCall(ownFunctions+len(g.functions)+1), bytes.Repeat([]byte{0x01}, 100_000)),
				})
			}
			g.functions = append(g.functions, function{export: "last"})
		}},
		{"many functions", CodeTooLarge, "20001 functions", func(g *guest) {
			g.sections = map[byte][]byte{wasmbin.SectionFunction: append(leb(maxFunctions+1), make([]byte, maxFunctions+1)...)}
		}},
		{
			"other types", CodeUnsupportedFeature, "form 0x5f",
			func(g *guest) { g.sections = map[byte][]byte{wasmbin.SectionType: {1, 0x5f, 0}} },
		},
		{"code that does not type", CodeInvalidModule, "", func(g *guest) { g.fold(opConst64(0)) }},
		{
			"truncated section", CodeInvalidModule, "malformed",
			func(g *guest) { g.sections = map[byte][]byte{wasmbin.SectionExport: {9, 1}} },
		},
		{"trap in _initialize", CodeInitFailed, "unreachable", func(g *guest) { g.initialize(opUnreachable) }},
		{"state in _initialize", CodeInitFailed, "get was called in _initialize", func(g *guest) {
			g.initialize(opConst(0), opConst(1), opCall(callGet), opDrop)
		}},
		{"data beyond memory", CodeInitFailed, "", func(g *guest) { g.data[2<<16] = "x" }},
	}
	e := newEngine(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGuest()
			tt.change(g)
			refused(t, e, g.encode(), tt.code, tt.reason)
		})
	}
}

func TestCompileRefusesBytes(t *testing.T) {
	valid := newGuest().encode()
	e := newEngine(t)
	for _, tt := range []struct {
		name, code, reason string
		wasm               []byte
	}{
		{"nothing", CodeNotWasm, `starts with ""`, nil},
		{"text", CodeNotWasm, `starts with "(module)"`, []byte("(module)")},
		{"magic alone", CodeNotWasm, "version", []byte("\x00asm")},
		{"component", CodeNotWasm, "component", []byte("\x00asm\x0d\x00\x01\x00")},
		{"version 2", CodeNotWasm, "only version 1", []byte("\x00asm\x02\x00\x00\x00")},
		{"too large", CodeTooLarge, "4194305 bytes; at most 4194304", append(valid, make([]byte, MaxModuleBytes+1-len(valid))...)},
		{"empty module", CodeMissingExport, "exports nothing", valid[:8]},
		{"cut off", CodeInvalidModule, "beyond the end", valid[:len(valid)-1]},
		{"doubled section", CodeInvalidModule, "out of order", append(bytes.Clone(valid), wasmbin.SectionType, 1, 0)},
		{"unknown section", CodeInvalidModule, "section 77", append(bytes.Clone(valid), 77, 1, 0)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, e, tt.wasm, tt.code, tt.reason)
		})
	}
}

func refused(t *testing.T, e *Engine, wasm []byte, code, reason string) {
	t.Helper()
	_, err := e.Compile(context.Background(), wasm)
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("Compile: %v, want a *RefusedError", err)
	}
	if refused.Code != code || !strings.Contains(refused.Reason, reason) {
		t.Errorf("code %s, reason %q; want %s, …%s…", refused.Code, refused.Reason, code, reason)
	}
}

// What check lets pass either compiles to a module with the exports of the ABI or is refused: it never panics, and the
// compiler never sees other exports than check did.
func FuzzCheck(f *testing.F) {
	for _, g := range []*guest{newGuest(), storeGuest(), scanGuest(), countGuest(), newGuest().initialize()} {
		f.Add(g.encode())
	}
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, runtimeConfig)
	f.Cleanup(func() { _ = runtime.Close(ctx) })
	f.Fuzz(func(t *testing.T, wasm []byte) {
		if check(wasm) != nil {
			return
		}
		metered, err := gas.Meter(wasm, gas.CostModel)
		if err != nil {
			return
		}
		compiled, err := compileWith(ctx, runtime, metered.Wasm)
		if err != nil {
			return
		}
		defer func() { _ = compiled.Close(ctx) }()
		for _, want := range guestExports {
			found, ok := compiled.ExportedFunctions()[want.name]
			if !ok && !want.optional {
				t.Fatalf("the compiler finds no %s", want.name)
			}
			if ok && (signature{types(found.ParamTypes()), types(found.ResultTypes())}) != want.signature {
				t.Fatalf("the compiler sees %s as %v -> %v", want.name, found.ParamTypes(), found.ResultTypes())
			}
		}
		for _, imported := range compiled.ImportedFunctions() {
			module, name, _ := imported.Import()
			if _, ok := importSignature(module, name); !ok {
				t.Fatalf("the compiler sees the import %s.%s", module, name)
			}
		}
	})
}

func types(types []api.ValueType) string { return string(types) }
