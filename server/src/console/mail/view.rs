//! Outgoing mail, as values.

use askama::Template;

use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "mail/page.html")]
pub(crate) struct MailView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<MailRow>,
    /// Whether this server sends mail at all.
    pub(crate) is_sent: bool,
    pub(crate) zone: String,
    /// Address of the next page of the list.
    pub(crate) next: Option<String>,
}

/// One mail.
#[derive(Debug)]
pub(crate) struct MailRow {
    pub(crate) to: String,
    pub(crate) what: &'static str,
    pub(crate) at: String,
    pub(crate) machine: String,
    pub(crate) state: State,
    pub(crate) state_text: String,
    /// Why it was not sent, last.
    pub(crate) error: Option<String>,
    /// Its id, where it can be sent again.
    pub(crate) again: Option<String>,
}

#[cfg(test)]
impl MailView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let view = |rows, is_sent| Self {
            page: Page::sample("Mail", Part::Company),
            rows,
            is_sent,
            zone: "Europe/Paris".into(),
            next: None,
        };
        let row = |to: &str, state, state_text: &str, error: Option<&str>| MailRow {
            to: to.into(),
            what: "License",
            at: "2026-11-21 09:05".into(),
            machine: "2026-11-21T09:05:00+01:00".into(),
            state,
            state_text: state_text.into(),
            error: error.map(Into::into),
            again: error.map(|_| "1".into()),
        };
        let refused = Some("550 <script>alert(1)</script> no such mailbox");
        let rows = vec![
            row("jo@acme.example", State::Problem, "failed", refused),
            row("ann@acme.example", State::Paused, "waits", None),
            row("sam@acme.example", State::Done, "sent", None),
        ];
        vec![("full", view(rows, true)), ("empty", view(vec![], false))]
    }
}
