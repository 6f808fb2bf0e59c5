//! Bodies, paths and queries whose faults are answered with our error body.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use glasshour_protocol::code;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::unreadable;

/// A JSON body.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(body) = Json::from_request(request, state)
            .await
            .map_err(|rejection: JsonRejection| rejected(&rejection))?;
        Ok(Self(body))
    }
}

/// A body of any kind.
#[derive(Debug)]
pub(super) struct RawBody(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            status => {
                tracing::debug!(%status, "a body broke off");
                ApiError::new(status, code::INVALID, "The body did not arrive whole.")
            }
        })?;
        Ok(Self(body))
    }
}

/// Ids in the path: one that cannot be read names nothing.
#[derive(Debug)]
pub(super) struct PathId<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::from_request_parts(parts, state)
            .await
            .map_err(|_: PathRejection| ApiError::not_found("thing"))?;
        Ok(Self(id))
    }
}

/// The query string.
#[derive(Debug)]
pub(super) struct QueryOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(query) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection: QueryRejection| unreadable::refused(&told(&rejection), "query"))?;
        Ok(Self(query))
    }
}

fn rejected(rejection: &JsonRejection) -> ApiError {
    let status = rejection.status();
    match rejection {
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        JsonRejection::JsonDataError(error) => unreadable::refused(&told(error), "body"),
        _ => unreadable::not_json(status),
    }
}

pub(super) fn too_large() -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        code::TOO_LARGE,
        "The request is larger than the server takes.",
    )
}

/// What the parser said, without what the framework says around it.
fn told(rejection: &dyn std::error::Error) -> String {
    let parser = rejection.source();
    parser.map_or_else(|| rejection.to_string(), ToString::to_string)
}
