//! Batches: many events in one call, whose totals are held here until its end. What [`Frame::load`] has read once is not
//! read again, and what [`Totals::store`](crate::Totals::store) was given is written once. The state after the batch is
//! the same, byte for byte, as after its events one by one; where that is in doubt the batch fails, and the server folds
//! them so.

use std::cell::Cell;
use std::mem::{size_of, MaybeUninit};
use std::ptr::null_mut;

use crate::{arena, Decimal, Failure, Frame};

/// Of the hash table: a power of two, and room to spare beside MOST_HELD.
const SLOTS: usize = 128;
/// Keys after which all are written before the next event, and bytes of them: they fit into the arena's first room.
const MOST_HELD: usize = 64;
const MOST_BYTES: usize = 8 << 10;
/// Totals of a key, and bytes around them.
const MOST_TOTALS: usize = 16;
const MOST_FRAME: usize = 512;
/// Loads of an event. They bound what the batch spares an event of gas, to what docs/abi.md allows.
const MOST_LOADS: usize = 16;

/// A key whose totals are held.
struct Held {
    next: *mut Held,
    key: &'static str, // all of this lies in the arena until all are forgotten
    before: &'static [&'static str],
    end: &'static str,
    numbers: *mut Decimal,
    known: bool,
    dirty: bool,
}

struct Batch {
    on: Cell<bool>,
    slots: [Cell<*mut Held>; SLOTS],
    first: Cell<*mut Held>,
    last: Cell<*mut Held>, // in the order of their coming
    recent: Cell<*mut Held>,
    held: Cell<usize>,
    bytes: Cell<usize>,
    loads: Cell<usize>, // of the event
}

// A view's module has one thread.
unsafe impl Sync for Batch {}

#[allow(clippy::declare_interior_mutable_const)]
const EMPTY: Cell<*mut Held> = Cell::new(null_mut());

static BATCH: Batch = Batch {
    on: Cell::new(false),
    slots: [EMPTY; SLOTS],
    first: EMPTY,
    last: EMPTY,
    recent: EMPTY,
    held: Cell::new(0),
    bytes: Cell::new(0),
    loads: Cell::new(0),
};

/// Whether a batch is being folded.
#[inline]
pub fn is_on() -> bool {
    BATCH.on.get()
}

fn hash(key: &[u8]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut h = key.len() as u64;
    let mut eights = key.chunks_exact(8);
    for eight in &mut eights {
        let n = u64::from_le_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]]);
        h = (h ^ n).wrapping_mul(MIX);
        h ^= h >> 32;
    }
    let rest = eights.remainder().iter().fold(0, |rest, &byte| rest << 8 | u64::from(byte));
    ((h ^ rest).wrapping_mul(MIX) >> 40) as usize
}

#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let tail = a.len() & !7;
    a.chunks_exact(8).zip(b.chunks_exact(8)).all(|(a, b)| a == b) && a[tail..].iter().zip(&b[tail..]).all(|(a, b)| a == b)
}

/// The slot where the key is, or could be.
fn find(key: &str) -> &'static Cell<*mut Held> {
    let mut i = hash(key.as_bytes()) % SLOTS;
    loop {
        let slot = &BATCH.slots[i];
        let held = slot.get();
        if held.is_null() || same(unsafe { (*held).key }.as_bytes(), key.as_bytes()) {
            return slot;
        }
        i = (i + 1) % SLOTS;
    }
}

/// What is held of a key; null if nothing is.
#[inline]
fn lookup(key: &str) -> *mut Held {
    let recent = BATCH.recent.get();
    if !recent.is_null() && same(unsafe { (*recent).key }.as_bytes(), key.as_bytes()) {
        return recent;
    }
    let held = find(key).get();
    BATCH.recent.set(held);
    held
}

impl Held {
    fn is_of<const N: usize>(&self, frame: &Frame<N>) -> bool {
        self.before.len() == N
            && self.before.iter().zip(&frame.before).all(|(a, b)| a.as_ptr() == b.as_ptr() && a.len() == b.len())
            && self.end.as_ptr() == frame.end.as_ptr()
            && self.end.len() == frame.end.len()
    }

    fn write(&mut self) {
        if self.dirty {
            let mark = arena::mark();
            let numbers = unsafe { std::slice::from_raw_parts(self.numbers, self.before.len()) };
            crate::totals::write(self.key, self.before, self.end, numbers);
            arena::back_to(mark);
            self.dirty = false;
        }
    }
}

/// Holds one more key. Its room, and all that is below it, stays until all are forgotten.
fn hold<const N: usize>(frame: &Frame<N>, key: &str) -> Option<*mut Held> {
    let around: usize = frame.before.iter().map(|text| text.len()).sum();
    if N > MOST_TOTALS || around + frame.end.len() > MOST_FRAME {
        return None;
    }
    let numbers = arena::alloc(size_of::<[Decimal; N]>()) as *mut Decimal;
    let before = arena::alloc(size_of::<[&str; N]>()) as *mut &'static str;
    let held = arena::alloc(size_of::<Held>()) as *mut Held;
    let copy = arena::bytes(key.len());
    copy.copy_from_slice(key.as_bytes());
    unsafe {
        before.copy_from_nonoverlapping(frame.before.as_ptr(), N);
        held.write(Held {
            next: null_mut(),
            key: crate::host::utf8(copy),
            before: std::slice::from_raw_parts(before, N),
            end: frame.end,
            numbers,
            known: false,
            dirty: false,
        });
        match BATCH.last.get().as_mut() {
            Some(last) => last.next = held,
            None => BATCH.first.set(held),
        }
    }
    BATCH.last.set(held);
    BATCH.held.set(BATCH.held.get() + 1);
    let bytes = size_of::<[Decimal; N]>() + size_of::<[&str; N]>() + size_of::<Held>() + key.len();
    BATCH.bytes.set(BATCH.bytes.get() + bytes);
    arena::hold();
    Some(held)
}

/// The totals that the batch holds of a key: read now where they were not yet. None if it does not hold them.
#[inline]
pub fn load<const N: usize>(frame: &Frame<N>, key: &str) -> Result<Option<&'static [Decimal; N]>, Failure> {
    BATCH.loads.set(BATCH.loads.get() + 1);
    let mut at = lookup(key);
    if at.is_null() {
        at = match hold(frame, key) {
            Some(held) => held,
            None => return Ok(None),
        };
        find(key).set(at);
        BATCH.recent.set(at);
    }
    let held = unsafe { &mut *at };
    if !held.is_of(frame) {
        forget(key); // one key in two frames: past the batch
        return Ok(None);
    }
    if !held.known {
        frame.fetch(key, unsafe { &mut *(held.numbers as *mut [MaybeUninit<Decimal>; N]) })?;
        held.known = true;
    }
    Ok(Some(unsafe { &*(held.numbers as *const [Decimal; N]) }))
}

/// Takes totals that the batch is to write; false if it does not hold those of this key.
#[inline]
pub fn store<const N: usize>(frame: &Frame<N>, key: &str, numbers: &[Decimal; N]) -> bool {
    let held = match unsafe { lookup(key).as_mut() } {
        Some(held) => held,
        None => return false,
    };
    if !held.known || !held.is_of(frame) {
        forget(key);
        return false;
    }
    for (i, number) in numbers.iter().enumerate() {
        unsafe { (*held.numbers.add(i)).set_to(number) };
    }
    held.dirty = true;
    true
}

/// Writes what is held of a key, which is about to be read or written in another way.
#[cold]
pub fn forget(key: &str) {
    if let Some(held) = unsafe { find(key).get().as_mut() } {
        held.write();
        held.known = false;
    }
}

/// Writes what is held of all keys.
#[cold]
pub fn write_all() {
    let mut next = BATCH.first.get();
    while let Some(held) = unsafe { next.as_mut() } {
        held.write();
        next = held.next;
    }
}

fn forget_all() {
    if BATCH.held.get() > 0 {
        BATCH.slots.iter().for_each(|slot| slot.set(null_mut()));
    }
    for at in [&BATCH.first, &BATCH.last, &BATCH.recent] {
        at.set(null_mut());
    }
    BATCH.held.set(0);
    BATCH.bytes.set(0);
    arena::release_held();
}

/// Folds a batch, event by event, as fold does; the first negative result ends it.
#[cfg(target_arch = "wasm32")]
pub fn fold(mut fold: impl FnMut(usize) -> i32, n: usize) -> i32 {
    BATCH.on.set(true);
    let mut result = 0;
    for i in 0..n {
        BATCH.loads.set(0);
        result = fold(i);
        if BATCH.loads.get() > MOST_LOADS {
            result = -1; // an event of so many totals is folded alone
        }
        if result < 0 {
            break;
        }
        if BATCH.held.get() >= MOST_HELD || BATCH.bytes.get() >= MOST_BYTES {
            write_all();
            forget_all();
        }
        arena::release();
    }
    if result == 0 {
        write_all();
    }
    BATCH.on.set(false);
    forget_all();
    result
}
