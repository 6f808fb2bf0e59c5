//! Employees and their licenses, for scripts.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::EmployeeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, EmployeeForm, reach};
use crate::store::{Employee, EmployeeFilter};

/// An employee, as the API shows them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Employee)]
pub(super) struct EmployeeView {
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    workspace_id: String,
    name: String,
    email: Option<String>,
    /// `worklog` or `monitoring`.
    work_mode: &'static str,
    #[schema(value_type = uuid::Uuid)]
    project_id: glasshour_protocol::ProjectId,
    profile_id: String,
    active: bool,
    /// Serial of the current license; `null` where there was none yet.
    serial: Option<u64>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Employee> for EmployeeView {
    fn from(employee: Employee) -> Self {
        Self {
            employee_id: employee.employee_id,
            workspace_id: employee.workspace_id,
            name: employee.name,
            email: employee.email,
            work_mode: employee.work_mode.as_str(),
            project_id: employee.project_id,
            profile_id: employee.profile_id,
            active: employee.active,
            serial: (employee.serial > 0).then_some(employee.serial),
            created_at: wire::time(employee.created_at),
            updated_at: wire::time(employee.updated_at),
        }
    }
}

/// Where in a list, and how much of it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// 1 to 1000; 100 where absent.
    pub(super) limit: Option<u32>,
    /// The `next` of the answer before.
    pub(super) cursor: Option<String>,
    /// Of this workspace only.
    pub(super) workspace_id: Option<String>,
}

/// Lists employees by name.
#[utoipa::path(get, path = "/api/v1/employees", tag = "employees", params(ListQuery),
    responses((status = 200, body = Page<EmployeeView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<EmployeeView>>, ApiError> {
    actor.may(Verb::Read, Object::Employee)?;
    let workspace_id = actor.scope(query.workspace_id.as_deref())?;
    let limit = wire::limit(query.limit)?;
    let after = match wire::place(query.cursor.as_deref())? {
        None => None,
        Some((id, name)) => Some((name, wire::part(&id)?)),
    };
    let rows = state
        .read(actor.company_id)
        .await?
        .employees(&EmployeeFilter {
            workspace_id,
            after,
            limit: limit + 1,
        })
        .await?;
    let cursor = |last: &Employee| format!("{} {}", last.employee_id, last.name);
    Ok(Json(Page::cut(rows, limit, cursor, EmployeeView::from)))
}

/// Makes an employee; an active one has a license at once.
#[utoipa::path(post, path = "/api/v1/employees", tag = "employees", request_body = EmployeeForm,
    responses((status = 201, body = EmployeeView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 422, description = "`field` says which", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<EmployeeForm>,
) -> Result<(StatusCode, Json<EmployeeView>), ApiError> {
    let employee = people::create_employee(&state, &actor, form).await?;
    Ok((StatusCode::CREATED, Json(employee.into())))
}

/// Shows one employee.
#[utoipa::path(get, path = "/api/v1/employees/{employee_id}", tag = "employees",
    params(("employee_id" = uuid::Uuid, Path)),
    responses((status = 200, body = EmployeeView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> Result<Json<EmployeeView>, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let employee = reach::employee(&mut read, &actor, Verb::Read, Object::Employee, id).await?;
    Ok(Json(employee.into()))
}

/// Changes an employee; what is absent stays. A change of name, mode, project or profile and
/// activation issue the next license.
#[utoipa::path(patch, path = "/api/v1/employees/{employee_id}", tag = "employees",
    params(("employee_id" = uuid::Uuid, Path)), request_body = EmployeeForm,
    responses((status = 200, body = EmployeeView), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
    JsonBody(form): JsonBody<EmployeeForm>,
) -> Result<Json<EmployeeView>, ApiError> {
    Ok(Json(
        people::update_employee(&state, &actor, id, form)
            .await?
            .into(),
    ))
}

/// The employee's current license, as a file.
#[utoipa::path(get, path = "/api/v1/employees/{employee_id}/license.gz", tag = "employees",
    params(("employee_id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`no_license`: never active yet", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn license(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<EmployeeId>,
) -> Result<Response, ApiError> {
    let (employee, license) = people::license_for(&state, &actor, id).await?;
    let name = people::license_file_name(&employee);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(ApiError::internal)?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/gzip"),
        ),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, license.file).into_response())
}
