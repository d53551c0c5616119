//! Texts of others in error messages.

/// Enough to recognise what was sent.
const SHOWN_BYTES: usize = 60;

/// Any bytes, made fit for an error message: quoted, cut to a few words, and `?` for what is not text.
///
/// ```
/// assert_eq!(tally::shown(b"2025-3"), "\"2025-3\"");
/// assert_eq!(tally::shown(b"\xff\n"), "\"??\"");
/// ```
pub fn shown(mut bytes: &[u8]) -> String {
    let mut out = String::from('"');
    let mut shown = 0;
    while !bytes.is_empty() {
        let next = first_character(bytes);
        let n = next.map_or(0, str::len);
        if shown + n > SHOWN_BYTES {
            out.push_str("...");
            break;
        }
        match next {
            Some(character) if bytes[0] >= 0x20 => out.push_str(character),
            _ => out.push('?'),
        }
        shown += n.max(1);
        bytes = &bytes[n.max(1)..];
    }
    out.push('"');
    out
}

/// The character that the bytes start with, where that is well-formed UTF-8.
fn first_character(bytes: &[u8]) -> Option<&str> {
    (1..=bytes.len().min(4)).find_map(|n| std::str::from_utf8(&bytes[..n]).ok())
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shown("é".repeat(30).as_bytes()), format!("\"{}\"", "é".repeat(30)));
        assert_eq!(shown("é".repeat(31).as_bytes()), format!("\"{}...\"", "é".repeat(30)));
        assert_eq!(shown("漢字".repeat(20).as_bytes()), format!("\"{}...\"", "漢字".repeat(10)));
    }

    #[test]
    fn what_is_not_text_is_a_question_mark() {
        assert_eq!(shown(b"a\x00\xff\xc3(\xed\xa0\x80\xf4\x90"), "\"a???(?????\"");
        assert_eq!(shown(b""), "\"\"");
    }
}
