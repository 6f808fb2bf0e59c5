//! The employee form, as values: the fields on the left, on the right the notice that the license
//! will make.

use askama::Template;
use glasshour_license_format::WorkMode;
use glasshour_words::notice::Notice;
use serde::Deserialize;

use crate::console::form::{Choice, Errors, ticked};
use crate::console::layout::{Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "employee/page.html")]
pub(crate) struct EmployeeView {
    pub(crate) page: Page,
    /// Absent for a new employee.
    pub(crate) employee_id: Option<String>,
    pub(crate) form: EmployeeForm,
    pub(crate) errors: Errors,
    pub(crate) projects: Vec<Choice>,
    pub(crate) profiles: Vec<Choice>,
    pub(crate) notice: Notice,
    pub(crate) key: KeyView,
}

/// The key that signs the license: what an administrator or the employee compares.
#[derive(Clone, Debug)]
pub(crate) struct KeyView {
    pub(crate) fingerprint: String,
    /// The day on which it took the place of another; absent for the first key.
    pub(crate) changed: Option<String>,
}

/// What the form sends, as entered.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct EmployeeForm {
    /// `preview` where only the notice is to be shown.
    #[serde(default)]
    pub(crate) then: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) work_mode: String,
    #[serde(default)]
    pub(crate) project_id: String,
    #[serde(default)]
    pub(crate) new_project: String,
    /// `project` or `department`.
    #[serde(default)]
    pub(crate) new_project_kind: String,
    #[serde(default)]
    pub(crate) profile_id: String,
    #[serde(default, deserialize_with = "ticked")]
    pub(crate) active: bool,
}

impl EmployeeForm {
    /// The mode, where one was chosen.
    pub(crate) fn mode(&self) -> Option<WorkMode> {
        match self.work_mode.as_str() {
            "worklog" => Some(WorkMode::Worklog),
            "monitoring" => Some(WorkMode::Monitoring),
            _ => None,
        }
    }
}

impl EmployeeView {
    /// The fields that show their own errors.
    const SHOWN: [&'static str; 7] = [
        "name",
        "email",
        "work_mode",
        "project_id",
        "new_project",
        "profile_id",
        "active",
    ];

    fn action(&self) -> String {
        match &self.employee_id {
            Some(id) => format!("/employees/{id}/edit"),
            None => "/employees/new".to_owned(),
        }
    }
}

/// The notice alone, for the script that keeps it in step with the form.
#[derive(Debug, Template)]
#[template(path = "employee/notice.html")]
pub(crate) struct NoticeView {
    pub(crate) notice: Notice,
}

#[cfg(test)]
impl EmployeeView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;
        use glasshour_words::notice::NoticeInput;

        let profile: glasshour_license_format::Profile = serde_json::from_str(
            r#"{"name":"Standard","screenshots":{"per_hour":6,"random_moment":true,"skip_unchanged":true},
               "activity":{"input_counts":true,"applications":true},
               "exclude":{"applications":["KeePassXC"]},"employee_may_delete":true}"#,
        )
        .unwrap();
        let choice = |value: &str, label: &str| Choice {
            value: value.into(),
            label: label.into(),
        };
        let view = |title: &str, id: Option<&str>, form: EmployeeForm, errors| {
            let notice = NoticeInput {
                company: "Acme",
                employee: &form.name,
                work_mode: form.mode().unwrap_or(WorkMode::Worklog),
                profile: &profile,
                server_url: "https://time.acme.example",
                retention: None,
                privacy_contact: Some("dpo@acme.example"),
                extra: None,
                not_before: None,
                expires_at: None,
            }
            .notice(glasshour_words::Words::ENGLISH);
            Self {
                page: Page::sample(title, Part::Employees),
                employee_id: id.map(Into::into),
                form,
                errors,
                projects: vec![choice("1", "General"), choice("2", "Apollo")],
                profiles: vec![choice("s", "Standard"), choice("t", "Time only")],
                notice,
                key: KeyView {
                    fingerprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".into(),
                    changed: id.map(|_| "2026-11-25".into()),
                },
            }
        };
        let new = EmployeeForm {
            work_mode: "worklog".into(),
            project_id: "1".into(),
            profile_id: "s".into(),
            active: true,
            ..EmployeeForm::default()
        };
        let mut errors = Errors::default();
        errors.add("name", "Enter the name that reports will show.");
        errors.add(
            "email",
            "This is not an e-mail address. Correct it, or leave it empty.",
        );
        let refused = EmployeeForm {
            email: "jo@".into(),
            new_project: "Apollo 2".into(),
            ..new.clone()
        };
        let edit = EmployeeForm {
            name: "<script>alert(1)</script>".into(),
            work_mode: "monitoring".into(),
            ..new.clone()
        };
        vec![
            ("new", view("New employee", None, new, Errors::default())),
            ("refused", view("New employee", None, refused, errors)),
            (
                "edit",
                view("Edit Jo Doe", Some("1"), edit, Errors::default()),
            ),
        ]
    }
}
