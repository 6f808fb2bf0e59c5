//! How many records are on their way at once, and how fast they go: pure.
//!
//! The width is found by trying: one more after each full batch that went well, half as many after one that
//! met a busy server, a time-out or a broken connection. So a fast line and an idle server are used, and
//! a slow line or a rush of ten thousand agents soon sees few from each. The rate is what the
//! administrator allows, over all of it.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// How many to begin with.
const FIRST: usize = 4;
/// The most, as the server lets one connection have 64 requests.
pub(super) const MOST: usize = 32;
/// What cannot begin within so long at the allowed rate is not begun: news and newer licenses are asked for
/// in between.
pub(super) const WORTH_WAITING: Duration = Duration::from_secs(2);

/// Records on their way at the same time.
#[derive(Debug)]
pub(super) struct Width(usize);

impl Default for Width {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Width {
    pub(super) fn now(&self) -> usize {
        self.0
    }

    /// A batch of so many is over.
    pub(super) fn learn(&mut self, batch: usize, pushed_back: bool) {
        if pushed_back {
            self.0 = (self.0 / 2).max(1);
        } else if batch >= self.0 {
            // A batch that did not fill the width says nothing about a wider one.
            self.0 = (self.0 + 1).min(MOST);
        }
    }
}

/// Bytes a second, where the administrator has said how many.
#[derive(Debug)]
pub(super) struct Rate {
    bytes_per_s: Option<NonZeroU32>,
    /// When what was let through so far has gone at that rate.
    free_at: Option<Instant>,
}

impl Rate {
    pub(super) fn new(bytes_per_s: Option<NonZeroU32>) -> Self {
        Self {
            bytes_per_s,
            free_at: None,
        }
    }

    /// When something may go, the earliest; `now` or later.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.free_at.map_or(now, |free_at| free_at.max(now))
    }

    /// When so many bytes may go. They are counted as let through.
    pub(super) fn turn(&mut self, now: Instant, bytes: usize) -> Instant {
        let turn = self.next(now);
        if let Some(rate) = self.bytes_per_s {
            self.free_at = Some(turn + Duration::from_secs(bytes as u64) / rate.get());
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_width_grows_by_one_and_falls_by_half() {
        let mut width = Width::default();
        width.learn(4, false);
        assert_eq!(width.now(), 5);
        // Half a batch proves nothing.
        width.learn(2, false);
        assert_eq!(width.now(), 5);
        width.learn(5, true);
        assert_eq!(width.now(), 2);
        for _ in 0..100 {
            width.learn(width.now(), false);
        }
        assert_eq!(width.now(), MOST);
        for _ in 0..10 {
            width.learn(1, true);
        }
        assert_eq!(width.now(), 1);
        width.learn(1, false);
        assert_eq!(width.now(), 2);
    }

    proptest! {
        #[test]
        fn no_more_goes_than_the_rate_allows_and_an_idle_while_is_not_saved_up(
            rate in 1_u32..1_000_000,
            sizes in prop::collection::vec((0_usize..2_000_000, 0_u64..5_000), 1..40),
        ) {
            let begin = Instant::now();
            let mut now = begin;
            let mut capped = Rate::new(NonZeroU32::new(rate));
            let mut before = None;
            for (bytes, idle_ms) in sizes {
                now += Duration::from_millis(idle_ms);
                let turn = capped.turn(now, bytes);
                prop_assert!(turn >= now);
                if let Some((last, bytes)) = before {
                    let least: Duration = Duration::from_secs(bytes) / rate;
                    prop_assert!(turn.duration_since(last) >= least);
                }
                before = Some((turn, bytes as u64));
                now = turn;
            }
            prop_assert_eq!(Rate::new(None).turn(now, usize::MAX), now);
        }
    }
}
