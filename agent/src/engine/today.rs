//! Time tracked on the local day, by license: sums over the log of sessions that have ended.

use std::collections::{BTreeMap, HashMap};

use glasshour_protocol::payload::SessionEventKind;
use glasshour_protocol::{LicenseId, SessionId};

use crate::clock::Moment;
use crate::journal::Journal;

const DAY_MS: i64 = 86_400_000;

/// Time tracked on one local day by sessions that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Today {
    day: i64,
    by_license: BTreeMap<LicenseId, u64>,
}

impl Today {
    /// Adds up the log's sessions of the local day that `now` lies in. A session that began on the day
    /// before counts from midnight.
    pub(super) fn read(journal: &Journal, now: Moment) -> Self {
        let mut today = Self::none(now);
        let mut open: HashMap<SessionId, i64> = HashMap::new();
        for entry in journal.read().unwrap_or_default() {
            let event = entry.event;
            match event.event {
                SessionEventKind::Started => {
                    open.insert(event.session_id, event.at_ms);
                }
                SessionEventKind::Stopped => {
                    if let Some(from_ms) = open.remove(&event.session_id) {
                        today.add(entry.license_id, from_ms, event.at_ms, now);
                    }
                }
                _ => {}
            }
        }
        today
    }

    fn none(now: Moment) -> Self {
        Self {
            day: local_day(now.wall_ms, now),
            by_license: BTreeMap::new(),
        }
    }

    /// A session has ended that ran between those moments: the part of it that lies on the day of
    /// `now` counts.
    pub(super) fn add(&mut self, license: LicenseId, from_ms: i64, to_ms: i64, now: Moment) {
        if local_day(now.wall_ms, now) != self.day {
            *self = Self::none(now);
        }
        let midnight = self.day * DAY_MS - offset_ms(now);
        let length = to_ms.saturating_sub(from_ms.max(midnight));
        *self.by_license.entry(license).or_default() += u64::try_from(length).unwrap_or(0);
    }

    /// The time under those licenses, with what a running session has so far.
    pub(super) fn total(
        &self,
        counts: impl Fn(LicenseId) -> bool,
        running_ms: u64,
        now: Moment,
    ) -> u64 {
        let ended: u64 = if self.day == local_day(now.wall_ms, now) {
            let of = self.by_license.iter().filter(|(id, _)| counts(**id));
            of.map(|(_, ms)| ms).sum()
        } else {
            0
        };
        ended + running_ms.min(since_midnight(now))
    }
}

fn offset_ms(now: Moment) -> i64 {
    i64::from(now.utc_offset_min) * 60_000
}

fn local_day(wall_ms: i64, now: Moment) -> i64 {
    (wall_ms + offset_ms(now)).div_euclid(DAY_MS)
}

fn since_midnight(now: Moment) -> u64 {
    (now.wall_ms + offset_ms(now))
        .rem_euclid(DAY_MS)
        .unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const HOUR: i64 = 3_600_000;

    fn at(hour: i64) -> Moment {
        Moment {
            wall_ms: 20_000 * DAY_MS + hour * HOUR,
            mono_ms: 0,
            boot_ms: 0,
            utc_offset_min: 0,
        }
    }

    #[test]
    fn time_is_added_up_for_each_license_and_a_new_day_begins_at_nothing() {
        let [acme, beta] = [1, 2].map(|id| LicenseId(Uuid::from_u128(id)));
        let mut today = Today::none(at(9));
        let hours = |today: &Today, license, now| {
            today.total(|id| id == license, 0, now) / HOUR.unsigned_abs()
        };
        today.add(acme, at(8).wall_ms, at(10).wall_ms, at(10));
        today.add(beta, at(10).wall_ms, at(11).wall_ms, at(11));
        // Begun on the day before: from midnight.
        today.add(beta, at(-2).wall_ms, at(3).wall_ms, at(11));
        assert_eq!(hours(&today, acme, at(12)), 2);
        assert_eq!(hours(&today, beta, at(12)), 4);
        assert_eq!(hours(&today, acme, at(24)), 0);
        today.add(acme, at(23).wall_ms, at(25).wall_ms, at(25));
        assert_eq!(hours(&today, acme, at(26)), 1);
        assert_eq!(hours(&today, beta, at(26)), 0);
    }
}
