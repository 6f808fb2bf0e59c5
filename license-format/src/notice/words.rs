//! How the notice writes hours, days, rates, durations and lists; and what it lets through of text
//! that comes from outside.

use jiff::Timestamp;

use crate::claims::{Day, Schedule};
use crate::validate::misleads;

/// `Only Monday to Friday, from 08:00 to 19:00, by the clock of Europe/Paris.`
pub(super) fn hours(schedule: &Schedule) -> String {
    format!(
        "Only {}, from {} to {}, by the clock of {}.",
        days(&schedule.days),
        schedule.from,
        schedule.to,
        plain(&schedule.time_zone)
    )
}

/// Days in words: three and more in a row as `Monday to Friday`.
pub(super) fn days(days: &[Day]) -> String {
    const WEEK: [(Day, &str); 7] = [
        (Day::Mon, "Monday"),
        (Day::Tue, "Tuesday"),
        (Day::Wed, "Wednesday"),
        (Day::Thu, "Thursday"),
        (Day::Fri, "Friday"),
        (Day::Sat, "Saturday"),
        (Day::Sun, "Sunday"),
    ];
    let mut runs: Vec<Vec<&str>> = vec![Vec::new()];
    for (day, name) in WEEK {
        if days.contains(&day) {
            if let Some(run) = runs.last_mut() {
                run.push(name);
            }
        } else {
            runs.push(Vec::new());
        }
    }
    let parts: Vec<String> = runs
        .into_iter()
        .flat_map(|run| match run.as_slice() {
            [first, .., last] if run.len() > 2 => vec![format!("{first} to {last}")],
            few => few.iter().map(|&name| name.to_owned()).collect(),
        })
        .collect();
    list(&parts, "and")
}

pub(super) fn times_an_hour(count: u32) -> String {
    match count {
        1 => "once an hour".into(),
        2 => "twice an hour".into(),
        60 => "once a minute".into(),
        3600 => "once a second".into(),
        more => format!("{more} times an hour"),
    }
}

/// `90` as `1 minute 30 seconds`.
pub(super) fn duration(seconds: u32) -> String {
    let parts: Vec<String> = [
        (seconds / 86_400, "day"),
        (seconds / 3600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, unit)| format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
    .collect();
    if parts.is_empty() {
        "0 seconds".into()
    } else {
        parts.join(" ")
    }
}

pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<T: AsRef<str>>(items: &[T], and: &str) -> String {
    let items: Vec<String> = items.iter().map(|item| plain(item.as_ref())).collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {and} {last}", most.join(", ")),
    }
}

/// Text from outside, fit for a terminal: line ends become spaces; what could mislead goes.
pub(super) fn plain(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !misleads(c))
        .collect();
    spaced.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row_are_a_range() {
        assert_eq!(
            days(&[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri]),
            "Monday to Friday"
        );
        assert_eq!(
            days(&[Day::Sat, Day::Sun, Day::Mon]),
            "Monday, Saturday and Sunday"
        );
        assert_eq!(
            days(&[Day::Mon, Day::Tue, Day::Wed, Day::Fri]),
            "Monday to Wednesday and Friday"
        );
    }

    #[test]
    fn durations_are_words() {
        assert_eq!(duration(300), "5 minutes");
        assert_eq!(duration(86_400 + 3_690), "1 day 1 hour 1 minute 30 seconds");
        assert_eq!(duration(0), "0 seconds");
    }

    #[test]
    fn no_mark_that_turns_the_direction_of_text_comes_through() {
        let marks = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{1b}\u{9b}";
        assert_eq!(plain(&format!(" Ac{marks}me\u{2028}Inc\n")), "Acme Inc");
    }
}
