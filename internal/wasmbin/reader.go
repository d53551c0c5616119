// Package wasmbin reads the binary format of WebAssembly modules: numbers, sections and instructions of WebAssembly 2.0
// without SIMD. It decodes and does not validate: a compiler may still refuse what it accepts.
package wasmbin

// Reader reads the binary format. After the first failure it returns zeros, so a caller may check Bad once after several
// reads. It never reads outside its data.
type Reader struct {
	data []byte
	at   int
	bad  bool
}

// NewReader returns a reader at the start of data, which must not change.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Bad reports whether a read has failed.
func (r *Reader) Bad() bool { return r.bad }

// Fail makes the reader fail: what was read is invalid.
func (r *Reader) Fail() { r.at, r.bad = len(r.data), true }

// More reports whether any data is left; false after a failure.
func (r *Reader) More() bool { return r.at < len(r.data) }

// At returns the offset of the next byte.
func (r *Reader) At() int { return r.at }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.at >= len(r.data) {
		r.Fail()
		return 0
	}
	b := r.data[r.at]
	r.at++
	return b
}

// Bytes reads n bytes. They alias the reader's data.
func (r *Reader) Bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.at) {
		r.Fail()
		return nil
	}
	b := r.data[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}

// U32 reads an unsigned LEB128 number of at most 32 bits.
func (r *Reader) U32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.Byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.Fail()
	return 0
}

// Largest sizes of a signed LEB128 number of 32, 33 and 64 bits, in bytes.
const (
	bytesS32 = 5
	bytesS33 = 5
	bytesS64 = 10
)

// skipSigned skips a signed LEB128 number of a limited number of bytes.
func (r *Reader) skipSigned(most int) {
	for range most {
		if r.Byte() < 0x80 {
			return
		}
	}
	r.Fail()
}

// Count reads the length of a vector. Every element takes at least one byte, so a length beyond the rest of the data fails.
func (r *Reader) Count() int {
	n := r.U32()
	if uint64(n) > uint64(len(r.data)-r.at) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Name reads a length and a text, which may be invalid UTF-8.
func (r *Reader) Name() string { return string(r.Bytes(r.U32())) }

// Limits reads the limits of a memory or table. With flags other than 0 and LimitsBounded it reads no sizes: they may have another form.
func (r *Reader) Limits() (s Limits) {
	if s.Flags = r.Byte(); s.Flags > LimitsBounded {
		return s
	}
	s.Min = r.U32()
	if s.Flags == LimitsBounded {
		s.Max = r.U32()
	}
	return s
}
