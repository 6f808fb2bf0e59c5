//! When the next shot is due: pure, from the licensed rate and the clocks.
//!
//! Time is cut into intervals of equal length, aligned to the wall clock; one shot falls into each,
//! at a random moment or at its beginning.
//!
//! The licensed rate is an upper bound over *any* hour, not only over those of the clock. With random
//! moments, late in one interval and early in a later one, n+1 shots of an n-interval hour could fall
//! within sixty minutes. So intervals at random moments are 3600/(n-1) seconds long: any sixty
//! minutes touch at most n of them. (For n = 1, two-hour intervals with the moment in the first
//! half.) What this costs is rate: six an hour means five on average, and never seven.
//!
//! A second guard does not trust the wall clock at all: no shot is due while n shots lie within the
//! last hour of the boot clock, whatever was done to the time. It holds over a restart of the agent for
//! rates of up to [`MOST_REMEMBERED`] an hour.

use std::collections::VecDeque;

use crate::clock::Moment;

const HOUR_MS: i64 = 3_600_000;
/// Timers fire late, more so on a busy machine: a moment that passed this recently, unused, still
/// counts although its interval may have ended.
const LATE_MS: i64 = 1_500;

/// Shots that are kept in mind over a restart: a file of more would be written too often.
pub const MOST_REMEMBERED: usize = 120;

/// The schedule of one channel.
#[derive(Clone, Debug)]
pub struct ShotSchedule {
    per_hour: u32,
    random: bool,
    /// The interval that a moment was drawn for, and that moment.
    planned: Option<Planned>,
    /// Boot clock of the last shots, newest last; at most `per_hour` of them.
    taken: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    interval: i64,
    at_ms: i64,
    done: bool,
}

impl Planned {
    fn is_late(&self, wall_ms: i64) -> bool {
        !self.done && (0..=LATE_MS).contains(&(wall_ms - self.at_ms))
    }
}

/// What the schedule says at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Take one now, and say so with [`ShotSchedule::taken`].
    Now,
    /// Ask again after that many milliseconds.
    In(u64),
}

impl ShotSchedule {
    /// `per_hour` from 1 to 3600, as a license has been checked to say. `last_ms` is the wall clock of
    /// the last shot before the agent was restarted: its interval has had its shot.
    pub fn new(per_hour: u32, random: bool, last_ms: Option<i64>) -> Self {
        let mut schedule = Self {
            per_hour: per_hour.max(1),
            random,
            planned: None,
            taken: VecDeque::new(),
        };
        schedule.planned = last_ms.map(|at_ms| Planned {
            interval: at_ms.div_euclid(schedule.length_ms()),
            at_ms,
            done: true,
        });
        schedule
    }

    /// With the shots that the same license had earned before, by the clock of this boot, the oldest
    /// first.
    #[must_use]
    pub fn after(mut self, taken: impl IntoIterator<Item = u64>) -> Self {
        for boot_ms in taken {
            self.count(boot_ms);
        }
        self
    }

    /// The shots of the last hour that are to be kept in mind over a restart, by the boot clock.
    pub fn remembered(&self) -> Vec<u64> {
        let newest = self.taken.back().copied().unwrap_or(0);
        let hour = HOUR_MS.unsigned_abs();
        let within = self.taken.iter().copied();
        let within = within.filter(|at| at.saturating_add(hour) > newest);
        let most: Vec<_> = within.collect();
        let skipped = most.len().saturating_sub(MOST_REMEMBERED);
        most.into_iter().skip(skipped).collect()
    }

    /// Whether a shot is due. `random` gives a number in `0.0..1.0`; it is drawn once per interval.
    pub fn due(&mut self, now: Moment, random: impl FnOnce() -> f64) -> Due {
        let length = self.length_ms();
        let interval = now.wall_ms.div_euclid(length);
        let planned = match self.planned {
            Some(planned) if planned.interval == interval => planned,
            Some(planned) if planned.is_late(now.wall_ms) => planned,
            _ => Planned {
                interval,
                at_ms: interval * length + self.offset_ms(random()),
                done: false,
            },
        };
        self.planned = Some(planned);
        let next_interval = (interval + 1) * length - now.wall_ms;
        if planned.done {
            return Due::In(next_interval.unsigned_abs());
        }
        if now.wall_ms < planned.at_ms {
            return Due::In((planned.at_ms - now.wall_ms).unsigned_abs());
        }
        match self.wait_for_rate(now.boot_ms) {
            0 => Due::Now,
            wait => Due::In(wait),
        }
    }

    /// A shot was taken.
    pub fn taken(&mut self, now: Moment) {
        if let Some(planned) = &mut self.planned {
            planned.done = true;
        }
        self.count(now.boot_ms);
    }

    fn count(&mut self, boot_ms: u64) {
        if self.taken.len() >= self.per_hour as usize {
            self.taken.pop_front();
        }
        self.taken.push_back(boot_ms);
    }

    /// The capture gate was shut at this interval's moment: it passes without a shot. Otherwise
    /// everyone who starts in mid-interval would be shot at once.
    pub fn skip_past(&mut self, now: Moment) {
        if let Some(planned) = &mut self.planned
            && planned.at_ms <= now.wall_ms
        {
            planned.done = true;
        }
    }

    fn length_ms(&self) -> i64 {
        let n = i64::from(self.per_hour);
        match (self.random, n) {
            (false, n) => (HOUR_MS + n - 1) / n,
            (true, 1) => 2 * HOUR_MS,
            (true, n) => (HOUR_MS + n - 2) / (n - 1),
        }
    }

    fn offset_ms(&self, random: f64) -> i64 {
        let length = self.length_ms();
        if !self.random {
            return 0;
        }
        let window = if self.per_hour == 1 {
            length / 2
        } else {
            length
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "hours"
        )]
        let offset = (random * window as f64) as i64;
        offset.clamp(0, window - 1)
    }

    /// Milliseconds until one more shot would not exceed the rate over the last hour.
    fn wait_for_rate(&self, boot_ms: u64) -> u64 {
        if self.taken.len() < self.per_hour as usize {
            return 0;
        }
        let oldest = self.taken.front().copied().unwrap_or(0);
        (oldest + HOUR_MS.unsigned_abs()).saturating_sub(boot_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moment(ms: i64) -> Moment {
        let boot = ms.unsigned_abs();
        Moment {
            wall_ms: 1_795_424_400_000 + ms,
            mono_ms: boot,
            boot_ms: boot,
            utc_offset_min: 0,
        }
    }

    /// Runs the schedule for that long and returns when shots were taken, boot clock.
    fn run(schedule: &mut ShotSchedule, hours: i64, seed: u64) -> Vec<u64> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut shots = Vec::new();
        let mut now = 0;
        while now < hours * HOUR_MS {
            match schedule.due(moment(now), || rng.f64()) {
                Due::Now => {
                    schedule.taken(moment(now));
                    shots.push(moment(now).boot_ms);
                }
                Due::In(ms) => now += i64::try_from(ms).unwrap().max(1),
            }
        }
        shots
    }

    fn most_in_any_hour(shots: &[u64]) -> usize {
        shots
            .iter()
            .enumerate()
            .map(|(i, first)| {
                shots[i..]
                    .iter()
                    .take_while(|t| **t < first + 3_600_000)
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_sixty_minutes_ever_hold_more_shots_than_licensed(
            per_hour in 1u32..40, random in any::<bool>(), seed in any::<u64>(),
        ) {
            let shots = run(&mut ShotSchedule::new(per_hour, random, None), 48, seed);
            prop_assert!(most_in_any_hour(&shots) <= per_hour as usize);
            // An upper bound that is nearly reached, not a schedule that takes no shots.
            let least = if random { (per_hour as usize).saturating_sub(1) * 48 } else { per_hour as usize * 48 };
            prop_assert!(shots.len() + 1 >= least.max(23), "{} shots", shots.len());
        }
    }

    #[test]
    fn shots_fall_evenly_over_the_interval() {
        // 7 an hour at random moments: intervals of ten minutes. A week has 1008 of them.
        let shots = run(&mut ShotSchedule::new(7, true, None), 168, 1);
        let mut bins = [0_i32; 10];
        for shot in &shots {
            let wall = 1_795_424_400_000 + *shot;
            bins[usize::try_from(wall % 600_000 / 60_000).unwrap()] += 1;
        }
        let expected = f64::from(bins.iter().sum::<i32>()) / 10.0;
        let chi_square: f64 = bins
            .iter()
            .map(|n| (f64::from(*n) - expected).powi(2) / expected)
            .sum();
        // 9 degrees of freedom, p = 0.001.
        assert!(chi_square < 27.88, "{bins:?}: {chi_square}");
        assert!(shots.len() > 1000, "{}", shots.len());
    }

    #[test]
    fn timers_that_fire_late_cost_no_shots() {
        for (per_hour, random) in [(6, false), (6, true), (3600, false), (3600, true)] {
            let mut schedule = ShotSchedule::new(per_hour, random, None);
            let mut rng = fastrand::Rng::with_seed(3);
            let (mut now, mut taken) = (0, 0);
            while now < 10 * HOUR_MS {
                match schedule.due(moment(now), || rng.f64()) {
                    Due::Now => {
                        schedule.taken(moment(now));
                        taken += 1;
                    }
                    // Up to 40 ms late, as a real loop is.
                    Due::In(ms) => now += i64::try_from(ms).unwrap() + rng.i64(1..40),
                }
            }
            let wanted = if random {
                (per_hour - 1) * 10
            } else {
                per_hour * 10
            };
            assert!(
                taken * 100 >= wanted * 99,
                "{per_hour} {random}: {taken} of {wanted}"
            );
        }
    }

    #[test]
    fn setting_the_clock_back_gives_no_extra_shots() {
        let mut schedule = ShotSchedule::new(2, false, None);
        let mut taken = 0;
        for minute in 0..50 {
            // The wall clock runs through the same half hour again and again.
            let mut now = moment(minute * 60_000);
            now.wall_ms = moment(0).wall_ms + (minute % 2) * 1_800_000;
            if schedule.due(now, || 0.5) == Due::Now {
                schedule.taken(now);
                taken += 1;
            }
        }
        assert_eq!(taken, 2);
    }

    #[test]
    fn neither_a_restart_nor_a_wider_rate_earns_shots_within_an_hour_that_has_had_them() {
        let mut schedule = ShotSchedule::new(4, false, None);
        let shots = run(&mut schedule, 1, 1);
        assert_eq!(shots.len(), 4);
        // The clock was set back meanwhile: by the wall, every interval is new.
        for per_hour in [4, 5] {
            let mut again = ShotSchedule::new(per_hour, false, None).after(schedule.remembered());
            let mut taken = 0;
            for minute in 46..60 {
                let mut now = moment(minute * 60_000);
                now.wall_ms -= 20 * HOUR_MS;
                if again.due(now, || 0.0) == Due::Now {
                    again.taken(now);
                    taken += 1;
                }
            }
            assert_eq!(taken, per_hour - 4);
        }
    }

    #[test]
    fn a_restart_in_mid_interval_takes_no_second_shot() {
        let now = moment(60_000);
        let mut schedule = ShotSchedule::new(7, true, Some(now.wall_ms));
        assert!(matches!(schedule.due(moment(61_000), || 0.0), Due::In(_)));
    }

    #[test]
    fn a_start_in_mid_interval_is_not_shot_at_once() {
        let mut schedule = ShotSchedule::new(7, true, None);
        assert_eq!(schedule.due(moment(1000), || 0.0), Due::Now);
        schedule.skip_past(moment(1000));
        assert!(matches!(schedule.due(moment(2000), || 0.0), Due::In(_)));
    }
}
