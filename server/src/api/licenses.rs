//! Licenses on their way to many people: by mail, or in one zip.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::EmployeeId;
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people::{self, LicenseSent, SelectionForm};

/// What became of each license.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicensesSent)]
pub(super) struct Results {
    /// By name.
    results: Vec<ResultView>,
}

/// What became of one employee's license.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicenseSent)]
pub(super) struct ResultView {
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    name: String,
    /// `queued`, `no_email` or `no_license`.
    result: &'static str,
    /// For a person.
    message: String,
}

impl From<LicenseSent> for ResultView {
    fn from(one: LicenseSent) -> Self {
        Self {
            employee_id: one.employee_id,
            name: one.name,
            result: one.result,
            message: one.message,
        }
    }
}

/// Sends an employee their license as an attachment of a mail, with instructions. It is queued: `GET
/// /api/v1/mail` says what became of it.
#[utoipa::path(post, path = "/api/v1/employees/{employee_id}/license/send", tag = "employees",
    params(("employee_id" = uuid::Uuid, Path)),
    responses((status = 202, description = "on its way", body = ResultView),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`mail_off`: this server sends no mail; `employee_inactive`",
            body = ErrorBodySchema),
        (status = 422, description = "`no_email`: the employee has no address", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn send(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> Result<(StatusCode, Json<ResultView>), ApiError> {
    let employee = people::send_license(&state, &actor, id).await?;
    let sent = ResultView {
        employee_id: employee.employee_id,
        name: employee.name,
        result: "queued",
        message: "On its way.".to_owned(),
    };
    Ok((StatusCode::ACCEPTED, Json(sent)))
}

/// Sends many employees their licenses: all who fit everything that the body says. Each has a result of
/// their own.
#[utoipa::path(post, path = "/api/v1/licenses/send", tag = "employees", request_body = SelectionForm,
    responses((status = 202, body = Results), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema),
        (status = 404, description = "no such workspace or group", body = ErrorBodySchema),
        (status = 409, description = "`mail_off`: this server sends no mail", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn send_many(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<SelectionForm>,
) -> Result<(StatusCode, Json<Results>), ApiError> {
    let results = people::send_licenses(&state, &actor, form).await?;
    let results = results.into_iter().map(Into::into).collect();
    Ok((StatusCode::ACCEPTED, Json(Results { results })))
}

/// The current licenses of many active employees in one zip: a folder for each, in it one file named after the
/// user of the computer, as `/etc/glasshour/license.d/` wants it, and `licenses.csv`, which says whose is which.
#[utoipa::path(get, path = "/api/v1/licenses.zip", tag = "employees", params(SelectionForm),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, description = "no such workspace or group", body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn bundle(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(form): QueryOf<SelectionForm>,
) -> Result<Response, ApiError> {
    let zip = people::bundle_licenses(&state, &actor, form).await?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"licenses.zip\""),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, zip).into_response())
}
