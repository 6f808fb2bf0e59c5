//! The person's own pages, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{MARK, Page, State};
use crate::console::words;

/// The profile.
#[derive(Debug, Template)]
#[template(path = "own/me.html")]
pub(crate) struct MeView {
    pub(crate) page: Page,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) user_id: String,
    /// Their part in the workspace they work in.
    pub(crate) member: Option<Membership>,
    /// Whose time they track there, if they do.
    pub(crate) employee_id: Option<String>,
    pub(crate) errors: Errors,
}

/// Somebody's part in a workspace.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) first_day: String,
    pub(crate) working_days: Vec<String>,
    /// Hours a day, such as `7.5`.
    pub(crate) capacity: String,
    pub(crate) role: &'static str,
}

impl Membership {
    fn works(&self, day: &str) -> bool {
        self.working_days.iter().any(|one| one == day)
    }
}

/// The bell.
#[derive(Debug, Template)]
#[template(path = "own/notices.html")]
pub(crate) struct NoticesView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<NoticeRow>,
}

/// One notice.
#[derive(Debug)]
pub(crate) struct NoticeRow {
    pub(crate) text: String,
    pub(crate) ago: String,
    /// Not seen before.
    pub(crate) fresh: bool,
    /// The invitation it is about, while it waits.
    pub(crate) invitation: Option<String>,
    /// The page on which something can be done about it, and its name.
    pub(crate) leads_to: Option<(&'static str, &'static str)>,
}

/// A new workspace.
#[derive(Debug, Template)]
#[template(path = "own/workspace.html")]
pub(crate) struct WorkspaceView {
    pub(crate) page: Page,
    pub(crate) name: String,
    /// Whoever asks is in no workspace.
    pub(crate) nowhere: bool,
    pub(crate) errors: Errors,
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::auth::Role;
    use crate::console::layout::{Part, Viewer};

    impl MeView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |member, errors| Self {
                page: Page::sample("Your profile", Part::Own),
                first_name: "<script>alert(1)</script>".into(),
                last_name: "Doe".into(),
                email: "jo@acme.example".into(),
                user_id: "jdoe".into(),
                employee_id: Some("e1".into()),
                member,
                errors,
            };
            let member = Membership {
                first_day: "mon".into(),
                working_days: vec!["mon".into(), "tue".into()],
                capacity: "7.5".into(),
                role: "admin",
            };
            let mut errors = Errors::default();
            errors.add("first_name", "`first_name` must not be empty.");
            vec![
                ("member", view(Some(member), Errors::default())),
                ("refused", view(None, errors)),
            ]
        }
    }

    impl NoticesView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let row = |text: &str, fresh, invitation: Option<&str>| NoticeRow {
                text: text.into(),
                ago: "3\u{a0}m".into(),
                fresh,
                invitation: invitation.map(Into::into),
                leads_to: text
                    .starts_with("studio")
                    .then_some(("/devices", "Devices")),
            };
            let page = || Page::sample("Notices", Part::Own);
            let rows = vec![
                row("studio-7 of Jo Doe is new and waits.", true, None),
                row(
                    "<script>alert(1)</script> invites you into Studio of Bolt.",
                    true,
                    Some("m1"),
                ),
                row(
                    "Ann Lee owns Studio now: Kim Owner transferred it.",
                    false,
                    None,
                ),
            ];
            vec![
                ("full", Self { page: page(), rows }),
                (
                    "empty",
                    Self {
                        page: page(),
                        rows: vec![],
                    },
                ),
            ]
        }
    }

    impl WorkspaceView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |role, errors| Self {
                page: Page::new("New workspace", Part::Own, Viewer::sample(role)),
                name: String::new(),
                nowhere: role == Role::Nobody,
                errors,
            };
            let mut errors = Errors::default();
            errors.add("name", "Enter a name: one line of at most 200 characters.");
            vec![
                ("nowhere", view(Role::Nobody, Errors::default())),
                ("refused", view(Role::Admin, errors)),
            ]
        }
    }
}
