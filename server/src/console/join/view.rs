//! The pages of one-time links and of signing up, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{MARK, Page, State};

/// A link's page.
#[derive(Debug, Template)]
#[template(path = "join/page.html")]
pub(crate) struct JoinView {
    pub(crate) page: Page,
    pub(crate) token: String,
    pub(crate) email: String,
    /// The workspace and company that it leads to.
    pub(crate) to: Option<String>,
    /// Somebody new gives their name.
    pub(crate) asks_name: bool,
    /// The address has an account already.
    pub(crate) has_account: bool,
    /// Whoever looks is logged in with that address.
    pub(crate) is_logged_in: bool,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) errors: Errors,
}

impl JoinView {
    const SHOWN: [&'static str; 3] = ["first_name", "last_name", "password"];
}

/// The page to ask for an account.
#[derive(Debug, Template)]
#[template(path = "join/sign_up.html")]
pub(crate) struct SignUpView {
    pub(crate) page: Page,
    /// Nobody signs up here.
    pub(crate) closed: bool,
    /// The form was sent.
    pub(crate) asked: bool,
    pub(crate) email: String,
    pub(crate) error: Option<String>,
}

#[cfg(test)]
mod samples {
    use super::*;

    impl JoinView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |asks_name, has_account, is_logged_in, errors| Self {
                page: Page::outside("Welcome"),
                token: "t".into(),
                email: "jo@acme.example".into(),
                to: Some("Studio of <script>alert(1)</script>".into()),
                asks_name,
                has_account,
                is_logged_in,
                first_name: "Jo".into(),
                last_name: String::new(),
                errors,
            };
            let mut errors = Errors::default();
            errors.add("password", "The password must have 10 characters or more.");
            vec![
                ("new", view(true, false, false, Errors::default())),
                ("welcome", view(false, false, false, errors)),
                ("account", view(false, true, false, Errors::default())),
                ("accept", view(false, true, true, Errors::default())),
            ]
        }
    }

    impl SignUpView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |closed, asked, error: Option<&str>| Self {
                page: Page::outside("Sign up"),
                closed,
                asked,
                email: "jo@acme.example".into(),
                error: error.map(Into::into),
            };
            vec![
                ("plain", view(false, false, None)),
                ("asked", view(false, true, None)),
                ("closed", view(true, false, None)),
                (
                    "refused",
                    view(false, false, Some("This is not an e-mail address.")),
                ),
            ]
        }
    }
}
