//! The list of profiles, as values.

use askama::Template;
use glasshour_license_format::{Blur, Monitors, Profile};

use crate::auth::{Object, Verb};
use crate::console::layout::Page;
use crate::console::words;

/// The page.
#[derive(Debug, Template)]
#[template(path = "profiles/page.html")]
pub(crate) struct ProfilesView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<Row>,
}

/// One profile.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) profile_id: String,
    pub(crate) name: String,
    pub(crate) is_default: bool,
    pub(crate) summary: Summary,
}

/// What a profile captures, a few words for each channel; `None`: not at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) screenshots: Option<String>,
    pub(crate) camera: Option<String>,
    pub(crate) activity: Option<String>,
    pub(crate) hours: Option<String>,
}

impl Summary {
    /// Sums up a profile.
    pub(crate) fn of(profile: &Profile) -> Self {
        let screenshots = profile.screenshots.as_ref().map(|shots| {
            let blur = match shots.blur {
                Blur::None => "",
                Blur::Light => ", blurred",
                Blur::Strong => ", strongly blurred",
            };
            let monitors = if shots.monitors == Monitors::Active {
                ", active monitor"
            } else {
                ""
            };
            format!("{} an hour{monitors}{blur}", shots.per_hour)
        });
        let activity = profile.activity.as_ref().and_then(|activity| {
            let parts: Vec<&str> = [
                (activity.input_counts, "input counts"),
                (activity.applications, "applications"),
                (activity.window_titles, "window titles"),
            ]
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        });
        Self {
            screenshots,
            camera: profile
                .camera
                .as_ref()
                .map(|camera| format!("{} an hour", camera.per_hour)),
            activity,
            hours: profile.schedule.as_ref().map(|s| {
                format!(
                    "{} to {}, {}",
                    s.from,
                    s.to,
                    words::count(s.days.len(), "day")
                )
            }),
        }
    }
}

#[cfg(test)]
impl ProfilesView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let row = |id: &str, is_default, json: &str| {
            let profile: Profile = serde_json::from_str(json).unwrap();
            Row {
                profile_id: id.into(),
                name: profile.name.clone(),
                is_default,
                summary: Summary::of(&profile),
            }
        };
        let rows = vec![
            row(
                "1",
                true,
                r#"{"name":"Standard","screenshots":{"per_hour":6},"activity":{"input_counts":true,"applications":true}}"#,
            ),
            row("2", false, r#"{"name":"Time only"}"#),
            row(
                "3",
                false,
                r#"{"name":"<script>alert(1)</script>","screenshots":{"per_hour":60,"blur":"light","monitors":"active"},"camera":{"per_hour":1},"activity":{"window_titles":true},"schedule":{"time_zone":"Europe/Paris","days":["mon","tue"],"from":"08:00","to":"19:00"}}"#,
            ),
        ];
        let page = || Page::sample("Profiles", Part::Profiles);
        vec![
            ("full", Self { page: page(), rows }),
            (
                "empty",
                Self {
                    page: page(),
                    rows: vec![],
                },
            ),
        ]
    }
}
