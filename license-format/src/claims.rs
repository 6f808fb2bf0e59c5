//! What a license says: the JSON payload as types.
//!
//! A channel that is absent is forbidden. Unknown members are kept and can be shown, never obeyed.

use std::collections::BTreeMap;

use glasshour_protocol::{CompanyId, EmployeeId, Kind, LicenseId, ProjectId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object;
#[cfg(test)]
use crate::tests::schema;
use crate::time_of_day::TimeOfDay;

/// The whole payload of a license.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Claims {
    /// Version of this structure: 1. Any other is refused.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    pub version: u32,
    /// This license.
    #[cfg_attr(test, schemars(with = "schema::Id"))]
    pub license_id: LicenseId,
    /// Counts up per employee; a lower one never replaces a higher one.
    #[cfg_attr(test, schemars(range(min = 1, max = 9_007_199_254_740_991_u64)))]
    pub serial: u64,
    /// When it was issued.
    #[cfg_attr(test, schemars(with = "schema::Moment"))]
    pub issued_at: Timestamp,
    /// Not valid before.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<schema::Moment>"))]
    pub not_before: Option<Timestamp>,
    /// Not valid from this moment on.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<schema::Moment>"))]
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
    #[cfg_attr(test, schemars(with = "Option<schema::Id>"))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Issuer {
    /// The company's name.
    #[cfg_attr(test, schemars(regex(pattern = r"\S")))]
    pub company: String,
    /// The company.
    #[cfg_attr(test, schemars(with = "schema::Id"))]
    pub company_id: CompanyId,
    /// Where captures go: an `http` or `https` origin.
    #[cfg_attr(test, schemars(regex(pattern = "^https?://")))]
    pub server_url: String,
    /// Whom to ask about personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privacy_contact: Option<String>,
    /// How the key that signs this license came to be the employer's: compact JWS, oldest first, each
    /// signed by the key that went (`FORMAT.md`, section 9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(
        test,
        schemars(
            length(max = 16),
            inner(
                length(max = 1024),
                regex(pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$")
            )
        )
    )]
    pub key_history: Vec<String>,
    /// How long the server keeps what it gets; absent: the license does not say.
    #[serde(
        default,
        deserialize_with = "object::or_null",
        skip_serializing_if = "Option::is_none"
    )]
    pub retention_days: Option<RetentionDays>,
}

/// How long the employer's server keeps records, by kind, in days. What is absent is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RetentionDays {
    /// Pictures of the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 36_500)))]
    pub screenshot: Option<u32>,
    /// Camera shots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 36_500)))]
    pub camera: Option<u32>,
    /// Input counts, applications, titles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 36_500)))]
    pub activity: Option<u32>,
    /// Sessions and notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(range(min = 1, max = 36_500)))]
    pub session: Option<u32>,
}

impl RetentionDays {
    /// The days, in the order of the members.
    pub fn by_kind(&self) -> [Option<u32>; 4] {
        [self.screenshot, self.camera, self.activity, self.session]
    }
}

/// The tracked person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Employee {
    /// The person in this company.
    #[cfg_attr(test, schemars(with = "schema::Id"))]
    pub employee_id: EmployeeId,
    /// As it appears in reports (rule 6).
    #[cfg_attr(test, schemars(regex(pattern = r"\S")))]
    pub name: String,
}

/// Who starts and stops tracking (rule 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Profile {
    /// The profile's name.
    #[cfg_attr(test, schemars(regex(pattern = r"\S")))]
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
    #[cfg_attr(test, schemars(range(min = 10, max = 86_400)))]
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
    #[cfg_attr(test, schemars(range(max = 2_592_000)))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScreenshotSettings {
    /// Most shots (of all monitors together: one moment) in any hour, 1 to 3600.
    #[cfg_attr(test, schemars(range(min = 1, max = 3600)))]
    pub per_hour: u32,
    /// At a random moment within each interval instead of at its beginning.
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
    #[cfg_attr(test, schemars(range(min = 64, max = 16_384)))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Monitors {
    /// Each one, an image apiece.
    #[default]
    All,
    /// The one with the active window.
    Active,
}

/// How much a picture is blurred, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// Every strength, the weakest first.
    pub const ALL: [Self; 3] = [Self::None, Self::Light, Self::Strong];

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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CameraSettings {
    /// Most shots in any hour, 1 to 3600.
    #[cfg_attr(test, schemars(range(min = 1, max = 3600)))]
    pub per_hour: u32,
}

/// Activity: which parts of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(transform = schema::titles_need_applications))]
pub struct ActivitySettings {
    /// How often keys, buttons, wheel and pointer were used. Never which.
    #[serde(default)]
    pub input_counts: bool,
    /// Names of the applications in the foreground.
    #[serde(default)]
    pub applications: bool,
    /// Titles of the windows in the foreground; only together with `applications`.
    #[serde(default)]
    pub window_titles: bool,
}

/// When anything may be captured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Schedule {
    /// IANA name, such as `Europe/Paris`.
    pub time_zone: String,
    /// Days of the week, local to that zone.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub days: Vec<Day>,
    /// From this time of day (inclusive), local.
    #[cfg_attr(test, schemars(with = "schema::Hour"))]
    pub from: TimeOfDay,
    /// To this time of day (exclusive), local; `24:00` is the end of the day.
    #[cfg_attr(test, schemars(with = "schema::Hour"))]
    pub to: TimeOfDay,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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

/// Windows that are painted over before a picture is encoded, and left out of activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exclude {
    /// Application names, compared without regard to case.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(length(min = 1))))]
    pub applications: Vec<String>,
    /// Parts of window titles, compared without regard to case.
    #[serde(default)]
    #[cfg_attr(test, schemars(inner(length(min = 1))))]
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
        is_within(self.not_before, self.expires_at, now)
    }
}

/// Whether a moment lies between two, of which each may be open.
pub(crate) fn is_within(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> bool {
    from.is_none_or(|from| from <= now) && to.is_none_or(|to| now < to)
}

#[cfg(test)]
mod tests {
    use super::*;

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
