//! Members of workspaces, as values.

use askama::Template;

use crate::console::form::{Choice, Errors};
use crate::console::layout::{MARK, Page, State};
use crate::console::words;

/// The list.
#[derive(Debug, Template)]
#[template(path = "members/page.html")]
pub(crate) struct MembersView {
    pub(crate) page: Page,
    /// Empty, `inactive` or `all`.
    pub(crate) show: &'static str,
    /// Rows are of several workspaces.
    pub(crate) of_all: bool,
    pub(crate) can_invite: bool,
    pub(crate) rows: Vec<Row>,
    /// Address of the next page of the list.
    pub(crate) next: Option<String>,
    /// True on the second page and later.
    pub(crate) later_page: bool,
}

impl MembersView {
    /// The three lists there are, each with its address.
    const LISTS: [(&'static str, &'static str, &'static str); 3] = [
        ("", "Members", "/members"),
        ("inactive", "Show inactive", "/members?show=inactive"),
        ("all", "Show all", "/members?show=all"),
    ];
}

/// One member, with what the asker can do.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) member_id: String,
    pub(crate) name: String,
    /// Absent where the name says it already.
    pub(crate) email: Option<String>,
    pub(crate) workspace: String,
    pub(crate) role: &'static str,
    pub(crate) standing: Standing,
    /// As whom they track.
    pub(crate) employee: Option<(String, String)>,
    pub(crate) can: Can,
}

/// Where a member stands, in words.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) text: String,
    /// Switched off: the name is struck through (rule 60).
    pub(crate) inactive: bool,
}

/// What the asker can do with a member: what would be refused is not offered.
#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one entry of the row's menu"
)]
pub(crate) struct Can {
    pub(crate) edit: bool,
    pub(crate) change_role: bool,
    pub(crate) send: bool,
    /// An invitation was sent before.
    pub(crate) sent: bool,
    pub(crate) withdraw: bool,
    pub(crate) deactivate: bool,
    pub(crate) reactivate: bool,
    pub(crate) delete: bool,
    /// Give them the workspace.
    pub(crate) own: bool,
}

impl Can {
    fn anything(self) -> bool {
        self.edit || self.own
    }
}

/// What the form sends, as entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct MemberFields {
    /// Absent where it cannot be changed.
    pub(crate) role: Option<String>,
    pub(crate) first_day: String,
    pub(crate) capacity_h: String,
    /// Such as `80` or `80.50`; empty: none.
    pub(crate) rate: String,
    /// Empty: they do not track.
    pub(crate) employee_id: String,
    /// A name for a new group, empty: none.
    pub(crate) new_group: String,
    /// Ticked days and groups: fields of many names.
    #[serde(flatten)]
    pub(crate) ticked: std::collections::BTreeMap<String, String>,
}

impl MemberFields {
    pub(crate) fn is_ticked(&self, field: &str) -> bool {
        self.ticked.contains_key(field)
    }

    fn works(&self, day: &str) -> bool {
        self.is_ticked(day)
    }
}

/// One member.
#[derive(Debug, Template)]
#[template(path = "members/member.html")]
pub(crate) struct MemberView {
    pub(crate) page: Page,
    pub(crate) row: Row,
    pub(crate) form: MemberFields,
    pub(crate) errors: Errors,
    pub(crate) may_admin: bool,
    pub(crate) employees: Vec<Choice>,
    /// Groups of the workspace: `group_<id>` and name.
    pub(crate) groups: Vec<Choice>,
    pub(crate) has_photo: bool,
    /// The link of an invitation that waits, to be copied.
    pub(crate) link: Option<String>,
    pub(crate) leave: Vec<Leave>,
}

/// A day of leave.
#[derive(Clone, Debug)]
pub(crate) struct Leave {
    pub(crate) day: String,
    pub(crate) kind: &'static str,
}

impl MemberView {
    const SHOWN: [&'static str; 5] = [
        "role",
        "first_day",
        "daily_capacity_min",
        "hourly_rate_cents",
        "employee_id",
    ];
    const ROLES: [&'static str; 3] = ["employee", "manager", "admin"];
}

/// The form of an invitation, and what became of each address.
#[derive(Debug, Template)]
#[template(path = "members/invite.html")]
pub(crate) struct InviteView {
    pub(crate) page: Page,
    /// To choose from, where one works in no workspace in particular.
    pub(crate) workspaces: Vec<Choice>,
    pub(crate) workspace_id: String,
    pub(crate) emails: String,
    pub(crate) role: String,
    pub(crate) send: bool,
    pub(crate) may_admin: bool,
    pub(crate) mail_is_sent: bool,
    pub(crate) errors: Errors,
    pub(crate) results: Vec<ResultRow>,
}

/// What became of one address.
#[derive(Clone, Debug)]
pub(crate) struct ResultRow {
    pub(crate) email: String,
    /// Whether they are invited, or added, by this.
    pub(crate) good: bool,
    pub(crate) message: String,
    pub(crate) link: Option<String>,
}

impl InviteView {
    const SHOWN: [&'static str; 2] = ["emails", "role"];
}

#[cfg(test)]
mod samples {
    use super::*;
    use crate::console::layout::Part;

    fn row(id: &str, name: &str, role: &'static str, state: State, text: &str, can: Can) -> Row {
        Row {
            member_id: id.into(),
            name: name.into(),
            email: Some(format!("{id}@acme.example")),
            workspace: "Studio".into(),
            role,
            standing: Standing {
                state,
                text: text.into(),
                inactive: state == State::Paused,
            },
            employee: (id == "jo").then(|| ("1".into(), "Jo Doe".into())),
            can,
        }
    }

    fn rows() -> Vec<Row> {
        let all = Can {
            edit: true,
            change_role: true,
            ..Can::default()
        };
        let active = Can {
            deactivate: true,
            own: true,
            ..all
        };
        let invited = Can {
            send: true,
            sent: true,
            withdraw: true,
            ..all
        };
        let inactive = Can {
            reactivate: true,
            delete: true,
            ..all
        };
        let until = "invited 3\u{a0}d ago, link until 2026-12-21";
        vec![
            row(
                "kim",
                "Kim Owner",
                "Owner",
                State::Working,
                "active",
                Can::default(),
            ),
            row("jo", "Jo Doe", "Manager", State::Working, "active", active),
            row(
                "ann",
                "<script>alert(1)</script>",
                "Employee",
                State::Idle,
                until,
                invited,
            ),
            row(
                "sam",
                "Sam Roe",
                "Admin",
                State::Paused,
                "inactive",
                inactive,
            ),
        ]
    }

    impl MembersView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |rows, show, of_all| Self {
                page: Page::sample("Members", Part::Members),
                show,
                of_all,
                can_invite: true,
                rows,
                next: None,
                later_page: false,
            };
            vec![
                ("full", view(rows(), "all", true)),
                ("inactive", view(vec![], "inactive", false)),
            ]
        }
    }

    impl MemberView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |at: usize, link: Option<&str>, errors| {
                let row = rows().swap_remove(at);
                let form = MemberFields {
                    role: Some("employee".into()),
                    first_day: "mon".into(),
                    capacity_h: "8".into(),
                    rate: "80.50".into(),
                    ticked: [("mon".to_owned(), "yes".to_owned())].into(),
                    ..MemberFields::default()
                };
                Self {
                    page: Page::sample(&row.name, Part::Members),
                    row,
                    form,
                    errors,
                    may_admin: true,
                    employees: vec![Choice {
                        value: "1".into(),
                        label: "Jo Doe".into(),
                    }],
                    groups: vec![Choice {
                        value: "group_1".into(),
                        label: "Night shift".into(),
                    }],
                    has_photo: false,
                    link: link.map(Into::into),
                    leave: vec![Leave {
                        day: "2026-12-24".into(),
                        kind: "vacation",
                    }],
                }
            };
            let mut errors = Errors::default();
            errors.add("hourly_rate_cents", "Enter an amount, such as 80.50.");
            let link = Some("https://time.acme.example/join/abc");
            vec![
                ("active", view(1, None, errors)),
                ("invited", view(2, link, Errors::default())),
                ("inactive", view(3, None, Errors::default())),
                ("owner", view(0, None, Errors::default())),
            ]
        }
    }

    impl InviteView {
        pub(crate) fn samples() -> Vec<(&'static str, Self)> {
            let view = |results, errors| Self {
                page: Page::sample("Invite", Part::Members),
                workspaces: vec![Choice {
                    value: "w1".into(),
                    label: "Studio".into(),
                }],
                workspace_id: "w1".into(),
                emails: "jo@acme.example, <script>alert(1)</script>".into(),
                role: "employee".into(),
                send: true,
                may_admin: true,
                mail_is_sent: false,
                errors,
                results,
            };
            let mut errors = Errors::default();
            errors.add("emails", "E-mail is missing.");
            let results = vec![
                ResultRow {
                    email: "jo@acme.example".into(),
                    good: true,
                    message: "The invitation is made.".into(),
                    link: Some("https://time.acme.example/join/abc".into()),
                },
                ResultRow {
                    email: "<script>alert(1)</script>".into(),
                    good: false,
                    message: "This is not an e-mail address.".into(),
                    link: None,
                },
            ];
            vec![
                ("blank", view(vec![], errors)),
                ("results", view(results, Errors::default())),
            ]
        }
    }
}
