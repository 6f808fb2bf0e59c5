//! How long to wait before the next attempt: exponential with full jitter, or what the server says.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(5);

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// An attempt succeeded.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// An attempt failed: how long to wait. `after` is the server's own word (`Retry-After`) and is a
    /// lower bound; jitter on top keeps ten thousand agents from coming back at the same instant.
    pub(super) fn next(&mut self, after: Option<Duration>) -> Duration {
        self.next_with(after, fastrand::f64())
    }

    fn next_with(&mut self, after: Option<Duration>, random: f64) -> Duration {
        let ceiling = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        match after {
            Some(after) => after.min(LONGEST * 12) + ceiling.mul_f64(random),
            // At least a quarter of the ceiling: full jitter from zero can hammer.
            None => ceiling.mul_f64(0.25 + 0.75 * random),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_doubles_up_to_five_minutes_and_starts_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12)
            .map(|_| backoff.next_with(None, 1.0).as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next_with(None, 1.0), FIRST);
    }

    proptest! {
        #[test]
        fn it_never_comes_back_before_the_server_said(
            failures in 0u32..100, after in 0u64..3600, random in 0.0..1.0f64,
        ) {
            let mut backoff = Backoff { failures };
            let after = Duration::from_secs(after);
            let wait = backoff.next_with(Some(after), random);
            prop_assert!(wait >= after && wait <= after + LONGEST);
        }
    }
}
