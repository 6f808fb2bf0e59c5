//! The company's outgoing mail: what waits, what was sent, what failed and why, and the way to send it again.

mod view;

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect};
use serde::Deserialize;

pub(super) use view::{MailRow, MailView};

use super::gate::{PageResult, PathId, page};
use super::layout::{Page, Part, State as Shape, Viewer};
use super::words;
use super::zone;
use crate::AppState;
use crate::auth::{Actor, Object, Verb};
use crate::people;
use crate::store::{ListedMail, MailState, MailTemplate};

/// Rows on a page.
const ROWS: u32 = 100;

/// Which part of the list, and what was just done.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    /// The time and id of the last mail of the page before.
    #[serde(default)]
    at: Option<i64>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    said: String,
}

/// The list.
pub(super) async fn list(
    viewer: Viewer,
    actor: Actor,
    State(state): State<AppState>,
    Query(query): Query<ListQuery>,
) -> PageResult {
    actor.may(Verb::Read, Object::Mail)?;
    let mut read = state.read(actor.company_id).await?;
    let before = query.at.zip(query.id.as_deref());
    let mut mails = read.mail(before, ROWS + 1).await?;
    let zone = zone::of_company(&mut read).await?;
    let more = mails.len() > ROWS as usize;
    mails.truncate(ROWS as usize);
    let next = mails
        .last()
        .filter(|_| more)
        .map(|last| format!("/mail?at={}&id={}", last.created_at, last.mail_id));
    let row = |mail: ListedMail| MailRow {
        what: what(mail.template),
        at: zone.date_clock(mail.created_at),
        machine: zone.machine(mail.created_at),
        state: shape(mail.state),
        state_text: state_text(&mail, state.mail_is_sent),
        again: people::may_send_again(&mail).then_some(mail.mail_id),
        to: mail.to_address,
        error: mail.error,
    };
    let said = match query.said.as_str() {
        "again" => Some("It is on its way again, with a new link where it has one."),
        _ => None,
    };
    page(&MailView {
        page: Page::new("Mail", Part::Company, viewer).said(said),
        rows: mails.into_iter().map(row).collect(),
        is_sent: state.mail_is_sent,
        zone: zone.name().to_owned(),
        next,
    })
}

/// Sends one again.
pub(super) async fn again(
    actor: Actor,
    State(state): State<AppState>,
    PathId(id): PathId<String>,
) -> PageResult {
    people::send_again(&state, &actor, &id).await?;
    Ok(Redirect::to("/mail?said=again").into_response())
}

fn what(template: MailTemplate) -> &'static str {
    match template {
        MailTemplate::Welcome => "Welcome, with the link to a password",
        MailTemplate::Invitation | MailTemplate::InvitationAccount => "Invitation",
        MailTemplate::SignUp => "Link to sign up",
        MailTemplate::SignUpKnown => "Word that the account is there already",
        MailTemplate::Reset => "Link to a new password",
        MailTemplate::License => "License",
    }
}

fn shape(state: MailState) -> Shape {
    match state {
        MailState::Queued => Shape::Paused,
        MailState::Sent => Shape::Done,
        MailState::Failed => Shape::Problem,
        MailState::Replaced => Shape::Off,
    }
}

fn state_text(mail: &ListedMail, is_sent: bool) -> String {
    let tries = usize::try_from(mail.attempts).unwrap_or(0);
    match mail.state {
        MailState::Queued if !is_sent => "kept: this server sends no mail".into(),
        MailState::Queued if tries > 0 => {
            format!("waits, after {} in vain", words::count(tries, "attempt"))
        }
        MailState::Queued => "waits".into(),
        MailState::Sent => "sent".into(),
        MailState::Failed => "failed".into(),
        MailState::Replaced => "replaced".into(),
    }
}
