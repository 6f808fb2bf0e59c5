//! Members of workspaces, their photos and their leave.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glasshour_protocol::EmployeeId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, LeaveForm, MemberForm};
use crate::store::{LeaveDay, LeaveKind, Member, MemberFilter, MemberRole, MemberStatus, Show};

/// A member, as the API shows them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(super) struct MemberView {
    member_id: String,
    workspace_id: String,
    /// The account, where there is one.
    user_id: Option<String>,
    name: String,
    email: String,
    role: MemberRole,
    status: MemberStatus,
    /// `mon` to `sun`.
    first_day: String,
    working_days: Vec<String>,
    /// Minutes.
    daily_capacity_min: i64,
    hourly_rate_cents: Option<i64>,
    /// As whom they track.
    #[schema(value_type = Option<uuid::Uuid>)]
    employee_id: Option<EmployeeId>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        let days = member.working_days.split(',');
        Self {
            working_days: days
                .filter(|day| !day.is_empty())
                .map(str::to_owned)
                .collect(),
            member_id: member.member_id,
            workspace_id: member.workspace_id,
            user_id: member.user_id,
            name: member.name,
            email: member.email,
            role: member.role,
            status: member.status,
            first_day: member.first_day,
            daily_capacity_min: member.capacity_min,
            hourly_rate_cents: member.rate_cents,
            employee_id: member.employee_id,
            created_at: wire::time(member.created_at),
            updated_at: wire::time(member.updated_at),
        }
    }
}

/// Which members.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MemberQuery {
    /// Absent: those who take part or are invited. `inactive`, or `all`.
    show: Option<String>,
    /// Of this workspace only.
    workspace_id: Option<String>,
    /// 1 to 1000; 100 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// Lists members by name. Deleted ones are in no list.
#[utoipa::path(get, path = "/api/v1/members", tag = "members", params(MemberQuery),
    responses((status = 200, body = Page<MemberView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<MemberQuery>,
) -> Result<Json<Page<MemberView>>, ApiError> {
    actor.may(Verb::Read, Object::Member)?;
    let limit = wire::limit(query.limit)?;
    let show = match query.show.as_deref() {
        None | Some("") => Show::Present,
        Some("inactive") => Show::Inactive,
        Some("all") => Show::All,
        Some(_) => {
            return Err(ApiError::invalid(
                "show",
                "`show` must be `inactive` or `all`.",
            ));
        }
    };
    let filter = MemberFilter {
        workspace_id: actor.scope(query.workspace_id.as_deref())?,
        show,
        after: place(query.cursor.as_deref())?,
        limit: limit + 1,
    };
    let rows = state.read(actor.company_id).await?.members(&filter).await?;
    Ok(Json(Page::cut(rows, limit, cursor, MemberView::from)))
}

/// Where a list of members goes on.
pub(super) fn cursor(last: &Member) -> String {
    format!("{} {}", last.member_id, last.name)
}

/// Reads what [`cursor`] wrote.
pub(super) fn place(cursor: Option<&str>) -> Result<Option<(String, String)>, ApiError> {
    Ok(wire::place(cursor)?.map(|(id, name)| (name, id)))
}

/// Adds a member: the same as an invitation of one address.
#[utoipa::path(post, path = "/api/v1/members", tag = "members",
    request_body = people::InviteForm,
    responses((status = 201, body = super::invitations::Results), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    state: State<AppState>,
    form: JsonBody<people::InviteForm>,
) -> Result<(StatusCode, Json<super::invitations::Results>), ApiError> {
    super::invitations::create(actor, state, form).await
}

/// Shows one member.
#[utoipa::path(get, path = "/api/v1/members/{member_id}", tag = "members",
    params(("member_id" = uuid::Uuid, Path)),
    responses((status = 200, body = MemberView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<MemberView>, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_member(&mut read, &actor, Verb::Read, &id).await?;
    Ok(Json(member.into()))
}

/// Changes a member; what is absent stays. Status `inactive` deactivates: a running timer stops at that
/// instant, and the member sees nothing of the workspace.
#[utoipa::path(patch, path = "/api/v1/members/{member_id}", tag = "members",
    params(("member_id" = uuid::Uuid, Path)), request_body = MemberForm,
    responses((status = 200, body = MemberView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<MemberForm>,
) -> Result<Json<MemberView>, ApiError> {
    let member = people::update_member(&state, &actor, &id, form).await?;
    Ok(Json(member.into()))
}

/// Deletes a deactivated member. What they tracked is kept; their leave is gone for good.
#[utoipa::path(delete, path = "/api/v1/members/{member_id}", tag = "members",
    params(("member_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 409, description = "`member_active`", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::delete_member(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A member's photo.
#[utoipa::path(get, path = "/api/v1/members/{member_id}/photo", tag = "members",
    params(("member_id" = uuid::Uuid, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>,
            description = "with the picture's own content type"),
        (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(crate) async fn photo(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Response, ApiError> {
    let (kind, bytes) = people::read_photo(&state, &actor, &id).await?;
    let kind = HeaderValue::from_str(&kind).map_err(ApiError::internal)?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, bytes).into_response())
}

/// Sets a member's photo: PNG, JPEG or WebP of at most 256 KB; an empty body removes it.
#[utoipa::path(put, path = "/api/v1/members/{member_id}/photo", tag = "members",
    params(("member_id" = uuid::Uuid, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 413, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn set_photo(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    bytes: Bytes,
) -> Result<StatusCode, ApiError> {
    people::set_photo(&state, &actor, &id, &bytes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One day of leave.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeaveDay)]
pub(super) struct LeaveView {
    /// `YYYY-MM-DD`.
    day: String,
    kind: LeaveKind,
}

impl From<LeaveDay> for LeaveView {
    fn from(day: LeaveDay) -> Self {
        Self {
            day: day.day,
            kind: day.kind,
        }
    }
}

/// Lists a member's leave by day.
#[utoipa::path(get, path = "/api/v1/members/{member_id}/leave", tag = "members",
    params(("member_id" = uuid::Uuid, Path), ListQuery),
    responses((status = 200, body = Page<LeaveView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn leave(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<LeaveView>>, ApiError> {
    let limit = wire::limit(query.limit)?;
    let after = query.cursor.as_deref().map(wire::cursor).transpose()?;
    let after = after.unwrap_or_default();
    let rows = people::read_leave(&state, &actor, &id, &after, limit + 1).await?;
    let cursor = |last: &LeaveDay| last.day.clone();
    Ok(Json(Page::cut(rows, limit, cursor, LeaveView::from)))
}

/// Notes a day of leave, in place of what was noted for it; kind `none` removes it.
#[utoipa::path(post, path = "/api/v1/members/{member_id}/leave", tag = "members",
    params(("member_id" = uuid::Uuid, Path)), request_body = LeaveForm,
    responses((status = 200, body = Option<LeaveView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn set_leave(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<LeaveForm>,
) -> Result<Json<Option<LeaveView>>, ApiError> {
    let day = people::set_leave(&state, &actor, &id, form).await?;
    Ok(Json(day.map(Into::into)))
}
