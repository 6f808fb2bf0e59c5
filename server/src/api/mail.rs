//! What became of the mail that this server sends.

#![expect(
    unused_qualifications,
    reason = "utoipa qualifies the query struct in what it generates"
)]

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{PathId, QueryOf};
use super::openapi::ErrorBodySchema;
use super::wire::{self, Page};
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::error::ApiError;
use crate::people;
use crate::store::{ListedMail, MailState, MailTemplate};

/// A mail, as the API shows it. Its text is not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mail)]
pub(super) struct MailView {
    mail_id: String,
    to: String,
    template: MailTemplate,
    state: MailState,
    /// How often it was tried.
    tries: i64,
    /// Why it was not sent, last.
    error: Option<String>,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339: when the mail server took it.
    sent_at: Option<String>,
}

impl From<ListedMail> for MailView {
    fn from(mail: ListedMail) -> Self {
        Self {
            mail_id: mail.mail_id,
            to: mail.to_address,
            template: mail.template,
            state: mail.state,
            tries: mail.attempts,
            error: mail.error,
            created_at: wire::time(mail.created_at),
            sent_at: mail.sent_at.map(wire::time),
        }
    }
}

/// Where in the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MailQuery {
    /// 1 to 1000; 100 where absent.
    limit: Option<u32>,
    /// The `next` of the answer before.
    cursor: Option<String>,
}

/// Lists the company's mail of the last 90 days, the newest first.
#[utoipa::path(get, path = "/api/v1/mail", tag = "company", params(MailQuery),
    responses((status = 200, body = Page<MailView>), (status = 401, body = ErrorBodySchema),
        (status = 403, body = ErrorBodySchema), (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn list(
    actor: Actor,
    State(state): State<AppState>,
    QueryOf(query): QueryOf<MailQuery>,
) -> Result<Json<Page<MailView>>, ApiError> {
    actor.may(Verb::Read, Object::Mail)?;
    let limit = wire::limit(query.limit)?;
    let before = match wire::place(query.cursor.as_deref())? {
        None => None,
        Some((id, at)) => Some((wire::part::<i64>(&at)?, id)),
    };
    let before = before.as_ref().map(|(at, id)| (*at, id.as_str()));
    let mut read = state.read(actor.company_id).await?;
    let rows = read.mail(before, limit + 1).await?;
    let cursor = |last: &ListedMail| format!("{} {}", last.mail_id, last.created_at);
    Ok(Json(Page::cut(rows, limit, cursor, MailView::from)))
}

/// Sends again what a mail was about: a welcome, an invitation or a license, with a new link where it had one.
#[utoipa::path(post, path = "/api/v1/mail/{mail_id}/send", tag = "company",
    params(("mail_id" = String, Path)),
    responses((status = 204), (status = 401, body = ErrorBodySchema), (status = 403, body = ErrorBodySchema),
        (status = 404, body = ErrorBodySchema),
        (status = 409, description = "it still waits, or only its addressee can ask for it again",
            body = ErrorBodySchema),
        (status = 422, body = ErrorBodySchema)),
    security(("api_token" = []), ("session" = [])))]
pub(super) async fn send(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> Result<StatusCode, ApiError> {
    people::send_again(&state, &actor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
