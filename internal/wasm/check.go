package wasm

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// check refuses, before anything is compiled, a module that is not a view, with an error that names the export or
// import. It reads the sections around the code; what it lets pass is still validated by the compiler.
func check(wasm []byte) error {
	header, rest := wasm[:min(8, len(wasm))], wasm[min(8, len(wasm)):]
	switch {
	case !bytes.HasPrefix(header, []byte("\x00asm")):
		return refusef(CodeNotWasm, "it starts with %q, not with \"\\x00asm\"; a view is a binary WebAssembly module", header)
	case string(header[4:]) == "\x0d\x00\x01\x00":
		return refusef(CodeNotWasm, "it is a WebAssembly component; a view is a core module")
	case string(header[4:]) != "\x01\x00\x00\x00":
		return refusef(CodeNotWasm, "its version is %q; only version 1 is known", header[4:])
	}
	var c checker
	if err := c.sections(reader{data: rest}); err != nil {
		return err
	}
	return c.checkExports()
}

// checker collects what the sections of a module declare.
type checker struct {
	reader   // of the section that is being read
	types    []signature
	imported int      // functions that are imported; they come first among the functions
	funcs    []uint32 // the type of each function
	memories int
	exports  map[string]export
}

type export struct {
	kind  byte
	index uint32
}

// typeV128 is the value type of SIMD.
const typeV128 = 0x7b

// Kinds of imports and exports.
const kindFunction, kindMemory = 0, 2

var kindNames = []string{"function", "table", "memory", "global", "tag"}

func kindName(kind byte) string {
	if int(kind) < len(kindNames) {
		return kindNames[kind]
	}
	return fmt.Sprintf("kind %d", kind)
}

// Sections by their id, and the order in which they must stand.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
)

var sectionOrder = []byte{
	sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionTag, sectionGlobal, sectionExport,
	sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData,
}

func (c *checker) sections(module reader) error {
	last := -1
	for module.more() {
		id := module.byte()
		c.reader = reader{data: module.bytes(module.u32())}
		if module.bad {
			return refusef(CodeInvalidModule, "section %d goes beyond the end of the module", id)
		}
		if id == sectionCustom {
			continue
		}
		place := slices.Index(sectionOrder, id)
		if place <= last {
			return refusef(CodeInvalidModule, "section %d is unknown, doubled or out of order", id)
		}
		last = place
		if err := c.section(id); err != nil {
			return err
		}
		if c.bad {
			return refusef(CodeInvalidModule, "section %d is malformed", id)
		}
	}
	return nil
}

func (c *checker) section(id byte) error {
	switch id {
	case sectionType:
		return c.readTypes()
	case sectionImport:
		return c.readImports()
	case sectionFunction:
		return c.readFunctions()
	case sectionTable:
		return c.readTables()
	case sectionMemory:
		return c.readMemories()
	case sectionExport:
		c.readExports()
	case sectionStart:
		return refusef(CodeUnsupportedFeature, "it has a start section; export _initialize instead")
	case sectionCode:
		return c.readBodies()
	case sectionTag:
		return refusef(CodeUnsupportedFeature, "it has exception tags; views may use WebAssembly 2.0 without SIMD")
	}
	return nil // the rest is the compiler's to judge
}

func (c *checker) readTypes() error {
	for range c.count() {
		if form := c.byte(); form != 0x60 && !c.bad {
			return refusef(CodeUnsupportedFeature, "type %d has form 0x%02x; only function types are allowed", len(c.types), form)
		}
		params := string(c.bytes(c.u32()))
		results := string(c.bytes(c.u32()))
		if strings.IndexByte(params+results, typeV128) >= 0 {
			return refusef(CodeUnsupportedFeature, "type %d uses v128; SIMD is not allowed", len(c.types))
		}
		c.types = append(c.types, signature{params, results})
	}
	return nil
}

func (c *checker) readImports() error {
	for range c.count() {
		module, name, kind := c.name(), c.name(), c.byte()
		if c.bad {
			return nil
		}
		if kind != kindFunction {
			return refusef(CodeUnknownImport, "it imports the %s %.100q.%.100q; a view may import only the functions %s",
				kindName(kind), module, name, importNames())
		}
		found, ok := c.signature(c.u32())
		if !ok {
			c.fail()
			return nil
		}
		want, ok := importSignature(module, name)
		if !ok {
			return refusef(CodeUnknownImport, "it imports %.100q.%.100q %s; a view may import only %s",
				module, name, found, importNames())
		}
		if found != want {
			return refusef(CodeWrongSignature, "it imports %s.%s as %s; it is %s", module, name, found, want)
		}
		c.funcs = append(c.funcs, 0)
		c.imported++
	}
	return nil
}

func (c *checker) readFunctions() error {
	n := c.count()
	if n > maxFunctions {
		return refusef(CodeTooLarge, "it has %d functions; at most %d are allowed", n, maxFunctions)
	}
	for range n {
		c.funcs = append(c.funcs, c.u32())
	}
	return nil
}

func (c *checker) readTables() error {
	for range c.count() {
		c.byte() // the type of its entries
		flags, _, most := c.limits()
		switch {
		case c.bad:
			return nil
		case flags > 1:
			return refusef(CodeUnsupportedFeature, "a table has limits of kind 0x%02x; only plain 32-bit tables are allowed", flags)
		case flags == 0:
			return refusef(CodeTooLarge, "a table has no maximum size; declare one of at most %d entries", maxTableEntries)
		case most > maxTableEntries:
			return refusef(CodeTooLarge, "a table may grow to %d entries; at most %d are allowed", most, maxTableEntries)
		}
	}
	return nil
}

func (c *checker) readMemories() error {
	c.memories = c.count()
	if c.memories > 1 {
		return refusef(CodeUnsupportedFeature, "it has %d memories; one is allowed", c.memories)
	}
	for range c.memories {
		flags, least, _ := c.limits()
		if flags > 1 && !c.bad {
			return refusef(CodeUnsupportedFeature, "its memory has limits of kind 0x%02x; shared and 64-bit memories are not allowed", flags)
		}
		if least > MaxMemoryPages {
			return refusef(CodeTooLarge, "its memory has %d pages of 64 KiB; at most %d are allowed", least, MaxMemoryPages)
		}
	}
	return nil
}

func (c *checker) readExports() {
	n := c.count()
	c.exports = make(map[string]export, n)
	for range n {
		name := c.name()
		c.exports[name] = export{kind: c.byte(), index: c.u32()}
	}
}

func (c *checker) readBodies() error {
	for i := range c.count() {
		body := reader{data: c.bytes(c.u32())}
		if c.bad {
			return nil
		}
		if len(body.data) > maxBodyBytes {
			return refusef(CodeTooLarge, "function %d has %d bytes of code; at most %d are allowed",
				c.imported+i, len(body.data), maxBodyBytes)
		}
		var locals uint64
		for range body.count() {
			locals += uint64(body.u32())
			if body.byte() == typeV128 { // which the compiler lets pass, without SIMD too
				return refusef(CodeUnsupportedFeature, "function %d has a local of type v128; SIMD is not allowed", c.imported+i)
			}
		}
		if body.bad {
			c.fail()
			return nil
		}
		if locals > maxLocals {
			return refusef(CodeTooLarge, "function %d has %d locals; at most %d are allowed", c.imported+i, locals, maxLocals)
		}
	}
	return nil
}

func (c *checker) checkExports() error {
	memory, ok := c.exports["memory"]
	switch {
	case !ok:
		return refusef(CodeMissingExport, "it must export its memory as \"memory\"; it exports %s", c.exportNames())
	case memory.kind != kindMemory:
		return refusef(CodeWrongSignature, "its export memory is a %s; it must be the module's memory", kindName(memory.kind))
	case c.memories == 0:
		return refusef(CodeInvalidModule, "it exports a memory that it does not have")
	}
	for _, want := range guestExports {
		if err := c.checkExport(want); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) checkExport(want guestExport) error {
	found, ok := c.exports[want.name]
	switch {
	case !ok && want.optional:
		return nil
	case !ok:
		return refusef(CodeMissingExport, "it must export %s %s; it exports %s", want.name, want.signature, c.exportNames())
	case found.kind != kindFunction:
		return refusef(CodeWrongSignature, "its export %s is a %s; it must be a function %s",
			want.name, kindName(found.kind), want.signature)
	case int(found.index) < c.imported:
		return refusef(CodeWrongSignature, "its export %s is one of its imports; it must be a function of the module", want.name)
	case int(found.index) >= len(c.funcs):
		return refusef(CodeInvalidModule, "its export %s is function %d; it has %d", want.name, found.index, len(c.funcs))
	}
	signature, ok := c.signature(c.funcs[found.index])
	if !ok {
		return refusef(CodeInvalidModule, "function %d has type %d; there are %d", found.index, c.funcs[found.index], len(c.types))
	}
	if signature != want.signature {
		return refusef(CodeWrongSignature, "its export %s is %s; it must be %s", want.name, signature, want.signature)
	}
	return nil
}

func (c *checker) signature(index uint32) (signature, bool) {
	if uint64(index) >= uint64(len(c.types)) {
		return signature{}, false
	}
	return c.types[index], true
}

// exportNames lists what a module exports, as a hint in errors.
func (c *checker) exportNames() string {
	if len(c.exports) == 0 {
		return "nothing"
	}
	var names []string
	for name := range c.exports {
		names = append(names, fmt.Sprintf("%.100q", name))
	}
	slices.Sort(names)
	const shown = 10
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("and %d more", len(names)-shown))
	}
	return strings.Join(names, ", ")
}
