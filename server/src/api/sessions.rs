//! Sessions as reports see them: rolled up from their events.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use glasshour_protocol::{DeviceId, EmployeeId, ProjectId, SessionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::QueryOf;
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, reach};
use crate::store::{Session, SessionFilter, ViewKind};

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionQuery {
    /// Of this employee only.
    employee_id: Option<String>,
    /// RFC 3339: sessions that end behind it.
    from: Option<String>,
    /// RFC 3339: sessions that start before it.
    to: Option<String>,
    /// Of this workspace's employees only.
    workspace_id: Option<String>,
    /// Why, where nobody in particular is named: whoever is looked at is shown it. A person must say it;
    /// for a script its token's name stands in.
    reason: Option<String>,
    /// 1 to 1000; 1000 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// A session, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    #[schema(value_type = uuid::Uuid)]
    session_id: SessionId,
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    #[schema(value_type = uuid::Uuid)]
    device_id: DeviceId,
    #[schema(value_type = Option<uuid::Uuid>)]
    project_id: Option<ProjectId>,
    /// RFC 3339.
    started_at: String,
    /// RFC 3339; `null` while it runs. Where the agent vanished: its last record.
    ended_at: Option<String>,
    /// Milliseconds, without idle time and without what the employee withdrew.
    tracked_ms: i64,
    /// Milliseconds.
    idle_ms: i64,
    /// Milliseconds whose captures the employee deleted before they were sent.
    withdrawn_ms: i64,
    /// Why it was stopped.
    cause: Option<String>,
}

/// Lists sessions by start.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "records", params(SessionQuery),
    responses((status = 200, body = Page<SessionView>), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<SessionQuery>,
) -> Result<Json<Page<SessionView>>, ApiError> {
    let from_ms = wire::parse_time("from", query.from.as_deref())?.unwrap_or(i64::MIN);
    let to_ms = wire::parse_time("to", query.to.as_deref())?.unwrap_or(i64::MAX);
    let employee = wire::parse("employee_id", query.employee_id.as_deref())?;
    let limit = wire::limit_or_most(query.limit)?;
    let after = match wire::place(query.cursor.as_deref())? {
        None => None,
        Some((id, at)) => Some((wire::part(&at)?, id)),
    };
    let now_ms = state.clock.now_ms();
    let mut read = state.read(actor.company_id).await?;
    let (workspace_id, reason) = if let Some(employee) = employee {
        reach::employee(&mut read, &actor, Verb::Read, Object::Capture, employee).await?;
        (None, None)
    } else {
        actor.may(Verb::Read, Object::Capture)?;
        // First whether it is there at all for who asks.
        let scope = actor.scope(query.workspace_id.as_deref())?;
        (
            scope,
            Some(people::reason(&actor, query.reason.as_deref())?),
        )
    };
    let filter = SessionFilter {
        employee_id: employee,
        workspace_id,
        from_ms,
        to_ms,
        after,
        limit: limit + 1,
    };
    let mut rows = read.sessions_page(&filter).await?;
    drop(read);
    // The row beyond the page only tells that there is one: nobody looks at it.
    let beyond = (rows.len() > limit as usize).then(|| rows.pop()).flatten();
    let looks = people::looks(rows.iter().map(|row| (row.employee_id, row.started_at)));
    people::note_looks(
        &state,
        &actor,
        ViewKind::Sessions,
        &looks,
        reason.as_deref(),
    )
    .await?;
    rows.extend(beyond);
    let view = |session: Session| SessionView {
        session_id: session.session_id,
        employee_id: session.employee_id,
        device_id: session.device_id,
        project_id: session.project_id,
        started_at: wire::time(session.started_at),
        ended_at: session.end_as_of(now_ms).map(wire::time),
        tracked_ms: session.tracked_ms,
        idle_ms: session.idle_ms,
        withdrawn_ms: session.withdrawn_ms,
        cause: session.cause,
    };
    let cursor = |last: &Session| format!("{} {}", last.session_id, last.started_at);
    Ok(Json(Page::cut(rows, limit, cursor, view)))
}
