//! Invitations into workspaces. An invitation bears the id of the member it makes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::employees::ListQuery;
use super::extract::{JsonBody, PathId, QueryOf};
use super::members::{cursor, place};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people::{self, InviteForm, Invited};
use crate::store::{Member, MemberFilter, MemberRole, Show};

/// An invitation that waits, as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(super) struct InvitationView {
    /// The member's id.
    invitation_id: String,
    workspace_id: String,
    email: String,
    role: MemberRole,
    /// True: this address has an account, which finds the invitation in the console too.
    has_account: bool,
    /// RFC 3339; `null`: added, and told nothing yet.
    sent_at: Option<String>,
    /// RFC 3339: until when the link lets in.
    expires_at: Option<String>,
    /// The link to copy: where one waits and this server sends no mail. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Member> for InvitationView {
    fn from(member: Member) -> Self {
        Self {
            invitation_id: member.member_id,
            workspace_id: member.workspace_id,
            email: member.email,
            role: member.role,
            has_account: member.user_id.is_some(),
            sent_at: member.sent_at.map(wire::time),
            expires_at: member.expires_at.map(wire::time),
            link: None,
        }
    }
}

/// What became of each address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationResults)]
pub(super) struct Results {
    /// In the order of the addresses.
    results: Vec<ResultView>,
}

/// What became of one address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InvitationResult)]
pub(super) struct ResultView {
    /// As it was typed.
    email: String,
    /// `invited`, `added` (told nothing), `already_invited`, `already_member`, `inactive` or `invalid`.
    result: &'static str,
    /// For a person.
    message: String,
    /// The member, where there is one.
    member_id: Option<String>,
    /// The link to copy, where this server sends no mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
}

impl From<Invited> for ResultView {
    fn from(one: Invited) -> Self {
        Self {
            email: one.email,
            result: one.result,
            message: one.message,
            member_id: one.member_id,
            link: one.link,
        }
    }
}

/// Lists invitations that wait to be accepted.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "invitations", params(ListQuery),
    responses((status = 200, body = Page<InvitationView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Json<Page<InvitationView>>, ApiError> {
    actor.may(Verb::Read, Object::Invitation)?;
    let limit = wire::limit(query.limit)?;
    let filter = MemberFilter {
        workspace_id: actor.scope(query.workspace_id.as_deref())?,
        show: Show::Pending,
        after: place(query.cursor.as_deref())?,
        limit: limit + 1,
    };
    let rows = state.read(actor.company_id).await?.members(&filter).await?;
    Ok(Json(Page::cut(rows, limit, cursor, InvitationView::from)))
}

/// Invites one or several addresses, separated by commas; each has its own result.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "invitations", request_body = InviteForm,
    responses((status = 201, body = Results), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, description = "`invalid` or `too_many_invitations`", body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn create(
    actor: Actor,
    State(state): State<AppState>,
    JsonBody(form): JsonBody<InviteForm>,
) -> Result<(StatusCode, Json<Results>), ApiError> {
    let results = people::invite(&state, &actor, form).await?;
    let results = results.into_iter().map(Into::into).collect();
    Ok((StatusCode::CREATED, Json(Results { results })))
}

/// Shows one invitation.
#[utoipa::path(get, path = "/api/v1/invitations/{invitation_id}", tag = "invitations",
    params(("invitation_id" = uuid::Uuid, Path)),
    responses((status = 200, body = InvitationView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn read(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<Json<InvitationView>, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let member = people::find_invitation(&mut read, &actor, Verb::Read, &id).await?;
    drop(read);
    Ok(Json(view(&state, &actor, member).await?))
}

/// What is done with an invitation.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvitationForm {
    /// True: sent, or sent again; the link before is worth nothing from then on.
    send: Option<bool>,
}

/// Sends an invitation, or sends it again with a new link.
#[utoipa::path(patch, path = "/api/v1/invitations/{invitation_id}", tag = "invitations",
    params(("invitation_id" = uuid::Uuid, Path)), request_body = InvitationForm,
    responses((status = 200, body = InvitationView), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn update(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
    JsonBody(form): JsonBody<InvitationForm>,
) -> Result<Json<InvitationView>, ApiError> {
    let member = if form.send == Some(true) {
        people::send_invitation(&state, &actor, &id).await?
    } else {
        let mut read = state.read(actor.company_id).await?;
        people::find_invitation(&mut read, &actor, Verb::Change, &id).await?
    };
    Ok(Json(view(&state, &actor, member).await?))
}

/// Takes an invitation back; its link is worth nothing from then on.
#[utoipa::path(delete, path = "/api/v1/invitations/{invitation_id}", tag = "invitations",
    params(("invitation_id" = uuid::Uuid, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 404, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn delete(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::withdraw_invitation(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn view(state: &AppState, actor: &Actor, member: Member) -> Result<InvitationView, ApiError> {
    let mut read = state.read(actor.company_id).await?;
    let link = people::link_to_copy(state, &mut read, &member.member_id).await?;
    Ok(InvitationView {
        link,
        ..member.into()
    })
}
