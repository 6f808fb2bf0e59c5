//! Who a request acts for: the company whose rows it works on, and what it may do there.
//!
//! The company always follows from who asks: an API token and a device belong to one, a person logged
//! in to the console has a home. No request names a company by itself.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use glasshour_protocol::CompanyId;
use subtle::ConstantTimeEq as _;

use super::extract::{CurrentUser, bearer};
use super::token::{API_TOKEN_PREFIX, hash_token};
use super::web;
use crate::AppState;
use crate::error::ApiError;
use crate::store::User;

/// Who asks, and for which company.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Whose rows the request works on.
    pub company_id: CompanyId,
    /// A script or a person.
    pub who: Who,
}

/// A script or a person.
#[derive(Clone, Debug)]
pub enum Who {
    /// An API token (`Authorization: Bearer gh_…`): acts as the company's owner.
    Token {
        /// What it was named when it was made.
        name: String,
    },
    /// A person logged in by cookie.
    User(User),
}

impl Actor {
    /// Finds out who sent a request: `None` for a stranger.
    async fn find(parts: &Parts, state: &AppState) -> Result<Option<Self>, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(Some(known.clone()));
        }
        if let Some(token) = bearer(&parts.headers) {
            return of_token(state, token).await;
        }
        let user = web::find_user(state, &parts.headers).await?;
        Ok(user.map(Self::from))
    }
}

impl From<CurrentUser> for Actor {
    fn from(CurrentUser { company_id, user }: CurrentUser) -> Self {
        Self {
            company_id,
            who: Who::User(user),
        }
    }
}

async fn of_token(state: &AppState, token: &str) -> Result<Option<Actor>, ApiError> {
    if !token.starts_with(API_TOKEN_PREFIX) {
        return Ok(None);
    }
    let hash = hash_token(token);
    let found = state.db.find_api_token(&hash).await?;
    let known =
        found.filter(|known| bool::from(known.token_hash.as_bytes().ct_eq(hash.as_bytes())));
    Ok(known.map(|known| Actor {
        company_id: known.company_id,
        who: Who::Token { name: known.name },
    }))
}

impl FromRequestParts<AppState> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Self::find(parts, state).await?.ok_or_else(|| {
            ApiError::unauthenticated(
                "Send `Authorization: Bearer` with an API token of this server (gh_…), or log in.",
            )
        })
    }
}

impl OptionalFromRequestParts<AppState> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Option<Self>, ApiError> {
        Self::find(parts, state).await
    }
}
