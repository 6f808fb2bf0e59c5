//! What handlers take as arguments to be called only by whom they serve.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use glasshour_protocol::CompanyId;

use super::web;
use crate::AppState;
use crate::error::ApiError;
use crate::store::User;

/// The person logged in by cookie. Take `Option<CurrentUser>` to send others to the log-in page.
#[derive(Clone, Debug)]
pub struct CurrentUser {
    /// Who.
    pub user: User,
    /// The session's token hash.
    pub session: String,
    /// The company and workspace that were chosen in it.
    pub at: Option<(CompanyId, String)>,
}

impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        web::find_user(state, &parts.headers)
            .await?
            .ok_or_else(|| ApiError::unauthenticated("Log in first."))
    }
}

impl OptionalFromRequestParts<AppState> for CurrentUser {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Option<Self>, ApiError> {
        web::find_user(state, &parts.headers).await
    }
}

/// The address the request came from; unspecified where the router runs without a network.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(
            address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip()),
        ))
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
