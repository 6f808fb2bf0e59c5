//! What a logged-in person sees and does for themself: profile, workspaces, the bell.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use glasshour_protocol::CompanyId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::Actor;
use crate::error::ApiError;
use crate::people::{self, OwnForm};
use crate::store::{MemberRole, MemberStatus, Membership, Notice};

/// A person to themself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub(super) struct MeView {
    id: String,
    /// The User ID.
    user_id: String,
    first_name: String,
    last_name: String,
    email: String,
    /// The company that is worked in now.
    #[schema(value_type = uuid::Uuid)]
    company_id: CompanyId,
    /// The workspace that is worked in now; `null`: none, or all of the company.
    workspace_id: Option<String>,
    /// Where they take part or are invited.
    memberships: Vec<MembershipView>,
    /// How many notices were not seen yet.
    unread: u64,
}

/// One workspace of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub(super) struct MembershipView {
    #[schema(value_type = uuid::Uuid)]
    company_id: CompanyId,
    company: String,
    workspace_id: String,
    workspace: String,
    member_id: String,
    role: MemberRole,
    /// `active`, or `pending`: waits to be accepted.
    status: MemberStatus,
}

impl From<Membership> for MembershipView {
    fn from(one: Membership) -> Self {
        Self {
            company_id: one.company_id,
            company: one.company,
            workspace_id: one.workspace_id,
            workspace: one.workspace,
            member_id: one.member_id,
            role: one.role,
            status: one.status,
        }
    }
}

/// A notice, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notice)]
pub(super) struct NoticeView {
    notice_id: String,
    /// `invitation` or `ownership`.
    kind: String,
    /// What it is about.
    #[schema(value_type = Object)]
    params: Value,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339; `null`: not seen yet.
    read_at: Option<String>,
}

impl From<Notice> for NoticeView {
    fn from(notice: Notice) -> Self {
        Self {
            notice_id: notice.notice_id,
            kind: notice.kind,
            params: notice.params,
            created_at: wire::time(notice.created_at),
            read_at: notice.read_at.map(wire::time),
        }
    }
}

/// Shows the person who asks.
#[utoipa::path(get, path = "/api/v1/me", tag = "me",
    responses((status = 200, body = MeView), (status = 401, body = ErrorBodySchema),
        (status = 403, description = "a token is nobody in particular", body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
) -> Result<Json<MeView>, ApiError> {
    let user = people::person(&actor)?.clone();
    view(&state, &actor, user).await
}

/// Changes the person's own name.
#[utoipa::path(patch, path = "/api/v1/me", tag = "me", request_body = OwnForm,
    responses((status = 200, body = MeView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<OwnForm>,
) -> Result<Json<MeView>, ApiError> {
    let user = people::update_own(&state, &actor, form).await?;
    view(&state, &actor, user).await
}

async fn view(
    state: &AppState,
    actor: &Actor,
    user: crate::store::User,
) -> Result<Json<MeView>, ApiError> {
    let home = user.company_id;
    let memberships = state.db.find_memberships(home, &user.user_id).await?;
    let unread = state
        .read(home)
        .await?
        .unread_notices(&user.user_id)
        .await?;
    Ok(Json(MeView {
        id: user.user_id,
        user_id: user.login,
        first_name: user.first_name,
        last_name: user.last_name,
        email: user.email,
        company_id: actor.company_id,
        workspace_id: actor.workspace_id.clone(),
        memberships: memberships.into_iter().map(Into::into).collect(),
        unread,
    }))
}

/// Which workspace to work in.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceForm {
    /// One of the person's own, or for the company's account any of the company; absent: all of the
    /// company.
    workspace_id: Option<String>,
}

/// Chooses the workspace that this session works in.
#[utoipa::path(post, path = "/api/v1/me/workspace", tag = "me", request_body = ChoiceForm,
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn choose(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<ChoiceForm>,
) -> Result<StatusCode, ApiError> {
    people::choose_workspace(&state, &actor, form.workspace_id.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts an invitation, logged in.
#[utoipa::path(post, path = "/api/v1/me/invitations/{invitation_id}/accept", tag = "me",
    params(("invitation_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn accept(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::answer_invitation(&state, &actor, &id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Declines an invitation.
#[utoipa::path(post, path = "/api/v1/me/invitations/{invitation_id}/decline", tag = "me",
    params(("invitation_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn decline(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::answer_invitation(&state, &actor, &id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the person's notices, the newest first.
#[utoipa::path(get, path = "/api/v1/me/notices", tag = "me", params(ListQuery),
    responses((status = 200, body = Page<NoticeView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn notices(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<NoticeView>>, ApiError> {
    let user = people::person(&actor)?;
    let limit = wire::limit(query.limit)?;
    let place = wire::place(query.cursor.as_deref())?;
    let before = match &place {
        None => None,
        Some((at, id)) => Some((wire::part(at)?, id.as_str())),
    };
    let mut read = state.read(user.company_id).await?;
    let rows = read.notices(&user.user_id, before, limit + 1).await?;
    let cursor = |last: &Notice| format!("{} {}", last.created_at, last.notice_id);
    Ok(Json(Page::cut(rows, limit, cursor, NoticeView::from)))
}

/// Notes that a notice was seen.
#[utoipa::path(post, path = "/api/v1/me/notices/{notice_id}/read", tag = "me",
    params(("notice_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("session" = [])))]
pub(super) async fn read_notice(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::see_notice(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
