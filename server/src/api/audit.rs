//! The audit log, and who looked at the person who asks.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use glasshour_protocol::{CompanyId, EmployeeId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::employees::ListQuery;
use super::extract::QueryOf;
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people;
use crate::store::{AskerKind, AuditEntry, AuditFilter, View, ViewKind};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// What belongs to this workspace only.
    workspace_id: Option<String>,
    /// About this employee, member or user, or done to the thing of that id.
    about_id: Option<String>,
    /// Done by this user, token or device.
    actor_id: Option<String>,
    /// Done to this kind of thing: `employee`, `license`, `user`, `member`, …
    object: Option<String>,
    /// RFC 3339: at or after.
    from: Option<String>,
    /// RFC 3339: before.
    to: Option<String>,
    /// 1 to 1000; 100 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// An entry of the audit log, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditView {
    entry_id: String,
    /// RFC 3339.
    at: String,
    actor_kind: AskerKind,
    /// The user's, token's or device's id; the receipt's, where the person was erased since.
    actor_id: Option<String>,
    /// As they were named then.
    actor_name: Option<String>,
    /// Where the request came from.
    address: Option<String>,
    /// `create`, `change`, `delete`, `log_in`, `log_out`, `export`, …
    action: String,
    /// What kind of thing it was done to.
    object: String,
    object_id: String,
    /// As it was named then.
    object_name: Option<String>,
    /// The employee, member or user that it belongs to.
    about_id: Option<String>,
    workspace_id: Option<String>,
    /// What was there before, of what differs. Of a secret only that it was set.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What is there since.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Why, where the actor was asked.
    reason: Option<String>,
    /// The receipt of the erasure that took a person out of this entry.
    erased_by: Option<String>,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            entry_id: entry.entry_id,
            at: wire::time(entry.at_ms),
            actor_kind: entry.actor_kind,
            actor_id: entry.actor_id,
            actor_name: entry.actor_name,
            address: entry.address,
            action: entry.action,
            object: entry.object,
            object_id: entry.object_id,
            object_name: entry.object_name,
            about_id: entry.about_id,
            workspace_id: entry.workspace_id,
            before: entry.before_json,
            after: entry.after_json,
            reason: entry.reason,
            erased_by: entry.erased_by,
        }
    }
}

/// Lists the audit log, the newest entry first: all of it for the company, what belongs to the workspace
/// for its owner and admins.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(AuditQuery),
    responses((status = 200, body = Page<AuditView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<AuditQuery>,
) -> Result<Json<Page<AuditView>>, ApiError> {
    let limit = wire::limit(query.limit)?;
    let before = match wire::place(query.cursor.as_deref())? {
        None => None,
        Some((at, id)) => Some((wire::part(&at)?, id)),
    };
    let filter = AuditFilter {
        workspace_id: query.workspace_id,
        about_id: query.about_id,
        actor_id: query.actor_id,
        object: query.object,
        from_ms: wire::parse_time("from", query.from.as_deref())?.unwrap_or(i64::MIN),
        to_ms: wire::parse_time("to", query.to.as_deref())?.unwrap_or(i64::MAX),
        before,
        limit: limit + 1,
    };
    let rows = people::read_audit(&state, &actor, filter).await?;
    let cursor = |last: &AuditEntry| format!("{} {}", last.at_ms, last.entry_id);
    Ok(Json(Page::cut(rows, limit, cursor, AuditView::from)))
}

/// Who looked at somebody's captures, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = View)]
pub(super) struct ViewView {
    view_id: String,
    #[schema(value_type = uuid::Uuid)]
    company_id: CompanyId,
    company: String,
    #[schema(value_type = uuid::Uuid)]
    employee_id: EmployeeId,
    /// `person` or `token`.
    viewer_kind: AskerKind,
    viewer_name: String,
    what: ViewKind,
    /// Why, where the viewer was asked; else empty.
    reason: String,
    /// RFC 3339.
    first_at: String,
    /// RFC 3339: the last time within the same quarter of an hour.
    last_at: String,
    /// RFC 3339: what was looked at was captured from here.
    from: String,
    /// RFC 3339: to here.
    to: String,
    /// How many pictures, records, sessions or days.
    times: i64,
}

impl From<View> for ViewView {
    fn from(view: View) -> Self {
        Self {
            view_id: view.view_id,
            company_id: view.company_id,
            company: view.company,
            employee_id: view.employee_id,
            viewer_kind: view.viewer_kind,
            viewer_name: view.viewer_name,
            what: view.what,
            reason: view.reason,
            first_at: wire::time(view.first_at),
            last_at: wire::time(view.last_at),
            from: wire::time(view.from_ms),
            to: wire::time(view.to_ms),
            times: view.times,
        }
    }
}

/// Lists who looked at the captures of the person who asks, the last first, in every company that tracks
/// them.
#[utoipa::path(get, path = "/api/v1/me/views", tag = "me", params(ListQuery),
    responses((status = 200, body = Page<ViewView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn own_views(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<ViewView>>, ApiError> {
    let limit = wire::limit(query.limit)?;
    let place = wire::place(query.cursor.as_deref())?;
    let before = match &place {
        None => None,
        Some((at, id)) => Some((wire::part(at)?, id.as_str())),
    };
    let rows = people::own_views(&state, &actor, before, limit + 1).await?;
    let cursor = |last: &View| format!("{} {}", last.last_at, last.view_id);
    Ok(Json(Page::cut(rows, limit, cursor, ViewView::from)))
}
