//! Room for what the server writes and for what a call builds: allocated by moving a pointer, and all of it freed
//! when the call ends.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;

use crate::Decimal;

/// What `tally_alloc` promises.
const ALIGNMENT: usize = 8;

/// Room that is there from the start: keys and values fit, those that a batch holds too, so that memory does not grow in a fold.
const FIRST_BYTES: usize = 16 << 10;

/// Room for events: a batch of some seventy. A single larger one goes where [`alloc`] says.
const EVENT_BYTES: usize = 20 << 10;

struct Arena {
    first: UnsafeCell<[u64; FIRST_BYTES / 8]>,
    events: UnsafeCell<[u64; EVENT_BYTES / 8]>,
    base: Cell<usize>,  // of the room
    start: Cell<usize>, // where each call begins, above what is held; all four are multiples of ALIGNMENT, but for top
    top: Cell<usize>,
    end: Cell<usize>,
}

// A view's module has one thread: the server refuses shared memory.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena {
    first: UnsafeCell::new([0; FIRST_BYTES / 8]),
    events: UnsafeCell::new([0; EVENT_BYTES / 8]),
    // An empty region before the first call.
    base: Cell::new(ALIGNMENT),
    start: Cell::new(ALIGNMENT),
    top: Cell::new(ALIGNMENT),
    end: Cell::new(ALIGNMENT),
};

/// Room for `n` bytes until [`release`], aligned to 8. Without memory for it, the module traps.
#[inline]
pub fn alloc(n: usize) -> *mut u8 {
    let at = (ARENA.top.get() + ALIGNMENT - 1) & !(ALIGNMENT - 1);
    if ARENA.end.get() - at < n {
        return more(n);
    }
    ARENA.top.set(at + n);
    at as *mut u8
}

/// The same as a slice, which must not outlive the call. Its content is arbitrary.
#[inline]
pub fn bytes<'a>(n: usize) -> &'a mut [u8] {
    // The arena hands out every byte once between two releases, and its memory is initialised.
    unsafe { std::slice::from_raw_parts_mut(alloc(n), n) }
}

/// Room for decimals, which must not outlive the call.
#[inline]
pub fn decimals<'a, const N: usize>() -> &'a mut [MaybeUninit<Decimal>; N] {
    unsafe { &mut *(alloc(std::mem::size_of::<[Decimal; N]>()) as *mut [MaybeUninit<Decimal>; N]) }
}

#[cold]
#[inline(never)]
fn more(n: usize) -> *mut u8 {
    let had = ARENA.end.get() - ARENA.base.get();
    if had == 0 && n <= FIRST_BYTES {
        take_over(ARENA.first.get() as usize, FIRST_BYTES);
    } else {
        // Twice as much each time: what earlier regions lose is less than the last one. They are never given back, for
        // the call may still be using them.
        let room = vec![0u64; n.max(2 * had) / 8 + 1].leak();
        take_over(room.as_ptr() as usize, room.len() * 8);
    }
    alloc(n)
}

fn take_over(start: usize, bytes: usize) {
    ARENA.base.set(start);
    ARENA.start.set(start);
    ARENA.top.set(start);
    ARENA.end.set(start + bytes);
}

/// Keeps what was allocated past [`release`], until [`release_held`].
pub fn hold() {
    ARENA.start.set((ARENA.top.get() + ALIGNMENT - 1) & !(ALIGNMENT - 1));
}

/// Frees everything, what was held too.
pub fn release_held() {
    ARENA.start.set(ARENA.base.get());
    release();
}

/// Where the arena is, for [`back_to`].
pub fn mark() -> usize {
    ARENA.top.get()
}

/// Frees what was allocated since the mark, unless it went to another room.
pub fn back_to(mark: usize) {
    if mark >= ARENA.start.get() && mark <= ARENA.end.get() {
        ARENA.top.set(mark);
    }
}

/// The room for events, packed.
pub fn event_room() -> i64 {
    ((ARENA.events.get() as u64) << 32 | EVENT_BYTES as u64) as i64
}

/// Frees everything that was allocated, but for what is held. The bytes stay as they are until they are allocated again.
#[inline]
pub fn release() {
    ARENA.top.set(ARENA.start.get());
}
