//! How the console writes durations, times and numbers: `7 h 32 m`, `09:05`, `12 s`.
//!
//! Pure functions. Spaces inside a figure do not break across lines.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::ApiError;

/// A space that keeps a number and its unit on one line.
const NBSP: char = '\u{a0}';

/// The time zone that a page's times are written in.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    tz: TimeZone,
    name: String,
}

impl Zone {
    /// A zone by its IANA name; `None` where there is no such zone.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(Self {
            tz: TimeZone::get(name).ok()?,
            name: name.to_owned(),
        })
    }

    /// A fixed offset from UTC, minutes, east positive; UTC where it is out of range.
    pub(crate) fn offset(minutes: i32) -> Self {
        let offset = jiff::tz::Offset::from_seconds(minutes.saturating_mul(60))
            .unwrap_or(jiff::tz::Offset::UTC);
        let (sign, size) = (if minutes < 0 { '−' } else { '+' }, minutes.unsigned_abs());
        let name = match minutes {
            0 => "UTC".to_owned(),
            _ => format!("UTC{sign}{:02}:{:02}", size / 60, size % 60),
        };
        Self {
            tz: offset.to_time_zone(),
            name,
        }
    }

    /// As pages show it: `Europe/Paris` or `UTC+01:00`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The civil date of a moment.
    pub(crate) fn date(&self, ms: i64) -> Date {
        at(ms).to_zoned(self.tz.clone()).date()
    }

    /// Start and end (exclusive) of a civil day, UTC milliseconds.
    pub(crate) fn day(&self, date: Date) -> (i64, i64) {
        let start = |date: Date| {
            date.to_zoned(self.tz.clone())
                .map_or(0, |z| z.timestamp().as_millisecond())
        };
        (start(date), start(date.tomorrow().unwrap_or(date)))
    }

    /// `09:05`.
    pub(crate) fn clock(&self, ms: i64) -> String {
        at(ms)
            .to_zoned(self.tz.clone())
            .strftime("%H:%M")
            .to_string()
    }

    /// `09:05:30`.
    pub(crate) fn clock_s(&self, ms: i64) -> String {
        at(ms)
            .to_zoned(self.tz.clone())
            .strftime("%H:%M:%S")
            .to_string()
    }

    /// `2026-11-22 09:05`.
    pub(crate) fn date_clock(&self, ms: i64) -> String {
        at(ms)
            .to_zoned(self.tz.clone())
            .strftime("%Y-%m-%d %H:%M")
            .to_string()
    }

    /// For `<time datetime>`: RFC 3339 with the zone's offset, to the second.
    pub(crate) fn machine(&self, ms: i64) -> String {
        at(ms)
            .to_zoned(self.tz.clone())
            .strftime("%Y-%m-%dT%H:%M:%S%:z")
            .to_string()
    }

    /// The moment a full hour began, in this zone.
    pub(crate) fn hour_start(&self, ms: i64) -> i64 {
        let zoned = at(ms).to_zoned(self.tz.clone());
        let into = i64::from(zoned.minute()) * 60_000
            + i64::from(zoned.second()) * 1000
            + i64::from(zoned.millisecond());
        ms - into
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `7 h 32 m`, `12 m`, `45 s`; whole minutes are cut, not rounded, so parts never exceed a total.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) if seconds > 0 => format!("{seconds}{NBSP}s"),
        (0, _) => format!("{minutes}{NBSP}m"),
        _ => format!("{hours}{NBSP}h {minutes:02}{NBSP}m").replace(' ', "\u{a0}"),
    }
}

/// Days of the week, as they are written and as people read them.
pub(crate) const DAYS: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

/// A member's role, as people read it.
pub(crate) fn role(role: &str) -> &'static str {
    match role {
        "owner" => "Owner",
        "admin" => "Admin",
        "manager" => "Manager",
        _ => "Employee",
    }
}

/// Minutes a day as hours in a field: `8`, `7.5`.
pub(crate) fn hours(minutes: i64) -> String {
    let hundredths = (minutes * 100 + 30) / 60;
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads what [`hours`] wrote, with a comma or a point.
pub(crate) fn minutes(hours: &str) -> Result<i64, ApiError> {
    let wrong = || {
        let message = "Enter the hours of a working day, such as 8 or 7.5: from 0 to 24.";
        ApiError::invalid("daily_capacity_min", message)
    };
    let text = hours.trim().replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 2 || part.len() > 2 || !digits(whole) || !digits(part) {
        return Err(wrong());
    }
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    let part: i64 = format!("{part:0<2}").parse().map_err(|_| wrong())?;
    let minutes = whole * 60 + (part * 60 + 50) / 100;
    if minutes > 24 * 60 {
        Err(wrong())
    } else {
        Ok(minutes)
    }
}

/// Cents as an amount in a field: `80`, `80.50`.
pub(crate) fn amount(cents: i64) -> String {
    match cents % 100 {
        0 => (cents / 100).to_string(),
        part => format!("{}.{part:02}", cents / 100),
    }
}

/// Reads what [`amount`] wrote, with a comma or a point; empty: none.
pub(crate) fn cents(amount: &str) -> Result<Option<i64>, ApiError> {
    let text = amount.trim().replace(',', ".");
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let read = || -> Option<i64> {
        let fits = !whole.is_empty() && whole.len() <= 6 && part.len() <= 2;
        let plain = fits && digits(whole) && digits(part);
        let part: i64 = format!("{part:0<2}").parse().ok().filter(|_| plain)?;
        Some(whole.parse::<i64>().ok()? * 100 + part)
    };
    read().map(Some).ok_or_else(|| {
        let message = "Enter an amount of at most 100000, such as 80 or 80.50.";
        ApiError::invalid("hourly_rate_cents", message)
    })
}

/// How long ago, in one unit: `12 s`, `3 m`, `2 h`, `4 days`; a moment yet to come is `now`.
pub(crate) fn ago(ms: i64) -> String {
    let seconds = ms / 1000;
    match seconds {
        ..=0 => "now".to_owned(),
        1..=59 => format!("{seconds}{NBSP}s"),
        60..=3599 => format!("{}{NBSP}m", seconds / 60),
        3600..=86_399 => format!("{}{NBSP}h", seconds / 3600),
        86_400..=172_799 => format!("1{NBSP}day"),
        _ => format!("{}{NBSP}days", seconds / 86_400),
    }
}

/// `2026-11-20`, in UTC: for what has no zone of its own.
pub(crate) fn utc_day(ms: i64) -> String {
    at(ms).strftime("%Y-%m-%d").to_string()
}

/// `Friday 20 November 2026`.
pub(crate) fn long_date(date: Date) -> String {
    date.strftime("%A %-d %B %Y").to_string()
}

/// `1 picture`, `2 pictures`.
pub(crate) fn count(number: usize, one: &str) -> String {
    format!("{number}{NBSP}{one}{}", if number == 1 { "" } else { "s" })
}

/// `12,345`.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_hours_and_minutes() {
        let plain = |ms| duration(ms).replace(NBSP, " ");
        assert_eq!(plain(27_120_000), "7 h 32 m");
        assert_eq!(plain(3_660_000), "1 h 01 m");
        assert_eq!(plain(59_999), "59 s");
        assert_eq!(plain(0), "0 m");
        assert_eq!(plain(-5), "0 m");
        assert_eq!(plain(12 * 60_000 + 59_999), "12 m");
    }

    #[test]
    fn a_moment_ago_has_one_unit() {
        let plain = |ms| ago(ms).replace(NBSP, " ");
        assert_eq!(plain(12_000), "12 s");
        assert_eq!(plain(185_000), "3 m");
        assert_eq!(plain(90_000_000), "1 day");
        assert_eq!(plain(-1), "now");
    }

    #[test]
    fn a_day_has_the_length_its_zone_gives_it() {
        let paris = Zone::named("Europe/Paris").unwrap();
        let (from, to) = paris.day(jiff::civil::date(2026, 10, 25));
        assert_eq!(to - from, 25 * 3_600_000, "summer time ends");
        assert_eq!(paris.clock(from), "00:00");
        let (from, to) = Zone::offset(-210).day(jiff::civil::date(2026, 11, 22));
        assert_eq!(to - from, 24 * 3_600_000);
        assert_eq!(Zone::offset(-210).name(), "UTC−03:30");
        assert_eq!(
            Zone::offset(-210).machine(from),
            "2026-11-22T00:00:00-03:30"
        );
    }

    #[test]
    fn hours_begin_where_the_zone_begins_them() {
        let kolkata = Zone::named("Asia/Kolkata").unwrap();
        let (from, _) = kolkata.day(jiff::civil::date(2026, 11, 22));
        assert_eq!(kolkata.hour_start(from + 90 * 60_000), from + 60 * 60_000);
    }

    #[test]
    fn hours_of_a_day_are_read_as_they_are_written() {
        for day in [0, 1, 15, 450, 480, 1440] {
            assert_eq!(minutes(&hours(day)).unwrap(), day);
        }
        assert_eq!((hours(480).as_str(), hours(450).as_str()), ("8", "7.5"));
        assert_eq!(minutes("7,5").unwrap(), 450);
        for bad in ["", "x", "25", "24.5", "-1", "1.234", "."] {
            assert!(minutes(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for money in [0, 5, 50, 8000, 8050, 9_999_999] {
            assert_eq!(cents(&amount(money)).unwrap(), Some(money));
        }
        assert_eq!(
            (amount(8000).as_str(), amount(8050).as_str()),
            ("80", "80.50")
        );
        assert_eq!(
            (cents("80,5").unwrap(), cents(" ").unwrap()),
            (Some(8050), None)
        );
        for bad in ["x", "-1", "1.234", ".", "1e3", "12345678"] {
            assert!(cents(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1000), "−1,000");
    }
}
