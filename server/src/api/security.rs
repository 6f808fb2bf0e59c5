//! Passwords, log-ins, second factors and API tokens.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, NewFactor, Peer};
use crate::error::ApiError;
use crate::people::{self, PasswordForm, TokenForm};
use crate::store::{ApiToken, TokenScope};

/// Sets another password. Every other log-in of the person ends; this one goes on by a new cookie.
#[utoipa::path(post, path = "/api/v1/me/password", tag = "me", request_body = PasswordForm,
    responses((status = 204, description = "with a new cookie"), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema),
        (status = 429, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn change_password(
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
    JsonBody(form): JsonBody<PasswordForm>,
) -> Result<Response, ApiError> {
    let done = people::change_password(&state, &actor, form, from, &headers).await?;
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, done.set_cookie)],
    )
        .into_response())
}

/// Ends every log-in of the person, this one too.
#[utoipa::path(post, path = "/api/v1/me/log-out-everywhere", tag = "me",
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn log_out_everywhere(
    actor: Actor,
    State(state): State<AppState>,
) -> Result<StatusCode, ApiError> {
    people::log_out_everywhere(&state, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The password, asked again for what matters.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordAgain {
    password: Option<String>,
}

/// A code of an authenticator app.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeForm {
    code: Option<String>,
}

/// A secret for an authenticator app, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewSecondFactor)]
pub(super) struct FactorView {
    /// Base32: SHA-1, six digits, thirty seconds.
    secret: String,
    /// The same as an `otpauth` address.
    uri: String,
}

impl From<NewFactor> for FactorView {
    fn from(factor: NewFactor) -> Self {
        Self {
            secret: factor.secret,
            uri: factor.uri,
        }
    }
}

/// Recovery codes, shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodes {
    /// Each is worth one log-in without the app.
    recovery_codes: Vec<String>,
}

/// Begins a second factor: it counts once a code of it was confirmed.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "me", request_body = PasswordAgain,
    responses((status = 200, body = FactorView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 409, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema), (status = 429, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn begin_factor(
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    JsonBody(form): JsonBody<PasswordAgain>,
) -> Result<Json<FactorView>, ApiError> {
    let factor = people::begin_second_factor(&state, &actor, form.password, from).await?;
    Ok(Json(factor.into()))
}

/// Confirms it by the first code of the app.
#[utoipa::path(post, path = "/api/v1/me/second-factor/confirm", tag = "me", request_body = CodeForm,
    responses((status = 200, body = RecoveryCodes), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 409, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn confirm_factor(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<CodeForm>,
) -> Result<Json<RecoveryCodes>, ApiError> {
    let recovery_codes = people::confirm_second_factor(&state, &actor, form.code).await?;
    Ok(Json(RecoveryCodes { recovery_codes }))
}

/// Removes the person's own second factor.
#[utoipa::path(post, path = "/api/v1/me/second-factor/remove", tag = "me", request_body = PasswordAgain,
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema),
        (status = 429, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn remove_factor(
    actor: Actor,
    State(state): State<AppState>,
    Peer(from): Peer,
    JsonBody(form): JsonBody<PasswordAgain>,
) -> Result<StatusCode, ApiError> {
    people::remove_second_factor(&state, &actor, form.password, from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the second factor of a user who has lost it.
#[utoipa::path(delete, path = "/api/v1/users/{id}/second-factor", tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn remove_factor_of(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::remove_second_factor_of(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A link that sets a password anew.
#[derive(Serialize, ToSchema)]
pub(super) struct ResetLink {
    /// To be copied and handed over; `null` where this server mails it.
    link: Option<String>,
}

/// Sends a user of the company the link that sets a password anew. It lives an hour.
#[utoipa::path(post, path = "/api/v1/users/{id}/password-reset", tag = "users",
    params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ResetLink), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn reset_password_of(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<ResetLink>, ApiError> {
    let link = people::reset_password_of(&state, &actor, &id).await?;
    Ok(Json(ResetLink { link }))
}

/// Whoever has forgotten the password.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForgottenForm {
    email: Option<String>,
}

/// Asks for a link that sets a password anew. The answer is the same whether the address has an account.
#[utoipa::path(post, path = "/api/v1/password-reset", tag = "entry", request_body = ForgottenForm,
    responses((status = 202, description = "if the address has an account, a link is on its way"),
        (status = 422, body = ErrorBodySchema), (status = 429, body = ErrorBodySchema)))]
pub(super) async fn forgot_password(
    State(state): State<AppState>,
    Peer(from): Peer,
    JsonBody(form): JsonBody<ForgottenForm>,
) -> Result<StatusCode, ApiError> {
    people::forgot_password(&state, form.email.as_deref().unwrap_or_default(), from).await?;
    Ok(StatusCode::ACCEPTED)
}

/// An API token, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiToken)]
pub(super) struct TokenView {
    token_id: String,
    name: String,
    scopes: Vec<TokenScope>,
    /// Who made it; `null`: the command line.
    made_by: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339; `null`: never.
    expires_at: Option<String>,
    /// RFC 3339, exact to a minute; `null`: not used yet.
    last_used_at: Option<String>,
    /// RFC 3339; `null`: not revoked.
    revoked_at: Option<String>,
    /// The secret, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            token_id: token.token_id,
            name: token.name,
            scopes: token.scopes.0,
            made_by: token.made_by,
            created_at: wire::time(token.created_at),
            expires_at: token.expires_at.map(wire::time),
            last_used_at: token.last_used_at.map(wire::time),
            revoked_at: token.revoked_at.map(wire::time),
            token: None,
        }
    }
}

/// Lists the company's API tokens, revoked and expired ones too, the newest first.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(ListQuery),
    responses((status = 200, body = Page<TokenView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn tokens(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<TokenView>>, ApiError> {
    let limit = wire::limit(query.limit)?;
    let place = wire::place(query.cursor.as_deref())?;
    let before = match &place {
        None => None,
        Some((at, id)) => Some((wire::part(at)?, id.as_str())),
    };
    let rows = people::list_tokens(&state, &actor, before, limit + 1).await?;
    let cursor = |last: &ApiToken| format!("{} {}", last.created_at, last.token_id);
    Ok(Json(Page::cut(rows, limit, cursor, TokenView::from)))
}

/// Makes an API token. A person does that, no script: it could give itself more than it has.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = TokenForm,
    responses((status = 201, body = TokenView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn create_token(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<TokenForm>,
) -> Result<(StatusCode, Json<TokenView>), ApiError> {
    let (token, secret) = people::create_token(&state, &actor, form).await?;
    let view = TokenView {
        token: Some(secret.expose().to_owned()),
        ..token.into()
    };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Revokes an API token, from the next request on.
#[utoipa::path(delete, path = "/api/v1/tokens/{token_id}", tag = "tokens",
    params(("token_id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn revoke_token(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::revoke_token(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
