package wasm

import (
	"bytes"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/gas"
)

// image is the state of an instance before its first call: memory and mutable globals after the start function and
// _initialize. It is the same for all instances of a module, since until then they may call no import that could tell them
// apart. An image is immutable.
type image struct {
	memory  []byte     // nil if shared is not
	shared  *sharedMap // of a large memory, where the operating system supports it
	size    int        // of the memory, in bytes
	globals []uint64
}

// mapBytes is the memory size from which on restoring only the written pages is cheaper than copying everything. Copying takes
// 1.7 µs for 64 KiB and 2.9 µs for 128 KiB. Restoring pages takes 2.3 µs for 256 KiB and 3.1 µs for 1 MiB after a small fold, and
// grows with the number of pages written.
const mapBytes = 192 << 10

// newImage takes the image of an instance that has just been initialized.
func newImage(in *instance) (*image, error) {
	memory, _ := in.memory.Read(0, in.memory.Size())
	img := &image{size: len(memory)}
	for _, g := range in.globals {
		img.globals = append(img.globals, g.Get())
	}
	if len(memory) >= mapBytes && canShare {
		var err error
		if img.shared, err = newSharedMap(memory); err != nil {
			return nil, fmt.Errorf("keep the image of a view's memory: %w", err)
		}
		return img, nil
	}
	img.memory = bytes.Clone(memory)
	return img, nil
}

// free releases what the image holds outside the Go heap. Instances made from it stay valid, but can no longer be restored.
func (img *image) free() {
	if img.shared != nil {
		img.shared.free()
	}
}

// adopt brings a new instance, in which nothing has run, to the state of the image.
func (img *image) adopt(in *instance) error {
	if missing := img.size - int(in.memory.Size()); missing > 0 {
		if _, ok := in.memory.Grow(uint32(missing >> 16)); !ok {
			if in.linear.full != nil {
				return in.linear.full
			}
			return fmt.Errorf("make an instance: its memory cannot grow to %d bytes", img.size)
		}
	}
	if img.shared != nil {
		if err := in.linear.share(img.shared); err != nil {
			return fmt.Errorf("make an instance: %w", err)
		}
	}
	if !img.restore(in) {
		return fmt.Errorf("make an instance: its memory has %d bytes; its module's have %d", in.memory.Size(), img.size)
	}
	return nil
}

// restore resets memory and globals of an instance to the image. It returns false if the instance must be discarded: memory
// cannot shrink, so an instance whose memory grew cannot be restored.
func (img *image) restore(in *instance) bool {
	memory, _ := in.memory.Read(0, in.memory.Size())
	if len(memory) != img.size {
		return false
	}
	if img.shared == nil {
		copyImage(memory, img.memory)
	} else if err := in.linear.forget(img.shared); err != nil {
		return false
	}
	for i, g := range in.globals {
		g.Set(img.globals[i])
	}
	return true
}

// mutableGlobals returns the guest's own mutable globals, which metering has exported.
func mutableGlobals(guest api.Module, n int) []api.MutableGlobal {
	globals := make([]api.MutableGlobal, n)
	for i := range globals {
		globals[i] = guest.ExportedGlobal(fmt.Sprint(gas.ExportGlobal, i)).(api.MutableGlobal) //nolint:forcetypeassert // metering made it
	}
	return globals
}
