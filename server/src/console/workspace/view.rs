//! One workspace, as values.

use askama::Template;

use crate::console::form::Errors;
use crate::console::layout::Page;

/// The page.
#[derive(Debug, Template)]
#[template(path = "workspace/page.html")]
pub(crate) struct WorkspaceSettingsView {
    pub(crate) page: Page,
    pub(crate) workspace_id: String,
    pub(crate) name: String,
    /// Whose it is: who runs it, and the company.
    pub(crate) owner: String,
    pub(crate) company: String,
    /// Whether the asker may delete it.
    pub(crate) can_delete: bool,
    pub(crate) errors: Errors,
}

#[cfg(test)]
impl WorkspaceSettingsView {
    pub(crate) fn samples() -> Vec<(&'static str, Self)> {
        use crate::console::layout::Part;

        let view = |can_delete, errors| Self {
            page: Page::sample("Studio", Part::Own),
            workspace_id: "w1".into(),
            name: "<script>alert(1)</script>".into(),
            owner: "Kim Owner".into(),
            company: "Acme".into(),
            can_delete,
            errors,
        };
        let mut errors = Errors::default();
        errors.add("name", "Name must not be empty.");
        vec![
            ("owner", view(true, Errors::default())),
            ("admin", view(false, errors)),
        ]
    }
}
