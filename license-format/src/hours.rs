//! The licensed hours: whether a moment lies within a license's schedule. The agent asks before it
//! captures, the gates ask again.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::claims::{Day, Schedule};

/// Schedules with their time zones looked up: the moments that lie within each of them.
#[derive(Clone, Debug)]
pub struct LicensedHours(Vec<Hours>);

#[derive(Clone, Debug)]
struct Hours {
    zone: TimeZone,
    days: Vec<Weekday>,
    from_min: i32,
    to_min: i32,
}

/// This machine's time zone data does not know the license's zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the license's time zone {0:?} is not known on this machine")]
pub struct HoursError(String);

impl LicensedHours {
    /// Looks the zone up.
    pub fn new(schedule: &Schedule) -> Result<Self, HoursError> {
        Self::within([schedule])
    }

    /// The moments that all of these schedules share.
    pub fn within<'a>(
        schedules: impl IntoIterator<Item = &'a Schedule>,
    ) -> Result<Self, HoursError> {
        let hours: Result<_, _> = schedules.into_iter().map(Hours::new).collect();
        hours.map(Self)
    }

    /// Whether that moment (UTC milliseconds) lies within, by the local time of the zone: days of a
    /// clock change have an hour more or less, as the wall shows them.
    pub fn contains(&self, wall_ms: i64) -> bool {
        let Ok(at) = Timestamp::from_millisecond(wall_ms) else {
            return false;
        };
        self.0.iter().all(|hours| hours.contain(at))
    }
}

impl LicensedHours {
    /// When they begin next (UTC milliseconds), behind a moment outside of them: at the beginning of a
    /// schedule's day, so that none is missed. `None`: not within two weeks, as where two schedules
    /// never meet.
    pub fn next_begin(&self, wall_ms: i64) -> Option<i64> {
        let at = Timestamp::from_millisecond(wall_ms).ok()?;
        let begins = self.0.iter().flat_map(|hours| hours.begins(at));
        begins
            .filter(|begin| *begin > wall_ms && self.contains(*begin))
            .min()
    }
}

impl Hours {
    /// When each of the next days begins, licensed or not.
    fn begins(&self, at: Timestamp) -> impl Iterator<Item = i64> {
        const DAYS: i64 = 15;
        let today = at.to_zoned(self.zone.clone()).date();
        (0..DAYS).filter_map(move |days| {
            let date = today.checked_add(jiff::Span::new().days(days)).ok()?;
            let (hour, minute) = (self.from_min / 60, self.from_min % 60);
            let time =
                jiff::civil::Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
            let begin = date
                .to_datetime(time.ok()?)
                .to_zoned(self.zone.clone())
                .ok()?;
            Some(begin.timestamp().as_millisecond())
        })
    }

    fn new(schedule: &Schedule) -> Result<Self, HoursError> {
        let zone = TimeZone::get(&schedule.time_zone)
            .map_err(|_| HoursError(schedule.time_zone.clone()))?;
        Ok(Self {
            zone,
            days: schedule.days.iter().copied().map(weekday).collect(),
            from_min: i32::from(schedule.from.minutes()),
            to_min: i32::from(schedule.to.minutes()),
        })
    }

    fn contain(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.zone.clone());
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        self.days.contains(&local.weekday()) && (self.from_min..self.to_min).contains(&minute)
    }
}

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> LicensedHours {
        LicensedHours::new(&Schedule {
            time_zone: "Europe/Paris".into(),
            days: vec![Day::Mon, Day::Sun],
            from: "08:00".parse().unwrap(),
            to: "19:00".parse().unwrap(),
        })
        .unwrap()
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn the_begin_is_within_and_the_end_is_not() {
        // Monday in winter: Paris is UTC+1.
        assert!(!hours().contains(at("2026-11-23T06:59:59Z")));
        assert!(hours().contains(at("2026-11-23T07:00:00Z")));
        assert!(hours().contains(at("2026-11-23T17:59:59Z")));
        assert!(!hours().contains(at("2026-11-23T18:00:00Z")));
        assert!(
            !hours().contains(at("2026-11-24T09:00:00Z")),
            "Tuesday is not licensed"
        );
    }

    #[test]
    fn the_next_begin_is_the_first_moment_that_is_within_again() {
        // A Wednesday: they begin again on Sunday at eight.
        let next = hours().next_begin(at("2026-11-25T10:00:00Z"));
        assert_eq!(next, Some(at("2026-11-29T07:00:00Z")));
        // Before and after the hours of a licensed day.
        let next = hours().next_begin(at("2026-11-29T05:00:00Z"));
        assert_eq!(next, Some(at("2026-11-29T07:00:00Z")));
        let next = hours().next_begin(at("2026-11-29T19:00:00Z"));
        assert_eq!(next, Some(at("2026-11-30T07:00:00Z")));
        // Over the change to summer time: eight on the wall.
        let next = hours().next_begin(at("2026-03-28T12:00:00Z"));
        assert_eq!(next, Some(at("2026-03-29T06:00:00Z")));
        let schedule = |day| Schedule {
            time_zone: "UTC".into(),
            days: vec![day],
            from: "08:00".parse().unwrap(),
            to: "12:00".parse().unwrap(),
        };
        let never = LicensedHours::within([&schedule(Day::Mon), &schedule(Day::Tue)]).unwrap();
        assert_eq!(never.next_begin(at("2026-11-25T10:00:00Z")), None);
    }

    #[test]
    fn hours_follow_the_wall_over_a_clock_change() {
        // Sunday 29 March 2026: at 01:00 UTC Paris goes from UTC+1 to UTC+2.
        assert!(!hours().contains(at("2026-03-29T05:59:59Z")));
        assert!(hours().contains(at("2026-03-29T06:00:00Z")));
        // Sunday 25 October 2026: back to UTC+1.
        assert!(!hours().contains(at("2026-10-25T06:59:59Z")));
        assert!(hours().contains(at("2026-10-25T07:00:00Z")));
    }

    #[test]
    fn of_two_schedules_only_what_both_license_is_within() {
        let schedule = |from: &str, to: &str| Schedule {
            time_zone: "Europe/Paris".into(),
            days: vec![Day::Mon],
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
        };
        let both =
            LicensedHours::within([&schedule("08:00", "12:00"), &schedule("10:00", "19:00")])
                .unwrap();
        assert!(!both.contains(at("2026-11-23T08:59:59Z")));
        assert!(both.contains(at("2026-11-23T09:00:00Z")));
        assert!(!both.contains(at("2026-11-23T11:00:00Z")));
    }
}
