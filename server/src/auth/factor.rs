//! The second factor: an authenticator app's code, or a recovery code, asked for behind the password.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use glasshour_protocol::code;

use super::token::{Secret, hash_token};
use super::web::{self, LoggedIn};
use super::{totp, web::Cookie};
use crate::AppState;
use crate::error::ApiError;
use crate::store::{LogInStep, User};

/// How long the question for the code stands.
const STEP_MS: i64 = 5 * 60_000;
/// Recovery codes of a set.
const RECOVERY_CODES: usize = 10;

/// A new secret, shown once, for the person's app.
#[derive(Clone)]
pub struct NewFactor {
    /// Base32: to be typed.
    pub secret: String,
    /// `otpauth://totp/…`: to be opened, or drawn as a code by the person's own tools.
    pub uri: String,
}

impl std::fmt::Debug for NewFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewFactor(…)")
    }
}

/// Makes a secret that counts once a code of it was shown; 409 where the person has a second factor.
pub(crate) async fn begin_factor(state: &AppState, user: &User) -> Result<NewFactor, ApiError> {
    let mut bytes = [0_u8; totp::SECRET_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| ApiError::internal(format!("the system's random numbers: {error}")))?;
    let mut write = state.write(user.company_id).await?;
    let known = write.second_factor(&user.user_id).await?;
    if known.is_some_and(|factor| factor.confirmed_at.is_some()) {
        return Err(ApiError::conflict(
            None,
            "You have a second factor already. Remove it first.",
        ));
    }
    write.set_second_factor(&user.user_id, &bytes).await?;
    write.commit().await?;
    let secret = totp::base32(&bytes);
    let label: String = user
        .email
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let uri = format!("otpauth://totp/Glasshour:{label}?secret={secret}&issuer=Glasshour");
    Ok(NewFactor { secret, uri })
}

/// Takes the first code; returns the recovery codes, of which only hashes are kept.
pub(crate) async fn confirm_factor(
    state: &AppState,
    user: &User,
    code: &str,
) -> Result<Vec<String>, ApiError> {
    let now_ms = state.clock.now_ms();
    let mut write = state.write(user.company_id).await?;
    let factor = write.second_factor(&user.user_id).await?;
    let factor = factor.filter(|factor| factor.confirmed_at.is_none());
    let factor = factor.ok_or_else(|| {
        ApiError::conflict(
            None,
            "Nothing waits to be confirmed. Begin a second factor first.",
        )
    })?;
    let step = totp::accepted(&factor.secret, code, now_ms, factor.last_step);
    let step = step.ok_or_else(|| {
        ApiError::invalid(
            "code",
            "The code does not fit. Check that the app has this very secret and that its clock is right.",
        )
    })?;
    write
        .confirm_second_factor(&user.user_id, now_ms, step)
        .await?;
    let mut codes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = recovery_code()?;
        write
            .insert_recovery_code(&user.user_id, &hash_token(&plain(&code)))
            .await?;
        codes.push(code);
    }
    write.commit().await?;
    Ok(codes)
}

/// Eighty random bits, in groups that can be copied by hand.
fn recovery_code() -> Result<String, ApiError> {
    let mut bytes = [0_u8; 10];
    getrandom::fill(&mut bytes)
        .map_err(|error| ApiError::internal(format!("the system's random numbers: {error}")))?;
    let text = totp::base32(&bytes);
    let groups: Vec<String> = text
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(groups.join("-"))
}

fn plain(code: &str) -> String {
    code.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Whether a user owes a second factor at log-in.
pub(super) async fn owes(state: &AppState, user: &User) -> Result<bool, ApiError> {
    let factor = state
        .read(user.company_id)
        .await?
        .second_factor(&user.user_id)
        .await?;
    Ok(factor.is_some_and(|factor| factor.confirmed_at.is_some()))
}

/// The cookie of somebody who has shown the first factor and owes the second.
pub(super) async fn ask(state: &AppState, user: &User) -> Result<HeaderValue, ApiError> {
    let now_ms = state.clock.now_ms();
    let token = Secret::cookie()?;
    let step = LogInStep {
        company_id: user.company_id,
        user_id: user.user_id.clone(),
        expires_at: now_ms + STEP_MS,
    };
    let mut write = state.write(user.company_id).await?;
    write
        .insert_log_in_step(&token.hash(), &step, now_ms)
        .await?;
    write.commit().await?;
    web::set_cookie(state, Cookie::Step, token.expose(), STEP_MS / 1000)
}

/// Takes the second factor of the log-in that the request's cookie names, and opens a session. 401 where
/// there is none under way or the code does not fit; 429 after ten codes that did not.
pub async fn log_in_by_code(
    state: &AppState,
    code: &str,
    from: IpAddr,
    headers: &HeaderMap,
) -> Result<LoggedIn, ApiError> {
    let over = || ApiError::unauthenticated("This log-in took too long. Begin again.");
    let now_ms = state.clock.now_ms();
    let token = web::cookie(state, Cookie::Step, headers).ok_or_else(over)?;
    let hash = hash_token(token);
    let step = state.db.find_log_in_step(&hash).await?;
    let step = step
        .filter(|step| step.expires_at > now_ms)
        .ok_or_else(over)?;
    let account = format!("second factor of {}", step.user_id);
    if !state.throttle.begin(&account, from, now_ms) {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::BUSY,
            "Too many codes that did not fit. Wait fifteen minutes and log in again.",
        ));
    }
    let mut write = state.write(step.company_id).await?;
    let user = write.user(&step.user_id).await?;
    let user = user.filter(User::is_active).ok_or_else(over)?;
    let factor = write.second_factor(&step.user_id).await?;
    let factor = factor.ok_or_else(over)?;
    let by_app = totp::accepted(&factor.secret, code, now_ms, factor.last_step);
    let fits = match by_app {
        Some(taken) => write.take_step(&step.user_id, taken).await?,
        None => {
            let hash = hash_token(&plain(code));
            write.use_recovery_code(&step.user_id, &hash).await?
        }
    };
    if !fits {
        return Err(ApiError::unauthenticated(
            "The code does not fit, or was used already. Wait for the next one.",
        ));
    }
    write.delete_log_in_step(&hash).await?;
    write.commit().await?;
    state.throttle.succeed(&account, from);
    web::open_session(state, user, headers).await
}
