//! The kernel's three clocks, the local time zone and the name of this boot.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::time::{ClockId, clock_gettime};

use crate::clock::{Clock, Moment};

/// Where Linux names the boot; a new random UUID each time.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The clocks of this machine.
pub(super) struct LinuxClock {
    boot_id: String,
}

impl LinuxClock {
    pub(super) fn new() -> Self {
        // Without /proc every start counts as a boot of its own: then nothing is taken for
        // comparable that may not be.
        let boot_id = std::fs::read_to_string(BOOT_ID).map_or_else(
            |_| uuid::Uuid::new_v4().to_string(),
            |id| id.trim().to_owned(),
        );
        Self { boot_id }
    }
}

impl Clock for LinuxClock {
    fn now(&self) -> Moment {
        let wall = clock_gettime(ClockId::Realtime);
        let mono_ms = milliseconds(ClockId::Monotonic);
        let boot_ms = milliseconds(ClockId::Boottime);
        let wall_ms = wall.tv_sec * 1000 + wall.tv_nsec / 1_000_000;
        Moment {
            wall_ms,
            mono_ms,
            boot_ms,
            utc_offset_min: utc_offset_min(wall_ms),
        }
    }

    fn boot_id(&self) -> &str {
        &self.boot_id
    }
}

/// Time of this boot, without sleep.
pub(super) fn monotonic() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default()
}

fn milliseconds(clock: ClockId) -> u64 {
    let time = Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The system's zone is looked up anew now and then, so a traveller's laptop is followed.
fn utc_offset_min(wall_ms: i64) -> i32 {
    let now = Timestamp::from_millisecond(wall_ms).unwrap_or_default();
    TimeZone::system().to_offset(now).seconds() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_forward_and_agree_on_order() {
        let clock = LinuxClock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(first.wall_ms > 1_700_000_000_000, "the wall clock is set");
        assert!(second.mono_ms >= first.mono_ms);
        assert!(
            first.boot_ms >= first.mono_ms,
            "sleep counts for the boot clock only"
        );
        assert!((-14 * 60..=14 * 60).contains(&first.utc_offset_min));
    }

    #[test]
    fn the_boot_is_named_the_same_all_along() {
        assert_eq!(LinuxClock::new().boot_id(), LinuxClock::new().boot_id());
        assert!(uuid::Uuid::parse_str(LinuxClock::new().boot_id()).is_ok());
    }
}
