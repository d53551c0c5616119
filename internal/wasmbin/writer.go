package wasmbin

import "encoding/binary"

// AppendU appends an unsigned LEB128 number.
func AppendU(out []byte, v uint32) []byte { return binary.AppendUvarint(out, uint64(v)) }

// AppendS appends a signed LEB128 number.
func AppendS(out []byte, v int64) []byte {
	for {
		b := byte(v & 0x7f)
		v >>= 7
		if v == 0 && b < 0x40 || v == -1 && b >= 0x40 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
