//! The company, as values: what it says of itself, its plan, its key, its workspaces.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{Page, State};
use crate::console::users::Seats;

/// The page.
#[derive(Debug, Template)]
#[template(path = "company/page.html")]
pub(crate) struct CompanyView {
    pub(crate) page: Page,
    pub(crate) form: CompanyFields,
    pub(crate) errors: Errors,
    pub(crate) plan: PlanView,
    pub(crate) key: KeyView,
    pub(crate) workspaces: Vec<WorkspaceRow>,
}

/// What the form sends, as entered.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct CompanyFields {
    pub(crate) name: String,
    pub(crate) privacy_contact: String,
    pub(crate) time_zone: String,
    /// `en` or `fr`.
    pub(crate) language: String,
    pub(crate) notice: String,
    #[serde(deserialize_with = "crate::console::form::ticked")]
    pub(crate) approve_devices: bool,
    #[serde(deserialize_with = "crate::console::form::ticked")]
    pub(crate) require_second_factor: bool,
}

/// What the operator grants.
#[derive(Clone, Debug)]
pub(crate) struct PlanView {
    pub(crate) name: Option<String>,
    pub(crate) seats: Seats,
    /// Whether the company sets the number itself (rule 33).
    pub(crate) by_company: bool,
    /// The number, as entered.
    pub(crate) seats_field: String,
    pub(crate) invitations_at_once: Option<i64>,
    /// Words on the trial, and whether it is over.
    pub(crate) trial: Option<(String, bool)>,
}

/// The key that signs licenses.
#[derive(Clone, Debug)]
pub(crate) struct KeyView {
    pub(crate) fingerprint: String,
    /// The day it came into use.
    pub(crate) since: String,
    /// How many there were before, in words.
    pub(crate) former: Option<String>,
    /// Whether the asker may replace it: the company's owner alone.
    pub(crate) may_rotate: bool,
}

/// One workspace.
#[derive(Clone, Debug)]
pub(crate) struct WorkspaceRow {
    pub(crate) workspace_id: String,
    pub(crate) name: String,
}

impl CompanyView {
    const SHOWN: [&'static str; 6] = [
        "name",
        "privacy_contact",
        "time_zone",
        "language",
        "notice",
        "seats",
    ];
    const LANGUAGES: [(&'static str, &'static str); 2] = [("en", "English"), ("fr", "Français")];
}

#[cfg(test)]
impl CompanyView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let view = |by_company, may_rotate, errors| Self {
            page: Page::sample("Company", Part::Company),
            form: CompanyFields {
                name: "<script>alert(1)</script>".into(),
                privacy_contact: "dpo@acme.example".into(),
                time_zone: "Europe/Paris".into(),
                language: "fr".into(),
                notice: "Pictures are kept for 30 days.".into(),
                approve_devices: true,
                require_second_factor: true,
            },
            errors,
            plan: PlanView {
                name: Some("team".into()),
                seats: Seats {
                    used: 2,
                    of: Some(5),
                },
                by_company,
                seats_field: "5".into(),
                invitations_at_once: Some(5),
                trial: Some(("12 days left".into(), false)),
            },
            key: KeyView {
                fingerprint: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".into(),
                since: "2026-11-01".into(),
                former: Some("1\u{a0}key".into()),
                may_rotate,
            },
            workspaces: vec![WorkspaceRow {
                workspace_id: "w1".into(),
                name: "Studio".into(),
            }],
        };
        let mut errors = Errors::default();
        errors.add("time_zone", "There is no such time zone.");
        errors.add("seats", "3 seats are in use. Deactivate users first.");
        vec![
            ("owner", view(true, true, errors)),
            ("admin", view(false, false, Errors::default())),
        ]
    }
}
