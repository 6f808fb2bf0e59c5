//! What a license says: the JSON payload as types.
//!
//! A channel that is absent is forbidden. Unknown members are kept and can be shown, never obeyed.

use std::collections::BTreeMap;

use glasshour_protocol::{CompanyId, EmployeeId, Kind, LicenseId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object;

/// The whole payload of a license.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Version of this structure: 1. Any other is refused.
    pub version: u32,
    /// This license.
    pub license_id: LicenseId,
    /// Counts up per employee; a lower one never replaces a higher one.
    pub serial: u64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Not valid before.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Not valid from this moment on.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Who issued it and where captures go.
    #[serde(deserialize_with = "object::only")]
    pub issuer: Issuer,
    /// For whom.
    #[serde(deserialize_with = "object::only")]
    pub employee: Employee,
    /// Who starts and stops (rules 2 to 4).
    pub work_mode: WorkMode,
    /// What time is tracked on unless the employee picks another (rule 5).
    #[serde(default)]
    pub default_project_id: Option<ProjectId>,
    /// Free text that the employer adds to the generated notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// What is captured.
    pub profile: Profile,
    /// Members that this version does not know: shown, never obeyed.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

/// The employer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// The company's name.
    pub company: String,
    /// The company.
    pub company_id: CompanyId,
    /// Where captures go: an `http` or `https` origin.
    pub server_url: String,
    /// Whom to ask about personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_contact: Option<String>,
}

/// The tracked person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// The person in this company.
    pub employee_id: EmployeeId,
    /// As it appears in reports (rule 6).
    pub name: String,
}

/// Who starts and stops tracking (rule 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkMode {
    /// The employee starts and stops (rule 3).
    Worklog,
    /// Tracking runs while the user is logged in; nobody starts or stops it by hand (rule 4).
    Monitoring,
}

impl WorkMode {
    /// The name in licenses and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worklog => "worklog",
            Self::Monitoring => "monitoring",
        }
    }
}

/// What is captured and how (rule 7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The profile's name.
    pub name: String,
    /// Absent: no screenshot is taken.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub screenshots: Option<ScreenshotSettings>,
    /// Absent: the camera is never opened.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub camera: Option<CameraSettings>,
    /// Absent: no input counts, no application names.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub activity: Option<ActivitySettings>,
    /// After how many seconds without input the employee counts as idle.
    #[serde(default = "default_idle_after_s")]
    pub idle_after_s: u32,
    /// Absent: any time.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub schedule: Option<Schedule>,
    /// Windows that are never captured.
    #[serde(default, deserialize_with = "object::only")]
    pub exclude: Exclude,
    /// How long a record waits on the employee's machine before it may be sent, seconds.
    #[serde(default)]
    pub review_hold_s: u32,
    /// Whether the employee may delete own captures.
    #[serde(default)]
    pub employee_may_delete: bool,
    /// Members that this version does not know: shown, never obeyed.
    #[serde(flatten)]
    pub unknown: BTreeMap<String, Value>,
}

fn default_idle_after_s() -> u32 {
    300
}

/// Screenshots: how often, of what, and what is done to them before they are stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScreenshotSettings {
    /// Most shots (of all monitors together: one moment) in any hour, 1 to 3600.
    pub per_hour: u32,
    /// At a random moment within each interval instead of at its end.
    #[serde(default)]
    pub random_moment: bool,
    /// Which monitors.
    #[serde(default)]
    pub monitors: Monitors,
    /// Irreversible blur, applied before encoding.
    #[serde(default)]
    pub blur: Blur,
    /// Wider images are scaled down to this width, pixels; absent: as captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_width_px: Option<u32>,
    /// A picture equal to the last one of the same monitor is not stored again.
    #[serde(default)]
    pub skip_unchanged: bool,
}

impl Default for ScreenshotSettings {
    /// Six an hour at random moments, every monitor, as they are.
    fn default() -> Self {
        Self {
            per_hour: 6,
            random_moment: true,
            monitors: Monitors::All,
            blur: Blur::None,
            max_width_px: None,
            skip_unchanged: true,
        }
    }
}

/// Which monitors a screenshot covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitors {
    /// Each one, an image apiece.
    #[default]
    All,
    /// The one with the active window.
    Active,
}

/// How much a picture is blurred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blur {
    /// As it is.
    #[default]
    None,
    /// Text cannot be read, layout can be told.
    Light,
    /// Only large shapes and colours remain.
    Strong,
}

impl Blur {
    /// The name in licenses and record headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Light => "light",
            Self::Strong => "strong",
        }
    }
}

/// Camera shots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraSettings {
    /// Most shots in any hour, 1 to 3600.
    pub per_hour: u32,
}

/// Activity: which parts of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivitySettings {
    /// How often keys, buttons, wheel and pointer were used. Never which.
    #[serde(default)]
    pub input_counts: bool,
    /// Names of the applications in the foreground.
    #[serde(default)]
    pub applications: bool,
    /// Titles of the windows in the foreground.
    #[serde(default)]
    pub window_titles: bool,
}

/// When anything may be captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// IANA name, such as `Europe/Paris`.
    pub time_zone: String,
    /// Days of the week, local to that zone.
    pub days: Vec<Day>,
    /// From this time of day (inclusive), local.
    pub from: TimeOfDay,
    /// To this time of day (exclusive), local; `24:00` is the end of the day.
    pub to: TimeOfDay,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// `HH:MM`, from `00:00` to `24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    minutes: u16,
}

impl TimeOfDay {
    /// Minutes since midnight, 0 to 1440.
    pub fn minutes(self) -> u16 {
        self.minutes
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = NotATimeOfDay;

    fn from_str(text: &str) -> Result<Self, NotATimeOfDay> {
        let two = |part: &str| -> Option<u16> {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        let (hours, minutes) = text.split_once(':').ok_or(NotATimeOfDay)?;
        let (hours, minutes) = (
            two(hours).ok_or(NotATimeOfDay)?,
            two(minutes).ok_or(NotATimeOfDay)?,
        );
        let total = hours * 60 + minutes;
        if minutes > 59 || total > 24 * 60 {
            return Err(NotATimeOfDay);
        }
        Ok(Self { minutes: total })
    }
}

/// The text is not a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day (HH:MM, from 00:00 to 24:00)")]
pub struct NotATimeOfDay;

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Windows that are painted over before a picture is encoded, and left out of activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclude {
    /// Application names, compared without regard to case.
    #[serde(default)]
    pub applications: Vec<String>,
    /// Parts of window titles, compared without regard to case.
    #[serde(default)]
    pub title_contains: Vec<String>,
}

impl Exclude {
    /// True where nothing is excluded.
    pub fn is_empty(&self) -> bool {
        self.applications.is_empty() && self.title_contains.is_empty()
    }

    /// Whether a window is excluded.
    pub fn covers(&self, application: &str, title: &str) -> bool {
        let application = application.to_lowercase();
        let title = title.to_lowercase();
        self.applications
            .iter()
            .any(|name| name.to_lowercase() == application)
            || self
                .title_contains
                .iter()
                .any(|part| title.contains(&part.to_lowercase()))
    }
}

impl Profile {
    /// Whether records of a kind may exist under this profile (rule 12): the one rule that the
    /// uploader and the server both hold records against.
    ///
    /// Sessions, health and notices are not captures: they tell when and how well the agent ran.
    pub fn permits_kind(&self, kind: Kind) -> bool {
        match kind {
            Kind::Screenshot => self.screenshots.is_some(),
            Kind::Camera => self.camera.is_some(),
            Kind::Activity => self.activity.is_some(),
            Kind::Session | Kind::Health | Kind::Notice => true,
        }
    }
}

impl Claims {
    /// Whether the license is within `not_before` and `expires_at` at that moment.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|from| from <= now) && self.expires_at.is_none_or(|to| now < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!("08:05".parse::<TimeOfDay>().unwrap().minutes(), 485);
        assert_eq!("24:00".parse::<TimeOfDay>().unwrap().to_string(), "24:00");
        for bad in [
            "24:01", "8:05", "08:60", "0805", "+8:05", "08:5", "", "ab:cd",
        ] {
            assert_eq!(bad.parse::<TimeOfDay>(), Err(NotATimeOfDay), "{bad}");
        }
    }

    #[test]
    fn exclusion_ignores_case_and_matches_parts_of_titles_only() {
        let exclude = Exclude {
            applications: vec!["KeePassXC".into()],
            title_contains: vec!["Private Browsing".into()],
        };
        assert!(exclude.covers("keepassxc", "any"));
        assert!(exclude.covers("Firefox", "Bank — Mozilla Firefox private browsing"));
        assert!(!exclude.covers("KeePassXC-helper", "Notes"));
    }

    #[test]
    fn p12_a_kind_is_permitted_only_with_its_channel() {
        let profile: Profile =
            serde_json::from_str(r#"{"name":"n","activity":{"input_counts":true}}"#).unwrap();
        let permitted: Vec<_> = Kind::ALL
            .into_iter()
            .filter(|kind| profile.permits_kind(*kind))
            .collect();
        assert_eq!(
            permitted,
            [Kind::Activity, Kind::Session, Kind::Health, Kind::Notice]
        );
    }
}
