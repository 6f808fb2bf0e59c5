//! A simulated week of pictures: the session machine, the licensed hours and the shot schedule together, on
//! a clock that is turned by hand, through both changes of the clock in Paris.
//!
//! What Paris shows on its walls is worked out here from the two moments of the change, not by the library
//! that the agent asks: the test does not believe what it tests.

#![allow(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the lints' exception for tests does not reach helpers of integration tests"
)]

use glasshour_agent::capture::schedule::{Due, ShotSchedule};
use glasshour_agent::clock::Moment;
use glasshour_agent::session::Machine;
use glasshour_license_format::{
    Day, LicensedHours, Others, Payload, Profile, Schedule, ScreenshotSettings, ShotMoment,
    WorkMode,
};
use glasshour_protocol::payload::{Cause, SessionEvent, SessionEventKind};
use glasshour_protocol::{RecordHeader, SessionId};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// 2026-03-29, 01:00 UTC: clocks in Paris go from 02:00 to 03:00.
const SPRING: i64 = 1_774_746_000_000;
/// 2026-10-25, 01:00 UTC: clocks in Paris go from 03:00 back to 02:00.
const AUTUMN: i64 = 1_792_890_000_000;

/// The agent looks at least this often, and its timers fire up to this much late.
const LOOK: i64 = 5 * SECOND;
const LATE: i64 = 40;

const RATES: [u32; 6] = [1, 2, 6, 8, 61, 360];

/// A week from Monday, 00:00 in Paris, whose Sunday has another number of hours.
#[derive(Clone, Copy, Debug)]
struct Week {
    change: i64,
    before_h: i64,
    after_h: i64,
}

const WEEKS: [Week; 2] = [
    Week {
        change: SPRING,
        before_h: 1,
        after_h: 2,
    },
    Week {
        change: AUTUMN,
        before_h: 2,
        after_h: 1,
    },
];

impl Week {
    /// What the clocks in Paris show, as milliseconds since their 1970.
    fn local(self, wall_ms: i64) -> i64 {
        let offset_h = if wall_ms < self.change {
            self.before_h
        } else {
            self.after_h
        };
        wall_ms + offset_h * HOUR
    }

    /// 0 is Monday.
    fn weekday(self, wall_ms: i64) -> i64 {
        // 1970 began on a Thursday.
        (self.local(wall_ms).div_euclid(DAY) + 3).rem_euclid(7)
    }

    fn begin(self) -> i64 {
        let sunday = self.local(self.change - 1).div_euclid(DAY) * DAY;
        sunday - 6 * DAY - self.before_h * HOUR
    }

    fn end(self) -> i64 {
        let monday = (self.local(self.change).div_euclid(DAY) + 1) * DAY;
        monday - self.after_h * HOUR
    }
}

/// Licensed hours: days from Monday (0), minutes of the local day.
#[derive(Clone, Copy, Debug)]
struct Hours {
    days: &'static [Day],
    from_h: i64,
    to_h: i64,
}

const ALL: [Day; 7] = [
    Day::Mon,
    Day::Tue,
    Day::Wed,
    Day::Thu,
    Day::Fri,
    Day::Sat,
    Day::Sun,
];
/// Day and night; office hours; the night of the change itself.
const HOURS: [Hours; 3] = [
    Hours {
        days: &ALL,
        from_h: 0,
        to_h: 24,
    },
    Hours {
        days: &[Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
        from_h: 8,
        to_h: 19,
    },
    Hours {
        days: &[Day::Sat, Day::Sun],
        from_h: 1,
        to_h: 6,
    },
];

impl Hours {
    fn schedule(self) -> Schedule {
        Schedule {
            time_zone: "Europe/Paris".into(),
            days: self.days.to_vec(),
            from: format!("{:02}:00", self.from_h).parse().unwrap(),
            to: format!("{:02}:00", self.to_h).parse().unwrap(),
        }
    }

    fn contain(self, week: Week, wall_ms: i64) -> bool {
        let day = usize::try_from(week.weekday(wall_ms)).unwrap();
        let hour = week.local(wall_ms).rem_euclid(DAY) / HOUR;
        self.days.contains(&ALL[day]) && (self.from_h..self.to_h).contains(&hour)
    }

    /// How many hours the week has of them: those that the clocks show twice count twice.
    fn in_week(self, week: Week) -> i64 {
        let hours = (week.end() - week.begin()) / HOUR;
        let licensed = (0..hours).filter(|n| self.contain(week, week.begin() + n * HOUR));
        i64::try_from(licensed.count()).unwrap()
    }
}

/// What a week came to.
struct Outcome {
    /// When pictures were ordered, UTC milliseconds.
    shots: Vec<i64>,
    events: Vec<SessionEvent>,
}

/// Lives through the week as the engine does: tick, ask the schedule, ask the gate, wait.
fn live(week: Week, hours: Hours, mode: WorkMode, rate: (u32, bool)) -> Outcome {
    let (per_hour, random) = rate;
    let moment = |wall_ms: i64| {
        let since = (wall_ms - week.begin() + HOUR).unsigned_abs();
        let utc_offset_min = i32::try_from((week.local(wall_ms) - wall_ms) / MINUTE).unwrap();
        Moment {
            wall_ms,
            mono_ms: since,
            boot_ms: since,
            utc_offset_min,
        }
    };
    let licensed = LicensedHours::new(&hours.schedule()).unwrap();
    let mut wall = week.begin();
    let mut machine = Machine::new(mode, 300, Some(licensed), moment(wall), |now| {
        SessionId(uuid::Uuid::from_u128(now.mono_ms.into()))
    });
    let mut events = match mode {
        WorkMode::Monitoring => machine.begin(moment(wall), None),
        WorkMode::Worklog => machine.start(moment(wall), None, None).unwrap(),
    };
    let mut schedule = ShotSchedule::new(per_hour, random, None);
    let mut moments = fastrand::Rng::with_seed(u64::from(per_hour));
    // The agent was there before: the interval under way is not begun with a shot.
    let before = moment(wall - SECOND);
    schedule.due(before, || moments.f64());
    schedule.skip_past(before);
    let mut lateness = fastrand::Rng::with_seed(7);
    let mut shots = Vec::new();
    while wall < week.end() {
        let now = moment(wall);
        events.extend(machine.tick(now, Some(0), None));
        if schedule.due(now, || moments.f64()) == Due::Now {
            if machine.may_capture(wall) {
                schedule.taken(now);
                shots.push(wall);
            } else {
                schedule.skip_past(now);
            }
        }
        let pause = match schedule.due(now, || moments.f64()) {
            Due::Now => 0,
            Due::In(ms) => i64::try_from(ms).unwrap().min(LOOK),
        };
        wall += pause.max(10) + lateness.i64(0..LATE);
    }
    events.extend(machine.end(moment(week.end()), Cause::Logout));
    Outcome { shots, events }
}

/// Each combination of week, licensed hours, rate and choice of moment.
fn each(mut check: impl FnMut(Week, Hours, (u32, bool), &[i64])) {
    for week in WEEKS {
        for hours in HOURS {
            for per_hour in RATES {
                for random in [false, true] {
                    let rate = (per_hour, random);
                    let lived = live(week, hours, WorkMode::Worklog, rate);
                    check(week, hours, rate, &lived.shots);
                }
            }
        }
    }
}

/// How long an interval is that gets one picture, and in how much of it, milliseconds.
fn interval(per_hour: u32) -> (i64, i64) {
    match i64::from(per_hour) {
        1 => (2 * HOUR, HOUR),
        n => {
            let length = (HOUR + n - 2) / (n - 1);
            (length, length)
        }
    }
}

#[test]
fn the_test_s_own_calendar_is_right() {
    let [spring, autumn] = WEEKS;
    assert_eq!((spring.end() - spring.begin()) / HOUR, 7 * 24 - 1);
    assert_eq!((autumn.end() - autumn.begin()) / HOUR, 7 * 24 + 1);
    for week in WEEKS {
        assert_eq!(week.weekday(week.begin()), 0);
        assert_eq!(week.weekday(week.change), 6);
        assert_eq!(week.weekday(week.end() - 1), 6);
        assert_eq!(week.local(week.begin()).rem_euclid(DAY), 0);
    }
    // 01:00 to 06:00 of the Saturday, and of a Sunday with an hour less or more.
    let night = HOURS[2];
    assert_eq!([spring, autumn].map(|week| night.in_week(week)), [9, 11]);
}

#[test]
fn no_sixty_minutes_of_a_week_hold_more_shots_than_licensed() {
    each(|week, hours, (per_hour, random), shots| {
        let n = per_hour as usize;
        // The n-th shot after any one is an hour or more later.
        let close = shots.windows(n + 1).find(|run| run[n] - run[0] < HOUR);
        assert_eq!(close, None, "{week:?} {hours:?} {per_hour} {random}");
    });
}

#[test]
fn not_one_shot_of_a_week_is_outside_the_licensed_hours() {
    each(|week, hours, rate, shots| {
        let outside = shots.iter().find(|shot| !hours.contain(week, **shot));
        assert_eq!(outside, None, "{week:?} {hours:?} {rate:?}");
    });
}

/// The header of a picture that was due at `due_ms` and taken `late_ms` later.
fn picture(week: Week, due_ms: i64, late_ms: i64) -> RecordHeader {
    let taken_ms = due_ms + late_ms;
    let boot_ms = (taken_ms - week.begin() + HOUR).unsigned_abs();
    serde_json::from_value(serde_json::json!({
        "version": 1, "record_id": uuid::Uuid::nil(), "device_id": uuid::Uuid::nil(),
        "license_id": uuid::Uuid::nil(), "seq": 1, "kind": "screenshot",
        "captured_at_ms": taken_ms, "mono_ms": boot_ms, "boot_id": "boot", "utc_offset_min": 60,
        "payload_sha256": "", "payload_len": 0, "content_type": "application/octet-stream",
        "meta": {"boot_ms": boot_ms, "frame": {
            "monitor": "HDMI", "x": 0, "y": 0, "screen_width": 1, "screen_height": 1,
            "width": 1, "height": 1, "blur": "none", "unchanged": true,
        }},
    }))
    .unwrap()
}

#[test]
fn p12_the_gates_refuse_nothing_of_a_week_however_late_its_pictures_are_taken() {
    let mut judged = 0;
    each(|week, hours, (per_hour, random), shots| {
        let mut profile: Profile = serde_json::from_str(r#"{"name": "week"}"#).unwrap();
        profile.screenshots = Some(ScreenshotSettings {
            per_hour,
            ..ScreenshotSettings::default()
        });
        profile.schedule = Some(hours.schedule());
        // As slow as the agent puts up with; none is taken when the hours are over.
        let mut slow = fastrand::Rng::with_seed(11);
        let mut headers: Vec<_> = shots
            .iter()
            .map(|due| picture(week, *due, slow.i64(0..10 * SECOND)))
            .filter(|header| hours.contain(week, header.captured_at_ms))
            .collect();
        headers.sort_by_key(|header| header.mono_ms);
        headers.dedup_by_key(|header| header.mono_ms);
        let n = per_hour as usize;
        for (place, header) in headers.iter().enumerate() {
            let told = format!("{week:?} {hours:?} {per_hour} {random}: {header:?}");
            assert_eq!(profile.permits(header, Payload::Other), Ok(()), "{told}");
            let near = &headers[place.saturating_sub(n + 1)..(place + n + 2).min(headers.len())];
            // A window of many is looked at now and then; of few, always.
            if place % n.div_ceil(8) == 0 {
                let others = Others {
                    moments: near.iter().map(ShotMoment::of).collect(),
                    places: Vec::new(),
                };
                assert_eq!(profile.permits_among(header, &others), Ok(()), "{told}");
                judged += 1;
            }
        }
    });
    assert!(judged > 10_000, "only {judged}");
}

#[test]
fn every_licensed_hour_of_a_week_gets_its_shots_also_the_one_that_comes_twice() {
    each(|week, hours, (per_hour, random), shots| {
        let licensed = hours.in_week(week);
        let told = format!("{week:?} {hours:?} {per_hour} {random}");
        let taken = i64::try_from(shots.len()).unwrap();
        let most = licensed * i64::from(per_hour);
        assert!(taken <= most, "{told}: {taken} of {most}");
        if random {
            // One in each whole interval, and at most one in those that a night cuts off.
            let whole = whole_intervals(week, hours, per_hour);
            assert!(taken >= whole, "{told}: {taken} of {whole}");
            assert!(taken <= whole + 16, "{told}: {taken} of {whole}");
        } else if HOUR % i64::from(per_hour) == 0 {
            // On a grid that the hours' ends lie on: exactly as many as licensed.
            assert_eq!(taken, most, "{told}");
        }
    });
}

/// How many intervals of the week are licensed from beginning to end.
fn whole_intervals(week: Week, hours: Hours, per_hour: u32) -> i64 {
    let (length, _) = interval(per_hour);
    let mut begin = (week.begin() + length - 1).div_euclid(length) * length;
    let mut whole = 0;
    while begin + length <= week.end() {
        whole += i64::from(is_licensed_throughout(week, hours, begin, length));
        begin += length;
    }
    whole
}

fn is_licensed_throughout(week: Week, hours: Hours, begin: i64, length: i64) -> bool {
    let end = begin + length - 1;
    let middle = begin + length / 2;
    [begin, middle, end]
        .into_iter()
        .all(|at| hours.contain(week, at))
}

#[test]
fn random_moments_fall_evenly_over_their_intervals() {
    const BINS: usize = 10;
    let mut judged = 0;
    each(|week, hours, (per_hour, random), shots| {
        let (length, window) = interval(per_hour);
        let mut bins = [0_u32; BINS];
        for shot in shots {
            // A beginning that the night cut off would weigh the rest.
            let begin = shot.div_euclid(length) * length;
            let whole = begin >= week.begin() && begin + length <= week.end();
            if random && whole && is_licensed_throughout(week, hours, begin, length) {
                let bin = (shot - begin) * 10 / window;
                bins[usize::try_from(bin).unwrap().min(BINS - 1)] += 1;
            }
        }
        let sum: u32 = bins.iter().sum();
        // Under five in each, the test says nothing.
        if sum < 50 {
            return;
        }
        judged += 1;
        let expected = f64::from(sum) / 10.0;
        let chi_square: f64 = bins
            .iter()
            .map(|n| (f64::from(*n) - expected).powi(2) / expected)
            .sum();
        // Nine degrees of freedom, p = 0.001.
        assert!(
            chi_square < 27.88,
            "{week:?} {hours:?} {per_hour}: {bins:?}, {chi_square}"
        );
    });
    assert!(judged >= 24, "only {judged} had enough shots");
}

#[test]
fn without_random_moments_shots_lie_on_an_even_grid() {
    each(|week, hours, (per_hour, random), shots| {
        let n = i64::from(per_hour);
        let step = (HOUR + n - 1) / n;
        // Each waits until the one an hour before it is out of every hour: lateness adds up, 40 ms an
        // hour at the most.
        let off = shots.iter().find(|shot| {
            let hours = (**shot - week.begin()) / HOUR;
            shot.rem_euclid(step) > LATE * (hours + 2)
        });
        let told = format!("{week:?} {hours:?} {per_hour}");
        assert!(random || off.is_none(), "{told}: {off:?}");
    });
}

#[test]
fn sessions_of_a_week_last_as_long_as_its_licensed_hours_with_23_and_25_hour_days() {
    for week in WEEKS {
        for hours in HOURS {
            let lived = live(week, hours, WorkMode::Monitoring, (6, true));
            let mut open = None;
            let (mut tracked, mut sessions) = (0, 0_i64);
            for event in &lived.events {
                let told = format!("{week:?} {hours:?} {event:?}");
                match event.event {
                    SessionEventKind::Started => {
                        assert!(hours.contain(week, event.at_ms), "{told}");
                        assert_eq!(open.replace(event.at_ms), None, "{told}");
                        sessions += 1;
                    }
                    SessionEventKind::Stopped => tracked += event.at_ms - open.take().unwrap(),
                    _ => panic!("nobody was idle: {told}"),
                }
                // The clocks' change is none of the machine's: it counts in UTC.
                let causes = [Cause::Login, Cause::Schedule, Cause::Logout];
                assert!(causes.contains(&event.cause), "{told}");
            }
            assert_eq!(open, None);
            let licensed = hours.in_week(week) * HOUR;
            let off = (tracked - licensed).abs();
            assert!(
                off <= sessions * (LOOK + LATE),
                "{week:?} {hours:?}: {off} ms off"
            );
            let days = i64::try_from(hours.days.len()).unwrap();
            assert_eq!(sessions, if days == 7 { 1 } else { days });
        }
    }
}
