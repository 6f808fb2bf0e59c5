//! The kernel's three clocks, the local time zone and the name of this boot.

use std::ffi::CStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::clock::{Clock, Moment};

/// Where macOS names the boot; a new random UUID each time.
const BOOT_ID: &CStr = c"kern.bootsessionuuid";

/// The clocks of this machine.
pub(super) struct MacClock {
    boot_id: String,
}

impl MacClock {
    pub(super) fn new() -> Self {
        // Without it every start counts as a boot of its own: then nothing is taken for comparable that
        // may not be.
        let boot_id = boot_id().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        Self { boot_id }
    }
}

impl Clock for MacClock {
    fn now(&self) -> Moment {
        let now = Timestamp::now();
        Moment {
            wall_ms: now.as_millisecond(),
            // It stands still in sleep; the next one goes on.
            mono_ms: milliseconds(libc::CLOCK_UPTIME_RAW),
            boot_ms: milliseconds(libc::CLOCK_MONOTONIC_RAW),
            utc_offset_min: TimeZone::system().to_offset(now).seconds() / 60,
        }
    }

    fn boot_id(&self) -> &str {
        &self.boot_id
    }
}

fn milliseconds(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the place is ours. It fails for clocks that do not exist; these do since macOS 10.12.
    let _ = unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1000 + nanoseconds / 1_000_000
}

fn boot_id() -> Option<String> {
    let mut place = [0_u8; 64];
    let mut size = place.len();
    // SAFETY: the name ends with a zero, and the place is as large as is said.
    let status = unsafe {
        libc::sysctlbyname(
            BOOT_ID.as_ptr(),
            place.as_mut_ptr().cast(),
            &raw mut size,
            std::ptr::null_mut(),
            0,
        )
    };
    let id = CStr::from_bytes_until_nul(&place).ok()?.to_str().ok()?;
    (status == 0 && !id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_run_forward_and_agree_on_order() {
        let clock = MacClock::new();
        let first = clock.now();
        let second = clock.now();
        assert!(first.wall_ms > 1_700_000_000_000, "the wall clock is set");
        assert!(second.mono_ms >= first.mono_ms);
        assert!(
            first.boot_ms >= first.mono_ms,
            "sleep counts for the boot clock only"
        );
    }

    #[test]
    fn the_boot_is_named_the_same_all_along() {
        assert_eq!(MacClock::new().boot_id(), MacClock::new().boot_id());
        assert!(uuid::Uuid::parse_str(MacClock::new().boot_id()).is_ok());
    }
}
