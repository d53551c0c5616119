//! Queries: the raw query string of a request.

/// A query, such as `month=2025-03&team=a%20b`.
pub struct Query<'a> {
    raw: &'a [u8],
}

/// One `name=value`, percent-decoded. The bytes need not be UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// What stands before the first `=`.
    pub name: Vec<u8>,
    /// What stands after it; empty if there is no `=`.
    pub value: Vec<u8>,
}

impl<'a> Query<'a> {
    /// A query by its raw query string.
    pub fn new(raw: &'a [u8]) -> Query<'a> {
        Query { raw }
    }

    /// The query string as it was sent.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The parameters in the order in which they were sent; a name may come more than once.
    pub fn parameters(&self) -> Parameters<'a> {
        Parameters { rest: self.raw }
    }
}

impl Parameter {
    /// The value as text, where it is.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok()
    }
}

/// Walks the parameters of a query; see [`Query::parameters`].
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl Iterator for Parameters<'_> {
    type Item = Parameter;

    fn next(&mut self) -> Option<Parameter> {
        while let [b'&', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&c| c == b'&').unwrap_or(self.rest.len());
        let (pair, rest) = self.rest.split_at(end);
        self.rest = rest;
        let equals = pair.iter().position(|&c| c == b'=').unwrap_or(pair.len());
        Some(Parameter { name: decode(&pair[..equals]), value: decode(pair.get(equals + 1..).unwrap_or(&[])) })
    }
}

/// A + is a space; a % without two hexadecimal digits stands for itself.
fn decode(mut text: &[u8]) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    while let [c, rest @ ..] = text {
        text = rest;
        match (c, rest) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high << 4 | low) as u8);
                    text = after;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(*c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let read = |raw: &str| -> Vec<(String, String)> {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            Query::new(raw.as_bytes()).parameters().map(|p| (text(p.name), text(p.value))).collect()
        };
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(read(""), []);
        assert_eq!(read("&&a=1&&b=2&"), [pair("a", "1"), pair("b", "2")]);
        assert_eq!(read("a&=b&c=d=e"), [pair("a", ""), pair("", "b"), pair("c", "d=e")]);
        assert_eq!(read("a+b=%41%zz%4&c=%e2%82%AC"), [pair("a b", "A%zz%4"), pair("c", "€")]);
        assert_eq!(Query::new(b"a=%ff").parameters().next().unwrap().text(), None);
    }
}
