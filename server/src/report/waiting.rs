//! Whether a gap in a chain is one, or its records may still wait on the computer for the review that
//! the license gives (`review_hold_s`).
//!
//! ```text
//! captured            + hold               + slack
//!    |---- waits for the person ----|-- is sent --|   a gap from here on, once the computer was heard of
//! ```
//!
//! What is missing before a record was captured before it, so it waits no longer than it itself would.

/// What was free to go is on its way by then: the agent looks every few minutes, and sends the oldest first.
const SLACK_MS: i64 = 15 * 60_000;
/// A computer that has not been heard of for so long will not explain anything any more.
const SILENT_MS: i64 = 7 * 24 * 3_600_000;

/// Records that may still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Until then, UTC milliseconds, the person may look at them.
    Until(i64),
    /// That is over, and the computer has not been heard of since then, UTC milliseconds.
    Silent(i64),
}

/// A record whose predecessor is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// When it was captured, UTC milliseconds.
    pub captured_at: i64,
    /// How long its license lets captures wait, milliseconds.
    pub hold_ms: i64,
    /// When its computer was last heard of, UTC milliseconds.
    pub device_seen_at: i64,
}

impl Behind {
    /// Whether what is missing before it may still wait, and how long; `None`: it is a gap.
    pub fn waits(self, now_ms: i64) -> Option<Waits> {
        if self.hold_ms == 0 {
            return None;
        }
        let due = self
            .captured_at
            .saturating_add(self.hold_ms)
            .saturating_add(SLACK_MS);
        if now_ms < due {
            return Some(Waits::Until(due));
        }
        let silent = self.device_seen_at < due && now_ms < due.saturating_add(SILENT_MS);
        silent.then_some(Waits::Silent(self.device_seen_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn what_may_wait_for_review_is_a_gap_only_once_it_should_have_come() {
        let behind = |device_seen_at| Behind {
            captured_at: 0,
            hold_ms: HOUR_MS,
            device_seen_at,
        };
        let due = HOUR_MS + SLACK_MS;
        assert_eq!(behind(0).waits(due - 1), Some(Waits::Until(due)));
        assert_eq!(behind(due).waits(due), None);
        // Switched off in the evening, with captures that wait: nobody can tell until it is on again.
        assert_eq!(behind(5).waits(due), Some(Waits::Silent(5)));
        assert_eq!(behind(5).waits(due + SILENT_MS), None);
    }

    #[test]
    fn where_nothing_waits_a_gap_is_one_at_once() {
        let behind = Behind {
            captured_at: 0,
            hold_ms: 0,
            device_seen_at: 0,
        };
        assert_eq!(behind.waits(1), None);
    }
}
