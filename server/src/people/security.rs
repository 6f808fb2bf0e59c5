//! What a person does for the safety of their own account: another password, a second factor, an end to
//! every log-in; and the way back in for who has forgotten the password.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use glasshour_protocol::code;
use serde::Deserialize;
use serde_json::json;

use super::links::{self, Letter};
use super::{company, members, rules};
use crate::AppState;
use crate::auth::{self, Actor, LoggedIn, NewFactor, Object, Verb};
use crate::error::ApiError;
use crate::store::{Db, Link, LinkPurpose, MailTemplate, Note, User, Write};

/// Another password.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// The password until now.
    pub current: Option<String>,
    /// The password from now on.
    pub password: Option<String>,
}

impl std::fmt::Debug for PasswordForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordForm(…)")
    }
}

/// Sets another password. Every log-in of the person ends, and this one goes on with a new cookie.
pub async fn change_password(
    state: &AppState,
    actor: &Actor,
    form: PasswordForm,
    from: IpAddr,
    headers: &HeaderMap,
) -> Result<LoggedIn, ApiError> {
    let user = members::person(actor)?.clone();
    let current = rules::required("current", form.current)?;
    let password = rules::required("password", form.password)?;
    let hash = state
        .passwords
        .hash_for(&password, &[&user.email, &user.name()])
        .await?;
    auth::check_password(state, &user, &current, from)
        .await
        .map_err(|error| match error.status {
            StatusCode::UNAUTHORIZED => ApiError::invalid("current", "This is not your password."),
            _ => error,
        })?;
    let mut write = state.write(user.company_id).await?;
    write.set_password(&user.user_id, &hash).await?;
    write.delete_web_sessions_of(&user.user_id).await?;
    write.commit().await?;
    auth::open_session(state, user, headers).await
}

/// Ends every log-in of the person, this one too.
pub async fn log_out_everywhere(state: &AppState, actor: &Actor) -> Result<(), ApiError> {
    let user = members::person(actor)?;
    let mut write = state.write(user.company_id).await?;
    write.delete_web_sessions_of(&user.user_id).await?;
    write
        .note(&Note {
            action: "log_out_everywhere",
            object: "session",
            object_id: &user.user_id,
            about_id: Some(&user.user_id),
            after: serde_json::Value::Null,
        })
        .await?;
    write.commit().await?;
    Ok(())
}

/// Somebody has forgotten the password: a link goes to the address where it has an account. The answer is
/// the same whether it has one.
pub async fn forgot_password(state: &AppState, email: &str, from: IpAddr) -> Result<(), ApiError> {
    let email = rules::address("email", email)?;
    let now_ms = state.clock.now_ms();
    if !state.throttle.begin("reset", from, now_ms) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::BUSY,
            "Too many attempts. Wait fifteen minutes and try again.",
        ));
    }
    let Some(home) = state.db.find_home(&email).await? else {
        return Ok(());
    };
    let mut write = state.write(home).await?;
    let user = write.user_by_email(&email).await?;
    if let Some(user) = user.filter(|user| user.is_active() && user.password_hash.is_some()) {
        send_reset(state, &mut write, &user, now_ms).await?;
        write.commit().await?;
    }
    Ok(())
}

/// Makes the link by which a user of the company sets a password anew: mailed, or shown to whoever made it
/// where this server sends no mail.
pub async fn reset_password_of(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<Option<String>, ApiError> {
    actor.may(Verb::Change, Object::User)?;
    let mut write = state.write(actor.company_id).await?;
    let user = write.user(id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    if !user.is_active() {
        return Err(ApiError::not_now(
            code::CONFLICT,
            "This account is not active. Activate it first.",
        ));
    }
    let now_ms = state.clock.now_ms();
    send_reset(state, &mut write, &user, now_ms).await?;
    let link = links::link_to_copy(state, &mut write, &user.user_id).await?;
    write.commit().await?;
    Ok(link)
}

async fn send_reset(
    state: &AppState,
    write: &mut Write,
    user: &User,
    now_ms: i64,
) -> Result<(), ApiError> {
    let company = company(write).await?.name;
    let letter = Letter {
        to: &user.email,
        template: MailTemplate::Reset,
        subject_id: &user.user_id,
        params: json!({"name": user.name(), "company": company}),
    };
    links::send(state, write, LinkPurpose::Reset, &letter, now_ms).await?;
    write.note(&reset_note(user)).await?;
    Ok(())
}

/// Makes the link for whoever runs the server, to be handed to its person; with `remove_factor` their second
/// factor goes at once.
pub async fn operator_reset(
    db: &Db,
    email: &str,
    server_url: &str,
    remove_factor: bool,
    now_ms: i64,
) -> Result<String, ApiError> {
    let missing = || ApiError::not_found("active user");
    let email = rules::address("email", email)?;
    let home = db.find_home(&email).await?.ok_or_else(missing)?;
    let mut write = db.write(home).await?;
    let user = write.user_by_email(&email).await?;
    let user = user.filter(User::is_active).ok_or_else(missing)?;
    let subject = (LinkPurpose::Reset, user.user_id.as_str());
    let (address, _) = links::make(&mut write, server_url, subject, now_ms).await?;
    if remove_factor {
        write.delete_second_factor(&user.user_id).await?;
    }
    write.note(&reset_note(&user)).await?;
    write.commit().await?;
    Ok(address)
}

fn reset_note(user: &User) -> Note<'_> {
    Note {
        action: "send_reset_link",
        object: "user",
        object_id: &user.user_id,
        about_id: Some(&user.user_id),
        after: serde_json::Value::Null,
    }
}

/// Sets the password that a reset link is for. Every log-in ends, and the person logs in with it: a second
/// factor is asked for as ever.
pub(super) async fn use_reset(
    state: &AppState,
    link: &Link,
    password: Option<String>,
) -> Result<(), ApiError> {
    let password = rules::required("password", password)?;
    let mut write = state.write(link.company_id).await?;
    let user = write.user(&link.subject_id).await?;
    let user = user.filter(User::is_active).ok_or_else(links::unknown)?;
    let hash = state
        .passwords
        .hash_for(&password, &[&user.email, &user.name()])
        .await?;
    if !write.use_link(&link.token_hash).await? {
        return Err(links::unknown());
    }
    write.set_password(&user.user_id, &hash).await?;
    write.delete_web_sessions_of(&user.user_id).await?;
    write.drop_mail(&link.subject_id).await?;
    write.commit().await?;
    Ok(())
}

/// Begins a second factor: the secret for the app, which counts from its first code on.
pub async fn begin_second_factor(
    state: &AppState,
    actor: &Actor,
    password: Option<String>,
    from: IpAddr,
) -> Result<NewFactor, ApiError> {
    let user = members::person(actor)?;
    let password = rules::required("password", password)?;
    auth::check_password(state, user, &password, from)
        .await
        .map_err(wrong_password)?;
    auth::begin_factor(state, user).await
}

/// Confirms it by a code of the app; returns the recovery codes, shown this once.
pub async fn confirm_second_factor(
    state: &AppState,
    actor: &Actor,
    code: Option<String>,
) -> Result<Vec<String>, ApiError> {
    let user = members::person(actor)?;
    auth::confirm_factor(state, user, &rules::required("code", code)?).await
}

/// Removes the person's own second factor, for who has the password.
pub async fn remove_second_factor(
    state: &AppState,
    actor: &Actor,
    password: Option<String>,
    from: IpAddr,
) -> Result<(), ApiError> {
    let user = members::person(actor)?;
    let password = rules::required("password", password)?;
    auth::check_password(state, user, &password, from)
        .await
        .map_err(wrong_password)?;
    remove_factor(state, user).await
}

/// Removes the second factor of a user of the company who has lost it.
pub async fn remove_second_factor_of(
    state: &AppState,
    actor: &Actor,
    id: &str,
) -> Result<(), ApiError> {
    actor.may(Verb::Change, Object::User)?;
    let user = state.read(actor.company_id).await?.user(id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    remove_factor(state, &user).await
}

async fn remove_factor(state: &AppState, user: &User) -> Result<(), ApiError> {
    let mut write = state.write(user.company_id).await?;
    write.delete_second_factor(&user.user_id).await?;
    write.commit().await?;
    Ok(())
}

fn wrong_password(error: ApiError) -> ApiError {
    match error.status {
        StatusCode::UNAUTHORIZED => ApiError::invalid("password", "This is not your password."),
        _ => error,
    }
}
