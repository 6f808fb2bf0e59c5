//! The list of employees, as values.

use askama::Template;

use crate::auth::{Object, Verb};
use crate::console::layout::{MARK, Page, State};

/// The page.
#[derive(Debug, Template)]
#[template(path = "employees/page.html")]
pub(crate) struct EmployeesView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<Row>,
    /// Address of the next page of the list.
    pub(crate) next: Option<String>,
    /// True on the second page and later.
    pub(crate) later_page: bool,
}

/// One employee.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) employee_id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    /// `Worklog` or `Monitoring`.
    pub(crate) mode: &'static str,
    pub(crate) project: String,
    /// `#rrggbb`.
    pub(crate) color: String,
    pub(crate) profile: String,
    pub(crate) active: bool,
    /// Serial of the last license; 0: none yet.
    pub(crate) serial: u64,
}

#[cfg(test)]
impl EmployeesView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::auth::Role;
        use crate::console::layout::{Part, Viewer};

        let row = |id: &str, name: &str, mode, project: &str, color: &str, active, serial| Row {
            employee_id: id.into(),
            name: name.into(),
            email: (serial > 2).then(|| "jo@acme.example".into()),
            mode,
            project: project.into(),
            color: color.into(),
            profile: "Standard".into(),
            active,
            serial,
        };
        let page = || Page::sample("Employees", Part::Employees);
        let view = |page, rows| Self {
            page,
            rows,
            next: None,
            later_page: false,
        };
        let full = view(
            page().said(Some("Jo Doe is saved, and license 7 is ready.")),
            vec![
                row("1", "Jo Doe", "Worklog", "Apollo", "#0072b2", true, 7),
                row("2", "Ann Lee", "Monitoring", "Support", "#d55e00", true, 1),
                row("3", "Sam Roe", "Worklog", "General", "#009e73", false, 3),
                row(
                    "4",
                    "<script>alert(1)</script>",
                    "Worklog",
                    "General",
                    "#009e73",
                    false,
                    0,
                ),
            ],
        );
        let by_manager = Self {
            page: Page::new("Employees", Part::Employees, Viewer::sample(Role::Manager)),
            ..view(
                page(),
                vec![row("1", "Jo Doe", "Worklog", "Apollo", "#0072b2", true, 7)],
            )
        };
        vec![
            ("full", full),
            ("empty", view(page(), vec![])),
            ("by-manager", by_manager),
        ]
    }
}
