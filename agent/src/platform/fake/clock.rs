//! Time that stands still until a test moves it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Moment};

/// 2026-11-23 09:00:00 UTC, a Monday.
const START_WALL_MS: i64 = 1_795_424_400_000;
/// The machine has been up for a while, part of it asleep.
const START_MONO_MS: u64 = 1_000_000;
const START_BOOT_MS: u64 = 1_500_000;

/// Moves the three clocks. Clones move the same ones.
#[derive(Clone, Debug)]
pub struct FakeTime {
    clocks: Arc<Mutex<Clocks>>,
}

#[derive(Debug)]
struct Clocks {
    moment: Moment,
    boots: u32,
}

impl FakeTime {
    /// Starts on a Monday at nine, in UTC.
    pub(super) fn new() -> Self {
        let moment = Moment {
            wall_ms: START_WALL_MS,
            mono_ms: START_MONO_MS,
            boot_ms: START_BOOT_MS,
            utc_offset_min: 0,
        };
        Self {
            clocks: Arc::new(Mutex::new(Clocks { moment, boots: 1 })),
        }
    }

    /// What the clocks show.
    pub fn now(&self) -> Moment {
        self.lock().moment
    }

    /// Lets time pass while the machine is awake: all clocks move.
    pub fn advance(&self, by: Duration) {
        let moment = &mut self.lock().moment;
        moment.wall_ms += signed(by);
        moment.mono_ms += unsigned(by);
        moment.boot_ms += unsigned(by);
    }

    /// Lets time pass while the machine sleeps: the monotonic clock stands still.
    pub fn sleep(&self, by: Duration) {
        let moment = &mut self.lock().moment;
        moment.wall_ms += signed(by);
        moment.boot_ms += unsigned(by);
    }

    /// Sets the wall clock alone, as a person or a time server does.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.lock().moment.wall_ms = wall_ms;
    }

    /// Moves to another time zone; minutes, east positive.
    pub fn set_utc_offset_min(&self, utc_offset_min: i32) {
        self.lock().moment.utc_offset_min = utc_offset_min;
    }

    /// Switches off for so long, and on again. Clocks made from here on name another boot; those made
    /// before keep the name that they had, as no program lives through a boot.
    pub fn reboot(&self, off_for: Duration) {
        let mut clocks = self.lock();
        clocks.boots += 1;
        clocks.moment.wall_ms += signed(off_for);
        clocks.moment.mono_ms = 0;
        clocks.moment.boot_ms = 0;
    }

    pub(super) fn clock(&self) -> FakeClock {
        let boot_id = format!("fake-boot-{}", self.lock().boots);
        FakeClock {
            time: self.clone(),
            boot_id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Clocks> {
        self.clocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a [`FakeTime`].
pub(super) struct FakeClock {
    time: FakeTime,
    boot_id: String,
}

impl Clock for FakeClock {
    fn now(&self) -> Moment {
        self.time.now()
    }

    fn boot_id(&self) -> &str {
        &self.boot_id
    }
}

fn unsigned(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn signed(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clock_moves_as_the_real_one_would() {
        let time = FakeTime::new();
        let clock = time.clock();
        let start = clock.now();

        time.advance(Duration::from_secs(2));
        time.sleep(Duration::from_secs(30));
        let woken = clock.now();
        assert_eq!(woken.wall_ms - start.wall_ms, 32_000);
        assert_eq!(woken.mono_ms - start.mono_ms, 2_000);
        assert_eq!(woken.boot_ms - start.boot_ms, 32_000);

        time.set_wall_ms(0);
        assert_eq!(
            clock.now(),
            Moment {
                wall_ms: 0,
                ..woken
            }
        );
        time.set_utc_offset_min(-210);
        assert_eq!(clock.now().utc_offset_min, -210);

        time.reboot(Duration::from_mins(1));
        assert_eq!(
            (time.now().mono_ms, time.now().boot_ms, time.now().wall_ms),
            (0, 0, 60_000)
        );
        assert_ne!(time.clock().boot_id(), clock.boot_id());
    }
}
