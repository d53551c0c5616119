//! State: keys and JSON values that the server keeps.

use std::marker::PhantomData;

use crate::digits::copy;
use crate::{arena, batch, host, json, uncounted, Failure};

/// A key has 1 to that many bytes of UTF-8 and no NUL; with another one the server stops the view.
pub const KEY_BYTES: usize = 1024;

/// The state of this view for the log at hand. What it returns is valid until the fold or query returns.
pub struct State<'a> {
    call: PhantomData<&'a ()>,
}

impl<'a> State<'a> {
    #[inline]
    pub(crate) fn of_call() -> State<'a> {
        State { call: PhantomData }
    }

    /// The parts, one after the other, as a key; None if they do not make one: longer than 1,024 bytes, empty, or
    /// with NUL among them.
    #[inline(always)] // with parts of a length that is known, and not only where it is called once
    pub fn key(&self, parts: &[&str]) -> Option<&'a str> {
        let len = parts.iter().map(|part| part.len()).sum();
        if len == 0 || len > KEY_BYTES {
            return None;
        }
        let room = arena::bytes(len);
        let mut at = 0;
        for part in parts {
            copy(&mut room[at..at + part.len()], part.as_bytes());
            at += part.len();
        }
        if has_nul(room) {
            return None;
        }
        Some(host::utf8(room))
    }

    /// The value of a key. A fold reads its own earlier writes.
    #[inline]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        settle(key);
        host::state_get(key)
    }

    /// Writes a value: at most 64 KiB of JSON. Queries must not write.
    ///
    /// What an event may hold and PostgreSQL's JSON operators fail on, `\u0000` and lone halves of surrogate pairs, is
    /// written as `\ufffd`.
    #[inline]
    pub fn set(&mut self, key: &str, value: &str) {
        settle(key);
        host::state_set(key, json::storable(value).as_bytes())
    }

    /// Counts values that the view leaves out of its totals, by reason, under a key of their own:
    /// `{"tokens_in_not_a_number":2,"last_sequence":17}`. Reasons are of lower-case letters and `_`; nothing is written
    /// without one. Fails if the value of the key is not what this writes. [`uncounted`](crate::uncounted) reads it.
    pub fn note_uncounted(&mut self, key: &str, reasons: &[&str], sequence: i64) -> Result<(), Failure> {
        uncounted::note(self, key, reasons, sequence)
    }

    /// Removes a key, if it exists. Queries must not write.
    pub fn delete(&mut self, key: &str) {
        settle(key);
        host::state_delete(key)
    }

    /// The keys that start with prefix, in byte order, with their values.
    pub fn scan(&self, prefix: &str) -> Scan<'a> {
        self.scan_after(prefix, "")
    }

    /// The same, from the first key on that is greater than `after`.
    pub fn scan_after(&self, prefix: &str, after: &str) -> Scan<'a> {
        Scan { prefix: keep(prefix), after: keep(after), rest: &[] }
    }
}

/// Has a batch write what it holds of a key, before that is read or written here.
#[inline]
fn settle(key: &str) {
    if batch::is_on() {
        batch::forget(key)
    }
}

#[inline]
fn has_nul(text: &[u8]) -> bool {
    let mut eights = text.chunks_exact(8);
    for eight in &mut eights {
        let n = u64::from_le_bytes([eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7]]);
        if n.wrapping_sub(0x0101_0101_0101_0101) & !n & 0x8080_8080_8080_8080 != 0 {
            return true;
        }
    }
    eights.remainder().contains(&0)
}

/// A copy for as long as the call lasts.
fn keep<'a>(text: &str) -> &'a str {
    let room = arena::bytes(text.len());
    room.copy_from_slice(text.as_bytes());
    host::utf8(room)
}

/// Keys that are read at a time: with totals about 100 KB.
const PAGE: u32 = 1000;

/// Walks keys and values; see [`State::scan`].
pub struct Scan<'a> {
    prefix: &'a str,
    after: &'a str,
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn length(&mut self) -> usize {
        let (length, rest) = self.rest.split_at(4);
        self.rest = rest;
        u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize
    }

    fn text(&mut self, len: usize) -> &'a str {
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest;
        host::utf8(text)
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            if batch::is_on() {
                batch::write_all()
            }
            self.rest = host::state_scan(self.prefix, self.after, PAGE);
        }
        if self.rest.is_empty() {
            return None;
        }
        let (key_len, value_len) = (self.length(), self.length());
        let (key, value) = (self.text(key_len), self.text(value_len));
        self.after = key;
        Some((key, value))
    }
}
