//! Held captures and what deleting them means, in sentences. Times are those of the person's own zone.

use glasshour_protocol::Kind;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Consequence, HeldCapture, TimeOff};

/// A time of day, `10:20`; with the date where that is another day than `day_of_ms`.
pub fn clock(ms: i64, day_of_ms: i64, zone: &TimeZone) -> String {
    let at = |ms| Timestamp::from_millisecond(ms).map(|at| at.to_zoned(zone.clone()));
    let (Ok(at), Ok(today)) = (at(ms), at(day_of_ms)) else {
        return String::new();
    };
    let pattern = if at.date() == today.date() {
        "%H:%M"
    } else {
        "%d %B %H:%M"
    };
    at.strftime(pattern).to_string()
}

/// `10 minutes`, `1 hour 5 minutes`, `45 seconds`.
pub fn length(ms: i64) -> String {
    let count = |number: i64, unit: &str| {
        let s = if number == 1 { "" } else { "s" };
        format!("{number} {unit}{s}")
    };
    let seconds = ms / 1000;
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => count(seconds, "second"),
        (0, minutes, 0) => count(minutes, "minute"),
        (0, minutes, seconds) => {
            format!("{} {}", count(minutes, "minute"), count(seconds, "second"))
        }
        (hours, 0, _) => count(hours, "hour"),
        (hours, minutes, _) => format!("{} {}", count(hours, "hour"), count(minutes, "minute")),
    }
}

/// What one capture is called.
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Screenshot => "screenshot",
        Kind::Camera => "camera picture",
        Kind::Activity => "minute of activity",
        Kind::Session => "event of a session",
        Kind::Health => "health report",
        Kind::Notice => "notice",
    }
}

/// One line of the list, with the id.
pub fn line(capture: &HeldCapture, now_ms: i64, zone: &TimeZone) -> String {
    format!(
        "{}  {}",
        capture.record_id,
        short_line(capture, now_ms, zone)
    )
}

/// The same without the id.
pub fn short_line(capture: &HeldCapture, now_ms: i64, zone: &TimeZone) -> String {
    let what = match (&capture.monitor, capture.unchanged) {
        (Some(monitor), true) => format!("{} of {monitor}, unchanged", name(capture.kind)),
        (Some(monitor), false) => format!("{} of {monitor}", name(capture.kind)),
        (None, _) => name(capture.kind).to_owned(),
    };
    let until = if capture.deleted {
        "deleted by you".to_owned()
    } else {
        format!("until {}", clock(capture.until_ms, now_ms, zone))
    };
    let size = match capture.bytes {
        bytes if bytes < 1024 => format!("{bytes} B"),
        bytes => format!("{} KB", bytes.div_ceil(1024)),
    };
    let at = clock(capture.captured_at_ms, now_ms, zone);
    format!("{at}  {what}, {size}, {until}")
}

/// What a deletion means, before it is done.
pub fn consequence(told: &Consequence, now_ms: i64, zone: &TimeZone) -> String {
    let what = match told.captures.as_slice() {
        [one] => format!("this {}", name(one.kind)),
        many => format!("these {} captures", many.len()),
    };
    let parts: Vec<String> = merged(&told.time_off)
        .iter()
        .map(|part| {
            let from = clock(part.from_ms, now_ms, zone);
            format!("{from} to {}", clock(part.to_ms, now_ms, zone))
        })
        .collect();
    let mut projects: Vec<&str> = told
        .time_off
        .iter()
        .filter_map(|part| part.project.as_deref())
        .collect();
    projects.sort_unstable();
    projects.dedup();
    let on = if projects.is_empty() {
        "your tracked time".to_owned()
    } else {
        format!("the time tracked on {}", projects.join(" and "))
    };
    let takes = if told.total_ms == 0 {
        format!("Deleting {what} takes nothing off your tracked time")
    } else {
        format!(
            "Deleting {what} takes {} ({}) off {on}",
            length(told.total_ms),
            parts.join(", ")
        )
    };
    let seen = match told.captures.len() {
        1 => "your employer sees that you deleted a capture, not what it showed",
        _ => "your employer sees that you deleted captures, not what they showed",
    };
    format!("{takes}; {seen}.")
}

/// Stretches that follow each other are one.
fn merged(parts: &[TimeOff]) -> Vec<TimeOff> {
    let mut merged: Vec<TimeOff> = Vec::new();
    for part in parts {
        match merged.last_mut() {
            Some(last) if last.to_ms == part.from_ms => last.to_ms = part.to_ms,
            _ => merged.push(part.clone()),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshour_protocol::RecordId;
    use uuid::Uuid;

    /// 23 November 2026, 09:00 UTC.
    const NINE: i64 = 1_795_424_400_000;
    const MINUTE: i64 = 60_000;

    fn capture(kind: Kind, at_ms: i64) -> HeldCapture {
        HeldCapture {
            record_id: RecordId(Uuid::nil()),
            kind,
            captured_at_ms: at_ms,
            until_ms: at_ms + 3_600_000,
            bytes: 81_234,
            monitor: (kind == Kind::Screenshot).then(|| "HDMI-1".into()),
            unchanged: false,
            project: Some("Apollo".into()),
            company: "Acme".into(),
            may_delete: true,
            deleted: false,
        }
    }

    fn off(from: i64, to: i64, project: Option<&str>) -> TimeOff {
        TimeOff {
            from_ms: NINE + from * MINUTE,
            to_ms: NINE + to * MINUTE,
            project: project.map(Into::into),
        }
    }

    #[test]
    fn the_consequence_says_how_much_when_on_what_and_what_the_employer_sees() {
        let mut told = Consequence {
            captures: vec![capture(Kind::Screenshot, NINE + 90 * MINUTE)],
            time_off: vec![off(80, 90, Some("Apollo"))],
            total_ms: 10 * MINUTE,
        };
        let words = |told: &Consequence| consequence(told, NINE, &TimeZone::UTC);
        assert_eq!(
            words(&told),
            "Deleting this screenshot takes 10 minutes (10:20 to 10:30) off the time tracked on \
             Apollo; your employer sees that you deleted a capture, not what it showed."
        );
        told.captures.push(capture(Kind::Activity, NINE));
        told.time_off = vec![
            off(0, 5, None),
            off(5, 6, Some("Apollo")),
            off(80, 90, Some("Support")),
        ];
        told.total_ms = 16 * MINUTE;
        assert_eq!(
            words(&told),
            "Deleting these 2 captures takes 16 minutes (09:00 to 09:06, 10:20 to 10:30) off the \
             time tracked on Apollo and Support; your employer sees that you deleted captures, not \
             what they showed."
        );
        told.time_off.clear();
        told.total_ms = 0;
        assert!(words(&told).starts_with("Deleting these 2 captures takes nothing off"));
    }

    #[test]
    fn a_line_tells_id_time_kind_monitor_size_and_until_when_it_waits() {
        let mut shot = capture(Kind::Screenshot, NINE);
        let told = |shot: &HeldCapture| line(shot, NINE, &TimeZone::UTC);
        assert!(told(&shot).ends_with("  09:00  screenshot of HDMI-1, 80 KB, until 10:00"));
        shot.deleted = true;
        assert!(told(&shot).ends_with("80 KB, deleted by you"));
        shot.captured_at_ms -= 24 * 60 * MINUTE;
        assert!(told(&shot).contains("  22 November 09:00  "));
    }

    #[test]
    fn lengths_read_as_people_say_them() {
        let cases = [
            (5_000, "5 seconds"),
            (60_000, "1 minute"),
            (61_000, "1 minute 1 second"),
            (600_000, "10 minutes"),
            (3_600_000, "1 hour"),
            (3_900_000, "1 hour 5 minutes"),
        ];
        for (ms, words) in cases {
            assert_eq!(length(ms), words);
        }
    }
}
