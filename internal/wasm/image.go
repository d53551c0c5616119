package wasm

import (
	"bytes"
	"fmt"

	"github.com/tetratelabs/wazero/api"

	"github.com/tallystick/tallystick/internal/gas"
)

// image is what a module's instances are before their first call: its memory and its mutable globals after the start
// function and _initialize. It is the same for every instance, since no import that could tell them apart may be called
// before. An image is never changed.
type image struct {
	memory  []byte     // nil when shared holds it
	shared  *sharedMap // for a large memory, where the operating system can share it
	size    int        // of the memory, in bytes
	globals []uint64
}

// mapBytes is the size of a memory from which on it is cheaper to put back only the pages that the guest has written to than
// to copy all. Copying takes 1.7 µs for 64 KiB and 2.9 µs for 128 KiB; putting back takes 2.3 µs for 256 KiB and 3.1 µs for 1 MiB, a small
// fold included, and more the more pages a guest writes to.
const mapBytes = 192 << 10

// newImage takes the image of an instance that has just been made.
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

// free gives back what the image holds outside the heap. Instances that were made from it stay good.
func (img *image) free() {
	if img.shared != nil {
		img.shared.free()
	}
}

// adopt makes a new instance, of which nothing has run yet, what the image says.
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

// restore makes memory and globals of an instance what the image says. It is false for one that must be thrown away:
// memory cannot shrink, so one that grew cannot be restored.
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

// mutableGlobals are the guest's own, which metering has exported.
func mutableGlobals(guest api.Module, n int) []api.MutableGlobal {
	globals := make([]api.MutableGlobal, n)
	for i := range globals {
		globals[i] = guest.ExportedGlobal(fmt.Sprint(gas.ExportGlobal, i)).(api.MutableGlobal) //nolint:forcetypeassert // metering made it
	}
	return globals
}
