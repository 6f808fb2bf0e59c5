//! Projects and departments: the list, a new one, a change of one.

mod view;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};
use glasshour_protocol::ProjectId;

pub(super) use view::{ProjectForm, ProjectView, ProjectsView, Row};

use super::employees::MANY;
use super::form::{Errors, Said};
use super::gate::{FormOf, PageResult, PathId, page, refused};
use super::layout::{Page, Part, Viewer};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people;
use crate::store::{Project, ProjectKind};

/// Colours for new projects, told apart by people who see few colours (Okabe and Ito, 2008; the
/// yellow left out, which is too light for a line).
const PALETTE: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00",
];

/// The list, with the form for a new one.
pub(super) async fn list(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<Said>,
) -> PageResult {
    let said = match query.said.as_str() {
        "made" => Some("It is made, and can be tracked on."),
        "saved" => Some("It is saved."),
        _ => None,
    };
    let mut view = view(
        &state,
        &actor,
        viewer,
        ProjectForm::default(),
        Errors::default(),
    )
    .await?;
    view.page.said = said.map(str::to_owned);
    page(&view)
}

/// Makes a project or department.
pub(super) async fn create(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    FormOf(form): FormOf<ProjectForm>,
) -> PageResult {
    match people::create_project(&state, &actor, filled(&form)).await {
        Ok(_) => Ok(Redirect::to("/projects?said=made").into_response()),
        Err(error) => {
            let errors = errors(error)?;
            refused(&view(&state, &actor, viewer, form, errors).await?)
        }
    }
}

/// The form of one.
pub(super) async fn edit(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<ProjectId>,
) -> PageResult {
    let mut read = state.read(actor.company_id).await?;
    let project = people::find_project(&mut read, &actor, Verb::Change, id).await?;
    drop(read);
    let form = ProjectForm {
        name: project.name.clone(),
        color: project.color.clone(),
        kind: project.kind.as_str().into(),
        archived: project.archived,
    };
    page(&edit_view(viewer, &project, form, Errors::default()))
}

/// Changes one.
pub(super) async fn update(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<ProjectId>,
    FormOf(form): FormOf<ProjectForm>,
) -> PageResult {
    match people::update_project(&state, &actor, id, filled(&form)).await {
        Ok(_) => Ok(Redirect::to("/projects?said=saved").into_response()),
        Err(error) if matches!(error.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) => {
            Err(error.into())
        }
        Err(error) => {
            let errors = errors(error)?;
            let mut read = state.read(actor.company_id).await?;
            let project = people::find_project(&mut read, &actor, Verb::Change, id).await?;
            drop(read);
            refused(&edit_view(viewer, &project, form, errors))
        }
    }
}

fn filled(form: &ProjectForm) -> people::ProjectForm {
    people::ProjectForm {
        name: Some(form.name.clone()),
        color: Some(form.color.clone()).filter(|color| !color.is_empty()),
        kind: Some(form.kind.clone()).filter(|kind| !kind.is_empty()),
        archived: Some(form.archived),
        workspace_id: None,
    }
}

/// What a refusal says at its field; a fault of ours stays one.
fn errors(error: ApiError) -> Result<Errors, ApiError> {
    let mut errors = Errors::default();
    match error.field.as_deref() {
        _ if error.status.is_server_error() => return Err(error),
        Some("archived") => errors.add("archived", error.message),
        Some("color") => errors.add("color", "Choose a colour."),
        _ if error.status == StatusCode::CONFLICT => {
            errors.add(
                "name",
                "One of that name exists already. Choose another name.",
            );
        }
        _ => errors.add("name", "Enter a name: one line of at most 200 characters."),
    }
    Ok(errors)
}

async fn view(
    state: &AppState,
    actor: &Actor,
    viewer: Viewer,
    mut form: ProjectForm,
    errors: Errors,
) -> PageResult<ProjectsView> {
    actor.may(Verb::Read, Object::Project)?;
    let scope = actor.scope(None)?;
    let mut read = state.read(actor.company_id).await?;
    let projects = read.projects(scope.as_deref(), MANY).await?;
    if form.color.is_empty() {
        fresh_color(&projects).clone_into(&mut form.color);
    }
    let rows = projects
        .into_iter()
        .map(|project| Row {
            project_id: project.project_id.to_string(),
            name: project.name,
            color: project.color,
            kind: match project.kind {
                ProjectKind::Project => "Project",
                ProjectKind::Department => "Department",
            },
            is_default: project.is_default,
            archived: project.archived,
        })
        .collect();
    Ok(ProjectsView {
        page: Page::new("Projects", Part::Projects, viewer),
        rows,
        form,
        errors,
    })
}

/// A colour of the palette that fewest projects have.
fn fresh_color(projects: &[Project]) -> &'static str {
    let used = |color: &str| {
        projects
            .iter()
            .filter(|project| project.color == color)
            .count()
    };
    PALETTE
        .into_iter()
        .min_by_key(|color| used(color))
        .unwrap_or("#0072b2")
}

fn edit_view(viewer: Viewer, project: &Project, form: ProjectForm, errors: Errors) -> ProjectView {
    ProjectView {
        page: Page::new(format!("Edit {}", project.name), Part::Projects, viewer),
        project_id: project.project_id.to_string(),
        form,
        errors,
    }
}
