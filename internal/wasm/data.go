package wasm

import (
	"encoding/binary"

	"github.com/tallystick/tallystick/internal/wasmbin"
)

// Active data segments initialize a module's memory. The image of a module contains them, so only the first instance needs
// them; but wazero would copy them for every instance, which takes milliseconds for the ten thousand segments of a Go
// program. So they are removed from what is compiled, and copied here.

// segment is an active data segment.
type segment struct {
	at    uint32
	bytes []byte // aliases the module
}

// Forms of a data segment.
const (
	dataActive   = 0
	dataPassive  = 1
	dataOfMemory = 2 // active, with the index of its memory
)

// takeData splits a module into its active data segments and the rest. Each is replaced by an empty passive segment, which is
// what remains of an active one after instantiation. A module with a segment whose address is not a constant number is
// returned unchanged, and wazero copies its segments.
func takeData(module []byte) (rest []byte, segments []segment) {
	r := wasmbin.NewReader(module[8:])
	rest = append(make([]byte, 0, len(module)), module[:8]...)
	for r.More() {
		s := r.Section()
		data := s.Data
		if s.ID == wasmbin.SectionData {
			var ok bool
			if data, segments, ok = splitData(data); !ok {
				return module, nil
			}
		}
		rest = binary.AppendUvarint(append(rest, s.ID), uint64(len(data)))
		rest = append(rest, data...)
	}
	if r.Bad() {
		return module, nil
	}
	return rest, segments
}

// splitData does the work of takeData on a data section.
func splitData(section []byte) (rest []byte, segments []segment, ok bool) {
	r := wasmbin.NewReader(section)
	n := r.Count()
	rest = binary.AppendUvarint(nil, uint64(n))
	for range n {
		form := r.U32()
		if form == dataOfMemory && r.U32() != 0 || form > dataOfMemory {
			return nil, nil, false
		}
		if form == dataPassive {
			bytes := r.Bytes(r.U32())
			rest = binary.AppendUvarint(append(rest, dataPassive), uint64(len(bytes)))
			rest = append(rest, bytes...)
			continue
		}
		at, known := constantAddress(r)
		if !known {
			return nil, nil, false
		}
		segments = append(segments, segment{at, r.Bytes(r.U32())})
		rest = append(rest, dataPassive, 0)
	}
	return rest, segments, !r.Bad() && !r.More()
}

// constantAddress reads a constant expression; known is false unless it is a single i32.const.
func constantAddress(r *wasmbin.Reader) (at uint32, known bool) {
	const opI32Const, opEnd = 0x41, 0x0b
	if r.Byte() != opI32Const {
		return 0, false
	}
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b := r.Byte()
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			if b&0x40 != 0 && shift < 28 {
				v |= ^uint32(0) << (shift + 7)
			}
			return v, r.Byte() == opEnd
		}
	}
	return 0, false
}

// fill copies the segments into the memory of a new instance. A *ViewError reports one that is out of bounds.
func (in *instance) fill(segments []segment) error {
	for i, s := range segments {
		if !in.memory.Write(s.at, s.bytes) {
			return trapf("data segment %d of %d bytes at %d goes beyond the memory of %d bytes", i, len(s.bytes), s.at, in.memory.Size())
		}
	}
	return nil
}
