//! Text in a slice of fixed size, written without ceremony: every fold does this a few times.

/// A slice and how much of it is written. It panics if the slice is too small.
pub struct Cursor<'a> {
    room: &'a mut [u8],
    len: usize,
}

/// Digits in pairs, 00 to 99.
static PAIRS: &[u8; 200] = b"00010203040506070809101112131415161718192021222324252627282930313233343536373839\
40414243444546474849505152535455565758596061626364656667686970717273747576777879\
8081828384858687888990919293949596979899";

const CHUNK_DIGITS: usize = 9;
const CHUNK: u64 = 1_000_000_000;
const MOST_DIGITS: usize = 20;

impl<'a> Cursor<'a> {
    #[inline]
    pub fn new(room: &'a mut [u8]) -> Self {
        Cursor { room, len: 0 }
    }

    #[inline]
    pub fn written(self) -> &'a [u8] {
        &self.room[..self.len]
    }

    #[inline]
    pub fn put(&mut self, text: &[u8]) {
        let n = text.len();
        copy(&mut self.room[self.len..self.len + n], text);
        self.len += n;
    }

    #[inline]
    pub fn put_byte(&mut self, byte: u8) {
        self.room[self.len] = byte;
        self.len += 1;
    }

    /// Takes trailing bytes back while they are `byte`.
    pub fn trim(&mut self, byte: u8) {
        while self.len > 0 && self.room[self.len - 1] == byte {
            self.len -= 1;
        }
    }

    /// Writes `n` in its digits.
    #[inline]
    pub fn put_number(&mut self, n: u64) {
        if n >= CHUNK {
            return self.put_padded(n, 1);
        }
        let n = n as u32;
        let (mut digits, mut above) = (1, 10);
        while n >= above && digits < CHUNK_DIGITS {
            digits += 1;
            above *= 10;
        }
        let room = &mut self.room[self.len..self.len + digits];
        room[0] = b'0';
        put_small(room, digits, n);
        self.len += digits;
    }

    /// Writes `n` in at least `digits` digits, at most 20.
    #[inline(never)]
    pub fn put_padded(&mut self, mut n: u64, digits: usize) {
        let mut buffer = [b'0'; MOST_DIGITS];
        let mut at = MOST_DIGITS;
        let mut chunk_end = MOST_DIGITS;
        while n >= CHUNK {
            put_small(&mut buffer, at, (n % CHUNK) as u32);
            n /= CHUNK;
            chunk_end -= CHUNK_DIGITS;
            at = chunk_end;
        }
        at = put_small(&mut buffer, at, n as u32);
        self.put(&buffer[at.min(MOST_DIGITS - digits)..]);
    }
}

/// Writes n so that it ends at `at`; where it starts.
#[inline]
fn put_small(buffer: &mut [u8], mut at: usize, mut n: u32) -> usize {
    while n > 9 {
        // n / 100 for every u32: a division costs a dozen times as much.
        let hundreds = ((u64::from(n) * 0x51EB_851F) >> 37) as u32;
        let pair = (n - hundreds * 100) as usize * 2;
        at -= 2;
        buffer[at] = PAIRS[pair];
        buffer[at + 1] = PAIRS[pair + 1];
        n = hundreds;
    }
    if n > 0 {
        at -= 1;
        buffer[at] = b'0' + n as u8;
    }
    at
}

/// Copies slices of the same length. Up to 16 bytes go as two pieces that may overlap: a memory.copy takes longer.
#[inline]
#[allow(clippy::manual_memcpy)]
pub fn copy(to: &mut [u8], from: &[u8]) {
    let n = from.len();
    if n > 16 {
        to.copy_from_slice(from);
    } else if n >= 8 {
        to[..8].copy_from_slice(&from[..8]);
        to[n - 8..n].copy_from_slice(&from[n - 8..]);
    } else if n >= 4 {
        to[..4].copy_from_slice(&from[..4]);
        to[n - 4..n].copy_from_slice(&from[n - 4..]);
    } else {
        for i in 0..n {
            to[i] = from[i];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_numbers_are_what_format_writes() {
        let mut room = [0; 64];
        for n in [0, 1, 9, 10, 99, 100, 999_999_999, 1_000_000_000, 1_000_000_001, 999_999_999_999_999_999, u64::MAX] {
            let mut out = Cursor::new(&mut room);
            out.put_number(n);
            assert_eq!(std::str::from_utf8(out.written()).unwrap(), n.to_string());
            for digits in [1, 2, 9, 10, 18, 20] {
                let mut out = Cursor::new(&mut room);
                out.put_padded(n, digits);
                assert_eq!(std::str::from_utf8(out.written()).unwrap(), format!("{:0digits$}", n));
            }
        }
    }

    #[test]
    fn copies_of_every_short_length() {
        let from: Vec<u8> = (1..=40).collect();
        for n in 0..=40 {
            let mut to = [0; 40];
            copy(&mut to[..n], &from[..n]);
            assert_eq!(to[..n], from[..n]);
            assert!(to[n..].iter().all(|&b| b == 0));
        }
    }
}
