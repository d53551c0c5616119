//! The event, in the server's layout, with the fields that the view requests.

use std::marker::PhantomData;

use crate::decimal::is_number;
use crate::host::utf8;
use crate::Decimal;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// The event has no such member.
    Missing,
    /// null
    Null,
    /// false
    False,
    /// true
    True,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The header of docs/abi.md.
#[repr(C)]
pub(crate) struct Header {
    sequence: i64,
    time: i64,
    recorded_at: i64,
    data: u32,
    data_len: u32,
    slots: u32,
    result: u32, // of an event of a batch
}

/// A slot of docs/abi.md.
#[repr(C)]
struct Slot {
    kind: u32,
    text: u32,
    text_len: u32,
    reserved: u32,
    number: f64,
}

/// One event of the log.
pub struct Event<'a> {
    header: *const Header,
    call: PhantomData<&'a Header>,
}

impl<'a> Event<'a> {
    /// # Safety
    ///
    /// The header must be what the server wrote for the running call.
    #[inline]
    pub(crate) unsafe fn at(header: *const Header) -> Event<'a> {
        Event { header, call: PhantomData }
    }

    /// Reports to the server the result of an event of a batch.
    ///
    /// # Safety
    ///
    /// The header must be what the server wrote for the running call.
    #[inline]
    pub(crate) unsafe fn say(header: *mut Header, result: i32) {
        (*header).result = result as u32;
    }

    #[inline]
    fn header(&self) -> &'a Header {
        unsafe { &*self.header }
    }

    /// Its place in the log: 1, 2, 3 …
    pub fn sequence(&self) -> i64 {
        self.header().sequence
    }

    /// When it happened, in microseconds since 1970-01-01T00:00:00Z: its own time, or that of recording.
    #[inline]
    pub fn time(&self) -> i64 {
        self.header().time
    }

    /// When it was appended, in the same unit. Never decreases within a log.
    pub fn recorded_at(&self) -> i64 {
        self.header().recorded_at
    }

    /// The event's JSON, byte for byte as it was sent.
    pub fn data(&self) -> &'a str {
        text(self.header().data, self.header().data_len)
    }

    /// The field that [`crate::View::fields`] named at that place, counted from 0. Panics if there are not so many.
    #[inline]
    pub fn field(&self, index: usize) -> Field<'a> {
        assert!(index < self.header().slots as usize, "field {} was not asked for", index);
        // The slots follow the header, both are multiples of 8 bytes.
        Field { slot: unsafe { &*(self.header.add(1) as *const Slot).add(index) } }
    }
}

/// Texts may be empty anywhere, at 0 too.
#[inline]
fn text<'a>(at: u32, len: u32) -> &'a str {
    if len == 0 {
        return "";
    }
    utf8(unsafe { std::slice::from_raw_parts(at as usize as *const u8, len as usize) })
}

/// One field of an event.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    slot: &'a Slot,
}

impl<'a> Field<'a> {
    /// What the field holds.
    #[inline]
    pub fn kind(&self) -> Kind {
        match self.slot.kind {
            1 => Kind::Null,
            2 => Kind::False,
            3 => Kind::True,
            4 => Kind::Number,
            5 => Kind::String,
            6 => Kind::Array,
            7 => Kind::Object,
            _ => Kind::Missing,
        }
    }

    /// A string's value with its escapes resolved, and any other kind's JSON as it was sent; empty if it is missing.
    #[inline]
    pub fn text(&self) -> &'a str {
        text(self.slot.text, self.slot.text_len)
    }

    /// The value of a string, and None for any other kind.
    #[inline]
    pub fn string(&self) -> Option<&'a str> {
        if self.kind() == Kind::String {
            Some(self.text())
        } else {
            None
        }
    }

    /// The field as a part of a key: a string's value, a number's or boolean's JSON, and "" for null and for a missing
    /// one; None for arrays and objects.
    #[inline]
    pub fn label(&self) -> Option<&'a str> {
        match self.kind() {
            Kind::Missing | Kind::Null => Some(""),
            Kind::Array | Kind::Object => None,
            _ => Some(self.text()),
        }
    }

    /// The exact value of a number, or of a string that reads as a JSON number, as [`Decimal::parse`] has it.
    #[inline]
    pub fn decimal(&self) -> Option<Decimal> {
        match self.kind() {
            Kind::Number | Kind::String => Decimal::parse(self.text()),
            _ => None,
        }
    }

    /// Why a value that is there is no decimal: `not_a_number`, or `has_too_many_digits` where it is a number, or reads as
    /// one, that [`Decimal::parse`] does not take. None for a decimal, null and a missing field.
    pub fn uncounted(&self) -> Option<&'static str> {
        match self.kind() {
            Kind::Missing | Kind::Null => None,
            _ if self.decimal().is_some() => None,
            Kind::Number | Kind::String if is_number(self.text()) => Some("has_too_many_digits"),
            _ => Some("not_a_number"),
        }
    }

    /// Whether the event has the field, with a value other than null.
    #[inline]
    pub fn is_given(&self) -> bool {
        !matches!(self.kind(), Kind::Missing | Kind::Null)
    }

    /// A number's nearest double. Never count money or tokens with it: 0.1 is not 0.1 there.
    pub fn float(&self) -> Option<f64> {
        if self.kind() == Kind::Number {
            Some(self.slot.number)
        } else {
            None
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
}
