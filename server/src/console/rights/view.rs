//! Deleting for good, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{Page, State};

/// An own capture, about to be deleted.
#[derive(Debug, Template)]
#[template(path = "rights/capture.html")]
pub(crate) struct CaptureDeletionView {
    pub(crate) page: Page,
    pub(crate) record_id: String,
    pub(crate) employee_id: String,
    pub(crate) time: String,
    pub(crate) date: String,
    /// The time that it takes off.
    pub(crate) off: String,
    pub(crate) tracked: String,
    pub(crate) left: String,
}

/// A person, about to be erased.
#[derive(Debug, Template)]
#[template(path = "rights/erase.html")]
pub(crate) struct ErasureView {
    pub(crate) page: Page,
    pub(crate) employee_id: String,
    pub(crate) name: String,
    pub(crate) errors: Errors,
}

/// A person, about to be carried away as a file.
#[derive(Debug, Template)]
#[template(path = "rights/export.html")]
pub(crate) struct ExportView {
    pub(crate) page: Page,
    pub(crate) employee_id: String,
    pub(crate) name: String,
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::console::layout::Part;

    impl CaptureDeletionView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = Self {
                page: Page::sample("Delete a capture", Part::Own),
                record_id: "r1".into(),
                employee_id: "e1".into(),
                time: "2026-11-21 09:05".into(),
                date: "2026-11-21".into(),
                off: "10\u{a0}m".into(),
                tracked: "5\u{a0}h 40\u{a0}m".into(),
                left: "5\u{a0}h 30\u{a0}m".into(),
            };
            vec![("own", view)]
        }
    }

    impl ExportView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = Self {
                page: Page::sample("Export a person", Part::Employees),
                employee_id: "e1".into(),
                name: "Jo <script>alert(1)</script>".into(),
            };
            vec![("asked", view)]
        }
    }

    impl ErasureView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |errors| Self {
                page: Page::sample("Erase a person", Part::Employees),
                employee_id: "e1".into(),
                name: "Jo <script>alert(1)</script>".into(),
                errors,
            };
            let mut errors = Errors::default();
            errors.add("name", "Type the name exactly as it stands above.");
            vec![
                ("asked", view(Errors::default())),
                ("refused", view(errors)),
            ]
        }
    }
}
