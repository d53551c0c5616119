//! The decimals against sums and products in whole numbers of 128 bits, and by hand where those are too small.

use super::*;

fn read(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|| panic!("{} is a number", text))
}

/// The largest number that is read: 45 digits before the point and 27 after it.
const LARGEST: &str = "999999999999999999999999999999999999999999999.999999999999999999999999999";

/// Numbers whose 27 places fit 128 bits, the sign too.
fn scaled(n: i128) -> String {
    let (sign, n) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
    let unit = 10u128.pow(27);
    format!("{}{}.{:027}", sign, n / unit, n % unit)
}

fn plain(text: String) -> String {
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_string() } else { text.to_string() }
}

/// A linear congruential generator: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    /// Of any length, up to 10^18 on both sides of the point in the 27 places of `scaled`.
    fn number(&mut self, most_digits: u32) -> i128 {
        let n = (i128::from(self.next()) << 52 | i128::from(self.next())) << 24 | i128::from(self.next() & 0xFF_FFFF);
        let n = n.unsigned_abs() % 10u128.pow(1 + (self.next() % u64::from(most_digits)) as u32);
        if self.next() % 2 == 0 { n as i128 } else { -(n as i128) }
    }
}

#[test]
fn text_and_back() {
    for (text, want) in [
        ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e999999999999", "0"), ("150", "150"), ("1e3", "1000"), ("1E+3", "1000"),
        ("2.5e-3", "0.0025"), ("-50", "-50"), ("100e-2", "1"), ("10000000000000000e-16", "1"), ("0.10", "0.1"),
        ("999999999999999999", "999999999999999999"), ("1e17", "100000000000000000"), ("1e-27", "0.000000000000000000000000001"),
        ("1e18", "1000000000000000000"), ("1000000000000000000", "1000000000000000000"), ("-1e+20", "-100000000000000000000"),
        ("1e44", "100000000000000000000000000000000000000000000"), ("12345678901234567890.5", "12345678901234567890.5"),
        ("0.1e45", "100000000000000000000000000000000000000000000"),
        ("-999999999999999999.999999999999999999999999999", "-999999999999999999.999999999999999999999999999"),
        ("0.0000000000000000000000000010", "0.000000000000000000000000001"),
    ] {
        assert_eq!(read(text).to_string(), want, "{}", text);
    }
    for text in [LARGEST.to_string(), format!("-{}", LARGEST)] {
        assert_eq!(read(&text).to_string(), text);
    }
}

#[test]
fn what_is_no_number_or_too_fine_or_large() {
    for text in [
        "", " 5", "5 ", "+5", "01", "-01", "1.", ".5", "1e", "1e+", "-", "--1", "1..2", "1.2.3", "0x10", "NaN", "1_000", "1,5", "1e5.0",
        "1e45", "1000000000000000000000000000000000000000000000", "1e-28", "0.0000000000000000000000000001", "1e999999999999", "-1e400",
        "٣", "1\0",
    ] {
        assert!(Decimal::parse(text).is_none(), "{}", text);
    }
}

#[test]
fn numbers_of_any_size_are_numbers() {
    for text in ["0", "-0.0", "1e45", "-1e400", "1e-28", "1e999999999999", "9999999999999999999999999999999999999999999999"] {
        assert!(is_number(text), "{}", text);
    }
    for text in ["", " 5", "5 ", "+5", "01", "1.", ".5", "1e", "-", "1,000", "NaN", "1e5.0", "1\0"] {
        assert!(!is_number(text), "{}", text);
    }
}

#[test]
fn sums() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let (a, b) = (random.number(37), random.number(37));
        let sum = read_scaled(a).plus(&read_scaled(b)).unwrap();
        assert_eq!(sum.to_string(), plain(scaled(a + b)), "{} + {}", scaled(a), scaled(b));
        assert_eq!(sum.is_zero(), a + b == 0);
        assert_eq!(read_scaled(a).cmp(&read_scaled(b)), a.cmp(&b));
        assert_eq!(read_scaled(a).negated().to_string(), plain(scaled(-a)));
    }
}

fn read_scaled(n: i128) -> Decimal {
    read(&scaled(n))
}

#[test]
fn products() {
    let mut random = Random(2);
    for _ in 0..20_000 {
        let (a, b) = (random.number(18), random.number(18));
        let product = read_scaled(a).times(&read_scaled(b)).unwrap();
        let text = format!("{}0.{:054}", if (a * b) < 0 { "-" } else { "" }, (a * b).unsigned_abs());
        assert_eq!(product.to_string(), plain(text), "{} * {}", scaled(a), scaled(b));
    }
    let largest = read(LARGEST);
    // (10^45 - 10^-27)^2 = 10^90 - 2 * 10^18 + 10^-54
    let square = format!("{}8{}.{}1", "9".repeat(71), "0".repeat(18), "0".repeat(53));
    assert_eq!(largest.times(&largest).unwrap().to_string(), square);
    assert_eq!(largest.times(&read("-1")).unwrap(), largest.negated());
    assert!(largest.times(&largest).unwrap().times(&read("1")).is_none());
}

#[test]
fn a_sum_that_does_not_fit_says_so() {
    let text = "9".repeat(WHOLE_DIGITS);
    let mut full = MaybeUninit::uninit();
    assert_eq!(Decimal::take_written(text.as_bytes(), &mut full), Some(&b""[..]));
    let full = unsafe { full.assume_init() };
    assert!(full.plus(&Decimal::from(1)).is_none());
    assert!(full.negated().plus(&Decimal::from(1).negated()).is_none());
    assert_eq!(full.plus(&full.negated()).unwrap(), Decimal::ZERO);
    assert_eq!(full.plus(&read("0.5")).unwrap().to_string(), format!("{}.5", "9".repeat(90)));
}
