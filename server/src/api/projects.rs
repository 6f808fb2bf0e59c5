//! Projects and departments, for scripts.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use glasshour_protocol::ProjectId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ProjectForm};
use crate::store::{Project, ProjectKind};

/// A project or department, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectView {
    #[schema(value_type = uuid::Uuid)]
    project_id: ProjectId,
    workspace_id: String,
    name: String,
    /// `#rrggbb`.
    color: String,
    kind: ProjectKind,
    is_default: bool,
    /// Over: not offered for new time.
    archived: bool,
    /// RFC 3339.
    created_at: String,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            project_id: project.project_id,
            workspace_id: project.workspace_id,
            name: project.name,
            color: project.color,
            kind: project.kind,
            is_default: project.is_default,
            archived: project.archived,
            created_at: wire::time(project.created_at),
        }
    }
}

/// Which projects.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProjectQuery {
    /// Of this workspace only.
    workspace_id: Option<String>,
    /// 1 to 1000; 1000 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// Lists projects and departments by name.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects", params(ProjectQuery),
    responses((status = 200, body = Page<ProjectView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ProjectQuery>,
) -> Result<Json<Page<ProjectView>>, ApiError> {
    actor.may(Verb::Read, Object::Project)?;
    let workspace = actor.scope(query.workspace_id.as_deref())?;
    let limit = wire::limit_or_most(query.limit)?;
    let after = wire::place(query.cursor.as_deref())?;
    let after = after
        .as_ref()
        .map(|(id, name)| (name.as_str(), id.as_str()));
    let mut read = state.read(actor.company_id).await?;
    let rows = read
        .projects_after(workspace.as_deref(), after, limit + 1)
        .await?;
    let cursor = |last: &Project| format!("{} {}", last.project_id, last.name);
    Ok(Json(Page::cut(rows, limit, cursor, ProjectView::from)))
}

/// Makes a project or department.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = ProjectForm,
    responses((status = 201, body = ProjectView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<ProjectForm>,
) -> Result<(StatusCode, Json<ProjectView>), ApiError> {
    let project = people::create_project(&state, &actor, form).await?;
    Ok((StatusCode::CREATED, Json(project.into())))
}

/// Shows one project or department.
#[utoipa::path(get, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = uuid::Uuid, Path)),
    responses((status = 200, body = ProjectView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<ProjectId>,
) -> Result<Json<ProjectView>, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let project = people::find_project(&mut read, &actor, Verb::Read, id).await?;
    Ok(Json(project.into()))
}

/// Changes a project or department; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = uuid::Uuid, Path)), request_body = ProjectForm,
    responses((status = 200, body = ProjectView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 409, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<ProjectId>,
    JsonBody(form): JsonBody<ProjectForm>,
) -> Result<Json<ProjectView>, ApiError> {
    Ok(Json(
        people::update_project(&state, &actor, id, form)
            .await?
            .into(),
    ))
}
