//! `GET /metrics`, for a monitoring system: by the token that the operator has set, or from this very machine.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use glasshour_protocol::code;
use subtle::ConstantTimeEq as _;

use super::openapi::ErrorBodySchema;
use crate::AppState;
use crate::auth::{Peer, bearer, hash_token};
use crate::error::ApiError;
use crate::metrics::Gauges;

/// How long mail that failed is counted.
const FAILED_MS: i64 = 7 * 24 * 3_600_000;

/// What a proxy adds: then whoever asks is not who connects.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Counts and times of requests, and how much mail waits, as Prometheus reads it. Nothing of a person is in it.
/// Asked for with the token of `--metrics-token-file`; where none is set, by this very machine without a proxy
/// in between.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, content_type = "text/plain", body = String),
        (status = 403, body = ErrorBodySchema)))]
pub(super) async fn metrics(
    State(state): State<AppState>,
    Peer(from): Peer,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let allowed = match &state.metrics_token {
        Some(token) => bearer(&headers).is_some_and(|given| {
            let given = hash_token(given);
            bool::from(given.as_bytes().ct_eq(hash_token(token).as_bytes()))
        }),
        None => from.is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name)),
    };
    if !allowed {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            code::FORBIDDEN,
            "Metrics are for this server's monitoring: send `Authorization: Bearer` with the token that \
             `--metrics-token-file` names, or ask from the server's own machine.",
        ));
    }
    let mut gauges = Gauges::default();
    let failed_since = state.clock.now_ms() - FAILED_MS;
    if let Ok(counts) = state.db.mail_counts(failed_since).await
        && let Ok(companies) = state.db.companies(u32::MAX).await
    {
        gauges = Gauges {
            mail_queued: counts.queued,
            mail_retried: counts.retried,
            mail_failed: counts.failed,
            companies: u64::try_from(companies.len()).unwrap_or(0),
            database_up: 1,
        };
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], state.metrics.text(gauges)))
}
