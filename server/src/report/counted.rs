//! What of tracked time does not count: what lies in front of a record in doubt that nobody has accepted
//! (rule 22).
//!
//! ```text
//! session   ████████████████████
//! records   |  |  |        |  |        one is missing in the gap
//! counted   ███████········████        until somebody accepts the record behind it
//! ```

use glasshour_protocol::session::{Stretch, tracked_within};

/// Tracked milliseconds of some stretches within `[from_ms, to_ms)` and within some spans, which may overlap.
pub fn uncounted_within(
    stretches: &[Stretch],
    spans: impl IntoIterator<Item = (i64, i64)>,
    from_ms: i64,
    to_ms: i64,
) -> i64 {
    let mut spans: Vec<(i64, i64)> = spans.into_iter().collect();
    spans.sort_unstable();
    let mut counted_to = from_ms;
    let mut sum = 0;
    for (begin, end) in spans {
        let (begin, end) = (begin.max(counted_to), end.min(to_ms));
        if begin < end {
            sum += tracked_within(stretches, begin, end);
            counted_to = end;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p22_overlapping_gaps_take_time_off_once_and_idle_time_not_at_all() {
        let stretch = |from_ms, to_ms, idle| Stretch {
            from_ms,
            to_ms,
            project_id: None,
            idle,
            withdrawn: false,
            kept: false,
        };
        let stretches = [stretch(0, 100, false), stretch(100, 150, true)];
        let off =
            |spans: &[(i64, i64)]| uncounted_within(&stretches, spans.iter().copied(), 10, 200);
        assert_eq!(off(&[]), 0);
        assert_eq!(off(&[(0, 20)]), 10, "what is before is another day's");
        assert_eq!(off(&[(60, 120), (50, 70), (55, 60)]), 50);
        assert_eq!(off(&[(110, 140)]), 0);
    }
}
