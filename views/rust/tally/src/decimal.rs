//! Exact decimals in fixed point.

use std::fmt;
use std::mem::MaybeUninit;

use crate::digits::Cursor;
use crate::Failure;

const LIMB_DIGITS: usize = 18;
const LIMB_BASE: u64 = 1_000_000_000_000_000_000;
const LIMBS: usize = 8;
const FRACTION_LIMBS: usize = 3;
/// The limb of the whole numbers under 10^18.
const UNITS: usize = FRACTION_LIMBS;

/// What a sum may have.
pub(crate) const WHOLE_DIGITS: usize = (LIMBS - FRACTION_LIMBS) * LIMB_DIGITS;
const FRACTION_DIGITS: usize = FRACTION_LIMBS * LIMB_DIGITS;

/// What a number from an event or a configuration may have: enough for a token's smallest unit, of which there are 10^18.
/// The product of two such is exact. 10^45 of the largest inputs can be added before the sum overflows, and 10^18 of their
/// products with a price below 10^27: no log gets there.
const INPUT_WHOLE_DIGITS: usize = 45;
const INPUT_FRACTION_DIGITS: usize = 27;

/// The most bytes that a decimal takes as text: a sign and a point beside the digits.
pub(crate) const TEXT_BYTES: usize = WHOLE_DIGITS + FRACTION_DIGITS + 2;

static POWER_OF_TEN: [u64; LIMB_DIGITS] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    100_000_000_000,
    1_000_000_000_000,
    10_000_000_000_000,
    100_000_000_000_000,
    1_000_000_000_000_000,
    10_000_000_000_000_000,
    100_000_000_000_000_000,
];

/// An exact decimal number of up to 90 digits before the point and 54 after it. Nothing is ever rounded: an operation
/// that would have to says so instead.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(Form);

/// Every number has one form: what is whole and from 0 to 10^18 - 1, as nearly every count is, is `Units`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Units(u64),
    /// Little-endian limbs of base 10^18, the first FRACTION_LIMBS of them after the point.
    Wide { negative: bool, limbs: [u64; LIMBS] },
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(Form::Units(0));

    /// Reads a JSON number, exponents included, of up to 45 digits before the point and 27 after it. None if the text
    /// is not a number or has a digit other than 0 beyond those.
    #[inline]
    pub fn parse(text: &str) -> Option<Decimal> {
        match take_whole(text.as_bytes()) {
            Some((units, [])) => Some(Decimal(Form::Units(units))),
            _ => parse_other(text),
        }
    }

    /// Takes a number that a decimal has written from the front of the text: the number, and what follows it.
    #[inline]
    pub(crate) fn take_written<'t>(text: &'t [u8], number: &mut MaybeUninit<Decimal>) -> Option<&'t [u8]> {
        if let Some((units, rest)) = take_whole(text) {
            number.write(Decimal(Form::Units(units)));
            return Some(rest);
        }
        take_other(text, WHOLE_DIGITS, FRACTION_DIGITS, number)
    }

    /// Copies the number; one of units alone, as nearly every one is, without the rest of its room.
    #[inline]
    pub(crate) fn copy_to(&self, to: &mut MaybeUninit<Decimal>) {
        match self.0 {
            Form::Units(units) => to.write(Decimal(Form::Units(units))),
            _ => to.write(*self),
        };
    }

    /// Becomes that number, in the same way.
    #[inline]
    pub(crate) fn set_to(&mut self, number: &Decimal) {
        match number.0 {
            Form::Units(units) => self.0 = Form::Units(units),
            _ => *self = *number,
        }
    }

    /// Whether the number is less than zero.
    pub fn is_negative(&self) -> bool {
        matches!(self.0, Form::Wide { negative: true, .. })
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.0 == Form::Units(0)
    }

    /// The number with the other sign.
    pub fn negated(&self) -> Decimal {
        Decimal::settled(!self.is_negative(), self.limbs())
    }

    /// The sum; None if it passes 90 digits before the point.
    pub fn plus(&self, other: &Decimal) -> Option<Decimal> {
        let mut sum = *self;
        if sum.add(other) {
            Some(sum)
        } else {
            None
        }
    }

    /// Adds in place; false if the sum passes 90 digits before the point, and nothing is added then.
    #[inline]
    #[must_use]
    pub fn add(&mut self, other: &Decimal) -> bool {
        if let (Form::Units(a), Form::Units(b)) = (&mut self.0, &other.0) {
            if *a + *b < LIMB_BASE {
                *a += *b;
                return true;
            }
        }
        self.add_wide(other)
    }

    #[inline(never)]
    fn add_wide(&mut self, other: &Decimal) -> bool {
        let (a, b) = (self.limbs(), other.limbs());
        if self.is_negative() == other.is_negative() {
            let (sum, carry) = add(a, b);
            if !carry {
                *self = Decimal::settled(self.is_negative(), sum);
            }
            return !carry;
        }
        *self = match subtract(a, b) {
            (rest, false) => Decimal::settled(self.is_negative(), rest),
            _ => Decimal::settled(other.is_negative(), subtract(b, a).0),
        };
        true
    }

    /// The exact product of two numbers as [`Decimal::parse`] reads them; None if one of them is larger or finer.
    pub fn times(&self, other: &Decimal) -> Option<Decimal> {
        let (a, b) = (halves(&self.limbs())?, halves(&other.limbs())?);
        let mut columns = [0u64; HALVES]; // eight products under 10^18 and a carry fit
        for (i, left) in a.iter().enumerate() {
            for (j, right) in b.iter().enumerate() {
                columns[i + j] += left * right;
            }
        }
        let mut limbs = [0; LIMBS];
        let mut carry = 0;
        for (limb, pair) in limbs.iter_mut().zip(columns.chunks_exact(2)) {
            let low = pair[0] + carry;
            let high = pair[1] + low / HALF_BASE;
            *limb = low % HALF_BASE + high % HALF_BASE * HALF_BASE;
            carry = high / HALF_BASE;
        }
        Some(Decimal::settled(self.is_negative() != other.is_negative(), limbs))
    }

    fn limbs(&self) -> [u64; LIMBS] {
        match self.0 {
            Form::Wide { limbs, .. } => limbs,
            Form::Units(units) => {
                let mut limbs = [0; LIMBS];
                limbs[UNITS] = units;
                limbs
            }
        }
    }

    /// Gives a result its one form.
    #[inline]
    fn settled(negative: bool, limbs: [u64; LIMBS]) -> Decimal {
        let mut others = 0;
        for (i, limb) in limbs.iter().enumerate() {
            others |= if i == UNITS { 0 } else { *limb };
        }
        if others == 0 && (!negative || limbs[UNITS] == 0) {
            return Decimal(Form::Units(limbs[UNITS]));
        }
        Decimal(Form::Wide { negative, limbs })
    }

    /// Writes the shortest plain form: 0, -12, 0.5, 1482000; never an exponent. At most TEXT_BYTES.
    #[inline]
    pub(crate) fn put(&self, out: &mut Cursor) {
        match self.0 {
            Form::Units(units) => out.put_number(units),
            Form::Wide { negative, ref limbs } => put_wide(out, negative, limbs),
        }
    }
}

#[inline(never)]
fn put_wide(out: &mut Cursor, negative: bool, limbs: &[u64; LIMBS]) {
    let high = (UNITS..LIMBS).rev().find(|&i| limbs[i] != 0).unwrap_or(UNITS);
    if negative {
        out.put_byte(b'-');
    }
    out.put_padded(limbs[high], 1);
    for i in (UNITS..high).rev() {
        out.put_padded(limbs[i], LIMB_DIGITS);
    }
    if limbs[..FRACTION_LIMBS].iter().all(|&limb| limb == 0) {
        return;
    }
    out.put_byte(b'.');
    for i in (0..FRACTION_LIMBS).rev() {
        out.put_padded(limbs[i], LIMB_DIGITS);
    }
    out.trim(b'0');
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut room = [0; TEXT_BYTES];
        let mut out = Cursor::new(&mut room);
        self.put(&mut out);
        f.write_str(&String::from_utf8_lossy(out.written()))
    }
}

impl From<u32> for Decimal {
    fn from(n: u32) -> Decimal {
        Decimal(Form::Units(u64::from(n)))
    }
}

impl Default for Decimal {
    fn default() -> Decimal {
        Decimal::ZERO
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Decimal) -> bool {
        self.0 == other.0
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> std::cmp::Ordering {
        let magnitude = || self.limbs().iter().rev().cmp(other.limbs().iter().rev());
        match (self.is_negative(), other.is_negative()) {
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
            (negative, _) => if negative { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater },
        }
    }
}

/// The sum, and whether it passes the highest limb.
fn add(a: [u64; LIMBS], b: [u64; LIMBS]) -> ([u64; LIMBS], bool) {
    let mut sum = [0; LIMBS];
    let mut carry = false;
    for i in 0..LIMBS {
        let limb = a[i] + b[i] + u64::from(carry);
        carry = limb >= LIMB_BASE;
        sum[i] = if carry { limb - LIMB_BASE } else { limb };
    }
    (sum, carry)
}

/// The difference, and whether b was the larger one; it is unspecified then.
fn subtract(a: [u64; LIMBS], b: [u64; LIMBS]) -> ([u64; LIMBS], bool) {
    let mut rest = [0; LIMBS];
    let mut borrow = false;
    for i in 0..LIMBS {
        let take = b[i] + u64::from(borrow);
        borrow = a[i] < take;
        rest[i] = a[i] + if borrow { LIMB_BASE } else { 0 } - take;
    }
    (rest, borrow)
}

// Half limbs, whose products fit 64 bits.
const HALF_DIGITS: usize = LIMB_DIGITS / 2;
const HALF_BASE: u64 = 1_000_000_000;
const HALVES: usize = 2 * LIMBS;

// The halves that an input number may use. A product's lowest digit falls on the lowest half.
const FIRST_HALF: usize = 2 * FRACTION_LIMBS - INPUT_FRACTION_DIGITS / HALF_DIGITS;
const INPUT_HALVES: usize = (INPUT_FRACTION_DIGITS + INPUT_WHOLE_DIGITS) / HALF_DIGITS;

/// The halves of an input number, from FIRST_HALF on; None if there are others.
fn halves(limbs: &[u64; LIMBS]) -> Option<[u64; INPUT_HALVES]> {
    let mut used = [0; INPUT_HALVES];
    for half in 0..HALVES {
        let limb = limbs[half / 2];
        let n = if half % 2 == 0 { limb % HALF_BASE } else { limb / HALF_BASE };
        match half.checked_sub(FIRST_HALF).and_then(|i| used.get_mut(i)) {
            Some(place) => *place = n,
            None if n != 0 => return None,
            None => {}
        }
    }
    Some(used)
}

// ---- Reading ----

#[inline(never)]
fn parse_other(text: &str) -> Option<Decimal> {
    let mut number = MaybeUninit::uninit();
    match take_other(text.as_bytes(), INPUT_WHOLE_DIGITS, INPUT_FRACTION_DIGITS, &mut number) {
        Some([]) => Some(unsafe { number.assume_init() }), // it is written
        _ => None,
    }
}

/// Takes what nearly every number is: 18 digits or fewer, and nothing else.
#[inline]
fn take_whole(text: &[u8]) -> Option<(u64, &[u8])> {
    let (units, digits) = take_limb(text);
    if digits == 0 || (digits > 1 && text[0] == b'0') {
        return None;
    }
    let rest = &text[digits..];
    match rest.first() {
        Some(b'0'..=b'9' | b'.' | b'e' | b'E') => None,
        _ => Some((units, rest)),
    }
}

/// The number that the first digits make, and how many they are: as many as a limb holds.
#[inline]
pub(crate) fn take_limb(text: &[u8]) -> (u64, usize) {
    let mut n = 0;
    let mut digits = 0;
    while digits < text.len() && digits < LIMB_DIGITS {
        let digit = text[digits].wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        n = n * 10 + u64::from(digit);
        digits += 1;
    }
    (n, digits)
}

/// Takes a number as JSON writes it from the front of the text: it writes the number, and answers what follows it. None
/// where there is not a number, or where it has a digit other than 0 beyond those given.
#[inline(never)]
fn take_other<'t>(
    text: &'t [u8], whole_digits: usize, fraction_digits: usize, number: &mut MaybeUninit<Decimal>,
) -> Option<&'t [u8]> {
    if let Some((limbs, rest)) = take_fraction(text) {
        number.write(Decimal::settled(false, limbs));
        return Some(rest);
    }
    let (parts, rest) = take_apart(text)?;
    let negative = parts.negative;
    let limbs = put_together(parts, whole_digits as i32, fraction_digits as i32)?;
    number.write(Decimal::settled(negative, limbs));
    Some(rest)
}

/// Takes what most numbers with a point are: up to 18 digits, a point, and up to 18 digits.
fn take_fraction(text: &[u8]) -> Option<([u64; LIMBS], &[u8])> {
    let (units, digits) = take_limb(text);
    if digits == 0 || (digits > 1 && text[0] == b'0') {
        return None;
    }
    let rest = text[digits..].strip_prefix(b".")?;
    let (fraction, digits) = take_limb(rest);
    let rest = &rest[digits..];
    if digits == 0 || matches!(rest.first(), Some(b'0'..=b'9' | b'.' | b'e' | b'E')) {
        return None;
    }
    let mut limbs = [0; LIMBS];
    limbs[UNITS] = units;
    limbs[UNITS - 1] = fraction * POWER_OF_TEN[LIMB_DIGITS - digits];
    Some((limbs, rest))
}

/// A number by JSON's grammar: `digits` hold a point perhaps, and the first digit stands for 10^(whole - 1).
struct Parts<'a> {
    negative: bool,
    digits: &'a [u8],
    whole: i32,
}

/// Whether the text is a JSON number, of however many digits.
pub(crate) fn is_number(text: &str) -> bool {
    matches!(take_apart(text.as_bytes()), Some((_, [])))
}

fn digits_in(text: &[u8]) -> usize {
    text.iter().take_while(|c| c.is_ascii_digit()).count()
}

fn take_apart(text: &[u8]) -> Option<(Parts<'_>, &[u8])> {
    let negative = text.first() == Some(&b'-');
    let number = &text[usize::from(negative)..];
    let whole = digits_in(number);
    if whole == 0 || (whole > 1 && number[0] == b'0') {
        return None;
    }
    let mut end = whole;
    if number.get(end) == Some(&b'.') {
        let fraction = digits_in(&number[end + 1..]);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    let (digits, mut rest) = number.split_at(end);
    let mut exponent = 0;
    if let Some(b'e' | b'E') = rest.first() {
        let (n, after) = take_exponent(&rest[1..])?;
        exponent = n;
        rest = after;
    }
    Some((Parts { negative, digits, whole: whole as i32 + exponent }, rest))
}

fn take_exponent(text: &[u8]) -> Option<(i32, &[u8])> {
    const LIMIT: i32 = 100_000_000; // far out of range, far from wrapping
    let negative = text.first() == Some(&b'-');
    let signed = negative || text.first() == Some(&b'+');
    let (digits, rest) = text[usize::from(signed)..].split_at(digits_in(&text[usize::from(signed)..]));
    if digits.is_empty() {
        return None;
    }
    let mut exponent = 0;
    for c in digits {
        if exponent < LIMIT {
            exponent = exponent * 10 + i32::from(c - b'0');
        }
    }
    Some((if negative { -exponent } else { exponent }, rest))
}

fn put_together(parts: Parts, whole_digits: i32, fraction_digits: i32) -> Option<[u64; LIMBS]> {
    let mut digits = parts.digits;
    let mut whole = parts.whole;
    while let [b'0' | b'.', rest @ ..] = digits {
        if digits[0] == b'0' {
            whole -= 1;
        }
        digits = rest;
    }
    if digits.is_empty() {
        return Some([0; LIMBS]);
    }
    while let [rest @ .., b'0' | b'.'] = digits {
        digits = rest;
    }
    let mut place = whole - 1;
    if place >= whole_digits {
        return None;
    }
    let mut limbs = [0; LIMBS];
    for &c in digits.iter().filter(|&&c| c != b'.') {
        if place < -fraction_digits {
            return None;
        }
        let index = (place + FRACTION_DIGITS as i32) as usize;
        limbs[index / LIMB_DIGITS] += u64::from(c - b'0') * POWER_OF_TEN[index % LIMB_DIGITS];
        place -= 1;
    }
    Some(limbs)
}

impl Failure {
    /// What to fail with where the totals of a key overflow.
    pub(crate) fn overflow(key: &str) -> Failure {
        Failure::from(format!(
            "the totals of key {} pass {} digits before the point, which is all that this view can count",
            crate::shown(key.as_bytes()),
            WHOLE_DIGITS
        ))
    }
}

#[cfg(test)]
#[path = "decimal_tests.rs"]
mod tests;
