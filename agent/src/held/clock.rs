//! How late it is for captures that wait: a clock that nobody sets.
//!
//! A hold is a stretch of time (`review_hold_s`), and the wall clock can be set. Where it stood far ahead and
//! was set back, what was captured meanwhile would wait for years; set ahead, what nobody has looked at yet
//! would go out at once. So holds are counted by the boot clock, which goes on in sleep. Over a restart of
//! the computer only the wall clock tells how long it was off: forward it is believed, backward it is not.
//!
//! `hold_clock.json` keeps how late it was, for the next start. It begins as what the wall clock shows.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::home::Home;
use crate::platform::files;

/// How much the wall clock may drift from the boot clock before it counts as set.
const SET_MS: u64 = 1_000;
/// How much of a boot is forgotten at most where the computer was set back while it was off.
const WRITE_EVERY_MS: u64 = 600_000;

/// The clock that holds are counted by. Its readings are milliseconds, like the wall clock's, and mean
/// nothing beside it.
#[derive(Debug)]
pub struct HoldClock {
    home: Home,
    boot_id: String,
    readings: HoldReadings,
    written: Option<Anchor>,
}

/// What it shows, for as long as the computer is on.
#[derive(Clone, Copy, Debug)]
pub struct HoldReadings {
    /// At the start of the boot clock.
    base_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    hold_ms: i64,
    wall_ms: i64,
    boot_ms: u64,
    boot_id: String,
}

impl HoldReadings {
    /// What it shows at that moment of this boot.
    pub fn at(self, moment: Moment) -> i64 {
        self.base_ms.saturating_add(signed(moment.boot_ms))
    }
}

impl HoldClock {
    /// Goes on from what the file says. One that is not there, or is damaged, begins anew.
    pub fn open(home: Home, now: Moment, boot_id: &str) -> Self {
        let written = read(&home);
        let base_ms = match &written {
            None => now.wall_ms.saturating_sub(signed(now.boot_ms)),
            Some(then) if then.boot_id == boot_id && then.boot_ms <= now.boot_ms => {
                then.hold_ms.saturating_sub(signed(then.boot_ms))
            }
            Some(then) => {
                let off_ms = now.wall_ms.saturating_sub(then.wall_ms).max(0);
                let shows = then.hold_ms.saturating_add(off_ms);
                shows.saturating_sub(signed(now.boot_ms))
            }
        };
        Self {
            home,
            boot_id: boot_id.to_owned(),
            readings: HoldReadings { base_ms },
            written,
        }
    }

    /// What it shows, to be asked where the file is not at hand.
    pub fn readings(&self) -> HoldReadings {
        self.readings
    }

    /// Keeps how late it is, where that cannot be told from what was kept: at the first time, when the
    /// wall clock was set, and now and then.
    pub fn keep(&mut self, now: Moment) {
        if self
            .written
            .as_ref()
            .is_some_and(|then| self.tells(then, now))
        {
            return;
        }
        let anchor = Anchor {
            hold_ms: self.readings.at(now),
            wall_ms: now.wall_ms,
            boot_ms: now.boot_ms,
            boot_id: self.boot_id.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&anchor).expect("plain data");
        match files::write_private(&self.home.hold_clock(), &bytes) {
            Ok(()) => self.written = Some(anchor),
            Err(error) => tracing::error!(%error, "how late it is for holds cannot be written"),
        }
    }

    fn tells(&self, then: &Anchor, now: Moment) -> bool {
        let by_boot = now.boot_ms.saturating_sub(then.boot_ms);
        let by_wall = now.wall_ms.saturating_sub(then.wall_ms);
        then.boot_id == self.boot_id
            && by_boot < WRITE_EVERY_MS
            && by_wall.saturating_sub(signed(by_boot)).unsigned_abs() < SET_MS
    }
}

fn read(home: &Home) -> Option<Anchor> {
    let path = home.hold_clock();
    let begun_anew = |error: &dyn std::fmt::Display| {
        tracing::warn!(path = %path.display(), %error, "how late it is for holds is not known");
    };
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .inspect_err(|error| begun_anew(error))
            .ok(),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                begun_anew(&error);
            }
            None
        }
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_435_200_000;
    const HOUR: i64 = 3_600_000;
    const IN_2099: i64 = 4_070_908_800_000;

    fn home() -> (tempfile::TempDir, Home) {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        (dir, home)
    }

    fn moment(wall_ms: i64, boot_ms: i64) -> Moment {
        Moment {
            wall_ms,
            mono_ms: 0,
            boot_ms: boot_ms.unsigned_abs(),
            utc_offset_min: 0,
        }
    }

    #[test]
    fn a_clock_that_is_set_neither_ends_a_hold_nor_prolongs_it() {
        let (_dir, home) = home();
        let mut clock = HoldClock::open(home.clone(), moment(NOON, HOUR), "a");
        let begun = clock.readings().at(moment(NOON, HOUR));
        assert_eq!(begun, NOON);
        for wall in [NOON, IN_2099, NOON - HOUR] {
            clock.keep(moment(wall, 2 * HOUR));
            assert_eq!(clock.readings().at(moment(wall, 2 * HOUR)) - begun, HOUR);
            // The agent is started anew.
            clock = HoldClock::open(home.clone(), moment(wall, 3 * HOUR), "a");
            assert_eq!(
                clock.readings().at(moment(wall, 3 * HOUR)) - begun,
                2 * HOUR
            );
        }
    }

    #[test]
    fn over_a_restart_of_the_computer_the_wall_clock_is_believed_forward_alone() {
        let (_dir, home) = home();
        let started = |wall: i64, boot_id: &str| {
            let now = moment(wall, 0);
            let mut clock = HoldClock::open(home.clone(), now, boot_id);
            clock.keep(now);
            clock.readings().at(now)
        };
        assert_eq!(started(NOON, "a"), NOON);
        assert_eq!(started(NOON + HOUR, "b"), NOON + HOUR);
        // It was ahead, and is right again: the hour that it was off is not known, the rest is.
        let ahead = started(IN_2099, "c");
        assert_eq!(started(NOON + 3 * HOUR, "d"), ahead);
        assert_eq!(started(NOON + 4 * HOUR, "e"), ahead + HOUR);
    }

    #[test]
    fn it_is_written_when_the_clock_is_set_and_now_and_then_and_a_damaged_file_stops_nothing() {
        let (_dir, home) = home();
        let mut clock = HoldClock::open(home.clone(), moment(NOON, 0), "a");
        let mut kept = |wall: i64, boot: i64| {
            clock.keep(moment(wall, boot));
            std::fs::read(home.hold_clock()).unwrap()
        };
        let first = kept(NOON, 0);
        assert_eq!(kept(NOON + 599_000, 599_000), first);
        let later = kept(NOON + 600_000, 600_000);
        assert_ne!(later, first);
        assert_ne!(kept(NOON, 601_000), later);
        std::fs::write(home.hold_clock(), "no JSON").unwrap();
        let anew = HoldClock::open(home.clone(), moment(NOON, 5), "a");
        assert_eq!(anew.readings().at(moment(NOON, 5)), NOON);
    }
}
