//! The company's users, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::{MARK, Page, State};
use crate::store::{User, UserStatus, VALIDATION_OK};

/// The list.
#[derive(Debug, Template)]
#[template(path = "users/page.html")]
pub(crate) struct UsersView {
    pub(crate) page: Page,
    pub(crate) seats: Seats,
    /// What was refused just now.
    pub(crate) problem: Option<String>,
    pub(crate) rows: Vec<Row>,
    /// Address of the next page of the list.
    pub(crate) next: Option<String>,
    /// True on the second page and later.
    pub(crate) later_page: bool,
}

/// What is used of the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seats {
    pub(crate) used: u64,
    /// `None`: any number.
    pub(crate) of: Option<u64>,
}

impl Seats {
    /// `3 of 5 seats in use.`
    pub(crate) fn words(self) -> String {
        match (self.of, self.used) {
            (Some(of), used) => format!("{used} of {of} seats in use."),
            (None, 1) => "1 active user. The number of seats is not limited.".into(),
            (None, used) => format!("{used} active users. The number of seats is not limited."),
        }
    }

    pub(crate) fn none_free(self) -> bool {
        self.of.is_some_and(|of| self.used >= of)
    }
}

/// One user, with what can be done.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one entry of the row's menu"
)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) user_id: String,
    pub(crate) external: bool,
    /// `owner`, `admin`, or empty: what they are to the company.
    pub(crate) company_role: &'static str,
    pub(crate) status: UserStatus,
    pub(crate) validation_result: String,
    pub(crate) can_activate: bool,
    pub(crate) can_deactivate: bool,
    pub(crate) can_delete: bool,
    /// Has not chosen a password yet.
    pub(crate) waits: bool,
}

impl Row {
    /// A user as the company that asks sees them.
    pub(crate) fn of(user: &User, external: bool) -> Self {
        let is_owner = user.role == crate::store::CompanyRole::Owner;
        Self {
            id: user.user_id.clone(),
            name: user.name(),
            email: user.email.clone(),
            user_id: user.login.clone(),
            external,
            company_role: match user.role.as_str() {
                "none" => "",
                _ if external => "",
                role => role,
            },
            status: user.status,
            validation_result: user.validation_result.clone(),
            can_activate: !external && user.status != UserStatus::Active,
            can_deactivate: !external && user.status == UserStatus::Active && !is_owner,
            can_delete: !external && user.status == UserStatus::Inactive,
            waits: !external && user.is_active() && user.password_hash.is_none(),
        }
    }

    pub(crate) fn state(&self) -> State {
        match self.status {
            UserStatus::Active if self.waits => State::Idle,
            UserStatus::Active => State::Working,
            UserStatus::NotYetActive => State::Off,
            UserStatus::Inactive => State::Paused,
        }
    }

    pub(crate) fn standing(&self) -> &'static str {
        match self.status {
            UserStatus::Active if self.waits => "active, not logged in yet",
            UserStatus::Active => "active",
            UserStatus::NotYetActive => "not yet active",
            UserStatus::Inactive => "inactive",
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        if self.external {
            "External"
        } else {
            "Internal"
        }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.validation_result == VALIDATION_OK
    }
}

/// The form, as entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct UserFields {
    pub(crate) user_id: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    /// Make the account at once; for a new user only.
    #[serde(deserialize_with = "crate::console::form::ticked")]
    pub(crate) active: bool,
}

/// One user: a new one, an internal one to change, an external one to look at.
#[derive(Debug, Template)]
#[template(path = "users/user.html")]
pub(crate) struct UserView {
    pub(crate) page: Page,
    /// Absent for a new user.
    pub(crate) row: Option<Row>,
    pub(crate) seats: Seats,
    pub(crate) form: UserFields,
    pub(crate) errors: Errors,
    /// The link by which they choose a password, to be copied.
    pub(crate) link: Option<String>,
    /// Whether this server sends mail by itself.
    pub(crate) mail_is_sent: bool,
    pub(crate) rights: Vec<Right>,
}

/// A user's part in one of the company's workspaces.
#[derive(Clone, Debug)]
pub(crate) struct Right {
    pub(crate) member_id: String,
    pub(crate) workspace: String,
    pub(crate) role: &'static str,
    pub(crate) inactive: bool,
}

impl UserView {
    const SHOWN: [&'static str; 4] = ["user_id", "first_name", "last_name", "email"];

    fn action(&self) -> String {
        match &self.row {
            Some(row) => format!("/users/{}", row.id),
            None => "/users/new".into(),
        }
    }

    /// External users are not edited here (rule 41).
    fn is_edited(&self) -> bool {
        self.row.as_ref().is_none_or(|row| !row.external)
    }

    /// The User ID is fixed once the account exists (rule 40).
    fn has_account(&self) -> bool {
        let made = |row: &Row| row.status != UserStatus::NotYetActive;
        self.row.as_ref().is_some_and(made)
    }
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::console::layout::Part;

    fn row(id: &str, name: &str, status: UserStatus, external: bool) -> Row {
        Row {
            id: id.into(),
            name: name.into(),
            email: format!("{id}@acme.example"),
            user_id: id.into(),
            external,
            company_role: "",
            status,
            validation_result: VALIDATION_OK.into(),
            can_activate: !external && status != UserStatus::Active,
            can_deactivate: !external && status == UserStatus::Active,
            can_delete: status == UserStatus::Inactive,
            waits: false,
        }
    }

    impl UsersView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |rows, problem: Option<&str>, of| Self {
                page: Page::sample("Users", Part::Users),
                seats: Seats { used: 2, of },
                problem: problem.map(Into::into),
                rows,
                next: None,
                later_page: false,
            };
            let no_seat = "No seat is free. Add seats under Plan, or deactivate a user.";
            let rows = vec![
                Row {
                    company_role: "owner",
                    can_deactivate: false,
                    ..row("kim", "Kim Owner", UserStatus::Active, false)
                },
                Row {
                    waits: true,
                    ..row("jo", "Jo Doe", UserStatus::Active, false)
                },
                Row {
                    validation_result: no_seat.into(),
                    ..row("ann", "Ann Lee", UserStatus::NotYetActive, false)
                },
                row("sam", "Sam Roe", UserStatus::Inactive, false),
                row("x", "<script>alert(1)</script>", UserStatus::Active, true),
            ];
            vec![
                ("full", view(rows, Some(no_seat), Some(2))),
                ("empty", view(vec![], None, None)),
            ]
        }
    }

    impl UserView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |title: &str, row: Option<Row>, link: Option<&str>, errors| Self {
                page: Page::sample(title, Part::Users),
                form: UserFields {
                    first_name: "<script>alert(1)</script>".into(),
                    user_id: "jo".into(),
                    ..UserFields::default()
                },
                row,
                seats: Seats {
                    used: 2,
                    of: Some(2),
                },
                errors,
                link: link.map(Into::into),
                mail_is_sent: false,
                rights: vec![Right {
                    member_id: "m1".into(),
                    workspace: "Studio".into(),
                    role: "Manager",
                    inactive: true,
                }],
            };
            let mut errors = Errors::default();
            errors.add(
                "email",
                "That e-mail address has an account on this server.",
            );
            let waits = Row {
                waits: true,
                ..row("jo", "Jo Doe", UserStatus::Active, false)
            };
            let link = Some("https://time.acme.example/join/abc");
            let external = row("x", "Ann Lee", UserStatus::Active, true);
            let inactive = row("sam", "Sam Roe", UserStatus::Inactive, false);
            vec![
                ("new", view("New user", None, None, errors)),
                (
                    "waits",
                    view("Jo Doe", Some(waits), link, Errors::default()),
                ),
                (
                    "external",
                    view("Ann Lee", Some(external), None, Errors::default()),
                ),
                (
                    "inactive",
                    view("Sam Roe", Some(inactive), None, Errors::default()),
                ),
            ]
        }
    }
}
