//! The audit log and who looked, as values.

use askama::Template;

use crate::console::layout::{MARK, Page};

/// The log.
#[derive(Debug, Template)]
#[template(path = "audit/log.html")]
pub(crate) struct AuditView {
    pub(crate) page: Page,
    /// Only what is about one person or thing.
    pub(crate) narrowed: bool,
    pub(crate) rows: Vec<EntryRow>,
    pub(crate) zone: String,
    pub(crate) next: Option<String>,
}

/// One entry.
#[derive(Debug)]
pub(crate) struct EntryRow {
    pub(crate) at: String,
    pub(crate) machine: String,
    pub(crate) who: String,
    pub(crate) from: String,
    pub(crate) did: String,
    pub(crate) whom: String,
    /// What the log can be narrowed to.
    pub(crate) about: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) reason: String,
}

/// One field that differs.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) field: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Who looked at the person.
#[derive(Debug, Template)]
#[template(path = "audit/views.html")]
pub(crate) struct ViewsView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<ViewRow>,
    pub(crate) zone: String,
    pub(crate) next: Option<String>,
}

/// What one viewer looked at.
#[derive(Debug)]
pub(crate) struct ViewRow {
    pub(crate) at: String,
    pub(crate) machine: String,
    pub(crate) who: String,
    pub(crate) company: String,
    pub(crate) what: String,
    pub(crate) days: String,
    pub(crate) reason: String,
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::console::layout::Part;

    impl AuditView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |rows, next: Option<&str>| Self {
                page: Page::sample("Audit log", Part::Audit),
                narrowed: false,
                rows,
                zone: "Europe/Paris".into(),
                next: next.map(Into::into),
            };
            let row = |who: &str, did: &str, changes, reason: &str| EntryRow {
                at: "2026-11-21 09:05".into(),
                machine: "2026-11-21T09:05:00+01:00".into(),
                who: who.into(),
                from: "192.0.2.7".into(),
                did: did.into(),
                whom: "Jo Doe".into(),
                about: "e1".into(),
                changes,
                reason: reason.into(),
            };
            let change = Change {
                field: "name".into(),
                before: "Jo <script>alert(1)</script>".into(),
                after: "Jo Doe".into(),
            };
            let rows = vec![
                row("Kim Owner", "change employee", vec![change], ""),
                row("payroll (API token)", "export captures", vec![], "payroll"),
            ];
            vec![
                ("full", view(rows, Some("/audit?at=1&id=2"))),
                ("empty", view(vec![], None)),
            ]
        }
    }

    impl ViewsView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |rows| Self {
                page: Page::sample("Who looked at you", Part::Own),
                rows,
                zone: "Europe/Paris".into(),
                next: None,
            };
            let row = ViewRow {
                at: "2026-11-21 09:05".into(),
                machine: "2026-11-21T09:05:00+01:00".into(),
                who: "Kim <script>alert(1)</script>".into(),
                company: "Acme".into(),
                what: "13 pictures".into(),
                days: "2026-11-20".into(),
                reason: String::new(),
            };
            vec![("full", view(vec![row])), ("empty", view(vec![]))]
        }
    }
}
