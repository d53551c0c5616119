package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// check refuses, before anything is compiled, a module that is not a view or that could keep the compiler busy for long. The
// error names what was found and what is allowed. The compiler still validates what passes.
func check(wasm []byte) error {
	header := wasm[:min(len(wasmbin.Magic), len(wasm))]
	switch {
	case !bytes.HasPrefix(header, []byte("\x00asm")):
		return refusef(CodeNotWasm, "it starts with %q, not with \"\\x00asm\"; a view is a binary WebAssembly module", header)
	case string(header[4:]) == "\x0d\x00\x01\x00":
		return refusef(CodeNotWasm, "it is a WebAssembly component; a view is a core module")
	case string(header) != wasmbin.Magic:
		return refusef(CodeNotWasm, "its version is %q; only version 1 is known", header[4:])
	}
	m, err := wasmbin.Parse(wasm)
	if parse, ok := errors.AsType[*wasmbin.ParseError](err); ok && parse.Unsupported {
		return refusef(CodeUnsupportedFeature, "%s; views may use WebAssembly 2.0 without SIMD", parse.Reason)
	} else if err != nil {
		return refusef(CodeInvalidModule, "%v", err)
	}
	c := checker{m}
	for _, part := range []func() error{c.imports, c.sizes, c.globals, c.start, c.code, c.exports} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// checker checks a module's declarations.
type checker struct{ *wasmbin.Module }

var kindNames = []string{"function", "table", "memory", "global", "tag"}

func kindName(kind byte) string {
	if int(kind) < len(kindNames) {
		return kindNames[kind]
	}
	return fmt.Sprintf("kind %d", kind)
}

func (c checker) imports() error {
	for _, in := range c.Imports {
		if in.Kind != wasmbin.KindFunction {
			return refusef(CodeUnknownImport, "it imports the %s %.100q.%.100q; a view may import only the functions %s",
				kindName(in.Kind), in.Module, in.Name, importNames())
		}
		t, ok := c.Type(in.Type)
		if !ok {
			return refusef(CodeInvalidModule, "it imports %.100q.%.100q with type %d; there are %d",
				in.Module, in.Name, in.Type, len(c.Types))
		}
		found := signature{t.Params, t.Results}
		want, ok := importSignature(in.Module, in.Name)
		if !ok {
			return refusef(CodeUnknownImport, "it imports %.100q.%.100q %s; a view may import only %s",
				in.Module, in.Name, found, importNames())
		}
		if found != want {
			return refusef(CodeWrongSignature, "it imports %s.%s as %s; it is %s", in.Module, in.Name, found, want)
		}
	}
	return nil
}

// sizes checks the limits on numbers.
func (c checker) sizes() error {
	entries, elements, variables := 0, 0, 0
	for _, table := range c.Tables {
		entries += int(table.Limits.Min)
	}
	for _, e := range c.Elements {
		elements += e.Length
	}
	for _, global := range c.Globals {
		if global.Mutable {
			variables++
		}
	}
	if err := atMost("it has", []count{
		{len(c.Functions), maxFunctions, "functions"},
		{len(c.Types), maxTypes, "types"},
		{len(c.Imports), maxImports, "imports"},
		{len(c.Exports), maxExports, "exports"},
		{len(c.Globals), maxGlobals, "globals"},
		{variables, maxVariables, "mutable globals"},
		{len(c.Tables), maxTables, "tables"},
		{entries, maxTableEntries, "entries in its tables"},
		{elements, maxElements, "elements for its tables"},
		{c.Data, maxSegments, "data segments"},
	}); err != nil {
		return err
	}
	if len(c.Functions) != len(c.Bodies) {
		return refusef(CodeInvalidModule, "it declares %d functions and has the code of %d", len(c.Functions), len(c.Bodies))
	}
	if n := len(c.Memories); n > 1 {
		return refusef(CodeUnsupportedFeature, "it has %d memories; one is allowed", n)
	}
	for _, memory := range c.Memories {
		if memory.Min > MaxMemoryPages {
			return refusef(CodeTooLarge, "its memory has %d pages of 64 KiB; at most %d are allowed", memory.Min, MaxMemoryPages)
		}
	}
	return c.names()
}

func (c checker) names() error {
	for i, t := range c.Types {
		if n := max(len(t.Params), len(t.Results)); n > maxValues {
			return tooLarge("type %d has %d parameters or results; at most %d are allowed", i, n, maxValues)
		}
	}
	for _, in := range c.Imports {
		if n := max(len(in.Module), len(in.Name)); n > maxNameBytes {
			return tooLarge("the name of an import has %d bytes; at most %d are allowed", n, maxNameBytes)
		}
	}
	for _, e := range c.Exports {
		if n := len(e.Name); n > maxNameBytes {
			return tooLarge("the name of an export has %d bytes; at most %d are allowed", n, maxNameBytes)
		}
	}
	return nil
}

// globals checks that all mutable globals can be saved and restored, which references cannot.
func (c checker) globals() error {
	for i, global := range c.Globals {
		if global.Mutable && (global.Type == wasmbin.TypeFuncref || global.Type == wasmbin.TypeExternref) {
			return refusef(CodeUnsupportedFeature, "global %d is a mutable %s; a view's variables are numbers",
				i, wasmbin.TypeName(global.Type))
		}
	}
	return nil
}

func (c checker) start() error {
	if !c.HasStart {
		return nil
	}
	t, ok := c.FunctionType(c.Start)
	switch is := (signature{t.Params, t.Results}); {
	case !ok:
		return refusef(CodeInvalidModule, "its start function is function %d; there are %d", c.Start, len(c.Imports)+len(c.Functions))
	case is != signature{}:
		return refusef(CodeInvalidModule, "its start function is %s; it must be () -> ()", is)
	case int(c.Start) < c.ImportedFunctions():
		return refusef(CodeUnsupportedFeature, "its start function is one of its imports; it must be a function of the module")
	}
	return nil
}

func (c checker) exports() error {
	exports := make(map[string]wasmbin.Export, len(c.Exports))
	for _, e := range c.Exports {
		if _, ok := exports[e.Name]; ok {
			return refusef(CodeInvalidModule, "it exports %.100q twice", e.Name)
		}
		exports[e.Name] = e
	}
	memory, ok := exports["memory"]
	switch {
	case !ok:
		return refusef(CodeMissingExport, "it must export its memory as \"memory\"; it exports %s", c.exportNames())
	case memory.Kind != wasmbin.KindMemory:
		return refusef(CodeWrongSignature, "its export memory is a %s; it must be the module's memory", kindName(memory.Kind))
	case len(c.Memories) == 0:
		return refusef(CodeInvalidModule, "it exports a memory that it does not have")
	}
	for _, want := range guestExports {
		found, ok := exports[want.name]
		if !ok && want.optional {
			continue
		}
		if !ok {
			return refusef(CodeMissingExport, "it must export %s %s; it exports %s", want.name, want.signature, c.exportNames())
		}
		if err := c.export(found, want); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) export(found wasmbin.Export, want guestExport) error {
	switch imported := c.ImportedFunctions(); {
	case found.Kind != wasmbin.KindFunction:
		return refusef(CodeWrongSignature, "its export %s is a %s; it must be a function %s",
			want.name, kindName(found.Kind), want.signature)
	case int(found.Index) < imported:
		return refusef(CodeWrongSignature, "its export %s is one of its imports; it must be a function of the module", want.name)
	case int(found.Index) >= imported+len(c.Functions):
		return refusef(CodeInvalidModule, "its export %s is function %d; it has %d",
			want.name, found.Index, imported+len(c.Functions))
	}
	t, ok := c.FunctionType(found.Index)
	if !ok {
		return refusef(CodeInvalidModule, "function %d has a type that is not there; there are %d", found.Index, len(c.Types))
	}
	if is := (signature{t.Params, t.Results}); is != want.signature {
		return refusef(CodeWrongSignature, "its export %s is %s; it must be %s", want.name, is, want.signature)
	}
	return nil
}

// exportNames lists what a module exports, for error messages.
func (c checker) exportNames() string {
	if len(c.Exports) == 0 {
		return "nothing"
	}
	var names []string
	for _, e := range c.Exports {
		names = append(names, fmt.Sprintf("%.100q", e.Name))
	}
	slices.Sort(names)
	const shown = 10
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("and %d more", len(names)-shown))
	}
	return strings.Join(names, ", ")
}
