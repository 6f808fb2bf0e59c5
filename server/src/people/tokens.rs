//! API tokens: made by a person who acts for the company, shown once, each with what it may do and an end.

use serde::Deserialize;
use uuid::Uuid;

use super::{members, rules};
use crate::AppState;
use crate::auth::{Actor, Object, Secret, Verb};
use crate::error::ApiError;
use crate::store::{ApiToken, Scopes, TokenScope};

const DAY_MS: i64 = 24 * 3_600_000;
/// How long a token lives where nothing is said.
const DEFAULT_DAYS: i64 = 90;
/// How long a token lives at most.
const MOST_DAYS: i64 = 366;

/// What a new token is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenForm {
    /// What it is for: whoever it looks at is shown it.
    pub name: Option<String>,
    /// `read`, `captures`, `write`, `people`.
    pub scopes: Option<Vec<String>>,
    /// In how many days it ends: 1 to 366; absent: 90.
    pub expires_in_days: Option<i64>,
}

/// Makes a token; the secret is shown this once.
pub async fn create_token(
    state: &AppState,
    actor: &Actor,
    form: TokenForm,
) -> Result<(ApiToken, Secret), ApiError> {
    actor.may(Verb::Create, Object::ApiToken)?;
    // A script makes no token: it could give itself more than it has.
    let made_by = members::person(actor)?.name();
    let name = rules::name("name", &rules::required("name", form.name)?)?;
    let mut scopes = Vec::new();
    for word in rules::required("scopes", form.scopes)? {
        let scope: TokenScope = word.parse().map_err(|_| bad_scopes())?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err(bad_scopes());
    }
    let days = form.expires_in_days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let message = format!("`expires_in_days` must be from 1 to {MOST_DAYS}.");
        return Err(ApiError::invalid("expires_in_days", message));
    }
    let now_ms = state.clock.now_ms();
    let secret = Secret::api_token()?;
    let token = ApiToken {
        company_id: actor.company_id,
        token_id: Uuid::now_v7().to_string(),
        name,
        token_hash: secret.hash(),
        scopes: Scopes(scopes),
        made_by: Some(made_by),
        created_at: now_ms,
        expires_at: Some(now_ms + days * DAY_MS),
        last_used_at: None,
        revoked_at: None,
    };
    let mut write = state.write(actor.company_id).await?;
    write.insert_api_token(&token).await?;
    write.commit().await?;
    Ok((token, secret))
}

/// The company's tokens, the newest first.
pub async fn list_tokens(
    state: &AppState,
    actor: &Actor,
    before: Option<(i64, &str)>,
    limit: u32,
) -> Result<Vec<ApiToken>, ApiError> {
    actor.may(Verb::Read, Object::ApiToken)?;
    let mut read = state.read(actor.company_id).await?;
    Ok(read.api_tokens(before, limit).await?)
}

/// Revokes a token, from the next request on.
pub async fn revoke_token(state: &AppState, actor: &Actor, id: &str) -> Result<(), ApiError> {
    actor.may(Verb::Delete, Object::ApiToken)?;
    let mut write = state.write(actor.company_id).await?;
    if !write.revoke_api_token(id, state.clock.now_ms()).await? {
        return Err(ApiError::not_found("token"));
    }
    write.commit().await?;
    Ok(())
}

fn bad_scopes() -> ApiError {
    ApiError::invalid(
        "scopes",
        "`scopes` must name one or more of `read`, `captures`, `write` and `people`.",
    )
}
