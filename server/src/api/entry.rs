//! Coming in: one-time links and signing up. Open to strangers: the link is the proof.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{JsonBody, PathId};
use super::openapi::ErrorBodySchema;
use crate::AppState;
use crate::auth::{Actor, Peer};
use crate::error::ApiError;
use crate::people::{self, Door, Entered, EntryForm};
use crate::store::LinkPurpose;

/// What a link leads to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Link)]
pub(super) struct LinkView {
    purpose: LinkPurpose,
    /// Whom it was sent to.
    email: String,
    /// True: log in with that address first.
    has_account: bool,
    company: Option<String>,
    workspace: Option<String>,
}

impl From<Door> for LinkView {
    fn from(door: Door) -> Self {
        Self {
            purpose: door.purpose,
            email: door.email,
            has_account: door.has_account,
            company: door.company,
            workspace: door.workspace,
        }
    }
}

/// Looks at a one-time link without using it.
#[utoipa::path(get, path = "/api/v1/links/{token}", tag = "entry",
    params(("token" = String, Path)),
    responses((status = 200, body = LinkView),
        (status = 404, description = "`link_unknown`: used, replaced or never made", body = ErrorBodySchema),
        (status = 410, description = "`link_expired`", body = ErrorBodySchema)))]
pub(super) async fn look(
    State(state): State<AppState>,
    PathId(token): PathId<String>,
) -> Result<Json<LinkView>, ApiError> {
    Ok(Json(people::look(&state, &token).await?.into()))
}

/// Uses a one-time link. Somebody new gives a name and a password and is logged in (204 with a cookie);
/// somebody with an account must be logged in with it, and joins.
#[utoipa::path(post, path = "/api/v1/links/{token}", tag = "entry",
    params(("token" = String, Path)), request_body = EntryForm,
    responses((status = 204),
        (status = 401, description = "log in with the address first", body = ErrorBodySchema),
        (status = 403, description = "logged in with another address", body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 410, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)))]
pub(super) async fn enter(
    actor: Option<Actor>,
    State(state): State<AppState>,
    PathId(token): PathId<String>,
    headers: HeaderMap,
    JsonBody(form): JsonBody<EntryForm>,
) -> Result<Response, ApiError> {
    let entered = people::enter(&state, actor.as_ref(), &token, form, &headers).await?;
    Ok(match entered {
        Entered::LoggedIn(logged_in) => (
            StatusCode::NO_CONTENT,
            [(header::SET_COOKIE, logged_in.set_cookie)],
        )
            .into_response(),
        Entered::Joined(_) | Entered::PasswordSet => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Whoever wants an account.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUpForm {
    email: Option<String>,
}

/// Asks for an account. A link goes to the address if it may have one; the answer is the same whether it
/// may, and whether it has one already.
#[utoipa::path(post, path = "/api/v1/sign-up", tag = "entry", request_body = SignUpForm,
    responses((status = 202, description = "if the address may have an account, a link is on its way"),
        (status = 403, description = "`sign_up_closed`", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema), (status = 429, body = ErrorBodySchema)))]
pub(super) async fn sign_up(
    State(state): State<AppState>,
    Peer(from): Peer,
    JsonBody(form): JsonBody<SignUpForm>,
) -> Result<StatusCode, ApiError> {
    people::sign_up(&state, form.email.as_deref().unwrap_or_default(), from).await?;
    Ok(StatusCode::ACCEPTED)
}
