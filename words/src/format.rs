//! Hours, days, rates, durations, moments and lists, as a language writes them.

use glasshour_license_format::{Day, Schedule, TimeOfDay};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::catalogue::Words;
use crate::language::Language;
use crate::message::{Message, Outside, Said};
use crate::plain::plain;

/// How the last two items of a list are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    And,
    Or,
}

impl Words {
    /// `once an hour`.
    pub(crate) fn rate(self, per_hour: u32) -> Said {
        self.part(Message::Rate { count: per_hour })
    }

    /// Days, hours, minutes and seconds in words: 90 as `1 minute 30 seconds`.
    pub fn duration(self, seconds: u32) -> Said {
        let parts: Vec<String> = [
            (seconds / 86_400, Unit::Days),
            (seconds / 3600 % 24, Unit::Hours),
            (seconds / 60 % 60, Unit::Minutes),
            (seconds % 60, Unit::Seconds),
        ]
        .into_iter()
        .filter(|(count, unit)| *count > 0 || (seconds == 0 && *unit == Unit::Seconds))
        .map(|(count, unit)| self.say(unit.message(count)))
        .collect();
        Said::new(parts.join(" "))
    }

    /// A duration in short, from milliseconds: `7 h 32 m`, `5 m`, `40 s`; what is begun is not counted.
    pub fn short_duration(self, ms: u64) -> Said {
        let seconds = ms / 1000;
        let digits = |number: u64| Said::new(number.to_string());
        let message = match (seconds / 3600, seconds % 3600 / 60) {
            (0, 0) => Message::TimeSeconds {
                seconds: digits(seconds),
            },
            (0, minutes) => Message::TimeMinutes {
                minutes: digits(minutes),
            },
            (hours, minutes) => Message::TimeHours {
                hours: digits(hours),
                minutes: Said::new(format!("{minutes:02}")),
            },
        };
        self.part(message)
    }

    /// A moment, to the minute, in UTC.
    pub fn moment(self, at: Timestamp) -> Said {
        let at = at.to_zoned(TimeZone::UTC);
        let positive = |number: i8| u32::from(number.unsigned_abs());
        self.part(Message::Moment {
            day: positive(at.day()),
            month: self.part(Message::Month {
                month: positive(at.month()),
            }),
            // As text: a year has no thousands.
            year: Said::new(at.year().to_string()),
            clock: self.clock(positive(at.hour()), positive(at.minute())),
        })
    }

    /// A time of day, `10:20`; with the date where that is another day than `today`. Both are of the
    /// person's own zone.
    pub fn time_of_day(self, at: &Zoned, today: &Zoned) -> Said {
        let positive = |number: i8| u32::from(number.unsigned_abs());
        let clock = self.clock(positive(at.hour()), positive(at.minute()));
        if at.date() == today.date() {
            return clock;
        }
        self.part(Message::HeldDay {
            day: positive(at.day()),
            month: self.part(Message::Month {
                month: positive(at.month()),
            }),
            clock,
        })
    }

    /// Items that were said already, as a list: `a, b and c`.
    pub fn listed(self, items: Vec<Said>) -> Said {
        self.list(items, Join::And)
    }

    /// A license's hours.
    pub(crate) fn hours(self, schedule: &Schedule) -> String {
        let clock = |time: TimeOfDay| {
            let minutes = u32::from(time.minutes());
            self.clock(minutes / 60, minutes % 60)
        };
        self.say(Message::WhenHours {
            days: self.days(&schedule.days),
            from: clock(schedule.from),
            to: clock(schedule.to),
            zone: Outside(&schedule.time_zone),
        })
    }

    /// A license's hours, as they stand after a name: `Monday to Friday, 08:00 to 18:00`.
    pub(crate) fn hours_in_short(self, schedule: &Schedule) -> Said {
        let clock = |time: TimeOfDay| {
            let minutes = u32::from(time.minutes());
            self.clock(minutes / 60, minutes % 60)
        };
        self.part(Message::ValueHours {
            days: self.days(&schedule.days),
            from: clock(schedule.from),
            to: clock(schedule.to),
            zone: Outside(&schedule.time_zone),
        })
    }

    fn clock(self, hour: u32, minute: u32) -> Said {
        self.part(Message::Clock {
            hour: Said::new(match self.language() {
                Language::English => format!("{hour:02}"),
                Language::French => hour.to_string(),
            }),
            minute: Said::new(format!("{minute:02}")),
        })
    }

    /// Days in words: three and more in a row as `Monday to Friday`.
    pub(crate) fn days(self, days: &[Day]) -> Said {
        const WEEK: [(Day, u32); 7] = [
            (Day::Mon, 1),
            (Day::Tue, 2),
            (Day::Wed, 3),
            (Day::Thu, 4),
            (Day::Fri, 5),
            (Day::Sat, 6),
            (Day::Sun, 7),
        ];
        let mut runs: Vec<Vec<Said>> = vec![Vec::new()];
        for (day, number) in WEEK {
            if !days.contains(&day) {
                runs.push(Vec::new());
            } else if let Some(run) = runs.last_mut() {
                run.push(self.part(Message::Weekday { day: number }));
            }
        }
        let mut parts = Vec::new();
        for run in runs {
            if let [first, .., last] = run.as_slice()
                && run.len() > 2
            {
                parts.push(self.part(Message::WeekdayRange {
                    first: first.clone(),
                    last: last.clone(),
                }));
            } else {
                let alone = |name| self.part(Message::WeekdayOn { name });
                parts.extend(run.into_iter().map(alone));
            }
        }
        self.list(parts, Join::And)
    }

    /// Texts from outside as a list: `a, b and c`.
    pub fn names<T: AsRef<str>>(self, names: &[T]) -> Said {
        let names = names.iter().map(|name| Said::new(plain(name.as_ref())));
        self.list(names.collect(), Join::And)
    }

    /// Texts from outside in quotation marks, any of which will do.
    pub(crate) fn any_of_quoted(self, texts: &[String]) -> Said {
        let quoted = texts.iter().map(|text| {
            let text = Said::new(plain(text));
            self.part(Message::Quoted { text })
        });
        self.list(quoted.collect(), Join::Or)
    }

    /// `a`, `a and b`, `a, b and c`.
    fn list(self, items: Vec<Said>, join: Join) -> Said {
        let mut items = items.into_iter();
        let last = items.next_back();
        let most = items.reduce(|items, next| self.part(Message::ListMore { items, next }));
        match (most, last) {
            (Some(items), Some(last)) => self.part(match join {
                Join::And => Message::ListAnd { items, last },
                Join::Or => Message::ListOr { items, last },
            }),
            (_, only) => only.unwrap_or_else(|| Said::new(String::new())),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    fn message(self, count: u32) -> Message<'static> {
        match self {
            Self::Days => Message::Days { count },
            Self::Hours => Message::Hours { count },
            Self::Minutes => Message::Minutes { count },
            Self::Seconds => Message::Seconds { count },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Words = Words::ENGLISH;
    const FRENCH: Words = Words::new(Language::French);

    /// With spaces that may break, so that the cases can be read.
    fn loose(said: &Said) -> String {
        said.as_str().replace(['\u{a0}', '\u{202f}'], " ")
    }

    #[test]
    fn days_in_a_row_are_a_range() {
        use Day::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        for (days, english, french) in [
            (
                &[Mon, Tue, Wed, Thu, Fri][..],
                "Monday to Friday",
                "du lundi au vendredi",
            ),
            (
                &[Sat, Sun, Mon],
                "Monday, Saturday and Sunday",
                "le lundi, le samedi et le dimanche",
            ),
            (
                &[Mon, Tue, Wed, Fri],
                "Monday to Wednesday and Friday",
                "du lundi au mercredi et le vendredi",
            ),
        ] {
            assert_eq!(ENGLISH.days(days).as_str(), english);
            assert_eq!(FRENCH.days(days).as_str(), french);
        }
    }

    #[test]
    fn durations_are_words() {
        for (seconds, english, french) in [
            (300, "5 minutes", "5 minutes"),
            (
                86_400 + 3_690,
                "1 day 1 hour 1 minute 30 seconds",
                "1 jour 1 heure 1 minute 30 secondes",
            ),
            (0, "0 seconds", "0 seconde"),
        ] {
            assert_eq!(loose(&ENGLISH.duration(seconds)), english);
            assert_eq!(loose(&FRENCH.duration(seconds)), french);
        }
    }

    #[test]
    fn short_durations_are_cut_not_rounded() {
        for (ms, english, french) in [
            (0, "0 s", "0 s"),
            (59_999, "59 s", "59 s"),
            (300_000, "5 m", "5 min"),
            (3_660_000, "1 h 01 m", "1 h 01 min"),
            (27_120_000, "7 h 32 m", "7 h 32 min"),
        ] {
            assert_eq!(loose(&ENGLISH.short_duration(ms)), english);
            assert_eq!(loose(&FRENCH.short_duration(ms)), french);
        }
    }

    #[test]
    fn moments_are_dates_and_a_clock_of_twenty_four_hours() {
        let at: Timestamp = "2026-12-01T17:05:59Z".parse().unwrap();
        assert_eq!(loose(&ENGLISH.moment(at)), "1 December 2026 at 17:05 UTC");
        assert_eq!(
            loose(&FRENCH.moment(at)),
            "1er décembre 2026 à 17 h 05 (UTC)"
        );
    }

    #[test]
    fn lists_are_joined_by_a_word() {
        assert_eq!(ENGLISH.names(&["a", "b", "c"]).as_str(), "a, b and c");
        assert_eq!(FRENCH.names(&["a", "b", "c"]).as_str(), "a, b et c");
        assert_eq!(FRENCH.names(&["a"]).as_str(), "a");
        assert_eq!(FRENCH.names::<&str>(&[]).as_str(), "");
        let titles = ["Bank".to_owned(), "Mail".to_owned()];
        assert_eq!(ENGLISH.any_of_quoted(&titles).as_str(), "“Bank” or “Mail”");
        assert_eq!(
            loose(&FRENCH.any_of_quoted(&titles)),
            "« Bank » ou « Mail »"
        );
    }
}
