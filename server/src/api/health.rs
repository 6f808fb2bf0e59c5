//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::ErrorBodySchema;
use crate::AppState;
use crate::error::ApiError;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`.
    status: &'static str,
    /// The server's version.
    version: &'static str,
}

const OK: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(OK)
}

/// The database and the object store answer too.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses((status = 200, body = Health), (status = 503, body = ErrorBodySchema)))]
pub(super) async fn ready(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    let not_ready = |source: ApiError| ApiError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        ..ApiError::busy().with_source(source)
    };
    state
        .db
        .ping()
        .await
        .map_err(|error| not_ready(error.into()))?;
    state
        .objects
        .ping()
        .await
        .map_err(|error| not_ready(error.into()))?;
    Ok(Json(OK))
}
