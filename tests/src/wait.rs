//! Waiting for something to become true, with a deadline and in words.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Looks at a condition until it gives a value; fails after `deadline`, naming `what`.
///
/// # Errors
/// The condition's own error at once, or that the time is over.
pub fn wait_until<T>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let begin = now();
    loop {
        if let Some(value) = look()? {
            return Ok(value);
        }
        if begin.elapsed() >= deadline {
            bail!("waited {} s in vain: {what}", deadline.as_secs());
        }
        std::thread::sleep(POLL);
    }
}

/// Gives `Some(())` where the claim holds: for conditions without a value.
pub fn when(claim: bool) -> Option<()> {
    claim.then_some(())
}

/// The monotonic clock of this process.
pub fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness waits for real programs in real time"
    )]
    Instant::now()
}

/// The wall clock, UTC milliseconds since 1970.
pub fn wall_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the harness signs records in real time"
    )]
    let now = std::time::SystemTime::now();
    let since = now
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
