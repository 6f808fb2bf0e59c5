//! Projects and departments, as values: the list with a form below it, and the form of one.

use askama::Template;
use serde::Deserialize;

use crate::console::form::Errors;
use crate::console::layout::{Page, State};

/// The list, with the form for a new one.
#[derive(Debug, Template)]
#[template(path = "projects/page.html")]
pub(crate) struct ProjectsView {
    pub(crate) page: Page,
    pub(crate) rows: Vec<Row>,
    pub(crate) form: ProjectForm,
    pub(crate) errors: Errors,
}

/// The form of one.
#[derive(Debug, Template)]
#[template(path = "projects/edit.html")]
pub(crate) struct ProjectView {
    pub(crate) page: Page,
    pub(crate) project_id: String,
    pub(crate) form: ProjectForm,
    pub(crate) errors: Errors,
}

/// One project or department.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) project_id: String,
    pub(crate) name: String,
    /// `#rrggbb`.
    pub(crate) color: String,
    /// `Project` or `Department`.
    pub(crate) kind: &'static str,
    pub(crate) is_default: bool,
    pub(crate) archived: bool,
}

/// What the form sends, as entered.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProjectForm {
    pub(crate) name: String,
    pub(crate) color: String,
    /// `project` or `department`.
    pub(crate) kind: String,
    #[serde(deserialize_with = "crate::console::form::ticked")]
    pub(crate) archived: bool,
}

#[cfg(test)]
impl ProjectsView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let row = |id: &str, name: &str, color: &str, kind, is_default| Row {
            project_id: id.into(),
            name: name.into(),
            color: color.into(),
            kind,
            is_default,
            archived: id == "3",
        };
        let page = || Page::sample("Projects", Part::Projects);
        let form = ProjectForm {
            color: "#0072b2".into(),
            ..ProjectForm::default()
        };
        let mut errors = Errors::default();
        errors.add(
            "name",
            "A project of that name exists already. Choose another name.",
        );
        let full = Self {
            page: page(),
            rows: vec![
                row("1", "General", "#009e73", "Project", true),
                row("2", "Apollo", "#0072b2", "Project", false),
                row(
                    "3",
                    "<script>alert(1)</script>",
                    "#d55e00",
                    "Department",
                    false,
                ),
            ],
            form: ProjectForm {
                name: "Apollo".into(),
                ..form.clone()
            },
            errors,
        };
        let empty = Self {
            page: page(),
            rows: vec![],
            form,
            errors: Errors::default(),
        };
        vec![("refused", full), ("empty", empty)]
    }
}

#[cfg(test)]
impl ProjectView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let form = ProjectForm {
            name: "<script>alert(1)</script>".into(),
            color: "#d55e00".into(),
            kind: "department".into(),
            archived: true,
        };
        let page = Page::sample("Edit Support", Part::Projects);
        vec![(
            "edit",
            Self {
                page,
                project_id: "3".into(),
                form,
                errors: Errors::default(),
            },
        )]
    }
}
