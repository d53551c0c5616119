package wasmbin

import "slices"

// Magic is the start of every core module: the magic number and version 1.
const Magic = "\x00asm\x01\x00\x00\x00"

// Sections by their id.
const (
	SectionCustom byte = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
	SectionTag
)

// SectionOrder is the order of sections in a module, except for custom ones, which may be anywhere.
var SectionOrder = []byte{
	SectionType, SectionImport, SectionFunction, SectionTable, SectionMemory, SectionTag, SectionGlobal, SectionExport,
	SectionStart, SectionElement, SectionDataCount, SectionCode, SectionData,
}

// SectionIndex returns a section's index in SectionOrder, -1 for an unknown or custom one.
func SectionIndex(id byte) int { return slices.Index(SectionOrder, id) }

// Kinds of imports and exports.
const (
	KindFunction byte = iota
	KindTable
	KindMemory
	KindGlobal
	KindTag
)

// Value types.
const (
	TypeI32       byte = 0x7f
	TypeI64       byte = 0x7e
	TypeF32       byte = 0x7d
	TypeF64       byte = 0x7c
	TypeV128      byte = 0x7b
	TypeFuncref   byte = 0x70
	TypeExternref byte = 0x6f
)

// FunctionForm introduces a function type.
const FunctionForm = 0x60

// Section is one section of a module.
type Section struct {
	ID   byte
	Data []byte // without id and length; aliases the module
}

// Section reads the next section of a module, after Magic.
func (r *Reader) Section() Section {
	id := r.Byte()
	return Section{ID: id, Data: r.Bytes(r.U32())}
}

// IsValueType reports whether t is a value type that views may use: any but v128.
func IsValueType(t byte) bool {
	switch t {
	case TypeI32, TypeI64, TypeF32, TypeF64, TypeFuncref, TypeExternref:
		return true
	}
	return false
}
