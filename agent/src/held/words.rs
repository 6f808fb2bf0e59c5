//! Held captures and what deleting them means, in the reader's words. Times are those of the person's own
//! zone.

use glasshour_words::{Key, Message, Outside, Said, Words};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Consequence, HeldCapture, TimeOff};

/// Who reads it, when and where.
#[derive(Clone, Debug)]
pub struct Telling {
    words: Words,
    now: Zoned,
}

impl Telling {
    /// In those words, at `now_ms` (UTC milliseconds), in that zone.
    pub fn new(words: Words, now_ms: i64, zone: TimeZone) -> Self {
        let now = at(now_ms).to_zoned(zone);
        Self { words, now }
    }

    /// One line of the list, with the id.
    pub fn line(&self, capture: &HeldCapture) -> String {
        format!("{}  {}", capture.record_id, self.short_line(capture))
    }

    /// The same without the id.
    pub fn short_line(&self, capture: &HeldCapture) -> String {
        let words = self.words;
        let mut what = words.part(Message::HeldKind {
            kind: Key(capture.kind.as_str()),
        });
        if let Some(monitor) = &capture.monitor {
            let monitor = Outside(monitor);
            what = words.part(Message::HeldKindOf { what, monitor });
            if capture.unchanged {
                what = words.part(Message::HeldUnchanged { what });
            }
        }
        let size = match capture.bytes {
            bytes if bytes < 1024 => Message::HeldBytes {
                count: small(bytes),
            },
            bytes => Message::HeldKilobytes {
                count: small(bytes.div_ceil(1024)),
            },
        };
        let when = self.clock(capture.until_ms);
        let until = Message::HeldUntil { when };
        let at = self.clock(capture.captured_at_ms);
        let [at, what] = [at.as_str(), what.as_str()];
        format!("{at}  {what}, {}, {}", words.say(size), words.say(until))
    }

    /// What a deletion means, before it is done.
    pub fn consequence(&self, told: &Consequence) -> String {
        let words = self.words;
        let count = small(told.captures.len() as u64);
        let what = words.part(match told.captures.as_slice() {
            [one] => Message::HeldThis {
                kind: Key(one.kind.as_str()),
            },
            _ => Message::HeldThese { count },
        });
        let seen = words.part(Message::HeldSeen { count });
        if told.total_ms == 0 {
            return words.say(Message::HeldTakesNothing { what, seen });
        }
        let stretch = |part: &TimeOff| {
            let (from, to) = (self.clock(part.from_ms), self.clock(part.to_ms));
            words.part(Message::HeldStretch { from, to })
        };
        let stretches = words.listed(merged(&told.time_off).iter().map(stretch).collect());
        let seconds = u32::try_from(told.total_ms / 1000).unwrap_or(u32::MAX);
        let time = words.duration(seconds);
        let mut projects: Vec<&str> = told
            .time_off
            .iter()
            .filter_map(|part| part.project.as_deref())
            .collect();
        projects.sort_unstable();
        projects.dedup();
        words.say(if projects.is_empty() {
            Message::HeldTakes {
                what,
                time,
                stretches,
                seen,
            }
        } else {
            Message::HeldTakesOn {
                what,
                time,
                stretches,
                projects: words.names(&projects),
                seen,
            }
        })
    }

    fn clock(&self, ms: i64) -> Said {
        let then = at(ms).to_zoned(self.now.time_zone().clone());
        self.words.time_of_day(&then, &self.now)
    }
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
    use glasshour_protocol::{Kind, RecordId};
    use glasshour_words::Language;
    use uuid::Uuid;

    /// 23 November 2026, 09:00 UTC.
    const NINE: i64 = 1_795_424_400_000;
    const MINUTE: i64 = 60_000;

    fn telling(language: Language) -> Telling {
        Telling::new(Words::new(language), NINE, TimeZone::UTC)
    }

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
        let english = |told: &Consequence| telling(Language::English).consequence(told);
        assert_eq!(
            english(&told),
            "Deleting this screenshot takes 10 minutes (10:20 to 10:30) off the time tracked on \
             Apollo; your employer sees that you deleted a capture, not what it showed."
        );
        assert_eq!(
            telling(Language::French)
                .consequence(&told)
                .replace(['\u{a0}', '\u{202f}'], " "),
            "Supprimer cette capture d’écran retire 10 minutes (de 10 h 20 à 10 h 30) du temps suivi sur \
             Apollo ; votre employeur voit que vous avez supprimé une capture, pas ce qu’elle montrait."
        );
        told.captures.push(capture(Kind::Activity, NINE));
        told.time_off = vec![
            off(0, 5, None),
            off(5, 6, Some("Apollo")),
            off(80, 90, Some("Support")),
        ];
        told.total_ms = 16 * MINUTE;
        assert_eq!(
            english(&told),
            "Deleting these 2 captures takes 16 minutes (09:00 to 09:06 and 10:20 to 10:30) off the \
             time tracked on Apollo and Support; your employer sees that you deleted captures, not \
             what they showed."
        );
        told.time_off.clear();
        told.total_ms = 0;
        assert!(english(&told).starts_with("Deleting these 2 captures takes nothing off"));
    }

    #[test]
    fn a_line_tells_id_time_kind_monitor_size_and_until_when_it_waits() {
        let mut shot = capture(Kind::Screenshot, NINE);
        let told = |shot: &HeldCapture| telling(Language::English).line(shot);
        assert!(told(&shot).ends_with("  09:00  screenshot of HDMI-1, 80 KB, until 10:00"));
        shot.captured_at_ms -= 24 * 60 * MINUTE;
        assert!(told(&shot).contains("  22 November 09:00  "));
        shot.unchanged = true;
        let french = telling(Language::French).line(&shot);
        assert!(
            french.contains("capture d’écran de HDMI-1, sans changement, 80\u{a0}Ko"),
            "{french}"
        );
    }
}
