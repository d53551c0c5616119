//! Reading JSON: configurations, an event's data, values of the state.

use std::borrow::Cow;

use crate::{Decimal, Kind};

/// A JSON value, by its source text. What the server passes to a view is valid JSON; of any other text something is read,
/// or nothing, but no harm is done.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    source: &'a str,
}

impl<'a> Json<'a> {
    /// A value by its text.
    pub fn of(text: &'a str) -> Json<'a> {
        Json { source: text.trim_matches(is_space) }
    }

    /// The text.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// What the value is; Missing for an empty text.
    pub fn kind(&self) -> Kind {
        match self.source.as_bytes().first() {
            None => Kind::Missing,
            Some(b'n') => Kind::Null,
            Some(b'f') => Kind::False,
            Some(b't') => Kind::True,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            Some(_) => Kind::Number,
        }
    }

    /// The value of a string, its escapes resolved; a lone surrogate becomes U+FFFD.
    pub fn string(&self) -> Option<Cow<'a, str>> {
        let inner = self.source.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            unescape(inner).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// The exact value of a number, or of a string that reads as one; see [`Decimal::parse`].
    pub fn decimal(&self) -> Option<Decimal> {
        match self.kind() {
            Kind::Number => Decimal::parse(self.source),
            Kind::String => Decimal::parse(&self.string()?),
            _ => None,
        }
    }

    /// A boolean.
    pub fn boolean(&self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The members of an object, in their order; None if the value is none. A name may come more than once.
    pub fn members(&self) -> Option<Members<'a>> {
        self.source.strip_prefix('{').map(|rest| Members { rest })
    }

    /// The elements of an array; None if the value is none.
    pub fn elements(&self) -> Option<Elements<'a>> {
        self.source.strip_prefix('[').map(|rest| Elements { rest })
    }

    /// The member of that name, the last one if an object has several.
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        self.members()?.filter(|(found, _)| found == name).last().map(|(_, value)| value)
    }
}

/// Walks an object's members; see [`Json::members`].
pub struct Members<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = Json { source: take_value(&mut self.rest)? }.string()?;
        self.rest = trim(self.rest).strip_prefix(':')?;
        Some((name, Json { source: take_value(&mut self.rest)? }))
    }
}

/// Walks an array's elements; see [`Json::elements`].
pub struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        take_value(&mut self.rest).map(|source| Json { source })
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn trim(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Takes the next value, and the comma before it, from the front; None at the closing bracket.
fn take_value<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = trim(trim(rest).trim_start_matches(','));
    let length = value_bytes(text.as_bytes());
    let (value, after) = text.split_at(length);
    *rest = after;
    if value.is_empty() {
        *rest = "";
        return None;
    }
    Some(value)
}

/// How many bytes the value takes that the text starts with.
fn value_bytes(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while let Some(&c) = text.get(at) {
        match c {
            b'"' => at += string_bytes(&text[at..]) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b':' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
        if depth == 0 && matches!(c, b'"' | b'}' | b']') {
            return at;
        }
    }
    text.len()
}

/// How many bytes the string takes that the text starts with, its quotes among them.
fn string_bytes(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&c) = text.get(at) {
        at += match c {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}

fn unescape(mut text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    while let Some(at) = text.find('\\') {
        out.push_str(&text[..at]);
        text = &text[at..];
        if let Some(unit) = code_unit(text) {
            text = &text[6..];
            let pair = code_unit(text).filter(|low| (0xDC00..0xE000).contains(low));
            out.push(match (unit, pair) {
                (0xD800..=0xDBFF, Some(low)) => {
                    text = &text[6..];
                    char::from_u32(0x10000 + ((unit - 0xD800) << 10 | (low - 0xDC00)))?
                }
                _ => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
            });
            continue;
        }
        out.push(match text.as_bytes().get(1)? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            c @ (b'"' | b'\\' | b'/') => char::from(*c),
            _ => return None,
        });
        text = &text[2..];
    }
    out.push_str(text);
    Some(out)
}

/// The JSON as PostgreSQL can store and read it: what no text there can hold is replaced, in as many bytes.
#[inline]
pub(crate) fn storable(json: &str) -> Cow<'_, str> {
    if json.contains('\\') {
        replace_escapes(json)
    } else {
        Cow::Borrowed(json)
    }
}

#[inline(never)]
fn replace_escapes(mut json: &str) -> Cow<'_, str> {
    const ESCAPE: usize = "\\u0000".len();
    let whole = json;
    let mut out = String::new();
    let mut copied = 0;
    while let Some(at) = json.find('\\') {
        json = &json[at..];
        let n = match (code_unit(json), json.get(ESCAPE..).and_then(code_unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0 | 0xD800..=0xDFFF), _) => {
                let place = whole.len() - json.len();
                out.push_str(&whole[copied..place]);
                out.push_str("\\ufffd");
                copied = place + ESCAPE;
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            (None, _) => json.len().min(2),
        };
        json = json.get(n..).unwrap_or("");
    }
    if copied == 0 {
        return Cow::Borrowed(whole);
    }
    out.push_str(&whole[copied..]);
    Cow::Owned(out)
}

/// The unit of \uXXXX at the front.
fn code_unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        u32::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_arrays() {
        let json = Json::of(" {\"a\" : [1, {\"x\":\"]}\"} ,\"\\\"\"],\"b\\u0041\":{ } , \"a\":-1.5e1,\"s\":\"2.50\" }\n");
        let members: Vec<(String, &str)> =
            json.members().unwrap().map(|(name, value)| (name.into_owned(), value.source())).collect();
        let pair = |name: &str, value| (name.to_string(), value);
        assert_eq!(
            members,
            [pair("a", "[1, {\"x\":\"]}\"} ,\"\\\"\"]"), pair("bA", "{ }"), pair("a", "-1.5e1"), pair("s", "\"2.50\"")]
        );
        let elements: Vec<&str> = Json::of(members[0].1).elements().unwrap().map(|e| e.source()).collect();
        assert_eq!(elements, ["1", "{\"x\":\"]}\"}", "\"\\\"\""]);
        assert_eq!(json.get("a").unwrap().decimal().unwrap().to_string(), "-15");
        assert_eq!(json.get("s").unwrap().decimal().unwrap().to_string(), "2.5");
        assert!(json.get("c").is_none() && json.elements().is_none() && Json::of("7").members().is_none());
        assert_eq!(Json::of("[ ]").elements().unwrap().count(), 0);
        assert_eq!(Json::of("{}").members().unwrap().count(), 0);
    }

    #[test]
    fn strings() {
        for (source, want) in [
            (r#""""#, Some("")),
            (r#""a\/\\\"\b\f\n\r\t""#, Some("a/\\\"\u{8}\u{c}\n\r\t")),
            (r#""\u00e9\ud83d\ude00""#, Some("é😀")),
            (r#""\ud83d\u0041\ude00""#, Some("\u{fffd}A\u{fffd}")),
            (r#""\x""#, None),
            ("7", None),
            ("\"", None),
        ] {
            assert_eq!(Json::of(source).string().as_deref(), want, "{}", source);
        }
    }

    #[test]
    fn what_postgres_cannot_read_is_replaced() {
        for (json, want) in [
            (r#"{"a":"plain"}"#, r#"{"a":"plain"}"#),
            (r#""\u0000""#, r#""\ufffd""#),
            (r#"{"a\u0000":["\ud83d","\uDE00x"]}"#, r#"{"a\ufffd":["\ufffd","\ufffdx"]}"#),
            (r#""\ud83d\ude00 \ud83d\ud83d\ude00 \ude00\ud83d""#, r#""\ud83d\ude00 \ufffd\ud83d\ude00 \ufffd\ufffd""#),
            (r#""\\u0000 \\\u0000 \n\u0001\u00e9""#, r#""\\u0000 \\\ufffd \n\u0001\u00e9""#),
            (r#""é\ud800\u0041""#, r#""é\ufffd\u0041""#),
        ] {
            assert_eq!(storable(json), want, "{}", json);
        }
        for broken in ["\\", "\"\\", "\\é", "\\u00", "\\ud83d\\u", "\\ud83d\\é"] {
            storable(broken);
        }
    }

    #[test]
    fn broken_text_does_no_harm() {
        for text in ["", "{", "[", "{\"a", "{\"a\"", "{\"a\":", "[1,", "[[", "}", "{1:2}", "[\"\\", "{,,}", "[}", "[1 2]"] {
            let json = Json::of(text);
            json.members().map(Iterator::count);
            json.elements().map(Iterator::count);
            json.string();
        }
    }
}
