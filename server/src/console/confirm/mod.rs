//! A page that asks once more before something that cannot be taken back: what will be, in plain words,
//! and a button that names its object.

use askama::Template;

use super::layout::{Page, State};

/// The question.
#[derive(Debug, Template)]
#[template(path = "confirm/page.html")]
pub(crate) struct ConfirmView {
    pub(crate) page: Page,
    /// Where one came from: address and name.
    pub(crate) back: (String, String),
    /// What will be, one paragraph each.
    pub(crate) text: Vec<String>,
    /// Where the answer goes.
    pub(crate) action: String,
    /// A verb and its object.
    pub(crate) button: String,
    /// What has to be ticked first, where once more is not enough.
    pub(crate) tick: Option<String>,
    /// What was wrong with the answer.
    pub(crate) problem: Option<String>,
}

#[cfg(test)]
impl ConfirmView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use super::layout::Part;

        let view = |title: &str, tick: Option<&str>, problem: Option<&str>| Self {
            page: Page::sample(title, Part::Users),
            back: ("/users".into(), "Users".into()),
            text: vec![
                "The account of <script>alert(1)</script> is gone for good.".into(),
                "What they tracked is kept.".into(),
            ],
            action: "/users/1/delete".into(),
            button: "Delete Jo Doe".into(),
            tick: tick.map(Into::into),
            problem: problem.map(Into::into),
        };
        vec![
            ("plain", view("Delete Jo Doe?", None, None)),
            (
                "ticked",
                view(
                    "Rotate the signing key?",
                    Some("I have told them."),
                    Some("Tick the box first."),
                ),
            ),
        ]
    }
}
