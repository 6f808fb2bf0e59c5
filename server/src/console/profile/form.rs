//! What the profile form sends, and the way between it and license settings. Everything is kept as
//! entered, so that a refused form comes back as it was.

use glasshour_license_format::{
    ActivitySettings, Blur, CameraSettings, Day, Exclude, Monitors, Profile, Schedule,
    ScreenshotSettings,
};
use serde::Deserialize;

use crate::console::form::{Errors, ticked};

/// The days of the week, with the fields' names.
pub(crate) const DAYS: [(&str, &str); 7] = [
    ("day_mon", "Mon"),
    ("day_tue", "Tue"),
    ("day_wed", "Wed"),
    ("day_thu", "Thu"),
    ("day_fri", "Fri"),
    ("day_sat", "Sat"),
    ("day_sun", "Sun"),
];

/// The form, as entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one box of the form")]
pub(crate) struct ProfileForm {
    /// `preview` where only the notice is to be shown.
    pub(crate) then: String,
    pub(crate) name: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) shots: bool,
    pub(crate) shots_per_hour: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) random_moment: bool,
    /// `all` or `active`.
    pub(crate) monitors: String,
    /// `none`, `light` or `strong`.
    pub(crate) blur: String,
    pub(crate) max_width_px: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) skip_unchanged: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) camera: bool,
    pub(crate) camera_per_hour: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) input_counts: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) applications: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) window_titles: bool,
    pub(crate) idle_after_min: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) hours: bool,
    pub(crate) time_zone: String,
    pub(crate) from: String,
    pub(crate) to: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_mon: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_tue: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_wed: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_thu: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_fri: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_sat: bool,
    #[serde(deserialize_with = "ticked")]
    pub(crate) day_sun: bool,
    /// One a line.
    pub(crate) exclude_applications: String,
    /// One a line.
    pub(crate) exclude_titles: String,
    pub(crate) review_hold_min: String,
    #[serde(deserialize_with = "ticked")]
    pub(crate) employee_may_delete: bool,
}

impl ProfileForm {
    /// The form that makes this profile; fields of absent channels hold what is sensible.
    pub(crate) fn of(profile: &Profile) -> Self {
        let shots = profile.screenshots.clone().unwrap_or_default();
        let activity = profile.activity.clone().unwrap_or_default();
        let schedule = profile.schedule.as_ref();
        let day = |day: Day| {
            schedule.map_or(!matches!(day, Day::Sat | Day::Sun), |s| {
                s.days.contains(&day)
            })
        };
        Self {
            then: String::new(),
            name: profile.name.clone(),
            shots: profile.screenshots.is_some(),
            shots_per_hour: shots.per_hour.to_string(),
            random_moment: shots.random_moment,
            monitors: match shots.monitors {
                Monitors::All => "all".into(),
                Monitors::Active => "active".into(),
            },
            blur: shots.blur.as_str().into(),
            max_width_px: shots
                .max_width_px
                .map_or(String::new(), |width| width.to_string()),
            skip_unchanged: shots.skip_unchanged,
            camera: profile.camera.is_some(),
            camera_per_hour: profile
                .camera
                .as_ref()
                .map_or(1, |c| c.per_hour)
                .to_string(),
            input_counts: activity.input_counts,
            applications: activity.applications,
            window_titles: activity.window_titles,
            idle_after_min: minutes(profile.idle_after_s),
            hours: schedule.is_some(),
            time_zone: schedule.map_or(String::new(), |s| s.time_zone.clone()),
            from: schedule.map_or("08:00".into(), |s| s.from.to_string()),
            to: schedule.map_or("19:00".into(), |s| s.to.to_string()),
            day_mon: day(Day::Mon),
            day_tue: day(Day::Tue),
            day_wed: day(Day::Wed),
            day_thu: day(Day::Thu),
            day_fri: day(Day::Fri),
            day_sat: day(Day::Sat),
            day_sun: day(Day::Sun),
            exclude_applications: profile.exclude.applications.join("\n"),
            exclude_titles: profile.exclude.title_contains.join("\n"),
            review_hold_min: minutes(profile.review_hold_s),
            employee_may_delete: profile.employee_may_delete,
        }
    }

    /// Whether a day's box is ticked, by its field.
    pub(crate) fn day(&self, field: &str) -> bool {
        match field {
            "day_mon" => self.day_mon,
            "day_tue" => self.day_tue,
            "day_wed" => self.day_wed,
            "day_thu" => self.day_thu,
            "day_fri" => self.day_fri,
            "day_sat" => self.day_sat,
            "day_sun" => self.day_sun,
            _ => false,
        }
    }

    /// The profile that the form describes, and what is wrong with it. Where something is wrong the
    /// profile holds the default in its place, so that a notice can still be shown.
    pub(crate) fn read(&self) -> (Profile, Errors) {
        let mut errors = Errors::default();
        let name = self.name.trim().to_owned();
        if name.is_empty() {
            errors.add("name", "Enter a name.");
        }
        let screenshots = self.shots.then(|| ScreenshotSettings {
            per_hour: number(
                &mut errors,
                "shots_per_hour",
                &self.shots_per_hour,
                1..=3600,
                6,
            ),
            random_moment: self.random_moment,
            monitors: if self.monitors == "active" {
                Monitors::Active
            } else {
                Monitors::All
            },
            blur: match self.blur.as_str() {
                "light" => Blur::Light,
                "strong" => Blur::Strong,
                _ => Blur::None,
            },
            max_width_px: (!self.max_width_px.trim().is_empty()).then(|| {
                number(
                    &mut errors,
                    "max_width_px",
                    &self.max_width_px,
                    64..=16_384,
                    1920,
                )
            }),
            skip_unchanged: self.skip_unchanged,
        });
        let camera = self.camera.then(|| CameraSettings {
            per_hour: number(
                &mut errors,
                "camera_per_hour",
                &self.camera_per_hour,
                1..=3600,
                1,
            ),
        });
        let activity = ActivitySettings {
            input_counts: self.input_counts,
            applications: self.applications,
            window_titles: self.window_titles,
        };
        let profile = Profile {
            name,
            screenshots,
            camera,
            activity: (activity != ActivitySettings::default()).then_some(activity),
            idle_after_s: seconds(
                &mut errors,
                "idle_after_min",
                &self.idle_after_min,
                10,
                86_400,
            ),
            schedule: self.hours.then(|| self.schedule(&mut errors)).flatten(),
            exclude: Exclude {
                applications: lines(&self.exclude_applications),
                title_contains: lines(&self.exclude_titles),
            },
            review_hold_s: seconds(
                &mut errors,
                "review_hold_min",
                &self.review_hold_min,
                0,
                30 * 86_400,
            ),
            employee_may_delete: self.employee_may_delete,
            unknown: std::collections::BTreeMap::new(),
        };
        (profile, errors)
    }

    fn schedule(&self, errors: &mut Errors) -> Option<Schedule> {
        let days: Vec<Day> = [
            (self.day_mon, Day::Mon),
            (self.day_tue, Day::Tue),
            (self.day_wed, Day::Wed),
            (self.day_thu, Day::Thu),
            (self.day_fri, Day::Fri),
            (self.day_sat, Day::Sat),
            (self.day_sun, Day::Sun),
        ]
        .into_iter()
        .filter_map(|(on, day)| on.then_some(day))
        .collect();
        if days.is_empty() {
            errors.add("days", "Tick at least one day.");
        }
        let time_zone = self.time_zone.trim().to_owned();
        let zone_known = jiff::tz::TimeZone::get(&time_zone).is_ok();
        if !zone_known {
            errors.add(
                "time_zone",
                "Enter a time zone by name, such as Europe/Paris.",
            );
        }
        let (from, to) = (self.from.trim().parse(), self.to.trim().parse());
        let (Ok(from), Ok(to)) = (from, to) else {
            errors.add("from", "Enter both times as HH:MM, from 00:00 to 24:00.");
            return None;
        };
        if from >= to {
            errors.add("from", "The end must be later than the beginning.");
            return None;
        }
        (zone_known && !days.is_empty()).then_some(Schedule {
            time_zone,
            days,
            from,
            to,
        })
    }
}

fn number(
    errors: &mut Errors,
    field: &str,
    text: &str,
    range: std::ops::RangeInclusive<u32>,
    otherwise: u32,
) -> u32 {
    match text.trim().parse() {
        Ok(number) if range.contains(&number) => number,
        _ => {
            let (least, most) = (range.start(), range.end());
            errors.add(
                field,
                format!("Enter a whole number from {least} to {most}."),
            );
            otherwise
        }
    }
}

/// Minutes as entered, with halves and the like, to whole seconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was checked before"
)]
fn seconds(errors: &mut Errors, field: &str, text: &str, least: u32, most: u32) -> u32 {
    let entered: Option<f64> = text.trim().replace(',', ".").parse().ok();
    let seconds = entered.map(|entered| (entered * 60.0).round());
    match seconds {
        Some(seconds) if (f64::from(least)..=f64::from(most)).contains(&seconds) => seconds as u32,
        _ => {
            let (least, most) = (minutes(least), minutes(most));
            errors.add(field, format!("Enter minutes, from {least} to {most}."));
            if field == "idle_after_min" { 300 } else { 0 }
        }
    }
}

/// Seconds as minutes, as short as they are exact.
fn minutes(seconds: u32) -> String {
    if seconds.is_multiple_of(60) {
        (seconds / 60).to_string()
    } else {
        format!("{:.2}", f64::from(seconds) / 60.0)
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Profile {
        serde_json::from_str(
            r#"{"name":"Standard",
            "screenshots":{"per_hour":6,"random_moment":true,"monitors":"active","blur":"strong","max_width_px":1280,"skip_unchanged":true},
            "camera":{"per_hour":2},
            "activity":{"input_counts":true,"applications":true,"window_titles":true},
            "idle_after_s":90,
            "schedule":{"time_zone":"Europe/Paris","days":["mon","fri"],"from":"08:00","to":"24:00"},
            "exclude":{"applications":["KeePassXC"],"title_contains":["Private","Bank"]},
            "review_hold_s":3600,"employee_may_delete":true}"#,
        )
        .unwrap()
    }

    #[test]
    fn p07_a_profile_survives_its_form() {
        let bare = serde_json::from_str(r#"{"name":"Time only"}"#).unwrap();
        for profile in [full(), bare] {
            let (read, errors) = ProfileForm::of(&profile).read();
            assert_eq!(errors, Errors::default());
            assert_eq!(read, profile);
            assert_eq!(read.validate(), Ok(()));
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let mut form = ProfileForm::of(&full());
        form.name = "  ".into();
        form.shots_per_hour = "0".into();
        form.max_width_px = "wide".into();
        form.camera_per_hour = "-1".into();
        form.idle_after_min = "0.1".into();
        form.review_hold_min = "NaN".into();
        form.time_zone = "Mars/Olympus".into();
        form.day_mon = false;
        form.day_fri = false;
        form.to = "07:00".into();
        let (profile, errors) = form.read();
        for field in [
            "name",
            "shots_per_hour",
            "max_width_px",
            "camera_per_hour",
            "idle_after_min",
            "review_hold_min",
            "time_zone",
            "days",
            "from",
        ] {
            assert!(errors.of(field).is_some(), "{field}");
        }
        assert_eq!(profile.idle_after_s, 300);
    }

    #[test]
    fn p12_an_unticked_channel_is_absent_whatever_its_fields_hold() {
        let mut form = ProfileForm::of(&full());
        (form.shots, form.camera, form.hours) = (false, false, false);
        (form.input_counts, form.applications, form.window_titles) = (false, false, false);
        form.shots_per_hour = "nonsense".into();
        let (profile, errors) = form.read();
        assert!(errors.is_empty());
        assert!(profile.screenshots.is_none() && profile.camera.is_none());
        assert!(profile.activity.is_none() && profile.schedule.is_none());
    }
}
