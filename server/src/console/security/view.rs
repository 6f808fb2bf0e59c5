//! What keeps accounts safe, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{MARK, Page, State};

/// The person's own safety.
#[derive(Template)]
#[template(path = "security/own.html")]
pub(crate) struct SecurityView {
    pub(crate) page: Page,
    /// The company asks for a second factor, and there is none yet.
    pub(crate) owes: bool,
    pub(crate) has_factor: bool,
    pub(crate) codes_left: usize,
    /// A secret that waits to be confirmed, with its address for apps.
    pub(crate) new_secret: Option<(String, String)>,
    /// Recovery codes, shown this once.
    pub(crate) new_codes: Vec<String>,
    pub(crate) errors: Errors,
}

/// The second factor is asked for.
#[derive(Debug, Template)]
#[template(path = "security/code.html")]
pub(crate) struct CodeView {
    pub(crate) page: Page,
    pub(crate) next: String,
    pub(crate) error: Option<String>,
}

/// The password is forgotten.
#[derive(Debug, Template)]
#[template(path = "security/forgotten.html")]
pub(crate) struct ForgottenView {
    pub(crate) page: Page,
    pub(crate) mail_is_sent: bool,
    pub(crate) asked: bool,
    pub(crate) error: Option<String>,
}

/// The company's API tokens.
#[derive(Template)]
#[template(path = "security/tokens.html")]
pub(crate) struct TokensView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<TokenRow>,
    /// The one just made, shown this once.
    pub(crate) new: Option<String>,
    pub(crate) name: String,
    pub(crate) days: String,
    pub(crate) errors: Errors,
}

/// One token.
#[derive(Debug)]
pub(crate) struct TokenRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) made: String,
    pub(crate) ends: String,
    pub(crate) used: String,
    /// Neither revoked nor over.
    pub(crate) opens: bool,
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::console::layout::Part;

    impl SecurityView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |has_factor: bool, new_secret, new_codes, errors| Self {
                page: Page::sample("Password and log-in", Part::Own),
                owes: !has_factor,
                has_factor,
                codes_left: 9,
                new_secret,
                new_codes,
                errors,
            };
            let mut errors = Errors::default();
            errors.add("change_current", "This is not your password.");
            let secret = Some((
                "JBSWY3DPEHPK3PXP".into(),
                "otpauth://totp/x?secret=y".into(),
            ));
            let codes = vec!["ABCD-EFGH-IJKL-MNOP".into()];
            vec![
                ("none", view(false, None, vec![], errors)),
                ("new", view(false, secret, vec![], Errors::default())),
                ("done", view(true, None, codes, Errors::default())),
            ]
        }
    }

    impl CodeView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |error: Option<&str>| Self {
                page: Page::outside("Log in"),
                next: "/team".into(),
                error: error.map(Into::into),
            };
            vec![
                ("plain", view(None)),
                ("refused", view(Some("The code does not fit."))),
            ]
        }
    }

    impl ForgottenView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |asked, mail_is_sent| Self {
                page: Page::outside("Forgotten password"),
                mail_is_sent,
                asked,
                error: None,
            };
            vec![
                ("asks", view(false, true)),
                ("asked", view(true, true)),
                ("no-mail", view(false, false)),
            ]
        }
    }

    impl TokensView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let row = |name: &str, opens| TokenRow {
                id: "t1".into(),
                name: name.into(),
                scopes: "read, captures".into(),
                made: "2026-11-21, by Kim Owner".into(),
                ends: "2027-02-19".into(),
                used: "3\u{a0}m".into(),
                opens,
            };
            let view = |rows, new: Option<&str>, errors| Self {
                page: Page::sample("API tokens", Part::Tokens),
                rows,
                new: new.map(Into::into),
                name: String::new(),
                days: "90".into(),
                errors,
            };
            let mut errors = Errors::default();
            errors.add("scopes", "`scopes` must name one or more.");
            let rows = vec![
                row("payroll <script>alert(1)</script>", true),
                row("old", false),
            ];
            vec![
                ("full", view(rows, Some("gh_abc"), Errors::default())),
                ("refused", view(vec![], None, errors)),
            ]
        }
    }
}
