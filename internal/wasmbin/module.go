package wasmbin

import (
	"bytes"
	"fmt"
)

// Module is the contents of a module's sections. Names and bytes alias the parsed bytes.
type Module struct {
	Sections  []Section
	Types     []FuncType
	Imports   []Import
	Functions []uint32 // types of the functions that are not imported
	Tables    []Table
	Memories  []Limits
	Globals   []Global
	Exports   []Export
	HasStart  bool
	Start     uint32
	Elements  []Element
	Bodies    []Body // of Functions, one each
	Data      int    // segments
	// ConstGlobals and ConstFunctions are the indices used in constant expressions: initial values, offsets, elements.
	ConstGlobals, ConstFunctions []uint32
}

// FuncType is a function's type: its parameters and results, one byte per value type.
type FuncType struct{ Params, Results string }

// Import is an import of a module.
type Import struct {
	Module, Name string
	Kind         byte
	Type         uint32 // of a function
}

// Limits are the initial and the largest size of a memory (in pages) or table (in entries).
type Limits struct {
	Flags    byte // LimitsBounded if there is a Max; above that, a form whose sizes were not read
	Min, Max uint32
}

// LimitsBounded is the flag of limits with a maximum.
const LimitsBounded = 1

// Table is a table of references.
type Table struct {
	Type   byte
	Limits Limits
}

// Global is a global variable.
type Global struct {
	Type    byte
	Mutable bool
}

// Export is an export of a module.
type Export struct {
	Name  string
	Kind  byte
	Index uint32
}

// Element is an element segment.
type Element struct {
	Functions []uint32 // that it refers to
	Length    int
}

// Body is a function's code.
type Body struct {
	Data   []byte // including the declaration of locals
	Code   int    // offset in Data of the first instruction
	Locals []LocalGroup
}

// LocalGroup is a run of locals of one type; parameters are not among them.
type LocalGroup struct {
	Count uint32
	Type  byte
}

// LocalCount returns the number of locals, without parameters.
func (b *Body) LocalCount() (n uint64) {
	for _, group := range b.Locals {
		n += uint64(group.Count)
	}
	return n
}

// ParseError reports malformed or unsupported bytes of a module.
type ParseError struct {
	Unsupported bool // the bytes follow a later version of the format than this package reads
	Reason      string
}

func (e *ParseError) Error() string { return e.Reason }

func malformed(format string, args ...any) error {
	return &ParseError{Reason: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &ParseError{Unsupported: true, Reason: fmt.Sprintf(format, args...)}
}

// Parse reads a module's sections. Every error is a *ParseError. Instructions are not read: see [Body] and
// [Reader.Instruction].
func Parse(module []byte) (*Module, error) {
	if !bytes.HasPrefix(module, []byte(Magic)) {
		return nil, malformed("it does not start as a WebAssembly module does")
	}
	m := &Module{}
	r := NewReader(module)
	r.Bytes(uint32(len(Magic)))
	last := -1
	for r.More() {
		s := r.Section()
		if r.Bad() {
			return nil, malformed("section %d goes beyond the end of the module", s.ID)
		}
		m.Sections = append(m.Sections, s)
		if s.ID == SectionCustom {
			continue
		}
		place := SectionIndex(s.ID)
		if place <= last {
			return nil, malformed("section %d is unknown, doubled or out of order", s.ID)
		}
		last = place
		body := NewReader(s.Data)
		if err := m.section(s.ID, body); err != nil {
			return nil, err
		}
		if body.Bad() || body.More() {
			return nil, malformed("section %d is malformed", s.ID)
		}
	}
	return m, nil
}

func (m *Module) section(id byte, r *Reader) error {
	switch id {
	case SectionType:
		return m.types(r)
	case SectionImport:
		return m.imports(r)
	case SectionFunction:
		for range r.Count() {
			m.Functions = append(m.Functions, r.U32())
		}
	case SectionTable:
		return m.tables(r)
	case SectionMemory:
		return m.memories(r)
	case SectionGlobal:
		return m.globals(r)
	case SectionExport:
		for range r.Count() {
			m.Exports = append(m.Exports, Export{Name: r.Name(), Kind: r.Byte(), Index: r.U32()})
		}
	case SectionStart:
		m.HasStart, m.Start = true, r.U32()
	case SectionElement:
		return m.elements(r)
	case SectionCode:
		return m.bodies(r)
	case SectionData:
		return m.data(r)
	case SectionDataCount:
		r.U32()
	case SectionTag:
		return unsupported("it has exception tags")
	}
	return nil
}

func (m *Module) tables(r *Reader) error {
	for range r.Count() {
		t := Table{Type: r.Byte(), Limits: r.Limits()}
		if t.Limits.Flags > LimitsBounded && !r.Bad() {
			return unsupported("a table has limits of kind 0x%02x; only plain 32-bit tables are allowed", t.Limits.Flags)
		}
		m.Tables = append(m.Tables, t)
	}
	return nil
}

func (m *Module) memories(r *Reader) error {
	for range r.Count() {
		s := r.Limits()
		if s.Flags > LimitsBounded && !r.Bad() {
			return unsupported("its memory has limits of kind 0x%02x; shared and 64-bit memories are not allowed", s.Flags)
		}
		m.Memories = append(m.Memories, s)
	}
	return nil
}

func (m *Module) types(r *Reader) error {
	for range r.Count() {
		if form := r.Byte(); form != FunctionForm && !r.Bad() {
			return unsupported("type %d has form 0x%02x; only function types are allowed", len(m.Types), form)
		}
		t := FuncType{Params: r.Name(), Results: r.Name()}
		for _, v := range []byte(t.Params + t.Results) {
			if !IsValueType(v) {
				return unsupported("type %d uses %s", len(m.Types), TypeName(v))
			}
		}
		m.Types = append(m.Types, t)
	}
	return nil
}

func (m *Module) imports(r *Reader) error {
	for range r.Count() {
		in := Import{Module: r.Name(), Name: r.Name(), Kind: r.Byte()}
		switch in.Kind {
		case KindFunction:
			in.Type = r.U32()
		case KindTable:
			r.Byte()
			r.Limits()
		case KindMemory:
			r.Limits()
		case KindGlobal:
			r.Byte()
			r.Byte()
		default:
			r.Bytes(2) // a tag, which views cannot use
		}
		m.Imports = append(m.Imports, in)
	}
	return nil
}

func (m *Module) globals(r *Reader) error {
	for range r.Count() {
		t, mutable := r.Byte(), r.Byte()
		if r.Bad() {
			return nil
		}
		if !IsValueType(t) {
			return unsupported("global %d has type %s", len(m.Globals), TypeName(t))
		}
		if mutable > 1 {
			return malformed("global %d is neither constant nor mutable", len(m.Globals))
		}
		m.constExpr(r)
		m.Globals = append(m.Globals, Global{t, mutable == 1})
	}
	return nil
}

func (m *Module) constExpr(r *Reader) (functions []uint32) {
	globals, functions := r.ConstExpr()
	m.ConstGlobals = append(m.ConstGlobals, globals...)
	m.ConstFunctions = append(m.ConstFunctions, functions...)
	return functions
}

// Forms of an element segment: three bits.
const (
	elementNotActive   = 1
	elementExplicit    = 2 // active: with a table index; otherwise: declarative
	elementExpressions = 4 // elements are expressions, not indices of functions
	elementForms       = 8
)

func (m *Module) elements(r *Reader) error {
	for range r.Count() {
		form := r.U32()
		if form >= elementForms {
			return malformed("element segment %d has form %d", len(m.Elements), form)
		}
		if form&elementNotActive == 0 {
			if form&elementExplicit != 0 {
				r.U32()
			}
			m.constExpr(r)
		}
		if form&(elementNotActive|elementExplicit) != 0 {
			r.Byte() // the kind or type of the elements
		}
		e := Element{Length: r.Count()}
		for range e.Length {
			if form&elementExpressions == 0 {
				e.Functions = append(e.Functions, r.U32())
			} else {
				e.Functions = append(e.Functions, m.constExpr(r)...)
			}
		}
		m.Elements = append(m.Elements, e)
	}
	return nil
}

func (m *Module) bodies(r *Reader) error {
	for range r.Count() {
		b := Body{Data: r.Bytes(r.U32())}
		body := NewReader(b.Data)
		for range body.Count() {
			b.Locals = append(b.Locals, LocalGroup{body.U32(), body.Byte()})
		}
		if r.Bad() {
			return nil
		}
		if body.Bad() {
			return malformed("the locals of function %d are malformed", m.ImportedFunctions()+len(m.Bodies))
		}
		for _, group := range b.Locals {
			if !IsValueType(group.Type) {
				return unsupported("function %d has a local of type %s", m.ImportedFunctions()+len(m.Bodies), TypeName(group.Type))
			}
		}
		b.Code = body.At()
		m.Bodies = append(m.Bodies, b)
	}
	return nil
}

// Forms of a data segment.
const (
	dataActive = iota
	dataPassive
	dataExplicit // active, with a memory index
)

func (m *Module) data(r *Reader) error {
	for range r.Count() {
		switch form := r.U32(); form {
		case dataExplicit:
			r.U32()
			m.constExpr(r)
		case dataActive:
			m.constExpr(r)
		case dataPassive:
		default:
			return malformed("data segment %d has form %d", m.Data, form)
		}
		r.Bytes(r.U32())
		m.Data++
	}
	return nil
}

// ImportedFunctions returns the number of imported functions, which have the first function indices.
func (m *Module) ImportedFunctions() (n int) {
	for _, in := range m.Imports {
		if in.Kind == KindFunction {
			n++
		}
	}
	return n
}

// FunctionType returns the type of the function with that index; false if there is none.
func (m *Module) FunctionType(index uint32) (FuncType, bool) {
	at := int64(index)
	for _, in := range m.Imports {
		if in.Kind != KindFunction {
			continue
		}
		if at == 0 {
			return m.Type(in.Type)
		}
		at--
	}
	if at >= int64(len(m.Functions)) {
		return FuncType{}, false
	}
	return m.Type(m.Functions[at])
}

// Type returns the type with that index; false if there is none.
func (m *Module) Type(index uint32) (FuncType, bool) {
	if int64(index) >= int64(len(m.Types)) {
		return FuncType{}, false
	}
	return m.Types[index], true
}

var typeNames = map[byte]string{
	TypeI32: "i32", TypeI64: "i64", TypeF32: "f32", TypeF64: "f64", TypeV128: "v128",
	TypeFuncref: "funcref", TypeExternref: "externref",
}

// TypeName returns the name of a value type in the text format.
func TypeName(t byte) string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("0x%02x", t)
}
