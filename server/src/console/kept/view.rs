//! What is kept, as values: days by kind, and receipts.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "kept/page.html")]
pub(crate) struct KeptView {
    pub(crate) page: Page,
    pub(crate) form: RetentionFields,
    pub(crate) errors: Errors,
    pub(crate) rows: Vec<ReceiptRow>,
    pub(crate) zone: String,
    /// Address of the next page of receipts.
    pub(crate) next: Option<String>,
}

/// Days, as entered; empty: without end.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct RetentionFields {
    pub(crate) screenshot: String,
    pub(crate) camera: String,
    pub(crate) activity: String,
    pub(crate) session: String,
}

/// One receipt.
#[derive(Debug)]
pub(crate) struct ReceiptRow {
    pub(crate) receipt_id: String,
    pub(crate) at: String,
    pub(crate) machine: String,
    pub(crate) what: &'static str,
    /// How much went, by kind.
    pub(crate) counts: Vec<String>,
    pub(crate) reason: String,
}

impl KeptView {
    const SHOWN: [&'static str; 4] = ["screenshot", "camera", "activity", "session"];

    /// The form's fields: name, label, value, hint.
    fn fields(&self) -> [(&'static str, &'static str, &str, &'static str); 4] {
        let form = &self.form;
        [
            ("screenshot", "Pictures of the screen", &form.screenshot, ""),
            ("camera", "Pictures of the camera", &form.camera, ""),
            (
                "activity",
                "Activity",
                &form.activity,
                "Input counts, applications and titles; health and notices with them.",
            ),
            (
                "session",
                "Sessions",
                &form.session,
                "With them goes the tracked time. Mind what the law asks you to keep.",
            ),
        ]
    }
}

#[cfg(test)]
impl KeptView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let view = |rows, errors| Self {
            page: Page::sample("What is kept", Part::Company),
            form: RetentionFields {
                screenshot: "30".into(),
                camera: "<script>alert(1)</script>".into(),
                ..RetentionFields::default()
            },
            errors,
            rows,
            zone: "Europe/Paris".into(),
            next: None,
        };
        let row = |what, reason: &str| ReceiptRow {
            receipt_id: "0193".into(),
            at: "2026-11-21 09:05".into(),
            machine: "2026-11-21T09:05:00+01:00".into(),
            what,
            counts: vec!["1 204 screenshots".into(), "12 sessions".into()],
            reason: reason.into(),
        };
        let mut errors = Errors::default();
        errors.add("camera", "Enter a whole number of days.");
        let rows = vec![
            row("a person was erased", "<script>alert(1)</script>"),
            row("the time was over", ""),
        ];
        vec![
            ("full", view(rows, errors)),
            ("empty", view(vec![], Errors::default())),
        ]
    }
}
