//! One workspace's own page: its name, whose it is, and the way to delete it (rules 25 and 51).

mod view;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;

pub(super) use view::WorkspaceSettingsView;

use super::confirm::ConfirmView;
use super::form::{Errors, Said, plainly};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use crate::AppState;
use crate::auth::{Actor, Object, Verb, allows};
use crate::people::{self, WorkspaceForm};

/// The page.
pub(super) async fn show(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    Query(query): Query<Said>,
) -> PageResult {
    let mut view = view(&state, &actor, viewer, &id).await?;
    view.page.said = (query.said == "saved").then(|| "It is saved.".to_owned());
    page(&view)
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    name: String,
}

/// Renames the workspace.
pub(super) async fn save(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    FormOf(form): FormOf<Fields>,
) -> PageResult {
    let filled = WorkspaceForm {
        name: Some(form.name.clone()),
        company_id: None,
    };
    match people::update_workspace(&state, &actor, &id, filled).await {
        Ok(_) => Ok(Redirect::to(&format!("/workspaces/{id}?said=saved")).into_response()),
        Err(error) if error.field.is_some() => {
            let mut view = view(&state, &actor, viewer, &id).await?;
            view.name = form.name;
            view.errors.add("name", plainly(&error));
            refused(&view)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks before deleting.
pub(super) async fn ask_delete(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    actor.may_in(Verb::Delete, Object::Workspace, &id, "workspace")?;
    let name = people::read_workspace(&state, &actor, &id).await?.name;
    page(&ConfirmView {
        page: Page::new(format!("Delete {name}?"), Part::Own, viewer),
        back: (format!("/workspaces/{id}"), name.clone()),
        text: vec![
            "Nobody sees the workspace any more, and whoever is tracked in it is stopped at once."
                .into(),
            "What was tracked is kept.".into(),
        ],
        action: format!("/workspaces/{id}/delete"),
        button: format!("Delete {name}"),
        tick: None,
        problem: None,
    })
}

/// Deletes the workspace.
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::delete_workspace(&state, &actor, &id).await?;
    Ok(Redirect::to("/").into_response())
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    id: &str,
) -> PageResult<WorkspaceSettingsView> {
    actor.may_in(Verb::Change, Object::Workspace, id, "workspace")?;
    let workspace = people::read_workspace(state, actor, id).await?;
    let mut read = state.read(actor.company_id).await?;
    let owner = read.workspace_owner(id).await?;
    Ok(WorkspaceSettingsView {
        company: viewer.company.clone(),
        page: Page::new(workspace.name.clone(), Part::Own, viewer),
        workspace_id: id.to_owned(),
        name: workspace.name,
        owner: owner.map_or_else(String::new, |owner| owner.name),
        can_delete: allows(actor.role, Verb::Delete, Object::Workspace),
        errors: Errors::default(),
    })
}
