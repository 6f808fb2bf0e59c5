//! Forged records, one for every detail of a profile, each with a twin that the same license permits.
//!
//! One table for every gate: the rule's own test, the uploader's and the server's all read it, so that
//! none of them can know less than the others. `cases.json` says what is captured; here it becomes the
//! parts of a record.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use glasshour_license_format::Profile;
use glasshour_protocol::Kind;
use glasshour_protocol::payload::{ActivityMinute, ApplicationTime, InputCounts, JSON};
use glasshour_protocol::record::FrameMeta;
use serde::Deserialize;
use serde_json::Value;

/// Wednesday 18 November 2026, 11:00 UTC: noon in Paris.
pub(crate) const NOON_MS: i64 = 1_794_999_600_000;
const MINUTE_MS: f64 = 60_000.0;

/// One line of the table.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    profile: Value,
    /// What was captured, and permitted, before.
    #[serde(default)]
    pub(crate) before: Vec<Capture>,
    pub(crate) forged: Capture,
    pub(crate) permitted: Capture,
    /// The code that refuses the forged one.
    pub(crate) code: String,
}

/// One record of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Capture {
    pub(crate) kind: Kind,
    /// After [`NOON_MS`]; and after the computer was started.
    #[serde(default)]
    minute: f64,
    #[serde(default)]
    clock_ahead_min: f64,
    #[serde(default)]
    x: i32,
    width: Option<u32>,
    /// What the picture itself says, where that is another.
    own_width: Option<u32>,
    blur: Option<String>,
    #[serde(default)]
    windows_unknown: bool,
    #[serde(default)]
    input: bool,
    application: Option<String>,
    title: Option<String>,
}

/// Every case.
pub(crate) fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("cases.json")).expect("the table can be read")
}

/// The first bytes of a PNG of that size; `mark` makes one differ from another.
pub(crate) fn picture(width: u32, height: u32, mark: &str) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend(mark.as_bytes());
    bytes
}

impl Case {
    pub(crate) fn profile(&self) -> Profile {
        let mut settings = self.profile.clone();
        let members = settings.as_object_mut().expect("an object");
        members.insert("name".into(), self.name.clone().into());
        serde_json::from_value(settings).expect("a profile")
    }

    /// The profile's settings, as the server's API takes them.
    pub(crate) fn settings(&self) -> &Value {
        &self.profile
    }
}

impl Capture {
    /// UTC milliseconds, by the device's wall clock.
    pub(crate) fn wall_ms(&self) -> i64 {
        NOON_MS + millis(self.minute + self.clock_ahead_min)
    }

    /// Milliseconds since the computer was started.
    pub(crate) fn boot_ms(&self) -> u64 {
        millis(self.minute + 60.0).unsigned_abs()
    }

    pub(crate) fn is_picture(&self) -> bool {
        matches!(self.kind, Kind::Screenshot | Kind::Camera)
    }

    pub(crate) fn frame(&self) -> Option<FrameMeta> {
        (self.kind == Kind::Screenshot).then(|| FrameMeta {
            monitor: "HDMI".into(),
            x: self.x,
            y: 0,
            screen_width: 1920,
            screen_height: 1080,
            width: self.width(),
            height: 100,
            blur: self.blur.clone().unwrap_or_else(|| "none".into()),
            masked_windows: 0,
            windows_unknown: self.windows_unknown,
            unchanged: false,
        })
    }

    pub(crate) fn content_type(&self) -> &'static str {
        if self.is_picture() { "image/png" } else { JSON }
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        if self.is_picture() {
            let mark = format!("{self:?}");
            return picture(self.own_width.unwrap_or(self.width()), 100, &mark);
        }
        let counts = InputCounts {
            keys: 7,
            exact: true,
            ..InputCounts::default()
        };
        let named = |name: &String| ApplicationTime {
            name: name.clone(),
            title: self.title.clone(),
            active_ms: 60_000,
        };
        let minute = ActivityMinute {
            from_ms: self.wall_ms(),
            to_ms: self.wall_ms() + 60_000,
            input: self.input.then_some(counts),
            idle_ms: Some(0),
            applications: self.application.iter().map(named).collect(),
        };
        serde_json::to_vec(&minute).expect("plain data")
    }

    fn width(&self) -> u32 {
        self.width.unwrap_or(640)
    }
}

fn millis(minutes: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a few days")]
    let ms = (minutes * MINUTE_MS).round() as i64;
    ms
}
