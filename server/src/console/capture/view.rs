//! One picture, as values, with the way to the ones before and after it.

use askama::Template;

use crate::console::layout::{Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "capture/page.html")]
pub(crate) struct CaptureView {
    pub(crate) page: Page,
    pub(crate) employee_id: String,
    pub(crate) name: String,
    /// `2026-11-20`.
    pub(crate) date: String,
    pub(crate) date_text: String,
    /// `14:03:12`.
    pub(crate) time: String,
    pub(crate) machine: String,
    pub(crate) zone: String,
    /// The picture's address; absent while the original of an unchanged screen is on its way.
    pub(crate) src: Option<String>,
    /// `Screen`, `Camera picture`.
    pub(crate) what: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// `7 of 41`.
    pub(crate) place: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) unchanged: bool,
    /// Why there is no picture and none will come: in three words, and in a sentence.
    pub(crate) withdrawn: Option<(&'static str, &'static str)>,
    /// The asker's own, which the license lets them delete.
    pub(crate) deletable: Option<String>,
    /// Name and value, in order.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// What the grade means; absent for a verified record.
    pub(crate) doubt: Option<&'static str>,
}

#[cfg(test)]
impl CaptureView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let view = |src: Option<&str>, unchanged: bool, doubt| Self {
            page: Page::sample("Jo Doe, 14:03:12", Part::Employees),
            deletable: unchanged.then(|| "r1".into()),
            employee_id: "1".into(),
            name: "Jo Doe".into(),
            date: "2026-11-20".into(),
            date_text: "Friday 20 November 2026".into(),
            time: "14:03:12".into(),
            machine: "2026-11-20T14:03:12+01:00".into(),
            zone: "Europe/Paris".into(),
            src: src.map(Into::into),
            what: "Screen",
            width: 1920,
            height: 1080,
            place: "7 of 41".into(),
            previous: Some("6".into()),
            next: Some("8".into()),
            unchanged,
            withdrawn: None,
            facts: vec![
                ("Monitor", "<script>alert(1)</script>".into()),
                ("Size", "1920 × 1080".into()),
                ("Project", "Apollo".into()),
                ("Record", "0193f2a4-5b6c-7d8e-9fa0-b1c2d3e4f5a6".into()),
            ],
            doubt,
        };
        let favicon = crate::console::assets::address("favicon.svg");
        vec![
            ("full", view(Some(&favicon), false, None)),
            (
                "unchanged",
                view(Some(&favicon), true, Some("Records are missing before it.")),
            ),
            ("waiting", view(None, true, None)),
            (
                "withdrawn",
                Self {
                    withdrawn: Some(("Deleted by the employee", "The license permits that.")),
                    ..view(None, false, None)
                },
            ),
        ]
    }
}
