//! Projects and departments (rule 5).

use glasshour_protocol::ProjectId;
use serde::Deserialize;
use uuid::Uuid;

use super::rules;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Project, ProjectKind, Read, StoreError};

/// The colour of a project that names none: the console's accent.
pub const DEFAULT_COLOR: &str = "#0f766e";

/// The project form: `name` is required for a new one; for a change, what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectForm {
    /// Unique within the workspace.
    pub name: Option<String>,
    /// `#rrggbb`; absent: the accent colour.
    pub color: Option<String>,
    /// `project` (where absent) or `department`.
    #[schema(value_type = Option<ProjectKind>)]
    pub kind: Option<String>,
    /// Over: no longer offered for new time. Not the default one. Absent: as it is.
    pub archived: Option<bool>,
    /// Where; for a new one only. Absent: the chosen workspace, or the company's first.
    pub workspace_id: Option<String>,
}

/// Makes a project or department.
pub async fn create_project(
    state: &AppState,
    actor: &Actor,
    form: ProjectForm,
) -> Result<Project, ApiError> {
    actor.may(Verb::Create, Object::Project)?;
    let name = rules::name("name", &rules::required("name", form.name)?)?;
    let color = rules::color(form.color.as_deref().unwrap_or(DEFAULT_COLOR))?;
    let kind = kind(form.kind.as_deref().unwrap_or("project"))?;
    let mut write = state.write(actor.company_id).await?;
    let workspace_id = actor
        .workspace(&mut write, form.workspace_id.as_deref())
        .await?;
    let project = Project {
        project_id: ProjectId(Uuid::now_v7()),
        workspace_id,
        name,
        color,
        kind,
        is_default: false,
        archived: form.archived.unwrap_or(false),
        created_at: state.clock.now_ms(),
    };
    write.insert_project(&project).await.map_err(name_taken)?;
    write.commit().await?;
    Ok(project)
}

/// Changes a project. Licenses name projects by id, so none is issued.
pub async fn update_project(
    state: &AppState,
    actor: &Actor,
    id: ProjectId,
    form: ProjectForm,
) -> Result<Project, ApiError> {
    let mut write = state.write(actor.company_id).await?;
    let mut project = find_project(&mut write, actor, Verb::Change, id).await?;
    if form
        .workspace_id
        .is_some_and(|other| other != project.workspace_id)
    {
        let message = "A project stays in its workspace.";
        return Err(ApiError::invalid("workspace_id", message));
    }
    if let Some(name) = form.name {
        project.name = rules::name("name", &name)?;
    }
    if let Some(color) = form.color {
        project.color = rules::color(&color)?;
    }
    if let Some(text) = form.kind {
        project.kind = kind(&text)?;
    }
    if let Some(archived) = form.archived {
        if archived && project.is_default {
            let message = "The default project cannot be archived: time that names no other is tracked on it.";
            return Err(ApiError::conflict(Some("archived"), message));
        }
        project.archived = archived;
    }
    write.update_project(&project).await.map_err(name_taken)?;
    write.commit().await?;
    Ok(project)
}

/// A project, for somebody who may do that with it.
pub(crate) async fn find_project(
    read: &mut Read,
    actor: &Actor,
    verb: Verb,
    id: ProjectId,
) -> Result<Project, ApiError> {
    actor.may(verb, Object::Project)?;
    let project = read.project(id).await?;
    let project = project.ok_or_else(|| ApiError::not_found("project"))?;
    actor.may_in(verb, Object::Project, &project.workspace_id, "project")?;
    Ok(project)
}

fn kind(text: &str) -> Result<ProjectKind, ApiError> {
    text.parse()
        .map_err(|error| ApiError::invalid("kind", format!("`kind` {error}.")))
}

fn name_taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Taken { .. } => ApiError::conflict(
            Some("name"),
            "A project or department of that name exists already.",
        ),
        other => other.into(),
    }
}
