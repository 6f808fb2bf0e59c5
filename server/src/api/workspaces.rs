//! Workspaces and groups.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Role, Verb};
use crate::error::ApiError;
use crate::people::{self, Filled, GroupForm, TransferForm, WorkspaceForm};
use crate::store::{Group, Workspace};

/// A workspace, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Workspace)]
pub(super) struct WorkspaceView {
    workspace_id: String,
    name: String,
    /// RFC 3339.
    created_at: String,
}

impl From<Workspace> for WorkspaceView {
    fn from(workspace: Workspace) -> Self {
        Self {
            workspace_id: workspace.workspace_id,
            name: workspace.name,
            created_at: wire::time(workspace.created_at),
        }
    }
}

/// Lists workspaces, the oldest first: all of the company for its own account, else the chosen one.
#[utoipa::path(get, path = "/api/v1/workspaces", tag = "workspaces", params(ListQuery),
    responses((status = 200, body = Page<WorkspaceView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<WorkspaceView>>, ApiError> {
    actor.may(Verb::Read, Object::Workspace)?;
    let limit = wire::limit(query.limit)?;
    let mut read = state.read(actor.company_id).await?;
    if actor.role != Role::Company {
        let own = match &actor.workspace_id {
            Some(id) => read.workspace(id).await?,
            None => None,
        };
        let items = own.into_iter().map(Into::into).collect();
        return Ok(Json(Page { items, next: None }));
    }
    let place = wire::place(query.cursor.as_deref())?;
    let after = match &place {
        None => None,
        Some((at, id)) => Some((wire::part(at)?, id.as_str())),
    };
    let rows = read.workspaces(after, limit + 1).await?;
    let cursor = |last: &Workspace| format!("{} {}", last.created_at, last.workspace_id);
    Ok(Json(Page::cut(rows, limit, cursor, WorkspaceView::from)))
}

/// Makes a workspace. It belongs to the home company of whoever makes it, who is its owner.
#[utoipa::path(post, path = "/api/v1/workspaces", tag = "workspaces", request_body = WorkspaceForm,
    responses((status = 201, body = WorkspaceView), (status = 401, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<WorkspaceForm>,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let made = people::create_workspace(&state, &actor, form).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Shows one workspace.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace_id}", tag = "workspaces",
    params(("workspace_id" = uuid::Uuid, Path)),
    responses((status = 200, body = WorkspaceView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<WorkspaceView>, ApiError> {
    Ok(Json(
        people::read_workspace(&state, &actor, &id).await?.into(),
    ))
}

/// Renames a workspace. Its company stays the same.
#[utoipa::path(patch, path = "/api/v1/workspaces/{workspace_id}", tag = "workspaces",
    params(("workspace_id" = uuid::Uuid, Path)), request_body = WorkspaceForm,
    responses((status = 200, body = WorkspaceView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<WorkspaceForm>,
) -> Result<Json<WorkspaceView>, ApiError> {
    let changed = people::update_workspace(&state, &actor, &id, form).await?;
    Ok(Json(changed.into()))
}

/// Deletes a workspace: nobody sees it any more and nothing is tracked in it; what was tracked is kept.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace_id}", tag = "workspaces",
    params(("workspace_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "the company's last one", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::delete_workspace(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a workspace to another of its members; the owner before becomes an admin.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace_id}/transfer", tag = "workspaces",
    params(("workspace_id" = uuid::Uuid, Path)), request_body = TransferForm,
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`confirm_first`: send it again with `confirm`", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn transfer(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<TransferForm>,
) -> Result<StatusCode, ApiError> {
    people::transfer_workspace(&state, &actor, &id, form).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A group, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupView {
    group_id: String,
    workspace_id: String,
    name: String,
    /// Ids of its members; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    /// RFC 3339.
    created_at: String,
}

impl From<Group> for GroupView {
    fn from(group: Group) -> Self {
        Self {
            group_id: group.group_id,
            workspace_id: group.workspace_id,
            name: group.name,
            members: None,
            created_at: wire::time(group.created_at),
        }
    }
}

impl From<Filled> for GroupView {
    fn from((group, members): Filled) -> Self {
        Self {
            members: Some(members),
            ..group.into()
        }
    }
}

/// Lists groups by name.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", params(ListQuery),
    responses((status = 200, body = Page<GroupView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn groups(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<GroupView>>, ApiError> {
    actor.may(Verb::Read, Object::Group)?;
    let limit = wire::limit(query.limit)?;
    let scope = actor.scope(query.workspace_id.as_deref())?;
    let place = wire::place(query.cursor.as_deref())?;
    let after = place
        .as_ref()
        .map(|(id, name)| (name.as_str(), id.as_str()));
    let mut read = state.read(actor.company_id).await?;
    let rows = read.groups(scope.as_deref(), after, limit + 1).await?;
    let cursor = |last: &Group| format!("{} {}", last.group_id, last.name);
    Ok(Json(Page::cut(rows, limit, cursor, GroupView::from)))
}

/// Makes a group.
#[utoipa::path(post, path = "/api/v1/groups", tag = "groups", request_body = GroupForm,
    responses((status = 201, body = GroupView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create_group(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<GroupForm>,
) -> Result<(StatusCode, Json<GroupView>), ApiError> {
    let made = people::create_group(&state, &actor, form).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Shows one group with its members.
#[utoipa::path(get, path = "/api/v1/groups/{group_id}", tag = "groups",
    params(("group_id" = uuid::Uuid, Path)),
    responses((status = 200, body = GroupView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read_group(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<GroupView>, ApiError> {
    Ok(Json(people::read_group(&state, &actor, &id).await?.into()))
}

/// Renames a group or assigns other members; what is absent stays.
#[utoipa::path(patch, path = "/api/v1/groups/{group_id}", tag = "groups",
    params(("group_id" = uuid::Uuid, Path)), request_body = GroupForm,
    responses((status = 200, body = GroupView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update_group(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<GroupForm>,
) -> Result<Json<GroupView>, ApiError> {
    let changed = people::update_group(&state, &actor, &id, form).await?;
    Ok(Json(changed.into()))
}

/// Removes a group; its members stay where they are.
#[utoipa::path(delete, path = "/api/v1/groups/{group_id}", tag = "groups",
    params(("group_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn delete_group(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::delete_group(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
