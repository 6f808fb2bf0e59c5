//! What a newer license changes, field by field, and what may be captured until the employee has
//! agreed to it.
//!
//! The rule: a license that the server refreshes may narrow what is captured at once; what it widens
//! waits for the employee to acknowledge it (worklog) or for its notice to be shown (monitoring).
//! [`changes`] says which is which; [`narrowed`] is the part of the newer profile that holds at once.

use crate::claims::{
    ActivitySettings, CameraSettings, Claims, Exclude, Monitors, Profile, RetentionDays, Schedule,
    ScreenshotSettings, WorkMode,
};

/// Whether a change lets more or less be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Less is captured, or the employee can do more about it.
    Narrower,
    /// More is captured, for longer, or sent elsewhere.
    Wider,
    /// Neither, such as another project.
    Neutral,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Path of the member, such as `profile.screenshots.per_hour`.
    pub field: &'static str,
    /// What it does.
    pub effect: Effect,
}

/// Every field that is compared, as [`Change::field`] names it.
pub const FIELDS: [&str; 29] = [
    "work_mode",
    "issuer.server_url",
    "issuer.company",
    "issuer.privacy_contact",
    "issuer.retention_days",
    "employee.name",
    "default_project_id",
    "notice",
    "not_before",
    "expires_at",
    "profile.name",
    "profile.screenshots",
    "profile.screenshots.per_hour",
    "profile.screenshots.random_moment",
    "profile.screenshots.monitors",
    "profile.screenshots.blur",
    "profile.screenshots.max_width_px",
    "profile.screenshots.skip_unchanged",
    "profile.camera",
    "profile.camera.per_hour",
    "profile.activity",
    "profile.activity.input_counts",
    "profile.activity.applications",
    "profile.activity.window_titles",
    "profile.idle_after_s",
    "profile.schedule",
    "profile.exclude",
    "profile.review_hold_s",
    "profile.employee_may_delete",
];

/// Compares two licenses of one employee. Members that this version does not know are never obeyed,
/// so they change nothing.
pub fn changes(old: &Claims, new: &Claims) -> Vec<Change> {
    let mut found = Comparison::default();
    found.compare("work_mode", &old.work_mode, &new.work_mode, |old, new| {
        wider_if(*old == WorkMode::Worklog && *new == WorkMode::Monitoring)
    });
    let url = |claims: &Claims| claims.issuer.server_url.clone();
    found.compare("issuer.server_url", &url(old), &url(new), |_, _| {
        Effect::Wider
    });
    found.compare(
        "issuer.company",
        &old.issuer.company,
        &new.issuer.company,
        neutral,
    );
    let contact = |claims: &Claims| claims.issuer.privacy_contact.clone();
    found.compare(
        "issuer.privacy_contact",
        &contact(old),
        &contact(new),
        neutral,
    );
    let kept = |claims: &Claims| claims.issuer.retention_days.clone().unwrap_or_default();
    found.compare(
        "issuer.retention_days",
        &kept(old),
        &kept(new),
        |old, new| wider_if(kept_longer(old, new)),
    );
    found.compare(
        "employee.name",
        &old.employee.name,
        &new.employee.name,
        neutral,
    );
    let project = |claims: &Claims| claims.default_project_id;
    found.compare("default_project_id", &project(old), &project(new), neutral);
    found.compare("notice", &old.notice, &new.notice, neutral);
    found.compare(
        "not_before",
        &old.not_before,
        &new.not_before,
        |old, new| {
            // Absent is earlier than any moment, and so does `None < Some` order.
            wider_if(new < old)
        },
    );
    found.compare(
        "expires_at",
        &old.expires_at,
        &new.expires_at,
        |old, new| wider_if(old.is_some_and(|old| new.is_none_or(|new| new > old))),
    );
    found.profile(&old.profile, &new.profile);
    found.changes
}

/// Whether any of the changes lets more be captured.
pub fn widens(changes: &[Change]) -> bool {
    changes.iter().any(|change| change.effect == Effect::Wider)
}

/// The part of `new` that `accepted` permits as well: what holds until the rest is agreed to.
pub fn narrowed(accepted: &Profile, new: &Profile) -> Profile {
    Profile {
        // What is neither more nor less waits with the rest, and is told with it.
        name: accepted.name.clone(),
        screenshots: both(
            accepted.screenshots.as_ref(),
            new.screenshots.as_ref(),
            |a, n| ScreenshotSettings {
                per_hour: a.per_hour.min(n.per_hour),
                random_moment: a.random_moment,
                monitors: if a.monitors == Monitors::Active {
                    a.monitors
                } else {
                    n.monitors
                },
                blur: a.blur.max(n.blur),
                max_width_px: match (a.max_width_px, n.max_width_px) {
                    (Some(a), Some(n)) => Some(a.min(n)),
                    (a, n) => a.or(n),
                },
                skip_unchanged: a.skip_unchanged || n.skip_unchanged,
            },
        ),
        camera: both(accepted.camera.as_ref(), new.camera.as_ref(), |a, n| {
            CameraSettings {
                per_hour: a.per_hour.min(n.per_hour),
            }
        }),
        activity: both(accepted.activity.as_ref(), new.activity.as_ref(), |a, n| {
            ActivitySettings {
                input_counts: a.input_counts && n.input_counts,
                applications: a.applications && n.applications,
                window_titles: a.window_titles && n.window_titles,
            }
        }),
        idle_after_s: accepted.idle_after_s.max(new.idle_after_s),
        schedule: match (&accepted.schedule, &new.schedule) {
            // Of another zone, or without an hour in common, they can only be told side by side.
            (Some(accepted), Some(new)) => {
                Some(common(accepted, new).unwrap_or_else(|| accepted.clone()))
            }
            (Some(accepted), None) => Some(accepted.clone()),
            (_, new) => new.clone(),
        },
        exclude: Exclude {
            applications: union(&accepted.exclude.applications, &new.exclude.applications),
            title_contains: union(
                &accepted.exclude.title_contains,
                &new.exclude.title_contains,
            ),
        },
        review_hold_s: accepted.review_hold_s.max(new.review_hold_s),
        employee_may_delete: accepted.employee_may_delete || new.employee_may_delete,
        unknown: new.unknown.clone(),
    }
}

#[derive(Default)]
struct Comparison {
    changes: Vec<Change>,
}

impl Comparison {
    fn compare<T: PartialEq>(
        &mut self,
        field: &'static str,
        old: &T,
        new: &T,
        effect: impl FnOnce(&T, &T) -> Effect,
    ) {
        if old != new {
            let effect = effect(old, new);
            self.changes.push(Change { field, effect });
        }
    }

    /// A channel that comes or goes; its settings are compared where both have it.
    fn channel<T: PartialEq>(
        &mut self,
        field: &'static str,
        old: Option<&T>,
        new: Option<&T>,
        settings: impl FnOnce(&mut Self, &T, &T),
    ) {
        match (old, new) {
            (Some(old), Some(new)) => settings(self, old, new),
            (old, new) => self.compare(field, &old, &new, |old, _| wider_if(old.is_none())),
        }
    }

    fn profile(&mut self, old: &Profile, new: &Profile) {
        self.compare("profile.name", &old.name, &new.name, neutral);
        self.channel(
            "profile.screenshots",
            old.screenshots.as_ref(),
            new.screenshots.as_ref(),
            Self::screenshots,
        );
        let camera = "profile.camera";
        self.channel(
            camera,
            old.camera.as_ref(),
            new.camera.as_ref(),
            |found, old, new| {
                found.compare(
                    "profile.camera.per_hour",
                    &old.per_hour,
                    &new.per_hour,
                    growth,
                );
            },
        );
        let activity = "profile.activity";
        self.channel(
            activity,
            old.activity.as_ref(),
            new.activity.as_ref(),
            Self::activity,
        );
        self.compare(
            "profile.idle_after_s",
            &old.idle_after_s,
            &new.idle_after_s,
            // Sooner idle: more of the employee's time is set apart as not worked.
            |old, new| wider_if(new < old),
        );
        self.compare(
            "profile.schedule",
            &old.schedule,
            &new.schedule,
            |old, new| {
                wider_if(match (old, new) {
                    (Some(old), Some(new)) => !within(old, new),
                    (old, _) => old.is_some(),
                })
            },
        );
        let exclude = |profile: &Profile| {
            (
                profile.exclude.applications.clone(),
                profile.exclude.title_contains.clone(),
            )
        };
        self.compare(
            "profile.exclude",
            &exclude(old),
            &exclude(new),
            |old, new| {
                let kept =
                    |old: &[String], new: &[String]| old.iter().all(|text| new.contains(text));
                wider_if(!(kept(&old.0, &new.0) && kept(&old.1, &new.1)))
            },
        );
        let hold = "profile.review_hold_s";
        self.compare(hold, &old.review_hold_s, &new.review_hold_s, |old, new| {
            wider_if(new < old)
        });
        let delete = "profile.employee_may_delete";
        self.compare(
            delete,
            &old.employee_may_delete,
            &new.employee_may_delete,
            |old, _| wider_if(*old),
        );
    }

    fn screenshots(&mut self, old: &ScreenshotSettings, new: &ScreenshotSettings) {
        self.compare(
            "profile.screenshots.per_hour",
            &old.per_hour,
            &new.per_hour,
            growth,
        );
        let random = "profile.screenshots.random_moment";
        self.compare(random, &old.random_moment, &new.random_moment, neutral);
        self.compare(
            "profile.screenshots.monitors",
            &old.monitors,
            &new.monitors,
            |_, new| wider_if(*new == Monitors::All),
        );
        self.compare(
            "profile.screenshots.blur",
            &old.blur,
            &new.blur,
            |old, new| wider_if(new < old),
        );
        let width = "profile.screenshots.max_width_px";
        self.compare(width, &old.max_width_px, &new.max_width_px, |old, new| {
            wider_if(old.is_some_and(|old| new.is_none_or(|new| new > old)))
        });
        let skip = "profile.screenshots.skip_unchanged";
        self.compare(skip, &old.skip_unchanged, &new.skip_unchanged, |old, _| {
            wider_if(*old)
        });
    }

    fn activity(&mut self, old: &ActivitySettings, new: &ActivitySettings) {
        for (field, old, new) in [
            (
                "profile.activity.input_counts",
                old.input_counts,
                new.input_counts,
            ),
            (
                "profile.activity.applications",
                old.applications,
                new.applications,
            ),
            (
                "profile.activity.window_titles",
                old.window_titles,
                new.window_titles,
            ),
        ] {
            self.compare(field, &old, &new, |_, new| wider_if(*new));
        }
    }
}

fn wider_if(wider: bool) -> Effect {
    if wider {
        Effect::Wider
    } else {
        Effect::Narrower
    }
}

fn neutral<T>(_: &T, _: &T) -> Effect {
    Effect::Neutral
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "compared as the other fields are"
)]
fn growth(old: &u32, new: &u32) -> Effect {
    wider_if(new > old)
}

/// Whether anything is kept longer; what a license does not say may be kept for ever.
fn kept_longer(old: &RetentionDays, new: &RetentionDays) -> bool {
    let mut pairs = old.by_kind().into_iter().zip(new.by_kind());
    pairs.any(|(old, new)| old.is_some_and(|old| new.is_none_or(|new| new > old)))
}

/// Whether every moment of `new` lies in `old`. Zones that differ are not compared: their clocks
/// change on different days, so the newer one is taken to be wider.
fn within(old: &Schedule, new: &Schedule) -> bool {
    old.time_zone == new.time_zone
        && new.days.iter().all(|day| old.days.contains(day))
        && old.from <= new.from
        && new.to <= old.to
}

/// The hours that are in both, where one schedule can say them.
fn common(a: &Schedule, b: &Schedule) -> Option<Schedule> {
    let days: Vec<_> = b
        .days
        .iter()
        .filter(|day| a.days.contains(day))
        .copied()
        .collect();
    let (from, to) = (a.from.max(b.from), a.to.min(b.to));
    (a.time_zone == b.time_zone && !days.is_empty() && from < to).then(|| Schedule {
        time_zone: b.time_zone.clone(),
        days,
        from,
        to,
    })
}

fn both<T>(a: Option<&T>, b: Option<&T>, merge: impl FnOnce(&T, &T) -> T) -> Option<T> {
    Some(merge(a?, b?))
}

fn union(a: &[String], b: &[String]) -> Vec<String> {
    let more = b.iter().filter(|text| !a.contains(text));
    a.iter().chain(more).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn base() -> Value {
        serde_json::from_str(include_str!("../fixtures/v1/claims.json")).unwrap()
    }

    fn claims(value: Value) -> Claims {
        serde_json::from_value(value).unwrap()
    }

    /// Sets or removes (`null`) the member at a JSON pointer.
    fn with(pointer: &str, value: Value) -> Claims {
        let mut base = base();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = base.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            parent.remove(name)
        } else {
            parent.insert(name.into(), value)
        };
        claims(base)
    }

    #[test]
    fn each_field_is_told_wider_narrower_or_neither() {
        use Effect::{Narrower, Neutral, Wider};
        let cases = [
            ("/work_mode", json!("monitoring"), Wider),
            (
                "/issuer/server_url",
                json!("https://elsewhere.example"),
                Wider,
            ),
            (
                "/issuer/privacy_contact",
                json!("new@acme.example"),
                Neutral,
            ),
            ("/issuer/company", json!("Acme Ltd"), Neutral),
            (
                "/issuer/retention_days",
                json!({"screenshot": 30}),
                Narrower,
            ),
            ("/employee/name", json!("Jo Roe"), Neutral),
            ("/default_project_id", Value::Null, Neutral),
            ("/notice", Value::Null, Neutral),
            ("/not_before", json!("2027-01-01T00:00:00Z"), Narrower),
            ("/expires_at", json!("2027-01-01T00:00:00Z"), Narrower),
            ("/profile/name", json!("Other"), Neutral),
            ("/profile/screenshots", Value::Null, Narrower),
            ("/profile/screenshots/per_hour", json!(7), Wider),
            ("/profile/screenshots/per_hour", json!(5), Narrower),
            ("/profile/screenshots/random_moment", json!(false), Neutral),
            ("/profile/screenshots/monitors", json!("active"), Narrower),
            ("/profile/screenshots/blur", json!("light"), Narrower),
            ("/profile/screenshots/max_width_px", json!(1280), Narrower),
            ("/profile/screenshots/max_width_px", Value::Null, Wider),
            ("/profile/screenshots/skip_unchanged", json!(false), Wider),
            ("/profile/camera", Value::Null, Narrower),
            ("/profile/camera/per_hour", json!(2), Wider),
            ("/profile/activity", Value::Null, Narrower),
            ("/profile/activity/window_titles", json!(true), Wider),
            ("/profile/activity/input_counts", json!(false), Narrower),
            ("/profile/activity/applications", json!(false), Narrower),
            ("/profile/idle_after_s", json!(60), Wider),
            ("/profile/schedule", Value::Null, Wider),
            ("/profile/schedule/to", json!("20:00"), Wider),
            ("/profile/schedule/from", json!("09:00"), Narrower),
            ("/profile/schedule/days", json!(["mon"]), Narrower),
            ("/profile/schedule/time_zone", json!("Europe/London"), Wider),
            ("/profile/exclude/applications", json!([]), Wider),
            (
                "/profile/exclude/title_contains",
                json!(["Private Browsing", "Bank"]),
                Narrower,
            ),
            ("/profile/review_hold_s", json!(60), Narrower),
            ("/profile/employee_may_delete", json!(false), Wider),
        ];
        let old = claims(base());
        let mut compared = std::collections::BTreeSet::new();
        for (pointer, value, effect) in cases {
            let new = with(pointer, value.clone());
            let found = changes(&old, &new);
            let effects: Vec<_> = found.iter().map(|change| change.effect).collect();
            assert_eq!(effects, [effect], "{pointer} = {value}: {found:?}");
            let field = format!("/{}", found.first().unwrap().field.replace('.', "/"));
            assert!(pointer.starts_with(&field), "{field}");
            compared.extend(found.iter().map(|change| change.field));
            // The way back has the opposite effect.
            let back = changes(&new, &old).first().unwrap().effect;
            let opposite = match (pointer, effect) {
                // Elsewhere is elsewhere, in both directions.
                ("/issuer/server_url" | "/profile/schedule/time_zone", _) | (_, Narrower) => Wider,
                (_, Wider) => Narrower,
                (_, Neutral) => Neutral,
            };
            assert_eq!(back, opposite, "{pointer} back");
        }
        assert_eq!(compared, FIELDS.into_iter().collect(), "all, and no other");
        assert_eq!(changes(&old, &old), []);
        assert_eq!(
            changes(&old, &with("/profile/sound", json!(true))),
            [],
            "not obeyed"
        );
    }

    #[test]
    fn to_keep_anything_longer_is_wider_and_not_to_say_how_long_is_longest() {
        let kept = |value: Value| with("/issuer/retention_days", value);
        for (old, new, effect) in [
            (
                json!({"screenshot": 30}),
                json!({"screenshot": 31}),
                Effect::Wider,
            ),
            (
                json!({"screenshot": 30}),
                json!({"screenshot": 29}),
                Effect::Narrower,
            ),
            (
                json!({"screenshot": 30}),
                json!({"session": 30}),
                Effect::Wider,
            ),
            (json!({"screenshot": 30}), json!({}), Effect::Wider),
            (
                json!({"camera": 30}),
                json!({"camera": 30, "activity": 9}),
                Effect::Narrower,
            ),
        ] {
            let found = changes(&kept(old.clone()), &kept(new.clone()));
            let found: Vec<_> = found.iter().map(|c| (c.field, c.effect)).collect();
            assert_eq!(found, [("issuer.retention_days", effect)], "{old} to {new}");
        }
        assert_eq!(changes(&kept(json!({})), &kept(Value::Null)), []);
    }

    #[test]
    fn what_holds_at_once_is_within_both_licenses() {
        let old = claims(base());
        for (pointer, value) in [
            ("/profile/screenshots/per_hour", json!(60)),
            ("/profile/screenshots/blur", json!("strong")),
            ("/profile/screenshots/max_width_px", Value::Null),
            ("/profile/screenshots", Value::Null),
            ("/profile/activity/window_titles", json!(true)),
            ("/profile/schedule", Value::Null),
            ("/profile/schedule/time_zone", json!("Europe/London")),
            ("/profile/schedule/from", json!("10:00")),
            ("/profile/schedule/to", json!("23:00")),
            ("/profile/exclude/applications", json!(["Signal"])),
            ("/profile/review_hold_s", json!(60)),
            ("/profile/employee_may_delete", json!(false)),
            ("/profile/idle_after_s", json!(60)),
            ("/profile/idle_after_s", json!(600)),
        ] {
            let new = with(pointer, value);
            let mut effective = new.clone();
            effective.profile = narrowed(&old.profile, &new.profile);
            assert!(!widens(&changes(&old, &effective)), "{pointer}");
            // Of hours by another clock no single schedule can say both: a license holds each.
            if !pointer.ends_with("time_zone") {
                assert!(!widens(&changes(&new, &effective)), "{pointer}");
            }
            if !widens(&changes(&old, &new)) {
                assert_eq!(effective.profile, new.profile, "{pointer} holds at once");
            }
        }
    }

    #[test]
    fn what_waits_is_told_whole_also_what_is_neither_more_nor_less() {
        let mut new = with("/profile/screenshots/per_hour", json!(60));
        new.profile.name = "Other".into();
        new.profile.idle_after_s = 60;
        if let Some(shots) = &mut new.profile.screenshots {
            shots.random_moment = !shots.random_moment;
        }
        let mut holds = claims(base());
        holds.profile = narrowed(&holds.profile, &new.profile);
        let told: Vec<_> = changes(&holds, &new).iter().map(|c| c.field).collect();
        assert_eq!(
            told,
            [
                "profile.name",
                "profile.screenshots.per_hour",
                "profile.screenshots.random_moment",
                "profile.idle_after_s",
            ]
        );
    }

    #[test]
    fn a_channel_that_is_new_is_not_open_before_it_is_agreed_to() {
        let old = with("/profile/camera", Value::Null);
        let new = claims(base());
        assert!(narrowed(&old.profile, &new.profile).camera.is_none());
    }
}
