//! UTC dates, months and RFC 3339. A time is in microseconds since 1970-01-01T00:00:00Z, as the server counts it.

use std::cell::Cell;

use crate::digits::Cursor;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const LEAP_SECOND: u32 = 60;

// Years are counted from March here, so that the leap day is a year's last, in eras of 400 years, which all have the
// same number of days.
const DAYS_TO_1970: i64 = 719_468; // from 0000-03-01
const ERA_DAYS: i64 = 146_097;
const ERA_YEARS: i64 = 400;

/// A day of the Gregorian calendar, which is taken to have been in use always.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year; 0 is the year before 1.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Date {
    /// The UTC day of a time.
    pub fn of(time: i64) -> Date {
        Date::of_days(time.div_euclid(DAY))
    }

    /// The day that many days after 1970-01-01.
    pub fn of_days(days: i64) -> Date {
        let days = days + DAYS_TO_1970;
        let era = days.div_euclid(ERA_DAYS);
        let mut day = days.rem_euclid(ERA_DAYS) as u32;
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365; // four years, a century, an era, less a day
        day -= year * 365 + year / 4 - year / 100;
        let month = (5 * day + 2) / 153; // 0 is March; five months have 153 days
        Date {
            year: era * ERA_YEARS + i64::from(year) + i64::from(month >= 10),
            month: if month < 10 { month + 3 } else { month - 9 },
            day: day - (153 * month + 2) / 5 + 1,
        }
    }

    /// How many days after 1970-01-01 the date is.
    pub fn days(&self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let of_era = year.rem_euclid(ERA_YEARS);
        let month = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day = (153 * month + 2) / 5 + self.day - 1;
        year.div_euclid(ERA_YEARS) * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + i64::from(day) - DAYS_TO_1970
    }

    fn exists(&self) -> bool {
        const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        (1..=12).contains(&self.month)
            && self.day >= 1
            && self.day <= DAYS[self.month as usize - 1] + u32::from(self.month == 2 && leap)
    }
}

/// A UTC month, as in `2025-03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month([u8; 7]);

/// The day of the last time that was requested, since most events follow one of their day.
struct Remembered {
    day: Cell<(i64, i64)>, // from, to; no time is between them at first
    month: Cell<Month>,
}

// A view's module has one thread.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for Remembered {}

#[cfg(target_arch = "wasm32")]
static REMEMBERED: Remembered = Remembered { day: Cell::new((0, 0)), month: Cell::new(Month([0; 7])) };

impl Month {
    /// The UTC month of a time; None if its year does not have four digits.
    #[inline]
    pub fn of(time: i64) -> Option<Month> {
        #[cfg(target_arch = "wasm32")]
        return REMEMBERED.month_of(time);
        #[cfg(not(target_arch = "wasm32"))]
        Remembered { day: Cell::new((0, 0)), month: Cell::new(Month([0; 7])) }.month_of(time)
    }

    /// Reads `2025-03`; None for any other form.
    pub fn parse(text: &[u8]) -> Option<Month> {
        let month: [u8; 7] = text.try_into().ok()?;
        let mut rest = Reader(text);
        rest.digits(4)?;
        rest.byte(b"-")?;
        let number = rest.digits(2)?;
        if (1..=12).contains(&number) {
            Some(Month(month))
        } else {
            None
        }
    }

    /// As in `2025-03`.
    #[inline]
    pub fn as_str(&self) -> &str {
        crate::host::utf8(&self.0) // digits and a hyphen
    }
}

impl Remembered {
    #[inline]
    fn month_of(&self, time: i64) -> Option<Month> {
        let (from, to) = self.day.get();
        if time < from || time >= to {
            self.remember(time)?;
        }
        Some(self.month.get())
    }

    #[inline(never)]
    fn remember(&self, time: i64) -> Option<()> {
        let day = time.div_euclid(DAY);
        let date = Date::of_days(day);
        if date.year < 0 || date.year > 9999 {
            return None;
        }
        let mut month = [0; 7];
        let mut out = Cursor::new(&mut month);
        out.put_padded(date.year as u64, 4);
        out.put_byte(b'-');
        out.put_padded(u64::from(date.month), 2);
        self.month.set(Month(month));
        self.day.set((day * DAY, (day + 1) * DAY));
        Some(())
    }
}

/// Reads an RFC 3339 time, to the microsecond; None if the text is none. A space counts as the + that it is where a
/// query string carries an offset unescaped. A leap second, 23:59:60 in UTC, is the second after it, as everywhere where
/// leap seconds are not counted.
///
/// ```
/// assert_eq!(tally::parse_time(b"1970-01-01T01:00:00.5+01:00"), Some(500_000));
/// ```
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let mut text = Reader(text);
    let year = i64::from(text.digits(4)?);
    text.byte(b"-")?;
    let month = text.digits(2)?;
    text.byte(b"-")?;
    let date = Date { year, month, day: text.digits(2)? };
    text.byte(b"Tt")?;
    let hour = text.digits(2)?;
    text.byte(b":")?;
    let minute = text.digits(2)?;
    text.byte(b":")?;
    let second = text.digits(2)?;
    let fraction = text.fraction()?;
    let offset = text.offset()?;
    if !text.0.is_empty() || !date.exists() || hour > 23 || minute > 59 || second > LEAP_SECOND {
        return None;
    }
    let of_day = i64::from(hour * 3600 + minute * 60 + second) - offset;
    if second == LEAP_SECOND && of_day % (DAY / SECOND) != 0 {
        return None; // it does not end a day of UTC
    }
    Some(date.days() * DAY + of_day * SECOND + fraction)
}

/// Takes a time apart from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn digits(&mut self, n: usize) -> Option<u32> {
        if self.0.len() < n || !self.0[..n].iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = self.0[..n].iter().fold(0, |number, c| number * 10 + u32::from(c - b'0'));
        self.0 = &self.0[n..];
        Some(number)
    }

    /// Takes one byte, which must be one of those.
    fn byte(&mut self, of: &[u8]) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        if !of.contains(&first) {
            return None;
        }
        self.0 = rest;
        Some(first)
    }

    /// Microseconds from `.123456789` or nothing; what is below a microsecond does not count.
    fn fraction(&mut self) -> Option<i64> {
        if self.byte(b".").is_none() {
            return Some(0);
        }
        let mut unit = SECOND / 10;
        let mut microseconds = i64::from(self.digits(1)?) * unit;
        while let Some(digit) = self.digits(1) {
            unit /= 10;
            microseconds += i64::from(digit) * unit;
        }
        Some(microseconds)
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.byte(b"Zz").is_some() {
            return Some(0);
        }
        let west = self.byte(b"-+ ")? == b'-';
        let hours = self.digits(2)?;
        self.byte(b":")?;
        let minutes = self.digits(2)?;
        if hours > 23 || minutes > 59 {
            return None;
        }
        let seconds = i64::from(hours * 60 + minutes) * 60;
        Some(if west { -seconds } else { seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_there_and_back() {
        let (first, last) = (Date { year: 0, month: 1, day: 1 }, Date { year: 2401, month: 1, day: 1 });
        let mut date = Date { year: -1, month: 12, day: 31 };
        for days in first.days()..last.days() {
            let next = Date::of_days(days);
            assert!(next.exists() && next > date && next.days() == days, "{:?} after {:?}", next, date);
            assert!(next.day == date.day + 1 || next.day == 1);
            date = next;
        }
        assert_eq!(Date::of(-1), Date { year: 1969, month: 12, day: 31 });
        assert_eq!(Date::of_days(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(Date { year: 2000, month: 2, day: 29 }.days(), 11_016);
    }

    #[test]
    fn months() {
        assert_eq!(Month::of(1_740_823_530_000_000).unwrap().as_str(), "2025-03");
        assert_eq!(Month::of(-1).unwrap().as_str(), "1969-12");
        assert_eq!(Month::of(Date { year: 0, month: 1, day: 1 }.days() * DAY).unwrap().as_str(), "0000-01");
        assert!(Month::of(Date { year: 0, month: 1, day: 1 }.days() * DAY - 1).is_none());
        assert!(Month::of(Date { year: 10_000, month: 1, day: 1 }.days() * DAY).is_none());
        assert!(Month::of(i64::MIN).is_none() && Month::of(i64::MAX).is_none());
        assert_eq!(Month::parse(b"2025-03").unwrap().as_str(), "2025-03");
        for text in ["", "2025-3", "2025-00", "2025-13", "2025-03-", "2025/03", "march", "20250-3"] {
            assert!(Month::parse(text.as_bytes()).is_none(), "{}", text);
        }
    }

    #[test]
    fn times() {
        let noon = Date { year: 2025, month: 3, day: 1 }.days() * DAY + DAY / 2;
        let new_year = Date { year: 2017, month: 1, day: 1 }.days() * DAY;
        for (text, want) in [
            ("2025-03-01T12:00:00Z", Some(noon)),
            ("2025-03-01t12:00:00.1234567z", Some(noon + 123_456)),
            ("2025-03-01T12:00:00+05:30", Some(noon - 19_800 * SECOND)),
            ("2025-03-01T12:00:00 05:30", Some(noon - 19_800 * SECOND)),
            ("2025-03-01T12:00:00-00:01", Some(noon + 60 * SECOND)),
            ("2025-02-29T12:00:00Z", None),
            ("2024-02-29T12:00:00Z", Some(Date { year: 2024, month: 2, day: 29 }.days() * DAY + DAY / 2)),
            ("2025-03-01T24:00:00Z", None),
            ("2016-12-31T23:59:60Z", Some(new_year)),
            ("2016-12-31t23:59:60.25z", Some(new_year + SECOND / 4)),
            ("2017-01-01T05:29:60+05:30", Some(new_year)),
            ("2016-12-31T15:59:60-08:00", Some(new_year)),
            ("2016-12-31T23:59:61Z", None),
            ("2016-12-31T23:59:60+01:00", None),
            ("2016-12-31T23:58:60Z", None),
            ("2025-03-01T12:00:60Z", None),
            ("2025-03-01T12:00:00", None),
            ("2025-03-01T12:00:00.Z", None),
            ("2025-03-01T12:00:00Z ", None),
            ("2025-03-01", None),
        ] {
            assert_eq!(parse_time(text.as_bytes()), want, "{}", text);
        }
    }
}
