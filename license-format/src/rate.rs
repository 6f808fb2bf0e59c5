//! The licensed rate: whether one more picture makes too many within any sixty minutes.
//!
//! Pure, over moments. What is counted is a moment, not its pictures: every monitor of one moment
//! together is one shot. It must never turn away what an honest agent made, whatever was done to its
//! clock: so moments are told apart by the clock of the boot, which nobody sets and which goes on in
//! sleep, and moments of two boots are not held against each other, because only the wall clock could
//! say how far apart they are. The agent itself keeps the rate over a restart of the computer too.

use glasshour_protocol::RecordHeader;
use glasshour_protocol::record::FrameMeta;
use serde::{Deserialize, Serialize};

/// More moments than licensed within this much time are too many: sixty minutes, less one for the
/// time that passes between a schedule's word and the picture.
pub const RATE_WINDOW_MS: u64 = 59 * 60_000;

/// When a picture was taken, by every clock of the device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShotMoment {
    /// UTC milliseconds by the wall clock.
    pub wall_ms: i64,
    /// Milliseconds of the boot without time asleep.
    pub mono_ms: u64,
    /// Milliseconds of the boot with time asleep; absent where the agent did not say.
    pub boot_ms: Option<u64>,
    /// The boot.
    pub boot_id: String,
}

/// What a picture shows of the desktop: which monitor, and where it stands. Names alone do not tell
/// two monitors of one make apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShotPlace {
    /// The monitor's name.
    pub monitor: String,
    /// Pixels.
    pub x: i32,
    /// Pixels.
    pub y: i32,
}

impl ShotMoment {
    /// The moment of a record.
    pub fn of(header: &RecordHeader) -> Self {
        Self {
            wall_ms: header.captured_at_ms,
            mono_ms: header.mono_ms,
            boot_ms: header.meta.boot_ms,
            boot_id: header.boot_id.clone(),
        }
    }
}

impl ShotPlace {
    /// What a screenshot shows.
    pub fn of(frame: &FrameMeta) -> Self {
        Self {
            monitor: frame.monitor.clone(),
            x: frame.x,
            y: frame.y,
        }
    }
}

/// Whether `at` is one of more than `per_hour` moments that lie within [`RATE_WINDOW_MS`], `others`
/// being those of the same device, license and channel, in any order, `at` itself among them or not.
pub fn exceeds_rate<'a>(
    per_hour: u32,
    at: &'a ShotMoment,
    others: impl IntoIterator<Item = &'a ShotMoment>,
) -> bool {
    let mut moments: Vec<_> = others
        .into_iter()
        .filter(|other| other.boot_id == at.boot_id)
        .chain([at])
        .collect();
    moments.sort_by_key(|moment| (moment.mono_ms, moment.wall_ms, moment.boot_ms));
    moments.dedup();
    let most = per_hour as usize;
    let place = moments.iter().position(|moment| *moment == at).unwrap_or(0);
    // Each run of one more than licensed that has `at` in it.
    let first = place.saturating_sub(most);
    moments
        .windows(most + 1)
        .take(place + 1)
        .skip(first)
        .any(is_close)
}

/// Whether a run of moments of one boot lies within the window.
fn is_close(run: &[&ShotMoment]) -> bool {
    let within = |least: Option<i128>, most: Option<i128>| {
        least
            .zip(most)
            .is_some_and(|(least, most)| most - least < i128::from(RATE_WINDOW_MS))
    };
    let span = |clock: fn(&ShotMoment) -> i128| {
        let times = || run.iter().map(|moment| clock(moment));
        within(times().min(), times().max())
    };
    if run.iter().all(|moment| moment.boot_ms.is_some()) {
        return span(|moment| i128::from(moment.boot_ms.unwrap_or_default()));
    }
    // One clock stands still in sleep and the other may have been set: both must say so.
    span(|moment| i128::from(moment.mono_ms)) && span(|moment| i128::from(moment.wall_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    /// A moment of one boot that never slept.
    fn minute(minute: u64) -> ShotMoment {
        let ms = minute * MINUTE;
        ShotMoment {
            wall_ms: 1_795_424_400_000_i64.saturating_add_unsigned(ms),
            mono_ms: ms,
            boot_ms: Some(ms),
            boot_id: "boot".into(),
        }
    }

    fn exceeds(per_hour: u32, at: &ShotMoment, others: &[ShotMoment]) -> bool {
        exceeds_rate(per_hour, at, others)
    }

    #[test]
    fn one_more_than_licensed_within_the_hour_is_too_many_whichever_comes_last() {
        let three = [minute(0), minute(20), minute(40)];
        assert!(exceeds(3, &minute(50), &three));
        assert!(exceeds(3, &minute(30), &three), "in between");
        assert!(!exceeds(3, &minute(60), &three));
        assert!(!exceeds(4, &minute(50), &three));
        assert!(!exceeds(3, &minute(40), &three), "it is there already");
        let later = [minute(100), minute(120), minute(140)];
        assert!(exceeds(3, &minute(90), &later), "sent out of order");
        assert!(!exceeds(3, &minute(80), &later));
    }

    #[test]
    fn a_clock_that_was_set_neither_hides_pictures_nor_makes_too_many() {
        let mut set_back = minute(60);
        set_back.wall_ms -= 3_600_000;
        assert!(!exceeds(1, &set_back, &[minute(0)]));
        let mut set_forward = minute(30);
        set_forward.wall_ms += 86_400_000;
        assert!(exceeds(1, &set_forward, &[minute(0)]));
    }

    #[test]
    fn time_asleep_counts_and_a_restart_of_the_computer_is_not_guessed_about() {
        let mut slept = minute(60);
        slept.mono_ms = 5 * MINUTE;
        assert!(!exceeds(1, &slept, &[minute(0)]));
        // And the clock was set back in the same hour: the boot's clock still tells.
        slept.wall_ms = minute(1).wall_ms;
        assert!(!exceeds(1, &slept, &[minute(0)]));
        let mut rebooted = minute(5);
        rebooted.boot_id = "the next".into();
        assert!(!exceeds(1, &rebooted, &[minute(0)]));
    }

    #[test]
    fn without_the_boots_clock_both_others_must_say_that_it_is_too_soon() {
        let without = |at: u64| ShotMoment {
            boot_ms: None,
            ..minute(at)
        };
        assert!(exceeds(1, &without(30), &[without(0)]));
        let mut slept = without(60);
        slept.mono_ms = 5 * MINUTE;
        assert!(!exceeds(1, &slept, &[without(0)]));
        let mut set_back = without(60);
        set_back.wall_ms = without(1).wall_ms;
        assert!(!exceeds(1, &set_back, &[without(0)]));
    }

    proptest::proptest! {
        #[test]
        fn a_schedule_that_keeps_its_rate_is_never_turned_away(
            per_hour in 1_u32..20,
            pauses in proptest::collection::vec(0_u64..40, 1..60),
            steps in proptest::collection::vec(-90_i64..90, 60),
            naps in proptest::collection::vec(0_u64..30, 60),
            order: u64,
        ) {
            // Each is an hour after the one so many before it, however the clocks went meanwhile.
            let mut shots: Vec<ShotMoment> = Vec::new();
            let (mut wall, mut asleep) = (0_i64, 0_u64);
            for ((pause, step), nap) in pauses.iter().zip(&steps).zip(&naps) {
                let last = shots.last().and_then(|shot| shot.boot_ms).unwrap_or(0);
                let earliest = shots
                    .len()
                    .checked_sub(per_hour as usize)
                    .and_then(|back| shots.get(back)?.boot_ms)
                    .map_or(0, |back| back + 60 * MINUTE);
                let boot = earliest.max(last + 1 + pause * MINUTE);
                asleep += (nap * MINUTE).min(boot - last);
                wall += step * 60_000;
                shots.push(ShotMoment {
                    wall_ms: wall.saturating_add_unsigned(boot),
                    mono_ms: boot.saturating_sub(asleep),
                    boot_ms: Some(boot),
                    boot_id: "boot".into(),
                });
            }
            // Whatever order they are sent in.
            let mut sent: Vec<ShotMoment> = Vec::new();
            let mut left = shots;
            let mut next = order;
            while !left.is_empty() {
                next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let shot = left.swap_remove(usize::try_from(next >> 33).unwrap() % left.len());
                proptest::prop_assert!(!exceeds(per_hour, &shot, &sent));
                sent.push(shot);
            }
        }
    }
}
