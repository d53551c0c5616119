//! State values that are a few decimals in a fixed frame, read and written quickly.

use std::mem::MaybeUninit;

use crate::decimal::TEXT_BYTES;
use crate::digits::Cursor;
use crate::{arena, batch, host, shown, Decimal, Failure, State};

/// The text before each of N decimals, and after the last one. Made by [`totals!`](crate::totals), or by hand for
/// another frame.
///
/// A value is read back only in the frame that it was written in, which is all that a view meets in its own state.
pub struct Frame<const N: usize> {
    /// What stands before each decimal.
    pub before: [&'static str; N],
    /// What ends the value.
    pub end: &'static str,
}

/// The frame of a JSON object whose members are decimals: `totals!["tokens_in", "tokens_out"]` is that of
/// `{"tokens_in":0,"tokens_out":0}`. Names are taken as they are: no quotes, backslashes or control characters.
#[macro_export]
macro_rules! totals {
    ($first:literal $(, $more:literal)* $(,)?) => {
        $crate::Frame {
            before: [concat!("{\"", $first, "\":") $(, concat!(",\"", $more, "\":"))*],
            end: "}",
        }
    };
}

/// The totals of one key.
pub struct Totals<'a, const N: usize> {
    frame: &'a Frame<N>,
    key: &'a str,
    numbers: &'a mut [Decimal; N],
}

impl<const N: usize> Frame<N> {
    /// Reads the totals of a key, zeros if there is no such key. Fails if the value is not what
    /// [`Totals::store`] writes in this frame.
    #[inline]
    pub fn load<'a>(&'a self, state: &State<'a>, key: &'a str) -> Result<Totals<'a, N>, Failure> {
        let _ = state;
        let numbers = arena::decimals();
        match if batch::is_on() { batch::load(self, key)? } else { None } {
            Some(held) => numbers.iter_mut().zip(held).for_each(|(number, held)| held.copy_to(number)),
            None => self.fetch(key, numbers)?,
        }
        // All of them are written now.
        let numbers = unsafe { &mut *(numbers as *mut _ as *mut [Decimal; N]) };
        Ok(Totals { frame: self, key, numbers })
    }

    /// Reads the totals of a key, past any batch, into the numbers; it has written all of them where it does not fail.
    #[inline]
    pub(crate) fn fetch(&self, key: &str, numbers: &mut [MaybeUninit<Decimal>; N]) -> Result<(), Failure> {
        match host::state_get(key) {
            Some(value) => return self.read(value.as_bytes(), numbers).ok_or_else(|| Failure::foreign(key)),
            None => numbers.iter_mut().for_each(|number| *number = MaybeUninit::new(Decimal::ZERO)),
        }
        Ok(())
    }

    /// Reads a value into the numbers; it has written all of them where it does not answer None.
    #[inline]
    fn read(&self, mut value: &[u8], numbers: &mut [MaybeUninit<Decimal>; N]) -> Option<()> {
        for (before, number) in self.before.iter().zip(numbers) {
            value = Decimal::take_written(after(value, before.as_bytes())?, number)?;
        }
        if value == self.end.as_bytes() {
            Some(())
        } else {
            None
        }
    }
}

/// The bytes after a start that is known; eight at a time, for comparing is a good part of reading.
#[inline]
fn after<'a>(value: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    if value.len() < start.len() {
        return None;
    }
    let (ours, rest) = value.split_at(start.len());
    let mut pairs = ours.chunks_exact(8).zip(start.chunks_exact(8));
    let tail = start.len() & !7;
    if pairs.all(|(a, b)| a == b) && ours[tail..].iter().zip(&start[tail..]).all(|(a, b)| a == b) {
        Some(rest)
    } else {
        None
    }
}

impl<const N: usize> Totals<'_, N> {
    /// Adds to the total at that place, counted from 0. Fails if the sum passes 90 digits before the point.
    #[inline]
    pub fn add(&mut self, index: usize, number: &Decimal) -> Result<(), Failure> {
        if self.numbers[index].add(number) {
            return Ok(());
        }
        Err(Failure::overflow(self.key))
    }

    /// The total at that place.
    pub fn get(&self, index: usize) -> &Decimal {
        &self.numbers[index]
    }

    /// Sets the total at that place.
    pub fn set(&mut self, index: usize, number: Decimal) {
        self.numbers[index] = number;
    }

    /// Writes the totals.
    #[inline]
    pub fn store(&self, _state: &mut State) {
        if !batch::is_on() || !batch::store(self.frame, self.key, self.numbers) {
            write(self.key, &self.frame.before, self.frame.end, self.numbers)
        }
    }
}

#[inline]
pub(crate) fn write(key: &str, before: &[&str], end: &str, numbers: &[Decimal]) {
    let frame: usize = before.iter().map(|text| text.len()).sum();
    let mut out = Cursor::new(arena::bytes(frame + end.len() + numbers.len() * TEXT_BYTES));
    for (before, number) in before.iter().zip(numbers) {
        out.put(before.as_bytes());
        number.put(&mut out);
    }
    out.put(end.as_bytes());
    host::state_set(key, out.written());
}

impl Failure {
    /// What to fail with where the value of a key is not what this view writes.
    #[cold]
    pub fn foreign(key: &str) -> Failure {
        Failure::from(format!(
            "the state of key {} is not what this view writes; fold the log again as a new version of the view",
            shown(key.as_bytes())
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_values_are_read() {
        let frame = totals!["in", "out"];
        let read = |value: &str| {
            let mut numbers = [MaybeUninit::new(Decimal::ZERO); 2];
            frame.read(value.as_bytes(), &mut numbers).map(|()| numbers.map(|n| unsafe { n.assume_init() }.to_string()))
        };
        assert_eq!(read(r#"{"in":1,"out":-0.5}"#), Some(["1".to_string(), "-0.5".to_string()]));
        let (whole, fraction) = ("9".repeat(90), "9".repeat(54));
        let long = format!(r#"{{"in":{0}.{1},"out":-{0}}}"#, whole, fraction);
        assert_eq!(read(&long), Some([format!("{}.{}", whole, fraction), format!("-{}", whole)]));
        assert_eq!(read(&format!(r#"{{"in":1{},"out":0}}"#, whole)), None);
        for value in [
            "", "{", r#"{"in":1"#, r#"{"in":1,"out":2"#, r#"{"in":1,"out":2}}"#, r#"{"in":"1","out":2}"#, r#"{"in": 1,"out":2}"#,
            r#"{"in":1,"out":}"#, r#"{"in":01,"out":2}"#, r#"{"out":1,"in":2}"#,
        ] {
            assert_eq!(read(value), None, "{}", value);
        }
    }
}
