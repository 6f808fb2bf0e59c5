//! The company's users, for scripts and the console's forms.

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
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, UserForm};
use crate::store::{User, UserFilter, UserStatus};

/// A user, as the API shows them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    /// What the address names them by.
    id: String,
    /// The User ID of the form.
    user_id: String,
    first_name: String,
    last_name: String,
    email: String,
    /// True: they have an account of their own and were invited.
    external: bool,
    status: UserStatus,
    /// `OK`, or what to do.
    validation_result: String,
    /// Whether they act for the company as a whole: `owner`, `admin` or `none`.
    company_role: &'static str,
    /// The link by which they choose a password, to be copied: where one waits and this server sends no
    /// mail. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl UserView {
    fn of(actor: &Actor, user: User) -> Self {
        let external = user.company_id != actor.company_id;
        Self {
            id: user.user_id,
            user_id: user.login,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            external,
            status: user.status,
            validation_result: user.validation_result,
            company_role: if external { "none" } else { user.role.as_str() },
            link: None,
            created_at: wire::time(user.created_at),
            updated_at: wire::time(user.updated_at),
        }
    }

    async fn with_link(state: &AppState, actor: &Actor, user: User) -> Result<Self, ApiError> {
        let mut read = state.read(actor.company_id).await?;
        let link = if user.company_id == actor.company_id {
            people::link_to_copy(state, &mut read, &user.user_id).await?
        } else {
            None
        };
        Ok(Self {
            link,
            ..Self::of(actor, user)
        })
    }
}

/// Lists the company's users by e-mail address: its own, and external ones who take part in one of its
/// workspaces.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(ListQuery),
    responses((status = 200, body = Page<UserView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<UserView>>, ApiError> {
    actor.may(Verb::Read, Object::User)?;
    let limit = wire::limit(query.limit)?;
    let filter = UserFilter {
        after: query.cursor.as_deref().map(wire::cursor).transpose()?,
        limit: limit + 1,
    };
    let rows = state
        .read(actor.company_id)
        .await?
        .listed_users(&filter)
        .await?;
    let cursor = |last: &User| last.email.clone();
    Ok(Json(Page::cut(rows, limit, cursor, |user| {
        UserView::of(&actor, user)
    })))
}

/// Makes an internal user; with status `active` their account too, where a seat is free.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = UserForm,
    responses((status = 201, body = UserView, description = "`validation_result` says whether all is well"),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<UserForm>,
) -> Result<(StatusCode, Json<UserView>), ApiError> {
    let user = people::create_user(&state, &actor, form).await?;
    let view = UserView::with_link(&state, &actor, user).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Shows one user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = UserView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<UserView>, ApiError> {
    actor.may(Verb::Read, Object::User)?;
    let user = state.read(actor.company_id).await?.listed_user(&id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    Ok(Json(UserView::with_link(&state, &actor, user).await?))
}

/// Changes an internal user; what is absent stays. Status `active` takes a seat, `inactive` frees it.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = uuid::Uuid, Path)), request_body = UserForm,
    responses((status = 200, body = UserView), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`external_user` or `forbidden`", body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`no_seat` or `conflict`", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<UserForm>,
) -> Result<Json<UserView>, ApiError> {
    let user = people::update_user(&state, &actor, &id, form).await?;
    Ok(Json(UserView::with_link(&state, &actor, user).await?))
}

/// Deletes an internal user who is inactive. What they tracked is kept.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "`external_user` or `forbidden`", body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`user_active` or `owns_workspace`", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::delete_user(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a new user the link to choose a password once more; the one before is worth nothing from then on.
#[utoipa::path(post, path = "/api/v1/users/{id}/welcome", tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = UserView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "not active, or has logged in already", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn welcome(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<UserView>, ApiError> {
    let user = people::send_welcome(&state, &actor, &id).await?;
    Ok(Json(UserView::with_link(&state, &actor, user).await?))
}
