//! Profiles, for scripts.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, ProfileForm};
use crate::store::Profile;

/// A profile, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub(super) struct ProfileView {
    profile_id: String,
    name: String,
    /// The members of a license's `profile` but for its name.
    #[schema(value_type = Object)]
    settings: Value,
    is_default: bool,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        let mut settings = serde_json::to_value(&profile.settings).unwrap_or_default();
        if let Some(members) = settings.as_object_mut() {
            members.remove("name");
        }
        Self {
            profile_id: profile.profile_id,
            name: profile.name,
            settings,
            is_default: profile.is_default,
            created_at: wire::time(profile.created_at),
            updated_at: wire::time(profile.updated_at),
        }
    }
}

/// Where in the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// 1 to 1000; 1000 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// Lists profiles by name.
#[utoipa::path(get, path = "/api/v1/profiles", tag = "profiles", params(PageQuery),
    responses((status = 200, body = Page<ProfileView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<PageQuery>,
) -> Result<Json<Page<ProfileView>>, ApiError> {
    actor.may(Verb::Read, Object::Profile)?;
    let limit = wire::limit_or_most(query.limit)?;
    let after = wire::place(query.cursor.as_deref())?;
    let after = after
        .as_ref()
        .map(|(id, name)| (name.as_str(), id.as_str()));
    let mut read = state.read(actor.company_id).await?;
    let rows = read.profiles_after(after, limit + 1).await?;
    let cursor = |last: &Profile| format!("{} {}", last.profile_id, last.name);
    Ok(Json(Page::cut(rows, limit, cursor, ProfileView::from)))
}

/// Makes a profile.
#[utoipa::path(post, path = "/api/v1/profiles", tag = "profiles", request_body = ProfileForm,
    responses((status = 201, body = ProfileView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<ProfileForm>,
) -> Result<(StatusCode, Json<ProfileView>), ApiError> {
    let profile = people::create_profile(&state, &actor, form).await?;
    Ok((StatusCode::CREATED, Json(profile.into())))
}

/// Shows one profile.
#[utoipa::path(get, path = "/api/v1/profiles/{profile_id}", tag = "profiles",
    params(("profile_id" = uuid::Uuid, Path)),
    responses((status = 200, body = ProfileView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<ProfileView>, ApiError> {
    actor.may(Verb::Read, Object::Profile)?;
    let profile = state.read(actor.company_id).await?.profile(&id).await?;
    Ok(Json(
        profile
            .ok_or_else(|| ApiError::not_found("profile"))?
            .into(),
    ))
}

/// Changes a profile; every active employee on it gets the next license.
#[utoipa::path(patch, path = "/api/v1/profiles/{profile_id}", tag = "profiles",
    params(("profile_id" = uuid::Uuid, Path)), request_body = ProfileForm,
    responses((status = 200, body = ProfileView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 409, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<ProfileForm>,
) -> Result<Json<ProfileView>, ApiError> {
    Ok(Json(
        people::update_profile(&state, &actor, &id, form)
            .await?
            .into(),
    ))
}
