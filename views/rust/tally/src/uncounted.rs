//! What a view leaves out, counted by reason: nobody should have to find out from a bill.

use crate::decimal::take_limb;
use crate::{host, Failure, State, Writer};

/// The member after the counts.
const LAST: &str = "last_sequence";

/// How many values were left out, by the value that [`State::note_uncounted`] wrote: the sum over all reasons. None
/// where the value is another one.
///
/// ```
/// assert_eq!(tally::uncounted(r#"{"tokens_in_not_a_number":2,"model_not_text":1,"last_sequence":17}"#), Some(3));
/// ```
pub fn uncounted(value: &str) -> Option<u64> {
    Some(read(value)?.iter().fold(0, |sum, &(_, n)| sum.wrapping_add(n)))
}

pub(crate) fn note(state: &State, key: &str, reasons: &[&str], sequence: i64) -> Result<(), Failure> {
    if reasons.is_empty() {
        return Ok(());
    }
    let mut counts = match state.get(key) {
        Some(value) => read(value).ok_or_else(|| Failure::foreign(key))?,
        None => Vec::new(),
    };
    for &reason in reasons {
        match counts.iter_mut().find(|(name, _)| *name == reason) {
            Some((_, n)) => *n += 1,
            None => counts.push((reason, 1)),
        }
    }
    host::state_set(key, write(&counts, sequence).as_bytes());
    Ok(())
}

fn write(counts: &[(&str, u64)], sequence: i64) -> String {
    let mut out = Writer::new();
    out.begin_object();
    for &(name, n) in counts {
        out.name(name).integer(n as i64);
    }
    out.name(LAST).integer(sequence);
    out.end_object();
    out.finish()
}

/// The counts in their order. A value is read back only as it was written.
fn read(value: &str) -> Option<Vec<(&str, u64)>> {
    let mut counts = Vec::new();
    let mut rest = value.strip_prefix('{')?;
    loop {
        let (name, after) = rest.strip_prefix('"')?.split_once("\":")?;
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_') {
            return None;
        }
        let (n, digits) = take_limb(after.as_bytes());
        if digits == 0 || (digits > 1 && after.starts_with('0')) {
            return None;
        }
        rest = &after[digits..];
        if name == LAST {
            return if rest == "}" { Some(counts) } else { None };
        }
        counts.push((name, n));
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_values_are_read() {
        let value = r#"{"a_b":2,"c":999999999999999999,"last_sequence":17}"#;
        assert_eq!(read(value), Some(vec![("a_b", 2), ("c", 999_999_999_999_999_999)]));
        assert_eq!(write(&read(value).unwrap(), 17), value);
        assert_eq!(uncounted(r#"{"last_sequence":0}"#), Some(0));
        for value in [
            "", "{", "{}", "[]", "null", r#"{"a":1}"#, r#"{"a":1,"last_sequence":2"#, r#"{"a":1,"last_sequence":2}}"#,
            r#"{"a":1,"last_sequence":2,"b":1}"#, r#"{"a":1, "last_sequence":2}"#, r#"{"a":01,"last_sequence":2}"#,
            r#"{"a":-1,"last_sequence":2}"#, r#"{"a":"1","last_sequence":2}"#, r#"{"":1,"last_sequence":2}"#,
            r#"{"A":1,"last_sequence":2}"#,
            r#"{"a":1000000000000000000,"last_sequence":2}"#, r#"{"a":,"last_sequence":2}"#, r#"{"a":1.5,"last_sequence":2}"#,
        ] {
            assert_eq!(read(value), None, "{}", value);
        }
    }
}
