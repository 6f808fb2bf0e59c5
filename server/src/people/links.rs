//! One-time links: made here, mailed, and worth something once (rules 36, 47 to 50). Of a link only the
//! hash is kept, but for the mail that waits to carry it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::company;
use crate::AppState;
use crate::auth::{Secret, hash_token};
use crate::error::{ApiError, LINK_EXPIRED, LINK_UNKNOWN};
use crate::store::{Link, LinkPurpose, Mail, MailTemplate, Read, User, Write};

/// How long an invitation's link lives (rule 49).
pub(super) const INVITATION_MS: i64 = 30 * 24 * 3_600_000;
/// How long the link to a new account lives.
const WELCOME_MS: i64 = 7 * 24 * 3_600_000;
/// How long the link that proves an address lives.
const SIGN_UP_MS: i64 = 24 * 3_600_000;

/// How long the link lives that sets a forgotten password.
const RESET_MS: i64 = 3_600_000;

/// What a mail is about, and to whom it goes.
#[derive(Clone, Debug)]
pub(super) struct Letter<'a> {
    pub(super) to: &'a str,
    pub(super) template: MailTemplate,
    /// A user, a member or an address: a later letter about the same takes the place of this one.
    pub(super) subject_id: &'a str,
    pub(super) params: Value,
}

/// Makes a link in place of earlier ones for the same, and queues the letter that carries it. Returns
/// until when it lives.
pub(super) async fn send(
    state: &AppState,
    write: &mut Write,
    purpose: LinkPurpose,
    letter: &Letter<'_>,
    now_ms: i64,
) -> Result<i64, ApiError> {
    let subject = (purpose, letter.subject_id);
    let (address, until) = make(write, &state.server_url, subject, now_ms).await?;
    let mut params = letter.params.clone();
    if let Some(params) = params.as_object_mut() {
        params.insert("link_lives_ms".into(), (until - now_ms).into());
    }
    let letter = Letter {
        params,
        ..letter.clone()
    };
    queue(state, write, &letter, Some(&address), now_ms).await?;
    Ok(until)
}

/// Makes a link in place of earlier ones for the same; returns its address, and until when it lives.
pub(super) async fn make(
    write: &mut Write,
    server_url: &str,
    (purpose, subject_id): (LinkPurpose, &str),
    now_ms: i64,
) -> Result<(String, i64), ApiError> {
    let token = Secret::cookie()?;
    let life = match purpose {
        LinkPurpose::Welcome => WELCOME_MS,
        LinkPurpose::Invitation => INVITATION_MS,
        LinkPurpose::SignUp => SIGN_UP_MS,
        LinkPurpose::Reset => RESET_MS,
    };
    let link = Link {
        company_id: company(write).await?.company_id,
        token_hash: token.hash(),
        purpose,
        subject_id: subject_id.to_owned(),
        expires_at: now_ms + life,
    };
    write.replace_link(&link, now_ms).await?;
    let address = format!("{server_url}/join/{}", token.expose());
    Ok((address, link.expires_at))
}

/// Queues a letter. Where this server sends no mail it is kept, so that its link can be shown.
pub(super) async fn queue(
    state: &AppState,
    write: &mut Write,
    letter: &Letter<'_>,
    link: Option<&str>,
    now_ms: i64,
) -> Result<(), ApiError> {
    let mail = Mail {
        mail_id: &Uuid::now_v7().to_string(),
        to: letter.to,
        template: letter.template,
        subject_id: letter.subject_id,
        params: &letter.params,
        link,
        is_sent: state.mail_is_sent,
    };
    write.queue_mail(&mail, now_ms).await?;
    Ok(())
}

/// Sends a new user the link by which they choose a password: never a password in a mail (rule 36).
pub(super) async fn send_welcome(
    state: &AppState,
    write: &mut Write,
    user: &User,
    now_ms: i64,
) -> Result<(), ApiError> {
    let company = company(write).await?.name;
    let letter = Letter {
        to: &user.email,
        template: MailTemplate::Welcome,
        subject_id: &user.user_id,
        params: json!({"name": user.name(), "company": company, "user_id": user.login}),
    };
    send(state, write, LinkPurpose::Welcome, &letter, now_ms).await?;
    Ok(())
}

/// Makes a user's link worth nothing.
pub(super) async fn drop_welcome(write: &mut Write, user_id: &str) -> Result<(), ApiError> {
    write.delete_links(LinkPurpose::Welcome, user_id).await?;
    write.drop_mail(user_id).await?;
    Ok(())
}

/// The link that waits to be mailed about somebody, to be copied by whoever made it; `None` where this
/// server sends its mail, as then it goes to its address alone.
pub async fn link_to_copy(
    state: &AppState,
    read: &mut Read,
    subject_id: &str,
) -> Result<Option<String>, ApiError> {
    if state.mail_is_sent {
        return Ok(None);
    }
    Ok(read.waiting_link(subject_id).await?)
}

/// The link of a token: 404 `link_unknown` where it was used or replaced, 410 `link_expired`.
pub(super) async fn find(state: &AppState, token: &str) -> Result<Link, ApiError> {
    let link = state.db.find_link(&hash_token(token)).await?;
    let link = link.ok_or_else(unknown)?;
    if state.clock.now_ms() >= link.expires_at {
        return Err(ApiError::new(
            axum::http::StatusCode::GONE,
            LINK_EXPIRED,
            "This link is too old. Ask whoever sent it to send it again.",
        ));
    }
    Ok(link)
}

/// 404 `link_unknown`.
pub(super) fn unknown() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::NOT_FOUND,
        LINK_UNKNOWN,
        "This link was used already, or a newer one was sent. Look for the newest mail, or log in.",
    )
}
