//! The system's clocks, the local time zone and the name of this boot.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use windows::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemTimeOfDayInformation,
};
use windows::Win32::System::SystemInformation::GetTickCount64;
use windows::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

use crate::clock::{Clock, Moment};

/// The clocks of this machine.
pub(super) struct WindowsClock {
    boot_id: String,
}

impl WindowsClock {
    pub(super) fn new() -> Self {
        // Where the system does not say, every start counts as a boot of its own: then nothing is taken
        // for comparable that may not be.
        let boot_id = boot_time().map_or_else(
            || uuid::Uuid::new_v4().to_string(),
            |time| format!("boot-{time}"),
        );
        Self { boot_id }
    }
}

impl Clock for WindowsClock {
    fn now(&self) -> Moment {
        let now = Timestamp::now();
        Moment {
            wall_ms: now.as_millisecond(),
            mono_ms: u64::try_from(monotonic().as_millis()).unwrap_or(u64::MAX),
            // SAFETY: it takes nothing and cannot fail.
            boot_ms: unsafe { GetTickCount64() },
            utc_offset_min: TimeZone::system().to_offset(now).seconds() / 60,
        }
    }

    fn boot_id(&self) -> &str {
        &self.boot_id
    }
}

/// Time of this boot, without sleep.
pub(super) fn monotonic() -> Duration {
    let mut units = 0;
    // SAFETY: the place is ours. It fails for no reason but a place that is not.
    let _ = unsafe { QueryUnbiasedInterruptTime(&raw mut units) };
    Duration::from_nanos(units.saturating_mul(100))
}

/// When the kernel was started, in its own units. Setting the clock moves what the kernel says of it,
/// by the bias that it also says.
fn boot_time() -> Option<i64> {
    /// `SYSTEM_TIMEOFDAY_INFORMATION` as the kernel fills it.
    #[repr(C)]
    #[derive(Default)]
    struct TimeOfDay {
        boot_time: i64,
        current_time: i64,
        zone_bias: i64,
        zone_id: u32,
        reserved: u32,
        boot_time_bias: u64,
        sleep_time_bias: u64,
    }
    let mut told = TimeOfDay::default();
    let size = u32::try_from(size_of::<TimeOfDay>()).ok()?;
    let mut filled = 0;
    // SAFETY: the place is as large as is said, and any bytes make the numbers in it.
    let status = unsafe {
        NtQuerySystemInformation(
            SystemTimeOfDayInformation,
            (&raw mut told).cast(),
            size,
            &raw mut filled,
        )
    };
    let bias = i64::try_from(told.boot_time_bias).ok()?;
    (status.is_ok() && told.boot_time != 0).then(|| told.boot_time.wrapping_sub(bias))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_forward() {
        let clock = WindowsClock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(first.wall_ms > 1_700_000_000_000, "the wall clock is set");
        assert!(first.mono_ms > 0 && first.boot_ms > 0);
        assert!(second.mono_ms >= first.mono_ms && second.boot_ms >= first.boot_ms);
        assert!((-14 * 60..=14 * 60).contains(&first.utc_offset_min));
    }

    #[test]
    fn the_boot_is_named_the_same_all_along() {
        let id = WindowsClock::new().boot_id;
        assert_eq!(WindowsClock::new().boot_id, id);
        assert!(id.starts_with("boot-"), "{id}");
    }
}
