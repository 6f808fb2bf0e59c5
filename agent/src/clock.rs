//! Time as the agent sees it: wall, monotonic and boot clocks read together.
//!
//! Three clocks, because each lies in its own way: the wall clock is set by people and servers, the
//! monotonic one stands still in sleep, the boot one counts sleep but restarts with the machine.
//! Comparing them tells "slept", "clock was set" and "rebooted" apart. Everything pure takes a
//! [`Moment`]; only the shell asks a [`Clock`].

use serde::{Deserialize, Serialize};

/// One reading of all clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// UTC milliseconds since 1970, by the wall clock.
    pub wall_ms: i64,
    /// Milliseconds of this boot, without time asleep (`CLOCK_MONOTONIC`).
    pub mono_ms: u64,
    /// Milliseconds of this boot, with time asleep (`CLOCK_BOOTTIME`).
    pub boot_ms: u64,
    /// The local zone's offset from UTC, minutes, east positive.
    pub utc_offset_min: i32,
}

/// Where moments come from.
pub trait Clock: Send + Sync {
    /// Reads all clocks as nearly at once as the system allows.
    fn now(&self) -> Moment;

    /// Names the current boot; differs after every reboot.
    fn boot_id(&self) -> &str;
}
