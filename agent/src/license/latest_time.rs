//! The latest moment that is known to have passed: `latest_time.json`.
//!
//! `not_before` and `expires_at` are held against it, so that setting the clock back does not bring a
//! license back that has run out. It goes forward with this computer's clock, and to what a server
//! says of its own when it tells how this device stands (`server_time_ms`: the clock that its `Date` is
//! from, and no proxy's).
//!
//! **The server's clock counts, also where that goes back.** A clock that once stood in the year 2099
//! must not lock somebody out for ever, and the employer's server is the one party that gains nothing
//! by calling its own license valid too long: it could as well issue a new one. What a server says
//! therefore takes the place of what is remembered, but for licenses of its own company only: no
//! server of somebody's own making prolongs another employer's license. Licenses of a company whose
//! server was never heard are held against the newest word of this computer's clock or any server's.
//!
//! It is a hurdle, not a wall: who can write the agent's files can take this one away. The server
//! refuses what is captured under a license that has run out in any case.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use glasshour_protocol::CompanyId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::home::Home;
use crate::platform::files;

/// How much later it must be before the file is written again.
const WRITE_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// What is known of the time.
#[derive(Debug)]
pub struct LatestTime {
    home: Home,
    known: Known,
    /// As the file has it.
    written: Known,
    /// What each server said last: the same word counts once.
    heard: BTreeMap<CompanyId, Timestamp>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// By this computer's clock or the server that was heard last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Timestamp>,
    /// For companies whose server was heard: its word, and the computer's clock since.
    #[serde(default)]
    servers: BTreeMap<CompanyId, Timestamp>,
}

impl LatestTime {
    /// Reads the file. One that is not there, or is damaged, is no reason to stop: the computer's clock
    /// counts until more is known.
    pub fn open(home: Home) -> Self {
        let path = home.latest_time();
        let known = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(path = %path.display(), %error,
                    "the latest known time is damaged; the computer's clock counts instead");
                Known::default()
            }),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!(path = %path.display(), %error,
                        "the latest known time cannot be read; the computer's clock counts instead");
                }
                Known::default()
            }
        };
        Self {
            home,
            written: known.clone(),
            known,
            heard: BTreeMap::new(),
        }
    }

    /// The time that a license of that company is held against when the computer's clock shows
    /// `wall_ms`.
    pub fn now_for_validity(&self, company: CompanyId, wall_ms: i64) -> Timestamp {
        let known = self.known.servers.get(&company).copied();
        known
            .or(self.known.seen)
            .unwrap_or_default()
            .max(wall(wall_ms))
    }

    /// The computer's clock shows that much.
    pub fn passed(&mut self, wall_ms: i64) {
        let now = wall(wall_ms);
        self.known.seen = self.known.seen.max(Some(now));
        for known in self.known.servers.values_mut() {
            *known = (*known).max(now);
        }
        self.write_if_due();
    }

    /// A server of that company says that it is so late.
    pub fn heard(&mut self, company: CompanyId, server_ms: i64) {
        let Ok(time) = Timestamp::from_millisecond(server_ms) else {
            return;
        };
        if self.heard.insert(company, time) == Some(time) {
            return;
        }
        self.known.seen = Some(time);
        self.known.servers.insert(company, time);
        self.write_if_due();
    }

    fn write_if_due(&mut self) {
        let moved = |old: Option<Timestamp>, new: Option<Timestamp>| match (old, new) {
            // Going back is a server's correction, and is kept at once.
            (Some(old), Some(new)) => new < old || new.duration_since(old) >= WRITE_EVERY,
            (old, new) => old != new,
        };
        let (old, new) = (&self.written, &self.known);
        let due = moved(old.seen, new.seen)
            || new
                .servers
                .iter()
                .any(|(company, time)| moved(old.servers.get(company).copied(), Some(*time)));
        if !due {
            return;
        }
        let bytes = serde_json::to_vec_pretty(&self.known).expect("plain data with string keys");
        match files::write_private(&self.home.latest_time(), &bytes) {
            Ok(()) => self.written = self.known.clone(),
            Err(error) => tracing::error!(%error, "the latest known time cannot be written"),
        }
    }
}

fn wall(wall_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(wall_ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ACME: CompanyId = CompanyId(Uuid::from_u128(1));
    const OTHER: CompanyId = CompanyId(Uuid::from_u128(2));
    const NOON: i64 = 1_795_435_200_000;
    const HOUR: i64 = 3_600_000;
    const IN_2099: i64 = 4_070_908_800_000;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        (dir, home)
    }

    fn at(latest: &LatestTime, company: CompanyId, wall_ms: i64) -> i64 {
        latest.now_for_validity(company, wall_ms).as_millisecond()
    }

    #[test]
    fn a_clock_that_was_set_back_is_not_followed_after_a_restart_either() {
        let (_dir, home) = home();
        let mut latest = LatestTime::open(home.clone());
        latest.passed(NOON);
        latest.passed(NOON - HOUR);
        assert_eq!(at(&latest, ACME, NOON - HOUR), NOON);
        assert_eq!(at(&latest, ACME, NOON + HOUR), NOON + HOUR);
        let latest = LatestTime::open(home);
        assert_eq!(at(&latest, ACME, NOON - HOUR), NOON);
    }

    #[test]
    fn a_server_heals_a_clock_that_was_ahead_for_its_own_company_alone() {
        let (_dir, home) = home();
        let mut latest = LatestTime::open(home.clone());
        latest.heard(ACME, NOON);
        latest.heard(OTHER, NOON);
        latest.passed(IN_2099);
        assert_eq!(at(&latest, ACME, NOON), IN_2099);
        latest.heard(ACME, NOON + HOUR);
        assert_eq!(at(&latest, ACME, NOON), NOON + HOUR);
        assert_eq!(at(&latest, OTHER, NOON), IN_2099);
        // The same word once more is no news.
        latest.passed(NOON + 2 * HOUR);
        latest.heard(ACME, NOON + HOUR);
        assert_eq!(at(&latest, ACME, NOON), NOON + 2 * HOUR);
        let latest = LatestTime::open(home);
        assert_eq!(at(&latest, ACME, NOON), NOON + 2 * HOUR);
        assert_eq!(at(&latest, OTHER, NOON), IN_2099);
    }

    #[test]
    fn the_file_is_written_once_a_minute_and_a_damaged_one_stops_nothing() {
        let (_dir, home) = home();
        let mut latest = LatestTime::open(home.clone());
        latest.passed(NOON);
        let first = std::fs::read(home.latest_time()).unwrap();
        latest.passed(NOON + 59_000);
        assert_eq!(std::fs::read(home.latest_time()).unwrap(), first);
        latest.passed(NOON + 60_000);
        assert_ne!(std::fs::read(home.latest_time()).unwrap(), first);
        std::fs::write(home.latest_time(), "no JSON").unwrap();
        let mut latest = LatestTime::open(home.clone());
        assert_eq!(at(&latest, ACME, 0), 0);
        latest.passed(NOON);
        assert_eq!(at(&LatestTime::open(home), ACME, 0), NOON);
    }
}
