//! The HTTP API: JSON for scripts (API token) and agents (device token).
//!
//! Every route is described in [`openapi`]; a test holds the document to the router. Bodies are
//! capped, requests time out, a panic becomes a 500, and no log line names a person.

mod audit;
mod company;
mod device;
mod devices;
mod employees;
mod entry;
mod export;
mod extract;
mod health;
mod idempotency;
mod import;
mod ingest;
mod invitations;
mod licenses;
mod mail;
mod me;
mod members;
mod metrics;
mod openapi;
mod openapi_shared;
mod permit;
mod profiles;
mod projects;
mod records;
mod reports;
mod rights;
mod security;
mod sessions;
mod users;
mod wire;
mod workspaces;

pub use ingest::{Committer, Pace};
pub use openapi::document;
pub(crate) use records::payload_response;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use glasshour_protocol::code;
use glasshour_protocol::limits::MAX_PAYLOAD_BYTES;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::AppState;
use crate::auth;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::people::{MAX_PHOTO_BYTES, MAX_SHEET_BYTES};

/// Largest JSON request: an enrolment with its license.
const MAX_JSON_BYTES: usize = 256 * 1024;

/// How long a request may take. A payload of the largest size gets through at 300 kB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// No script but our own files, no frame, no form that leads elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; \
    script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    connect-src 'self'";

/// The API's routes.
pub fn router(state: AppState) -> Router {
    let records = Router::new()
        .route("/api/v1/records/{record_id}", put(ingest::put_record))
        .layer(DefaultBodyLimit::max(MAX_PAYLOAD_BYTES));
    let import = post(import::import).layer(DefaultBodyLimit::max(MAX_SHEET_BYTES));
    Router::new()
        .route("/api/v1/employees/import", import)
        .route(
            "/api/v1/employees",
            get(employees::list).post(employees::create),
        )
        .route(
            "/api/v1/employees/{employee_id}",
            get(employees::read).patch(employees::update),
        )
        .route(
            "/api/v1/employees/{employee_id}/license.gz",
            get(employees::license),
        )
        .route(
            "/api/v1/profiles",
            get(profiles::list).post(profiles::create),
        )
        .route(
            "/api/v1/profiles/{profile_id}",
            get(profiles::read).patch(profiles::update),
        )
        .route(
            "/api/v1/projects",
            get(projects::list).post(projects::create),
        )
        .route(
            "/api/v1/projects/{project_id}",
            get(projects::read).patch(projects::update),
        )
        .route("/api/v1/devices", get(devices::list).post(device::enroll))
        .route("/api/v1/devices/{device_id}/revoke", post(devices::revoke))
        .route(
            "/api/v1/devices/{device_id}/approve",
            post(devices::approve),
        )
        .route("/api/v1/device", get(device::state))
        .route("/api/v1/device/day-link", post(device::day_link))
        .route("/api/v1/license", get(device::license))
        .route("/api/v1/records/{record_id}/accept", post(records::accept))
        .route("/api/v1/records", get(records::list))
        .route("/api/v1/records/{record_id}/payload", get(records::payload))
        .route("/api/v1/export", get(export::export))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/openapi.json", get(openapi::serve))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .merge(people())
        .layer(DefaultBodyLimit::max(MAX_JSON_BYTES))
        .layer(middleware::from_fn_with_state(
            state.clone(),
            idempotency::keep,
        ))
        .merge(records)
        .with_state(state)
}

/// The routes about people, workspaces and the company.
fn people() -> Router<AppState> {
    let photo = put(members::set_photo)
        .get(members::photo)
        .layer(DefaultBodyLimit::max(MAX_PHOTO_BYTES));
    Router::new()
        .route("/api/v1/users", get(users::list).post(users::create))
        .route(
            "/api/v1/users/{id}",
            get(users::read).patch(users::update).delete(users::delete),
        )
        .route(
            "/api/v1/employees/{employee_id}/license/send",
            post(licenses::send),
        )
        .route("/api/v1/licenses/send", post(licenses::send_many))
        .route("/api/v1/licenses.zip", get(licenses::bundle))
        .route("/api/v1/mail", get(mail::list))
        .route("/api/v1/mail/{mail_id}/send", post(mail::send))
        .route("/api/v1/users/{id}/welcome", post(users::welcome))
        .route("/api/v1/members", get(members::list).post(members::create))
        .route(
            "/api/v1/members/{member_id}",
            get(members::read)
                .patch(members::update)
                .delete(members::delete),
        )
        .route("/api/v1/members/{member_id}/photo", photo)
        .route(
            "/api/v1/members/{member_id}/leave",
            get(members::leave).post(members::set_leave),
        )
        .route(
            "/api/v1/invitations",
            get(invitations::list).post(invitations::create),
        )
        .route(
            "/api/v1/invitations/{invitation_id}",
            get(invitations::read)
                .patch(invitations::update)
                .delete(invitations::delete),
        )
        .route(
            "/api/v1/workspaces",
            get(workspaces::list).post(workspaces::create),
        )
        .route(
            "/api/v1/workspaces/{workspace_id}",
            get(workspaces::read)
                .patch(workspaces::update)
                .delete(workspaces::delete),
        )
        .route(
            "/api/v1/workspaces/{workspace_id}/transfer",
            post(workspaces::transfer),
        )
        .route(
            "/api/v1/groups",
            get(workspaces::groups).post(workspaces::create_group),
        )
        .route(
            "/api/v1/groups/{group_id}",
            get(workspaces::read_group)
                .patch(workspaces::update_group)
                .delete(workspaces::delete_group),
        )
        .route("/api/v1/company", get(company::read).patch(company::update))
        .route(
            "/api/v1/company/plan",
            get(company::plan).patch(company::update_plan),
        )
        .route("/api/v1/me", get(me::read).patch(me::update))
        .route("/api/v1/me/workspace", post(me::choose))
        .route(
            "/api/v1/me/invitations/{invitation_id}/accept",
            post(me::accept),
        )
        .route(
            "/api/v1/me/invitations/{invitation_id}/decline",
            post(me::decline),
        )
        .merge(rights())
        .route("/api/v1/me/views", get(audit::own_views))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/me/notices", get(me::notices))
        .route("/api/v1/me/notices/{notice_id}/read", post(me::read_notice))
        .route("/api/v1/links/{token}", get(entry::look).post(entry::enter))
        .route("/api/v1/sign-up", post(entry::sign_up))
        .route("/api/v1/reports/timesheet", get(reports::timesheet))
}

/// What people ask for themselves, and what keeps their accounts safe.
fn rights() -> Router<AppState> {
    Router::new()
        .route(
            "/api/v1/employees/{employee_id}/erase",
            post(rights::erase_employee),
        )
        .route("/api/v1/users/{id}/erase", post(rights::erase_user))
        .route("/api/v1/purge-receipts", get(rights::receipts))
        .route(
            "/api/v1/me/captures/{record_id}/deletion",
            get(rights::consequence).post(rights::delete_capture),
        )
        .route("/api/v1/me/password", post(security::change_password))
        .route(
            "/api/v1/me/log-out-everywhere",
            post(security::log_out_everywhere),
        )
        .route("/api/v1/me/second-factor", post(security::begin_factor))
        .route(
            "/api/v1/me/second-factor/remove",
            post(security::remove_factor),
        )
        .route(
            "/api/v1/me/second-factor/confirm",
            post(security::confirm_factor),
        )
        .route(
            "/api/v1/users/{id}/second-factor",
            delete(security::remove_factor_of),
        )
        .route(
            "/api/v1/users/{id}/password-reset",
            post(security::reset_password_of),
        )
        .route("/api/v1/password-reset", post(security::forgot_password))
        .route(
            "/api/v1/tokens",
            get(security::tokens).post(security::create_token),
        )
        .route("/api/v1/tokens/{token_id}", delete(security::revoke_token))
}

/// What holds for every route, the console's as well.
pub(crate) fn layers(router: Router, state: AppState) -> Router {
    let proxies = Arc::clone(&state.trusted_proxies);
    let metrics = Arc::clone(&state.metrics);
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    router
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn(auth::require_same_origin))
        .layer(middleware::from_fn_with_state(state, auth::limit_address))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(middleware::from_fn(json_errors))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(fixed(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::REFERRER_POLICY, "same-origin"))
        .layer(middleware::from_fn_with_state(metrics, log))
        .layer(middleware::from_fn_with_state(
            proxies,
            auth::behind_proxies,
        ))
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        code::INVALID,
        "This address does not take that method.",
    )
}

/// Under `/api`, turns what the framework or the console answers (404, timeouts) into our error body.
async fn json_errors(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let ours = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !api || ours {
        return response;
    }
    match response.status() {
        StatusCode::NOT_FOUND => ApiError::not_found("address").into_response(),
        StatusCode::SERVICE_UNAVAILABLE => ApiError::busy().into_response(),
        _ => response,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that CatchPanicLayer calls"
)]
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    ApiError::internal(format!("a handler panicked: {what}")).into_response()
}

/// One line a request: route, status, time; and the same counted. The route is the pattern, so no id is logged;
/// nor is a query, an address or a name.
async fn log(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<axum::extract::MatchedPath>()
        .map_or_else(|| "-".to_owned(), |route| route.as_str().to_owned());
    let begun = tokio::time::Instant::now();
    let response = next.run(request).await;
    let elapsed = begun.elapsed();
    metrics.count(method.as_str(), &route, response.status().as_u16(), elapsed);
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%method, route, status = response.status().as_u16(), elapsed_ms, "request");
    response
}
