//! Writing JSON.

use crate::Decimal;

/// Writes JSON text. Commas come by themselves; that objects and arrays are closed, and members named, is the caller's
/// to see to.
///
/// ```
/// let mut out = tally::Writer::new();
/// out.begin_object();
/// out.name("total").decimal(&tally::Decimal::from(7));
/// out.name("models").begin_array();
/// out.string("gpt-4");
/// out.end_array();
/// out.end_object();
/// assert_eq!(out.finish(), r#"{"total":7,"models":["gpt-4"]}"#);
/// ```
#[derive(Default)]
pub struct Writer {
    text: String,
    comma: bool, // stands before the next value or name
}

impl Writer {
    /// A writer that has written nothing.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// How many bytes are written.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }

    fn separate(&mut self) {
        if self.comma {
            self.text.push(',');
        }
        self.comma = true;
    }

    /// Writes a value that is JSON already, such as one from the state.
    pub fn raw(&mut self, json: &str) -> &mut Self {
        self.separate();
        self.text.push_str(json);
        self
    }

    /// Writes a member's name; its value comes next.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.string(name);
        self.text.push(':');
        self.comma = false;
        self
    }

    /// Writes a string: quoted and escaped. NUL, which PostgreSQL takes in no text, becomes U+FFFD.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.separate();
        self.text.push('"');
        let mut rest = text;
        while let Some(at) = rest.find(|c| c < ' ' || c == '"' || c == '\\') {
            self.text.push_str(&rest[..at]);
            match rest.as_bytes()[at] {
                c @ (b'"' | b'\\') => self.text.extend(['\\', c as char]),
                0 => self.text.push(char::REPLACEMENT_CHARACTER),
                c => self.text.push_str(&format!("\\u{:04x}", c)),
            }
            rest = &rest[at + 1..];
        }
        self.text.push_str(rest);
        self.text.push('"');
        self
    }

    /// Writes an exact number.
    pub fn decimal(&mut self, number: &Decimal) -> &mut Self {
        self.raw(&number.to_string())
    }

    /// Writes a whole number.
    pub fn integer(&mut self, number: i64) -> &mut Self {
        self.raw(&number.to_string())
    }

    /// Writes true or false.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// Writes null.
    pub fn null(&mut self) -> &mut Self {
        self.raw("null")
    }

    /// Starts an object.
    pub fn begin_object(&mut self) -> &mut Self {
        self.begin('{')
    }

    /// Ends the object.
    pub fn end_object(&mut self) -> &mut Self {
        self.end('}')
    }

    /// Starts an array.
    pub fn begin_array(&mut self) -> &mut Self {
        self.begin('[')
    }

    /// Ends the array.
    pub fn end_array(&mut self) -> &mut Self {
        self.end(']')
    }

    fn begin(&mut self, bracket: char) -> &mut Self {
        self.separate();
        self.text.push(bracket);
        self.comma = false;
        self
    }

    fn end(&mut self, bracket: char) -> &mut Self {
        self.text.push(bracket);
        self.comma = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;

    #[test]
    fn strings_are_escaped() {
        let mut out = Writer::new();
        out.string("a\"b\\c\n\u{1}é😀\u{7f}\0\0");
        assert_eq!(out.finish(), "\"a\\\"b\\\\c\\u000a\\u0001é😀\u{7f}\u{fffd}\u{fffd}\"");
    }

    #[test]
    fn commas_stand_between() {
        let mut out = Writer::new();
        out.begin_object().name("a").begin_array().end_array();
        out.name("b").begin_array().null().boolean(true).integer(-1).begin_object().end_object().end_array();
        out.name("c").raw("1.5").end_object();
        assert_eq!(out.finish(), r#"{"a":[],"b":[null,true,-1,{}],"c":1.5}"#);
    }
}
