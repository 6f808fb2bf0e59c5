//! When a mail that was not taken is tried again, and when it is given up.

/// Waits between tries, in minutes; the last one repeats.
const WAITS_MIN: [i64; 6] = [1, 5, 15, 30, 60, 120];

/// How long a mail is tried, as RFC 5321, section 4.5.4.1, leaves to the sender: long enough for a mail
/// server that is repaired the day after tomorrow, short enough that nobody wonders.
const GIVE_UP_AFTER_MS: i64 = 48 * 3_600_000;

/// When to try again after so many tries; `None`: never. `created_at_ms`: when the mail was made.
pub(super) fn next_try_ms(tries: i64, created_at_ms: i64, now_ms: i64) -> Option<i64> {
    let index = usize::try_from(tries.max(1) - 1).unwrap_or(usize::MAX);
    let minutes = WAITS_MIN.get(index).or(WAITS_MIN.last())?;
    let next = now_ms + minutes * 60_000;
    (next - created_at_ms <= GIVE_UP_AFTER_MS).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_and_end_after_two_days() {
        let mut now_ms = 0;
        let mut waits = vec![];
        for tries in 1..1000 {
            let Some(next) = next_try_ms(tries, 0, now_ms) else {
                break;
            };
            waits.push((next - now_ms) / 60_000);
            now_ms = next;
        }
        assert_eq!(waits[..7], [1, 5, 15, 30, 60, 120, 120]);
        assert!(waits.is_sorted());
        assert!(now_ms > 46 * 3_600_000 && now_ms <= GIVE_UP_AFTER_MS);
        assert_eq!(next_try_ms(0, 0, 0), Some(60_000), "never asked so");
    }
}
