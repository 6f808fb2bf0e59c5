//! The log-in page, as values.

use askama::Template;

use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "login/page.html")]
pub(crate) struct LoginView {
    pub(crate) page: Page,
    /// Empty where the server is for several.
    pub(crate) company: String,
    pub(crate) email: String,
    /// Where to go afterwards, a path of ours.
    pub(crate) next: String,
    pub(crate) error: Option<String>,
    /// People can log in by their organisation's provider.
    pub(crate) sign_on: bool,
}

#[cfg(test)]
impl LoginView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        let view = |error: Option<&str>| Self {
            page: Page::outside("Log in"),
            company: "Acme".into(),
            email: error.map_or(String::new(), |_| "kim@acme.example".into()),
            next: "/team".into(),
            sign_on: error.is_none(),
            error: error.map(Into::into),
        };
        let wrong = "E-mail address and password do not fit together. Check both and try again.";
        vec![("plain", view(None)), ("refused", view(Some(wrong)))]
    }
}
