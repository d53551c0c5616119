package wasm

// reader reads the WebAssembly binary format. After the first failure it stays failed and returns zeros, so a caller
// may check bad once after reading several things. It never reads outside data.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) fail() { r.data, r.bad = nil, true }

func (r *reader) more() bool { return len(r.data) > 0 }

func (r *reader) byte() byte {
	if len(r.data) == 0 {
		r.fail()
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)) {
		r.fail()
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail()
	return 0
}

// count reads the length of a vector. Every element takes a byte at least, so a longer one than the rest is a lie.
func (r *reader) count() int {
	n := r.u32()
	if uint64(n) > uint64(len(r.data)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) name() string { return string(r.bytes(r.u32())) }

// limits reads the size limits of a memory or table. flags bit 0: a maximum is given; bit 1: shared; bit 2: 64-bit.
func (r *reader) limits() (flags byte, least, most uint32) {
	flags = r.byte()
	if flags > 1 {
		return flags, 0, 0 // refused by the caller; the sizes may have another form
	}
	least = r.u32()
	if flags == 1 {
		most = r.u32()
	}
	return flags, least, most
}
