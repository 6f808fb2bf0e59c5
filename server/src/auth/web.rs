//! Cookie sessions of the console.
//!
//! A session ends twelve hours after log-in, two hours after its last use, and at log-out. Each
//! log-in makes a new token, so one planted beforehand is worth nothing.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use glasshour_protocol::code;

use super::extract::CurrentUser;
use super::factor;
use super::token::{Secret, hash_token};
use crate::error::ApiError;
use crate::store::{AskerKind, Note, User, WebSession};
use crate::{AppState, asker, looks};

/// Longest life of a session.
const ABSOLUTE_MS: i64 = 12 * 3_600_000;
/// Longest pause within one.
const IDLE_MS: i64 = 2 * 3_600_000;
/// `last_used_at` is exact to this much: not every request writes.
const TOUCH_EVERY_MS: i64 = 60_000;

/// A successful log-in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Who.
    pub user: User,
    /// The value for `Set-Cookie`.
    pub set_cookie: HeaderValue,
}

/// What a right password came to.
#[derive(Debug)]
pub enum LogIn {
    /// Logged in.
    Done(Box<LoggedIn>),
    /// The second factor is asked for; the value for `Set-Cookie` names this log-in.
    Code(HeaderValue),
}

/// Logs a person in by e-mail address and password, as far as the second factor, where they have one.
///
/// Answers 401 `unauthenticated` for a wrong password and for an unknown or blocked account alike,
/// and 429 `busy` after ten failures within fifteen minutes. `headers` are those of the request: a
/// session that its cookie names is ended.
pub async fn log_in(
    state: &AppState,
    email: &str,
    password: &str,
    from: IpAddr,
    headers: &HeaderMap,
) -> Result<LogIn, ApiError> {
    let email = email.trim().to_lowercase();
    let user = match state.db.find_home(&email).await? {
        Some(home) => state.read(home).await?.user_by_email(&email).await?,
        None => None,
    };
    let user = user.filter(User::is_active);
    check(state, &email, user.as_ref(), password, from).await?;
    // What is checked was there.
    let user = user.ok_or_else(not_right)?;
    if factor::owes(state, &user).await? {
        return Ok(LogIn::Code(factor::ask(state, &user).await?));
    }
    let logged_in = open_session(state, user, headers).await?;
    Ok(LogIn::Done(Box::new(logged_in)))
}

/// Checks the password of somebody known, with the same limit on wrong ones as at log-in.
pub(crate) async fn check_password(
    state: &AppState,
    user: &User,
    password: &str,
    from: IpAddr,
) -> Result<(), ApiError> {
    check(state, &user.email, Some(user), password, from).await
}

fn not_right() -> ApiError {
    ApiError::unauthenticated("The e-mail address or the password is not right.")
}

async fn check(
    state: &AppState,
    email: &str,
    user: Option<&User>,
    password: &str,
    from: IpAddr,
) -> Result<(), ApiError> {
    let now_ms = state.clock.now_ms();
    if !state.throttle.begin(email, from, now_ms) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::BUSY,
            "Too many attempts to log in. Wait fifteen minutes and try again.",
        ));
    }
    let hash = user.and_then(|user| user.password_hash.as_deref());
    if !state.passwords.verify(password, hash).await? {
        return Err(not_right());
    }
    state.throttle.succeed(email, from);
    Ok(())
}

/// Opens a session for somebody who has shown who they are; the one that the request's cookie names,
/// if any, ends.
pub(crate) async fn open_session(
    state: &AppState,
    user: User,
    headers: &HeaderMap,
) -> Result<LoggedIn, ApiError> {
    let now_ms = state.clock.now_ms();
    let token = Secret::cookie()?;
    end_session(state, headers).await?;
    let mut write = state.write(user.company_id).await?;
    write
        .delete_expired_web_sessions(now_ms, now_ms - IDLE_MS)
        .await?;
    let session = WebSession {
        user_id: user.user_id.clone(),
        at_company_id: None,
        at_workspace_id: None,
        created_at: now_ms,
        last_used_at: now_ms,
        expires_at: now_ms + ABSOLUTE_MS,
    };
    write.insert_web_session(&token.hash(), &session).await?;
    asker::is(AskerKind::Person, user.user_id.clone(), user.name());
    write.note(&on_session("log_in", &user.user_id)).await?;
    write.commit().await?;
    let set_cookie = set_cookie(state, Cookie::Session, token.expose(), ABSOLUTE_MS / 1000)?;
    Ok(LoggedIn { user, set_cookie })
}

/// Ends the session that the request's cookie names, and returns the `Set-Cookie` that removes it.
pub async fn log_out(state: &AppState, headers: &HeaderMap) -> Result<HeaderValue, ApiError> {
    end_session(state, headers).await?;
    set_cookie(state, Cookie::Session, "", 0)
}

/// Forgets the session that the request's cookie names.
async fn end_session(state: &AppState, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(token) = cookie(state, Cookie::Session, headers) else {
        return Ok(());
    };
    let hash = hash_token(token);
    if let Some(found) = state.db.find_web_session(&hash).await? {
        let mut write = state.write(found.company_id).await?;
        let user_id = found.session.user_id;
        if let Some(user) = write.user(&user_id).await? {
            asker::is(AskerKind::Person, user_id.clone(), user.name());
        }
        write.delete_web_session(&hash).await?;
        write.note(&on_session("log_out", &user_id)).await?;
        write.commit().await?;
    }
    Ok(())
}

/// What the audit log says of coming and going.
fn on_session<'a>(action: &'static str, user_id: &'a str) -> Note<'a> {
    Note {
        action,
        object: "session",
        object_id: user_id,
        about_id: Some(user_id),
        after: serde_json::Value::Null,
    }
}

/// The user whose living session the request's cookie names.
pub(super) async fn find_user(
    state: &AppState,
    headers: &HeaderMap,
) -> Result<Option<CurrentUser>, ApiError> {
    let Some(token) = cookie(state, Cookie::Session, headers) else {
        return Ok(None);
    };
    let hash = hash_token(token);
    let now_ms = state.clock.now_ms();
    let Some(found) = state.db.find_web_session(&hash).await? else {
        return Ok(None);
    };
    let (company_id, session) = (found.company_id, found.session);
    let idle_ms = now_ms.saturating_sub(session.last_used_at);
    if now_ms >= session.expires_at || idle_ms >= IDLE_MS {
        return Ok(None);
    }
    let user = state.read(company_id).await?.user(&session.user_id).await?;
    let user = user.filter(User::is_active);
    if user.is_some() && idle_ms >= TOUCH_EVERY_MS {
        let mut write = state.write(company_id).await?;
        let touched = write.touch_web_session(&hash, now_ms).await;
        looks::unless_full(match touched {
            Ok(()) => write.commit().await,
            failed => failed,
        })?;
    }
    let at = session.at_company_id.zip(session.at_workspace_id);
    Ok(user.map(|user| CurrentUser {
        user,
        session: hash,
        at,
    }))
}

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// Of a session.
    Session,
    /// Of a log-in that owes its second factor.
    Step,
    /// Of a log-in that is on its way through the single sign-on.
    SignOn,
}

/// `__Host-` makes browsers refuse the cookie from anywhere but this very host over TLS.
fn cookie_name(state: &AppState, of: Cookie) -> &'static str {
    match (of, state.is_https()) {
        (Cookie::Session, true) => "__Host-glasshour",
        (Cookie::Session, false) => "glasshour",
        (Cookie::Step, true) => "__Host-glasshour-step",
        (Cookie::Step, false) => "glasshour-step",
        (Cookie::SignOn, true) => "__Host-glasshour-sign-on",
        (Cookie::SignOn, false) => "glasshour-sign-on",
    }
}

pub(super) fn cookie<'a>(state: &AppState, of: Cookie, headers: &'a HeaderMap) -> Option<&'a str> {
    cookie_of(headers, cookie_name(state, of))
}

/// The value of a request's cookie.
pub(super) fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

pub(super) fn set_cookie(
    state: &AppState,
    of: Cookie,
    token: &str,
    max_age_s: i64,
) -> Result<HeaderValue, ApiError> {
    let name = cookie_name(state, of);
    let secure = if state.is_https() { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}"
    ))
    .map_err(ApiError::internal)
}
