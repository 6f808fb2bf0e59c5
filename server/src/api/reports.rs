//! Reports over what was tracked.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use glasshour_protocol::{EmployeeId, ProjectId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::QueryOf;
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, Grouping, Line, TimesheetQuery};
use crate::store::MemberStatus;

/// Which time, and what the lines stand for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// RFC 3339.
    from: Option<String>,
    /// RFC 3339.
    to: Option<String>,
    /// `employee` (where absent) or `project`.
    group_by: Option<String>,
    /// Of this employee only; not for one who is inactive or deleted as a member.
    employee_id: Option<String>,
    /// Of this workspace only.
    workspace_id: Option<String>,
}

/// One line of a timesheet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TimesheetLine)]
pub(super) struct LineView {
    #[schema(value_type = Option<uuid::Uuid>)]
    employee_id: Option<EmployeeId>,
    #[schema(value_type = Option<uuid::Uuid>)]
    project_id: Option<ProjectId>,
    name: String,
    /// Where the person stands as a member, where they are one.
    member_status: Option<MemberStatus>,
    tracked_ms: i64,
    /// What is not in it: time in front of records whose chain does not verify, which nobody has accepted.
    uncounted_ms: i64,
    idle_ms: i64,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            employee_id: line.employee_id,
            project_id: line.project_id,
            name: line.name,
            member_status: line.member,
            tracked_ms: line.tracked_ms,
            uncounted_ms: line.uncounted_ms,
            idle_ms: line.idle_ms,
        }
    }
}

/// Sums up tracked time by person or by project. Time of inactive and deleted members is in it.
#[utoipa::path(get, path = "/api/v1/reports/timesheet", tag = "reports", params(ReportQuery),
    responses((status = 200, body = Page<LineView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn timesheet(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ReportQuery>,
) -> Result<Json<Page<LineView>>, ApiError> {
    actor.may(Verb::Read, Object::Capture)?;
    let group_by = match query.group_by.as_deref() {
        None | Some("employee") => Grouping::Employee,
        Some("project") => Grouping::Project,
        Some(_) => {
            let message = "`group_by` must be `employee` or `project`.";
            return Err(ApiError::invalid("group_by", message));
        }
    };
    let query = TimesheetQuery {
        from_ms: wire::parse_time("from", query.from.as_deref())?.unwrap_or(i64::MIN),
        to_ms: wire::parse_time("to", query.to.as_deref())?.unwrap_or(i64::MAX),
        group_by,
        employee_id: wire::parse("employee_id", query.employee_id.as_deref())?,
        workspace_id: query.workspace_id,
    };
    let lines = people::timesheet(&state, &actor, &query).await?;
    let items = lines.into_iter().map(Into::into).collect();
    Ok(Json(Page { items, next: None }))
}
